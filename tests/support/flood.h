/* SPDX-License-Identifier: Apache-2.0 */
/* Connections in number, from many addresses of 127.0.0.0/8, in one process: idle ones, slow ones, and requests at a fixed
   rate whether the server keeps up or not (open loop). */
#pragma once
#include "bench/work.h"
#include <netinet/in.h>

struct ssl_st;
struct ssl_ctx_st;
enum kind { KIND_IDLE, KIND_HEADER, KIND_BODY, KIND_POST, KINDS };

struct flood_options {
    struct sockaddr_in to;
    size_t held[KINDS];                                      /* connections to hold open, opened anew when cut; not of POST */
    size_t sources;                                          /* different source addresses */
    double rate;                                             /* of POST, a second */
    size_t total;                                            /* of POST */
    struct buf post;                                         /* one pkiMessage for every POST, or */
    struct work work;                                        /* scep-load's messages, each until it gets its 200, */
    size_t skip;                                             /* but for the first ones */
    size_t paths;                                            /* at each of the paths /scep/e0 and on; 0: at /scep alone */
    int seconds;
    int open_rate;                                           /* held connections opened a second, at most */
    bool tls;
};

struct flood_counts {
    size_t opened, failed, closed, unsent, cut;              /* cut: a POST that got no status */
    int64_t last_us;                                         /* of the last 200, since the beginning */
    size_t held_most;
    size_t status[600];
    size_t with_retry_after;
    uint32_t *latency_us;                                    /* of each 200 */
    size_t latency_count;
};

struct flood;
enum phase { PHASE_FREE, PHASE_CONNECTING, PHASE_HANDSHAKING, PHASE_SENDING, PHASE_HOLDING };
struct line {                                                /* one connection */
    struct flood *flood;
    struct line *next_free;
    int fd;
    enum kind kind;
    enum phase phase;
    struct ssl_st *ssl;
    uint32_t item;                                           /* of the ring */
    struct buf request;
    size_t sent, got;
    char answer[512];                                        /* its beginning */
    int64_t began_us, due_us, next_drip_ms;                  /* due: when the schedule wanted it sent */
};

struct flood {
    struct flood_options options;
    struct flood_counts counts;
    struct ssl_ctx_st *tls;
    int epoll;
    struct line *lines;
    size_t line_count, held_now, source_next;
    struct line *free_posts;
    size_t posts_begun, posts_open;
    uint32_t *ring; size_t ring_size, ring_head, ring_count; /* what has to be sent: message + path × messages */
    int64_t began_us;
};

/* flood_post.c */
void posts_begin(struct flood *flood);
bool post_next(struct flood *flood, struct line *line);      /* false: nothing is left to send */
void post_again(struct flood *flood, const struct line *line);

/* flood_line.c */
bool line_open(struct line *line);                           /* false: the address, or descriptors, have run out */
void line_event(struct line *line, uint32_t events);
void line_drip(struct line *line, int64_t now_ms);
void line_close(struct line *line);

/* SPDX-License-Identifier: Apache-2.0 */
/* What server.c, connection.c, exchange.c and answer.c share. Not for other folders. */
#pragma once
#include "http/access_log.h"
#include "http/peers.h"
#include "http/proxies.h"
#include "http/reader.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/stream.h"
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#define HTTP_SCRATCH_BYTES   16384      /* one TLS record; what one read takes at most                              */
#define HTTP_LINGER_MS       2000       /* after our last byte: as long as a client needs to read it and close      */
#define HTTP_LINGER_BYTES    (1 << 20)  /* what a refused client may still send into the void                       */
#define HTTP_RETRY_S         "5"        /* Retry-After of our own 503                                               */
#define HTTP_INLINE_BODY     16384      /* bodies up to this go out in one write with the head                      */
#define HTTP_LOG_LINES_MAX   20         /* refusals a second in the error log; the access log has them all          */
#define WIN32_NETNAME_DELETED 64        /* access log: the client left before the answer was out                    */
#define WIN32_SEM_TIMEOUT     121       /* access log: the client did not take the answer in time                   */

struct connection;

struct http_exchange {
    struct http_exchange *next, **link;                      /* server->exchanges */
    struct http_server *server;                              /* NULL: freed meanwhile */
    struct connection *connection;                           /* NULL: cut meanwhile */
    struct loop *loop;
    pthread_t loop_thread;
    bool in_handler, answered_inline;                        /* loop thread only */
    atomic_bool answered;
    struct event hold;                                       /* not_before_us */
    struct http_reader *reader;                              /* lent by the connection: the request's views */
    struct http_request request;
    struct peer_count *count;                                /* the client's place, when a proxy speaks for it */
    bool is_1_0, keep_alive;
    char peer[ADDRESS_TEXT_BYTES], local[ADDRESS_TEXT_BYTES], method[40];
    struct http_answer answer;                               /* own copies of all that it points to, unless it has a release */
    struct buf body, client_cert;
    char *content_type, *extra_headers, *log_note;
};

enum connection_state { CONN_HANDSHAKE, CONN_IDLE, CONN_READING, CONN_WORKING, CONN_WRITING, CONN_LINGERING, CONN_STATES };

struct connection {
    struct connection *next, **link;                         /* server->connections */
    struct http_server *server;
    TAILQ_ENTRY(connection) silent;                          /* in server->silent */
    struct address address;
    struct peer_count *count;                                /* NULL: a trusted proxy, or refused */
    bool is_refused;                                         /* over the cap of its address: gets its 503 and goes */
    bool is_proxy;
    bool is_silent;
    struct stream stream;
    enum connection_state state;
    struct event io, deadline, again;
    short interest;
    struct http_reader *reader;                              /* NULL while lent to the exchange */
    struct buf surplus;                                      /* read, but of a later request */
    size_t surplus_at;
    int64_t started_us, since_us;                            /* the request; the state */
    int64_t deadline_us, armed_us;                           /* of the state, 0: none; when the timer looks at it */
    int64_t turn_us;                                         /* 0: the deadline has not passed; when it may be acted on */
    size_t received;                                         /* of the request */
    struct http_exchange *exchange;
    struct buf out;                                          /* head, and a small body */
    struct bytes out_body;                                   /* a large body, in the exchange */
    size_t sent;                                             /* of both */
    bool close_after;
    bool is_whole;                                           /* the request was read to its end */
    size_t lingered;
    char peer[ADDRESS_TEXT_BYTES], local[ADDRESS_TEXT_BYTES];
    int peer_port, local_port;
};

struct listening;

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    http_handler handler;
    void *handler_arg;
    struct access_log *log;
    struct listening *listenings;
    const struct proxies *proxies;
    struct connection *connections;
    size_t serving, refusing;                                /* connections with and without a place */
    TAILQ_HEAD(, connection) silent;                         /* from whom bytes are awaited, who waits longest first */
    struct peers *peers;
    struct http_exchange *exchanges;
    size_t most;                                             /* connections at once since memory was given back */
    int64_t expiry_us;                                       /* when the next deadline has its turn */
    struct event settle;
    bool draining;
    void (*drain_done)(void *arg);
    void *drain_arg;
    struct event drain;
    int64_t log_second;
    unsigned log_lines, log_dropped;
    uint8_t scratch[HTTP_SCRATCH_BYTES];
};

/* server.c */
bool server_may_log(struct http_server *server);
void server_connection_gone(struct http_server *server, bool was_refused);

/* connection.c */
struct connection_start {
    int fd;
    struct ssl_st *ssl;
    const struct sockaddr *peer;
    struct peer_count *count;
    bool is_refused, is_proxy;
};
void connection_start(struct http_server *server, const struct connection_start *start);   /* takes fd and ssl */
void connection_answer(struct connection *connection);       /* its exchange has its answer */
void connection_free(struct connection *connection);
bool connection_is_quiet(const struct connection *connection);   /* holds no request: may be cut when draining */

/* exchange.c */
struct http_exchange *exchange_new(struct connection *connection);   /* borrows the connection's reader */
bool exchange_enter(struct http_exchange *exchange);         /* false: the client behind a proxy holds its places already */
void exchange_set_answer(struct http_exchange *exchange, const struct http_answer *answer);
bool exchange_hold(struct http_exchange *exchange);          /* true: too early, delivered later */
/* Logged, its reader given back, gone. */
void exchange_finish(struct http_exchange *exchange, size_t sent_bytes, unsigned win32_status);
void exchange_orphan(struct http_exchange *exchange);        /* its connection is cut; freed when it is answered */
void exchange_abandon(struct http_exchange *exchange);       /* its server ends */

/* answer.c */
void answer_complete(struct http_exchange *exchange);        /* page and id for a bare status from 400 up */
void answer_head(const struct http_exchange *exchange, bool close, struct buf *ret);

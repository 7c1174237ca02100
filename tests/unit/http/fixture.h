/* SPDX-License-Identifier: Apache-2.0 */
/* A server on a free loopback port in a thread of its own, and a client that sends exactly the bytes it is told to. */
#pragma once
#include "http/access_log.h"
#include "http/proxies.h"
#include "http/server.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/pool.h"
#include "net/tls.h"
#include "tests/unit/test.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct site {
    struct http_limits limits;                               /* site_setup fills them; change before site_start */
    bool with_log;
    struct proxies *proxies;                                 /* freed by site_stop */
    struct tls_server *tls;                                  /* NULL: plain; freed by site_stop */
    struct loop *loop;
    struct pool *pool;
    struct http_server *server;
    struct access_log *log;
    pthread_t thread;
    int port;
    char dir[64];
    char *log_path;
    sem_t gate;                                              /* /gate waits here in its worker */
    atomic_int handled, at_gate, lent;                       /* lent: answers of /lent that are not given back */
    struct clock clock;
};

/* Paths: /worker answers from a worker, /gate from a worker once the gate opens, /large 4 MB, /held a little later,
   /lent a body that is not copied, with entity tag "AB" and the date of RFC 9110 5.6.7, /500, /503, /note; everything else is answered at once. Bodies tell what arrived: "METHOD PATH QUERY BODYLEN\n". */
void site_setup(struct site *site);
void site_start(struct site *site);
void site_stop(struct site *site);                           /* workers, server, loop, files */
/* The log without its # lines, once it has that many; a line follows its answer. Caller frees. */
char *site_log(struct site *site, size_t lines);

struct answer { int status; struct buf head, body; bool closed; };
int client_connect(const struct site *site);
bool client_send(int fd, struct bytes data);                 /* false: the server has closed */
void client_send_text(int fd, const char *text);
/* One answer; head_only for HEAD. False: the connection ended before a whole one. */
bool client_read(int fd, bool head_only, struct answer *ret);
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
void client_expect(int fd, int status, const char *body);    /* the next answer is this; body NULL: any */
bool client_at_end(int fd);                                  /* nothing more comes: FIN, not a reset */
void answer_clear(struct answer *answer);
bool answer_has(struct answer *answer, const char *text);    /* in its head */
int client_ask(const struct site *site, const char *text);   /* connect, send, status, close */
long process_rss_kb(void);
size_t process_fds(void);

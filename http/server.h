/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.1 (and 1.0) server: our own strict reader, each limit apart, absolute deadlines. A handler gets a whole
   request on the loop thread and answers at once or from a worker. */
#pragma once
#include "base/auto.h"
#include "base/network.h"

struct loop;
struct tls_server;

struct http_limits {                                         /* settings; see spec scep.md. 0 is not a default: set all */
    size_t url_bytes;                                        /* request target: above, 414 */
    size_t query_bytes;                                      /* after '?': above, 414 */
    size_t field_bytes;                                      /* one header line: above, 431 */
    size_t fields;                                           /* header lines: above, 431 */
    size_t head_bytes;                                       /* request line and headers: above, 431 */
    size_t body_bytes;                                       /* Content-Length: above, 413 */
    bool changes;                                            /* PUT, PATCH and DELETE are served, too: else they get 405 */
    int request_ms;                                          /* from a request's first byte to its last: then 408, close */
    int idle_ms;                                             /* keep-alive with nothing asked: close */
    int write_ms;                                            /* to take the answer: then close */
    int handshake_ms;                                        /* TLS */
    size_t min_rate;                                         /* bytes a second that a request or an answer must move on
                                                                average, once min_rate_after_ms are over; 0: any */
    int min_rate_after_ms;
    size_t connections;                                      /* above: the one that is silent longest gives way */
    size_t connections_per_address;                          /* above: 503 with Retry-After, close */
};
enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

struct http_request {                                        /* whole and checked; views live until http_respond */
    enum http_method method;
    struct bytes target, path, query;                        /* raw; path still percent-encoded, query without '?' */
    bool has_query;
    struct bytes body;
    struct bytes user_agent, referer;
    const char *peer;                                        /* the client's address as text (net/listener.h) */
    int peer_port;                                           /* 0 when a proxy named the client */
    struct address address;                                  /* the same as a value: who it is that limits count */
    const char *local; int local_port;
    bool tls;
    struct bytes client_cert;                                /* DER, verified (net/tls.h); empty: none that counts */
    const char *client_refusal;                              /* why the one that came does not count; NULL: none came */
    int64_t started_us;                                      /* clock_mono_us at the first byte */
};
struct http_exchange;                                        /* one request and its answer */
const struct http_request *http_request(const struct http_exchange *exchange);
/* A header's value by lower-case name; false if absent. */
bool http_header(const struct http_exchange *exchange, const char *name, struct bytes *ret);
/* How many lines of it there are, for headers of which a second one would be somebody else's; *ret is the first one's value. */
size_t http_header_lines(const struct http_exchange *exchange, const char *name, struct bytes *ret);

struct http_answer {
    int status;
    const char *content_type;                                /* literally as given, no charset added; NULL: none */
    struct bytes body;
    const char *extra_headers;                               /* "Retry-After: 5\r\n…" or NULL */
    const char *log_note;                                    /* appended to the access-log line's query ("txid=…"); NULL: none */
    unsigned substatus, win32_status;                        /* access log: sc-substatus, sc-win32-status */
    int64_t not_before_us;                                   /* hold the answer until clock_mono_us reaches this; 0: at once */
    /* NULL: everything above is copied. Otherwise body, content_type, extra_headers and log_note stay as they are until this is
       called, once, from any thread: for what is large, or asked for often. */
    void (*release)(void *arg); void *release_arg;
};
/* From any thread, exactly once per exchange; the exchange is gone afterwards (also when the peer has left). A status
   from 400 up without body and content_type gets a plain page; 500 always an id that its log line and page share. */
void http_respond(struct http_exchange *exchange, const struct http_answer *answer);

typedef void (*http_handler)(struct http_exchange *exchange, void *arg);   /* on the loop thread; must not block */
struct access_log;
struct proxies;
struct http_server;
struct http_server_config {
    struct loop *loop;
    struct http_limits limits;
    const struct proxies *proxies;                           /* must outlive the server; NULL: nobody is trusted */
    http_handler handler; void *handler_arg;
    struct access_log *log;                                  /* NULL: none */
};
NODISCARD enum err http_server_new(const struct http_server_config *config, struct http_server **ret, struct why *why);
/* Takes fd, also when it fails. tls NULL: plain; it must outlive the server. Several listeners per server. */
NODISCARD enum err http_server_listen(struct http_server *server, int fd, struct tls_server *tls, struct why *why);
/* No new connections or requests; `done` runs on the loop thread when the last answer is out or after ms. */
void http_server_drain(struct http_server *server, int ms, void (*done)(void *arg), void *arg);
/* Cuts every connection. Exchanges still with workers stay good and are answered into the void: end the workers before
   the loop is freed. */
void http_server_free(struct http_server *server);
AUTO_DECLARE(http_server)

/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer. It outlives its connection and its server while a worker has it. */
#include "http/internal.h"

#include "net/tls.h"

static void on_deliver(void *arg);

static void on_hold(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    on_deliver(arg);
}

/* Of a head that was not read whole, the proxy's own line may be what is missing. */
static void client_fill(struct http_exchange *exchange, const struct connection *connection)
{
    struct http_request *request = &exchange->request;
    memcpy(exchange->peer, connection->peer, sizeof(exchange->peer));
    request->peer = exchange->peer;
    request->peer_port = connection->peer_port;
    request->address = connection->address;
    if (!connection->is_proxy)
        return;
    const struct proxies *proxies = connection->server->proxies;
    AUTO_BUF list = { 0 };
    http_reader_list(exchange->reader, proxies_header(proxies), &list);
    request->address = proxies_client(proxies, &connection->address, buf_bytes(&list));
    if (address_equal(&request->address, &connection->address))
        return;
    address_format(&request->address, exchange->peer);
    request->peer_port = 0;
}

static void request_fill(struct http_exchange *exchange, const struct connection *connection)
{
    struct http_request *request = &exchange->request;
    http_reader_request(exchange->reader, request);
    client_fill(exchange, connection);
    memcpy(exchange->local, connection->local, sizeof(exchange->local));
    struct bytes method = http_reader_method(exchange->reader);
    snprintf(exchange->method, sizeof(exchange->method), "%.*s", (int)method.len,
             method.len ? (const char *)method.data : "");
    request->local = exchange->local;
    request->local_port = connection->local_port;
    request->tls = connection->stream.ssl != NULL;
    if (request->tls &&
        tls_session_client_cert(connection->stream.ssl, &exchange->client_cert, &request->client_refusal))
        request->client_cert = buf_bytes(&exchange->client_cert);
    request->started_us = connection->started_us;
}

struct http_exchange *exchange_new(struct connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = xcalloc(1, sizeof(*exchange));
    exchange->server = server;
    exchange->connection = connection;
    exchange->loop = server->loop;
    exchange->loop_thread = pthread_self();
    exchange->reader = TAKE(connection->reader);
    exchange->is_1_0 = http_reader_is_1_0(exchange->reader);
    exchange->keep_alive = http_reader_keep_alive(exchange->reader);
    evtimer_assign(&exchange->hold, loop_base(server->loop), on_hold, exchange);
    request_fill(exchange, connection);
    exchange->next = server->exchanges;
    exchange->link = &server->exchanges;
    if (exchange->next)
        exchange->next->link = &exchange->next;
    server->exchanges = exchange;
    connection->exchange = exchange;
    return exchange;
}

bool exchange_enter(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->count =
        peers_enter(server->peers, &exchange->request.address, server->limits.connections_per_address);
    return exchange->count != NULL;
}

static void exchange_free(struct http_exchange *exchange)
{
    if (exchange->server) {
        peers_leave(exchange->server->peers, exchange->count);
        *exchange->link = exchange->next;
        if (exchange->next)
            exchange->next->link = exchange->link;
        evtimer_del(&exchange->hold);
    }
    http_reader_free(exchange->reader);
    if (exchange->answer.release)
        exchange->answer.release(exchange->answer.release_arg);
    buf_free(&exchange->body);
    buf_free(&exchange->client_cert);
    free(exchange->content_type);
    free(exchange->extra_headers);
    free(exchange->log_note);
    free(exchange);
}

static char *text_dup(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

void exchange_set_answer(struct http_exchange *exchange, const struct http_answer *answer)
{
    exchange->answer = *answer;
    if (answer->release)
        return;
    exchange->body = buf_dup(answer->body);
    exchange->content_type = text_dup(answer->content_type);
    exchange->extra_headers = text_dup(answer->extra_headers);
    exchange->log_note = text_dup(answer->log_note);
    exchange->answer.body = buf_bytes(&exchange->body);
    exchange->answer.content_type = exchange->content_type;
    exchange->answer.extra_headers = exchange->extra_headers;
    exchange->answer.log_note = exchange->log_note;
}

void http_respond(struct http_exchange *exchange, const struct http_answer *answer)
{
    if (atomic_exchange(&exchange->answered, true))
        die("a request was answered twice, the second time with %d", answer->status);
    exchange_set_answer(exchange, answer);
    /* Inside the handler the connection goes on by itself when the handler returns. */
    if (pthread_equal(pthread_self(), exchange->loop_thread) && exchange->in_handler) {
        exchange->answered_inline = true;
        return;
    }
    loop_post(exchange->loop, on_deliver, exchange);
}

bool exchange_hold(struct http_exchange *exchange)
{
    int64_t early_us = exchange->answer.not_before_us - clock_mono_us();
    if (early_us <= 0)
        return false;
    const struct timeval wait = { .tv_sec = early_us / 1000000, .tv_usec = early_us % 1000000 };
    evtimer_add(&exchange->hold, &wait);
    return true;
}

static void on_deliver(void *arg)
{
    struct http_exchange *exchange = arg;
    if (!exchange->connection)
        exchange_finish(exchange, 0, WIN32_NETNAME_DELETED);
    else if (!exchange_hold(exchange))
        connection_answer(exchange->connection);
}

void exchange_finish(struct http_exchange *exchange, size_t sent_bytes, unsigned win32_status)
{
    if (exchange->server && exchange->server->log) {
        struct http_answer answer = exchange->answer;
        if (win32_status)
            answer.win32_status = win32_status;
        const struct access_entry entry = { .request = &exchange->request,
                                            .answer = &answer,
                                            .sent_bytes = sent_bytes,
                                            .method_text = exchange->method,
                                            .finished_us = clock_mono_us() };
        access_log_write(exchange->server->log, &entry);
    }
    if (exchange->connection) {
        exchange->connection->exchange = NULL;
        exchange->connection->reader = TAKE(exchange->reader);
        http_reader_reset(exchange->connection->reader);
    }
    exchange_free(exchange);
}

void exchange_orphan(struct http_exchange *exchange)
{
    exchange->connection = NULL;
}

/* An answer that waits for its time or for the loop is ours to free; otherwise a worker still holds the
   exchange, and its answer will. */
void exchange_abandon(struct http_exchange *exchange)
{
    exchange->connection = NULL;
    bool is_ours = evtimer_pending(&exchange->hold, NULL) || loop_forget(exchange->loop, exchange) > 0;
    if (is_ours) {
        exchange_free(exchange);
        return;
    }
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
    peers_leave(exchange->server->peers, exchange->count);
    exchange->server = NULL;
}

const struct http_request *http_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

bool http_header(const struct http_exchange *exchange, const char *name, struct bytes *ret)
{
    return http_reader_header(exchange->reader, name, ret);
}

size_t http_header_lines(const struct http_exchange *exchange, const char *name, struct bytes *ret)
{
    return http_reader_lines(exchange->reader, name, ret);
}

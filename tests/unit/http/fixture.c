/* SPDX-License-Identifier: Apache-2.0 */
/* The test server and client. */
#include "tests/unit/http/fixture.h"

#include "base/file.h"
#include "http/date.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define LARGE_BYTES (4u << 20)

void site_setup(struct site *site)
{
    *site = (struct site){ .limits = { .url_bytes = 65534,
                                       .query_bytes = 65534,
                                       .field_bytes = 16384,
                                       .fields = 64,
                                       .head_bytes = 65534 + 16384,
                                       .body_bytes = 65536,
                                       .request_ms = 60000,
                                       .idle_ms = 60000,
                                       .write_ms = 60000,
                                       .handshake_ms = 60000,
                                       .connections = 1000,
                                       .connections_per_address = 1000 } };
    site->clock = clock_held_at(1502223736); /* 2017-08-08 20:22:16, as in the guide */
    snprintf(site->dir, sizeof(site->dir), "/tmp/chancery-http-XXXXXX");
    assert_non_null(mkdtemp(site->dir));
    site->log_path = xasprintf("%s/access.log", site->dir);
}

static void echo(struct http_exchange *exchange)
{
    static const char *const names[] = { "GET", "HEAD", "POST" };
    const struct http_request *request = http_request(exchange);
    AUTO_BUF body = { 0 };
    buf_printf(&body, "%s %.*s %.*s %zu\n", names[request->method], (int)request->path.len,
               (const char *)request->path.data, (int)request->query.len,
               request->query.len ? (const char *)request->query.data : "", request->body.len);
    const struct http_answer answer = { .status = 200,
                                        .content_type = "text/plain",
                                        .body = buf_bytes(&body) };
    http_respond(exchange, &answer);
}

struct work {
    struct site *site;
    struct http_exchange *exchange;
    bool gated;
};

static void worker(void *arg, struct pool_place *place)
{
    (void)place;
    struct work work = *(struct work *)arg;
    free(arg);
    if (work.gated) {
        atomic_fetch_add(&work.site->at_gate, 1);
        while (sem_wait(&work.site->gate) != 0 && errno == EINTR)
            continue;
    }
    echo(work.exchange);
}

static void submit(struct site *site, struct http_exchange *exchange, bool gated)
{
    struct work *work = xcalloc(1, sizeof(*work));
    *work = (struct work){ site, exchange, gated };
    if (pool_submit(site->pool, worker, work))
        return;
    free(work);
    const struct http_answer busy = { .status = 503, .extra_headers = "Retry-After: 5\r\n" };
    http_respond(exchange, &busy);
}

static void lent_release(void *arg)
{
    struct site *site = arg;
    atomic_fetch_sub(&site->lent, 1);
}

static void respond_large(struct http_exchange *exchange)
{
    AUTO_BUF body = { 0 };
    buf_reserve(&body, LARGE_BYTES);
    memset(body.data, 'x', LARGE_BYTES);
    body.len = LARGE_BYTES;
    const struct http_answer answer = { .status = 200,
                                        .content_type = "application/pkix-crl",
                                        .body = buf_bytes(&body) };
    http_respond(exchange, &answer);
}

/* 304 for who has it, as a cache does. */
static void respond_lent(struct site *site, struct http_exchange *exchange)
{
    static const struct bytes etag = BYTES_LIT("\"AB\"");
    struct http_answer lent = {
        .status = 304, .extra_headers = "ETag: \"AB\"\r\n", .release = lent_release, .release_arg = site
    };
    atomic_fetch_add(&site->lent, 1);
    if (!http_client_has_it(exchange, etag, 784111777)) {
        lent.status = 200;
        lent.content_type = "text/plain";
        lent.body = BYTES_LIT("lent\n");
    }
    http_respond(exchange, &lent);
}

static bool path_is(struct http_exchange *exchange, const char *path)
{
    return bytes_equal(http_request(exchange)->path, bytes_str(path));
}

static void handler(struct http_exchange *exchange, void *arg)
{
    struct site *site = arg;
    atomic_fetch_add(&site->handled, 1);
    if (path_is(exchange, "/worker")) {
        submit(site, exchange, false);
    } else if (path_is(exchange, "/gate")) {
        submit(site, exchange, true);
    } else if (path_is(exchange, "/who")) {
        const struct http_answer who = { .status = 200,
                                         .content_type = "application/pkix-cert",
                                         .body = http_request(exchange)->client_cert };
        http_respond(exchange, &who);
    } else if (path_is(exchange, "/why")) {
        const char *refusal = http_request(exchange)->client_refusal;
        http_respond(exchange, &(struct http_answer){ .status = 200, .body = bytes_str(refusal) });
    } else if (path_is(exchange, "/large")) {
        respond_large(exchange);
    } else if (path_is(exchange, "/held")) {
        const struct http_answer held = { .status = 200,
                                          .content_type = "text/plain",
                                          .body = BYTES_LIT("held\n"),
                                          .not_before_us = clock_mono_us() + 300000 };
        http_respond(exchange, &held);
    } else if (path_is(exchange, "/lent")) {
        respond_lent(site, exchange);
    } else if (path_is(exchange, "/500")) {
        http_respond(exchange, &(struct http_answer){ .status = 500 });
    } else if (path_is(exchange, "/503")) {
        http_respond(exchange, &(struct http_answer){ .status = 503, .extra_headers = "Retry-After: 7\r\n" });
    } else if (path_is(exchange, "/note")) {
        http_respond(exchange,
                     &(struct http_answer){
                         .status = 403, .log_note = "txid=AB 1\n2", .substatus = 4, .win32_status = 1346 });
    } else {
        echo(exchange);
    }
}

static void *loop_thread(void *arg)
{
    loop_run(arg);
    return NULL;
}

void site_start(struct site *site)
{
    struct why why;
    int fd;
    sem_init(&site->gate, 0, 0);
    ASSERT_OK(loop_new(&site->loop, &why), &why);
    ASSERT_OK(pool_new(&(struct pool_config){ .threads = 4, .queue = 400 }, &site->pool, &why), &why);
    const struct access_log_config log = { .path = site->log_path, .clock = &site->clock, .sc_bytes = true };
    if (site->with_log)
        ASSERT_OK(access_log_open(&log, &site->log, &why), &why);
    const struct http_server_config config = { .loop = site->loop,
                                               .limits = site->limits,
                                               .proxies = site->proxies,
                                               .handler = handler,
                                               .handler_arg = site,
                                               .log = site->log };
    ASSERT_OK(http_server_new(&config, &site->server, &why), &why);
    ASSERT_OK(listen_tcp("127.0.0.1:0", &fd, &why), &why);
    ASSERT_OK(socket_port(fd, &site->port, &why), &why);
    ASSERT_OK(http_server_listen(site->server, fd, site->tls, &why), &why);
    assert_int_equal(0, pthread_create(&site->thread, NULL, loop_thread, site->loop));
}

void site_stop(struct site *site)
{
    for (int i = 0; i < 1000; i++)
        sem_post(&site->gate);
    loop_stop(site->loop);
    pthread_join(site->thread, NULL);
    pool_free(site->pool);
    http_server_free(site->server);
    access_log_free(site->log);
    tls_server_free(site->tls);
    proxies_free(site->proxies);
    loop_free(site->loop);
    sem_destroy(&site->gate);
    AUTO_STR command = xasprintf("rm -r %s", site->dir);
    assert_int_equal(0, system(command));
    free(site->log_path);
}

/* How many lines; *ret_lines gets them. */
static size_t log_read(struct site *site, struct buf *ret_lines)
{
    AUTO_BUF all = { 0 };
    struct why why;
    size_t count = 0;
    ASSERT_OK(file_read(site->log_path, 1 << 20, &all, &why), &why);
    const char *at = buf_text(&all);
    while (*at) {
        size_t len = strcspn(at, "\n");
        len += at[len] == '\n';
        if (*at != '#') {
            buf_append(ret_lines, bytes_of(at, len));
            count += at[len - 1] == '\n';
        }
        at += len;
    }
    return count;
}

char *site_log(struct site *site, size_t lines)
{
    AUTO_BUF text = { 0 };
    while (log_read(site, &text) < lines) {
        buf_clear(&text);
        usleep(5000);
    }
    return xstrdup(buf_text(&text));
}

int client_connect(const struct site *site)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)site->port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(0, connect(fd, (const struct sockaddr *)&to, sizeof(to)));
    const struct timeval patience = { .tv_sec = test_patience_s() };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

bool client_send(int fd, struct bytes data)
{
    while (data.len) {
        ssize_t sent = send(fd, data.data, data.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        data = bytes_of(data.data + sent, data.len - (size_t)sent);
    }
    return true;
}

void client_send_text(int fd, const char *text)
{
    assert_true(client_send(fd, bytes_str(text)));
}

void answer_clear(struct answer *answer)
{
    buf_free(&answer->head);
    buf_free(&answer->body);
    *answer = (struct answer){ 0 };
}

bool answer_has(struct answer *answer, const char *text)
{
    return strstr(buf_text(&answer->head), text) != NULL;
}

static bool read_byte(int fd, struct buf *to)
{
    uint8_t byte;
    if (recv(fd, &byte, 1, 0) != 1)
        return false;
    buf_append_byte(to, byte);
    return true;
}

bool client_read(int fd, bool head_only, struct answer *ret)
{
    answer_clear(ret);
    while (ret->head.len < 4 || memcmp(ret->head.data + ret->head.len - 4, "\r\n\r\n", 4) != 0) {
        if (!read_byte(fd, &ret->head))
            return false;
    }
    const char *head = buf_text(&ret->head);
    assert_int_equal(1, sscanf(head, "HTTP/1.1 %d ", &ret->status));
    ret->closed = strstr(head, "Connection: close\r\n") != NULL;
    const char *length = strstr(head, "Content-Length: ");
    size_t left = length && !head_only ? strtoul(length + 16, NULL, 10) : 0;
    buf_reserve(&ret->body, left + 1);
    while (left) {
        ssize_t got = recv(fd, ret->body.data + ret->body.len, left, 0);
        if (got <= 0)
            return false;
        ret->body.len += (size_t)got;
        left -= (size_t)got;
    }
    return true;
}

void client_expect(int fd, int status, const char *body)
{
    struct answer answer = { 0 };
    assert_true(client_read(fd, false, &answer));
    assert_int_equal(status, answer.status);
    if (body)
        assert_string_equal(body, buf_text(&answer.body));
    answer_clear(&answer);
}

bool client_at_end(int fd)
{
    uint8_t byte;
    return recv(fd, &byte, 1, 0) == 0;
}

int client_ask(const struct site *site, const char *text)
{
    int fd = client_connect(site);
    struct answer answer = { 0 };
    client_send_text(fd, text);
    int status = client_read(fd, false, &answer) ? answer.status : 0;
    answer_clear(&answer);
    close(fd);
    return status;
}

long process_rss_kb(void)
{
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    assert_non_null(statm);
    assert_int_equal(1, fscanf(statm, "%*s %ld", &pages));
    fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

size_t process_fds(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment over HTTP: loop, workers, access log; overload, reload in mid-request, and the held refusal. */
#include "base/file.h"
#include "http/access_log.h"
#include "http/proxies.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/pool.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct front {
    struct site *site;
    struct loop *loop;
    struct pool *pool;
    struct http_server *server;
    struct access_log *log;
    pthread_t thread;
    int port;
    char dir[64];
    char *log_path;
};

static void *loop_thread(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void front_start_with(struct front *front, const struct pool_config *pool,
                             const struct proxies *proxies)
{
    static const struct http_limits limits = { .url_bytes = 65534,
                                               .query_bytes = 65534,
                                               .field_bytes = 16384,
                                               .fields = 100,
                                               .head_bytes = 81918,
                                               .body_bytes = 65536,
                                               .request_ms = 60000,
                                               .idle_ms = 60000,
                                               .write_ms = 60000,
                                               .handshake_ms = 60000,
                                               .connections = 1000,
                                               .connections_per_address = 1000 };
    struct why why = { 0 };
    int fd = -1;
    *front = (struct front){ .site = site_new(&(struct site_options){ 0 }) };
    snprintf(front->dir, sizeof(front->dir), "/tmp/chancery-front-XXXXXX");
    assert_non_null(mkdtemp(front->dir));
    front->log_path = xasprintf("%s/access.log", front->dir);
    ASSERT_OK(loop_new(&front->loop, &why), &why);
    ASSERT_OK(pool_new(pool, &front->pool, &why), &why);
    front->site->scep->pool = front->pool;
    struct access_log_config log = { .path = front->log_path, .clock = &front->site->clock };
    ASSERT_OK(access_log_open(&log, &front->log, &why), &why);
    struct http_server_config config = { .loop = front->loop,
                                         .limits = limits,
                                         .proxies = proxies,
                                         .handler = operation_handle,
                                         .handler_arg = front->site->scep,
                                         .log = front->log };
    ASSERT_OK(http_server_new(&config, &front->server, &why), &why);
    ASSERT_OK(listen_tcp("127.0.0.1:0", &fd, &why), &why);
    ASSERT_OK(socket_port(fd, &front->port, &why), &why);
    ASSERT_OK(http_server_listen(front->server, fd, NULL, &why), &why);
    assert_int_equal(pthread_create(&front->thread, NULL, loop_thread, front->loop), 0);
}

static void front_start(struct front *front, unsigned threads, size_t queue)
{
    front_start_with(front, &(struct pool_config){ .threads = threads, .queue = queue }, NULL);
}

static void front_stop(struct front *front)
{
    loop_stop(front->loop);
    pthread_join(front->thread, NULL);
    pool_free(front->pool);
    http_server_free(front->server);
    access_log_free(front->log);
    loop_free(front->loop);
    AUTO_STR command = xasprintf("rm -rf '%s'", front->dir);
    assert_int_equal(system(command), 0);
    free(front->log_path);
}

static int send_request(const struct front *front, const char *head, struct bytes body)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)front->port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_true(write_all(fd, bytes_str(head)));
    if (body.len)
        assert_true(write_all(fd, body));
    return fd;
}

/* The connection is closed by the server (Connection: close): everything until then. */
static int read_answer(int fd, struct buf *ret_head, struct buf *ret_body)
{
    AUTO_BUF all = { 0 };
    uint8_t piece[4096];
    for (ssize_t got; (got = read(fd, piece, sizeof(piece))) > 0;)
        buf_append(&all, bytes_of(piece, (size_t)got));
    close(fd);
    uint8_t *end = memmem(all.data, all.len, "\r\n\r\n", 4);
    assert_non_null(end);
    size_t head = (size_t)(end - all.data) + 4;
    buf_append(ret_head, bytes_of(all.data, head));
    buf_append(ret_body, bytes_of(all.data + head, all.len - head));
    int status = 0;
    assert_int_equal(sscanf(buf_text(ret_head), "HTTP/1.1 %d", &status), 1);
    return status;
}

/* client NULL: nobody between us */
static int post_as(const struct front *front, const char *client, struct bytes message)
{
    char head[512];
    snprintf(head, sizeof(head),
             "POST /certsrv/mscep/mscep.dll/pkiclient.exe?operation=PKIOperation HTTP/1.1\r\n"
             "Host: ndes\r\nContent-Length: %zu\r\nConnection: close\r\n%s%s%s\r\n",
             message.len, client ? "X-Forwarded-For: " : "", client ? client : "", client ? "\r\n" : "");
    return send_request(front, head, message);
}

static int post(const struct front *front, struct bytes message)
{
    return post_as(front, NULL, message);
}

static void expect_later(int fd, int status)
{
    AUTO_BUF head = { 0 }, body = { 0 };
    assert_int_equal(read_answer(fd, &head, &body), status);
    assert_non_null(strstr(buf_text(&head), "\r\nRetry-After: "));
}

static void expect_certificate(struct front *front, int fd)
{
    AUTO_BUF head = { 0 }, body = { 0 };
    assert_int_equal(read_answer(fd, &head, &body), 200);
    assert_non_null(strstr(buf_text(&head), "\r\nContent-Type: application/x-pki-message\r\n"));
    struct reply reply;
    reply_read(front->site, &front->site->device, buf_bytes(&body), &reply);
    assert_string_equal(reply.status, "0");
    assert_int_equal(openssl_cert_count(buf_bytes(&reply.payload)), 1);
    reply_free(&reply);
}

static void wait_for_log(const struct front *front, const char *text)
{
    for (;;) {
        AUTO_BUF log = { 0 };
        struct why why = { 0 };
        ASSERT_OK(file_read(front->log_path, 1 << 20, &log, &why), &why);
        if (strstr(buf_text(&log), text))
            return;
        usleep(5000);
    }
}

TEST(a_device_enrols_by_post_and_the_access_log_has_its_transaction)
{
    struct front front;
    front_start(&front, 2, 8);
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ .transaction = "A1B2C3" }, &message);
    expect_certificate(&front, post(&front, buf_bytes(&message)));
    wait_for_log(&front, "txid=A1B2C3");
    front_stop(&front);
}

TEST(a_device_enrols_by_get_over_http_1_0_without_host)
{
    struct front front;
    front_start(&front, 2, 8);
    AUTO_BUF message = { 0 }, base64 = { 0 }, head = { 0 };
    device_write(front.site, &(struct device_message){ 0 }, &message);
    base64_append(&base64, buf_bytes(&message));
    buf_printf(&head, "GET /scep?operation=PKIOperation&message=%s HTTP/1.0\r\n\r\n", buf_text(&base64));
    expect_certificate(&front, send_request(&front, buf_text(&head), BYTES_NONE));
    front_stop(&front);
}

TEST(capabilities_have_no_charset)
{
    struct front front;
    front_start(&front, 1, 1);
    AUTO_BUF head = { 0 }, body = { 0 };
    int fd = send_request(&front,
                          "GET /scep/?operation=GetCACaps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                          BYTES_NONE);
    assert_int_equal(read_answer(fd, &head, &body), 200);
    assert_non_null(strstr(buf_text(&head), "\r\nContent-Type: text/plain\r\n"));
    ASSERT_BYTES(buf_bytes(&body), buf_bytes(&front.site->endpoint->caps));
    front_stop(&front);
}

TEST(a_message_that_is_none_gets_400)
{
    struct front front;
    front_start(&front, 1, 1);
    AUTO_BUF head = { 0 }, body = { 0 };
    assert_int_equal(read_answer(post(&front, BYTES_LIT("nonsense")), &head, &body), 400);
    AUTO_BUF get_head = { 0 }, get_body = { 0 };
    int fd =
        send_request(&front, "GET /scep?operation=PKIOperation&message=a_-b HTTP/1.0\r\n\r\n", BYTES_NONE);
    assert_int_equal(read_answer(fd, &get_head, &get_body), 400);
    front_stop(&front);
}

/* The lower bound is a promise; nothing is said about how much later. */
TEST(a_bad_envelope_is_answered_at_its_time_and_not_before)
{
    struct front front;
    front_start(&front, 1, 1);
    AUTO_BUF message = { 0 }, head = { 0 }, body = { 0 };
    device_write(front.site, &(struct device_message){ .content = BYTES_LIT("rubbish") }, &message);
    int64_t before = clock_mono_us();
    assert_int_equal(read_answer(post(&front, buf_bytes(&message)), &head, &body), 200);
    assert_true(clock_mono_us() - before >= REFUSAL_HOLD_US);
    front_stop(&front);
}

static void wait_for_calls(const struct front *front, unsigned calls)
{
    while (atomic_load(&front->site->fake.calls) < calls)
        usleep(1000);
}

TEST(a_full_queue_of_ca_is_503_with_retry_after)
{
    struct front front;
    AUTO_BUF message = { 0 };
    front_start(&front, 1, 1);
    device_write(front.site, &(struct device_message){ 0 }, &message);
    front.site->fake.mode = FAKE_FAIL;
    front.site->fake.err = ERR_BUSY;
    expect_later(post(&front, buf_bytes(&message)), 503);
    front.site->fake.mode = FAKE_ISSUE;
    expect_certificate(&front, post(&front, buf_bytes(&message)));
    front_stop(&front);
}

TEST(a_full_queue_is_503_with_retry_after_and_those_inside_are_served)
{
    struct front front;
    sem_t gate;
    sem_init(&gate, 0, 0);
    front_start(&front, 1, 1);
    front.site->fake.gate = &gate;
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ 0 }, &message);
    int first = post(&front, buf_bytes(&message));
    wait_for_calls(&front, 1); /* the one worker is busy */
    int others[3];
    for (int i = 0; i < 3; i++)
        others[i] = post(&front, buf_bytes(&message));
    while (atomic_load(&front.site->scep->counters.unavailable) < 2)
        usleep(1000); /* one waits in the queue, two are turned away */
    for (int i = 0; i < 4; i++)
        sem_post(&gate);
    expect_certificate(&front, first);
    int served = 0, turned_away = 0;
    for (int i = 0; i < 3; i++) {
        AUTO_BUF h = { 0 }, b = { 0 };
        int status = read_answer(others[i], &h, &b);
        served += status == 200;
        turned_away += status == 503 && strstr(buf_text(&h), "\r\nRetry-After: ") != NULL;
    }
    assert_int_equal(served, 1);
    assert_int_equal(turned_away, 2);
    front_stop(&front);
    sem_destroy(&gate);
}

/* The worker is held by the first of them until the gate opens. */
static int busy_begin(struct front *front, sem_t *gate, const char *client, struct bytes message)
{
    sem_init(gate, 0, 0);
    front->site->fake.gate = gate;
    int fd = post_as(front, client, message);
    wait_for_calls(front, 1);
    return fd;
}

TEST(who_waits_too_long_for_a_worker_is_told_later)
{
    struct front front;
    sem_t gate;
    front_start_with(&front, &(struct pool_config){ .threads = 1, .queue = 4, .wait_ms = 100 }, NULL);
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ 0 }, &message);
    int first = busy_begin(&front, &gate, NULL, buf_bytes(&message));
    int late = post(&front, buf_bytes(&message));
    usleep(200000);
    sem_post(&gate);
    expect_certificate(&front, first);
    expect_later(late, 503);
    assert_int_equal(atomic_load(&front.site->fake.calls), 1); /* no work was done for it */
    sem_post(&gate);
    expect_certificate(&front, post(&front, buf_bytes(&message)));
    front_stop(&front);
    sem_destroy(&gate);
}

TEST(one_address_cannot_fill_the_queue_for_another)
{
    struct front front;
    sem_t gate;
    struct why why;
    AUTO(proxies) proxies = NULL;
    ASSERT_OK(proxies_new((const char *const[]){ "127.0.0.1" }, 1, PROXY_X_FORWARDED_FOR, &proxies, &why),
              &why);
    front_start_with(&front, &(struct pool_config){ .threads = 1, .queue = 2 }, proxies);
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ 0 }, &message);
    int first = busy_begin(&front, &gate, "192.0.2.1", buf_bytes(&message));
    int greedy[2];
    for (int i = 0; i < 2; i++) {
        greedy[i] = post_as(&front, "192.0.2.1", buf_bytes(&message));
        usleep(50000);
    }
    int modest = post_as(&front, "192.0.2.2", buf_bytes(&message));
    expect_later(greedy[0], 503); /* at once: the worker still stands */
    for (int i = 0; i < 3; i++)
        sem_post(&gate);
    expect_certificate(&front, first);
    expect_certificate(&front, modest);
    expect_certificate(&front, greedy[1]);
    front_stop(&front);
    sem_destroy(&gate);
}

TEST(an_address_past_its_budget_is_refused_before_a_worker_is_asked)
{
    struct front front;
    sem_t gate;
    front_start(&front, 1, 1);
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ 0 }, &message);
    int first = busy_begin(&front, &gate, NULL, buf_bytes(&message));
    for (int i = 0; i < BUDGET_PER_ADDRESS; i++)
        budget_spend(front.site->scep->budget, "127.0.0.1", clock_mono_ms());
    expect_later(post(&front, buf_bytes(&message)), 429);
    sem_post(&gate);
    expect_certificate(&front, first); /* its decryption had begun */
    front_stop(&front);
    sem_destroy(&gate);
}

TEST(refusals_of_an_address_are_logged_up_to_its_lines_and_others_still)
{
    struct site *site = site_new(&(struct site_options){ 0 });
    site->scep->refusal_lines = 3;
    for (int i = 0; i < 3; i++)
        assert_true(scep_may_log(site->scep, "192.0.2.1"));
    for (int i = 0; i < 100; i++) /* however many there are of it */
        assert_false(scep_may_log(site->scep, "192.0.2.1"));
    assert_true(scep_may_log(site->scep, "192.0.2.2"));
}

TEST(refusals_of_many_addresses_are_logged_up_to_ten_times_the_lines)
{
    struct site *site = site_new(&(struct site_options){ 0 });
    char peer[32];
    site->scep->refusal_lines = 3;
    for (int i = 0; i < 3 * REFUSAL_LINES_ALL; i++) {
        snprintf(peer, sizeof(peer), "192.0.2.%d", i);
        assert_true(scep_may_log(site->scep, peer));
    }
    assert_false(scep_may_log(site->scep, "192.0.2.200"));
    site->scep->lines_since_ms -= REFUSAL_LINES_WINDOW_MS;
    assert_true(scep_may_log(site->scep, "192.0.2.200"));
}

TEST(a_reload_in_mid_request_lets_it_finish_with_what_it_began)
{
    struct front front;
    sem_t gate;
    sem_init(&gate, 0, 0);
    front_start(&front, 1, 4);
    front.site->fake.gate = &gate;
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ .cipher = CIPHER_DES_EDE3_CBC }, &message);
    scep_endpoints_replace(front.site->scep,
                           site_endpoints(front.site, &(struct site_options){ .allow_3des = true }));
    int fd = post(&front, buf_bytes(&message));
    wait_for_calls(&front, 1);
    struct endpoint_set *strict = site_endpoints(front.site, &(struct site_options){ 0 });
    front.site->endpoint = endpoint_set_at(strict, 0);
    scep_endpoints_replace(front.site->scep, strict);
    sem_post(&gate);
    expect_certificate(&front, fd);
    AUTO_BUF head = { 0 }, body = { 0 };
    assert_int_equal(read_answer(post(&front, buf_bytes(&message)), &head, &body), 200);
    struct reply reply;
    reply_read(front.site, &front.site->device, buf_bytes(&body), &reply);
    assert_string_equal(reply.fail_info, "0");
    reply_free(&reply);
    front_stop(&front);
    sem_destroy(&gate);
}

TEST(a_device_that_leaves_does_no_harm)
{
    struct front front;
    sem_t gate;
    sem_init(&gate, 0, 0);
    front_start(&front, 1, 4);
    front.site->fake.gate = &gate;
    AUTO_BUF message = { 0 };
    device_write(front.site, &(struct device_message){ 0 }, &message);
    int fd = post(&front, buf_bytes(&message));
    wait_for_calls(&front, 1);
    close(fd);
    sem_post(&gate);
    sem_post(&gate);
    expect_certificate(&front, post(&front, buf_bytes(&message)));
    front_stop(&front);
    sem_destroy(&gate);
}

TEST(the_end)
{
    site_end();
}

RUN(T(a_device_enrols_by_post_and_the_access_log_has_its_transaction),
    T(a_device_enrols_by_get_over_http_1_0_without_host), T(capabilities_have_no_charset),
    T(a_message_that_is_none_gets_400), T(a_bad_envelope_is_answered_at_its_time_and_not_before),
    T(a_full_queue_of_ca_is_503_with_retry_after),
    T(a_full_queue_is_503_with_retry_after_and_those_inside_are_served),
    T(who_waits_too_long_for_a_worker_is_told_later), T(one_address_cannot_fill_the_queue_for_another),
    T(an_address_past_its_budget_is_refused_before_a_worker_is_asked),
    T(refusals_of_an_address_are_logged_up_to_its_lines_and_others_still),
    T(refusals_of_many_addresses_are_logged_up_to_ten_times_the_lines),
    T(a_reload_in_mid_request_lets_it_finish_with_what_it_began), T(a_device_that_leaves_does_no_harm),
    T(the_end))

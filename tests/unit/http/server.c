/* SPDX-License-Identifier: Apache-2.0 */
/* The server over real sockets: keep-alive, deadlines, caps, workers, the end. */
#include "tests/unit/http/fixture.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void begin(struct site *site)
{
    site_setup(site);
    site_start(site);
}

TEST(keep_alive_serves_many_requests_on_one_connection)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    for (int i = 0; i < 50; i++) {
        client_send_text(fd, i % 2 ? GET("/a?b=c") : GET("/worker"));
        client_expect(fd, 200, i % 2 ? "GET /a b=c 0\n" : "GET /worker  0\n");
    }
    close(fd);
    site_stop(&site);
}

TEST(pipelined_requests_are_answered_in_order)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    client_send_text(fd,
                     GET("/worker")
                         GET("/2") "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET("/held")
                             GET("/5"));
    client_expect(fd, 200, "GET /worker  0\n");
    client_expect(fd, 200, "GET /2  0\n");
    client_expect(fd, 200, "POST /3  3\n");
    client_expect(fd, 200, "held\n");
    client_expect(fd, 200, "GET /5  0\n");
    close(fd);
    site_stop(&site);
}

TEST(a_thousand_pipelined_requests_in_one_go)
{
    struct site site;
    begin(&site);
    AUTO_BUF all = { 0 };
    for (int i = 0; i < 1000; i++)
        buf_append_str(&all, GET("/x"));
    int fd = client_connect(&site);
    assert_true(client_send(fd, buf_bytes(&all)));
    for (int i = 0; i < 1000; i++)
        client_expect(fd, 200, "GET /x  0\n");
    close(fd);
    site_stop(&site);
}

TEST(head_has_the_length_but_no_body)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(fd, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" GET("/y"));
    assert_true(client_read(fd, true, &answer));
    assert_true(answer_has(&answer, "Content-Length: 11\r\n"));
    client_expect(fd, 200, "GET /y  0\n");
    answer_clear(&answer);
    close(fd);
    site_stop(&site);
}

TEST(answer_head_is_exact)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(fd, GET("/x"));
    assert_true(client_read(fd, false, &answer));
    char day[4], month[4];
    int numbers[5], end = 0;
    assert_int_equal(7,
                     sscanf(buf_text(&answer.head),
                            "HTTP/1.1 200 OK\r\nDate: %3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", day,
                            &numbers[0], month, &numbers[1], &numbers[2], &numbers[3], &numbers[4], &end));
    assert_string_equal("\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n",
                        buf_text(&answer.head) + end);
    assert_false(answer_has(&answer, "Server:"));
    client_send_text(fd, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(client_read(fd, false, &answer));
    assert_true(answer_has(&answer, "\r\nConnection: keep-alive\r\n"));
    client_send_text(fd, "GET /x HTTP/1.0\r\n\r\n");
    assert_true(client_read(fd, false, &answer));
    assert_true(answer.closed);
    assert_true(client_at_end(fd));
    answer_clear(&answer);
    close(fd);
    site_stop(&site);
}

TEST(continue_is_sent_before_the_body_and_only_when_asked)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(fd, "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(client_read(fd, true, &answer));
    assert_int_equal(100, answer.status);
    client_send_text(fd, "ab");
    client_expect(fd, 200, "POST /x  2\n");
    client_send_text(fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    client_send_text(fd, "ab");
    client_expect(fd, 200, "POST /x  2\n");
    answer_clear(&answer);
    close(fd);
    site_stop(&site);
}

TEST(too_large_a_body_is_refused_before_continue)
{
    struct site site;
    begin(&site);
    assert_int_equal(413, client_ask(&site, "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                            "Content-Length: 65537\r\n\r\n"));
    site_stop(&site);
}

/* The status arrives although the client is still sending; the connection ends without a reset up to 1 MB. */
TEST(refused_client_that_still_sends_sees_its_status)
{
    struct site site;
    begin(&site);
    AUTO_BUF body = { 0 };
    buf_reserve(&body, 900000);
    memset(body.data, 'b', 900000);
    body.len = 900000;
    int fd = client_connect(&site);
    client_send_text(fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n");
    assert_true(client_send(fd, buf_bytes(&body)));
    client_expect(fd, 413, NULL);
    assert_true(client_at_end(fd));
    close(fd);
    site_stop(&site);
}

TEST(gigabyte_announced_costs_no_memory)
{
    struct site site;
    begin(&site);
    assert_int_equal(200, client_ask(&site, GET("/warm")));
    long before = process_rss_kb();
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            413, client_ask(&site, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n"));
    assert_true(process_rss_kb() - before < 4096);
    site_stop(&site);
}

TEST(large_answers_arrive_whole_and_a_reader_who_stops_is_cut)
{
    struct site site;
    site_setup(&site);
    site.limits.write_ms = 500;
    site.with_log = true;
    site_start(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(fd, GET("/large"));
    assert_true(client_read(fd, false, &answer));
    assert_int_equal(4u << 20, answer.body.len);
    close(fd);
    fd = client_connect(&site);
    int small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    client_send_text(fd, GET("/large") GET("/large") GET("/large"));
    char *log = site_log(&site, 1);
    while (!strstr(log, " 200 0 121 ")) {
        free(log);
        usleep(20000);
        log = site_log(&site, 1);
    }
    free(log);
    answer_clear(&answer);
    close(fd);
    site_stop(&site);
}

TEST(two_hundred_connections_at_once)
{
    struct site site;
    begin(&site);
    size_t fds_before = process_fds();
    int fds[200];
    for (int i = 0; i < 200; i++) {
        fds[i] = client_connect(&site);
        client_send_text(fds[i], "POST /worker HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++)
            client_send_text(fds[i], "cde");
        for (int i = 0; i < 200; i++)
            client_expect(fds[i], 200, "POST /worker  5\n");
        for (int i = 0; i < 200; i++)
            client_send_text(fds[i], "POST /worker HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    }
    for (int i = 0; i < 200; i++)
        close(fds[i]);
    assert_int_equal(200, client_ask(&site, GET("/x")));
    while (process_fds() > fds_before)
        usleep(10000); /* every descriptor comes back */
    site_stop(&site);
}

TEST(answers_after_the_client_left_are_safe)
{
    struct site site;
    site_setup(&site);
    site.with_log = true;
    site_start(&site);
    for (int i = 0; i < 4; i++) {
        int fd = client_connect(&site);
        client_send_text(fd, GET("/gate"));
        while (atomic_load(&site.at_gate) <= i)
            usleep(1000);
        const struct linger reset = { .l_onoff = 1 };
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    for (int i = 0; i < 4; i++)
        sem_post(&site.gate);
    while (atomic_load(&site.handled) < 4)
        usleep(1000);
    assert_int_equal(200, client_ask(&site, GET("/after")));
    site_stop(&site);
}

/* site_stop opens the gate only after the loop has ended: the workers answer to a server that serves no more.
 */
TEST(answers_after_the_loop_ended_are_safe)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    client_send_text(fd, GET("/gate"));
    while (atomic_load(&site.at_gate) < 1)
        usleep(1000);
    loop_stop(site.loop);
    site_stop(&site);
    close(fd);
}

static void free_server(void *arg)
{
    struct site *site = arg;
    http_server_free(TAKE(site->server));
}

static void post_semaphore(void *arg)
{
    sem_post(arg);
}

/* Whoever stands in the gate answers now, and the loop has passed the answers. */
static void answers_await(struct site *site)
{
    sem_t passed;
    for (int i = 0; i < 100; i++)
        sem_post(&site->gate);
    pool_free(TAKE(site->pool));
    sem_init(&passed, 0, 0);
    loop_post(site->loop, post_semaphore, &passed);
    sem_wait(&passed);
}

TEST(answers_after_the_server_was_freed_are_safe)
{
    struct site site;
    begin(&site);
    int held = client_connect(&site), fd = client_connect(&site);
    client_send_text(held, GET("/held"));
    client_send_text(fd, GET("/gate"));
    while (atomic_load(&site.at_gate) < 1 || atomic_load(&site.handled) < 2)
        usleep(1000);
    loop_post(site.loop, free_server, &site);
    assert_true(client_at_end(fd));
    assert_true(client_at_end(held));
    answers_await(&site);
    site_stop(&site);
    close(fd);
    close(held);
}

struct drain {
    struct site *site;
    int ms;
    sem_t done;
};

static void drain_done(void *arg)
{
    struct drain *drain = arg;
    free_server(drain->site);
    sem_post(&drain->done);
}

static void drain_start(void *arg)
{
    struct drain *drain = arg;
    http_server_drain(drain->site->server, drain->ms, drain_done, drain);
}

TEST(drain_ends_idle_connections_and_waits_for_the_last_answer)
{
    struct site site;
    begin(&site);
    struct drain drain = { .site = &site, .ms = 60000 };
    sem_init(&drain.done, 0, 0);
    int idle = client_connect(&site), busy = client_connect(&site);
    client_send_text(idle, GET("/x"));
    client_expect(idle, 200, NULL);
    client_send_text(busy, GET("/gate") GET("/never"));
    while (atomic_load(&site.at_gate) < 1)
        usleep(1000);
    loop_post(site.loop, drain_start, &drain);
    assert_true(client_at_end(idle));
    assert_int_equal(-1, sem_trywait(&drain.done));
    sem_post(&site.gate);
    struct answer answer = { 0 };
    assert_true(client_read(busy, false, &answer));
    assert_int_equal(200, answer.status);
    assert_true(answer.closed);
    assert_true(client_at_end(busy));
    answer_clear(&answer);
    close(busy);
    sem_wait(&drain.done);
    assert_int_equal(2, atomic_load(&site.handled));
    close(idle);
    site_stop(&site);
}

TEST(drain_gives_up_after_its_time)
{
    struct site site;
    begin(&site);
    struct drain drain = { .site = &site, .ms = 100 };
    sem_init(&drain.done, 0, 0);
    int busy = client_connect(&site);
    client_send_text(busy, GET("/gate"));
    while (atomic_load(&site.at_gate) < 1)
        usleep(1000);
    loop_post(site.loop, drain_start, &drain);
    sem_wait(&drain.done);
    assert_true(client_at_end(busy));
    close(busy);
    answers_await(&site); /* nobody else frees what a worker answers after its server was freed */
    site_stop(&site);
}

TEST(drain_without_connections_is_done_at_once)
{
    struct site site;
    begin(&site);
    struct drain drain = { .site = &site, .ms = 60000 };
    sem_init(&drain.done, 0, 0);
    loop_post(site.loop, drain_start, &drain);
    sem_wait(&drain.done);
    site_stop(&site);
}

TEST(pages_of_bare_statuses_and_the_id_of_500)
{
    struct site site;
    site_setup(&site);
    site.with_log = true;
    site_start(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(fd, GET("/500"));
    assert_true(client_read(fd, false, &answer));
    assert_int_equal(500, answer.status);
    char id[17] = "";
    const char *at = strstr(buf_text(&answer.body), "by the id ");
    assert_non_null(at);
    assert_int_equal(1, sscanf(at + 10, "%16[0-9a-f]", id));
    assert_int_equal(16, strlen(id));
    client_send_text(fd, GET("/503"));
    assert_true(client_read(fd, false, &answer));
    assert_int_equal(503, answer.status);
    assert_true(answer_has(&answer, "Retry-After: 7\r\n"));
    assert_non_null(strstr(buf_text(&answer.body), "<title>503 Service Unavailable</title>"));
    assert_null(strstr(buf_text(&answer.body), "by the id"));
    AUTO_STR expected = xasprintf(" id=%s ", id);
    AUTO_STR log = site_log(&site, 2);
    assert_non_null(strstr(log, expected));
    answer_clear(&answer);
    close(fd);
    site_stop(&site);
}

TEST(refused_method_names_the_served_ones)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(fd, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_true(client_read(fd, false, &answer));
    assert_int_equal(405, answer.status);
    assert_true(answer_has(&answer, "Allow: GET, HEAD, POST\r\n"));
    assert_true(answer.closed);
    answer_clear(&answer);
    close(fd);
    site_stop(&site);
}

/* All but the time taken, which is the last field. */
static void assert_log_line(const char *line, const char *expected)
{
    size_t len = strcspn(line, "\n");
    while (len && line[len - 1] != ' ')
        len--;
    AUTO_STR got = xstrndup(line, len);
    assert_string_equal(expected, got);
}

TEST(access_log_has_served_and_refused_requests)
{
    struct site site;
    site_setup(&site);
    site.with_log = true;
    site_start(&site);
    int fd = client_connect(&site);
    struct answer answer = { 0 };
    client_send_text(
        fd, "GET /note?operation=PKIOperation&message=MIIB HTTP/1.1\r\nHost: a\r\nUser-Agent: a b\r\n\r\n");
    assert_true(client_read(fd, false, &answer));
    size_t sent = answer.head.len + answer.body.len;
    client_send_text(fd, "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(client_read(fd, false, &answer));
    assert_true(client_at_end(fd));
    close(fd);
    AUTO_STR log = site_log(&site, 2);
    AUTO_STR first =
        xasprintf("2017-08-08 20:22:16 127.0.0.1 GET /note operation=PKIOperation&message=...&txid=AB+1%%0A2 "
                  "%d - 127.0.0.1 a+b - 403 4 1346 %zu ",
                  site.port, sent);
    AUTO_STR second = xasprintf("2017-08-08 20:22:16 127.0.0.1 BREW /pot - %d - 127.0.0.1 - - 405 0 0 %zu ",
                                site.port, answer.head.len + answer.body.len);
    assert_log_line(log, first);
    assert_log_line(strchr(log, '\n') + 1, second);
    answer_clear(&answer);
    site_stop(&site);
}

TEST(limits_that_are_not_set_are_refused)
{
    struct site site;
    struct why why;
    site_setup(&site);
    ASSERT_OK(loop_new(&site.loop, &why), &why);
    struct http_server_config config = { .loop = site.loop, .limits = site.limits };
    config.limits.body_bytes = 0;
    ASSERT_ERR(ERR_CONFIG, http_server_new(&config, &site.server, &why), &why);
    config.limits = site.limits;
    config.limits.idle_ms = 0;
    ASSERT_ERR(ERR_CONFIG, http_server_new(&config, &site.server, &why), &why);
    config.limits = site.limits;
    ASSERT_OK(http_server_new(&config, &site.server, &why), &why);
    ASSERT_ERR(ERR_IO, http_server_listen(site.server, 9999, NULL, &why), &why);
    http_server_free(site.server);
    loop_free(site.loop);
    rmdir(site.dir);
    free(site.log_path);
}

RUN(T(keep_alive_serves_many_requests_on_one_connection), T(pipelined_requests_are_answered_in_order),
    T(a_thousand_pipelined_requests_in_one_go), T(head_has_the_length_but_no_body), T(answer_head_is_exact),
    T(continue_is_sent_before_the_body_and_only_when_asked), T(too_large_a_body_is_refused_before_continue),
    T(refused_client_that_still_sends_sees_its_status), T(gigabyte_announced_costs_no_memory),
    T(large_answers_arrive_whole_and_a_reader_who_stops_is_cut), T(two_hundred_connections_at_once),
    T(answers_after_the_client_left_are_safe), T(answers_after_the_loop_ended_are_safe),
    T(answers_after_the_server_was_freed_are_safe),
    T(drain_ends_idle_connections_and_waits_for_the_last_answer), T(drain_gives_up_after_its_time),
    T(drain_without_connections_is_done_at_once), T(pages_of_bare_statuses_and_the_id_of_500),
    T(refused_method_names_the_served_ones), T(access_log_has_served_and_refused_requests),
    T(limits_that_are_not_set_are_refused))

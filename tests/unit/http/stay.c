/* SPDX-License-Identifier: Apache-2.0 */
/* Who may stay how long: caps, deadlines, the minimum rate, and the clients behind a proxy. */
#include "base/clock.h"
#include "tests/unit/http/fixture.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(slow_request_gets_408_and_idle_connection_just_ends)
{
    struct site site;
    site_setup(&site);
    site.limits.request_ms = 200;
    site.limits.idle_ms = 400;
    site_start(&site);
    int slow = client_connect(&site), idle = client_connect(&site), crlf = client_connect(&site);
    client_send_text(slow, "GET /x HTTP/1.1\r\n");
    client_send_text(crlf, "\r\n");
    client_expect(slow, 408, NULL);
    assert_true(client_at_end(slow));
    assert_true(client_at_end(idle));
    assert_true(client_at_end(crlf));
    close(slow);
    close(idle);
    close(crlf);
    site_stop(&site);
}

/* They have turns: nobody's is lost, whoever asks before its turn is served, and deadlines that come later are acted on, too. */
TEST(of_many_that_are_silent_since_the_same_moment_each_ends)
{
    int fds[300];
    const int count = sizeof(fds) / sizeof(*fds);
    struct site site;
    site_setup(&site);
    site.limits.idle_ms = 1000;
    site.limits.connections = site.limits.connections_per_address = (size_t)count;
    site_start(&site);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < count; i++)
            fds[i] = client_connect(&site);
        usleep(50000);
        client_send_text(fds[count - 1], GET("/x"));
        client_expect(fds[count - 1], 200, NULL);
        for (int i = 0; i < count; i++) {
            assert_true(client_at_end(fds[i]));
            close(fds[i]);
        }
    }
    site_stop(&site);
}

/* The deadline is absolute: a byte now and then does not move it. */
TEST(dripping_bytes_do_not_extend_the_deadline)
{
    struct site site;
    site_setup(&site);
    site.limits.request_ms = 300;
    site_start(&site);
    int fd = client_connect(&site);
    client_send_text(fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
    int dripped = 0;
    while (dripped < 60000 && client_send(fd, BYTES_LIT("x"))) {
        uint8_t byte;
        usleep(10000);
        dripped++;
        if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1)
            break;
    }
    client_expect(fd, 408, NULL);
    assert_true(dripped < 60000);
    assert_int_equal(0, atomic_load(&site.handled));
    close(fd);
    site_stop(&site);
}

TEST(cap_per_address_answers_503_and_frees_its_place)
{
    struct site site;
    site_setup(&site);
    site.limits.connections_per_address = 3;
    site_start(&site);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(&site);
        client_send_text(fds[i], GET("/x"));
        client_expect(fds[i], 200, NULL);
    }
    int over = client_connect(&site);
    struct answer answer = { 0 };
    assert_true(client_read(over, false, &answer));
    assert_int_equal(503, answer.status);
    assert_true(answer_has(&answer, "Retry-After: 5\r\n"));
    assert_true(answer.closed);
    assert_true(client_at_end(over));
    answer_clear(&answer);
    close(over);
    client_send_text(fds[1], GET("/still"));
    client_expect(fds[1], 200, "GET /still  0\n");
    close(fds[0]);
    while (client_ask(&site, GET("/x")) != 200)
        usleep(10000);
    close(fds[1]);
    close(fds[2]);
    site_stop(&site);
}

TEST(at_the_cap_overall_the_longest_silent_connection_gives_way)
{
    struct site site;
    site_setup(&site);
    site.limits.connections = 4;
    site_start(&site);
    int fds[5];
    for (int i = 0; i < 4; i++) {
        fds[i] = client_connect(&site);
        client_send_text(fds[i], GET("/x"));
        client_expect(fds[i], 200, NULL);
    }
    client_send_text(fds[0], GET("/again")); /* now fds[1] is the one that is silent longest */
    client_expect(fds[0], 200, NULL);
    fds[4] = client_connect(&site);
    client_send_text(fds[4], GET("/fifth"));
    client_expect(fds[4], 200, "GET /fifth  0\n");
    assert_true(client_at_end(fds[1]));
    client_send_text(fds[0], GET("/still"));
    client_expect(fds[0], 200, "GET /still  0\n");
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    site_stop(&site);
}

TEST(at_the_cap_overall_nobody_who_is_served_is_cut)
{
    struct site site;
    site_setup(&site);
    site.limits.connections = 4;
    site_start(&site);
    int fds[5];
    struct answer answer = { 0 };
    for (int i = 0; i < 4; i++) {
        fds[i] = client_connect(&site);
        client_send_text(fds[i], GET("/gate"));
    }
    while (atomic_load(&site.at_gate) < 4)
        usleep(1000);
    fds[4] = client_connect(&site);
    assert_true(client_read(fds[4], false, &answer));
    assert_int_equal(503, answer.status);
    assert_true(answer_has(&answer, "Retry-After: 5\r\n"));
    answer_clear(&answer);
    for (int i = 0; i < 4; i++)
        sem_post(&site.gate);
    for (int i = 0; i < 4; i++)
        client_expect(fds[i], 200, "GET /gate  0\n");
    assert_int_equal(200, client_ask(&site, GET("/x"))); /* served again at once */
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    site_stop(&site);
}

TEST(a_flood_above_the_cap_overall_costs_no_descriptors_and_locks_nobody_out)
{
    struct site site;
    site_setup(&site);
    site.limits.connections = 4;
    site_start(&site);
    size_t before = process_fds();
    int fds[40];
    for (int i = 0; i < 40; i++) {
        fds[i] = client_connect(&site);
        client_send_text(fds[i], "GET /slow HTTP/1.1\r\n");
    }
    assert_int_equal(200, client_ask(&site, GET("/x")));
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    while (process_fds() > before)
        usleep(10000);
    site_stop(&site);
}

/* --- the minimum rate --- */

static void rate_begin(struct site *site)
{
    site_setup(site);
    site->limits.min_rate = 1000;
    site->limits.min_rate_after_ms = 300;
    site_start(site);
}

TEST(below_the_minimum_rate_a_request_gets_408_long_before_its_deadline)
{
    struct site site;
    rate_begin(&site);
    int64_t began_ms = clock_mono_ms();
    int fd = client_connect(&site);
    client_send_text(fd, "GET /x HTTP/1.1\r\n"); /* 17 bytes earn 17 ms */
    client_expect(fd, 408, NULL);
    assert_in_range(clock_mono_ms() - began_ms, 300, 5000);
    close(fd);
    site_stop(&site);
}

TEST(above_the_minimum_rate_a_request_may_take_its_time)
{
    struct site site;
    rate_begin(&site);
    int fd = client_connect(&site);
    uint8_t piece[200] = { 0 };
    client_send_text(fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n");
    int64_t began_ms = clock_mono_ms();
    for (int i = 0; i < 20; i++) { /* 200 bytes in 50 ms are 4000 a second */
        assert_true(client_send(fd, BYTES_ARR(piece)));
        usleep(50000);
    }
    client_expect(fd, 200, "POST /x  4000\n");
    assert_true(clock_mono_ms() - began_ms > 900); /* three times what silence is given */
    close(fd);
    site_stop(&site);
}

/* What the kernel takes counts as moved, so the rate asked for is above what it can take in that time. */
TEST(a_reader_below_the_minimum_rate_is_cut)
{
    struct site site;
    site_setup(&site);
    site.with_log = true;
    site.limits.min_rate = 1u << 30;
    site.limits.min_rate_after_ms = 300;
    site_start(&site);
    int fd = client_connect(&site), small = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    int64_t began_ms = clock_mono_ms();
    client_send_text(fd, GET("/large") GET("/large") GET("/large"));
    char *log = site_log(&site, 1);
    while (!strstr(log, " 200 0 121 ")) {
        free(log);
        usleep(20000);
        log = site_log(&site, 1);
    }
    free(log);
    assert_true(clock_mono_ms() - began_ms < 20000); /* write_ms is 60000 */
    close(fd);
    site_stop(&site);
}

/* X-Forwarded-For is a header like any other unless its sender is trusted. */
TEST(forwarded_for_does_not_change_the_logged_address)
{
    struct site site;
    site_setup(&site);
    site.with_log = true;
    site_start(&site);
    assert_int_equal(200, client_ask(&site, "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n"
                                            "Forwarded: for=6.6.6.6\r\n\r\n"));
    AUTO_STR log = site_log(&site, 1);
    assert_null(strstr(log, "6.6.6.6"));
    assert_non_null(strstr(log, " - 127.0.0.1 "));
    site_stop(&site);
}

static void proxied_begin(struct site *site)
{
    static const char *const trusted[] = { "127.0.0.1" };
    struct why why;
    site_setup(site);
    site->with_log = true;
    ASSERT_OK(proxies_new(trusted, 1, PROXY_X_FORWARDED_FOR, &site->proxies, &why), &why);
}

TEST(a_trusted_proxy_names_the_client)
{
    struct site site;
    proxied_begin(&site);
    site_start(&site);
    assert_int_equal(200, client_ask(&site, "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n"
                                            "Forwarded: for=7.7.7.7\r\nX-Forwarded-For: 192.0.2.9\r\n\r\n"));
    AUTO_STR log = site_log(&site, 1);
    assert_null(strstr(log, "6.6.6.6")); /* the client's own line, in front of the proxy's */
    assert_null(strstr(log, "7.7.7.7")); /* the header that this proxy does not write */
    assert_non_null(strstr(log, " - 192.0.2.9 "));
    site_stop(&site);
}

TEST(of_a_head_that_is_not_whole_no_name_is_believed)
{
    struct site site;
    proxied_begin(&site);
    site.limits.fields = 2;
    site_start(&site);
    assert_int_equal(431, client_ask(&site, "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\n"
                                            "X-Forwarded-For: 192.0.2.9\r\n\r\n"));
    AUTO_STR log = site_log(&site, 1);
    assert_null(strstr(log, "6.6.6.6"));
    assert_non_null(strstr(log, " - 127.0.0.1 "));
    site_stop(&site);
}

#define VIA(path, client) "GET " path " HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " client "\r\n\r\n"

TEST(behind_a_proxy_each_client_has_its_own_cap_and_the_proxy_none)
{
    struct site site;
    proxied_begin(&site);
    site.limits.connections_per_address = 2;
    site_start(&site);
    int fds[3];
    for (int i = 0; i < 3; i++)
        fds[i] = client_connect(&site);
    client_send_text(fds[0], VIA("/gate", "192.0.2.1"));
    client_send_text(fds[1], VIA("/gate", "192.0.2.1"));
    while (atomic_load(&site.at_gate) < 2)
        usleep(1000);
    struct answer answer = { 0 };
    client_send_text(fds[2], VIA("/x", "192.0.2.1"));
    assert_true(client_read(fds[2], false, &answer));
    assert_int_equal(503, answer.status);
    assert_true(answer_has(&answer, "Retry-After: 5\r\n"));
    answer_clear(&answer);
    assert_int_equal(200, client_ask(&site, VIA("/x", "192.0.2.2")));
    sem_post(&site.gate);
    sem_post(&site.gate);
    client_expect(fds[0], 200, NULL);
    client_expect(fds[1], 200, NULL);
    assert_int_equal(200, client_ask(&site, VIA("/x", "192.0.2.1"))); /* its places are free again */
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    site_stop(&site);
}

/* Without descriptors the listener rests; afterwards it serves again, and nobody had to restart it. */
TEST(running_out_of_descriptors_does_not_end_service)
{
    struct site site;
    site_setup(&site);
    site_start(&site);
    struct rlimit before, few;
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
    int fd = client_connect(&site), waiting = client_connect(&site);
    client_send_text(waiting, GET("/x"));
    client_expect(waiting, 200, NULL);
    close(waiting);
    waiting = socket(AF_INET, SOCK_STREAM, 0); /* before the limit falls */
    close(waiting);
    few = before;
    few.rlim_cur = (rlim_t)waiting + 1; /* room for the client's end only */
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &few));
    waiting = client_connect(&site);
    client_send_text(waiting, GET("/later"));
    client_send_text(fd, GET("/served"));
    client_expect(fd, 200, "GET /served  0\n");
    usleep(250000);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &before));
    client_expect(waiting, 200, "GET /later  0\n");
    close(fd);
    close(waiting);
    site_stop(&site);
}

RUN(T(slow_request_gets_408_and_idle_connection_just_ends),
    T(of_many_that_are_silent_since_the_same_moment_each_ends), T(dripping_bytes_do_not_extend_the_deadline),
    T(cap_per_address_answers_503_and_frees_its_place),
    T(at_the_cap_overall_the_longest_silent_connection_gives_way),
    T(at_the_cap_overall_nobody_who_is_served_is_cut),
    T(a_flood_above_the_cap_overall_costs_no_descriptors_and_locks_nobody_out),
    T(below_the_minimum_rate_a_request_gets_408_long_before_its_deadline),
    T(above_the_minimum_rate_a_request_may_take_its_time), T(a_reader_below_the_minimum_rate_is_cut),
    T(forwarded_for_does_not_change_the_logged_address), T(a_trusted_proxy_names_the_client),
    T(of_a_head_that_is_not_whole_no_name_is_believed),
    T(behind_a_proxy_each_client_has_its_own_cap_and_the_proxy_none),
    T(running_out_of_descriptors_does_not_end_service))

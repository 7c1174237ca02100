/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are lent and not copied, and those that a client has already. */
#include "tests/unit/http/fixture.h"

#include <unistd.h>

static void begin(struct site *site)
{
    site_setup(site);
    site_start(site);
}

static void ask(const struct site *site, const char *headers, int status, const char *body)
{
    AUTO_STR text = xasprintf("GET /lent HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
    int fd = client_connect(site);
    struct answer answer = { 0 };
    client_send_text(fd, text);
    assert_true(client_read(fd, status == 304, &answer));
    assert_int_equal(answer.status, status);
    assert_true(answer_has(&answer, "ETag: \"AB\"\r\n"));
    assert_int_equal(answer_has(&answer, "Content-Length: "), status == 200);
    assert_string_equal(buf_text(&answer.body), body);
    answer_clear(&answer);
    close(fd);
}

TEST(a_lent_body_is_sent_and_given_back)
{
    struct site site;
    begin(&site);
    for (int i = 0; i < 20; i++)
        ask(&site, "", 200, "lent\n");
    site_stop(&site);
    assert_int_equal(atomic_load(&site.lent), 0);
}

TEST(it_is_given_back_when_the_client_has_left)
{
    struct site site;
    begin(&site);
    for (int i = 0; i < 20; i++) {
        int fd = client_connect(&site);
        client_send_text(fd, GET("/lent") GET("/lent"));
        close(fd);
    }
    site_stop(&site);
    assert_int_equal(atomic_load(&site.lent), 0);
}

TEST(who_has_it_gets_304_without_a_length)
{
    struct site site;
    begin(&site);
    ask(&site, "If-None-Match: \"x\", W/\"AB\"\r\n", 304, "");
    ask(&site, "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304, "");
    ask(&site, "If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 304, "");
    site_stop(&site);
    assert_int_equal(atomic_load(&site.lent), 0);
}

TEST(who_has_another_gets_it_whole)
{
    struct site site;
    begin(&site);
    ask(&site, "If-None-Match: \"x\"\r\n", 200, "lent\n");
    ask(&site, "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200, "lent\n");
    ask(&site, "If-Modified-Since: yesterday\r\n", 200, "lent\n");
    /* RFC 9110 13.2.2: the entity tag counts alone */
    ask(&site, "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 200, "lent\n");
    site_stop(&site);
}

TEST(a_post_is_never_answered_with_304)
{
    struct site site;
    begin(&site);
    int fd = client_connect(&site);
    client_send_text(fd,
                     "POST /lent HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nIf-None-Match: \"AB\"\r\n\r\n");
    client_expect(fd, 200, "lent\n");
    close(fd);
    site_stop(&site);
}

RUN(T(a_lent_body_is_sent_and_given_back), T(it_is_given_back_when_the_client_has_left),
    T(who_has_it_gets_304_without_a_length), T(who_has_another_gets_it_whole),
    T(a_post_is_never_answered_with_304))

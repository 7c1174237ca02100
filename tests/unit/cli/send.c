/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before anything leaves this host. What happens on the wire: tests/system/remind.bats. */
#include "tests/unit/test.h"

#include "cli/send.h"
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct why why;

TEST(an_address_is_one_argument_and_one_header)
{
    static const char *const good[] = { "root", "a@example.org", "a.b+c-d_e@x-y.example" };
    static const char *const bad[] = {
        "",      "-f",      "a b",  "a\nBcc: b", "a\r",  "a,b",  "a;b",
        "<a@b>", "\"a\"@b", "a\\b", "a:b",       "a(b)", "a[b]", "\xC3\xA4@example.org",
        "a\x7F"
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ASSERT_OK(mail_address_check(good[i], &why), &why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, mail_address_check(bad[i], &why), &why);
}

TEST(an_address_has_a_limit)
{
    AUTO_STR longest = xasprintf("%0242d@example.org", 0);
    AUTO_STR longer = xasprintf("%0243d@example.org", 0);
    assert_int_equal(strlen(longest), 254);
    ASSERT_OK(mail_address_check(longest, &why), &why);
    ASSERT_ERR(ERR_USAGE, mail_address_check(longer, &why), &why);
}

static enum err hook(struct bytes url)
{
    AUTO_VAL(secret) secret = secret_dup(url);
    why = (struct why){ 0 };
    return send_webhook(&(struct send_target){ .url = &secret, .timeout_ms = 100 }, BYTES_LIT("{}"), &why);
}

TEST(a_url_that_is_none_is_refused_without_being_named)
{
    static const char *const bad[] = { "canary",
                                       "http://192.0.2.1/canary",
                                       "ftp://localhost/canary",
                                       "https://",
                                       "http://localhost.example/canary",
                                       "http://127.0.0.1@192.0.2.1/canary",
                                       "smtp://localhost/canary",
                                       "file:///canary" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        ASSERT_ERR(ERR_USAGE, hook(bytes_str(bad[i])), &why);
        assert_null(strstr(why.text, "canary"));
    }
    ASSERT_ERR(ERR_USAGE, hook(BYTES_LIT("https://localhost/\0canary")), &why);
    assert_string_equal(why.text, "the URL has a NUL in it");
}

/* Connections are taken by the kernel, and nobody answers them until patience ends: then they are reset. */
static int silent;
static void silent_end(int signal_number)
{
    (void)signal_number;
    close(silent);
}

static void silent_begin(uint16_t *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 1) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    silent = fd;
    signal(SIGALRM, silent_end);
    alarm((unsigned)test_patience_s());
}

TEST(a_receiver_that_never_answers_is_given_up)
{
    uint16_t port;
    silent_begin(&port);
    AUTO_STR url = xasprintf("http://127.0.0.1:%d/canary", port);
    ASSERT_ERR(ERR_UNAVAILABLE, hook(bytes_str(url)), &why);
    alarm(0);
    assert_string_equal(why.text, "the webhook: Timeout was reached");
    close(silent);
}

/* A mailer as a script: gone after some seconds, so that a test without the limit fails and does not hang. */
static void a_mailer_is_given_up(size_t text_len)
{
    static const char script[] = "#!/bin/sh\nexec sleep 2\n";
    char path[] = "/tmp/ch-mailer-XXXXXX";
    AUTO_BUF text = { 0 };
    int fd = mkstemp(path);
    assert_int_equal(sizeof(script) - 1, write(fd, script, sizeof(script) - 1));
    assert_int_equal(0, fchmod(fd, 0700));
    close(fd);
    for (size_t i = 0; i < text_len; i++)
        buf_append_byte(&text, 'a');
    const struct mail mail = { "a@example.org", "b@example.org", buf_bytes(&text) };
    enum err err = send_sendmail(&(struct mailer){ path, 100 }, &mail, &why);
    unlink(path);
    ASSERT_ERR(ERR_UNAVAILABLE, err, &why);
    assert_non_null(strstr(why.text, "did not end within 100 ms"));
}

TEST(a_mailer_that_never_ends_is_given_up)
{
    a_mailer_is_given_up(100);
    a_mailer_is_given_up(200000); /* more than a pipe holds, and nobody reads it */
}

RUN(T(an_address_is_one_argument_and_one_header), T(an_address_has_a_limit),
    T(a_url_that_is_none_is_refused_without_being_named), T(a_receiver_that_never_answers_is_given_up),
    T(a_mailer_that_never_ends_is_given_up))

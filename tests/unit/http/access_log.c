/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines against the guide's IIS examples, and against those who would forge them. */
#include "http/access_log.h"

#include "base/file.h"
#include "tests/unit/test.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct set_up {
    char dir[64];
    char *path;
    struct clock clock;
    struct access_log *log;
};

static void set_up(struct set_up *s, bool sc_bytes, size_t query_bytes)
{
    struct why why;
    snprintf(s->dir, sizeof(s->dir), "/tmp/chancery-log-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->path = xasprintf("%s/access.log", s->dir);
    s->clock = clock_held_at(1502223736);
    const struct access_log_config config = {
        .path = s->path, .clock = &s->clock, .sc_bytes = sc_bytes, .query_bytes = query_bytes
    };
    ASSERT_OK(access_log_open(&config, &s->log, &why), &why);
}

static void tear_down(struct set_up *s)
{
    access_log_free(s->log);
    unlink(s->path);
    free(s->path);
    assert_int_equal(0, rmdir(s->dir));
}

static const struct http_request windows = { .method = HTTP_GET,
                                             .path = BYTES_LIT("/certsrv/mscep/mscep.dll/pkiclient.exe"),
                                             .query = BYTES_LIT("operation=GetCACaps&message=default"),
                                             .has_query = true,
                                             .user_agent =
                                                 BYTES_LIT("Mozilla/4.0 (compatible; Win32; NDES client)"),
                                             .peer = "fe80::f53d:89b8:c3e8:5fec%13",
                                             .local = "fe80::f53d:89b8:c3e8:5fec%13",
                                             .local_port = 80,
                                             .started_us = 1000000 };
static const struct http_answer ok = { .status = 200 };

static void assert_line(const struct set_up *s, const struct access_entry *entry, const char *expected)
{
    AUTO_BUF line = { 0 };
    access_log_line(s->log, entry, &line);
    assert_string_equal(expected, buf_text(&line));
}

TEST(line_has_the_form_of_the_guides_example)
{
    struct set_up s;
    set_up(&s, true, 0);
    const struct access_entry entry = {
        .request = &windows, .answer = &ok, .sent_bytes = 186, .finished_us = 1000999
    };
    assert_line(&s, &entry,
                "2017-08-08 20:22:16 fe80::f53d:89b8:c3e8:5fec%13 GET /certsrv/mscep/mscep.dll/pkiclient.exe "
                "operation=GetCACaps&message=default 80 - fe80::f53d:89b8:c3e8:5fec%13 "
                "Mozilla/4.0+(compatible;+Win32;+NDES+client) - 200 0 0 186 0\n");
    tear_down(&s);
}

/* 2017-08-08 20:22:16 IP_address GET /certsrv/mscep/mscep.dll operation=GetCACert&message=SCEP%20Authority
   443 - 10.5.14.22 profiled/1.0+CFNetwork/811.5.4+Darwin/16.6.0 - 500 0 1346 31 */
TEST(line_without_sc_bytes_has_the_form_of_the_guides_other_example)
{
    struct set_up s;
    set_up(&s, false, 0);
    const struct http_request ios = { .path = BYTES_LIT("/certsrv/mscep/mscep.dll"),
                                      .query = BYTES_LIT("operation=GetCACert&message=SCEP%20Authority"),
                                      .user_agent = BYTES_LIT("profiled/1.0 CFNetwork/811.5.4 Darwin/16.6.0"),
                                      .peer = "10.5.14.22",
                                      .local = "10.5.14.1",
                                      .local_port = 443 };
    const struct http_answer answer = { .status = 500, .win32_status = 1346 };
    const struct access_entry entry = {
        .request = &ios, .answer = &answer, .sent_bytes = 9, .finished_us = 31999
    };
    assert_line(&s, &entry,
                "2017-08-08 20:22:16 10.5.14.1 GET /certsrv/mscep/mscep.dll "
                "operation=GetCACert&message=SCEP%20Authority 443 - 10.5.14.22 "
                "profiled/1.0+CFNetwork/811.5.4+Darwin/16.6.0 - 500 0 1346 31\n");
    tear_down(&s);
}

TEST(nothing_known_is_all_dashes)
{
    struct set_up s;
    set_up(&s, true, 0);
    const struct http_answer answer = { .status = 400 };
    const struct access_entry entry = { .answer = &answer, .sent_bytes = 5, .finished_us = 99999999 };
    assert_line(&s, &entry, "2017-08-08 20:22:16 - - - - 0 - - - - 400 0 0 5 0\n");
    tear_down(&s);
}

TEST(clients_cannot_forge_lines_or_fields)
{
    struct set_up s;
    set_up(&s, true, 0);
    struct http_request request = windows;
    request.path = BYTES_LIT("/a b\n2017 x");
    request.query = BYTES_LIT("x=\r\n\t\x7f\xff\0");
    request.user_agent = BYTES_LIT("a\nb \x1b[2J\xc3\xa9");
    request.referer = BYTES_LIT(" ");
    const struct http_answer answer = { .status = 200, .log_note = "txid=A B\nC" };
    const struct access_entry entry = {
        .request = &request, .answer = &answer, .method_text = "GE\nT", .finished_us = 1000000
    };
    assert_line(&s, &entry,
                "2017-08-08 20:22:16 fe80::f53d:89b8:c3e8:5fec%13 GE%0AT /a+b%0A2017+x "
                "x=%0D%0A%09%7F%FF%00&txid=A+B%0AC 80 - fe80::f53d:89b8:c3e8:5fec%13 a%0Ab+%1B[2J%C3%A9 + "
                "200 0 0 0 0\n");
    tear_down(&s);
}

static void assert_query(const struct set_up *s, struct bytes query, const char *note, const char *expected)
{
    AUTO_BUF line = { 0 };
    const struct http_request request = { .path = BYTES_LIT("/s"), .query = query };
    const struct http_answer answer = { .status = 200, .log_note = note };
    const struct access_entry entry = { .request = &request, .answer = &answer };
    access_log_line(s->log, &entry, &line);
    AUTO_STR whole = xasprintf("2017-08-08 20:22:16 - GET /s %s 0 - - - - 200 0 0 0 0\n", expected);
    assert_string_equal(whole, buf_text(&line));
}

TEST(pki_message_is_never_logged)
{
    struct set_up s;
    set_up(&s, true, 0);
    assert_query(&s, BYTES_LIT("operation=PKIOperation&message=MIIB"), "txid=5F3C",
                 "operation=PKIOperation&message=...&txid=5F3C");
    assert_query(&s, BYTES_LIT("message=MIIB&operation=pkioperation"), NULL,
                 "message=...&operation=pkioperation");
    assert_query(&s, BYTES_LIT("operation=PKIOperatio%6e&%6dessage=MIIB"), NULL,
                 "operation=PKIOperatio%6e&%6dessage=...");
    assert_query(&s, BYTES_LIT("operation=GetCACert&message=MIIB"), NULL, "operation=GetCACert&message=MIIB");
    AUTO_BUF query = { 0 };
    buf_append_str(&query, "operation=Other&x=");
    for (int i = 0; i < 129; i++)
        buf_append_byte(&query, 'M');
    assert_query(&s, buf_bytes(&query), NULL, "operation=Other&x=...");
    query.len--;
    AUTO_STR kept = xstrndup((const char *)query.data, query.len);
    assert_query(&s, buf_bytes(&query), NULL, kept);
    tear_down(&s);
}

TEST(query_is_cut_at_its_setting)
{
    struct set_up s;
    set_up(&s, true, 10);
    assert_query(&s, BYTES_LIT("a=12345678"), NULL, "a=12345678");
    assert_query(&s, BYTES_LIT("a=123456789"), NULL, "a=12345678...");
    assert_query(&s, BYTES_LIT("a=123456789&b=2&c=3&d=4"), "n=1", "a=12345678...&n=1");
    assert_query(&s, BYTES_NONE, "n=1", "n=1");
    assert_query(&s, BYTES_NONE, "", "-");
    tear_down(&s);
}

TEST(long_fields_are_cut)
{
    struct set_up s;
    set_up(&s, true, 0);
    AUTO_BUF agent = { 0 };
    AUTO_BUF line = { 0 };
    for (int i = 0; i < 16000; i++)
        buf_append_byte(&agent, '\x01');
    struct http_request request = windows;
    request.user_agent = buf_bytes(&agent);
    access_log_line(s.log, &(struct access_entry){ .request = &request, .answer = &ok }, &line);
    assert_true(line.len < 4000);
    tear_down(&s);
}

static char *log_text(const struct set_up *s)
{
    AUTO_BUF text = { 0 };
    struct why why;
    ASSERT_OK(file_read(s->path, 1 << 20, &text, &why), &why);
    return xstrdup(buf_text(&text));
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

TEST(fresh_file_starts_with_its_header_and_mode_0640)
{
    struct set_up s;
    set_up(&s, true, 0);
    struct stat info;
    assert_int_equal(0, stat(s.path, &info));
    assert_int_equal(0640, info.st_mode & 07777);
    AUTO_STR text = log_text(&s);
    assert_string_equal(
        "#Software: Chancery " CHANCERY_VERSION
        "\n#Version: 1.0\n#Date: 2017-08-08 20:22:16\n#Fields: date time s-ip cs-method cs-uri-stem "
        "cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus "
        "sc-win32-status sc-bytes time-taken\n",
        text);
    tear_down(&s);
}

TEST(header_without_sc_bytes_names_what_the_lines_have)
{
    struct set_up s;
    set_up(&s, false, 0);
    AUTO_STR text = log_text(&s);
    assert_non_null(strstr(text, "sc-win32-status time-taken\n"));
    tear_down(&s);
}

TEST(reopen_after_rotation_starts_a_fresh_file_and_keeps_a_filled_one)
{
    struct set_up s;
    struct why why;
    set_up(&s, true, 0);
    const struct access_entry entry = { .request = &windows, .answer = &ok };
    access_log_write(s.log, &entry);
    AUTO_STR rotated = xasprintf("%s.1", s.path);
    assert_int_equal(0, rename(s.path, rotated));
    access_log_write(s.log, &entry); /* still into the old one */
    ASSERT_OK(access_log_reopen(s.log, &why), &why);
    access_log_write(s.log, &entry);
    ASSERT_OK(access_log_reopen(s.log, &why), &why);
    access_log_write(s.log, &entry);
    AUTO_STR text = log_text(&s);
    assert_int_equal(1, occurrences(text, "#Fields:"));
    assert_int_equal(2, occurrences(text, " 200 0 0 "));
    assert_int_equal(0, unlink(rotated));
    tear_down(&s);
}

TEST(reopen_that_fails_keeps_the_old_file)
{
    struct set_up s;
    struct why why;
    set_up(&s, true, 0);
    AUTO_STR moved = xasprintf("%s.1", s.path);
    assert_int_equal(0, rename(s.path, moved));
    assert_int_equal(0, mkdir(s.path, 0700));
    ASSERT_ERR(ERR_IO, access_log_reopen(s.log, &why), &why);
    access_log_write(s.log, &(struct access_entry){ .request = &windows, .answer = &ok });
    assert_int_equal(0, rmdir(s.path));
    assert_int_equal(0, rename(moved, s.path));
    AUTO_STR text = log_text(&s);
    assert_int_equal(1, occurrences(text, " 200 0 0 "));
    tear_down(&s);
}

TEST(log_that_cannot_be_opened_is_an_error)
{
    struct why why;
    struct access_log *log = NULL;
    const struct access_log_config config = { .path = "/nonexistent/access.log", .clock = &clock_system };
    ASSERT_ERR(ERR_IO, access_log_open(&config, &log, &why), &why);
    assert_null(log);
    assert_non_null(strstr(why.text, "/nonexistent/access.log"));
}

/* RLIMIT_FSIZE stands for a full disk: the write comes up short, later ones fail. */
TEST(full_disk_is_told_once_and_the_torn_line_ends_before_the_next)
{
    struct set_up s;
    struct why why = { 0 };
    set_up(&s, true, 0);
    signal(SIGXFSZ, SIG_IGN);
    struct stat info;
    assert_int_equal(0, stat(s.path, &info));
    const struct rlimit small = { .rlim_cur = (rlim_t)info.st_size + 10, .rlim_max = RLIM_INFINITY };
    const struct rlimit all = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
    const struct access_entry entry = { .request = &windows, .answer = &ok };
    assert_false(access_log_is_failing(s.log, &why));
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
    access_log_write(s.log, &entry);
    access_log_write(s.log, &entry);
    assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &all));
    assert_true(access_log_is_failing(s.log, &why));
    assert_non_null(strstr(why.text, s.path));
    access_log_write(s.log, &entry);
    assert_false(access_log_is_failing(s.log, &why));
    AUTO_STR text = log_text(&s);
    assert_non_null(strstr(text, "\n2017-08-08\n2017-08-08 20:22:16 fe80"));
    tear_down(&s);
}

RUN(T(line_has_the_form_of_the_guides_example),
    T(line_without_sc_bytes_has_the_form_of_the_guides_other_example), T(nothing_known_is_all_dashes),
    T(clients_cannot_forge_lines_or_fields), T(pki_message_is_never_logged), T(query_is_cut_at_its_setting),
    T(long_fields_are_cut), T(fresh_file_starts_with_its_header_and_mode_0640),
    T(header_without_sc_bytes_names_what_the_lines_have),
    T(reopen_after_rotation_starts_a_fresh_file_and_keeps_a_filled_one),
    T(reopen_that_fails_keeps_the_old_file), T(log_that_cannot_be_opened_is_an_error),
    T(full_disk_is_told_once_and_the_torn_line_ends_before_the_next))

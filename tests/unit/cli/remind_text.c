/* SPDX-License-Identifier: Apache-2.0 */
/* A reminder's JSON and mail, whatever a device wrote into its name. */
#include "tests/unit/test.h"

#include "cli/remind_text.h"
#include <jansson.h>

#define NOW 1795860000 /* 2026-11-28T10:00:00Z, a Saturday */

static const struct expiry_span span = { "30d", NOW, 30 * 86400 };

static struct expiries one_of(const char *subject)
{
    struct expiries expiries = { .count = 1, .asked = 1 };
    size_t list = records_begin(&expiries.list), mark = record_begin(&expiries.list);
    record_put_str(&expiries.list, "kind", "issued");
    record_put_str(&expiries.list, "of", "issuing");
    record_put_str(&expiries.list, "subject", subject);
    record_put_str(&expiries.list, "serial", "0A1B");
    record_put_time(&expiries.list, "expires", NOW + 86400);
    record_end(&expiries.list, mark);
    records_end(&expiries.list, list);
    return expiries;
}

static struct buf mail_of(const struct expiries *expiries)
{
    struct buf text = { 0 };
    reminder_mail(&(struct reminder){ expiries, &span, "default" }, "a@example.org", "b@example.org", &text);
    return text;
}

TEST(a_mail_says_who_and_when)
{
    AUTO_VAL(expiries) expiries = one_of("CN=laptop-1");
    AUTO_BUF mail = mail_of(&expiries);
    assert_string_equal(buf_text(&mail),
                        "From: a@example.org\nTo: b@example.org\n"
                        "Subject: Chancery site default: 1 certificate or CRL expires within 30d\n"
                        "Date: Sat, 28 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\n"
                        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
                        "Auto-Submitted: auto-generated\n\n"
                        "Chancery site default: 1 certificate or CRL expires within 30d.\n\n"
                        "2026-11-29T10:00:00Z  issued  issuing  CN=laptop-1  0A1B\n");
}

TEST(what_a_device_wrote_adds_no_line_and_no_long_one)
{
    AUTO_STR subject = xasprintf("CN=a\nBcc: b\x1B[31m%0900d", 0);
    AUTO_VAL(expiries) expiries = one_of(subject);
    AUTO_BUF mail = mail_of(&expiries);
    const char *text = buf_text(&mail);
    assert_null(strstr(text, "\nBcc"));
    assert_null(strchr(text, '\x1B'));
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        assert_true(strcspn(line, "\n") < 998);
    }
}

TEST(what_is_missing_is_said)
{
    AUTO_VAL(expiries) expiries = one_of("CN=a");
    expiries.more = true;
    buf_append_str(&expiries.missing, "scep: cannot connect");
    AUTO_BUF mail = mail_of(&expiries);
    assert_non_null(strstr(buf_text(&mail), "\nThere are more: "));
    assert_non_null(strstr(buf_text(&mail), "\nNot everything could be asked: scep: cannot connect\n"));
    json_t *document = reminder_json(&(struct reminder){ &expiries, &span, "default" });
    assert_true(json_is_true(json_object_get(document, "more")));
    assert_string_equal(json_string_value(json_object_get(document, "missing")), "scep: cannot connect");
    json_decref(document);
}

TEST(the_document_has_each_certificate)
{
    AUTO_VAL(expiries) expiries = one_of("CN=\"a\"\xC3\xA4");
    json_t *document = reminder_json(&(struct reminder){ &expiries, &span, "default" });
    char *text = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
    assert_string_equal(
        text, "{\"site\":\"default\",\"time\":\"2026-11-28T10:00:00Z\",\"within\":\"30d\",\"count\":1,"
              "\"more\":false,\"missing\":\"\","
              "\"text\":\"Chancery site default: 1 certificate or CRL expires within 30d\","
              "\"expiring\":[{\"kind\":\"issued\",\"of\":\"issuing\",\"subject\":\"CN=\\\"a\\\"\\u00E4\","
              "\"serial\":\"0A1B\",\"expires\":\"2026-11-29T10:00:00Z\"}]}");
    free(text);
    json_decref(document);
}

RUN(T(a_mail_says_who_and_when), T(what_a_device_wrote_adds_no_line_and_no_long_one),
    T(what_is_missing_is_said), T(the_document_has_each_certificate))

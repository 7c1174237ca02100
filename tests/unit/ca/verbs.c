/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs, through the table that the server uses; and what a half-configured authority refuses to be. */
#include "ca/verbs.h"

#include "base/file.h"
#include "ca/certificate.h"
#include "ca/challenge.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_call.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world *world;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define DEVICE(name, ...)                                                                                    \
    __attribute__((cleanup(device_free))) struct device name = device_new(&(struct ask){ __VA_ARGS__ })

static enum err call_raw(const char *verb, struct bytes body, struct buf *ret, struct why *why)
{
    for (size_t i = 0; i < ca_verb_count; i++) {
        if (strcmp(ca_verbs[i].name, verb) != 0)
            continue;
        char principal[16];
        const struct ipc_caller caller = verb_caller(&ca_verbs[i], principal);
        return verb_call(&ca_verbs[i], world->ca, &caller, body, ret, why);
    }
    fail_msg("no verb %s", verb);
    return ERR_INTERNAL;
}

struct fields {
    const char *name, *value;
};

/* One record of up to two fields. */
static enum err call(const char *verb, struct fields a, struct fields b, struct buf *ret, struct why *why)
{
    AUTO_BUF body = { 0 };
    size_t mark = record_begin(&body);
    if (a.name)
        record_put_str(&body, a.name, a.value);
    if (b.name)
        record_put_str(&body, b.name, b.value);
    record_end(&body, mark);
    buf_free(ret);
    return call_raw(verb, buf_bytes(&body), ret, why);
}

#define NOTHING            ((struct fields){ NULL, NULL })
#define FIELD(name, value) ((struct fields){ (name), (value) })

static size_t answer_count(const struct buf *answer)
{
    struct der_reader list;
    struct record record;
    struct why why = { 0 };
    size_t count = 0;
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    while (records_next(&list, &record))
        count++;
    return count;
}

/* Of the first record; caller frees. */
static char *answer_field(const struct buf *answer, const char *name)
{
    struct der_reader list;
    struct record record;
    struct why why = { 0 };
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    assert_true(records_next(&list, &record));
    char *text = record_str(&record, name);
    if (!text)
        fail_msg("no field %s", name);
    return text;
}

#define ASSERT_FIELD(answer, name, expected)                                                                 \
    do {                                                                                                     \
        AUTO_STR field_ = answer_field((answer), (name));                                                    \
        assert_string_equal((expected), field_);                                                             \
    } while (0)

/* What the next page is asked for with; NULL: there are no more. Caller frees. */
static char *answer_more(const struct buf *answer)
{
    struct der_reader list;
    struct record record;
    struct why why = { 0 };
    char *more = NULL;
    ASSERT_OK(records_get(buf_bytes(answer), &list, &why), &why);
    while (records_next(&list, &record)) {
        assert_null(more);
        more = record_str(&record, "more");
    }
    return more;
}

#define ASSERT_MORE(answer, expected)                                                                        \
    do {                                                                                                     \
        const char *wanted_ = (expected);                                                                    \
        AUTO_STR more_ = answer_more(answer);                                                                \
        assert_string_equal(wanted_ ? wanted_ : "no more", more_ ? more_ : "no more");                       \
    } while (0)

static enum err request_by_frame(const struct device *device, const char *endpoint, struct buf *ret,
                                 struct why *why)
{
    AUTO_BUF body = { 0 };
    struct enroll_request ask = { bytes_str(endpoint), buf_bytes(&device->csr), BYTES_LIT("tx\n1"),
                                  buf_bytes(&device->self_signed), BYTES_LIT("192.0.2.7") };
    enroll_request_put(&body, &ask);
    buf_free(ret);
    return call_raw("request", buf_bytes(&body), ret, why);
}

TEST(a_request_comes_in_as_a_frame_and_a_certificate_goes_out)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 }, list = { 0 };
    struct why why = { 0 };
    struct enroll_answer enrolled;
    struct cert cert;
    ASSERT_OK(request_by_frame(&device, "static", &answer, &why), &why);
    ASSERT_OK(enroll_answer_get(buf_bytes(&answer), &enrolled, &why), &why);
    assert_int_equal(ENROLL_ISSUED, enrolled.disposition);
    assert_int_equal(1, enrolled.request_id);
    ASSERT_OK(cert_parse(enrolled.certificate, &cert, &why), &why);
    ASSERT_OK(call("request_list", NOTHING, NOTHING, &list, &why), &why);
    assert_int_equal(1, answer_count(&list));
    ASSERT_FIELD(&list, "id", "1");
    ASSERT_FIELD(&list, "requester", "endpoint/static");
    ASSERT_FIELD(&list, "template", "SCEPDevice");
    ASSERT_FIELD(&list, "disposition", "issued");
    ASSERT_FIELD(&list, "error", "");
    ASSERT_FIELD(&list, "submitted", "2026-11-18T11:06:40Z");
    ASSERT_OK(call("request_show", FIELD("id", "1"), NOTHING, &list, &why), &why);
    ASSERT_FIELD(&list, "peer", "192.0.2.7");
    ASSERT_ERR(ERR_NOT_FOUND, call("request_show", FIELD("id", "2"), NOTHING, &list, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("request_show", NOTHING, NOTHING, &list, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("request_list", FIELD("limit", "0"), NOTHING, &list, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("request_list", FIELD("limit", "1001"), NOTHING, &list, &why), &why);
    ASSERT_OK(call("request_list", FIELD("limit", "1000"), FIELD("disposition", "denied"), &list, &why),
              &why);
    assert_int_equal(0, answer_count(&list));
    ASSERT_ERR(ERR_NOT_FOUND, call("request_list", FIELD("ca", "other"), NOTHING, &list, &why), &why);
}

TEST(refusals_before_acceptance_stay_in_memory_and_are_bounded)
{
    DEVICE(device, .subject = "CN=one", .challenge = "wrong");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < CA_REFUSALS + 3; i++)
        ASSERT_ERR(ERR_CHALLENGE_WRONG, request_by_frame(&device, "static", &answer, &why), &why);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
    ASSERT_OK(call("refusal_list", FIELD("limit", "1000"), NOTHING, &answer, &why), &why);
    assert_int_equal(CA_REFUSALS, answer_count(&answer));
    ASSERT_FIELD(&answer, "error", "ERR_CHALLENGE_WRONG");
    ASSERT_OK(call("status", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "refused_since_start", "259");
}

TEST(what_the_signer_says_of_itself_is_passed_on)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(call("signer_status", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "journal_entries", "7");
    world->ca->sealer.status = NULL;
    ASSERT_ERR(ERR_UNAVAILABLE, call("signer_status", NOTHING, NOTHING, &answer, &why), &why);
}

TEST(certificates_are_listed_shown_exported_and_revoked)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 }, shown = { 0 }, der = { 0 };
    struct why why = { 0 };
    struct enroll_answer enrolled;
    AUTO_BUF enrolment = { 0 };
    ASSERT_OK(request_by_frame(&device, "static", &enrolment, &why), &why);
    ASSERT_OK(enroll_answer_get(buf_bytes(&enrolment), &enrolled, &why), &why);
    ASSERT_OK(call("cert_list", NOTHING, NOTHING, &answer, &why), &why);
    AUTO_STR serial = answer_field(&answer, "serial");
    ASSERT_OK(call("cert_export", FIELD("serial", serial), NOTHING, &answer, &why), &why);
    AUTO_STR pem = answer_field(&answer, "pem");
    assert_true(pem_decode(bytes_str(pem), "CERTIFICATE", &der, NULL));
    ASSERT_BYTES(enrolled.certificate, buf_bytes(&der));
    ASSERT_ERR(ERR_USAGE,
               call("cert_revoke", FIELD("serial", serial), FIELD("reason", "because"), &answer, &why), &why);
    ASSERT_OK(call("cert_revoke", FIELD("serial", serial), FIELD("reason", "keyCompromise"), &answer, &why),
              &why);
    ASSERT_FIELD(&answer, "status", "revoked");
    ASSERT_FIELD(&answer, "reason", "keyCompromise");
    world->clock.held += 60;
    ASSERT_ERR(ERR_REVOKED,
               call("cert_revoke", FIELD("serial", serial), FIELD("reason", "superseded"), &shown, &why),
               &why);
    ASSERT_OK(call("cert_show", FIELD("serial", serial), NOTHING, &shown, &why), &why);
    ASSERT_BYTES(buf_bytes(&answer), buf_bytes(&shown)); /* a revoked one stays as it is */
    ASSERT_OK(call("cert_revoke", FIELD("serial", serial), FIELD("reason", "keyCompromise"), &answer, &why),
              &why);
    ASSERT_FIELD(&answer, "note", "was revoked already");
    ASSERT_OK(call("crl_show", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "entries", "1");
    ASSERT_OK(call("crl_export", FIELD("ca", "issuing"), NOTHING, &answer, &why), &why);
    AUTO_STR crl = answer_field(&answer, "pem");
    assert_non_null(strstr(crl, "-----BEGIN X509 CRL-----"));
    ASSERT_ERR(ERR_NOT_FOUND, call("cert_revoke", FIELD("serial", "00AB"), NOTHING, &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("cert_show", FIELD("serial", "xyz"), NOTHING, &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("cert_show", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_OK(call("cert_list", FIELD("status", "valid"), NOTHING, &answer, &why), &why);
    assert_int_equal(0, answer_count(&answer));
}

/* The templates' certificates last a year. */
TEST(certificates_that_expire_soon_are_listed_the_first_one_first)
{
    DEVICE(first, .subject = "CN=one", .challenge = "secret");
    DEVICE(second, .subject = "CN=two", .challenge = "secret");
    DEVICE(gone, .subject = "CN=three", .challenge = "secret");
    struct device *devices[] = { &first, &gone, &second };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    char serials[3][2 * SERIAL_BYTES + 1];
    for (size_t i = 0; i < 3; i++) {
        AUTO_BUF enrolment = { 0 };
        ASSERT_OK(request_by_frame(devices[i], "static", &enrolment, &why), &why);
        ASSERT_OK(call("cert_list", NOTHING, NOTHING, &answer, &why), &why);
        AUTO_STR serial = answer_field(&answer, "serial");
        snprintf(serials[i], sizeof(serials[i]), "%s", serial);
        world->clock.held += 3600;
    }
    ASSERT_OK(call("cert_revoke", FIELD("serial", serials[1]), NOTHING, &answer, &why), &why);
    ASSERT_OK(call("cert_list", FIELD("expiring", "364d"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 0);
    ASSERT_OK(call("cert_list", FIELD("expiring", "365d"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 2); /* not the revoked one */
    ASSERT_FIELD(&answer, "serial", serials[0]);
    ASSERT_OK(call("cert_list", FIELD("expiring", "365d"), FIELD("limit", "1"), &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 1 + 1);
    ASSERT_MORE(&answer, "");
    ASSERT_OK(call("cert_list", FIELD("expiring", "365d"), FIELD("limit", "2"), &answer, &why), &why);
    ASSERT_MORE(&answer, NULL);
    ASSERT_ERR(ERR_USAGE, call("cert_list", FIELD("expiring", "365d"), FIELD("before", "3"), &answer, &why),
               &why);
    world->clock.held += 365 * 86400 - 3 * 3600 + 1; /* the first one has just ended */
    ASSERT_OK(call("cert_list", FIELD("expiring", "3h"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 1);
    ASSERT_FIELD(&answer, "serial", serials[2]);
    ASSERT_OK(call("cert_list", FIELD("expiring", "1h"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 0);
}

/* Reads a list to its end in pages of two; the ids, newest first, end in *ret. */
static void page_through(const char *verb, const char *id, struct buf *ret)
{
    char before[24] = "99";
    for (bool go_on = true; go_on;) {
        AUTO_BUF page = { 0 };
        struct der_reader list;
        struct record record;
        struct why why = { 0 };
        ASSERT_OK(call(verb, FIELD("limit", "2"), FIELD("before", before), &page, &why), &why);
        AUTO_STR more = answer_more(&page);
        ASSERT_OK(records_get(buf_bytes(&page), &list, &why), &why);
        while (records_next(&list, &record)) {
            if (record_int(&record, id, 0))
                buf_printf(ret, "%lld ", (long long)record_int(&record, id, 0));
        }
        go_on = more != NULL;
        snprintf(before, sizeof(before), "%s", more ? more : "");
    }
}

TEST(lists_are_read_in_pages_and_each_row_is_in_one)
{
    AUTO_BUF requests = { 0 }, certificates = { 0 }, answer = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < 5; i++) {
        AUTO_BUF enrolment = { 0 };
        DEVICE(device, .subject = "CN=one", .challenge = "secret");
        ASSERT_OK(request_by_frame(&device, "static", &enrolment, &why), &why);
    }
    page_through("request_list", "id", &requests);
    page_through("cert_list", "request", &certificates);
    assert_string_equal("5 4 3 2 1 ", buf_text(&requests));
    assert_string_equal("5 4 3 2 1 ", buf_text(&certificates));
    ASSERT_OK(call("request_list", FIELD("limit", "4"), NOTHING, &answer, &why), &why);
    ASSERT_MORE(&answer, "2");
    ASSERT_OK(call("request_list", FIELD("limit", "5"), NOTHING, &answer, &why), &why);
    ASSERT_MORE(&answer, NULL);
    ASSERT_OK(call("request_list", FIELD("before", "1"), NOTHING, &answer, &why), &why);
    assert_int_equal(0, answer_count(&answer));
    ASSERT_ERR(ERR_USAGE, call("request_list", FIELD("before", "0"), NOTHING, &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("request_list", FIELD("before", "x"), NOTHING, &answer, &why), &why);
}

/* A thousand rows of a thousand octets would not fit into a frame. */
TEST(a_page_of_long_rows_is_shorter_and_fits_a_frame)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    world_exec(world,
               "INSERT INTO request (issuer_id, request_id, node_id, endpoint, requester, validator, peer, "
               "spki_digest, subject, san, template, template_version, disposition, reason, submitted_at) "
               "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
               "SELECT 'issuing', i, 'n', 'static', 'endpoint/static', 'static', '', x'', '', '', '', 0, "
               "'failed', hex(zeroblob(600)), 1 FROM n");
    ASSERT_OK(call("request_list", FIELD("limit", "1000"), NOTHING, &answer, &why), &why);
    assert_in_range(answer.len, LIMIT_FRAME_BYTES / 4, LIMIT_FRAME_BYTES * 3 / 4);
    AUTO_STR more = answer_more(&answer);
    assert_in_range(answer_count(&answer), 100, 999);
    assert_int_equal(1000 - (answer_count(&answer) - 1) + 1, strtol(more, NULL, 10));
}

TEST(requests_are_listed_by_one_disposition_or_several)
{
    static const struct {
        const char *words;
        size_t count;
    } cases[] = { { "issued", 1 },
                  { "pending", 1 },
                  { "issued,pending", 2 },
                  { "denied,failed,sealing", 0 },
                  { "pending,pending", 1 } };
    static const char *const bad[] = { "bogus",  "issued,",
                                       ",",      "issued pending",
                                       "Issued", "issued,issued,issued,issued,issued,issued" };
    DEVICE(one, .subject = "CN=one", .challenge = "secret");
    DEVICE(two, .subject = "CN=two");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(request_by_frame(&one, "static", &answer, &why), &why);
    ASSERT_OK(request_by_frame(&two, "manual", &answer, &why), &why);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ASSERT_OK(call("request_list", FIELD("status", cases[i].words), NOTHING, &answer, &why), &why);
        assert_int_equal(cases[i].count, answer_count(&answer));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, call("request_list", FIELD("status", bad[i]), NOTHING, &answer, &why), &why);
}

TEST(a_span_is_hours_or_days)
{
    static const char *const bad[] = { "",
                                       "30",
                                       "d",
                                       "0d",
                                       "-1d",
                                       "+1d",
                                       " 1d",
                                       "1 d",
                                       "1w",
                                       "1dd",
                                       "36501d",
                                       "876001h",
                                       "99999999999999999999d" };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_USAGE, call("cert_list", FIELD("expiring", bad[i]), NOTHING, &answer, &why), &why);
    assert_non_null(strstr(why.text, "allowed: 1h to 36500d"));
    ASSERT_OK(call("cert_list", FIELD("expiring", "36500d"), NOTHING, &answer, &why), &why);
    ASSERT_OK(call("cert_list", FIELD("expiring", "876000h"), NOTHING, &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE,
               call("cert_list", FIELD("expiring", "1d"), FIELD("status", "revoked"), &answer, &why), &why);
}

TEST(serials_are_taken_in_either_case_with_colons_spaces_0x_and_leading_zeros)
{
    struct why why = { 0 };
    const struct {
        const char *text, *wanted;
    } cases[] = { { "ab01", "AB01" },  { "AB:01", "AB01" },  { "00AB01", "AB01" }, { "0000", "00" },
                  { "", NULL },        { "ABC", NULL },      { "zz", NULL },       { ":", NULL },
                  { "AB 01", "AB01" }, { "0xAB01", "AB01" }, { "0X", NULL },       { "0x0xAB", NULL } };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_STR got = NULL;
        enum err err = serial_from_text(cases[i].text, &got, &why);
        assert_int_equal(cases[i].wanted ? OK : ERR_USAGE, err);
        if (cases[i].wanted)
            assert_string_equal(cases[i].wanted, got);
    }
    AUTO_STR got = NULL;
    char text[80];
    memset(text, 'A', 64);
    text[64] = '\0';
    ASSERT_ERR(ERR_USAGE, serial_from_text(text, &got, &why), &why);
}

TEST(passwords_are_made_for_one_time_endpoints_alone)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(call("password_new", FIELD("endpoint", "once"), NOTHING, &answer, &why), &why);
    AUTO_STR password = answer_field(&answer, "password");
    assert_int_equal(16, strlen(password));
    assert_int_equal(16, strspn(password, "0123456789ABCDEF"));
    ASSERT_FIELD(&answer, "expires", "2026-11-18T12:06:40Z");
    DEVICE(device, .subject = "CN=one", .challenge = password);
    AUTO_VAL(enrolled) got = { 0 };
    ASSERT_OK(device_enroll(world, &device, "once", &got, &why), &why);
    ASSERT_ERR(ERR_WRONG_STATE, call("password_new", FIELD("endpoint", "static"), NOTHING, &answer, &why),
               &why);
    ASSERT_ERR(ERR_NOT_FOUND, call("password_new", FIELD("endpoint", "nowhere"), NOTHING, &answer, &why),
               &why);
    ASSERT_ERR(ERR_USAGE, call("password_new", NOTHING, NOTHING, &answer, &why), &why);
}

TEST(approve_and_deny_by_verb)
{
    DEVICE(one, .subject = "CN=one");
    DEVICE(two, .subject = "CN=two");
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(request_by_frame(&one, "manual", &answer, &why), &why);
    ASSERT_OK(request_by_frame(&two, "manual", &answer, &why), &why);
    ASSERT_OK(call("request_approve", FIELD("id", "1"), NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "disposition", "issued");
    ASSERT_FIELD(&answer, "resolved_by", "cli");
    ASSERT_OK(call("request_deny", FIELD("id", "2"), FIELD("reason", "no\nsuch device"), &answer, &why),
              &why);
    ASSERT_FIELD(&answer, "disposition", "denied");
    ASSERT_FIELD(&answer, "reason", "no\\x0Asuch device");
    ASSERT_ERR(ERR_USAGE, call("request_deny", FIELD("id", "-1"), NOTHING, &answer, &why), &why);
}

TEST(templates_are_listed_and_shown)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(call("template_list", NOTHING, NOTHING, &answer, &why), &why);
    assert_int_equal(12, answer_count(&answer));
    ASSERT_OK(call("template_show", FIELD("name", "CEPEncryption"), NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "key_usage", "keyEncipherment");
    ASSERT_FIELD(&answer, "published", "no");
    ASSERT_FIELD(&answer, "display_name", "CEP Encryption");
    ASSERT_OK(call("template_show", FIELD("name", "SCEPDevice"), NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "validity", "365d");
    ASSERT_FIELD(&answer, "eku", "clientAuth");
    ASSERT_ERR(ERR_NOT_FOUND, call("template_show", FIELD("name", "NoSuch"), NOTHING, &answer, &why), &why);
}

TEST(va_is_told_the_status_of_a_serial_and_what_changes)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_BUF answer = { 0 }, text = { 0 };
    struct why why = { 0 };
    struct cert cert;
    device_assert_issued(world, &device, "static", &got);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    serial_append_text(&text, cert.serial);
    const char *serial = buf_text(&text);
    ASSERT_OK(call("status_get", FIELD("serial", serial), NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "status", "good");
    ASSERT_FIELD(&answer, "version", "0");
    ASSERT_OK(call("status_get", FIELD("serial", "00AB"), FIELD("ca", "issuing"), &answer, &why), &why);
    ASSERT_FIELD(&answer, "status", "unknown");
    ASSERT_OK(call("status_changes", FIELD("since", "0"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 1);
    ASSERT_OK(call("cert_revoke", FIELD("serial", serial), FIELD("reason", "certificateHold"), &answer, &why),
              &why);
    ASSERT_OK(call("status_get", FIELD("serial", serial), NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "status", "revoked");
    ASSERT_FIELD(&answer, "revoked_at", "1795000000");
    ASSERT_FIELD(&answer, "reason", "6");
    ASSERT_FIELD(&answer, "version", "1");
    ASSERT_OK(call("cert_release", FIELD("serial", serial), NOTHING, &answer, &why), &why);
    ASSERT_FIELD(&answer, "status", "valid");
    ASSERT_OK(call("status_changes", FIELD("since", "0"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 2); /* once, however often it changed */
    ASSERT_FIELD(&answer, "version", "2");
    ASSERT_FIELD(&answer, "more", "no");
    ASSERT_OK(call("status_changes", FIELD("since", "2"), NOTHING, &answer, &why), &why);
    assert_int_equal(answer_count(&answer), 1);
    ASSERT_ERR(ERR_NOT_FOUND,
               call("status_get", FIELD("serial", serial), FIELD("ca", "other"), &answer, &why), &why);
    ASSERT_ERR(ERR_USAGE, call("status_get", FIELD("serial", "no serial"), NOTHING, &answer, &why), &why);
}

TEST(va_fetches_a_crl_that_it_does_not_have_yet)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(call("crl_get", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_BYTES(buf_bytes(&answer), BYTES_LIT("\x05\x00")); /* there is none */
    ASSERT_OK(call("crl_publish", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_OK(call("crl_get", FIELD("kind", "full"), NOTHING, &answer, &why), &why);
    assert_true(answer.len > 2);
    ASSERT_OK(call("crl_get", FIELD("number", "1"), NOTHING, &answer, &why), &why);
    ASSERT_BYTES(buf_bytes(&answer), BYTES_LIT("\x05\x00"));
    ASSERT_OK(call("crl_get", FIELD("number", "2"), NOTHING, &answer, &why), &why);
    assert_true(answer.len > 2);
    ASSERT_OK(call("crl_get", FIELD("kind", "delta"), NOTHING, &answer, &why), &why);
    ASSERT_BYTES(buf_bytes(&answer), BYTES_LIT("\x05\x00"));
    ASSERT_ERR(ERR_USAGE, call("crl_get", FIELD("kind", "half"), NOTHING, &answer, &why), &why);
    ASSERT_OK(call("ca_get", FIELD("ca", "issuing"), NOTHING, &answer, &why), &why);
    struct der_reader in = der_reader_over(buf_bytes(&answer));
    struct bytes der;
    assert_true(der_get_octets(&in, &der));
    ASSERT_BYTES(der, buf_bytes(&world->ca_cert));
}

TEST(scep_fetches_certificates_and_crls_of_its_endpoints_ca)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_BUF answer = { 0 }, list = { 0 }, issuer = { 0 };
    struct why why = { 0 };
    struct bytes der;
    ASSERT_OK(request_by_frame(&device, "static", &answer, &why), &why);
    ASSERT_OK(call("cert_list", NOTHING, NOTHING, &list, &why), &why);
    AUTO_STR serial = answer_field(&list, "serial");
    ASSERT_ERR(ERR_UNAVAILABLE, call("get_crl", FIELD("endpoint", "static"), NOTHING, &answer, &why), &why);
    ASSERT_OK(call("crl_publish", NOTHING, NOTHING, &answer, &why), &why);
    ASSERT_OK(call("get_crl", FIELD("endpoint", "static"), NOTHING, &answer, &why), &why);
    struct der_reader in = der_reader_over(buf_bytes(&answer));
    assert_true(der_get_octets(&in, &der) && der_at_end(&in));
    ASSERT_OK(call("get_cert", FIELD("endpoint", "static"), FIELD("serial", serial), &answer, &why), &why);
    in = der_reader_over(buf_bytes(&answer));
    assert_true(der_get_octets(&in, &der) && der_at_end(&in));
    ASSERT_ERR(ERR_BAD_CERT_ID,
               call("get_cert", FIELD("endpoint", "static"), FIELD("serial", "0A"), &answer, &why), &why);
    ASSERT_ERR(ERR_BAD_REQUEST,
               call("get_cert", FIELD("endpoint", "no"), FIELD("serial", "0A"), &answer, &why), &why);
    hex_append(&issuer, world_issuer(world)->cert.subject);
    ASSERT_OK(call("get_crl", FIELD("endpoint", "static"), FIELD("issuer", buf_text(&issuer)), &answer, &why),
              &why);
    AUTO_BUF other = name_of("CN=Other CA"), other_hex = { 0 };
    hex_append(&other_hex, buf_bytes(&other));
    ASSERT_ERR(
        ERR_BAD_CERT_ID,
        call("get_crl", FIELD("endpoint", "static"), FIELD("issuer", buf_text(&other_hex)), &answer, &why),
        &why);
}

TEST(malformed_bodies_are_refused_by_every_verb)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < ca_verb_count; i++) {
        if (strcmp(ca_verbs[i].name, "status") == 0) /* reads no body */
            continue;
        const struct bytes bad[] = { BYTES_NONE, BYTES_LIT("\x30"), BYTES_LIT("\x05\x00"),
                                     BYTES_LIT("\x30\x00\x00"), BYTES_LIT("\x30\x02\x05\x00") };
        for (size_t b = 0; b < sizeof(bad) / sizeof(*bad); b++) {
            enum err err = call_raw(ca_verbs[i].name, bad[b], &answer, &why);
            if (err == OK)
                fail_msg("%s took malformed body %zu", ca_verbs[i].name, b);
        }
    }
}

TEST(no_verb_is_open_to_both_a_role_and_cli)
{
    for (size_t i = 0; i < ca_verb_count; i++)
        assert_true(!strstr(ca_verbs[i].principals, "cli") || strcmp(ca_verbs[i].principals, "cli") == 0);
}

/* --- half-configured --- */

static enum err endpoint_with(struct endpoint_params params, struct why *why)
{
    params.name = params.name ? params.name : "new";
    params.issuer = params.issuer ? params.issuer : "issuing";
    return ca_add_endpoint(world->ca, &params, why);
}

TEST(an_endpoint_without_a_working_validator_is_refused)
{
    struct why why = { 0 };
    char path[128];
    ASSERT_ERR(ERR_CONFIG, endpoint_with((struct endpoint_params){ .validator = "" }, &why), &why);
    ASSERT_ERR(ERR_CONFIG, endpoint_with((struct endpoint_params){ .validator = NULL }, &why), &why);
    ASSERT_ERR(ERR_CONFIG, endpoint_with((struct endpoint_params){ .validator = "none" }, &why), &why);
    ASSERT_ERR(ERR_CONFIG, endpoint_with((struct endpoint_params){ .validator = "one-time" }, &why), &why);
    ASSERT_ERR(ERR_CONFIG, endpoint_with((struct endpoint_params){ .validator = "manual" }, &why), &why);
    ASSERT_ERR(ERR_CONFIG, endpoint_with((struct endpoint_params){ .validator = "static" }, &why), &why);
    snprintf(path, sizeof(path), "%s/static-new", world->folder);
    ASSERT_ERR(ERR_CONFIG,
               endpoint_with((struct endpoint_params){ .validator = "static", .static_path = path }, &why),
               &why);
    assert_non_null(strstr(why.text, "chancery password set new"));
    ASSERT_OK(file_write(path, BYTES_LIT("00ff"), 0400, &why), &why);
    ASSERT_ERR(ERR_KEY,
               endpoint_with((struct endpoint_params){ .validator = "static", .static_path = path }, &why),
               &why);
    ASSERT_OK(file_write(path, BYTES_LIT(""), 0400, &why), &why);
    ASSERT_ERR(ERR_KEY,
               endpoint_with((struct endpoint_params){ .validator = "static", .static_path = path }, &why),
               &why);
    ASSERT_ERR(
        ERR_CONFIG,
        endpoint_with((struct endpoint_params){ .name = "static", .validator = "manual", .pending_max = 1 },
                      &why),
        &why);
    ASSERT_ERR(
        ERR_CONFIG,
        endpoint_with((struct endpoint_params){ .issuer = "nobody", .validator = "manual", .pending_max = 1 },
                      &why),
        &why);
    assert_null(ca_find_endpoint(world->ca, BYTES_LIT("new")));
}

TEST(a_slot_must_name_a_published_template)
{
    struct why why = { 0 };
    ASSERT_OK(endpoint_with((struct endpoint_params){ .validator = "manual",
                                                      .pending_max = 1,
                                                      .slots = { "CEPEncryption", NULL, NULL } },
                            &why),
              &why);
    DEVICE(device, .subject = "CN=one", .extensions = BYTES_NONE);
    AUTO_BUF usage = key_usage_of(KU_DIGITAL_SIGNATURE);
    device_ask(&device, &(struct ask){ .subject = "CN=one", .extensions = buf_bytes(&usage) });
    AUTO_VAL(enrolled) got = { 0 };
    ASSERT_OK(ca_check_slots(world->ca, &why),
              &why); /* the role runs: unpublishing is a way to stop an endpoint */
    ASSERT_ERR(ERR_TEMPLATE, device_enroll(world, &device, "new", &got, &why), &why);
    assert_non_null(strstr(why.text, "not published"));
}

TEST(a_slot_must_name_a_template_that_is_there)
{
    struct why why = { 0 };
    ASSERT_OK(endpoint_with((struct endpoint_params){ .validator = "manual",
                                                      .pending_max = 1,
                                                      .slots = { NULL, NULL, "NoSuch" } },
                            &why),
              &why);
    ASSERT_ERR(ERR_TEMPLATE, ca_check_slots(world->ca, &why), &why);
    assert_non_null(strstr(why.text, "there is no template NoSuch"));
}

TEST(a_slot_that_holds_a_display_name_is_refused_and_told_the_name)
{
    struct why why = { 0 };
    ASSERT_OK(endpoint_with((struct endpoint_params){ .validator = "manual",
                                                      .pending_max = 1,
                                                      .slots = { NULL, NULL, "SCEP device" } },
                            &why),
              &why);
    ASSERT_ERR(ERR_TEMPLATE, ca_check_slots(world->ca, &why), &why);
    assert_non_null(strstr(why.text, "is the display name of the template SCEPDevice"));
}

TEST(a_new_password_counts_after_reload_and_a_lost_file_keeps_the_old_one)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    DEVICE(fresh, .subject = "CN=two", .challenge = "new secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    uint8_t mac[32];
    char path[128];
    AUTO_BUF text = { 0 };
    snprintf(path, sizeof(path), "%s/static-static", world->folder);
    assert_int_equal(0, unlink(path));
    ASSERT_ERR(ERR_CONFIG, ca_reload(world->ca, &why), &why);
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    ASSERT_OK(challenge_mac(&world->challenge_key, BYTES_LIT("new secret"), mac, &why), &why);
    hex_append(&text, BYTES_ARR(mac));
    ASSERT_OK(file_write(path, buf_bytes(&text), 0400, &why), &why);
    ASSERT_ERR(ERR_CHALLENGE_WRONG, device_enroll(world, &fresh, "static", &got, &why), &why);
    ASSERT_OK(ca_reload(world->ca, &why), &why);
    enrolled_free(&got);
    ASSERT_OK(device_enroll(world, &fresh, "static", &got, &why), &why);
}

TEST(a_ca_certificate_must_be_a_cas)
{
    struct why why = { 0 };
    DEVICE(device, .subject = "CN=one");
    struct issuer_params params = { .name = "second", .certificate = buf_bytes(&device.self_signed) };
    ASSERT_ERR(ERR_CONFIG, ca_add_issuer(world->ca, &params, &why), &why);
    params.certificate = buf_bytes(&world->ca_cert);
    ASSERT_OK(ca_add_issuer(world->ca, &params, &why), &why);
    ASSERT_ERR(ERR_CONFIG, ca_add_issuer(world->ca, &params, &why), &why);
    ASSERT_OK(rights_open(world->ca, &why), &why);
    AUTO_BUF answer = { 0 };
    ASSERT_OK(call("cert_list", NOTHING, NOTHING, &answer, &why),
              &why); /* the one that all endpoints issue from */
    ASSERT_OK(call("cert_list", FIELD("ca", "second"), NOTHING, &answer, &why), &why);
    ASSERT_OK(
        endpoint_with((struct endpoint_params){ .issuer = "second", .validator = "manual", .pending_max = 1 },
                      &why),
        &why);
    ASSERT_ERR(ERR_USAGE, call("cert_list", NOTHING, NOTHING, &answer, &why), &why);
}

TEST(nothing_is_issued_outside_the_cas_own_validity_nor_beyond_it)
{
    DEVICE(late, .subject = "CN=one", .challenge = "secret");
    DEVICE(later, .subject = "CN=two", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    int64_t ends = world_issuer(world)->cert.not_after;
    world->clock.held = ends - 100;
    ASSERT_OK(device_enroll(world, &late, "static", &got, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    assert_int_equal(ends, cert.not_after);
    world->clock.held = ends;
    ASSERT_ERR(ERR_UNAVAILABLE, device_enroll(world, &later, "static", &got, &why), &why);
    world->clock.held = world_issuer(world)->cert.not_before - 1;
    ASSERT_ERR(ERR_UNAVAILABLE, device_enroll(world, &later, "static", &got, &why), &why);
}

RUN(W(a_request_comes_in_as_a_frame_and_a_certificate_goes_out),
    W(refusals_before_acceptance_stay_in_memory_and_are_bounded),
    W(what_the_signer_says_of_itself_is_passed_on), W(certificates_are_listed_shown_exported_and_revoked),
    W(lists_are_read_in_pages_and_each_row_is_in_one), W(a_page_of_long_rows_is_shorter_and_fits_a_frame),
    W(requests_are_listed_by_one_disposition_or_several),
    W(certificates_that_expire_soon_are_listed_the_first_one_first), W(a_span_is_hours_or_days),
    W(serials_are_taken_in_either_case_with_colons_spaces_0x_and_leading_zeros),
    W(passwords_are_made_for_one_time_endpoints_alone), W(approve_and_deny_by_verb),
    W(va_is_told_the_status_of_a_serial_and_what_changes), W(va_fetches_a_crl_that_it_does_not_have_yet),
    W(templates_are_listed_and_shown), W(scep_fetches_certificates_and_crls_of_its_endpoints_ca),
    W(malformed_bodies_are_refused_by_every_verb), W(no_verb_is_open_to_both_a_role_and_cli),
    W(an_endpoint_without_a_working_validator_is_refused), W(a_slot_must_name_a_published_template),
    W(a_slot_must_name_a_template_that_is_there),
    W(a_slot_that_holds_a_display_name_is_refused_and_told_the_name),
    W(a_new_password_counts_after_reload_and_a_lost_file_keeps_the_old_one),
    W(a_ca_certificate_must_be_a_cas), W(nothing_is_issued_outside_the_cas_own_validity_nor_beyond_it))

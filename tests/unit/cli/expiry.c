/* SPDX-License-Identifier: Apache-2.0 */
/* remind's and metrics' view of the roles, with roles that say what a test wants. */
#include "tests/unit/config/helper.h"

#include "ca/verbs.h"
#include "cli/call.h"
#include "cli/expiry.h"

#define NOW 1795860000 /* 2026-11-28T10:00:00Z */
#define DAY 86400

/* What the roles say; a test fills it in. These functions stand in for cli/call.c. */
static struct world {
    struct config *config;
    struct buf ca, scep, va, listed; /* answers; empty: the role cannot be reached */
} world;

enum err cli_config(struct cli *cli, const struct config **ret, struct why *why)
{
    (void)cli, (void)why;
    *ret = world.config;
    return OK;
}

enum err cli_call(struct cli *cli, const char *role, const char *verb, struct bytes body,
                  struct buf *ret_answer, struct why *why)
{
    (void)cli, (void)body;
    const struct buf *answer = strcmp(verb, "cert_list") == 0 ? &world.listed
                               : strcmp(role, "ca") == 0      ? &world.ca
                               : strcmp(role, "va") == 0      ? &world.va
                                                              : &world.scep;
    if (!answer->len)
        return fail(why, ERR_UNAVAILABLE, "%s is away", role);
    *ret_answer = buf_dup(buf_bytes(answer));
    return OK;
}

enum err cli_ask(struct cli *cli, struct cli_question *questions, size_t count, struct why *why)
{
    (void)why;
    for (struct cli_question *each = questions; each < questions + count; each++)
        each->err = cli_call(cli, each->role, each->verb, each->body, &each->answer, &each->why);
    return OK;
}

enum err cli_operands(int argc, int count, struct why *why)
{
    return argc - 1 == count ? OK : fail(why, ERR_USAGE, "operands");
}

static void world_clear(void)
{
    config_free(world.config);
    buf_free(&world.ca);
    buf_free(&world.scep);
    buf_free(&world.va);
    buf_free(&world.listed);
    world = (struct world){ 0 };
}

/* One CA, and roles that serve but have nothing to say. */
static void world_begin(void)
{
    world_clear();
    world.config = load(CA);
    struct buf *const answers[] = { &world.ca, &world.scep, &world.va, &world.listed };
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
        records_end(answers[i], records_begin(answers[i]));
}

/* An answer of one record with these fields, NULL-terminated. */
static void answer_set(struct buf *answer, const char *const *fields)
{
    buf_free(answer);
    size_t list = records_begin(answer), mark = record_begin(answer);
    for (; *fields; fields += 2)
        record_put_str(answer, fields[0], fields[1]);
    record_end(answer, mark);
    records_end(answer, list);
}
#define ANSWER(answer, ...) answer_set(answer, (const char *const[]){ __VA_ARGS__, NULL })

static struct expiries collected(void)
{
    static const struct expiry_span span = { "30d", NOW, 30 * DAY };
    struct cli cli = { 0 };
    struct expiries expiries;
    struct why why;
    ASSERT_OK(expiries_collect(&cli, &span, &expiries, &why), &why);
    return expiries;
}

static void assert_first(const struct expiries *expiries, const char *field, const char *expected)
{
    struct der_reader list;
    struct record record;
    struct bytes value;
    assert_true(records_get(buf_bytes(&expiries->list), &list, NULL) == OK && records_next(&list, &record));
    assert_true(record_find(&record, field, &value));
    ASSERT_BYTES(value, bytes_str(expected));
}

TEST(a_certificate_in_use_counts_from_the_span_s_last_second_on)
{
    world_begin();
    ANSWER(&world.scep, "endpoint", "default", "ra_not_after", "2026-12-28T10:00:01Z");
    AUTO_VAL(expiries) later = collected();
    assert_int_equal(later.count, 0);
    ANSWER(&world.scep, "endpoint", "default", "ra_not_after", "2026-12-28T10:00:00Z");
    AUTO_VAL(expiries) now = collected();
    assert_int_equal(now.count, 1);
    assert_first(&now, "kind", "ra");
    assert_first(&now, "of", "default");
    assert_first(&now, "expires", "2026-12-28T10:00:00Z");
    world_clear();
}

TEST(an_ocsp_certificate_is_of_its_ca)
{
    world_begin();
    ANSWER(&world.va, "ca", "issuing", "ocsp_not_after", "2026-12-01T10:00:00Z");
    AUTO_VAL(expiries) expiries = collected();
    assert_int_equal(expiries.count, 1);
    assert_first(&expiries, "kind", "ocsp");
    assert_first(&expiries, "of", "issuing");
    /* It renews itself a week before its end: until that is late there is nothing to tell. */
    ANSWER(&world.va, "ca", "issuing", "ocsp_not_after", "2026-12-08T10:00:00Z");
    AUTO_VAL(expiries) early = collected();
    assert_int_equal(early.count, 0);
    world_clear();
}

TEST(the_crl_of_an_offline_root_is_told_by_its_file)
{
    world_begin();
    ANSWER(&world.va, "file", "root.crl", "crl_not_after", "2026-12-20T10:00:00Z");
    AUTO_VAL(expiries) crl = collected();
    assert_int_equal(crl.count, 1);
    assert_first(&crl, "kind", "crl");
    assert_first(&crl, "of", "root.crl");
    ANSWER(&world.va, "file", "root.crt", "certificate_not_after", "2026-12-20T10:00:00Z");
    AUTO_VAL(expiries) certificate = collected();
    assert_first(&certificate, "kind", "certificate");
    assert_first(&certificate, "of", "root.crt");
    world_clear();
}

TEST(one_that_has_ended_is_told_too)
{
    world_begin();
    ANSWER(&world.ca, "ca", "issuing", "ca_expires", "2020-01-01T00:00:00Z");
    AUTO_VAL(expiries) expiries = collected();
    assert_int_equal(expiries.count, 1);
    assert_first(&expiries, "kind", "ca");
    world_clear();
}

TEST(ends_that_are_none_are_not_told)
{
    world_begin();
    ANSWER(&world.scep, "endpoint", "", "tls_not_after", "", "ra_not_after", "soon");
    ANSWER(&world.ca, "ca_expires", "2026-11-29T00:00:00Z"); /* of which CA? */
    AUTO_VAL(expiries) expiries = collected();
    assert_int_equal(expiries.count, 0);
    assert_int_equal(expiries.failed, 0);
    world_clear();
}

TEST(what_is_the_service_s_own_is_not_told_twice)
{
    world_begin();
    ANSWER(&world.listed, "requester", "init", "subject", "CN=tls", "expires", "2026-11-29T00:00:00Z");
    AUTO_VAL(expiries) own = collected();
    assert_int_equal(own.count, 0);
    ANSWER(&world.listed, "requester", "role/va", "subject", "CN=ocsp", "expires", "2026-11-29T00:00:00Z");
    AUTO_VAL(expiries) role = collected();
    assert_int_equal(role.count, 0);
    ANSWER(&world.listed, "requester", "endpoint/role", "subject", "CN=laptop", "expires",
           "2026-11-29T00:00:00Z");
    AUTO_VAL(expiries) device = collected();
    assert_int_equal(device.count, 1);
    assert_first(&device, "kind", "issued");
    assert_first(&device, "subject", "CN=laptop");
    world_clear();
}

/* more: as a page ends that is not the last one. */
static void list_of(size_t count, bool more)
{
    buf_free(&world.listed);
    size_t list = records_begin(&world.listed);
    for (size_t i = 0; i < count; i++) {
        size_t mark = record_begin(&world.listed);
        record_put_str(&world.listed, "expires", "2026-11-29T00:00:00Z");
        record_end(&world.listed, mark);
    }
    if (more) {
        size_t mark = record_begin(&world.listed);
        record_put_str(&world.listed, "more", "");
        record_end(&world.listed, mark);
    }
    records_end(&world.listed, list);
}

TEST(a_list_that_is_not_whole_says_that_there_are_more)
{
    world_begin();
    list_of(LIST_MAX, false);
    AUTO_VAL(expiries) whole = collected();
    assert_int_equal(whole.count, LIST_MAX);
    assert_false(whole.more);
    list_of(LIST_MAX, true);
    AUTO_VAL(expiries) page = collected();
    assert_int_equal(page.count, LIST_MAX);
    assert_true(page.more);
    world_clear();
}

TEST(who_does_not_answer_is_named_and_counted)
{
    world_begin();
    buf_free(&world.scep);
    AUTO_VAL(expiries) one = collected();
    assert_int_equal(one.asked, 4);
    assert_int_equal(one.failed, 1);
    assert_string_equal(buf_text(&one.missing), "scep: scep is away");
    buf_free(&world.ca);
    buf_free(&world.va);
    buf_free(&world.listed);
    AUTO_VAL(expiries) all = collected();
    assert_int_equal(all.failed, all.asked);
    assert_string_equal(buf_text(&all.missing), "ca: ca is away; scep: scep is away; va: va is away; "
                                                "certificates of issuing: ca is away");
    world_clear();
}

TEST(an_answer_that_cannot_be_read_is_no_answer)
{
    world_begin();
    ANSWER(&world.listed, "subject", "CN=a");
    AUTO_VAL(expiries) endless = collected();
    assert_int_equal(endless.failed, 1);
    buf_clear(&world.scep);
    buf_append_str(&world.scep, "no record");
    AUTO_VAL(expiries) garbage = collected();
    assert_int_equal(garbage.failed, 2);
    world_clear();
}

/* --- metrics --- */

static char *metrics_text(enum err expected)
{
    extern const struct command command_metrics;
    char folder[] = "/tmp/chancery-metrics-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_STR path = xasprintf("%s/a.prom", folder);
    char *argv[] = { "metrics", "--out", path, NULL };
    struct cli cli = { 0 };
    struct why why;
    AUTO_BUF text = { 0 };
    optind = 0;
    ASSERT_ERR(expected, command_metrics.run(&cli, 3, argv, &why), &why);
    ASSERT_OK(file_read(path, 65536, &text, &why), &why);
    unlink(path);
    rmdir(folder);
    return xstrdup(buf_text(&text));
}

TEST(labels_are_escaped_and_what_is_no_number_is_left_out)
{
    world_begin();
    ANSWER(&world.ca, "ca", "a\"b\\c\nd", "valid", "7", "revoked", "many", "crl_next_update", "",
           "crl_number", "-1");
    AUTO_STR text = metrics_text(OK);
    assert_non_null(strstr(text, "\nchancery_certificates{ca=\"a\\\"b\\\\c\\nd\",status=\"valid\"} 7\n"));
    assert_null(strstr(text, "many"));
    assert_null(strstr(text, "chancery_crl_number{"));
    assert_null(strstr(text, "chancery_crl_next_update_timestamp_seconds{"));
    world_clear();
}

TEST(a_total_of_the_role_is_counted_once)
{
    world_begin();
    buf_free(&world.ca);
    size_t list = records_begin(&world.ca);
    for (int i = 0; i < 2; i++) {
        size_t mark = record_begin(&world.ca);
        record_put_str(&world.ca, "ca", i ? "node" : "issuing");
        record_put_int(&world.ca, "refused_since_start", 3);
        record_end(&world.ca, mark);
    }
    records_end(&world.ca, list);
    AUTO_STR text = metrics_text(OK);
    const char *first = strstr(text, "\nchancery_requests_refused_total 3\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\nchancery_requests_refused_total "));
    world_clear();
}

TEST(metrics_are_written_also_when_a_role_is_down)
{
    world_begin();
    buf_free(&world.scep);
    AUTO_STR one = metrics_text(ERR_PARTIAL);
    assert_non_null(strstr(one, "\nchancery_up{role=\"ca\"} 1\nchancery_up{role=\"scep\"} 0\n"));
    buf_free(&world.ca);
    buf_free(&world.va);
    AUTO_STR none = metrics_text(ERR_UNAVAILABLE);
    assert_non_null(strstr(none, "\nchancery_up{role=\"ca\"} 0\nchancery_up{role=\"scep\"} 0\n"));
    world_clear();
}

RUN(T(a_certificate_in_use_counts_from_the_span_s_last_second_on), T(an_ocsp_certificate_is_of_its_ca),
    T(the_crl_of_an_offline_root_is_told_by_its_file), T(one_that_has_ended_is_told_too),
    T(ends_that_are_none_are_not_told), T(what_is_the_service_s_own_is_not_told_twice),
    T(a_list_that_is_not_whole_says_that_there_are_more), T(who_does_not_answer_is_named_and_counted),
    T(an_answer_that_cannot_be_read_is_no_answer), T(labels_are_escaped_and_what_is_no_number_is_left_out),
    T(a_total_of_the_role_is_counted_once), T(metrics_are_written_also_when_a_role_is_down))

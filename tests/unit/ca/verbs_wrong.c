/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator asks wrongly: nothing is changed, and the error names the rule, what was given and what is allowed. */
#include "base/limits.h"
#include "tests/unit/ca/verb_ask.h"

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

struct wrong {
    const char *verb, *field, *value; /* field NULL: nothing is said */
    enum err err;
    const char *says;
};

/* Beside an id, where the verb wants one and the field is another. */
static void wrongly(const struct wrong *wrong, const char *id)
{
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    const char *const fields[] = { wrong->field ? wrong->field
                                   : id         ? "id"
                                                : NULL,
                                   wrong->field ? wrong->value : id, wrong->field && id ? "id" : NULL, id,
                                   NULL };
    ASSERT_ERR(wrong->err, ask_fields(world, wrong->verb, fields, &answer, &why), &why);
    if (!strstr(why.text, wrong->says))
        fail_msg("%s %s=%.20s: \"%s\" lacks \"%s\"", wrong->verb, wrong->field, wrong->value, why.text,
                 wrong->says);
}

static const char *const deciding[] = { "request_approve", "request_deny", "request_resubmit", "request_show",
                                        "request_export" };
#define DECIDING (sizeof(deciding) / sizeof(*deciding))
#define NUMBERS  "allowed: 1 to 9223372036854775807"

TEST(a_request_s_number_is_a_number_and_one_that_there_is)
{
    static const struct {
        const char *id;
        enum err err;
        const char *says;
    } cases[] = {
        { "2", ERR_NOT_FOUND, "ca issuing has no request 2" },
        { "9223372036854775807", ERR_NOT_FOUND, "ca issuing has no request 9223372036854775807" },
        { "9223372036854775808", ERR_USAGE, "id is \"9223372036854775808\", " NUMBERS },
        { "99999999999999999999999999", ERR_USAGE, "id is \"99999999999999999999999999\", " NUMBERS },
        { "0", ERR_USAGE, "id is \"0\", " NUMBERS },
        { "-1", ERR_USAGE, "id is \"-1\", " NUMBERS },
        { "-9223372036854775809", ERR_USAGE, "id is \"-9223372036854775809\", " NUMBERS },
        { "", ERR_USAGE, "id is \"\", " NUMBERS },
        { "one", ERR_USAGE, "id is \"one\", " NUMBERS },
        { "1x", ERR_USAGE, "id is \"1x\", " NUMBERS },
        { " 1", ERR_USAGE, "id is \" 1\", " NUMBERS },
        { "+1", ERR_USAGE, "id is \"+1\", " NUMBERS },
        { "1,2", ERR_USAGE, "id is \"1,2\", " NUMBERS },
        { "0x1", ERR_USAGE, "id is \"0x1\", " NUMBERS },
    };
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    for (size_t v = 0; v < DECIDING; v++) {
        const struct wrong none = { deciding[v], NULL, NULL, ERR_USAGE, "the field id is missing" };
        wrongly(&none, NULL);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            const struct wrong wrong = { deciding[v], "id", cases[i].id, cases[i].err, cases[i].says };
            wrongly(&wrong, NULL);
        }
        const struct wrong elsewhere = { deciding[v], "ca", "nowhere", ERR_NOT_FOUND,
                                         "there is no ca nowhere" };
        wrongly(&elsewhere, "1");
    }
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'pending'"));
}

static void state_becomes(const char *disposition)
{
    AUTO_STR sql = xasprintf("UPDATE request SET disposition = '%s';", disposition);
    world_exec(world, sql);
}

/* What is decided already as it is asked for is no error, but changes nothing either. */
TEST(a_request_in_another_state_stays_as_it_is)
{
    static const struct {
        const char *state, *verb, *says; /* NULL: fine */
    } cases[] = {
        { "issued", "request_approve", NULL },
        { "denied", "request_approve", "request 1 is denied, not pending" },
        { "failed", "request_approve", "request 1 is failed, not pending" },
        { "issued", "request_deny", "request 1 is issued, not pending" },
        { "failed", "request_deny", "request 1 is failed, not pending" },
        { "sealing", "request_deny", "request 1 is sealing, not pending" },
        { "denied", "request_deny", NULL },
        { "pending", "request_resubmit", "request 1 is pending: approve it or deny it" },
    };
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_BUF answer = { 0 };
        const struct wrong wrong = { cases[i].verb, NULL, NULL, ERR_WRONG_STATE, cases[i].says };
        state_becomes(cases[i].state);
        if (cases[i].says)
            wrongly(&wrong, "1");
        else
            ASSERT_OK(CALL(cases[i].verb, &answer, &why, "id", "1"), &why);
        AUTO_STR same = xasprintf("SELECT COUNT(*) FROM request WHERE disposition = '%s'", cases[i].state);
        assert_int_equal(1, world_count(world, same));
    }
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM audit WHERE action IN ('approve', 'deny')"));
}

static char *text_of(size_t length)
{
    char *text = xcalloc(length + 1, 1);
    memset(text, 'r', length);
    return text;
}

TEST(a_reason_that_is_too_long_denies_nothing)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    AUTO_STR longest = text_of(LIMIT_DENIAL_REASON_BYTES);
    AUTO_STR longer = text_of(LIMIT_DENIAL_REASON_BYTES + 1);
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    const struct wrong wrong = { "request_deny", "reason", longer, ERR_USAGE,
                                 "the reason has 401 bytes, limit 400" };
    wrongly(&wrong, "1");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'pending'"));
    ASSERT_OK(CALL("request_deny", &answer, &why, "id", "1", "reason", longest), &why);
    answer_assert(&answer, "reason", longest);
}

/* Each octet of it takes four in the store. */
TEST(the_longest_reason_is_kept_whole_whatever_is_in_it)
{
    DEVICE(device, .subject = "CN=one");
    AUTO_VAL(enrolled) got = { 0 };
    AUTO_BUF answer = { 0 }, escaped = { 0 };
    struct why why = { 0 };
    AUTO_STR reason = text_of(LIMIT_DENIAL_REASON_BYTES);
    memset(reason, '\n', LIMIT_DENIAL_REASON_BYTES);
    for (int i = 0; i < LIMIT_DENIAL_REASON_BYTES; i++)
        buf_printf(&escaped, "\\x0A");
    ASSERT_OK(device_enroll(world, &device, "manual", &got, &why), &why);
    ASSERT_OK(CALL("request_deny", &answer, &why, "id", "1", "reason", reason), &why);
    answer_assert(&answer, "reason", buf_text(&escaped));
}

TEST(a_flag_is_one_that_there_is_and_is_said_to_be_on_or_off)
{
    static const struct wrong cases[] = {
        { "ca_flags", "flag", "", ERR_USAGE, "flag is \"\", wanted: + or - and a name" },
        { "ca_flags", "flag", "EDITF_ATTRIBUTEENDDATE", ERR_USAGE,
          "flag is \"EDITF_ATTRIBUTEENDDATE\", wanted: + or - and a name" },
        { "ca_flags", "flag", "+", ERR_USAGE, "there is no flag \"\"; there is EDITF_ATTRIBUTEENDDATE" },
        { "ca_flags", "flag", "-", ERR_USAGE, "there is no flag \"\"; there is EDITF_ATTRIBUTEENDDATE" },
        { "ca_flags", "flag", "+EDITF_ATTRIBUTESUBJECTALTNAME2", ERR_USAGE,
          "there is no flag \"EDITF_ATTRIBUTESUBJECTALTNAME2\"; there is EDITF_ATTRIBUTEENDDATE" },
        { "ca_flags", "flag", "+editf_attributeenddate", ERR_USAGE, "there is no flag" },
        { "ca_flags", "flag", "+EDITF_ATTRIBUTEENDDATE ", ERR_USAGE, "there is no flag" },
        { "ca_flags", "flag", "++EDITF_ATTRIBUTEENDDATE", ERR_USAGE, "there is no flag" },
        { "ca_flags", "ca", "nowhere", ERR_NOT_FOUND, "there is no ca nowhere" },
    };
    AUTO_STR name = text_of(3000);
    *name = '+';
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        wrongly(&cases[i], NULL);
    const struct wrong endless = { "ca_flags", "flag", name, ERR_USAGE, "; there is EDITF_ATTRIBUTEENDDATE" };
    wrongly(&endless, NULL);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM ca_setting WHERE name LIKE 'EDITF%'"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'ca_flags'"));
}

#define DISPOSITIONS "allowed: issued pending denied failed sealing"

TEST(what_a_list_of_requests_is_asked_for_is_judged)
{
    static const struct wrong cases[] = {
        { "request_list", "status", "Failed", ERR_USAGE, "status is \"Failed\", " DISPOSITIONS },
        { "request_list", "status", "failed,", ERR_USAGE, "status is \"\", " DISPOSITIONS },
        { "request_list", "status", "failed pending", ERR_USAGE,
          "status is \"failed pending\", " DISPOSITIONS },
        { "request_list", "status", "failed,revoked", ERR_USAGE, "status is \"revoked\", " DISPOSITIONS },
        { "request_list", "status", "failed,failed,failed,failed,failed,failed,failed", ERR_USAGE,
          "status has 7 words, limit 5" },
        { "request_list", "limit", "0", ERR_USAGE, "limit is \"0\", allowed: 1 to 1000" },
        { "request_list", "limit", "-1", ERR_USAGE, "limit is \"-1\", allowed: 1 to 1000" },
        { "request_list", "limit", "1001", ERR_USAGE, "limit is \"1001\", allowed: 1 to 1000" },
        { "request_list", "limit", "18446744073709551617", ERR_USAGE,
          "limit is \"18446744073709551617\", allowed: 1 to 1000" },
        { "request_list", "limit", "", ERR_USAGE, "limit is \"\", allowed: 1 to 1000" },
        { "request_list", "before", "0", ERR_USAGE, "before is \"0\", " NUMBERS },
        { "request_list", "before", "-3", ERR_USAGE, "before is \"-3\", " NUMBERS },
        { "request_list", "before", "9223372036854775808", ERR_USAGE,
          "before is \"9223372036854775808\", " NUMBERS },
        { "request_list", "ca", "nowhere", ERR_NOT_FOUND, "there is no ca nowhere" },
        { "refusal_list", "limit", "0", ERR_USAGE, "limit is \"0\", allowed: 1 to 1000" },
        { "refusal_list", "limit", "many", ERR_USAGE, "limit is \"many\", allowed: 1 to 1000" },
    };
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    AUTO_STR endless = text_of(3000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        wrongly(&cases[i], NULL);
    const struct wrong word = { "request_list", "status", endless, ERR_USAGE, "r\", " DISPOSITIONS };
    wrongly(&word, NULL);
    const struct wrong number = { "request_list", "limit", endless, ERR_USAGE, "r\", allowed: 1 to 1000" };
    wrongly(&number, NULL);
    ASSERT_OK(CALL("request_list", &answer, &why, "status", "failed,issued,pending,denied,sealing", "limit",
                   "1000", "before", "9223372036854775807"),
              &why);
    ASSERT_OK(CALL("request_list", &answer, &why, "limit", "1", "before", "1"), &why);
}

RUN(W(a_request_s_number_is_a_number_and_one_that_there_is), W(a_request_in_another_state_stays_as_it_is),
    W(a_reason_that_is_too_long_denies_nothing), W(the_longest_reason_is_kept_whole_whatever_is_in_it),
    W(a_flag_is_one_that_there_is_and_is_said_to_be_on_or_off),
    W(what_a_list_of_requests_is_asked_for_is_judged))

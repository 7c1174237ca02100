/* SPDX-License-Identifier: Apache-2.0 */
/* Frames between scep and ca about other SCEP servers: what cannot be understood is never a yes. */
#include "ipc/registration.h"

#include "base/auto.h"
#include "base/limits.h"
#include "tests/unit/test.h"

static enum err answer_of(const char *verified, const char *again, const char *error,
                          struct registration_answer *ret, struct why *why)
{
    AUTO_BUF der = { 0 };
    size_t mark = record_begin(&der);
    if (verified)
        record_put_str(&der, "verified", verified);
    if (again)
        record_put_str(&der, "again", again);
    record_put_str(&der, "request", "7");
    if (error)
        record_put_str(&der, "error", error);
    record_end(&der, mark);
    return registration_answer_get(buf_bytes(&der), ret, why);
}

TEST(an_answer_is_read_back)
{
    struct registration_answer answer = { .verified = true, .again = true, .request_id = 12 }, read;
    struct registration_answer refusal = { .error = ERR_CHALLENGE_USED, .reason = "used" };
    struct why why = { 0 };
    AUTO_BUF yes = { 0 }, no = { 0 };
    registration_answer_put(&yes, &answer);
    registration_answer_put(&no, &refusal);
    ASSERT_OK(registration_answer_get(buf_bytes(&yes), &read, &why), &why);
    assert_true(read.verified && read.again && read.request_id == 12);
    ASSERT_OK(registration_answer_get(buf_bytes(&no), &read, &why), &why);
    assert_false(read.verified);
    assert_int_equal(ERR_CHALLENGE_USED, read.error);
    assert_string_equal("used", read.reason);
}

TEST(what_is_neither_true_nor_false_is_no_answer)
{
    struct registration_answer read;
    struct why why = { 0 };
    ASSERT_OK(answer_of("true", "false", "OK", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("yes", "false", "OK", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("", "false", "OK", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of(NULL, "false", "OK", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("true", "no", "OK", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("true", "false", NULL, &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("true", "false", "ERR_CHALLENGE_USED", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("true", "false", "NONSENSE", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, answer_of("false", "false", "OK", &read, &why), &why);
    ASSERT_ERR(ERR_PROTOCOL, registration_answer_get(BYTES_NONE, &read, &why), &why);
}

static enum err claim_of(const struct registration_of *of, size_t csr, struct why *why)
{
    AUTO_BUF der = { 0 };
    AUTO_VAL(registration_claim) claim = { .of = *of }, read = { 0 };
    for (size_t i = 0; i < csr; i++)
        buf_append_byte(&claim.csr, (uint8_t)i);
    registration_claim_put(&der, &claim);
    return registration_claim_get(buf_bytes(&der), &read, why);
}

TEST(each_field_of_a_claim_has_its_limit)
{
    const struct registration_of of = { BYTES_LIT("issuing"), BYTES_LIT("ndes1.example.net"),
                                        BYTES_LIT("251E59"), BYTES_LIT("192.0.2.7") };
    struct registration_of wrong = of;
    struct why why = { 0 };
    AUTO_STR long_id = xasprintf("%0*d", LIMIT_TRANSACTION_ID_BYTES + 1, 0);
    AUTO_STR long_name = xasprintf("%0*d", REGISTRATION_SERVER_BYTES + 1, 0);
    ASSERT_OK(claim_of(&of, LIMIT_CSR_BYTES, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, claim_of(&of, LIMIT_CSR_BYTES + 1, &why), &why);
    ASSERT_ERR(ERR_MALFORMED, claim_of(&of, 0, &why), &why);
    wrong.transaction_id = BYTES_NONE;
    ASSERT_ERR(ERR_MALFORMED, claim_of(&wrong, 1, &why), &why);
    wrong.transaction_id = BYTES_LIT("1\n2");
    ASSERT_ERR(ERR_MALFORMED, claim_of(&wrong, 1, &why), &why);
    wrong.transaction_id = bytes_str(long_id);
    ASSERT_ERR(ERR_MALFORMED, claim_of(&wrong, 1, &why), &why);
    wrong = of;
    wrong.server = bytes_str(long_name);
    ASSERT_ERR(ERR_MALFORMED, claim_of(&wrong, 1, &why), &why);
    wrong.server = BYTES_LIT("ndes1 server=other");
    ASSERT_ERR(ERR_MALFORMED, claim_of(&wrong, 1, &why), &why);
    wrong.server = BYTES_NONE;
    ASSERT_ERR(ERR_MALFORMED, claim_of(&wrong, 1, &why), &why);
}

RUN(T(an_answer_is_read_back), T(what_is_neither_true_nor_false_is_no_answer),
    T(each_field_of_a_claim_has_its_limit))

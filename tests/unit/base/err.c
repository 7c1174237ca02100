/* SPDX-License-Identifier: Apache-2.0 */
/* The error table makes sense as a whole, and failing records its sentence. */
#include "tests/unit/test.h"

TEST(every_row_is_complete_and_in_range)
{
    for (int err = 0; err < ERR_COUNT; err++) {
        const struct err_row *row = err_row((enum err)err);
        assert_true(row->name[0] && row->text[0]);
        assert_true(row->scep_fail_info >= FAIL_NONE && row->scep_fail_info <= FAIL_BAD_CERT_ID);
        assert_true(row->http_status >= 200 && row->http_status <= 599);
        assert_true(row->exit_status >= 0 && row->exit_status <= 5);
        assert_non_null(row->api_code);
        assert_non_null(row->connector_code);
        assert_non_null(row->diagnosis);
        assert_non_null(row->remedy);
    }
}

TEST(a_retryable_error_never_has_a_final_answer)
{
    for (int err = 1; err < ERR_COUNT; err++) {
        const struct err_row *row = err_row((enum err)err);
        if (row->retryable && row->scep_fail_info != FAIL_NONE)
            fail_msg("%s may be retried, yet is a FAILURE for the device", row->name);
        if (row->retryable && row->http_status < 429)
            fail_msg("%s may be retried, yet answers %d", row->name, row->http_status);
        if (row->exit_status == 0)
            fail_msg("%s would end a command with 0", row->name);
    }
}

TEST(a_refusal_is_answered_with_failure_or_a_client_error)
{
    for (int err = 1; err < ERR_COUNT; err++) {
        const struct err_row *row = err_row((enum err)err);
        if (row->http_status == 200 && row->scep_fail_info == FAIL_NONE)
            fail_msg("%s is answered 200 without a failInfo", row->name);
    }
}

TEST(names_are_distinct_and_found)
{
    for (int err = 0; err < ERR_COUNT; err++) {
        const char *name = err_row((enum err)err)->name;
        assert_int_equal(err, err_by_name(name, strlen(name)));
    }
    assert_int_equal(ERR_INTERNAL, err_by_name("ERR_NONSENSE", 12));
    assert_int_equal(ERR_INTERNAL, err_by_name("ERR_IOX", 7));
    assert_int_equal(ERR_IO, err_by_name("ERR_IOX", 6));
    assert_int_equal(ERR_INTERNAL, err_by_name("", 0));
}

/* spec challenge.md has them all; what a client library compares is their spelling. */
static const char *const validation_codes[] = {
    "Success",
    "CertificateRequestDecodingFailed",
    "ChallengePasswordMissing",
    "ChallengeDeserializationError",
    "ChallengeDecryptionError",
    "ChallengeDecodingError",
    "ChallengeInvalidTimestamp",
    "ChallengeExpired",
    "SubjectNameMissing",
    "SubjectNameMismatch",
    "SubjectAltNameMissing",
    "SubjectAltNameMismatch",
    "KeyUsageMismatch",
    "KeyLengthMismatch",
    "EnhancedKeyUsageMissing",
    "EnhancedKeyUsageMismatch",
    "AadKeyIdentifierListMissing",
    "RegisteredKeyMismatch",
    "SigningCertThumbprintMismatch",
    "ScepProfileNoLongerTargetedToTheClient",
    "SignatureValidationFailed",
    "BadCertificateRequestIdInChallenge",
    "BadDeviceIdInChallenge",
    "BadUserIdInChallenge",
};
#define CODES (sizeof(validation_codes) / sizeof(*validation_codes))

TEST(each_code_of_the_validation_api_has_a_row_and_no_other_is_used)
{
    int rows_of[CODES] = { 0 };
    for (int err = 0; err < ERR_COUNT; err++) {
        const char *code = err_row((enum err)err)->api_code;
        size_t i = 0;
        while (i < CODES && strcmp(code, validation_codes[i]) != 0)
            i++;
        if (i < CODES)
            rows_of[i]++;
        else if (*code)
            fail_msg("%s has the code %s, which the API does not know", err_row((enum err)err)->name, code);
    }
    for (size_t i = 0; i < CODES; i++) {
        if (!rows_of[i])
            fail_msg("no error has the code %s", validation_codes[i]);
    }
}

TEST(an_error_off_the_table_is_internal)
{
    assert_ptr_equal(err_row(ERR_INTERNAL), err_row(ERR_COUNT));
    assert_ptr_equal(err_row(ERR_INTERNAL), err_row((enum err) - 1));
}

TEST(a_remedy_of_its_own_lasts_until_the_next_failure)
{
    struct why why = { 0 };
    assert_int_equal(ERR_IO, fail_remedy(&why, "plug it in", ERR_IO, "no %s", "disk"));
    assert_string_equal("no disk", why.text);
    assert_string_equal("plug it in", why.remedy);
    assert_int_equal(ERR_USAGE, fail(&why, ERR_USAGE, "again: %s", why.text));
    assert_string_equal("again: no disk", why.text);
    assert_null(why.remedy);
    assert_int_equal(ERR_IO, fail_remedy(NULL, "plug it in", ERR_IO, "nobody listens"));
}

TEST(fail_records_the_error_and_the_sentence)
{
    struct why why = { 0 };
    assert_int_equal(ERR_LIMIT, fail(&why, ERR_LIMIT, "%d bytes, limit %d", 5, 4));
    assert_int_equal(ERR_LIMIT, why.err);
    assert_string_equal("5 bytes, limit 4", why.text);
    assert_int_equal(ERR_IO, fail(&why, ERR_IO, "file x: %s", why.text));
    assert_string_equal("file x: 5 bytes, limit 4", why.text);
    assert_int_equal(ERR_IO, fail(NULL, ERR_IO, "nobody listens"));
}

TEST(fail_cuts_a_sentence_that_is_too_long)
{
    struct why why = { 0 };
    assert_int_equal(ERR_IO, fail(&why, ERR_IO, "%0600d", 0));
    assert_int_equal(sizeof(why.text) - 1, strlen(why.text));
}

RUN(T(every_row_is_complete_and_in_range), T(a_retryable_error_never_has_a_final_answer),
    T(a_refusal_is_answered_with_failure_or_a_client_error), T(names_are_distinct_and_found),
    T(each_code_of_the_validation_api_has_a_row_and_no_other_is_used), T(an_error_off_the_table_is_internal),
    T(a_remedy_of_its_own_lasts_until_the_next_failure), T(fail_records_the_error_and_the_sentence),
    T(fail_cuts_a_sentence_that_is_too_long))

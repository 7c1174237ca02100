/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of problems. */
#include "mdm/problem.h"
#include "base/limits.h"
#include "tests/unit/mdm/fixture.h"

static void assert_shown(const struct problems *problems, size_t at, const char *wanted)
{
    AUTO_BUF text = { 0 };
    problem_append(&text, &problems->list[at]);
    assert_string_equal(buf_text(&text), wanted);
}

TEST(a_problem_says_field_value_and_rule)
{
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    ASSERT_OK(problems_judge(&problems, &why), &why);
    problem_warn(&problems, "key_size", BYTES_LIT("1024"), "too short");
    ASSERT_OK(problems_judge(&problems, &why), &why);
    problem_add(&problems, "key_size", BYTES_LIT("1000"), "must be %d", 2048);
    problem_absent(&problems, "name", "every profile has one");
    problem_add(&problems, "$", BYTES_NONE, "no JSON");
    assert_shown(&problems, 0, "key_size is \"1024\": too short");
    assert_shown(&problems, 1, "key_size is \"1000\": must be 2048");
    assert_shown(&problems, 2, "name is not there: every profile has one");
    assert_shown(&problems, 3, "no JSON");
    ASSERT_ERR(ERR_PROFILE, problems_judge(&problems, &why), &why);
    assert_string_equal(why.text, "key_size is \"1000\": must be 2048 (and 2 more)");
}

TEST(what_is_missing_is_said_only_if_nothing_was_said_of_it)
{
    AUTO_VAL(problems) problems = { 0 };
    problem_add(&problems, "eku[1].oid", BYTES_LIT("x"), "no OID");
    problem_absent(&problems, "eku", "at least one");
    problem_absent(&problems, "eku[1]", "at least one");
    assert_int_equal(problems.count, 1);
    problem_absent(&problems, "ek", "at least one");
    assert_int_equal(problems.count, 2);
}

TEST(values_are_cut_between_characters_and_make_no_lines)
{
    AUTO_VAL(problems) problems = { 0 };
    char at[121], past[123], accents[131];
    memset(at, 'a', 120);
    at[120] = '\0';
    memset(past, 'a', 121);
    past[121] = '\0';
    for (int i = 0; i < 65; i++)
        memcpy(accents + 2 * i, "\xc3\xbc", 2);
    memmove(accents + 1, accents, 130 - 1);
    accents[0] = 'a';
    accents[129] = '\0';
    problem_add(&problems, "x", bytes_str(at), "r");
    problem_add(&problems, "x", bytes_str(past), "r");
    problem_add(&problems, "x", bytes_str(accents), "r");
    problem_add(&problems, "a\nb", BYTES_LIT("c\r\nd\x1b"), "r");
    assert_string_equal(problems.list[0].got, at);
    assert_int_equal(strlen(problems.list[1].got), 123);
    assert_string_equal(problems.list[1].got + 120, "...");
    assert_string_equal(problems.list[2].got + 117, "\xc3\xbc...");
    assert_shown(&problems, 3, "a\\0Ab is \"c\\0D\\0Ad\\1B\": r");
}

/* Other readers' sentences are in it, and theirs have what they read. */
TEST(a_rule_is_one_line_of_characters_too)
{
    AUTO_VAL(problems) problems = { 0 };
    char accents[603];
    for (int i = 0; i < 301; i++)
        memcpy(accents + 2 * i, "\xc3\xbc", 2);
    accents[0] = 'a';
    accents[1] = '\0';
    problem_add(&problems, "x", BYTES_NONE, "near \"\n\x1b\"");
    accents[1] = 'a';
    accents[602] = '\0';
    problem_add(&problems, "x", BYTES_NONE, "b%s", accents);
    problem_add(&problems, "x", BYTES_NONE, "%.3s", "\xc3\xbc\xc3\xbc");
    assert_string_equal(problems.list[0].rule, "near \"\\0A\\1B\"");
    assert_int_equal(strlen(problems.list[1].rule), 472);
    assert_string_equal(problems.list[1].rule + 467, "\xc3\xbc...");
    assert_string_equal(problems.list[2].rule, "\\C3\\BC\\C3");
}

TEST(sixty_four_are_kept_and_the_rest_counted)
{
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < LIMIT_PROFILE_PROBLEMS; i++)
        problem_add(&problems, "x", BYTES_NONE, "%d", i);
    assert_int_equal(problems.count, LIMIT_PROFILE_PROBLEMS);
    assert_false(problems.cut);
    problem_add(&problems, "x", BYTES_NONE, "one more");
    problem_warn(&problems, "x", BYTES_NONE, "one more");
    assert_int_equal(problems.count, LIMIT_PROFILE_PROBLEMS);
    assert_int_equal(problems.errors, LIMIT_PROFILE_PROBLEMS + 1);
    assert_true(problems.cut);
    ASSERT_ERR(ERR_PROFILE, problems_judge(&problems, &why), &why);
    assert_string_equal(why.text, "x is not there: 0 (and 64 more)");
}

/* An error is one even if only warnings were kept. */
TEST(an_error_past_the_limit_still_counts)
{
    AUTO_VAL(problems) problems = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < LIMIT_PROFILE_PROBLEMS; i++)
        problem_warn(&problems, "x", BYTES_NONE, "%d", i);
    ASSERT_OK(problems_judge(&problems, &why), &why);
    problem_add(&problems, "x", BYTES_NONE, "wrong");
    ASSERT_ERR(ERR_PROFILE, problems_judge(&problems, &why), &why);
}

RUN(T(a_problem_says_field_value_and_rule), T(what_is_missing_is_said_only_if_nothing_was_said_of_it),
    T(values_are_cut_between_characters_and_make_no_lines), T(a_rule_is_one_line_of_characters_too),
    T(sixty_four_are_kept_and_the_rest_counted), T(an_error_past_the_limit_still_counts))

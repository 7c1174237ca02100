/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/fold.h"
#include "base/auto.h"
#include "tests/unit/test.h"

TEST(letter_case_makes_no_difference_in_any_script_that_has_it)
{
    static const char *const pairs[][2] = {
        { "ANNA@Example.ORG", "anna@example.org" },
        { "\u00c4rger", "\u00e4rger" },
        { "\u0160A\u010cER", "\u0161a\u010der" },
        { "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c3" },
        { "\u0411\u042f\u0401", "\u0431\u044f\u0451" },
        { "\u0178", "\u00ff" },
        { "\u1e9e", "\u00df" },
        { "\uff21", "\uff41" },
        { "\U00010400", "\U00010428" },
        { "\u212a", "k" },
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        AUTO_STR upper = fold_dup(bytes_str(pairs[i][0]));
        AUTO_STR lower = fold_dup(bytes_str(pairs[i][1]));
        assert_string_equal(upper, lower);
        assert_string_equal(lower, pairs[i][1]);
    }
}

TEST(what_differs_otherwise_stays_different)
{
    static const char *const pairs[][2] = { { "a", "\u00e4" },  { "o", "\u00f6" },     { "\u0131", "i" },
                                            { "ss", "\u00df" }, { "a", "\u0430" },     { "\u00d7", "\u00f7" },
                                            { "", "a" },        { "\u4e2d", "\u4e2e" } };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        AUTO_STR one = fold_dup(bytes_str(pairs[i][0]));
        AUTO_STR other = fold_dup(bytes_str(pairs[i][1]));
        assert_string_not_equal(one, other);
    }
}

TEST(folding_again_changes_nothing)
{
    for (uint32_t point = 1; point < 0x110000; point++) {
        char text[5] = { 0 };
        if (point >= 0xD800 && point < 0xE000)
            continue;
        if (point < 0x80)
            text[0] = (char)point;
        else if (point < 0x800)
            text[0] = (char)(0xC0 | point >> 6), text[1] = (char)(0x80 | (point & 0x3F));
        else if (point < 0x10000)
            text[0] = (char)(0xE0 | point >> 12), text[1] = (char)(0x80 | (point >> 6 & 0x3F)),
            text[2] = (char)(0x80 | (point & 0x3F));
        else
            text[0] = (char)(0xF0 | point >> 18), text[1] = (char)(0x80 | (point >> 12 & 0x3F)),
            text[2] = (char)(0x80 | (point >> 6 & 0x3F)), text[3] = (char)(0x80 | (point & 0x3F));
        AUTO_STR once = fold_dup(bytes_str(text));
        AUTO_STR twice = fold_dup(bytes_str(once));
        assert_string_equal(once, twice);
    }
}

RUN(T(letter_case_makes_no_difference_in_any_script_that_has_it), T(what_differs_otherwise_stays_different),
    T(folding_again_changes_nothing))

/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as it is let in. */
#include "http/json_text.h"
#include "base/auto.h"
#include "base/limits.h"
#include "tests/unit/test.h"

static enum err read_text(struct bytes text, size_t most, struct why *why)
{
    AUTO_JSON value = NULL;
    return json_text_read(text, most, &value, why);
}

TEST(one_value_and_nothing_behind_it)
{
    static const char *const good[] = { "{}", "[]", " {\"a\": 1}\n", "\"x\"", "1", "true", "null" };
    static const char *const bad[] = {
        "",         " ",     "{",   "{}{}",           "{} x",     "{'a':1}", "{\"a\":1,}",
        "// c\n{}", "[1 2]", "nul", "\xef\xbb\xbf{}", "\"\xff\"", "\"a\nb\""
    };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ASSERT_OK(read_text(bytes_str(good[i]), 100, &why), &why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        ASSERT_ERR(ERR_USAGE, read_text(bytes_str(bad[i]), 100, &why), &why);
        assert_int_equal(strncmp(why.text, "line ", 5), 0);
    }
}

TEST(a_member_is_there_once)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_USAGE, read_text(BYTES_LIT("{\"a\": 1, \"b\": 2, \"a\": 3}"), 100, &why), &why);
    assert_non_null(strstr(why.text, "uplicate"));
    ASSERT_ERR(ERR_USAGE, read_text(BYTES_LIT("{\"a\": 1, \"\\u0061\": 3}"), 100, &why), &why);
}

TEST(a_nul_is_refused_however_it_is_written)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_USAGE, read_text(BYTES_LIT("\"a\\u0000b\""), 100, &why), &why);
    ASSERT_ERR(ERR_USAGE, read_text(BYTES_LIT("\"a\0b\""), 100, &why), &why);
    ASSERT_ERR(ERR_USAGE, read_text(BYTES_LIT("{}\0"), 100, &why), &why);
    ASSERT_ERR(ERR_USAGE, read_text(BYTES_LIT("{\"a\\u0000\": 1}"), 100, &why), &why);
}

static struct buf nested(char open, char close, int depth)
{
    struct buf text = { 0 };
    for (int i = 0; i < depth; i++)
        buf_printf(&text, open == '{' ? "{\"a\":" : "%c", open);
    buf_append_str(&text, "\"[[[[[[[[[[{{{{{\\\"[[[\"");
    for (int i = 0; i < depth; i++)
        buf_append_byte(&text, (uint8_t)close);
    return text;
}

TEST(nesting_is_limited_before_the_parser_goes_down)
{
    static const char *const brackets[] = { "[]", "{}" };
    struct why why = { 0 };
    for (int i = 0; i < 2; i++) {
        AUTO_BUF at = nested(brackets[i][0], brackets[i][1], LIMIT_JSON_DEPTH);
        AUTO_BUF past = nested(brackets[i][0], brackets[i][1], LIMIT_JSON_DEPTH + 1);
        AUTO_BUF far = nested(brackets[i][0], brackets[i][1], 2000);
        ASSERT_OK(read_text(buf_bytes(&at), 100000, &why), &why);
        ASSERT_ERR(ERR_LIMIT, read_text(buf_bytes(&past), 100000, &why), &why);
        assert_string_equal(why.text, "JSON nested 9 deep, limit 8");
        ASSERT_ERR(ERR_LIMIT, read_text(buf_bytes(&far), 100000, &why), &why);
    }
    ASSERT_OK(read_text(BYTES_LIT("[[],[],[],[],[],[],[],[],[],[],[{}]]"), 100, &why), &why);
    ASSERT_ERR(ERR_LIMIT, read_text(BYTES_LIT("[[[[[[[[["), 100, &why), &why);
}

TEST(the_size_is_limited)
{
    AUTO_BUF text = { 0 };
    struct why why = { 0 };
    buf_append_byte(&text, '"');
    while (text.len < LIMIT_API_BODY_BYTES - 1)
        buf_append_byte(&text, 'a');
    buf_append_byte(&text, '"');
    ASSERT_OK(read_text(buf_bytes(&text), LIMIT_API_BODY_BYTES, &why), &why);
    buf_append_byte(&text, ' ');
    ASSERT_ERR(ERR_LIMIT, read_text(buf_bytes(&text), LIMIT_API_BODY_BYTES, &why), &why);
    assert_string_equal(why.text, "JSON of 65537 octets, limit 65536");
}

RUN(T(one_value_and_nothing_behind_it), T(a_member_is_there_once), T(a_nul_is_refused_however_it_is_written),
    T(nesting_is_limited_before_the_parser_goes_down), T(the_size_is_limited))

/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes and backslashes that a device left inside a value: undone where they say the expected name, and nowhere else
   (docs/decisions/017). Values are literal here, written by put_value; no text form is read. */
#include "tests/unit/challenge/fixture.h"

#include "challenge/subject.h"
#include "challenge/unquote.h"
#include "x509/name.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
static struct why why;

static void put_value(struct buf *out, enum oid type, const char *value)
{
    size_t pair = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    der_put(out, DER_UTF8_STRING, bytes_str(value));
    der_end(out, pair);
}

static struct buf name_of_pairs(struct bytes pairs)
{
    struct buf name = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE);
    assert_true(der_put_set_of(&name, DER_SET, pairs));
    der_end(&name, sequence);
    ASSERT_OK(name_check(buf_bytes(&name), &why), &why);
    return name;
}

static struct buf name_of(enum oid type, const char *value)
{
    AUTO_BUF pairs = { 0 };
    put_value(&pairs, type, value);
    return name_of_pairs(buf_bytes(&pairs));
}

static bool accepts(const char *expected, const char *got)
{
    AUTO_BUF wanted = name_of(OID_CN, expected), found = name_of(OID_CN, got);
    return subject_compare(buf_bytes(&wanted), buf_bytes(&found), &why) == OK;
}

struct row {
    const char *expected, *got;
};

static void expect_each(bool accepted, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (accepts(rows[i].expected, rows[i].got) != accepted)
            fail_msg("expected <%s>, a request with <%s> is %s", rows[i].expected, rows[i].got,
                     accepted ? "refused" : "taken");
    }
}

TEST(a_quoted_or_escaped_special_compares_equal_to_itself)
{
    static const struct row rows[] = {
        { "Doe, John", "Doe, John" },
        { "Doe, John", "Doe\\, John" },
        { "Doe, John", "\"Doe, John\"" },
        { "Doe, John", "\"Doe\\, John\"" }, /* the known trap: device-formats 4.1 */
        { "Doe, John", "Doe\\,  John" },
        { "Doe, John", "\" Doe,  John \"" },
        { "a+b", "a\\+b" },
        { "a+b", "\"a+b\"" },
        { "a;b", "a\\;b" },
        { "a;b", "\"a;b\"" },
        { "a=b", "a\\=b" },
        { "a=b", "\"a=b\"" },
        { "<a>", "\\<a\\>" },
        { "<a>", "\"<a>\"" },
        { "#1", "\\#1" },
        { "#1", "\"#1\"" },
        { "a=b, c", "a=b\\, c" },
        { ",", "\\," },
        { ",", "\",\"" },
        { "\"", "\\\"" },
        { "\"", "\"\"\"\"" },
        { "M\xC3\xBCller, \xE2\x82\xAC", "M\xC3\xBCller\\, \xE2\x82\xAC" },
    };
    expect_each(true, rows, COUNT(rows));
}

TEST(an_expected_quote_or_backslash_stands_for_itself)
{
    static const struct row taken[] = {
        { "a\\,b", "a\\,b" },
        { "a\\,b", "a\\\\\\,b" },
        { "a\\,b", "\"a\\,b\"" }, /* as CertStrToName quotes: a backslash is nothing special there */
        { "a\\,b", "\"a\\\\,b\"" },
        { "\"x, y\"", "\"x, y\"" },
        { "\"x, y\"", "\"\"\"x, y\"\"\"" },
        { "\"x, y\"", "\\\"x\\, y\\\"" },
        { "\"x, y\"", "\"\\\"x, y\\\"\"" },
        { "say \"hi\"", "\"say \"\"hi\"\"\"" },
        { "say \"hi\"", "say \\\"hi\\\"" },
        { "C:\\dir", "\"C:\\dir\"" },
        { "C:\\dir", "C:\\\\dir" },
    };
    static const struct row refused[] = {
        { "a\\,b", "a,b" },       { "a\\,b", "\"a,b\"" },     { "\"x, y\"", "x, y" },
        { "\"x, y\"", "x\\, y" }, { "say \"hi\"", "say hi" }, { "say \"hi\"", "\"say \"hi\"\"" },
        { "C:\\dir", "C:dir" },   { "C:\\dir", "\"C:dir\"" }, { "\"Bob\"", "Bob" },
        { "Bob\\", "Bob" },       { "a\\\\b", "a\\b" },
    };
    expect_each(true, taken, COUNT(taken));
    expect_each(false, refused, COUNT(refused));
}

TEST(another_name_is_never_taken_for_it)
{
    static const struct row rows[] = {
        { "Doe, John", "Doe John" },
        { "Doe, John", "Doe\\; John" },
        { "Doe, John", "doe\\, john" },
        { "Doe, John", "Doe\\\\, John" }, /* half escaped */
        { "Doe, John", "\"Doe, John" },   /* half quoted */
        { "Doe, John", "Doe, John\"" },
        { "Doe, John", "\"\"Doe, John\"\"" },
        { "Doe, John", "'Doe, John'" },
        { "Doe, John", "\"Doe\", \"John\"" },
        { "Doe, John", "\\\"Doe\\, John\\\"" }, /* quoted twice: only one is undone */
        { "Doe, John", "\"Doe\\\\, John\"" },
        { "Doe, John", "Doe\\2C John" }, /* nobody writes hex; RFC 4514 would read it */
        { "Doe, John", "Doe\\, John\\" },
        { "Doe, John", "\"Doe, John\" x" },
        { "Bob", "\"Bob\"" }, /* nothing in it needs quotes */
        { "Bob", "B\\ob" },
        { "Bob", "Bob\\" },
        { "Bob", "\\Bob" },
        { "C:dir", "C:\\dir" },
        { "a b", "a\\ b" },
        { "a", "\"\"" },
        { "a", "\"" },
        { "a", "\\" },
    };
    expect_each(false, rows, COUNT(rows));
}

TEST(the_refusal_shows_both_as_they_are)
{
    assert_false(accepts("Doe, John", "\"Doe\\; John\""));
    assert_string_equal(
        why.text, "Subject Name in CSR <CN=\\\"Doe\\\\\\; John\\\"> and challenge <CN=Doe\\, John> do not "
                  "match (RDN 1)");
}

TEST(type_and_place_count_as_ever)
{
    AUTO_BUF wanted = name_of(OID_CN, "a, b"), found = name_of(OID_OU, "a\\, b");
    ASSERT_ERR(ERR_SUBJECT_MISMATCH, subject_compare(buf_bytes(&wanted), buf_bytes(&found), &why), &why);
}

static struct buf two(enum oid first, const char *a, enum oid second, const char *b)
{
    AUTO_BUF pairs = { 0 };
    put_value(&pairs, first, a);
    put_value(&pairs, second, b);
    return name_of_pairs(buf_bytes(&pairs));
}

TEST(within_an_rdn_each_value_has_its_own_counterpart)
{
    AUTO_BUF wanted = two(OID_CN, "a, b", OID_OU, "c"), found = two(OID_OU, "c", OID_CN, "\"a, b\"");
    ASSERT_OK(subject_compare(buf_bytes(&wanted), buf_bytes(&found), &why), &why);
    AUTO_BUF lists = two(OID_CN, "a\\,b", OID_CN, "a,b"); /* one is the other's escaped form */
    ASSERT_OK(subject_compare(buf_bytes(&lists), buf_bytes(&lists), &why), &why);
    AUTO_BUF turned = two(OID_CN, "a\\,b", OID_CN, "\"a,b\"");
    ASSERT_OK(subject_compare(buf_bytes(&lists), buf_bytes(&turned), &why), &why);
    AUTO_BUF plain = two(OID_CN, "a,b", OID_CN, "a, b");
    ASSERT_ERR(ERR_SUBJECT_MISMATCH, subject_compare(buf_bytes(&lists), buf_bytes(&plain), &why), &why);
}

/* --- every short value --- */

static const char alphabet[] = "a,\"\\ ";
#define LETTERS (sizeof(alphabet) - 1)

/* The number-th string over the alphabet, shorter ones first; false past `most` characters. */
static bool nth(size_t number, size_t most, char *ret)
{
    size_t len = 0, all = 1;
    for (; number >= all; len++) {
        number -= all;
        all *= LETTERS;
    }
    ret[len] = '\0';
    for (size_t i = 0; i < len; i++, number /= LETTERS)
        ret[i] = alphabet[number % LETTERS];
    return len <= most;
}

static struct buf quoted_by(const char *text, const char *before, const char *mark, const char *ends)
{
    struct buf out = { 0 };
    buf_append_str(&out, ends);
    for (; *text; text++) {
        if (strchr(before, *text))
            buf_append_str(&out, *mark ? mark : "\"");
        buf_append_byte(&out, (uint8_t)*text);
    }
    buf_append_str(&out, ends);
    return out;
}

TEST(whatever_is_quoted_by_the_book_is_taken)
{
    char value[8];
    for (size_t i = 1; nth(i, 5, value); i++) {
        if (!strpbrk(value, ",\"\\"))
            continue;
        AUTO_BUF windows = quoted_by(value, "\"", "", "\""), escaped = quoted_by(value, ",\"\\", "\\", ""),
                 both = quoted_by(value, ",\"\\", "\\", "\"");
        AUTO_BUF a = { 0 }, b = { 0 }, c = { 0 };
        assert_true(unquote_windows(buf_bytes(&windows), &a));
        assert_string_equal(buf_text(&a), value);
        assert_true(unquote_rfc4514(buf_bytes(&escaped), &b));
        assert_string_equal(buf_text(&b), value);
        assert_true(unquote_rfc4514(buf_bytes(&both), &c));
        assert_string_equal(buf_text(&c), value);
    }
}

TEST(what_is_read_as_quoted_was_quoted)
{
    char text[10];
    size_t read = 0;
    for (size_t i = 0; nth(i, 7, text); i++) {
        AUTO_BUF windows = { 0 }, escaped = { 0 };
        if (unquote_windows(bytes_str(text), &windows)) {
            AUTO_BUF again = quoted_by(buf_text(&windows), "\"", "", "\"");
            assert_string_equal(buf_text(&again), text);
            read++;
        }
        if (text[0] != '"' && unquote_rfc4514(bytes_str(text), &escaped)) {
            AUTO_BUF again = quoted_by(buf_text(&escaped), ",\"\\", "\\", "");
            assert_string_equal(buf_text(&again), text);
            read++;
        }
    }
    assert_true(read > 100);
}

RUN(T(a_quoted_or_escaped_special_compares_equal_to_itself),
    T(an_expected_quote_or_backslash_stands_for_itself), T(another_name_is_never_taken_for_it),
    T(the_refusal_shows_both_as_they_are), T(type_and_place_count_as_ever),
    T(within_an_rdn_each_value_has_its_own_counterpart), T(whatever_is_quoted_by_the_book_is_taken),
    T(what_is_read_as_quoted_was_quoted))

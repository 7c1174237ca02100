/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names. */
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

static void put_pair(struct buf *out, enum oid type, uint8_t tag, struct bytes value)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, oid_bytes(type));
    der_put(out, tag, value);
    der_end(out, mark);
}

/* A Name of one attribute. */
static struct buf name_of(enum oid type, uint8_t tag, struct bytes value)
{
    struct buf name = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE), set = der_begin(&name, DER_SET);
    put_pair(&name, type, tag, value);
    der_end(&name, set);
    der_end(&name, sequence);
    return name;
}

static void assert_text(struct bytes name, const char *wanted)
{
    AUTO_BUF text = { 0 };
    name_append_text(&text, name);
    assert_string_equal(buf_text(&text), wanted);
}

TEST(every_string_type_is_read_as_utf8)
{
    static const struct {
        uint8_t tag;
        const char *hex, *wanted;
    } rows[] = {
        { DER_PRINTABLE_STRING, "612a405f", "a*@_" }, /* beyond the alphabet, as clients write it */
        { DER_UTF8_STRING, "c3bc", "ü" },
        { DER_IA5_STRING, "6140", "a@" },
        { DER_T61_STRING, "47e47374", "Gäst" },
        { DER_BMP_STRING, "00470020e000", "G \xEE\x80\x80" },
        { DER_BMP_STRING, "d83dde00", "😀" },
        { DER_UNIVERSAL_STRING, "0001f600", "😀" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF octets = fixture_hex(rows[i].hex), value = { 0 };
        AUTO_BUF name = name_of(OID_CN, rows[i].tag, buf_bytes(&octets));
        struct why why = { 0 };
        struct name_attribute attribute;
        ASSERT_OK(name_check(buf_bytes(&name), &why), &why);
        struct name_reader reader = name_reader_over(buf_bytes(&name));
        assert_true(name_next(&reader, &attribute));
        assert_true(attribute.starts_rdn);
        assert_true(name_value_utf8(&attribute, &value));
        assert_string_equal(buf_text(&value), rows[i].wanted);
        assert_false(name_next(&reader, &attribute));
    }
}

TEST(values_that_are_no_clean_text_are_refused)
{
    static const struct {
        uint8_t tag;
        const char *hex;
    } rows[] = {
        { DER_UTF8_STRING, "" },
        { DER_UTF8_STRING, "6100" },
        { DER_UTF8_STRING, "c3" },
        { DER_UTF8_STRING, "0a" },
        { DER_UTF8_STRING, "c285" },
        { DER_UTF8_STRING, "7f" },
        { DER_PRINTABLE_STRING, "e4" },
        { DER_IA5_STRING, "80" },
        { DER_T61_STRING, "85" },
        { DER_BMP_STRING, "0041ff" },
        { DER_BMP_STRING, "0000" },
        { DER_BMP_STRING, "d83d" },
        { DER_BMP_STRING, "de00d83d" },
        { DER_BMP_STRING, "d83d0041" },
        { DER_UNIVERSAL_STRING, "00110000" },
        { DER_UNIVERSAL_STRING, "0041" },
        { DER_UNIVERSAL_STRING, "0000d800" },
        { DER_INTEGER, "01" },
        { DER_OCTET_STRING, "41" },
        { DER_VISIBLE_STRING, "41" },
        { DER_BIT_STRING, "0041" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF octets = fixture_hex(rows[i].hex);
        AUTO_BUF name = name_of(OID_CN, rows[i].tag, buf_bytes(&octets));
        struct why why = { 0 };
        if (name_check(buf_bytes(&name), &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
    }
}

TEST(malformed_names_are_refused)
{
    static const char *const rows[] = {
        "",                                 /* nothing */
        "3100",                             /* a SET */
        "300000",                           /* trailing byte */
        "30023000",                         /* RDN is a SEQUENCE */
        "30023100",                         /* RDN without attributes */
        "300431023000",                     /* attribute without type */
        "3009310730050603550403",           /* attribute without value */
        "300e310c300a06035504030c01610500", /* something behind the value */
        "3009310730050601800c00",           /* malformed OID */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF name = fixture_hex(rows[i]);
        struct why why = { 0 };
        if (name_check(buf_bytes(&name), &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
    }
}

TEST(the_empty_name_is_a_name)
{
    AUTO_BUF name = fixture_name("");
    struct why why = { 0 };
    ASSERT_OK(name_check(buf_bytes(&name), &why), &why);
    assert_true(name_is_empty(buf_bytes(&name)));
    assert_text(buf_bytes(&name), "");
}

TEST(a_value_has_1024_octets_at_most)
{
    uint8_t text[LIMIT_STRING_BYTES + 1];
    struct why why = { 0 };
    memset(text, 'a', sizeof(text));
    AUTO_BUF at = name_of(OID_CN, DER_UTF8_STRING, bytes_of(text, LIMIT_STRING_BYTES));
    AUTO_BUF past = name_of(OID_CN, DER_UTF8_STRING, bytes_of(text, LIMIT_STRING_BYTES + 1));
    ASSERT_OK(name_check(buf_bytes(&at), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, name_check(buf_bytes(&past), &why), &why);
}

static struct buf name_with(size_t count, bool one_rdn)
{
    struct buf name = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE), set = 0;
    for (size_t i = 0; i < count; i++) {
        if (!one_rdn || i == 0)
            set = der_begin(&name, DER_SET);
        put_pair(&name, OID_OU, DER_UTF8_STRING, BYTES_LIT("x"));
        if (!one_rdn || i == count - 1)
            der_end(&name, set);
    }
    der_end(&name, sequence);
    return name;
}

TEST(a_name_has_32_attributes_at_most)
{
    for (int one_rdn = 0; one_rdn < 2; one_rdn++) {
        struct why why = { 0 };
        AUTO_BUF at = name_with(LIMIT_RDNS, one_rdn), past = name_with(LIMIT_RDNS + 1, one_rdn);
        ASSERT_OK(name_check(buf_bytes(&at), &why), &why);
        ASSERT_ERR(ERR_LIMIT, name_check(buf_bytes(&past), &why), &why);
    }
}

TEST(text_becomes_a_name_and_text_again_in_the_order_written)
{
    static const struct {
        const char *text, *again;
    } rows[] = {
        { "CN=Issuing CA,O=Example,C=DE", NULL },
        { "C=DE,O=Example,CN=Issuing CA", NULL },
        { " cn = a b ; o = c ", "CN=a b,O=c" },
        { "CN=\"Doe, John\"", "CN=Doe\\, John" },
        { "CN=\"say \"\"hi\"\"\"", "CN=say \\\"hi\\\"" },
        { "CN=\"a\\\"b\\\\c\"", "CN=a\\\"b\\\\c" },
        { "CN=\" edge \"", "CN=\\ edge\\ " },
        { "CN=\\ edge\\ ,O=x", "CN=\\ edge\\ ,O=x" },
        { "CN=\\23a\\2Cb", "CN=\\#a\\,b" },
        { "CN=L\\C3\\BCneburg", "CN=Lüneburg" },
        { "CN=a\\+b\\;c\\<d\\>e\\=f", "CN=a\\+b\\;c\\<d\\>e=f" },
        { "CN=#0c0161", "CN=a" },
        { "1.2.3.4=x,OID.2.5.4.3=y", "1.2.3.4=x,CN=y" },
        { "S=Bayern,E=a@b.example,SN=Muster,G=Max,emailAddress=c@d",
          "ST=Bayern,E=a@b.example,SN=Muster,G=Max,E=c@d" },
        { "DC=com,DC=example,UID=u", NULL },
        { "CN=a=b", NULL },
        { "O=x+CN=y", "CN=y+O=x" }, /* the SET is sorted */
        { "serialNumber=12,dnQualifier=q,unstructuredName=r,T=t,I=i,STREET=s,L=l,OU=o", NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF name = fixture_name(rows[i].text);
        struct why why = { 0 };
        ASSERT_OK(name_check(buf_bytes(&name), &why), &why);
        assert_text(buf_bytes(&name), rows[i].again ? rows[i].again : rows[i].text);
    }
}

TEST(text_that_is_no_name_is_refused)
{
    static const char *const rows[] = {
        "CN",
        "CN=",
        "CN= ",
        "=x",
        "CN=a,",
        "CN=a;",
        "CN=a,,O=b",
        ",CN=a",
        "CN=a+",
        "CN=\"a",
        "CN=\"a\"b",
        "CN=a\"b",
        "CN=a\\",
        "CN=a\\x",
        "CN=a\\0",
        "CN=a\\00",
        "CN=a\\0Ab",
        "CN=a\\FF",
        "FOO=x",
        "1.2.=x",
        "OID.=x",
        "3.1=x",
        "CN=#0",
        "CN=#0c02",
        "CN=#020101",
        "CN=#0c01610500",
        "C=ü",
        "C=a_b",
        "E=ü@x",
        "DC=ö",
        "serialNumber=a*",
        "CN=\n",
        "upn=x",
        "sha256=x",
        "CN=a O=b=,",
        "dnQualifier=@",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct buf name = { 0 };
        struct why why = { 0 };
        if (name_from_text(rows[i], &name, &why) == OK)
            fail_msg("\"%s\" was taken", rows[i]);
        assert_null(name.data);
        assert_int_not_equal(why.text[0], 0);
    }
}

TEST(text_cannot_hold_more_than_the_limits)
{
    AUTO_BUF text = { 0 };
    struct buf name = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < LIMIT_RDNS; i++)
        buf_append_str(&text, i ? ",OU=x" : "OU=x");
    ASSERT_OK(name_from_text(buf_text(&text), &name, &why), &why);
    buf_free(&name);
    buf_append_str(&text, ",OU=x");
    ASSERT_ERR(ERR_LIMIT, name_from_text(buf_text(&text), &name, &why), &why);
    buf_clear(&text);
    buf_append_str(&text, "CN=");
    for (int i = 0; i < LIMIT_STRING_BYTES; i++)
        buf_append_byte(&text, 'a');
    ASSERT_OK(name_from_text(buf_text(&text), &name, &why), &why);
    buf_free(&name);
    buf_append_byte(&text, 'a');
    ASSERT_ERR(ERR_BAD_REQUEST, name_from_text(buf_text(&text), &name, &why), &why);
}

TEST(a_name_that_was_not_checked_cannot_forge_text)
{
    AUTO_BUF name = name_of(OID_CN, DER_UTF8_STRING, BYTES_LIT("a\nb\0,O=c")), text = { 0 };
    AUTO_BUF number = name_of(OID_CN, DER_INTEGER, BYTES_LIT("\5"));
    name_append_text(&text, buf_bytes(&name));
    assert_string_equal(buf_text(&text), "CN=a\\0Ab\\00\\,O=c");
    buf_clear(&text);
    name_append_text(&text, buf_bytes(&number));
    assert_string_equal(buf_text(&text), "CN=#05");
}

static bool equal(const char *a, const char *b)
{
    AUTO_BUF name_a = fixture_name(a), name_b = fixture_name(b);
    return name_equal(buf_bytes(&name_a), buf_bytes(&name_b));
}

TEST(names_are_equal_as_exact_utf8_with_folded_spaces)
{
    assert_true(equal("CN=a b,O=x", "CN=a b,O=x"));
    assert_true(equal("CN=a b", "CN=\" a   b \""));
    assert_true(equal("", ""));
    assert_true(equal("O=x+CN=y", "CN=y+O=x"));
    assert_false(equal("CN=a", "CN=A")); /* case counts */
    assert_false(equal("CN=ab", "CN=a b"));
    assert_false(equal("CN=a,O=b", "O=b,CN=a"));
    assert_false(equal("CN=a,O=b", "CN=a+O=b"));
    assert_false(equal("CN=a", "CN=a,O=b"));
    assert_false(equal("CN=a,O=b", "CN=a"));
    assert_false(equal("CN=a", ""));
    assert_false(equal("", "CN=a"));
    assert_false(equal("CN=a", "OU=a"));
    assert_false(equal("CN=a+CN=b+O=x", "CN=a+CN=a+O=x"));
    assert_false(equal("CN=a+O=x", "CN=a+O=x+OU=y"));
}

TEST(the_string_type_does_not_count_for_equality)
{
    AUTO_BUF utf8 = name_of(OID_CN, DER_UTF8_STRING, BYTES_LIT("ü"));
    AUTO_BUF t61 = name_of(OID_CN, DER_T61_STRING, BYTES_LIT("\xFC"));
    AUTO_BUF bmp = name_of(OID_CN, DER_BMP_STRING, BYTES_LIT("\0\xFC"));
    AUTO_BUF bad = name_of(OID_CN, DER_UTF8_STRING, BYTES_LIT("\xFC"));
    AUTO_BUF number = name_of(OID_CN, DER_INTEGER, BYTES_LIT("\xFC"));
    assert_true(name_equal(buf_bytes(&utf8), buf_bytes(&t61)));
    assert_true(name_equal(buf_bytes(&bmp), buf_bytes(&t61)));
    assert_false(name_equal(buf_bytes(&utf8), buf_bytes(&bad)));
    assert_false(name_equal(buf_bytes(&utf8), buf_bytes(&number)));
    assert_false(name_equal(buf_bytes(&utf8), BYTES_NONE));
}

TEST(reencoding_gives_the_string_types_that_chancery_issues)
{
    struct buf name = { 0 }, again = { 0 };
    struct why why = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE);
    static const struct {
        enum oid type;
        uint8_t tag, wanted;
    } rows[] = {
        { OID_C, DER_UTF8_STRING, DER_PRINTABLE_STRING },
        { OID_SERIAL_NUMBER, DER_IA5_STRING, DER_PRINTABLE_STRING },
        { OID_DN_QUALIFIER, DER_T61_STRING, DER_PRINTABLE_STRING },
        { OID_EMAIL, DER_UTF8_STRING, DER_IA5_STRING },
        { OID_DC, DER_PRINTABLE_STRING, DER_IA5_STRING },
        { OID_CN, DER_T61_STRING, DER_UTF8_STRING },
        { OID_O, DER_PRINTABLE_STRING, DER_UTF8_STRING },
        { OID_MS_SID, DER_IA5_STRING, DER_UTF8_STRING }, /* a type that is in no row */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t set = der_begin(&name, DER_SET);
        put_pair(&name, rows[i].type, rows[i].tag, BYTES_LIT("ab"));
        der_end(&name, set);
    }
    der_end(&name, sequence);
    ASSERT_OK(name_reencode(buf_bytes(&name), &again, &why), &why);
    assert_true(name_equal(buf_bytes(&name), buf_bytes(&again)));
    struct name_reader reader = name_reader_over(buf_bytes(&again));
    struct name_attribute attribute;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_true(name_next(&reader, &attribute));
        assert_int_equal(attribute.tag, rows[i].wanted);
        assert_true(oid_is(attribute.oid, rows[i].type));
    }
    buf_free(&name);
    buf_free(&again);
}

TEST(reencoding_keeps_rdns_together_and_sorts_them)
{
    struct buf name = { 0 }, again = { 0 };
    struct why why = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE), set = der_begin(&name, DER_SET);
    put_pair(&name, OID_O, DER_T61_STRING, BYTES_LIT("o\xE4"));
    put_pair(&name, OID_CN, DER_PRINTABLE_STRING, BYTES_LIT("c"));
    der_end(&name, set);
    der_end(&name, sequence);
    ASSERT_OK(name_reencode(buf_bytes(&name), &again, &why), &why);
    assert_text(buf_bytes(&again), "CN=c+O=oä");
    buf_free(&name);
    buf_free(&again);
}

TEST(what_does_not_fit_its_string_type_is_not_reencoded)
{
    static const struct {
        enum oid type;
        const char *value;
    } rows[] = {
        { OID_C, "D_" }, { OID_SERIAL_NUMBER, "1*" }, { OID_DN_QUALIFIER, "ü" }, { OID_EMAIL, "ü@x" },
        { OID_DC, "ö" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF name = name_of(rows[i].type, DER_UTF8_STRING, bytes_str(rows[i].value));
        struct buf again = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(ERR_BAD_REQUEST, name_reencode(buf_bytes(&name), &again, &why), &why);
        assert_null(again.data);
    }
    AUTO_BUF bad = fixture_hex("30023100");
    struct buf again = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_MALFORMED, name_reencode(buf_bytes(&bad), &again, &why), &why);
}

/* --- names with places to fill in --- */

/* "@" is the argument, "@@" the name of two RDNs; everything else stays. Counts in *alone those that could be a name. */
struct filling {
    const char *value;
    int alone, asked;
};

static enum err fill(void *arg, const struct name_value *value, struct name_filled *ret, struct why *why)
{
    struct filling *filling = arg;
    filling->asked++;
    filling->alone += value->alone;
    if (bytes_equal(value->text, BYTES_LIT("!")))
        return fail(why, ERR_NOT_FOUND, "nothing for it");
    if (bytes_equal(value->text, BYTES_LIT("@@")))
        return name_from_text("OU=a,DC=b", &ret->name, why);
    ret->text =
        bytes_equal(value->text, BYTES_LIT("@")) ? buf_dup(bytes_str(filling->value)) : buf_dup(value->text);
    return OK;
}

TEST(what_a_hook_fills_in_is_one_value_whatever_it_says)
{
    static const char *const values[] = {
        "a,CN=admin", "a+OU=b", "a;O=c", "\"",           "a\"b", "\\",  "#0c0161",
        "a=b",        "<x>",    "@",     "{{UserName}}", "\\41", " a ",
    };
    static const char *const formats[] = { "CN=@,O=x", "CN = \"@\" ; O=x", "CN=\\40,O=x", "CN=#0c0140,O=x" };
    for (size_t i = 0; i < sizeof(values) / sizeof(*values) * 4; i++) {
        struct filling filling = { .value = values[i / 4] };
        struct name_hook hook = { fill, &filling };
        struct why why = { 0 };
        AUTO_BUF name = { 0 }, text = { 0 };
        struct name_attribute attribute, last;
        ASSERT_OK(name_from_format(formats[i % 4], &hook, &name, &why), &why);
        struct name_reader reader = name_reader_over(buf_bytes(&name));
        assert_true(name_next(&reader, &attribute) && name_next(&reader, &last));
        assert_false(name_next(&reader, &last));
        assert_true(name_value_utf8(&attribute, &text));
        assert_string_equal(buf_text(&text), values[i / 4]);
        assert_int_equal(filling.asked, 2);
    }
}

TEST(what_a_hook_fills_in_has_the_limits_of_any_value)
{
    static const char *const values[] = { "", "a\nb", "\xC3", "\x7F", "\xC2\x85" };
    char longest[LIMIT_STRING_BYTES + 2];
    struct why why = { 0 };
    struct filling filling = { .value = longest };
    struct name_hook hook = { fill, &filling };
    AUTO_BUF name = { 0 };
    memset(longest, 'a', sizeof(longest));
    longest[LIMIT_STRING_BYTES + 1] = '\0';
    ASSERT_ERR(ERR_BAD_REQUEST, name_from_format("CN=@", &hook, &name, &why), &why);
    longest[LIMIT_STRING_BYTES] = '\0';
    ASSERT_OK(name_from_format("CN=@", &hook, &name, &why), &why);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        struct buf none = { 0 };
        filling.value = values[i];
        ASSERT_ERR(ERR_BAD_REQUEST, name_from_format("CN=@", &hook, &none, &why), &why);
        assert_null(none.data);
    }
    struct buf none = { 0 };
    filling.value = "\xC3\xBC@x"; /* no IA5String */
    ASSERT_ERR(ERR_BAD_REQUEST, name_from_format("E=@", &hook, &none, &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, name_from_format("O=x,E=!", &hook, &none, &why), &why);
    assert_string_equal(why.text, "nothing for it");
}

TEST(a_whole_name_takes_the_place_of_one_rdn_and_of_no_part_of_one)
{
    static const struct {
        const char *format, *wanted;
        int alone;
    } rows[] = {
        { "CN=@@", "OU=a,DC=b", 1 },
        { "O=x,CN=\"@@\",C=NL", "O=x,OU=a,DC=b,C=NL", 3 },
        { "CN=x+O=y,CN=@@", "CN=x+O=y,OU=a,DC=b", 1 },
    };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct filling filling = { 0 };
        struct name_hook hook = { fill, &filling };
        AUTO_BUF name = { 0 };
        ASSERT_OK(name_from_format(rows[i].format, &hook, &name, &why), &why);
        assert_text(buf_bytes(&name), rows[i].wanted);
        assert_int_equal(filling.alone, rows[i].alone);
    }
    static const char *const parts[] = { "CN=@@+O=y", "O=y+CN=@@", "O=x,O=y+CN=@@+L=z" };
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        struct filling filling = { 0 };
        struct name_hook hook = { fill, &filling };
        struct buf none = { 0 };
        ASSERT_ERR(ERR_BAD_REQUEST, name_from_format(parts[i], &hook, &none, &why), &why);
        assert_non_null(strstr(why.text, "beside a '+'"));
        assert_null(none.data);
    }
}

TEST(a_subject_is_linted_by_itself)
{
    static const struct {
        const char *name, *says;
    } rows[] = {
        { "CN=0123456789012345678901234567890123456789012345678901234567890123,C=NL", NULL },
        { "CN=01234567890123456789012345678901234567890123456789012345678901234",
          "of 65 characters, at most 64" },
        { "C=NLD", "at most 2" },
        { "C=N", "must be 2" },
        { "CN=a+CN=a", "not behind" },
        { "CN=a+CN=b", NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF name = fixture_name(rows[i].name);
        struct why why = { 0 };
        ASSERT_ERR(rows[i].says ? ERR_LINT : OK, subject_lint(buf_bytes(&name), &why), &why);
        if (rows[i].says)
            assert_non_null(strstr(why.text, rows[i].says));
    }
}

RUN(T(every_string_type_is_read_as_utf8), T(values_that_are_no_clean_text_are_refused),
    T(malformed_names_are_refused), T(the_empty_name_is_a_name), T(a_value_has_1024_octets_at_most),
    T(a_name_has_32_attributes_at_most), T(text_becomes_a_name_and_text_again_in_the_order_written),
    T(text_that_is_no_name_is_refused), T(text_cannot_hold_more_than_the_limits),
    T(a_name_that_was_not_checked_cannot_forge_text), T(names_are_equal_as_exact_utf8_with_folded_spaces),
    T(the_string_type_does_not_count_for_equality), T(reencoding_gives_the_string_types_that_chancery_issues),
    T(reencoding_keeps_rdns_together_and_sorts_them), T(what_does_not_fit_its_string_type_is_not_reencoded),
    T(what_a_hook_fills_in_is_one_value_whatever_it_says),
    T(what_a_hook_fills_in_has_the_limits_of_any_value),
    T(a_whole_name_takes_the_place_of_one_rdn_and_of_no_part_of_one), T(a_subject_is_linted_by_itself))

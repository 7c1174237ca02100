/* SPDX-License-Identifier: Apache-2.0 */
/* Subject alternative names. */
#include "base/limits.h"
#include "tests/unit/x509/fixture.h"

static enum err check_one(uint8_t tag, struct bytes value, struct why *why)
{
    AUTO_BUF names = { 0 };
    size_t mark = der_begin(&names, DER_SEQUENCE);
    der_put(&names, tag, value);
    der_end(&names, mark);
    return san_check(buf_bytes(&names), why);
}

static void assert_text(struct bytes names, const char *wanted)
{
    AUTO_BUF text = { 0 };
    san_append_text(&text, names);
    assert_string_equal(buf_text(&text), wanted);
}

TEST(good_names_are_taken)
{
    static const struct {
        enum san_kind kind;
        const char *value;
    } rows[] = {
        { SAN_DNS, "host" },
        { SAN_DNS, "host.example.com" },
        { SAN_DNS, "*.example.com" },
        { SAN_DNS, "*.a" },
        { SAN_DNS, "xn--bcher-kva.example" },
        { SAN_DNS, "1.2.3.4" },
        { SAN_DNS, "a-b.c" },
        { SAN_EMAIL, "a@b" },
        { SAN_EMAIL, "first.last+tag@example.com" },
        { SAN_URI, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500" },
        { SAN_URI, "IntuneDeviceId://b0c0ffee-0000" },
        { SAN_URI, "urn:x" },
        { SAN_URI, "https://[2001:db8::1]/a%20b?c#d" },
        { SAN_IP, "abcd" },
        { SAN_IP, "abcdefghijklmnop" },
        { SAN_REGISTERED, "\x2A\x03" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct why why = { 0 };
        ASSERT_OK(check_one(DER_CONTEXT(rows[i].kind), bytes_str(rows[i].value), &why), &why);
    }
}

static const struct {
    enum san_kind kind;
    struct bytes value;
} hostile[] = {
    { SAN_DNS, BYTES_LIT("") },
    { SAN_DNS, BYTES_LIT(".") },
    { SAN_DNS, BYTES_LIT("host.") },
    { SAN_DNS, BYTES_LIT(".host") },
    { SAN_DNS, BYTES_LIT("a..b") },
    { SAN_DNS, BYTES_LIT("-a.b") },
    { SAN_DNS, BYTES_LIT("a-.b") },
    { SAN_DNS, BYTES_LIT("a b") },
    { SAN_DNS, BYTES_LIT("a_b") },
    { SAN_DNS, BYTES_LIT("good.example\0.evil") },
    { SAN_DNS, BYTES_LIT("b\xC3\xBC"
                         "cher") },
    { SAN_DNS, BYTES_LIT("*") },
    { SAN_DNS, BYTES_LIT("*.") },
    { SAN_DNS, BYTES_LIT("*.*.a") },
    { SAN_DNS, BYTES_LIT("a.*.b") },
    { SAN_DNS, BYTES_LIT("a*.b") },
    { SAN_DNS, BYTES_LIT("host/path") },
    { SAN_EMAIL, BYTES_LIT("") },
    { SAN_EMAIL, BYTES_LIT("a") },
    { SAN_EMAIL, BYTES_LIT("@b") },
    { SAN_EMAIL, BYTES_LIT("a@") },
    { SAN_EMAIL, BYTES_LIT("a@b@c") },
    { SAN_EMAIL, BYTES_LIT(".a@b") },
    { SAN_EMAIL, BYTES_LIT("a.@b") },
    { SAN_EMAIL, BYTES_LIT("a..b@c") },
    { SAN_EMAIL, BYTES_LIT("a b@c") },
    { SAN_EMAIL, BYTES_LIT("a@b\0c") },
    { SAN_EMAIL, BYTES_LIT("\"a\"@b") },
    { SAN_EMAIL, BYTES_LIT("Max <a@b>") },
    { SAN_EMAIL, BYTES_LIT("\xC3\xBC@b") },
    { SAN_URI, BYTES_LIT("") },
    { SAN_URI, BYTES_LIT("http:") },
    { SAN_URI, BYTES_LIT("//host/path") },
    { SAN_URI, BYTES_LIT("path") },
    { SAN_URI, BYTES_LIT(":x") },
    { SAN_URI, BYTES_LIT("1a:x") },
    { SAN_URI, BYTES_LIT("0a:x") },
    { SAN_URI, BYTES_LIT("9a:x") },
    { SAN_URI, BYTES_LIT("a_b:x") },
    { SAN_URI, BYTES_LIT("a:b c") },
    { SAN_URI, BYTES_LIT("a:{{x}}") },
    { SAN_URI, BYTES_LIT("a:%2") },
    { SAN_URI, BYTES_LIT("a:%zz") },
    { SAN_URI, BYTES_LIT("a:\0") },
    { SAN_URI, BYTES_LIT("a:\xFF") },
    { SAN_IP, BYTES_LIT("") },
    { SAN_IP, BYTES_LIT("abc") },
    { SAN_IP, BYTES_LIT("abcde") },
    { SAN_IP, BYTES_LIT("abcdefgh") }, /* address and mask: only in name constraints */
    { SAN_IP, BYTES_LIT("abcdefghijklmno") },
    { SAN_IP, BYTES_LIT("abcdefghijklmnopq") },
    { SAN_REGISTERED, BYTES_LIT("") },
    { SAN_REGISTERED, BYTES_LIT("\x2A\x83") },
};

TEST(hostile_names_are_refused)
{
    for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
        struct why why = { 0 };
        if (check_one(DER_CONTEXT(hostile[i].kind), hostile[i].value, &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
    }
}

TEST(kinds_nobody_sends_and_wrong_forms_are_refused)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT_CONSTRUCTED(SAN_X400), BYTES_LIT("\x30\x00"), &why),
               &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT_CONSTRUCTED(SAN_EDI), BYTES_LIT("\x30\x00"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT_CONSTRUCTED(SAN_DNS), BYTES_LIT("\x16\x01\x61"), &why),
               &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT(SAN_OTHER), BYTES_LIT("a"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT(9), BYTES_LIT("a"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_IA5_STRING, BYTES_LIT("a"), &why), &why);
}

TEST(the_list_itself_is_checked)
{
    static const char *const rows[] = { "", "3000", "3100", "300382016100", "30", "3004820161" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF names = fixture_hex(rows[i]);
        struct why why = { 0 };
        if (san_check(buf_bytes(&names), &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
    }
}

TEST(a_list_holds_100_names_at_most)
{
    AUTO_BUF list = { 0 }, at = { 0 }, past = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < LIMIT_SAN_NAMES; i++)
        san_put(&list, SAN_DNS, BYTES_LIT("a"));
    san_put_end(&at, buf_bytes(&list));
    ASSERT_OK(san_check(buf_bytes(&at), &why), &why);
    san_put(&list, SAN_DNS, BYTES_LIT("a"));
    san_put_end(&past, buf_bytes(&list));
    ASSERT_ERR(ERR_LIMIT, san_check(buf_bytes(&past), &why), &why);
}

/* "aaa….aaa….…" of len octets, labels of 63. */
static struct buf dns_of(size_t len)
{
    struct buf name = { 0 };
    for (size_t i = 0; i < len; i++)
        buf_append_byte(&name, i % 64 == 63 ? '.' : 'a');
    return name;
}

TEST(lengths_end_where_the_rfcs_say)
{
    struct why why = { 0 };
    AUTO_BUF at = dns_of(253), past = dns_of(254), uri = { 0 }, email = { 0 };
    char label[65];
    memset(label, 'a', sizeof(label));
    ASSERT_OK(check_one(DER_CONTEXT(SAN_DNS), buf_bytes(&at), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT(SAN_DNS), buf_bytes(&past), &why), &why);
    memcpy(at.data, "*.", 2);
    ASSERT_OK(check_one(DER_CONTEXT(SAN_DNS), buf_bytes(&at), &why), &why);
    ASSERT_OK(check_one(DER_CONTEXT(SAN_DNS), bytes_of(label, 63), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT(SAN_DNS), bytes_of(label, 64), &why), &why);
    buf_append(&email, bytes_of(label, 64));
    buf_append_str(&email, "@b");
    ASSERT_OK(check_one(DER_CONTEXT(SAN_EMAIL), buf_bytes(&email), &why), &why);
    buf_clear(&email);
    buf_append(&email, bytes_of(label, 65));
    buf_append_str(&email, "@b");
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT(SAN_EMAIL), buf_bytes(&email), &why), &why);
    buf_append_str(&uri, "a:");
    while (uri.len < LIMIT_STRING_BYTES - 4) /* four octets of header */
        buf_append_byte(&uri, 'x');
    ASSERT_OK(check_one(DER_CONTEXT(SAN_URI), buf_bytes(&uri), &why), &why);
    buf_append_byte(&uri, 'x');
    ASSERT_ERR(ERR_LIMIT, check_one(DER_CONTEXT(SAN_URI), buf_bytes(&uri), &why), &why);
}

static enum err check_upn(uint8_t tag, struct bytes value, struct why *why)
{
    AUTO_BUF other = { 0 };
    der_put_oid(&other, oid_bytes(OID_MS_UPN));
    size_t mark = der_begin(&other, DER_CONTEXT_CONSTRUCTED(0));
    der_put(&other, tag, value);
    der_end(&other, mark);
    return check_one(DER_CONTEXT_CONSTRUCTED(SAN_OTHER), buf_bytes(&other), why);
}

TEST(a_upn_is_a_clean_utf8_string)
{
    struct why why = { 0 };
    ASSERT_OK(check_upn(DER_UTF8_STRING, BYTES_LIT("ü@example.com"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_upn(DER_IA5_STRING, BYTES_LIT("a@b"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_upn(DER_UTF8_STRING, BYTES_LIT(""), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_upn(DER_UTF8_STRING, BYTES_LIT("a@b\0c"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_upn(DER_UTF8_STRING, BYTES_LIT("a\n@b"), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_upn(DER_UTF8_STRING, BYTES_LIT("\xFF"), &why), &why);
}

TEST(other_names_must_have_a_type_and_one_value)
{
    static const char *const rows[] = {
        "",           "06012a",        "a0020500", "06012aa000", "06012aa00405000500", "06012aa002050000",
        "06012a0500", "06012a80020500"
    };
    struct why why = { 0 };
    AUTO_BUF good = fixture_hex("06012aa0020500");
    ASSERT_OK(check_one(DER_CONTEXT_CONSTRUCTED(SAN_OTHER), buf_bytes(&good), &why), &why);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF content = fixture_hex(rows[i]);
        if (check_one(DER_CONTEXT_CONSTRUCTED(SAN_OTHER), buf_bytes(&content), &why) != ERR_MALFORMED)
            fail_msg("row %zu was not refused", i);
    }
}

TEST(a_directory_name_is_a_checked_name)
{
    struct why why = { 0 };
    AUTO_BUF good = fixture_name("CN=a"), empty = fixture_name("");
    ASSERT_OK(check_one(DER_CONTEXT_CONSTRUCTED(SAN_DIRECTORY), buf_bytes(&good), &why), &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT_CONSTRUCTED(SAN_DIRECTORY), buf_bytes(&empty), &why),
               &why);
    ASSERT_ERR(ERR_MALFORMED, check_one(DER_CONTEXT_CONSTRUCTED(SAN_DIRECTORY), BYTES_LIT("\x31\x00"), &why),
               &why);
}

static bool first_equal(struct bytes a, struct bytes b)
{
    struct der_reader in_a = san_reader_over(a), in_b = san_reader_over(b);
    struct san_name name_a, name_b;
    assert_true(san_next(&in_a, &name_a) && san_next(&in_b, &name_b));
    return san_name_equal(&name_a, &name_b);
}

static struct buf directory_of(uint8_t tag, struct bytes value)
{
    struct buf names = { 0 };
    AUTO_BUF name = { 0 }, inside = { 0 };
    size_t sequence = der_begin(&name, DER_SEQUENCE), set = der_begin(&name, DER_SET),
           pair = der_begin(&name, DER_SEQUENCE);
    der_put_oid(&name, oid_bytes(OID_CN));
    der_put(&name, tag, value);
    der_end(&name, pair);
    der_end(&name, set);
    der_end(&name, sequence);
    san_put(&inside, SAN_DIRECTORY, buf_bytes(&name));
    san_put_end(&names, buf_bytes(&inside));
    return names;
}

TEST(names_are_equal_octet_by_octet_and_directory_names_as_names)
{
    AUTO_BUF a = fixture_san("dns:a.example"), upper = fixture_san("dns:A.example"),
             again = fixture_san("dns:a.example"), email = fixture_san("email:a@b.example"),
             upn = fixture_san("upn:a@b.example");
    assert_true(first_equal(buf_bytes(&a), buf_bytes(&again)));
    assert_false(first_equal(buf_bytes(&a), buf_bytes(&upper)));
    assert_false(first_equal(buf_bytes(&email), buf_bytes(&upn)));
    AUTO_BUF utf8 = directory_of(DER_UTF8_STRING, BYTES_LIT("a")),
             printable = directory_of(DER_PRINTABLE_STRING, BYTES_LIT("a")),
             other = directory_of(DER_PRINTABLE_STRING, BYTES_LIT("b"));
    assert_true(first_equal(buf_bytes(&utf8), buf_bytes(&printable)));
    assert_false(first_equal(buf_bytes(&utf8), buf_bytes(&other)));
    assert_false(first_equal(buf_bytes(&utf8), buf_bytes(&a)));
}

TEST(text_names_every_kind_and_cannot_be_forged)
{
    AUTO_BUF list = { 0 }, names = { 0 }, dir = fixture_name("CN=x,O=y");
    struct why why = { 0 };
    static const char *const texts[] = { "dns:host.example", "email:a@b",      "uri:tag:x,y:z",
                                         "ip:192.0.2.1",     "ip:2001:db8::1", "upn:a, dns:evil\\@b" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        ASSERT_OK(san_put_text(&list, texts[i], &why), &why);
    san_put(&list, SAN_DIRECTORY, buf_bytes(&dir));
    san_put(&list, SAN_REGISTERED, BYTES_LIT("\x2A\x03"));
    der_put(&list, DER_CONTEXT_CONSTRUCTED(SAN_OTHER), BYTES_LIT("\x06\x01\x2A\xA0\x03\x04\x01\x07"));
    san_put_end(&names, buf_bytes(&list));
    ASSERT_OK(san_check(buf_bytes(&names), &why), &why);
    assert_text(buf_bytes(&names),
                "dns:host.example, email:a@b, uri:tag:x\\,y:z, ip:192.0.2.1, ip:2001:db8::1, "
                "upn:a\\, dns:evil\\\\@b, dir:CN=x,O=y, rid:1.2.3, other:1.2:07");
    assert_string_equal(san_kind_name(SAN_DNS), "dns");
}

TEST(text_that_names_nothing_good_is_refused)
{
    static const char *const rows[] = { "",        "host",    "dns:",   "dns:a_b",
                                        "DNS:a",   "email:a", "uri:a",  "ip:1.2.3",
                                        "ip:",     "upn:",    "upn:\n", "ip:192.0.2.1/24",
                                        "rid:1.2", "dns: a",  "ip:::g" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_BUF list = { 0 };
        struct why why = { 0 };
        if (san_put_text(&list, rows[i], &why) == OK)
            fail_msg("\"%s\" was taken", rows[i]);
        assert_int_equal(list.len, 0);
    }
}

TEST(a_upn_is_written_as_windows_expects_it)
{
    AUTO_BUF list = { 0 }, wanted = fixture_hex("a013060a2b060104018237140203a0050c03614062");
    san_put_upn(&list, BYTES_LIT("a@b"));
    ASSERT_BYTES(buf_bytes(&list), buf_bytes(&wanted));
}

RUN(T(good_names_are_taken), T(hostile_names_are_refused), T(kinds_nobody_sends_and_wrong_forms_are_refused),
    T(the_list_itself_is_checked), T(a_list_holds_100_names_at_most), T(lengths_end_where_the_rfcs_say),
    T(a_upn_is_a_clean_utf8_string), T(other_names_must_have_a_type_and_one_value),
    T(a_directory_name_is_a_checked_name), T(names_are_equal_octet_by_octet_and_directory_names_as_names),
    T(text_names_every_kind_and_cannot_be_forged), T(text_that_names_nothing_good_is_refused),
    T(a_upn_is_written_as_windows_expects_it))

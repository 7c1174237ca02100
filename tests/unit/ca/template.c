/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that ask for more than their template gives: the certificate is exactly the template's, or refused
   (spec security.md C1 to C10, S19). */
#include "tests/unit/ca/fixture.h"

#include "x509/san.h"

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

/* --- patterns and rules --- */

TEST(patterns_match_whole_values)
{
    const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        { "*", "", true },
        { "*", "anything", true },
        { "", "", true },
        { "", "a", false },
        { "abc", "abc", true },
        { "abc", "abcd", false },
        { "abc", "xabc", false },
        { "a*c", "abbbc", true },
        { "a*c", "ac", true },
        { "a*c", "acb", false },
        { "?", "", false },
        { "?", "ab", false },
        { "?", "\xC3\xA4", true },
        { "a?c",
          "a\xC3\xA4"
          "c",
          true },
        { "*.example", ".example", true },
        { "*.example", "a.example.evil", false },
        { "**a**", "bab", true },
        { "a*b*c", "aXbYbZc", true },
        { "a*b*c", "aXcYbZ", false },
        { "A", "a", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (pattern_matches(cases[i].pattern, bytes_str(cases[i].text)) != cases[i].matches)
            fail_msg("\"%s\" over \"%s\": wanted %d", cases[i].pattern, cases[i].text, cases[i].matches);
    }
    assert_false(pattern_matches("a", BYTES_LIT("a\0")));
}

TEST(a_pattern_of_many_stars_ends_soon)
{
    AUTO_BUF text = { 0 };
    for (int i = 0; i < 1000; i++)
        buf_append_byte(&text, 'a');
    assert_false(pattern_matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", buf_bytes(&text)));
}

TEST(rules_are_read_line_by_line)
{
    struct template_rules rules;
    struct why why = { 0 };
    ASSERT_OK(
        template_rules_parse("CN required like *.example net\nOU\n\n2.5.4.97\nempty", false, &rules, &why),
        &why);
    assert_int_equal(3, rules.count);
    assert_true(rules.allows_empty);
    assert_true(rules.rules[0].required);
    assert_string_equal("*.example net", rules.rules[0].like);
    assert_null(rules.rules[1].like);
    template_rules_free(&rules);
    ASSERT_OK(template_rules_parse("dns like *\nip required", true, &rules, &why), &why);
    template_rules_free(&rules);
    const char *const bad[] = { "NOSUCH", "CN maybe",         "CN like ", "CN required maybe",
                                " CN",    "CN requiredlike x" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ASSERT_ERR(ERR_TEMPLATE_PROPERTY, template_rules_parse(bad[i], false, &rules, &why), &why);
    const char *const bad_names[] = { "CN", "directory", "other", "sid", "registered", "empty" };
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(*bad_names); i++)
        ASSERT_ERR(ERR_TEMPLATE_PROPERTY, template_rules_parse(bad_names[i], true, &rules, &why), &why);
}

TEST(as_many_rules_as_the_limit_and_no_more)
{
    struct template_rules rules;
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    for (int i = 0; i < TEMPLATE_RULES_MAX; i++)
        buf_append_str(&text, "CN\n");
    ASSERT_OK(template_rules_parse(buf_text(&text), false, &rules, &why), &why);
    template_rules_free(&rules);
    buf_append_str(&text, "CN\n");
    ASSERT_ERR(ERR_TEMPLATE_PROPERTY, template_rules_parse(buf_text(&text), false, &rules, &why), &why);
}

/* --- hostile extensions --- */

struct hostile {
    const char *name;
    enum oid oid;
    const char *dotted;
    bool critical;
    struct bytes value;
    bool dropped;
};

#define V(text) BYTES_LIT(text)
static const struct hostile extensions[] = {
    /* dropped: the certificate is the template's */
    { "policies", OID_EXT_POLICIES, NULL, false, V("\x30\x06\x30\x04\x06\x02\x2A\x03"), true },
    { "application policies", OID_MS_APPLICATION_POLICIES, NULL, false, V("\x30\x06\x30\x04\x06\x02\x2A\x03"),
      true },
    { "MS template name", OID_MS_TEMPLATE_NAME, NULL, false, V("\x1E\x0A\0A\0d\0m\0i\0n"), true },
    { "MS template v2", OID_MS_TEMPLATE_V2, NULL, false, V("\x30\x04\x06\x02\x2A\x03"), true },
    { "ocsp-nocheck", OID_OCSP_NOCHECK, NULL, false, V("\x05\x00"), true },
    { "CDP", OID_EXT_CDP, NULL, false, V("\x30\x00"), true },
    { "AIA", OID_EXT_AIA, NULL, false, V("\x30\x00"), true },
    { "AKI", OID_EXT_AKI, NULL, false, V("\x30\x03\x80\x01\x01"), true },
    { "SKI", OID_EXT_SKI, NULL, false, V("\x04\x01\x01"), true },
    { "unknown", OID_UNKNOWN, "1.2.3.4.5", false, V("\x05\x00"), true },
    { "basicConstraints empty", OID_EXT_BASIC_CONSTRAINTS, NULL, true, V("\x30\x00"), true },
    { "the template's EKU", OID_EXT_EKU, NULL, false, V("\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02"),
      true },
    { "key usage nonRepudiation and more", OID_EXT_KEY_USAGE, NULL, true, V("\x03\x02\x00\x7F"), false },
    /* refused */
    { "cA TRUE", OID_EXT_BASIC_CONSTRAINTS, NULL, true, V("\x30\x03\x01\x01\xFF"), false },
    { "cA TRUE, not critical", OID_EXT_BASIC_CONSTRAINTS, NULL, false, V("\x30\x03\x01\x01\xFF"), false },
    { "cA TRUE with a path", OID_EXT_BASIC_CONSTRAINTS, NULL, true, V("\x30\x06\x01\x01\xFF\x02\x01\x05"),
      false },
    { "a path alone", OID_EXT_BASIC_CONSTRAINTS, NULL, true, V("\x30\x03\x02\x01\x00"), false },
    { "cA of 01", OID_EXT_BASIC_CONSTRAINTS, NULL, true, V("\x30\x03\x01\x01\x01"), false },
    { "basicConstraints and more", OID_EXT_BASIC_CONSTRAINTS, NULL, true, V("\x30\x00\x30\x00"), false },
    { "keyCertSign", OID_EXT_KEY_USAGE, NULL, true, V("\x03\x02\x02\x04"), false },
    { "cRLSign", OID_EXT_KEY_USAGE, NULL, true, V("\x03\x02\x01\x02"), false },
    { "digitalSignature and keyCertSign", OID_EXT_KEY_USAGE, NULL, false, V("\x03\x02\x02\x84"), false },
    { "serverAuth", OID_EXT_EKU, NULL, false, V("\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01"), false },
    { "any EKU", OID_EXT_EKU, NULL, false, V("\x30\x06\x06\x04\x55\x1D\x25\x00"), false },
    { "request agent", OID_EXT_EKU, NULL, false,
      V("\x30\x0C\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x01"), false },
    { "clientAuth and codeSigning", OID_EXT_EKU, NULL, false,
      V("\x30\x14\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x03"), false },
    { "OCSPSigning, critical", OID_EXT_EKU, NULL, true, V("\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x09"),
      false },
    { "nameConstraints", OID_EXT_NAME_CONSTRAINTS, NULL, false, V("\x30\x00"), false },
    { "nameConstraints, critical", OID_EXT_NAME_CONSTRAINTS, NULL, true, V("\x30\x00"), false },
    { "SID", OID_MS_SID, NULL, false,
      V("\x30\x16\xA0\x14\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x19\x02\x01\xA0\x06\x04\x04S-1-"), false },
    { "SID, critical", OID_MS_SID, NULL, true, V("\x30\x00"), false },
    { "unknown, critical", OID_UNKNOWN, "1.2.3.4.6", true, V("\x05\x00"), false },
    { "policies, critical", OID_EXT_POLICIES, NULL, true, V("\x30\x06\x30\x04\x06\x02\x2A\x03"), false },
    { "application policies, critical", OID_MS_APPLICATION_POLICIES, NULL, true,
      V("\x30\x06\x30\x04\x06\x02\x2A\x03"), false },
    { "MS template, critical", OID_MS_TEMPLATE_V2, NULL, true, V("\x30\x04\x06\x02\x2A\x03"), false },
    { "CDP, critical", OID_EXT_CDP, NULL, true, V("\x30\x00"), false },
    { "SKI, critical", OID_EXT_SKI, NULL, true, V("\x04\x01\x01"), false },
    { "IDP, critical", OID_EXT_IDP, NULL, true, V("\x30\x00"), false },
};
#define HOSTILE (sizeof(extensions) / sizeof(*extensions))

static void hostile_put(struct buf *out, const struct hostile *hostile)
{
    AUTO_BUF oid = { 0 };
    if (hostile->dotted)
        assert_true(oid_from_dotted(hostile->dotted, &oid));
    else
        buf_append(&oid, oid_bytes(hostile->oid));
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, buf_bytes(&oid));
    if (hostile->critical)
        der_put_boolean(out, true);
    der_put_octets(out, hostile->value);
    der_end(out, mark);
}

static struct buf extensions_of(const struct buf *certificate)
{
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(certificate), &cert, &why), &why);
    return buf_dup(cert.extensions);
}

static bool same_oid(const struct hostile *a, const struct hostile *b)
{
    return a->oid == b->oid && (a->oid != OID_UNKNOWN || strcmp(a->dotted, b->dotted) == 0);
}

struct tally {
    int asked, issued;
};

/* Asks with these extensions; when issued, the certificate's are the golden ones, byte for byte. */
static void ask_hostile(struct device *device, struct bytes asked, bool may_issue, const struct buf *golden,
                        struct tally *tally, const char *name)
{
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    device_ask(device, &(struct ask){ .subject = "CN=one", .challenge = "secret", .extensions = asked });
    enum err err = device_enroll(world, device, "static", &got, &why);
    tally->asked++;
    if (!may_issue && err == OK)
        fail_msg("issued though it asked for %s", name);
    if (may_issue && err != OK)
        fail_msg("refused though it asked only for %s: %s", name, why.text);
    if (err != OK) {
        assert_false(err_row(err)->retryable);
        assert_true(why.text[0]);
        return;
    }
    tally->issued++;
    AUTO_BUF have = extensions_of(&got.certificate);
    ASSERT_BYTES(buf_bytes(golden), buf_bytes(&have));
}

TEST(hostile_extensions_alone_and_in_pairs_never_get_through)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 };
    struct why why = { 0 };
    struct tally tally = { 0 };
    ASSERT_OK(device_enroll(world, &device, "static", &first, &why), &why);
    AUTO_BUF golden = extensions_of(&first.certificate);
    for (size_t a = 0; a < HOSTILE; a++) {
        AUTO_BUF one = { 0 };
        hostile_put(&one, &extensions[a]);
        ask_hostile(&device, buf_bytes(&one), extensions[a].dropped, &golden, &tally, extensions[a].name);
        for (size_t b = 0; b < HOSTILE; b++) {
            AUTO_BUF both = buf_dup(buf_bytes(&one));
            hostile_put(&both, &extensions[b]);
            bool may =
                extensions[a].dropped && extensions[b].dropped && !same_oid(&extensions[a], &extensions[b]);
            ask_hostile(&device, buf_bytes(&both), may, &golden, &tally, extensions[b].name);
        }
    }
    assert_true(tally.asked > 1000);
    assert_true(tally.issued > 100);
}

/* The golden ones themselves: these and no other, in this order. */
TEST(the_templates_extensions_are_these_and_no_other)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    const enum oid wanted[] = { OID_EXT_KEY_USAGE, OID_EXT_BASIC_CONSTRAINTS,
                                OID_EXT_EKU,       OID_EXT_SKI,
                                OID_EXT_AKI,       OID_EXT_CDP };
    unsigned seen = 0;
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    AUTO_BUF have = extensions_of(&got.certificate);
    struct der_reader in = der_reader_over(buf_bytes(&have));
    struct extension extension;
    while (extension_next(&in, &extension)) {
        bool known = false;
        for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
            if (oid_is(extension.oid, wanted[i])) {
                known = true;
                seen |= 1u << i;
            }
        }
        assert_true(known);
        if (oid_is(extension.oid, OID_EXT_EKU))
            ASSERT_BYTES(V("\x30\x0A\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02"), extension.value);
        if (oid_is(extension.oid, OID_EXT_BASIC_CONSTRAINTS))
            ASSERT_BYTES(V("\x30\x00"), extension.value);
    }
    assert_true(der_at_end(&in));
    assert_int_equal(0x3F, seen);
}

/* --- hostile names --- */

static const struct {
    const char *name;
    struct bytes der;
} bad_names[] = {
    { "otherName", V("\xA0\x0A\x06\x02\x2A\x03\xA0\x04\x0C\x02hi") },
    { "UPN", V("\xA0\x13\x06\x0A\x2B\x06\x01\x04\x01\x82\x37\x14\x02\x03\xA0\x05\x0C\x03"
               "a@b") },
    { "x400", V("\xA3\x02\x30\x00") },
    { "directoryName", V("\xA4\x0E\x30\x0C\x31\x0A\x30\x08\x06\x03\x55\x04\x03\x0C\x01"
                         "a") },
    { "ediPartyName", V("\xA5\x05\xA1\x03\x0C\x01"
                        "a") },
    { "registeredID", V("\x88\x02\x2A\x03") },
    { "SID URI", V("\x86\x2Btag:microsoft.com,2022-09-14:sid:S-1-5-21-7") },
    { "SID URI in capitals", V("\x86\x2BTAG:Microsoft.com,2022-09-14:SID:S-1-5-21-7") },
    { "SID URI escaped", V("\x86\x2Dtag:microsoft.com,2022-09-14:s%69d:S-1-5-21-7") },
    { "unknown tag", V("\x89\x01"
                       "a") },
    { "IP of five octets", V("\x87\x05\x01\x02\x03\x04\x05") },
    { "dns with NUL", V("\x82\x07"
                        "a.b\0c.d") },
};
#define BAD_NAMES (sizeof(bad_names) / sizeof(*bad_names))
#define POSITIONS 12

static struct buf san_with(size_t count, size_t position, struct bytes bad)
{
    AUTO_BUF names = { 0 }, whole = { 0 };
    struct buf out = { 0 };
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF name = { 0 };
        buf_printf(&name, "host%zu.example", i);
        if (i == position)
            der_put_raw(&names, bad);
        else
            san_put(&names, SAN_DNS, buf_bytes(&name));
    }
    der_put(&whole, DER_SEQUENCE, buf_bytes(&names));
    extension_put_san(&out, buf_bytes(&whole), false);
    return out;
}

TEST(a_hostile_name_is_refused_at_every_position)
{
    int asked = 0;
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    for (size_t bad = 0; bad < BAD_NAMES; bad++) {
        for (size_t position = 0; position < POSITIONS; position++) {
            AUTO_BUF extension = san_with(POSITIONS, position, bad_names[bad].der);
            AUTO_VAL(enrolled) got = { 0 };
            struct why why = { 0 };
            device_ask(&device, &(struct ask){ .subject = "CN=one",
                                               .challenge = "secret",
                                               .extensions = buf_bytes(&extension) });
            enum err err = device_enroll(world, &device, "static", &got, &why);
            if (err != ERR_TEMPLATE_SAN && err != ERR_MALFORMED)
                fail_msg("%s at %zu gave %s (%s)", bad_names[bad].name, position, err_row(err)->name,
                         why.text);
            asked++;
        }
    }
    assert_int_equal(BAD_NAMES * POSITIONS, asked);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

TEST(names_that_the_template_allows_are_copied_and_nothing_else)
{
    AUTO_BUF extension = { 0 }, names = { 0 }, whole = { 0 };
    struct why why = { 0 };
    ASSERT_OK(san_put_text(&names, "dns:host.example", &why), &why);
    ASSERT_OK(san_put_text(&names, "email:a@example.net", &why), &why);
    ASSERT_OK(san_put_text(&names, "uri:https://example.net/x", &why), &why);
    ASSERT_OK(san_put_text(&names, "uri:tag:example.net,2026-11-21:longer-than-what-a-sid-begins-with", &why),
              &why);
    ASSERT_OK(san_put_text(&names, "ip:192.0.2.1", &why), &why);
    ASSERT_OK(san_put_text(&names, "ip:2001:db8::1", &why), &why);
    der_put(&whole, DER_SEQUENCE, buf_bytes(&names));
    extension_put_san(&extension, buf_bytes(&whole), true);
    DEVICE(device, .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&extension));
    AUTO_VAL(enrolled) got = { 0 };
    struct cert cert;
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    ASSERT_BYTES(buf_bytes(&whole), cert.san);
}

static struct template *template_named(const char *name)
{
    struct template *template = NULL;
    struct why why = { 0 };
    ASSERT_OK(template_load(world->store, bytes_str(name), &template, &why), &why);
    return template;
}

static struct buf names_of(const char *text)
{
    struct buf whole = { 0 };
    struct why why = { 0 };
    AUTO_BUF names = { 0 };
    ASSERT_OK(san_put_text(&names, text, &why), &why);
    der_put(&whole, DER_SEQUENCE, buf_bytes(&names));
    return whole;
}

static enum err ask_for_names(size_t count)
{
    AUTO_BUF names = { 0 }, whole = { 0 }, extension = { 0 };
    struct why why = { 0 };
    for (size_t i = 0; i < count; i++) {
        AUTO_STR text = xasprintf("dns:host-%zu.example", i);
        ASSERT_OK(san_put_text(&names, text, &why), &why);
    }
    der_put(&whole, DER_SEQUENCE, buf_bytes(&names));
    extension_put_san(&extension, buf_bytes(&whole), false);
    DEVICE(device, .subject = "CN=many", .challenge = "secret", .extensions = buf_bytes(&extension));
    AUTO_VAL(enrolled) got = { 0 };
    return device_enroll(world, &device, "static", &got, &why);
}

TEST(as_many_names_as_the_limit_and_no_more)
{
    assert_int_equal(OK, ask_for_names(64));
    assert_int_equal(OK, ask_for_names(65));
    assert_int_equal(OK, ask_for_names(LIMIT_SAN_NAMES));
    assert_int_not_equal(OK, ask_for_names(LIMIT_SAN_NAMES + 1));
    assert_int_equal(3, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

TEST(a_wildcard_name_is_never_given)
{
    AUTO_BUF whole = names_of("dns:*.example.net"), extension = { 0 };
    extension_put_san(&extension, buf_bytes(&whole), false);
    DEVICE(device, .subject = "CN=star", .challenge = "secret", .extensions = buf_bytes(&extension));
    device_assert_refused(world, ERR_TEMPLATE_SAN, &device, "static");
}

TEST(the_name_of_the_ca_is_never_given)
{
    AUTO_BUF text = { 0 };
    name_append_text(&text, world_issuer(world)->cert.subject);
    DEVICE(device, .subject = buf_text(&text), .challenge = "secret");
    device_assert_refused(world, ERR_TEMPLATE_SUBJECT, &device, "static");
}

TEST(a_request_refused_again_and_again_keeps_one_row)
{
    AUTO_BUF extension = { 0 };
    extension_put_basic_constraints(&extension, true, -1);
    DEVICE(device, .subject = "CN=one", .challenge = "secret", .extensions = buf_bytes(&extension));
    for (int i = 0; i < 3; i++)
        device_assert_refused(world, ERR_TEMPLATE_USAGE, &device, "static");
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'failed'"));
}

TEST(a_upn_needs_a_template_that_names_it)
{
    AUTO(template) user = template_named("SCEPUser");
    AUTO(template) device = template_named("SCEPDevice");
    AUTO_BUF upn = names_of("upn:alice@example.net"), got = { 0 };
    struct why why = { 0 };
    ASSERT_OK(template_names(user, &(struct template_asked){ buf_bytes(&upn), false }, &got, &why), &why);
    ASSERT_BYTES(buf_bytes(&upn), buf_bytes(&got));
    ASSERT_ERR(ERR_TEMPLATE_SAN,
               template_names(device, &(struct template_asked){ buf_bytes(&upn), false }, &got, &why), &why);
}

/* --- rules of one's own --- */

static enum err subject_under(const char *rule, const char *text, struct why *why)
{
    struct template template = { .name = (char[]){ "T" } };
    AUTO_BUF name = name_of(text), got = { 0 };
    ASSERT_OK(template_rules_parse(rule, false, &template.subject, why), why);
    enum err err = template_subject(&template, buf_bytes(&name), &got, why);
    template_rules_free(&template.subject);
    return err;
}

TEST(subjects_are_judged_attribute_by_attribute)
{
    struct why why = { 0 };
    ASSERT_OK(subject_under("CN required\nOU", "CN=a,OU=b,OU=c", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, subject_under("CN required\nOU", "OU=b", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, subject_under("CN required\nOU", "CN=a,O=b", &why), &why);
    ASSERT_OK(subject_under("CN like *.example", "CN=a.example", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, subject_under("CN like *.example", "CN=a.evil", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, subject_under("CN like *.example", "CN=a.example,CN=a.evil", &why),
               &why);
    ASSERT_OK(subject_under("CN like *.example\nCN like *.test", "CN=a.example,CN=a.test", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, subject_under("CN required like *.example\nCN", "CN=a.test", &why),
               &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, subject_under("CN", "E=a@example.net", &why), &why);
}

static enum err names_under(const char *rule, const char *text, struct why *why)
{
    struct template template = { .name = (char[]){ "T" } };
    AUTO_BUF names = names_of(text), got = { 0 };
    ASSERT_OK(template_rules_parse(rule, true, &template.san, why), why);
    enum err err = template_names(&template, &(struct template_asked){ buf_bytes(&names), false }, &got, why);
    template_rules_free(&template.san);
    return err;
}

TEST(names_are_judged_one_by_one)
{
    struct why why = { 0 };
    ASSERT_OK(names_under("dns like *.example", "dns:a.example", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SAN, names_under("dns like *.example", "dns:a.evil", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SAN, names_under("dns like *.example", "email:a@a.example", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SAN, names_under("dns\nemail required", "dns:a.example", &why), &why);
    ASSERT_OK(names_under("ip like 192.0.2.*", "ip:192.0.2.9", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SAN, names_under("ip like 192.0.2.*", "ip:192.0.3.9", &why), &why);
    ASSERT_OK(names_under("ip like 2001:db8:*", "ip:2001:db8::9", &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SAN, names_under("", "dns:a.example", &why), &why);
}

TEST(an_empty_subject_needs_a_rule_and_a_name)
{
    static const uint8_t empty[] = { 0x30, 0x00 };
    AUTO(public_key) key = NULL;
    DEVICE(device, .subject = "CN=one");
    struct why why = { 0 };
    struct grant grant = { .template = template_named("SCEPDevice") };
    AUTO_BUF names = names_of("dns:a.example");
    struct csr csr = { .subject = BYTES_ARR(empty), .san = buf_bytes(&names) };
    ASSERT_OK(public_key_parse(public_key_spki(device.key->public_half), &key, &why), &why);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, template_apply(&csr, key, &grant, &why), &why);
    grant.template->subject.allows_empty = true;
    ASSERT_OK(template_apply(&csr, key, &grant, &why), &why);
    csr.san = BYTES_NONE;
    buf_free(&grant.subject);
    buf_free(&grant.san);
    ASSERT_ERR(ERR_TEMPLATE_SUBJECT, template_apply(&csr, key, &grant, &why), &why);
    grant_free(&grant);
}

TEST(keys_are_judged_by_kind_and_size)
{
    struct why why = { 0 };
    struct key_spec small = { KEY_RSA, 1024 }, enough = { KEY_RSA, 2048 };
    AUTO(key) weak = NULL;
    AUTO(key) good = NULL;
    DEVICE(ec, .subject = "CN=one");
    ASSERT_OK(key_generate(&enough, NULL, &good, &why), &why);
    struct grant grant = { .template = template_named("SCEPDeviceEncryption") };
    AUTO_BUF name = name_of("CN=one");
    struct csr csr = { .subject = buf_bytes(&name) };
    ASSERT_ERR(ERR_BAD_ALG, template_apply(&csr, ec.key->public_half, &grant, &why), &why);
    ASSERT_OK(template_apply(&csr, good->public_half, &grant, &why), &why);
    assert_int_equal(KU_KEY_ENCIPHERMENT, grant.key_usage);
    buf_free(&grant.subject);
    grant.template->min_rsa_bits = 3072;
    ASSERT_ERR(ERR_WEAK_KEY, template_apply(&csr, good->public_half, &grant, &why), &why);
    grant.template->min_rsa_bits = 2048;
    if (key_generate(&small, NULL, &weak, &why) == OK)
        ASSERT_ERR(ERR_WEAK_KEY, template_apply(&csr, weak->public_half, &grant, &why), &why);
    grant_free(&grant);
    /* Its usage would suit an EC key: only the list of kinds refuses. */
    grant = (struct grant){ .template = template_named("SCEPDeviceSignature") };
    grant.template->key_kinds = 1u << KEY_RSA;
    ASSERT_ERR(ERR_BAD_ALG, template_apply(&csr, ec.key->public_half, &grant, &why), &why);
    grant_free(&grant);
}

TEST(the_subject_is_written_in_our_string_types_and_order)
{
    DEVICE(device, .subject = "OU=unit,O=Example,C=DE,CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) got = { 0 };
    struct why why = { 0 };
    struct cert cert;
    AUTO_BUF text = { 0 };
    ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&got.certificate), &cert, &why), &why);
    name_append_text(&text, cert.subject);
    assert_string_equal("OU=unit,O=Example,C=DE,CN=one", buf_text(&text));
    struct name_reader in = name_reader_over(cert.subject);
    struct name_attribute part;
    while (name_next(&in, &part))
        assert_int_equal(oid_is(part.oid, OID_C) ? DER_PRINTABLE_STRING : DER_UTF8_STRING, part.tag);
}

TEST(attributes_of_the_request_change_nothing)
{
    DEVICE(device, .subject = "CN=one", .challenge = "secret");
    AUTO_VAL(enrolled) first = { 0 };
    struct why why = { 0 };
    ASSERT_OK(device_enroll(world, &device, "static", &first, &why), &why);
    AUTO_BUF golden = extensions_of(&first.certificate), name = name_of("CN=one"), attribute = { 0 };
    const enum oid oids[] = { OID_ATTR_MS_NAME_VALUE, OID_MS_TEMPLATE_NAME, OID_MS_SID, OID_EXT_EKU,
                              OID_EXT_SAN };
    for (size_t i = 0; i < sizeof(oids) / sizeof(*oids); i++) {
        AUTO_VAL(enrolled) got = { 0 };
        buf_clear(&attribute);
        size_t mark = der_begin(&attribute, DER_SEQUENCE);
        der_put_oid(&attribute, oid_bytes(oids[i]));
        size_t values = der_begin(&attribute, DER_SET);
        der_put_utf8(&attribute, BYTES_LIT("ValidityPeriod=100 years"));
        der_end(&attribute, values);
        der_end(&attribute, mark);
        struct csr_params params = { .subject = buf_bytes(&name),
                                     .challenge = "secret",
                                     .more_attributes = buf_bytes(&attribute) };
        buf_free(&device.csr);
        ASSERT_OK(csr_make(&params, device.key, &device.csr, &why), &why);
        ASSERT_OK(device_enroll(world, &device, "static", &got, &why), &why);
        AUTO_BUF have = extensions_of(&got.certificate);
        ASSERT_BYTES(buf_bytes(&golden), buf_bytes(&have));
    }
}

/* --- the store's templates --- */

TEST(built_in_templates_are_there_once_and_stay_as_they_are)
{
    struct why why = { 0 };
    assert_int_equal(12, world_count(world, "SELECT COUNT(*) FROM template"));
    world_exec(world, "UPDATE template SET display_name = 'changed' WHERE name = 'SCEPUser'");
    ASSERT_OK(template_seed(world->store, NOW, &why), &why);
    assert_int_equal(12, world_count(world, "SELECT COUNT(*) FROM template"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM template WHERE display_name = 'changed'"));
    assert_int_equal(6, world_count(world, "SELECT COUNT(*) FROM template WHERE published = 0"));
    world_exec(world, "DELETE FROM template WHERE name = 'WebServer'"); /* an administrator's wish lasts */
    ASSERT_OK(template_seed(world->store, NOW, &why), &why);
    assert_int_equal(11, world_count(world, "SELECT COUNT(*) FROM template"));
}

TEST(a_broken_template_row_refuses)
{
    struct template *template = NULL;
    struct why why = { 0 };
    const char *const breaks[] = {
        "UPDATE template SET eku = 'nonsense' WHERE name = 'SCEPUser'",
        "UPDATE template SET eku = 'clientAuth', key_algorithms = 'RSA DSA' WHERE name = 'SCEPUser'",
        "UPDATE template SET key_algorithms = 'RSA', subject_rule = 'WHAT' WHERE name = 'SCEPUser'",
        "UPDATE template SET subject_rule = 'CN', san_rule = 'what' WHERE name = 'SCEPUser'"
    };
    for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
        world_exec(world, breaks[i]);
        ASSERT_ERR(ERR_TEMPLATE_PROPERTY, template_load(world->store, BYTES_LIT("SCEPUser"), &template, &why),
                   &why);
    }
    ASSERT_ERR(ERR_NOT_FOUND, template_load(world->store, BYTES_LIT("NoSuch"), &template, &why), &why);
}

RUN(W(patterns_match_whole_values), W(a_pattern_of_many_stars_ends_soon), W(rules_are_read_line_by_line),
    W(as_many_rules_as_the_limit_and_no_more), W(hostile_extensions_alone_and_in_pairs_never_get_through),
    W(the_templates_extensions_are_these_and_no_other), W(a_hostile_name_is_refused_at_every_position),
    W(names_that_the_template_allows_are_copied_and_nothing_else), W(as_many_names_as_the_limit_and_no_more),
    W(a_wildcard_name_is_never_given), W(the_name_of_the_ca_is_never_given),
    W(a_request_refused_again_and_again_keeps_one_row), W(a_upn_needs_a_template_that_names_it),
    W(subjects_are_judged_attribute_by_attribute), W(names_are_judged_one_by_one),
    W(an_empty_subject_needs_a_rule_and_a_name), W(keys_are_judged_by_kind_and_size),
    W(the_subject_is_written_in_our_string_types_and_order), W(attributes_of_the_request_change_nothing),
    W(built_in_templates_are_there_once_and_stay_as_they_are), W(a_broken_template_row_refuses))

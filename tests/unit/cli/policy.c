/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy file of certreq may say, and what is refused, with its line. */
#include "tests/unit/test.h"

#include "base/file.h"
#include "cli/policy.h"
#include "x509/extension.h"
#include "x509/name.h"
#include "x509/san.h"

#define HEAD    "[Version]\nSignature=\"$Windows NT$\"\n[NewRequest]\n" /* three lines */
#define SUBJECT "Subject=\"CN=a\"\n"                                    /* the fourth */

static struct why why;

static struct policy accepted(const char *text)
{
    struct policy policy;
    ASSERT_OK(policy_read(bytes_str(text), &policy, &why), &why);
    return policy;
}

static void refused(enum err expected, const char *text, const char *sentence)
{
    AUTO_VAL(policy) policy = { 0 };
    ASSERT_ERR(expected, policy_read(bytes_str(text), &policy, &why), &why);
    assert_string_equal(why.text, sentence);
}

static void assert_subject(const struct policy *policy, const char *expected)
{
    AUTO_BUF text = { 0 };
    name_append_text(&text, buf_bytes(&policy->subject));
    assert_string_equal(buf_text(&text), expected);
}

static char *seeds_file(const char *subject)
{
    AUTO_BUF text = { 0 };
    ASSERT_OK(file_read(TEST_DATA "/certreq/certreq.ini", 65536, &text, &why), &why);
    const char *all = buf_text(&text), *at = strstr(all, "Subject Name in CN format");
    assert_non_null(at);
    return xasprintf("%.*s%s%s", (int)(at - all), all, subject, at + strlen("Subject Name in CN format"));
}

TEST(the_file_of_the_guides_works_once_its_subject_is_filled_in)
{
    AUTO_STR text = seeds_file("C=NL,O=Example,CN=ra.example");
    AUTO_VAL(policy) policy = accepted(text);
    assert_subject(&policy, "C=NL,O=Example,CN=ra.example");
    assert_int_equal(policy.key.kind, KEY_RSA);
    assert_int_equal(policy.key.rsa_bits, 2048);
    assert_true(policy.has_key_usage);
    assert_int_equal(policy.key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(policy.purpose_count, 1);
    ASSERT_BYTES(buf_bytes(&policy.purposes[0]), oid_bytes(OID_KP_CLIENT_AUTH));
    assert_int_equal(policy.names.len, 0);
    assert_string_equal(buf_text(&policy.no_effect),
                        "Exportable, MachineKeySet, SMIME, PrivateKeyArchive, UserProtected, "
                        "UseExistingKeySet, ProviderName, ProviderType");
}

TEST(the_placeholder_is_refused_by_name)
{
    static const char *const written[] = { "Subject Name in CN format", "CN=<Subject Name in CN format>",
                                           "[subject name in cn format]", "<onderwerpnaam in CN-indeling>" };
    for (size_t i = 0; i < sizeof(written) / sizeof(*written); i++) {
        AUTO_STR text = seeds_file(written[i]);
        AUTO_STR sentence = xasprintf("line 6: Subject is still the placeholder \"%s\"; write the name that "
                                      "the certificate shall have, as C=NL,O=Example,CN=host.example",
                                      written[i]);
        refused(ERR_CONFIG, text, sentence);
    }
}

TEST(names_of_keys_and_values_are_read_in_any_case)
{
    AUTO_VAL(policy)
    policy = accepted(
        "[VERSION]\nsignature=\"$windows nt$\"\n[newrequest]\nSUBJECT=CN=a\nkeyalgorithm=ecdsa_p384\n"
        "requesttype=pkcs10\n[enhancedkeyusageextension]\noid=1.2.3\n");
    assert_int_equal(policy.key.kind, KEY_EC_P384);
    assert_int_equal(policy.purpose_count, 1);
}

TEST(a_subject_in_the_grammar_of_windows_is_read_in_its_order)
{
    AUTO_VAL(policy) quoted = accepted(HEAD "Subject=\"CN=\"\"a, b\"\";O=c+OU=d\"\n");
    assert_subject(&quoted, "CN=a\\, b,O=c+OU=d");
    AUTO_VAL(policy) plain = accepted(HEAD "Subject=CN=\"a, b\",O=c\n");
    assert_subject(&plain, "CN=a\\, b,O=c");
    refused(ERR_CONFIG, HEAD "Subject=a\n",
            "line 4: Subject: name \"a\": TYPE=VALUE expected at column 2 (RFC 4514)");
}

TEST(keys_are_made_as_length_and_algorithm_say)
{
    static const struct {
        const char *text;
        enum key_kind kind;
        int bits;
    } cases[] = {
        { "", KEY_RSA, 2048 },
        { "KeyLength=3072\n", KEY_RSA, 3072 },
        { "KeyLength=8192\nKeyAlgorithm=RSA\n", KEY_RSA, 8192 },
        { "KeyLength=0x1000\nKeySpec=AT_KEYEXCHANGE\n", KEY_RSA, 4096 },
        { "KeyAlgorithm=ECDSA_P256\nKeyLength=256\nKeySpec=0\n", KEY_EC_P256, 0 },
        { "KeyAlgorithm=ECDSA_P521\n", KEY_EC_P521, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_STR text = xasprintf(HEAD SUBJECT "%s", cases[i].text);
        AUTO_VAL(policy) policy = accepted(text);
        assert_int_equal(policy.key.kind, cases[i].kind);
        assert_int_equal(policy.key.rsa_bits, cases[i].bits);
    }
}

TEST(keys_out_of_bounds_are_refused)
{
    refused(ERR_WEAK_KEY, HEAD SUBJECT "KeyLength=2047\n",
            "line 5: KeyLength is 2047; allowed is 2048 to 8192");
    refused(ERR_WEAK_KEY, HEAD SUBJECT "KeyLength=8193\n",
            "line 5: KeyLength is 8193; allowed is 2048 to 8192");
    refused(ERR_WEAK_KEY, HEAD SUBJECT "KeyLength=0xFFFFFFFF\n",
            "line 5: KeyLength is 4294967295; allowed is 2048 to 8192");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyLength=0\n",
            "line 5: KeyLength is \"0\"; allowed is a number of bits");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyLength=20f8\n",
            "line 5: KeyLength is \"20f8\"; allowed is a number of bits");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyLength=-2048\n",
            "line 5: KeyLength is \"-2048\"; allowed is a number of bits");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyLength=\n",
            "line 5: KeyLength is \"\"; allowed is a number of bits");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyAlgorithm=ECDSA_P256\nKeyLength=384\n",
            "line 6: KeyLength is 384, a key of P-256 has 256");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyAlgorithm=ECDH_P256\n",
            "line 5: KeyAlgorithm is \"ECDH_P256\"; allowed is RSA, ECDSA_P256, ECDSA_P384 or ECDSA_P521");
    refused(ERR_CONFIG, HEAD SUBJECT "KeySpec=3\n",
            "line 5: KeySpec is \"3\"; allowed is 1 (AT_KEYEXCHANGE), 2 (AT_SIGNATURE) or 0 (AT_NONE)");
}

TEST(key_usage_is_a_number_of_bits_from_the_left)
{
    static const struct {
        const char *text;
        int usage;
    } cases[] = {
        { "0x80", KU_DIGITAL_SIGNATURE },
        { "160", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
        { "0XF0", KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT },
        { "\"0x06\"", KU_KEY_CERT_SIGN | KU_CRL_SIGN },
        { "0x8008", KU_KEY_AGREEMENT | KU_DECIPHER_ONLY },
        { "9", KU_KEY_AGREEMENT | KU_ENCIPHER_ONLY },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_STR text = xasprintf(HEAD SUBJECT "KeyUsage=%s\n", cases[i].text);
        AUTO_VAL(policy) policy = accepted(text);
        assert_int_equal(policy.key_usage, cases[i].usage);
    }
    static const char *const wrong[] = {
        "0", "0x100", "0x", "digitalSignature", "0x80 0x20", "0x8000000080"
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        AUTO_STR text = xasprintf(HEAD SUBJECT "KeyUsage=%s\n", wrong[i]);
        AUTO_STR sentence =
            xasprintf("line 5: KeyUsage is \"%s\"; allowed is a sum of 0x80 (digitalSignature), "
                      "0x40, 0x20 (keyEncipherment) … 0x01 and 0x8000",
                      wrong[i]);
        refused(ERR_CONFIG, text, sentence);
    }
}

TEST(a_usage_that_the_key_cannot_have_is_refused)
{
    refused(ERR_CONFIG, HEAD SUBJECT "KeySpec=2\nKeyUsage=0xa0\n",
            "line 6: KeyUsage asks for encipherment, KeySpec for a key that only signs");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyUsage=0x10\nKeyAlgorithm=ECDSA_P384\n",
            "line 5: KeyUsage asks for encipherment, which a key of P-384 cannot do (RFC 8813)");
    AUTO_VAL(policy) signs = accepted(HEAD SUBJECT "KeySpec=AT_SIGNATURE\nKeyUsage=0x80\n");
    assert_int_equal(signs.key_usage, KU_DIGITAL_SIGNATURE);
}

TEST(other_kinds_of_request_are_refused)
{
    refused(ERR_CONFIG, HEAD SUBJECT "RequestType=CMC\n",
            "line 5: RequestType is \"CMC\"; allowed is PKCS10");
    refused(ERR_CONFIG, HEAD SUBJECT "RequestType=Cert\n",
            "line 5: RequestType is \"Cert\"; allowed is PKCS10");
    refused(ERR_CONFIG, HEAD SUBJECT "UseExistingKeySet=TRUE\n",
            "line 5: UseExistingKeySet is \"TRUE\"; allowed is FALSE");
    refused(ERR_CONFIG, HEAD SUBJECT "PrivateKeyArchive=true\n",
            "line 5: PrivateKeyArchive is \"true\"; allowed is FALSE");
    refused(ERR_CONFIG, HEAD SUBJECT "HashAlgorithm=SHA1\n",
            "line 5: HashAlgorithm is \"SHA1\"; allowed is sha256, sha384 or sha512");
    refused(ERR_CONFIG, "[Version]\nSignature=Linux\n[NewRequest]\n" SUBJECT,
            "line 2: Signature is \"Linux\"; allowed is $Windows NT$");
    refused(ERR_CONFIG, HEAD SUBJECT "MachineKeySet=perhaps\n",
            "line 5: MachineKeySet is \"perhaps\"; allowed is TRUE or FALSE");
}

TEST(what_has_no_effect_is_listed_and_what_is_unknown_refused)
{
    AUTO_VAL(policy)
    policy =
        accepted(HEAD SUBJECT "Silent=TRUE\nKeyContainer=x\nHashAlgorithm=SHA256\nFriendlyName=\"a b\"\n");
    assert_string_equal(buf_text(&policy.no_effect), "Silent, KeyContainer, HashAlgorithm, FriendlyName");
    refused(ERR_CONFIG, HEAD SUBJECT "KeyLenght=2048\n",
            "line 5: the name KeyLenght is none that certreq knows here");
    refused(ERR_CONFIG, HEAD SUBJECT "[RequestAttributes]\nCertificateTemplate=WebServer\n",
            "line 6: the section [RequestAttributes] is none that certreq knows here");
    refused(ERR_CONFIG, HEAD SUBJECT "[Version]\nKeyLength=2048\n",
            "line 6: the name KeyLength is none that certreq knows here");
    refused(ERR_CONFIG, HEAD SUBJECT "[Extensions]\n2.5.29.19=\"{text}ca=1\"\n",
            "line 6: the name 2.5.29.19 is none that certreq knows here");
    refused(ERR_CONFIG, HEAD SUBJECT "KeySpec=1\nkeyspec=1\n", "line 6: KeySpec stands in line 5 already");
}

TEST(a_request_names_somebody)
{
    refused(ERR_CONFIG, HEAD, "[NewRequest] has no Subject, and no names stand in for it");
    refused(ERR_CONFIG, HEAD "Subject=\"\"\n", "[NewRequest] has no Subject, and no names stand in for it");
    AUTO_VAL(policy) named = accepted(HEAD "[Extensions]\n2.5.29.17=\"{text}dns=a.example\"\n");
    assert_true(name_is_empty(buf_bytes(&named.subject)));
    AUTO_BUF extensions = { 0 };
    struct extension san;
    policy_put_extensions(&named, &extensions);
    assert_true(extension_find(buf_bytes(&extensions), OID_EXT_SAN, &san) && san.critical);
}

TEST(names_are_read_as_windows_writes_them)
{
    AUTO_VAL(policy)
    policy = accepted(HEAD SUBJECT
                      "[Extensions]\n2.5.29.17 = \"{text}\"\n_continue_ = \"dns=a.example&dns=b.example&\"\n"
                      "_continue_ = \"URL=http://c.example/x?y=z&\"\n_continue_ = \"ipaddress=192.0.2.7&\"\n"
                      "_continue_ = \"email=d@example.org&upn=e@example.org\"\n");
    AUTO_BUF whole = { 0 }, text = { 0 };
    san_put_end(&whole, buf_bytes(&policy.names));
    san_append_text(&text, buf_bytes(&whole));
    assert_string_equal(buf_text(&text),
                        "dns:a.example, dns:b.example, uri:http://c.example/x?y=z, ip:192.0.2.7, "
                        "email:d@example.org, upn:e@example.org");
}

#define NAMES HEAD SUBJECT "[Extensions]\n2.5.29.17=\"{text}\"\n" /* six lines */
TEST(names_that_cannot_be_read_are_refused)
{
    refused(ERR_CONFIG, NAMES "_continue_=\"guid=f7c3ac41&\"\n",
            "line 7: the name \"guid=f7c3ac41\" begins with none of dns= email= url= ipaddress= upn=");
    refused(ERR_CONFIG, NAMES "_continue_=\"a.example\"\n",
            "line 7: the name \"a.example\" begins with none of dns= email= url= ipaddress= upn=");
    refused(ERR_CONFIG, NAMES "_continue_=\"dns=a.example&&\"\n",
            "line 7: the name \"\" begins with none of dns= email= url= ipaddress= upn=");
    refused(ERR_CONFIG, NAMES "_continue_=\"ipaddress=a.example\"\n",
            "line 7: \"a.example\" is no IPv4 or IPv6 address");
    refused(ERR_CONFIG, NAMES "_continue_=\"dns=a.example\"\n_continue_=\"dns=b.example\"\n",
            "line 8: the names before it must end in '&'");
    refused(ERR_CONFIG, HEAD SUBJECT "[Extensions]\n_continue_=\"dns=a.example\"\n",
            "line 6: _continue_ continues nothing: 2.5.29.17 = \"{text}\" must stand before it");
    refused(ERR_CONFIG, HEAD SUBJECT "[Extensions]\n2.5.29.17=MAA=\n",
            "line 6: 2.5.29.17 is \"MAA=\"; allowed is \"{text}\" and names behind it");
}

TEST(names_have_a_limit)
{
    AUTO_BUF text = { 0 };
    buf_append_str(&text, NAMES);
    for (int i = 0; i < LIMIT_SAN_NAMES; i++)
        buf_printf(&text, "_continue_=\"dns=h%d.example&\"\n", i);
    AUTO_VAL(policy) policy = accepted(buf_text(&text));
    assert_true(policy.names.len > 0);
    buf_append_str(&text, "_continue_=\"dns=h.example&\"\n");
    refused(ERR_LIMIT, buf_text(&text), "more than 100 subject alternative names");
}

TEST(purposes_are_object_identifiers_each_once)
{
    refused(ERR_CONFIG, HEAD SUBJECT "[EnhancedKeyUsageExtension]\nOID=clientAuth\n",
            "line 6: OID is \"clientAuth\"; allowed is an object identifier as 1.3.6.1.5.5.7.3.2");
    refused(ERR_CONFIG, HEAD SUBJECT "[EnhancedKeyUsageExtension]\nOID=1.2.3\nOID=1.2.3\n",
            "line 7: OID 1.2.3 is there twice");
}

TEST(purposes_have_a_limit)
{
    AUTO_BUF text = { 0 };
    buf_append_str(&text, HEAD SUBJECT "[EnhancedKeyUsageExtension]\n");
    for (int i = 1; i <= LIMIT_POLICY_PURPOSES; i++)
        buf_printf(&text, "OID=1.2.%d\n", i);
    AUTO_VAL(policy) policy = accepted(buf_text(&text));
    assert_int_equal(policy.purpose_count, LIMIT_POLICY_PURPOSES);
    buf_append_str(&text, "OID=1.3\n");
    refused(ERR_LIMIT, buf_text(&text), "line 38: more than 32 purposes");
}

TEST(extensions_are_those_that_were_asked_for)
{
    AUTO_BUF extensions = { 0 }, none = { 0 };
    struct extension found;
    AUTO_VAL(policy)
    policy = accepted(HEAD SUBJECT "KeyUsage=0x80\n[EnhancedKeyUsageExtension]\nOID=1.2.3\n"
                                   "[Extensions]\n2.5.29.17=\"{text}dns=a.example\"\n");
    policy_put_extensions(&policy, &extensions);
    ASSERT_OK(extensions_check(buf_bytes(&extensions), &why), &why);
    assert_true(extension_find(buf_bytes(&extensions), OID_EXT_KEY_USAGE, &found) && found.critical);
    assert_true(extension_find(buf_bytes(&extensions), OID_EXT_EKU, &found));
    assert_true(extension_find(buf_bytes(&extensions), OID_EXT_SAN, &found) && !found.critical);
    AUTO_VAL(policy) plain = accepted(HEAD SUBJECT);
    policy_put_extensions(&plain, &none);
    assert_int_equal(none.len, 0);
}

RUN(T(the_file_of_the_guides_works_once_its_subject_is_filled_in), T(the_placeholder_is_refused_by_name),
    T(names_of_keys_and_values_are_read_in_any_case),
    T(a_subject_in_the_grammar_of_windows_is_read_in_its_order), T(keys_are_made_as_length_and_algorithm_say),
    T(keys_out_of_bounds_are_refused), T(key_usage_is_a_number_of_bits_from_the_left),
    T(a_usage_that_the_key_cannot_have_is_refused), T(other_kinds_of_request_are_refused),
    T(what_has_no_effect_is_listed_and_what_is_unknown_refused), T(a_request_names_somebody),
    T(names_are_read_as_windows_writes_them), T(names_that_cannot_be_read_are_refused), T(names_have_a_limit),
    T(purposes_are_object_identifiers_each_once), T(purposes_have_a_limit),
    T(extensions_are_those_that_were_asked_for))

/* SPDX-License-Identifier: Apache-2.0 */
/* Ours against OpenSSL: what we build it reads and verifies, and it reads whatever we read, mutated a few ten thousand
   times with a fixed seed. */
#include "tests/unit/x509/fixture.h"
#include "x509/crl.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* --- what we build ------------------------------------------------------------------------------------------------- */
struct site {
    struct key *ca, *device;
    struct buf name, root, leaf, crl, csr;
};

static struct buf make_root(const struct key *ca, struct bytes name)
{
    AUTO_BUF tbs = { 0 };
    struct why why = { 0 };
    struct tbs_params params = fixture_ca(ca, name);
    params.not_after = FIXTURE_NOW + 86400LL * 3650;
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
    return fixture_sign(buf_bytes(&tbs), ca);
}

static struct buf make_leaf(const struct site *site)
{
    static const char *const urls[] = { "http://ca.example/a", "http://ca.example/b" };
    const struct bytes purposes[] = { oid_bytes(OID_KP_CLIENT_AUTH), oid_bytes(OID_KP_EMAIL_PROTECTION) };
    AUTO_BUF subject =
        fixture_name("C=DE,O=Exämple+OU=x,CN=device 42,E=d@example.com,DC=example,serialNumber=17");
    AUTO_BUF list = { 0 }, san = { 0 }, tbs = { 0 };
    struct why why = { 0 };
    struct cert root;
    ASSERT_OK(cert_parse(buf_bytes(&site->root), &root, &why), &why);
    static const char *const names[] = { "dns:*.example.com", "email:d@example.com", "uri:urn:x",
                                         "ip:192.0.2.1",      "ip:2001:db8::1",      "upn:d@exämple.com" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        ASSERT_OK(san_put_text(&list, names[i], &why), &why);
    san_put_end(&san, buf_bytes(&list));
    struct tbs_params params = fixture_leaf(site->device, buf_bytes(&site->name), buf_bytes(&subject));
    params.algorithm = key_signature_algorithm(site->ca);
    params.issuer_key_id = root.ski;
    params.eku = purposes;
    params.eku_count = 2;
    params.san = buf_bytes(&san);
    params.cdp = params.aia_ca_issuers = params.aia_ocsp = urls;
    params.cdp_count = params.aia_ca_issuers_count = params.aia_ocsp_count = 2;
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
    return fixture_sign(buf_bytes(&tbs), site->ca);
}

static struct buf make_crl(const struct site *site, bool empty)
{
    AUTO_BUF tbs = { 0 };
    struct why why = { 0 };
    struct cert root;
    struct crl_builder builder;
    ASSERT_OK(cert_parse(buf_bytes(&site->root), &root, &why), &why);
    struct crl_params params = { .algorithm = key_signature_algorithm(site->ca),
                                 .issuer = buf_bytes(&site->name),
                                 .issuer_key_id = root.ski,
                                 .this_update = FIXTURE_NOW,
                                 .next_update = FIXTURE_NOW + 86400,
                                 .number = 70000 };
    crl_begin(&builder, &params);
    if (!empty) {
        crl_add(&builder, &(struct crl_entry){ BYTES_LIT("\x80\1"), FIXTURE_NOW - 5, CRL_KEY_COMPROMISE });
        crl_add(&builder, &(struct crl_entry){ BYTES_LIT("\x01"), FIXTURE_NOW - 9, CRL_UNSPECIFIED });
    }
    crl_end(&builder, &tbs);
    return fixture_sign(buf_bytes(&tbs), site->ca);
}

static struct buf make_csr(const struct site *site)
{
    AUTO_BUF subject = fixture_name("CN=ü"), san = fixture_san("upn:d@example.com"), extensions = { 0 };
    struct buf der = { 0 };
    struct why why = { 0 };
    extension_put_san(&extensions, buf_bytes(&san), false);
    extension_put_key_usage(&extensions, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    struct csr_params params = { buf_bytes(&subject), "once", buf_bytes(&extensions), BYTES_NONE };
    ASSERT_OK(csr_make(&params, site->device, &der, &why), &why);
    return der;
}

static struct site site_make(enum key_kind ca, enum key_kind device)
{
    struct site site = { .ca = fixture_key(ca), .device = fixture_key(device) };
    site.name = fixture_name("CN=Issuing CA,O=Example,C=DE");
    site.root = make_root(site.ca, buf_bytes(&site.name));
    site.leaf = make_leaf(&site);
    site.crl = make_crl(&site, false);
    site.csr = make_csr(&site);
    return site;
}

static void site_clear(struct site *site)
{
    key_free(site->ca);
    key_free(site->device);
    buf_free(&site->name);
    buf_free(&site->root);
    buf_free(&site->leaf);
    buf_free(&site->crl);
    buf_free(&site->csr);
}

static X509 *x509_of(struct bytes der)
{
    const uint8_t *at = der.data;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    if (cert && at == der.data + der.len)
        return cert;
    X509_free(cert);
    return NULL;
}

static X509_CRL *crl_of(struct bytes der)
{
    const uint8_t *at = der.data;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    if (crl && at == der.data + der.len)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

static X509_REQ *req_of(struct bytes der)
{
    const uint8_t *at = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)der.len);
    if (req && at == der.data + der.len)
        return req;
    X509_REQ_free(req);
    return NULL;
}

/* The whole path, in OpenSSL's strict mode, with the CRL. */
static void assert_path(X509 *root, X509 *leaf, X509_CRL *crl)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, root);
    X509_STORE_add_crl(store, crl);
    X509_STORE_set_flags(store,
                         X509_V_FLAG_X509_STRICT | X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CHECK_SS_SIGNATURE);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
    X509_STORE_CTX_set_time(ctx, 0, FIXTURE_NOW + 60);
    assert_int_equal(X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT), 1);
    int good = X509_verify_cert(ctx);
    if (good != 1)
        fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
}

static void assert_extensions_decode(X509 *cert)
{
    for (int i = 0; i < X509_get_ext_count(cert); i++) {
        X509_EXTENSION *extension = X509_get_ext(cert, i);
        void *decoded = X509V3_EXT_d2i(extension);
        assert_non_null(decoded);
        const X509V3_EXT_METHOD *method = X509V3_EXT_get(extension);
        ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
    }
}

static void assert_site(enum key_kind ca, enum key_kind device)
{
    struct site site = site_make(ca, device);
    X509 *root = x509_of(buf_bytes(&site.root)), *leaf = x509_of(buf_bytes(&site.leaf));
    X509_CRL *crl = crl_of(buf_bytes(&site.crl));
    X509_REQ *req = req_of(buf_bytes(&site.csr));
    assert_true(root && leaf && crl && req);
    assert_int_equal(X509_verify(root, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
    assert_extensions_decode(root);
    assert_extensions_decode(leaf);
    assert_path(root, leaf, crl);
    /* OpenSSL's own encoder gives the same octets back */
    uint8_t *again = NULL;
    int len = i2d_re_X509_tbs(leaf, &again);
    struct cert cert;
    struct why why = { 0 };
    ASSERT_OK(cert_parse(buf_bytes(&site.leaf), &cert, &why), &why);
    ASSERT_BYTES(bytes_of(again, (size_t)len), cert.tbs);
    OPENSSL_free(again);
    X509_free(root);
    X509_free(leaf);
    X509_CRL_free(crl);
    X509_REQ_free(req);
    site_clear(&site);
}

TEST(openssl_reads_and_verifies_what_we_build)
{
    static const enum key_kind kinds[] = { KEY_RSA, KEY_EC_P256, KEY_EC_P384, KEY_EC_P521 };
    for (size_t i = 0; i < 4; i++)
        assert_site(kinds[i], kinds[3 - i]);
}

TEST(openssl_reads_an_empty_crl)
{
    struct site site = site_make(KEY_EC_P256, KEY_EC_P256);
    AUTO_BUF der = make_crl(&site, true);
    X509_CRL *crl = crl_of(buf_bytes(&der));
    assert_non_null(crl);
    assert_null(X509_CRL_get_REVOKED(crl));
    X509_CRL_free(crl);
    site_clear(&site);
}

/* --- what we read --------------------------------------------------------------------------------------------------- */
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64: the same sequence in every run */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Start of some element inside der, found by walking down at random. */
static struct bytes random_element(struct bytes der, uint64_t *state)
{
    struct bytes chosen = der;
    for (int depth = 0; depth < 12; depth++) {
        struct der_reader in = der_reader_over(chosen);
        struct der_item item, child[32];
        size_t children = 0;
        if (!der_get_any(&in, &item) || (depth > 1 && random_next(state) % 4 == 0))
            break;
        in = der_reader_over(item.content);
        if (!(item.tag & 0x20) && item.tag != DER_OCTET_STRING)
            break;
        while (children < 32 && der_get_any(&in, &child[children]))
            children++;
        if (children == 0)
            break;
        chosen = child[random_next(state) % children].whole;
    }
    return chosen;
}

/* Writes der again with other octets in place of element and corrects every length around it, so that the change gets
   deep. */
static struct buf replace_inside(struct bytes der, struct bytes element, struct bytes instead)
{
    struct buf out = { 0 };
    struct {
        size_t mark;
        const uint8_t *end;
    } open[24] = { { 0, der.data + der.len } };
    size_t depth = 0;
    const uint8_t *at = der.data;
    for (;;) {
        while (depth && at == open[depth].end)
            der_end(&out, open[depth--].mark);
        if (at == open[depth].end)
            return out;
        struct der_reader in = der_reader_over(bytes_of(at, (size_t)(open[depth].end - at)));
        struct der_item item;
        if (at == element.data) {
            buf_append(&out, instead);
            at += element.len;
        } else if (!der_get_any(&in, &item)) { /* broken by an earlier round: as it is */
            buf_append(&out, in.rest);
            at = open[depth].end;
        } else if (depth < 23 && element.data >= item.content.data && element.data < at + item.whole.len) {
            open[++depth].mark = der_begin(&out, item.tag);
            open[depth].end = at + item.whole.len;
            at = item.content.data;
        } else {
            buf_append(&out, item.whole);
            at += item.whole.len;
        }
    }
}

static struct buf mutated_element(struct bytes element, uint64_t *state)
{
    struct buf out = buf_dup(element);
    size_t at = random_next(state) % out.len;
    static const uint8_t tags[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13,
                                    0x14, 0x16, 0x17, 0x18, 0x1A, 0x1C, 0x1E, 0x30, 0x31,
                                    0x80, 0x82, 0x86, 0xA0, 0xA1, 0xA3, 0xA4 };
    switch (random_next(state) % 7) {
    case 0:
        out.data[at] ^= (uint8_t)(1 << random_next(state) % 8);
        break;
    case 1:
        out.data[at] = (uint8_t)random_next(state);
        break;
    case 2:
        out.data[0] = tags[random_next(state) % sizeof(tags)];
        break;
    case 3:
        out.len = 0; /* left out */
        break;
    case 4:
        buf_append(&out, element); /* twice */
        break;
    case 5: {
        struct der_reader in = der_reader_over(element); /* empty, or cut */
        struct der_item item;
        if (der_get_any(&in, &item)) {
            out.len = 0;
            der_put(
                &out, item.tag,
                bytes_of(item.content.data, item.content.len ? random_next(state) % item.content.len : 0));
        }
        break;
    }
    default: {
        struct der_reader in = der_reader_over(element); /* longer */
        struct der_item item;
        if (der_get_any(&in, &item)) {
            out.len = 0;
            size_t mark = der_begin(&out, item.tag);
            buf_append_byte(&out, (uint8_t)random_next(state));
            buf_append(&out, item.content);
            der_end(&out, mark);
        }
    }
    }
    return out;
}

static struct buf mutate(struct bytes der, uint64_t *state)
{
    struct buf out = buf_dup(der);
    size_t rounds = 1 + random_next(state) % 2;
    for (size_t i = 0; i < rounds && out.len; i++) {
        struct bytes element = random_element(buf_bytes(&out), state);
        AUTO_BUF instead = mutated_element(element, state);
        struct buf next = replace_inside(buf_bytes(&out), element, buf_bytes(&instead));
        buf_free(&out);
        out = next;
    }
    return out;
}

/* Where OpenSSL 3.0 refuses what we take, and why that is right. */
static bool is_known_exception(struct bytes subject)
{
    /* BMPString with surrogate pairs: Windows writes UTF-16; OpenSSL reads UCS-2 and can't make its canonical form. */
    struct name_reader reader = name_reader_over(subject);
    struct name_attribute attribute;
    while (name_next(&reader, &attribute))
        for (size_t i = 0; attribute.tag == DER_BMP_STRING && i < attribute.value.len; i += 2)
            if ((attribute.value.data[i] & 0xF8) == 0xD8)
                return true;
    return false;
}

static void assert_same_time(const ASN1_TIME *theirs, int64_t ours)
{
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)ours);
    assert_non_null(time);
    assert_int_equal(ASN1_TIME_compare(theirs, time), 0);
    ASN1_TIME_free(time);
}

static void assert_same_name(const X509_NAME *theirs, struct bytes ours)
{
    const uint8_t *der;
    size_t len;
    assert_int_equal(X509_NAME_get0_der(theirs, &der, &len), 1);
    ASSERT_BYTES(bytes_of(der, len), ours);
}

static void *decoded(X509 *cert, int nid)
{
    int critical = 0;
    void *value = X509_get_ext_d2i(cert, nid, &critical, NULL);
    assert_true(critical >= 0 || critical == -1); /* -2: twice */
    return value;
}

static void compare_extensions(X509 *theirs, const struct cert *ours)
{
    AUTHORITY_KEYID *aki = decoded(theirs, NID_authority_key_identifier);
    GENERAL_NAMES *san = decoded(theirs, NID_subject_alt_name);
    EXTENDED_KEY_USAGE *eku = decoded(theirs, NID_ext_key_usage);
    ASN1_BIT_STRING *usage = decoded(theirs, NID_key_usage);
    BASIC_CONSTRAINTS *basic = decoded(theirs, NID_basic_constraints);
    assert_int_equal(san != NULL, ours->san.len > 0);
    assert_int_equal(eku != NULL, ours->eku.len > 0);
    assert_int_equal(usage != NULL, ours->has_key_usage);
    for (int i = 0; usage && i < 9; i++)
        assert_int_equal(ASN1_BIT_STRING_get_bit(usage, i), ours->key_usage >> i & 1);
    assert_int_equal(basic && basic->ca, ours->is_ca);
    if (basic && basic->pathlen)
        assert_int_equal(ASN1_INTEGER_get(basic->pathlen), ours->path_len);
    if (ours->aki.len)
        assert_true(aki && aki->keyid && (size_t)ASN1_STRING_length(aki->keyid) == ours->aki.len);
    AUTHORITY_KEYID_free(aki);
    GENERAL_NAMES_free(san);
    EXTENDED_KEY_USAGE_free(eku);
    ASN1_BIT_STRING_free(usage);
    BASIC_CONSTRAINTS_free(basic);
}

/* On stderr: cmocka cuts long messages. */
static void refuse_mutant(const char *what, struct buf *hex)
{
    fprintf(stderr, "%s\n", buf_text(hex));
    fail_msg("%s", what);
}

/* 1: we took it. What both take they must understand alike. */
static size_t compare_cert(struct bytes der)
{
    struct cert ours;
    struct why why = { 0 };
    if (cert_parse(der, &ours, &why) != OK)
        return 0;
    X509 *theirs = x509_of(der);
    if (!theirs) {
        AUTO_BUF hex = { 0 };
        hex_append(&hex, der);
        if (!is_known_exception(ours.subject) && !is_known_exception(ours.issuer))
            refuse_mutant("a certificate that only we take", &hex);
        return 1;
    }
    assert_same_name(X509_get_subject_name(theirs), ours.subject);
    assert_same_name(X509_get_issuer_name(theirs), ours.issuer);
    assert_same_time(X509_get0_notBefore(theirs), ours.not_before);
    assert_same_time(X509_get0_notAfter(theirs), ours.not_after);
    assert_int_equal(X509_get_version(theirs), ours.version - 1);
    compare_extensions(theirs, &ours);
    X509_free(theirs);
    return 1;
}

static void compare_requested(X509_REQ *theirs, const struct csr *ours)
{
    STACK_OF(X509_EXTENSION) *list = X509_REQ_get_extensions(theirs);
    assert_int_equal(list && sk_X509_EXTENSION_num(list) > 0, ours->extensions.len > 0);
    int critical;
    GENERAL_NAMES *san = X509V3_get_d2i(list, NID_subject_alt_name, &critical, NULL);
    EXTENDED_KEY_USAGE *eku = X509V3_get_d2i(list, NID_ext_key_usage, &critical, NULL);
    ASN1_BIT_STRING *usage = X509V3_get_d2i(list, NID_key_usage, &critical, NULL);
    assert_int_equal(san != NULL, ours->san.len > 0);
    assert_int_equal(eku != NULL, ours->eku.len > 0);
    assert_int_equal(usage != NULL, ours->has_key_usage);
    for (int i = 0; usage && i < 9; i++)
        assert_int_equal(ASN1_BIT_STRING_get_bit(usage, i), ours->key_usage >> i & 1);
    int at = X509_REQ_get_attr_by_NID(theirs, NID_pkcs9_challengePassword, -1);
    assert_int_equal(at >= 0, ours->has_challenge);
    GENERAL_NAMES_free(san);
    EXTENDED_KEY_USAGE_free(eku);
    ASN1_BIT_STRING_free(usage);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static size_t compare_csr(struct bytes der)
{
    struct csr ours;
    struct why why = { 0 };
    if (csr_parse(der, &ours, &why) != OK)
        return 0;
    X509_REQ *theirs = req_of(der);
    if (!theirs) {
        AUTO_BUF hex = { 0 };
        hex_append(&hex, der);
        if (!is_known_exception(ours.subject))
            refuse_mutant("a request that only we take", &hex);
        return 1;
    }
    assert_same_name(X509_REQ_get_subject_name(theirs), ours.subject);
    compare_requested(theirs, &ours);
    X509_REQ_free(theirs);
    return 1;
}

static size_t compare_crl(struct bytes der)
{
    struct crl ours;
    struct why why = { 0 };
    if (crl_parse(der, &ours, &why) != OK)
        return 0;
    X509_CRL *theirs = crl_of(der);
    if (!theirs) {
        AUTO_BUF hex = { 0 };
        hex_append(&hex, der);
        if (!is_known_exception(ours.issuer))
            refuse_mutant("a CRL that only we take", &hex);
        return 1;
    }
    assert_same_name(X509_CRL_get_issuer(theirs), ours.issuer);
    assert_same_time(X509_CRL_get0_lastUpdate(theirs), ours.this_update);
    assert_same_time(X509_CRL_get0_nextUpdate(theirs), ours.next_update);
    struct der_reader entries = der_reader_over(ours.entries);
    struct crl_entry entry;
    int count = 0;
    while (crl_next(&entries, &entry))
        count++;
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(theirs);
    assert_int_equal(revoked ? sk_X509_REVOKED_num(revoked) : 0, count);
    X509_CRL_free(theirs);
    return 1;
}

/* Mutates der `rounds` times; some must still be taken, or the mutations are too coarse to test anything. */
static void mutate_and_compare(struct bytes der, size_t (*compare)(struct bytes), size_t rounds,
                               uint64_t seed)
{
    uint64_t state = seed;
    size_t taken = 0;
    assert_int_equal(compare(der), 1);
    for (size_t i = 0; i < rounds; i++) {
        AUTO_BUF mutant = mutate(der, &state);
        taken += compare(buf_bytes(&mutant));
        ERR_clear_error();
    }
    if (taken < rounds / 50 || taken == rounds)
        fail_msg("%zu of %zu mutants were taken", taken, rounds);
}

TEST(openssl_takes_every_certificate_that_we_take)
{
    struct site site = site_make(KEY_RSA, KEY_EC_P256);
    mutate_and_compare(buf_bytes(&site.leaf), compare_cert, 9000, 0x1234567);
    mutate_and_compare(buf_bytes(&site.root), compare_cert, 4000, 0x7654321);
    site_clear(&site);
}

TEST(openssl_takes_every_crl_that_we_take)
{
    struct site site = site_make(KEY_EC_P256, KEY_EC_P256);
    mutate_and_compare(buf_bytes(&site.crl), compare_crl, 6000, 0xC0FFEE);
    site_clear(&site);
}

TEST(openssl_takes_every_request_that_we_take)
{
    static const char *const files[] = { "openssl-rsa",    "openssl-bmp",    "openssl-t61",   "gnutls-ec",
                                         "strongswan-rsa", "certmonger-rsa", "scepclient-rsa" };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        AUTO_STR path = xasprintf("csr/%s.der", files[i]);
        AUTO_BUF der = fixture_file(path);
        mutate_and_compare(buf_bytes(&der), compare_csr, 3000, 0xBADC0DE + i);
    }
}

RUN(T(openssl_reads_and_verifies_what_we_build), T(openssl_reads_an_empty_crl),
    T(openssl_takes_every_certificate_that_we_take), T(openssl_takes_every_crl_that_we_take),
    T(openssl_takes_every_request_that_we_take))

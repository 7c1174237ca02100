/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks at CertificateRegistrationSvc: by what its certificate says, while it says so, and while its CA stands by it. */
#include "scep/crs.h"

#include "base/file.h"
#include "ipc/record.h"
#include "scep/crs_caller.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include "x509/crl.h"
#include "x509/name.h"
#include "x509/san.h"
#include <sys/stat.h>
#include <unistd.h>

static struct site *site;
static const char *const names[] = { "ndes1.example.net", "ndes2.example.net" };
static enum crs_substatus substatus;
static const struct crs_allowed allowed = { (char **)(uintptr_t)names, 2 };

static int group_begin(void **state)
{
    (void)state;
    site = site_new(&(struct site_options){ 0 });
    return 0;
}

static int group_end(void **state)
{
    (void)state;
    site_end();
    return 0;
}

/* "dns:a|email:b": GeneralNames. */
static struct buf san_of(const char *text)
{
    struct buf whole = { 0 };
    struct why why = { 0 };
    AUTO_BUF list = { 0 };
    AUTO_STR copy = xstrdup(text);
    char *rest = copy;
    for (char *one; (one = strsep(&rest, "|"));) {
        if (*one)
            ASSERT_OK(san_put_text(&list, one, &why), &why);
    }
    if (list.len)
        san_put_end(&whole, buf_bytes(&list));
    return whole;
}

static struct identity client(const char *subject, const char *san, enum oid purpose)
{
    struct identity made;
    AUTO_BUF sans = san_of(san);
    identity_make(&(struct identity_params){ .subject = subject,
                                             .issuer = &site->ca,
                                             .kind = KEY_EC_P256,
                                             .key_usage = KU_DIGITAL_SIGNATURE,
                                             .not_after = SITE_NOW + 1000,
                                             .eku = purpose == OID_UNKNOWN ? BYTES_NONE : oid_bytes(purpose),
                                             .san = buf_bytes(&sans) },
                  &made);
    return made;
}

#define CLIENT(name, ...) __attribute__((cleanup(identity_free))) struct identity name = client(__VA_ARGS__)

static enum err judge(const struct identity *identity, int64_t now, const char **ret, struct why *why)
{
    const struct http_request request = { .client_cert = buf_bytes(&identity->der) };
    const struct crs_question question = { &allowed, &request, now, &substatus };
    return crs_caller_judge(&question, ret, why);
}

static void known_as(const struct identity *identity, const char *expected)
{
    const char *name = NULL;
    struct why why = { 0 };
    ASSERT_OK(judge(identity, SITE_NOW, &name, &why), &why);
    assert_string_equal(expected, name);
}

static void unknown(const struct identity *identity, const char *reason)
{
    const char *name = NULL;
    struct why why = { 0 };
    ASSERT_ERR(ERR_NOT_AUTHORISED, judge(identity, SITE_NOW, &name, &why), &why);
    if (!strstr(why.text, reason))
        fail_msg("\"%s\" lacks \"%s\"", why.text, reason);
}

TEST(a_client_is_known_by_the_dns_name_in_its_certificate)
{
    CLIENT(plain, "CN=x", "dns:ndes2.example.net", OID_KP_CLIENT_AUTH);
    known_as(&plain, "ndes2.example.net");
    CLIENT(second, "CN=x", "dns:other.example.net|dns:NDES1.example.net", OID_KP_CLIENT_AUTH);
    known_as(&second, "ndes1.example.net");
    CLIENT(subject, "CN=ndes1.example.net,O=Example", "", OID_KP_CLIENT_AUTH);
    known_as(&subject, "ndes1.example.net");
    CLIENT(email, "CN=ndes1.example.net", "email:a@example.net", OID_KP_CLIENT_AUTH);
    known_as(&email, "ndes1.example.net");

    CLIENT(other, "CN=x", "dns:ndes9.example.net", OID_KP_CLIENT_AUTH);
    unknown(&other, "ndes9.example.net");
    CLIENT(hidden, "CN=ndes1.example.net", "dns:ndes9.example.net", OID_KP_CLIENT_AUTH); /* RFC 6125 6.4.4 */
    unknown(&hidden, "none is in crp_clients");
    CLIENT(two, "CN=ndes1.example.net,CN=other", "", OID_KP_CLIENT_AUTH);
    unknown(&two, "none is in crp_clients");
    CLIENT(longer, "CN=x", "dns:ndes1.example.net.evil.example", OID_KP_CLIENT_AUTH);
    unknown(&longer, "none is in crp_clients");
    CLIENT(mail, "CN=x", "email:ndes1.example.net@example.net|uri:https://ndes1.example.net",
           OID_KP_CLIENT_AUTH);
    unknown(&mail, "none is in crp_clients");
    CLIENT(organisation, "O=ndes1.example.net", "", OID_KP_CLIENT_AUTH);
    unknown(&organisation, "none is in crp_clients");
}

TEST(a_certificate_that_is_not_for_clients_counts_for_nobody)
{
    CLIENT(none, "CN=x", "dns:ndes1.example.net", OID_UNKNOWN);
    unknown(&none, "clientAuth");
    CLIENT(server, "CN=x", "dns:ndes1.example.net", OID_KP_SERVER_AUTH);
    unknown(&server, "clientAuth");
}

TEST(a_certificate_counts_while_it_is_in_force)
{
    const char *name = NULL;
    struct why why = { 0 };
    CLIENT(plain, "CN=x", "dns:ndes1.example.net", OID_KP_CLIENT_AUTH);
    ASSERT_OK(judge(&plain, SITE_NOW + 1000, &name, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, judge(&plain, SITE_NOW + 1001, &name, &why), &why);
    ASSERT_ERR(ERR_NOT_AUTHORISED, judge(&plain, SITE_NOW - 86401, &name, &why), &why);
    assert_non_null(strstr(why.text, "is valid from"));
    assert_int_equal(CRS_NOT_IN_FORCE, substatus);
}

TEST(a_missing_certificate_is_told_from_one_that_is_not_trusted)
{
    const char *name = NULL;
    struct why why = { 0 };
    const struct http_request none = { .tls = true };
    const struct http_request untrusted = { .tls = true, .client_refusal = "certificate has expired" };
    ASSERT_ERR(ERR_NOT_AUTHORISED,
               crs_caller_judge(&(struct crs_question){ &allowed, &none, SITE_NOW, &substatus }, &name, &why),
               &why);
    assert_string_equal(why.text, "there is no client certificate");
    assert_int_equal(CRS_REQUIRED, substatus);
    ASSERT_ERR(
        ERR_NOT_AUTHORISED,
        crs_caller_judge(&(struct crs_question){ &allowed, &untrusted, SITE_NOW, &substatus }, &name, &why),
        &why);
    assert_string_equal(why.text, "the client certificate is not trusted: certificate has expired");
    assert_int_equal(CRS_UNTRUSTED, substatus);
}

/* --- what its CA says --- */

struct telling_ca {
    struct ca_client client;
    const char *status;
    enum err err;
    unsigned calls;
};

static enum err telling_call(struct ca_client *of, const char *verb, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct telling_ca *ca = (struct telling_ca *)of;
    struct record record;
    assert_string_equal(verb, "status_get");
    ca->calls++;
    if (ca->err != OK)
        return fail(why, ca->err, "the test says no");
    ASSERT_OK(record_get(body, &record, why), why);
    AUTO_STR issuer = record_str(&record, "ca");
    assert_string_equal(issuer, "registration");
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "status", ca->status);
    record_put_int(ret, "revoked_at", SITE_NOW);
    record_put_int(ret, "reason", CRL_KEY_COMPROMISE);
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

static void telling_free(struct ca_client *of)
{
    (void)of;
}

static const struct ca_client_ops ops = { "telling", telling_call, telling_free, NULL };

static enum err stands(struct telling_ca *ca, const struct identity *identity, struct why *why)
{
    struct ca_client *before = site->scep->ca;
    const struct crs_standing standing = { site->scep, buf_bytes(&identity->der), "registration",
                                           &site->ca.cert };
    site->scep->ca = &ca->client;
    enum err err = crs_caller_stands(&standing, why);
    site->scep->ca = before;
    return err;
}

TEST(what_our_own_ca_has_revoked_or_does_not_know_counts_no_more)
{
    struct why why = { 0 };
    struct telling_ca ca = { .client = { &ops }, .status = "good" };
    CLIENT(own, "CN=x", "dns:ndes1.example.net", OID_KP_CLIENT_AUTH);
    ASSERT_OK(stands(&ca, &own, &why), &why);
    ca.status = "revoked";
    ASSERT_ERR(ERR_NOT_AUTHORISED, stands(&ca, &own, &why), &why);
    assert_non_null(strstr(why.text, "keyCompromise"));
    ca.status = "unknown";
    ASSERT_ERR(ERR_NOT_AUTHORISED, stands(&ca, &own, &why), &why);
    ca.err = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, stands(&ca, &own, &why), &why);
    assert_int_equal(4, ca.calls);
}

TEST(of_a_certificate_of_another_ca_nobody_is_asked)
{
    struct why why = { 0 };
    struct telling_ca ca = { .client = { &ops }, .status = "revoked" };
    ASSERT_OK(stands(&ca, &site->stranger, &why), &why);
    assert_int_equal(0, ca.calls);
}

/* --- whom the listener asks for --- */

static void pem_write(const char *folder, const char *name, const struct identity *const *list, size_t count)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    AUTO_STR path = xasprintf("%s/%s.crt.pem", folder, name);
    for (size_t i = 0; i < count; i++)
        pem_append(&text, "CERTIFICATE", buf_bytes(&list[i]->der));
    ASSERT_OK(file_write(path, buf_bytes(&text), 0644, &why), &why);
}

static enum err anchors(const char *folder, const char *named, struct buf *ret, struct why *why)
{
    AUTO_STR path = xasprintf("%s/chancery.conf", folder);
    AUTO_STR text =
        xasprintf("mode = user\nstate_dir = \"%s\"\nca \"issuing\" {}\nscep { crp_client_ca = \"%s\" }\n",
                  folder, named);
    AUTO(config) config = NULL;
    ASSERT_OK(file_write(path, bytes_str(text), 0600, why), why);
    ASSERT_OK(config_load(path, &config, why), why);
    buf_free(ret);
    return crs_anchors(config, ret, why);
}

TEST(only_a_ca_is_an_anchor)
{
    struct why why = { 0 };
    char folder[] = "/tmp/chancery-crs-XXXXXX";
    AUTO_BUF der = { 0 }, both = { 0 };
    assert_non_null(mkdtemp(folder));
    AUTO_STR scep = xasprintf("%s/scep", folder);
    AUTO_STR certs = xasprintf("%s/scep/certs", folder);
    assert_true(mkdir(scep, 0700) == 0 && mkdir(certs, 0700) == 0);
    pem_write(certs, "ca-issuing", (const struct identity *const[]){ &site->ca }, 1);
    pem_write(certs, "two", (const struct identity *const[]){ &site->other_ca, &site->ca }, 2);
    pem_write(certs, "leaf", (const struct identity *const[]){ &site->ca, &site->stranger }, 2);
    pem_write(certs, "none", NULL, 0);
    ASSERT_OK(anchors(folder, "ca-issuing", &der, &why), &why);
    ASSERT_BYTES(buf_bytes(&site->ca.der), buf_bytes(&der));
    ASSERT_OK(anchors(folder, "two", &der, &why), &why);
    buf_append(&both, buf_bytes(&site->other_ca.der));
    buf_append(&both, buf_bytes(&site->ca.der));
    ASSERT_BYTES(buf_bytes(&both), buf_bytes(&der));
    ASSERT_ERR(ERR_CONFIG, anchors(folder, "leaf", &der, &why), &why);
    assert_non_null(strstr(why.text, "no CA's"));
    ASSERT_ERR(ERR_CONFIG, anchors(folder, "none", &der, &why), &why);
    assert_int_not_equal(OK, anchors(folder, "gone", &der, &why));
    AUTO_STR command = xasprintf("rm -r %s", folder);
    assert_int_equal(0, system(command));
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(a_client_is_known_by_the_dns_name_in_its_certificate),
                                        T(a_certificate_that_is_not_for_clients_counts_for_nobody),
                                        T(a_certificate_counts_while_it_is_in_force),
                                        T(a_missing_certificate_is_told_from_one_that_is_not_trusted),
                                        T(what_our_own_ca_has_revoked_or_does_not_know_counts_no_more),
                                        T(of_a_certificate_of_another_ca_nobody_is_asked),
                                        T(only_a_ca_is_an_anchor) };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, group_begin, group_end);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a captured scep sends in well-formed frames. */
#include "tests/captured/captured.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/limits.h"
#include "ipc/record.h"
#include "ipc/seal.h"
#include "tests/support/pki_shape.h"
#include <ctype.h>
#include <stdio.h>

#define FORGED_CSRS 300
#define MUTANTS     400

static struct enroll_request request_of(const struct captured *it, struct bytes csr, struct bytes signer_cert)
{
    return (struct enroll_request){ bytes_str(it->endpoint), csr, BYTES_LIT("captured"), signer_cert,
                                    BYTES_LIT("192.0.2.66") };
}

/* A stranger's key, whatever challenge. */
static enum err ask_with(struct captured *it, const char *challenge)
{
    AUTO_BUF csr = captured_csr(it->stranger, challenge, "CN=stranger");
    const struct enroll_request request = request_of(it, buf_bytes(&csr), buf_bytes(&it->stranger_cert));
    return captured_request(it, &request);
}

/* --- every verb there is, and some there are not --- */

static const char *const verbs[] = {
    "request",
    "poll",
    "get_cert",
    "get_crl",
    "request_list",
    "request_show",
    "request_export",
    "request_approve",
    "request_deny",
    "request_resubmit",
    "refusal_list",
    "cert_list",
    "cert_show",
    "cert_export",
    "cert_revoke",
    "cert_release",
    "ca_get",
    "status_get",
    "status_changes",
    "crl_get",
    "template_list",
    "template_show",
    "template_new",
    "template_set",
    "template_publish",
    "template_unpublish",
    "template_delete",
    "site_apply",
    "site_export",
    "ca_flags",
    "crl_publish",
    "crl_show",
    "crl_export",
    "password_new",
    "status",
    "signer_status",
    "issue",
    "tls_renew",
    "right_list",
    "right_grant",
    "right_revoke",
    "right_deny",
    "authority_list",
    "authority_show",
    "authority_add",
    "authority_set",
    "authority_remove",
    "seal",
    "hello",
    "ok",
    "error",
    "reload",
    "REQUEST",
    "request ",
    "request_approve ",
    "sign",
    "ca_add",
    "release",
    "status_get",
    "x",
};

static void bodies_of(const struct captured *it, struct buf bodies[4])
{
    struct enroll_request request = request_of(it, buf_bytes(&it->csr), buf_bytes(&it->stranger_cert));
    const struct seal_request seal = { BYTES_LIT("issuing"), SEAL_CERTIFICATE, buf_bytes(&it->certificate) };
    enroll_request_put(&bodies[0], &request);
    seal_request_put(&bodies[1], &seal);
    size_t mark = record_begin(&bodies[2]);
    static const char *const fields[][2] = { { "id", "1" },
                                             { "request", "1" },
                                             { "endpoint", "default" },
                                             { "ca", "issuing" },
                                             { "name", "SCEPDevice" },
                                             { "reason", "keyCompromise" },
                                             { "principal", "role/scep" },
                                             { "rights", "read,manage,issue" } };
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        record_put_str(&bodies[2], fields[i][0], fields[i][1]);
    record_end(&bodies[2], mark);
}

void try_verbs(struct captured *it)
{
    struct buf bodies[4] = { { 0 } }; /* the last stays empty */
    bodies_of(it, bodies);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        for (size_t body = 0; body < 4; body++)
            (void)captured_try(it, verbs[i], buf_bytes(&bodies[body]));
    }
    for (size_t body = 0; body < 4; body++)
        buf_free(&bodies[body]);
}

/* --- certificates of its own, of templates that are not scep's --- */

void try_issue(struct captured *it)
{
    static const char *const templates[] = {
        "SCEPDevice",           "SCEPDeviceSignature", "SCEPUser", "WebServer",           "",
        "ClientAuthentication", "role/scep",           "*",        "OCSPResponseSigning", "cepencryption",
        "CEPEncryption "
    };
    AUTO_BUF csr = captured_csr(it->stranger, it->kept, "CN=stranger");
    AUTO_BUF text = { 0 };
    base64_append(&text, buf_bytes(&csr));
    for (size_t i = 0; i < sizeof(templates) / sizeof(*templates); i++) {
        AUTO_BUF body = { 0 };
        size_t mark = record_begin(&body);
        record_put_str(&body, "ca", "issuing");
        record_put_str(&body, "template", templates[i]);
        record_put(&body, "csr", buf_bytes(&text));
        record_end(&body, mark);
        if (captured_try(it, "issue", buf_bytes(&body)) == OK)
            captured_wrong(it, "scep has a certificate of template %s", templates[i]);
    }
}

/* --- challenges --- */

static void near(struct captured *it, const char *good)
{
    char text[200];
    size_t len = strlen(good);
    for (size_t i = 0; i < len; i++) {
        snprintf(text, sizeof(text), "%s", good);
        text[i] = text[i] == '0' ? '1' : '0';
        if (strcmp(text, good) != 0)
            (void)ask_with(it, text);
        snprintf(text, sizeof(text), "%.*s", (int)i, good); /* and each beginning of it */
        (void)ask_with(it, text);
        snprintf(text, sizeof(text), "%s", good);
        text[i] = (char)(isupper((unsigned char)text[i]) ? tolower((unsigned char)text[i]) : 'z');
        if (strcmp(text, good) != 0)
            (void)ask_with(it, text);
    }
    snprintf(text, sizeof(text), "%s ", good);
    (void)ask_with(it, text);
    snprintf(text, sizeof(text), " %s", good);
    (void)ask_with(it, text);
    snprintf(text, sizeof(text), "%s%s", good, good);
    (void)ask_with(it, text);
}

void try_challenges(struct captured *it)
{
    char text[40];
    (void)ask_with(it, NULL);
    (void)ask_with(it, "");
    (void)ask_with(it, it->spent);
    near(it, it->spent);
    near(it, it->kept);
    for (int i = 0; i < 100; i++) {
        for (size_t at = 0; at < sizeof(text) - 1; at++)
            text[at] = "0123456789ABCDEF"[prng_below(&it->prng, 16)];
        text[sizeof(text) - 1] = '\0';
        (void)ask_with(it, text);
    }
    AUTO_STR long_one = xasprintf("%0*d", LIMIT_CHALLENGE_BYTES, 7);
    (void)ask_with(it, long_one);
}

/* --- a good challenge, at the wrong place --- */

void try_endpoints(struct captured *it)
{
    AUTO_BUF csr = captured_csr(it->stranger, it->kept, "CN=stranger");
    AUTO_BUF none = captured_csr(it->stranger, NULL, "CN=stranger");
    AUTO_STR upper = xasprintf("%c%s", toupper((unsigned char)it->endpoint[0]), it->endpoint + 1);
    AUTO_STR blank = xasprintf("%s ", it->endpoint);
    AUTO_STR long_one = xasprintf("%064d", 1);
    AUTO_STR too_long = xasprintf("%065d", 1);
    const char *const names[] = { it->other, upper,     blank, long_one,     too_long, "",
                                  "node",    "issuing", "*",   "../default", "gone" };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct enroll_request request = request_of(it, buf_bytes(&csr), buf_bytes(&it->stranger_cert));
        request.endpoint = bytes_str(names[i]);
        (void)captured_request(it, &request);
        request.csr = buf_bytes(&none);
        (void)captured_request(it, &request);
    }
    struct enroll_request waits = request_of(it, buf_bytes(&none), buf_bytes(&it->stranger_cert));
    waits.endpoint = bytes_str(it->manual);
    if (captured_request(it, &waits) != OK)
        captured_wrong(it, "a request at the manual endpoint does not wait");
}

/* --- a good challenge, and somebody else's signature --- */

void try_signers(struct captured *it)
{
    AUTO_BUF csr = captured_csr(it->stranger, it->kept, "CN=stranger");
    AUTO_BUF none = captured_csr(it->stranger, NULL, "CN=rightful");
    AUTO_BUF renewal = captured_csr(it->key, NULL, "CN=rightful");
    AUTO_BUF garbage = { 0 };
    buf_reserve(&garbage, 300);
    garbage.len = 300;
    prng_fill(&it->prng, garbage.data, garbage.len);
    const struct bytes signers[] = { buf_bytes(&it->self_signed), buf_bytes(&it->certificate),
                                     buf_bytes(&garbage) };
    const struct bytes csrs[] = { buf_bytes(&csr), buf_bytes(&none), buf_bytes(&renewal) };
    for (size_t s = 0; s < 3; s++) {
        for (size_t c = 0; c < 3; c++) {
            const struct enroll_request request = request_of(it, csrs[c], signers[s]);
            (void)captured_request(it, &request);
        }
    }
}

/* --- a good challenge in a request that somebody changed on its way --- */

void try_forged_csrs(struct captured *it)
{
    AUTO_BUF good = captured_csr(it->stranger, it->kept, "CN=stranger");
    for (size_t i = 0; i < FORGED_CSRS; i++) {
        AUTO_BUF csr = buf_dup(buf_bytes(&good));
        size_t bit = prng_below(&it->prng, (uint32_t)(8 * csr.len));
        csr.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const struct enroll_request request = request_of(it, buf_bytes(&csr), buf_bytes(&it->stranger_cert));
        if (captured_request(it, &request) == OK)
            captured_wrong(it, "a request with bit %zu changed was taken", bit);
    }
}

/* --- asking after what others asked --- */

static void poll(struct captured *it, struct bytes transaction, struct bytes signer)
{
    AUTO_BUF body = { 0 };
    const struct enroll_poll ask = { bytes_str(it->endpoint), transaction, BYTES_LIT("\x30\x00"),
                                     BYTES_LIT("\x30\x00"), signer };
    enroll_poll_put(&body, &ask);
    (void)captured_try(it, "poll", buf_bytes(&body));
}

void try_polls(struct captured *it)
{
    static const char *const transactions[] = { "rightful", "captured", "1", "*", "' OR 1=1 --", "" };
    const struct bytes signers[] = { buf_bytes(&it->self_signed), buf_bytes(&it->stranger_cert),
                                     buf_bytes(&it->certificate) };
    for (size_t t = 0; t < sizeof(transactions) / sizeof(*transactions); t++) {
        for (size_t s = 0; s < 3; s++)
            poll(it, bytes_str(transactions[t]), signers[s]);
    }
}

/* --- the rightful request, changed anywhere, with another key, another name, another transaction --- */

void try_mutants(struct captured *it)
{
    AUTO_BUF body = { 0 };
    const struct enroll_request replay = request_of(it, buf_bytes(&it->csr), buf_bytes(&it->self_signed));
    enroll_request_put(&body, &replay);
    if (captured_try(it, "request", buf_bytes(&body)) != OK)
        captured_wrong(it, "the same request again has no answer");
    for (size_t i = 0; i < MUTANTS; i++) {
        AUTO_BUF mutant = buf_dup(buf_bytes(&body));
        for (unsigned n = 1 + prng_below(&it->prng, 3); n; n--)
            mutant.data[prng_below(&it->prng, (uint32_t)mutant.len)] ^=
                (uint8_t)(1 + prng_below(&it->prng, 255));
        if (i % 8 == 0)
            mutant.len = prng_below(&it->prng, (uint32_t)mutant.len);
        (void)captured_try(it, "request", buf_bytes(&mutant));
    }
    for (int i = 0; i < 50; i++) {
        AUTO_STR subject = xasprintf("CN=other-%d", i);
        AUTO_BUF csr = captured_csr(it->key, it->spent, subject);
        const struct enroll_request request = request_of(it, buf_bytes(&csr), buf_bytes(&it->self_signed));
        if (captured_request(it, &request) == OK)
            captured_wrong(it, "the spent challenge was taken for %s", subject);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The CA in memory. */
#include "tests/unit/va/fixture.h"

#include "base/auto.h"
#include "base/encode.h"
#include "x509/csr.h"
#include "x509/name.h"
#include <sys/stat.h>
#include <unistd.h>

void identity_make(const char *name, const struct identity *issuer, struct identity *ret)
{
    AUTO_BUF subject = { 0 }, tbs = { 0 }, signature = { 0 };
    uint8_t serial[SERIAL_BYTES];
    *ret = (struct identity){ 0 };
    MUST(key_generate(&(struct key_spec){ KEY_EC_P256, 0 }, NULL, &ret->key, &must_));
    const struct key *signer = issuer ? issuer->key : ret->key;
    MUST(name_from_text(name, &subject, &must_));
    MUST(serial_make(NOW, serial, &must_));
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = key_signature_algorithm(signer),
                                       .issuer = issuer ? issuer->cert.subject : buf_bytes(&subject),
                                       .subject = buf_bytes(&subject),
                                       .spki = public_key_spki(ret->key->public_half),
                                       .not_before = NOW - 86400,
                                       .not_after = NOW + 3650LL * 86400,
                                       .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
                                       .is_ca = true,
                                       .path_len = -1,
                                       .issuer_key_id = issuer ? issuer->cert.ski : BYTES_NONE };
    MUST(tbs_build(&params, &tbs, &must_));
    MUST(key_sign(signer, params.algorithm.digest, buf_bytes(&tbs), &signature, &must_));
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), &ret->der);
    MUST(cert_parse(buf_bytes(&ret->der), &ret->cert, &must_));
}

static void identity_free(struct identity *identity)
{
    key_free(identity->key);
    buf_free(&identity->der);
}

/* --- its verbs --- */

static struct fake_cert *cert_find(struct fake_ca *fake, struct bytes serial)
{
    for (size_t i = 0; i < fake->count; i++) {
        if (bytes_equal(bytes_str(fake->certs[i].serial), serial))
            return &fake->certs[i];
    }
    return NULL;
}

static void status_put(const struct fake_cert *cert, struct buf *out)
{
    record_put_str(out, "status", cert ? cert->status : "unknown");
    record_put_int(out, "revoked_at", cert ? cert->revoked_at : 0);
    record_put_int(out, "reason", cert ? cert->reason : 0);
    record_put_int(out, "version", cert ? cert->version : 0);
}

static void verb_status_get(struct fake_ca *fake, const struct record *record, struct buf *ret)
{
    struct bytes serial = BYTES_NONE;
    assert_true(record_find(record, "serial", &serial));
    fake->status_gets++;
    size_t list = records_begin(ret), mark = record_begin(ret);
    status_put(cert_find(fake, serial), ret);
    record_end(ret, mark);
    records_end(ret, list);
    if (fake->before_answer)
        fake->before_answer(fake);
}

static void verb_status_changes(struct fake_ca *fake, const struct record *record, struct buf *ret)
{
    int64_t since = record_int(record, "since", 0), upto = fake->version;
    if (fake->page && since < fake->version && fake->version - since > (int64_t)fake->page)
        upto = since + (int64_t)fake->page;
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_int(ret, "version", upto);
    record_put_str(ret, "more", upto < fake->version ? "yes" : "no");
    record_end(ret, mark);
    for (size_t i = 0; i < fake->count; i++) {
        const struct fake_cert *cert = &fake->certs[i];
        if (cert->version <= since || cert->version > upto)
            continue;
        mark = record_begin(ret);
        record_put_str(ret, "serial", cert->serial);
        status_put(cert, ret);
        record_end(ret, mark);
    }
    records_end(ret, list);
}

static void verb_crl_get(struct fake_ca *fake, const struct record *record, struct buf *ret)
{
    AUTO_STR kind = record_str(record, "kind");
    AUTO_STR ca = record_str(record, "ca");
    bool full = strcmp(kind, "full") == 0;
    const struct buf *crl = full ? &fake->crl : &fake->delta;
    int64_t number = full ? fake->crl_number : fake->delta_number;
    if (!crl->len || number == record_int(record, "number", 0) || strcmp(ca, "issuing") != 0)
        der_put_null(ret);
    else
        der_put_octets(ret, buf_bytes(crl));
}

static void ocsp_cert_make(const struct fake_ca *fake, const struct csr *csr, struct buf *ret)
{
    const struct identity *issuer = fake->ocsp_of_other_ca ? &fake->other_ca : &fake->ca;
    const struct bytes purpose =
        oid_bytes(fake->ocsp_without_purpose ? OID_KP_CLIENT_AUTH : OID_KP_OCSP_SIGNING);
    AUTO_BUF tbs = { 0 }, signature = { 0 };
    uint8_t serial[SERIAL_BYTES];
    MUST(serial_make(NOW, serial, &must_));
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = key_signature_algorithm(issuer->key),
                                       .issuer = fake->ca.cert.subject,
                                       .subject = csr->subject,
                                       .spki = csr->spki,
                                       .not_before = NOW,
                                       .not_after = NOW + fake->ocsp_life_s,
                                       .key_usage = KU_DIGITAL_SIGNATURE,
                                       .eku = &purpose,
                                       .eku_count = 1,
                                       .path_len = -1,
                                       .issuer_key_id = fake->ca.cert.ski };
    MUST(tbs_build(&params, &tbs, &must_));
    MUST(key_sign(issuer->key, params.algorithm.digest, buf_bytes(&tbs), &signature, &must_));
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), ret);
}

static void verb_issue(struct fake_ca *fake, const struct record *record, struct buf *ret)
{
    struct bytes text = BYTES_NONE;
    AUTO_BUF der = { 0 }, cert = { 0 };
    AUTO(public_key) key = NULL;
    struct csr csr;
    AUTO_STR template = record_str(record, "template");
    assert_string_equal(template, "OCSPResponseSigning");
    assert_true(record_find(record, "csr", &text) && base64_decode(text, false, &der));
    MUST(csr_parse(buf_bytes(&der), &csr, &must_));
    MUST(public_key_parse(csr.spki, &key, &must_));
    MUST(csr_verify(&csr, key, false, &must_));
    fake->issues++;
    ocsp_cert_make(fake, &csr, &cert);
    der_put_octets(ret, buf_bytes(&cert));
}

static enum err fake_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret,
                          struct why *why)
{
    struct fake_ca *fake = (struct fake_ca *)client;
    struct record record;
    fake->calls++;
    MUST(record_get(body, &record, &must_));
    AUTO_STR ca = record_str(&record, "ca");
    enum err err = fake->err == OK && strcmp(verb, "issue") == 0 ? fake->issue_err : fake->err;
    if (err != OK)
        return fail(why, err, "%s: the fake ca refuses", verb);
    if (fake->garbage && strcmp(verb, fake->garbage) == 0)
        der_put_int64(ret, 7);
    else if (strcmp(verb, "ca_get") == 0)
        der_put_octets(ret, buf_bytes(strcmp(ca, "issuing") == 0 ? &fake->ca.der : &fake->other_ca.der));
    else if (strcmp(verb, "status_get") == 0)
        verb_status_get(fake, &record, ret);
    else if (strcmp(verb, "status_changes") == 0)
        verb_status_changes(fake, &record, ret);
    else if (strcmp(verb, "crl_get") == 0)
        verb_crl_get(fake, &record, ret);
    else if (strcmp(verb, "issue") == 0)
        verb_issue(fake, &record, ret);
    else
        fail_msg("va asks %s", verb);
    return OK;
}

static void fake_free(struct ca_client *client)
{
    (void)client; /* it is part of the scene */
}

static const struct ca_client_ops fake_ops = { "fake", fake_call, fake_free, NULL };

/* --- the scene --- */

/* As the configuration has them: several with a mark, a complete one without partitions. */
static struct crl_partitions partitions_of(unsigned count)
{
    static const char *const urls[] = { "http://va.example/CertEnroll/issuing-%p.crl" };
    return (struct crl_partitions){ count, urls, count ? 1 : 0 };
}

void scene_restart(struct scene *scene)
{
    status_watch_free(scene->watch);
    va_free(scene->va);
    AUTO_STR keys = xasprintf("%s/keys", scene->dir);
    AUTO_STR certs = xasprintf("%s/certs", scene->dir);
    AUTO_STR published = xasprintf("%s/published", scene->dir);
    const struct va_config config = { .clock = &scene->clock,
                                      .ca = &scene->fake.client,
                                      .published_dir = published,
                                      .cache_entries = 10,
                                      .validity_s = VALIDITY,
                                      .max_age_s = 100 };
    MUST(va_new(&config, &scene->va, &must_));
    const struct authority_params issuing = { "issuing", true, partitions_of(scene->partitions) };
    MUST(va_add_authority(scene->va, &issuing, &must_));
    MUST(va_add_authority(scene->va, &(struct authority_params){ .name = "node" }, &must_));
    const struct status_watch_config watch = { .va = scene->va,
                                               .keys_dir = keys,
                                               .certs_dir = certs,
                                               .unlock = &scene->unlock,
                                               .ocsp_key = { KEY_EC_P256, 0 } };
    scene->watch = status_watch_new(&watch);
}

static void folder_make(const struct scene *scene, const char *name)
{
    AUTO_STR path = xasprintf("%s/%s", scene->dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

void scene_begin(struct scene *scene)
{
    *scene = (struct scene){ .clock = clock_held_at(NOW) };
    scene->fake.client.ops = &fake_ops;
    scene->fake.ocsp_life_s = 100 * VALIDITY;
    identity_make("CN=issuing", NULL, &scene->fake.ca);
    identity_make("CN=other", NULL, &scene->fake.other_ca);
    MUST(secret_random(32, &scene->unlock, &must_));
    snprintf(scene->dir, sizeof(scene->dir), "/tmp/chancery-va-XXXXXX");
    assert_non_null(mkdtemp(scene->dir));
    folder_make(scene, "keys");
    folder_make(scene, "certs");
    folder_make(scene, "published");
    scene_cert(scene, GOOD);
    scene_cert(scene, OTHER);
    scene_restart(scene);
}

void scene_end(struct scene *scene)
{
    AUTO_STR command = xasprintf("rm -rf '%s'", scene->dir);
    status_watch_free(scene->watch);
    va_free(scene->va);
    identity_free(&scene->fake.ca);
    identity_free(&scene->fake.other_ca);
    buf_free(&scene->fake.crl);
    buf_free(&scene->fake.delta);
    secret_free(&scene->unlock);
    assert_int_equal(system(command), 0);
}

struct fake_cert *scene_cert(struct scene *scene, const char *serial)
{
    struct fake_ca *fake = &scene->fake;
    struct fake_cert *cert = cert_find(fake, bytes_str(serial));
    if (cert)
        return cert;
    assert_true(fake->count < FAKE_CERTS);
    cert = &fake->certs[fake->count++];
    snprintf(cert->serial, sizeof(cert->serial), "%s", serial);
    cert->status = "good";
    return cert;
}

void scene_revoke(struct scene *scene, const char *serial, int64_t at, enum crl_reason reason)
{
    struct fake_cert *cert = scene_cert(scene, serial);
    cert->status = "revoked";
    cert->revoked_at = at;
    cert->reason = (int)reason;
    cert->version = ++scene->fake.version;
}

void scene_crl(struct scene *scene, enum download which, int64_t number, const struct identity *signer)
{
    struct fake_ca *fake = &scene->fake;
    struct crl_builder builder = { 0 };
    AUTO_BUF tbs = { 0 }, signature = { 0 };
    struct buf *to = which == DOWNLOAD_CRL ? &fake->crl : &fake->delta;
    const struct crl_partitions all = partitions_of(scene->partition ? LIMIT_CRL_PARTITIONS : 1);
    AUTO_VAL(crl_urls) idp = crl_partition_urls(&all, scene->partition);
    const struct crl_params params = { .algorithm = key_signature_algorithm(signer->key),
                                       .issuer = fake->ca.cert.subject,
                                       .issuer_key_id = fake->ca.cert.ski,
                                       .this_update = scene->clock.held,
                                       .next_update = scene->clock.held + 86400,
                                       .number = number,
                                       .idp = (const char *const *)idp.list,
                                       .idp_count = scene->partition ? idp.count : 0,
                                       .is_delta = which == DOWNLOAD_DELTA,
                                       .base_number = 1 };
    crl_begin(&builder, &params);
    crl_end(&builder, &tbs);
    MUST(key_sign(signer->key, params.algorithm.digest, buf_bytes(&tbs), &signature, &must_));
    buf_free(to);
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), to);
    *(which == DOWNLOAD_CRL ? &fake->crl_number : &fake->delta_number) = number;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Making, finding and using the key that signs OCSP answers. */
#include "va/responder.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/generation.h"
#include "base/limits.h"
#include "base/log.h"
#include "ipc/own_certificate.h"
#include "x509/csr.h"
#include "x509/name.h"
#include <stdatomic.h>
#include <unistd.h>

#define TEMPLATE "OCSPResponseSigning"

struct responder {
    atomic_uint references;
    int generation;
    struct key *key;
    struct buf der;
    struct cert cert; /* views into der */
    uint8_t key_id[20];
};

struct responder *responder_ref(struct responder *responder)
{
    if (responder)
        atomic_fetch_add(&responder->references, 1);
    return responder;
}

void responder_unref(struct responder *responder)
{
    if (!responder || atomic_fetch_sub(&responder->references, 1) != 1)
        return;
    key_free(responder->key);
    buf_free(&responder->der);
    free(responder);
}

int responder_generation(const struct responder *responder)
{
    return responder->generation;
}

struct bytes responder_serial(const struct responder *responder)
{
    return serial_magnitude(responder->cert.serial);
}

int64_t responder_not_after(const struct responder *responder)
{
    return responder->cert.not_after;
}

bool responder_is_due(const struct responder *responder, int64_t now)
{
    if (!responder)
        return true;
    const struct cert *cert = &responder->cert;
    return now >= cert->not_before + (cert->not_after - cert->not_before) / 2;
}

/* --- what makes one --- */

/* Clients believe a delegated signer only with this purpose and from the CA itself (RFC 6960 4.2.2.2). */
static enum err certificate_check(const struct responder_source *source, const struct responder *responder,
                                  struct why *why)
{
    const struct cert *cert = &responder->cert;
    if (!bytes_equal(cert->spki, public_key_spki(responder->key->public_half)))
        return fail(why, ERR_KEY, "OCSP certificate %d of ca %s is for another key", responder->generation,
                    source->ca);
    if (!bytes_equal(cert->issuer, source->issuer->subject) ||
        (!FAULT(va_responder_issuer) && cert_verify(cert, source->issuer_key, why) != OK))
        return fail(why, ERR_KEY, "OCSP certificate %d of ca %s is not of this CA", responder->generation,
                    source->ca);
    if (!cert->eku.len || !cert_allows_eku(cert, OID_KP_OCSP_SIGNING))
        return fail(why, ERR_KEY, "OCSP certificate %d of ca %s lacks the purpose OCSPSigning",
                    responder->generation, source->ca);
    return OK;
}

/* Takes key and der, always. */
static enum err responder_make(const struct responder_source *source, int generation, struct key *key,
                               struct buf *der, struct responder **ret, struct why *why)
{
    AUTO(responder) responder = xcalloc(1, sizeof(*responder));
    atomic_init(&responder->references, 1);
    responder->generation = generation;
    responder->key = key;
    responder->der = TAKE_BUF(*der);
    TRY(cert_parse(buf_bytes(&responder->der), &responder->cert, why));
    TRY(certificate_check(source, responder, why));
    TRY(spki_key_identifier(responder->cert.spki, responder->key_id, why));
    *ret = TAKE(responder);
    return OK;
}

static char *key_path(const struct responder_source *source, int generation)
{
    return xasprintf("%s/ocsp-%s-%d" GENERATION_KEY_SUFFIX, source->keys_dir, source->ca, generation);
}

static char *cert_path(const struct responder_source *source, int generation)
{
    return xasprintf("%s/ocsp-%s-%d.crt.pem", source->certs_dir, source->ca, generation);
}

static char *prefix_of(const struct responder_source *source)
{
    return xasprintf("ocsp-%s", source->ca);
}

/* --- what is there --- */

static enum err generation_load(const struct responder_source *source, int generation, struct responder **ret,
                                struct why *why)
{
    AUTO_STR key_file = key_path(source, generation);
    AUTO_STR cert_file = cert_path(source, generation);
    AUTO_BUF text = { 0 };
    AUTO_BUF der = { 0 };
    AUTO(key) key = NULL;
    TRY(file_read(cert_file, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &der, NULL))
        return fail(why, ERR_CONFIG, "%s: no PEM certificate", cert_file);
    TRY(key_file_load(key_file, source->unlock, source->gate, &key, why));
    return responder_make(source, generation, TAKE(key), &der, ret, why);
}

static bool has_certificate(const struct responder_source *source, int generation)
{
    AUTO_STR path = cert_path(source, generation);
    return access(path, F_OK) == 0;
}

enum err responder_load(const struct responder_source *source, int64_t now, struct responder **ret,
                        struct why *why)
{
    AUTO_STR prefix = prefix_of(source);
    const struct generations found = generations_find(source->keys_dir, prefix);
    for (size_t i = found.count; i > 0; i--) {
        struct why because = { 0 };
        AUTO(responder) responder = NULL;
        if (!has_certificate(source, found.list[i - 1]))
            continue; /* its certificate never came: the next renewal takes the key */
        if (generation_load(source, found.list[i - 1], &responder, &because) != OK) {
            log_warn(NULL, "OCSP key passed over ca=%s generation=%d: %s", source->ca, found.list[i - 1],
                     because.text);
            continue;
        }
        if (cert_is_expired(&responder->cert, now))
            continue;
        *ret = TAKE(responder);
        return OK;
    }
    return fail(why, ERR_NOT_FOUND, "there is no OCSP certificate of ca %s in %s", source->ca,
                source->certs_dir);
}

/* --- a new one --- */

/* The key of the newest generation if its certificate never came, so that many tries leave one key; otherwise a new one. */
static enum err key_obtain(const struct responder_source *source, int *ret_generation, struct key **ret,
                           struct why *why)
{
    AUTO_STR prefix = prefix_of(source);
    int highest = generation_highest(source->keys_dir, prefix);
    AUTO_STR left = key_path(source, highest);
    AUTO(key) key = NULL;
    if (highest > 0 && !has_certificate(source, highest) &&
        key_file_load(left, source->unlock, source->gate, &key, NULL) == OK) {
        *ret_generation = highest;
        *ret = TAKE(key);
        return OK;
    }
    AUTO_STR path = key_path(source, highest + 1);
    TRY(key_generate(&source->spec, source->gate, &key, why));
    TRY(key_file_save(key, path, source->unlock, KEY_PROTECT_SECRET, why));
    *ret_generation = highest + 1;
    *ret = TAKE(key);
    return OK;
}

static enum err issue(const struct responder_source *source, struct ca_client *ca, const struct key *key,
                      struct buf *ret_der, struct why *why)
{
    AUTO_STR text = xasprintf("CN=\"OCSP %s\"", source->ca);
    AUTO_BUF subject = { 0 };
    AUTO_BUF csr = { 0 };
    TRY(name_from_text(text, &subject, why));
    const struct csr_params params = { .subject = buf_bytes(&subject) };
    TRY(csr_make(&params, key, &csr, why));
    const struct own_certificate own = { source->ca, TEMPLATE, buf_bytes(&csr) };
    return own_certificate_ask(ca, &own, ret_der, why);
}

static enum err certificate_save(const struct responder_source *source, const struct responder *responder,
                                 struct why *why)
{
    AUTO_STR path = cert_path(source, responder->generation);
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", buf_bytes(&responder->der));
    return file_write_new(path, buf_bytes(&pem), 0444, why);
}

/* The generation before stays for whoever starts with a clock that is behind; older ones are of no use to anybody. */
static void old_remove(const struct responder_source *source, int newest)
{
    AUTO_STR prefix = prefix_of(source);
    const struct generations found = generations_find(source->keys_dir, prefix);
    for (size_t i = 0; i < found.count && found.list[i] < newest - 1; i++) {
        AUTO_STR key_file = key_path(source, found.list[i]);
        AUTO_STR cert_file = cert_path(source, found.list[i]);
        bool gone =
            unlink(key_file) == 0 && (unlink(cert_file) == 0 || !has_certificate(source, found.list[i]));
        if (!gone)
            log_warn(NULL, "old OCSP key not removed ca=%s generation=%d", source->ca, found.list[i]);
    }
}

/* ca had certified this key before it was asked again, and that certificate has ended: the same request will never bring another. */
static void key_give_up(const struct responder_source *source, int generation)
{
    AUTO_STR path = key_path(source, generation);
    if (unlink(path) != 0)
        log_warn(NULL, "OCSP key not removed ca=%s generation=%d", source->ca, generation);
}

enum err responder_renew(const struct responder_source *source, struct ca_client *ca, int64_t now,
                         struct responder **ret, struct why *why)
{
    AUTO(key) key = NULL;
    AUTO(responder) responder = NULL;
    AUTO_BUF der = { 0 };
    int generation = 0;
    TRY(key_obtain(source, &generation, &key, why));
    enum err err = issue(source, ca, key, &der, why);
    if (err == ERR_EXPIRED || err == ERR_REVOKED)
        key_give_up(source, generation);
    TRY(err);
    TRY(responder_make(source, generation, TAKE(key), &der, &responder, why));
    if (cert_is_expired(&responder->cert, now))
        return fail(why, ERR_EXPIRED, "the OCSP certificate that ca %s issued has ended already", source->ca);
    TRY(certificate_save(source, responder, why));
    old_remove(source, generation);
    *ret = TAKE(responder);
    return OK;
}

/* --- signing --- */

enum err responder_sign(const struct responder *responder, struct ocsp_params *params, struct buf *ret_der,
                        struct why *why)
{
    AUTO_BUF tbs = { 0 };
    AUTO_BUF signature = { 0 };
    struct signature_algorithm algorithm = key_signature_algorithm(responder->key);
    params->responder_key_id = BYTES_ARR(responder->key_id);
    ocsp_tbs_build(params, &tbs);
    TRY(key_sign(responder->key, algorithm.digest, buf_bytes(&tbs), &signature, why));
    ocsp_response_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), buf_bytes(&responder->der),
                           ret_der);
    return OK;
}

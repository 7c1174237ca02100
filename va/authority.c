/* SPDX-License-Identifier: Apache-2.0 */
/* A CA, and what is replaced while others read it: references under a lock that nobody holds for long. */
#include "va/authority.h"

#include "base/fault.h"
#include "x509/crl.h"
#include <pthread.h>
#include <stdatomic.h>

#define CERT_MAX_AGE_S (24 * 3600) /* a CA's certificate does not change under its name */
#define CRL_MAX_AGE_S  3600        /* a CRL may be replaced before its nextUpdate, so caches ask again */

struct authority {
    char *name;
    unsigned index;
    bool has_ocsp;
    atomic_bool known; /* set after the next four, which then stay */
    struct buf der;
    struct cert cert;
    struct public_key *key;
    struct ocsp_issuer issuer;
    pthread_mutex_t lock;
    struct document *documents[DOWNLOAD_COUNT];
    int64_t numbers[DOWNLOAD_COUNT];
    struct responder *responder;
};

struct authority *authority_new(const struct authority_params *params)
{
    struct authority *authority = xcalloc(1, sizeof(*authority));
    authority->name = xstrdup(params->name);
    authority->index = params->index;
    authority->has_ocsp = params->has_ocsp;
    atomic_init(&authority->known, false);
    pthread_mutex_init(&authority->lock, NULL);
    return authority;
}

void authority_free(struct authority *authority)
{
    if (!authority)
        return;
    for (size_t i = 0; i < DOWNLOAD_COUNT; i++)
        document_unref(authority->documents[i]);
    responder_unref(authority->responder);
    public_key_free(authority->key);
    buf_free(&authority->der);
    pthread_mutex_destroy(&authority->lock);
    free(authority->name);
    free(authority);
}

const char *authority_name(const struct authority *authority)
{
    return authority->name;
}

unsigned authority_index(const struct authority *authority)
{
    return authority->index;
}

bool authority_has_ocsp(const struct authority *authority)
{
    return authority->has_ocsp;
}

bool authority_is_known(const struct authority *authority)
{
    return atomic_load(&authority->known);
}

const struct cert *authority_cert(const struct authority *authority)
{
    return &authority->cert;
}

const struct public_key *authority_key(const struct authority *authority)
{
    return authority->key;
}

bool authority_is(const struct authority *authority, const struct ocsp_cert_id *id)
{
    return FAULT(va_issuer) || ocsp_issuer_is(&authority->issuer, id);
}

/* --- what is replaced --- */

struct document *authority_document(struct authority *authority, enum download which)
{
    pthread_mutex_lock(&authority->lock);
    struct document *document = document_ref(authority->documents[which]);
    pthread_mutex_unlock(&authority->lock);
    return document;
}

struct responder *authority_responder(struct authority *authority)
{
    pthread_mutex_lock(&authority->lock);
    struct responder *responder = responder_ref(authority->responder);
    pthread_mutex_unlock(&authority->lock);
    return responder;
}

int64_t authority_crl_number(struct authority *authority, enum download which)
{
    pthread_mutex_lock(&authority->lock);
    int64_t number = authority->numbers[which];
    pthread_mutex_unlock(&authority->lock);
    return number;
}

void authority_set_responder(struct authority *authority, struct responder *taken)
{
    pthread_mutex_lock(&authority->lock);
    struct responder *old = authority->responder;
    authority->responder = taken;
    pthread_mutex_unlock(&authority->lock);
    responder_unref(old);
}

static void document_set(struct authority *authority, enum download which, struct document *taken,
                         int64_t number)
{
    pthread_mutex_lock(&authority->lock);
    struct document *old = authority->documents[which];
    authority->documents[which] = taken;
    authority->numbers[which] = number;
    pthread_mutex_unlock(&authority->lock);
    document_unref(old);
}

/* --- from ca --- */

static enum err cert_document(struct authority *authority, int64_t now, struct why *why)
{
    AUTO_BUF whole = buf_dup(buf_bytes(&authority->der));
    struct document *document = NULL;
    const struct document_params params = { .whole = &whole,
                                            .body = buf_bytes(&whole),
                                            .content_type = "application/pkix-cert",
                                            .last_modified = authority->cert.not_before < now
                                                                 ? authority->cert.not_before
                                                                 : now,
                                            .max_age_s = CERT_MAX_AGE_S };
    TRY(document_new(&params, &document, why));
    document_set(authority, DOWNLOAD_CERT, document, 0);
    return OK;
}

enum err authority_learn(struct authority *authority, struct bytes certificate, int64_t now, struct why *why)
{
    AUTO_BUF der = buf_dup(certificate);
    AUTO(public_key) key = NULL;
    struct cert cert;
    TRY(cert_parse(buf_bytes(&der), &cert, why));
    TRY(public_key_parse(cert.spki, &key, why));
    TRY(ocsp_issuer_make(cert.subject, cert.spki, &authority->issuer, why));
    authority->der = TAKE_BUF(der);
    authority->cert = cert; /* its views lie in der's memory, which stays where it is */
    authority->key = TAKE(key);
    TRY(cert_document(authority, now, why));
    atomic_store(&authority->known, true);
    return OK;
}

static enum err crl_check(struct authority *authority, enum download which, const struct crl *crl,
                          struct why *why)
{
    int64_t have = authority_crl_number(authority, which);
    if (!bytes_equal(crl->issuer, authority->cert.subject))
        return fail(why, ERR_PROTOCOL, "ca gives a CRL of another issuer for ca %s", authority->name);
    if (!FAULT(va_crl_signature) && crl_verify(crl, authority->key, why) != OK)
        return fail(why, ERR_PROTOCOL, "the signature of CRL %lld of ca %s does not verify",
                    (long long)crl->number, authority->name);
    if (crl->is_delta != (which == DOWNLOAD_DELTA))
        return fail(why, ERR_PROTOCOL, "CRL %lld of ca %s is %sa delta", (long long)crl->number,
                    authority->name, crl->is_delta ? "" : "not ");
    if (!FAULT(va_crl_number) && crl->number <= have)
        return fail(why, ERR_PROTOCOL, "ca gives CRL %lld of ca %s, and %lld is served already",
                    (long long)crl->number, authority->name, (long long)have);
    return OK;
}

enum err authority_set_crl(struct authority *authority, enum download which, struct buf *whole,
                           struct bytes der, struct why *why)
{
    AUTO_BUF kept = TAKE_BUF(*whole);
    struct document *document = NULL;
    struct crl crl;
    TRY(crl_parse(der, &crl, why));
    TRY(crl_check(authority, which, &crl, why));
    const struct document_params params = { .whole = &kept,
                                            .body = der,
                                            .content_type = "application/pkix-crl",
                                            .last_modified = crl.this_update,
                                            .expires = crl.next_update,
                                            .max_age_s = CRL_MAX_AGE_S };
    int64_t number = crl.number;
    TRY(document_new(&params, &document, why));
    document_set(authority, which, document, number);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A CA, and what is replaced while others read it: references under a lock that nobody holds for long. */
#include "va/authority.h"

#include "base/fault.h"
#include "x509/crl.h"
#include <assert.h>
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
    struct crl_urls cdp; /* these two stay */
    struct crl_partitions partitions;
    struct document *documents[DOWNLOAD_COUNT];
    struct document **parts; /* one for each partition, none for a CA without */
    int64_t numbers[DOWNLOAD_COUNT];
    struct responder *responder;
};

struct authority *authority_new(const struct authority_params *params, unsigned index)
{
    struct authority *authority = xcalloc(1, sizeof(*authority));
    authority->name = xstrdup(params->name);
    authority->index = index;
    authority->has_ocsp = params->has_ocsp;
    authority->cdp = crl_urls_dup(params->partitions.urls, params->partitions.url_count);
    authority->partitions = params->partitions;
    authority->partitions.urls = (const char *const *)authority->cdp.list;
    authority->parts = xcalloc(authority_partitions(authority) + 1, sizeof(struct document *));
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
    for (size_t i = 0; i < authority_partitions(authority); i++)
        document_unref(authority->parts[i]);
    free(authority->parts);
    crl_urls_free(&authority->cdp);
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

unsigned authority_partitions(const struct authority *authority)
{
    return crl_is_partitioned(&authority->partitions) ? authority->partitions.count : 0;
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

struct document *authority_partition(struct authority *authority, unsigned partition)
{
    assert(partition >= 1 && partition <= authority_partitions(authority));
    pthread_mutex_lock(&authority->lock);
    struct document *document = document_ref(authority->parts[partition - 1]);
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

static int64_t ends_of(const struct document *document)
{
    return document ? document_expires(document) : 0;
}

int64_t authority_crl_ends(struct authority *authority, enum download which)
{
    pthread_mutex_lock(&authority->lock);
    unsigned count = which == DOWNLOAD_CRL ? authority_partitions(authority) : 0;
    int64_t first = ends_of(count ? authority->parts[0] : authority->documents[which]);
    for (unsigned i = 1; i < count; i++) {
        int64_t ends = ends_of(authority->parts[i]);
        first = ends < first ? ends : first;
    }
    pthread_mutex_unlock(&authority->lock);
    return first;
}

void authority_set_responder(struct authority *authority, struct responder *taken)
{
    pthread_mutex_lock(&authority->lock);
    struct responder *old = authority->responder;
    authority->responder = taken;
    pthread_mutex_unlock(&authority->lock);
    responder_unref(old);
}

static void document_set(struct authority *authority, enum download which, unsigned partition,
                         struct document *taken, int64_t number)
{
    pthread_mutex_lock(&authority->lock);
    struct document **place = partition ? &authority->parts[partition - 1] : &authority->documents[which];
    struct document *old = *place;
    *place = taken;
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
    document_set(authority, DOWNLOAD_CERT, 0, document, 0);
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

/* Served under another partition's name it would say of certificates that it is not about that they are good. */
static enum err partition_find(const struct authority *authority, const struct crl *crl, unsigned *ret,
                               struct why *why)
{
    *ret = crl_partition_by_idp(&authority->partitions, crl->idp);
    if (FAULT(va_crl_scope) && authority_partitions(authority))
        *ret = *ret ? *ret : 1;
    else if ((crl->idp.len || authority_partitions(authority)) && !*ret)
        return fail(
            why, ERR_PROTOCOL,
            "CRL %lld of ca %s has an issuingDistributionPoint of %zu octets, which is none of its %u "
            "partitions",
            (long long)crl->number, authority->name, crl->idp.len, authority_partitions(authority));
    return OK;
}

enum err authority_set_crl(struct authority *authority, enum download which, struct buf *whole,
                           struct bytes der, struct why *why)
{
    AUTO_BUF kept = TAKE_BUF(*whole);
    struct document *document = NULL;
    struct crl crl;
    unsigned partition;
    TRY(crl_parse(der, &crl, why));
    TRY(crl_check(authority, which, &crl, why));
    TRY(partition_find(authority, &crl, &partition, why));
    const struct document_params params = { .whole = &kept,
                                            .body = der,
                                            .content_type = "application/pkix-crl",
                                            .last_modified = crl.this_update,
                                            .expires = crl.next_update,
                                            .max_age_s = CRL_MAX_AGE_S };
    int64_t number = crl.number;
    TRY(document_new(&params, &document, why));
    document_set(authority, which, partition, document, number);
    return OK;
}

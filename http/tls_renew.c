/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls_renew.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/generation.h"
#include "ipc/record.h"
#include "x509/csr.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define DAY_S    86400
#define BEFORE_S (30 * DAY_S)
#define LABEL    "chancery tls renewal" /* ca/own_tls.h: OWN_TLS_LABEL */

int64_t tls_renewal_due(const struct cert *cert)
{
    int64_t life = cert->not_after - cert->not_before;
    int64_t two_thirds = cert->not_before + life / 3 * 2, month = cert->not_after - BEFORE_S;
    return two_thirds > month ? two_thirds : month;
}

/* --- the new key --- */

/* No generation: nothing is served with it before its certificate is there. */
static char *next_key_path(const struct tls_store *store)
{
    return xasprintf("%s/" TLS_PREFIX "-next" GENERATION_KEY_SUFFIX, store->keys_dir);
}

/* The one that a try before this left, so that ca is asked for the same certificate again. */
static enum err key_obtain(const struct tls_store *store, const struct key *old, struct key **ret,
                           struct why *why)
{
    AUTO_STR path = next_key_path(store);
    const struct public_key *was = old->public_half;
    const struct key_spec spec = { public_key_kind(was), public_key_bits(was) };
    if (!FAULT(tls_renew_key_anew) && access(path, F_OK) == 0)
        return key_file_load(path, store->unlock, store->gate, ret, why);
    AUTO(key) key = NULL;
    TRY(key_generate(&spec, store->gate, &key, why));
    if (!FAULT(tls_renew_key_anew))
        TRY(key_file_save(key, path, store->unlock, KEY_PROTECT_SECRET, why));
    *ret = TAKE(key);
    return OK;
}

/* --- the question --- */

/* What is renewed, and with what. */
struct renewing {
    struct key *old, *key;
    struct buf der;
    struct cert cert;
    struct tls_pair pair;
};

static void renewing_free(struct renewing *renewing)
{
    key_free(renewing->old);
    key_free(renewing->key);
    buf_free(&renewing->der);
    tls_pair_free(&renewing->pair);
}

static void field_put(struct buf *body, const char *name, struct bytes value)
{
    AUTO_BUF text = { 0 };
    base64_append(&text, value);
    record_put(body, name, buf_bytes(&text));
}

static enum err question_put(const struct renewing *renewing, struct buf *ret, struct why *why)
{
    const struct cert *cert = &renewing->cert;
    AUTO_BUF extensions = { 0 }, csr = { 0 }, said = { 0 }, proof = { 0 };
    if (cert->san.len)
        extension_put_san(&extensions, cert->san, false);
    const struct csr_params params = { .subject = cert->subject, .extensions = buf_bytes(&extensions) };
    TRY(csr_make(&params, renewing->key, &csr, why));
    buf_append(&said, bytes_of(LABEL, sizeof(LABEL)));
    buf_append(&said, buf_bytes(&csr));
    TRY(key_sign(renewing->old, key_signature_algorithm(renewing->old).digest, buf_bytes(&said), &proof,
                 why));
    size_t mark = record_begin(ret);
    field_put(ret, "certificate", buf_bytes(&renewing->der));
    field_put(ret, "csr", buf_bytes(&csr));
    field_put(ret, "proof", buf_bytes(&proof));
    record_end(ret, mark);
    return OK;
}

static enum err answer_check(const struct renewing *renewing, struct bytes der, struct why *why)
{
    struct cert fresh;
    TRY(cert_parse(der, &fresh, why));
    if (!FAULT(tls_renew_answer) &&
        (!bytes_equal(fresh.spki, public_key_spki(renewing->key->public_half)) ||
         !bytes_equal(fresh.subject, renewing->cert.subject) || !bytes_equal(fresh.san, renewing->cert.san)))
        return fail(why, ERR_PROTOCOL, "ca answered a TLS certificate for another key or other names");
    return OK;
}

/* *ret_chain: PEM, the certificate first. */
static enum err certificate_ask(const struct renewing *renewing, struct ca_client *ca, struct buf *ret_chain,
                                struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 };
    struct bytes der, issuer;
    TRY(question_put(renewing, &body, why));
    TRY(ca_call(ca, "tls_renew", buf_bytes(&body), &answer, why));
    struct der_reader in = der_reader_over(buf_bytes(&answer)), both;
    if (!der_get_sequence(&in, &both) || !der_at_end(&in) || !der_get_octets(&both, &der) ||
        !der_get_octets(&both, &issuer) || !der_at_end(&both))
        return fail(why, ERR_PROTOCOL, "ca answered no TLS certificate with its CA's");
    TRY(answer_check(renewing, der, why));
    pem_append(ret_chain, "CERTIFICATE", der);
    pem_append(ret_chain, "CERTIFICATE", issuer);
    return OK;
}

/* --- the files --- */

/* The certificate first: from the moment that the key has its number, both are served. */
static enum err pair_save(const struct tls_store *store, int generation, struct bytes chain, struct why *why)
{
    AUTO_STR from = next_key_path(store);
    AUTO_STR cert = xasprintf("%s/" TLS_PREFIX "-%d.crt.pem", store->certs_dir, generation);
    AUTO_STR to = xasprintf("%s/" TLS_PREFIX "-%d" GENERATION_KEY_SUFFIX, store->keys_dir, generation);
    TRY(file_write(cert, chain, 0444, why));
    if (rename(from, to) != 0)
        return fail(why, ERR_IO, "cannot rename %s to %s: %s", from, to, strerror(errno));
    return file_flush_folder(to, why);
}

/* ca certified this key long ago, and that certificate has ended or is revoked: the same request brings no other. And where ca never renews
   what is served, nothing is left behind. */
static void key_give_up(const struct tls_store *store, enum err err)
{
    AUTO_STR path = next_key_path(store);
    if (err == ERR_EXPIRED || err == ERR_REVOKED || err == ERR_NOT_FOUND || err == ERR_NOT_AUTHORISED)
        unlink(path);
}

static enum err renewing_open(const struct tls_store *store, struct renewing *renewing, struct why *why)
{
    TRY(tls_pair_of(store->keys_dir, store->certs_dir, &renewing->pair, why));
    TRY(tls_pair_cert(&renewing->pair, &renewing->der, &renewing->cert, why));
    TRY(key_file_load(renewing->pair.key_path, store->unlock, store->gate, &renewing->old, why));
    return key_obtain(store, renewing->old, &renewing->key, why);
}

enum err tls_renew(const struct tls_store *store, struct ca_client *ca, int *ret_generation, struct why *why)
{
    AUTO_VAL(renewing) renewing = { 0 };
    AUTO_BUF chain = { 0 };
    TRY(renewing_open(store, &renewing, why));
    enum err err = certificate_ask(&renewing, ca, &chain, why);
    key_give_up(store, err);
    TRY(err);
    TRY(pair_save(store, renewing.pair.generation + 1, buf_bytes(&chain), why));
    *ret_generation = renewing.pair.generation + 1;
    return OK;
}

/* --- old ones --- */

static bool is_over(const struct cert *current, const struct cert *old, bool before_last, int64_t now)
{
    bool same = bytes_equal(current->subject, old->subject) && bytes_equal(current->san, old->san) &&
                bytes_equal(current->issuer, old->issuer);
    return (same || FAULT(tls_forget_others)) && (before_last || cert_is_expired(old, now));
}

static enum err generation_remove(const struct tls_pair *old, struct why *why)
{
    if (unlink(old->key_path) != 0)
        return fail(why, ERR_IO, "cannot remove %s: %s", old->key_path, strerror(errno));
    if (unlink(old->cert_path) != 0 && errno != ENOENT)
        return fail(why, ERR_IO, "cannot remove %s: %s", old->cert_path, strerror(errno));
    return OK;
}

enum err tls_forget(const struct tls_store *store, int64_t now, size_t *ret_count, struct why *why)
{
    AUTO_VAL(tls_pair) current = { 0 };
    AUTO_BUF der = { 0 };
    struct cert cert;
    TRY(tls_pair_of(store->keys_dir, store->certs_dir, &current, why));
    TRY(tls_pair_cert(&current, &der, &cert, why));
    const struct generations found = generations_find(store->keys_dir, TLS_PREFIX);
    *ret_count = 0;
    for (size_t i = 0; i < found.count && found.list[i] < current.generation; i++) {
        AUTO_VAL(tls_pair) old = tls_pair_at(store->keys_dir, store->certs_dir, found.list[i]);
        AUTO_BUF old_der = { 0 };
        struct cert old_cert;
        bool before_last = found.list[i] < current.generation - 1;
        /* One without a certificate of its own would show that of the current one. */
        if (strcmp(old.cert_path, current.cert_path) == 0 ||
            tls_pair_cert(&old, &old_der, &old_cert, NULL) != OK ||
            !is_over(&cert, &old_cert, before_last, now))
            continue;
        TRY(generation_remove(&old, why));
        ++*ret_count;
    }
    return OK;
}

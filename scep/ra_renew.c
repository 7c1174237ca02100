/* SPDX-License-Identifier: Apache-2.0 */
/* Renewing an RA set. */
#include "scep/ra_renew.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/generation.h"
#include "ipc/own_certificate.h"
#include "x509/csr.h"
#include <errno.h>
#include <unistd.h>

/* What the set's certificates are made from: the names are those of NDES's two, which init gave them, too. */
struct use {
    const char *name, *template;
};
static const struct use encryption_use = { "encryption", "CEPEncryption" };
static const struct use signature_use = { "signature", "EnrollmentAgentOffline" };
static const struct use combined_use = { "combined", "RegistrationAuthority" };

bool ra_set_is_due(const struct ra_set *set, int64_t now, int64_t before_s)
{
    return ra_set_end(set) - now < before_s;
}

/* The certificate first: one without a key is no generation yet. */
static enum err pair_save(const struct ra_source *source, const char *file, const struct key *key,
                          struct bytes der, struct why *why)
{
    AUTO_STR key_path = xasprintf("%s/%s" GENERATION_KEY_SUFFIX, source->keys_dir, file);
    AUTO_STR cert_path = xasprintf("%s/%s.crt.pem", source->certs_dir, file);
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", der);
    TRY(file_write(cert_path, buf_bytes(&pem), 0444, why));
    return key_file_save(key, key_path, source->unlock, KEY_PROTECT_SECRET, why);
}

/* By a try before this one that came no further: its key stands in nobody's way, and ca is not asked again each minute. */
static bool is_made(const struct ra_source *source, const char *file)
{
    AUTO_STR path = xasprintf("%s/%s" GENERATION_KEY_SUFFIX, source->keys_dir, file);
    return !FAULT(ra_half) && access(path, F_OK) == 0;
}

static enum err use_renew(const struct ra_renewal *renewal, const struct ra_key *old, const struct use *use,
                          const char *file, struct why *why)
{
    if (is_made(&renewal->source, file))
        return OK;
    const struct public_key *was = old->key->public_half;
    const struct key_spec spec = { public_key_kind(was), public_key_bits(was) };
    const struct csr_params params = { .subject = old->cert.subject };
    AUTO(key) key = NULL;
    AUTO_BUF csr = { 0 }, der = { 0 };
    struct cert cert;
    TRY(key_generate(&spec, renewal->source.gate, &key, why));
    TRY(csr_make(&params, key, &csr, why));
    const struct own_certificate own = { renewal->issuer, use->template, buf_bytes(&csr) };
    TRY(own_certificate_ask(renewal->ca, &own, &der, why));
    TRY(cert_parse(buf_bytes(&der), &cert, why));
    if (!bytes_equal(cert.spki, public_key_spki(key->public_half)))
        return fail(why, ERR_PROTOCOL, "ca answered a certificate of another key for template %s",
                    use->template);
    return pair_save(&renewal->source, file, key, buf_bytes(&der), why);
}

/* A signature without an encryption beside it was left by a renewal that failed, and this one makes what is missing. */
static int next_generation(const struct ra_set *set)
{
    int recipient = ra_set_recipient(set)->generation, signer = ra_set_signer(set)->generation;
    return signer > recipient ? signer : recipient + 1;
}

enum err ra_renew(const struct ra_renewal *renewal, const struct ra_set *set, int *ret_generation,
                  struct why *why)
{
    int generation = next_generation(set);
    const struct use *use = set->combined ? &combined_use : &encryption_use;
    size_t count = set->count > set->signature_count ? set->count : set->signature_count;
    size_t spare = FAULT(renewal_spare) ? 0 : renewal->spare;
    if (count + 1 + spare > RA_GENERATIONS_MAX)
        return fail(
            why, ERR_LIMIT,
            "RA set %s has %zu generations already, limit %d%s; move the oldest, %s/%s-*-%d.key.pem, out "
            "of that folder, and reload the daemon",
            set->name, count, RA_GENERATIONS_MAX,
            spare ? " with one for the renewal that comes by itself" : "", renewal->source.keys_dir,
            set->name, set->encryption[0].generation);
    AUTO_STR signature = xasprintf("%s-%s-%d", set->name, signature_use.name, generation);
    AUTO_STR encryption = xasprintf("%s-%s-%d", set->name, use->name, generation);
    if (!set->combined)
        TRY(use_renew(renewal, ra_set_signer(set), &signature_use, signature, why));
    TRY(use_renew(renewal, ra_set_recipient(set), use, encryption, why));
    *ret_generation = generation;
    return OK;
}

/* --- old ones --- */

static enum err forget_one(const struct ra_source *source, const struct ra_set *set, const char *use,
                           int generation, struct why *why)
{
    AUTO_STR path = xasprintf("%s/%s-%s-%d.key.pem", source->keys_dir, set->name, use, generation);
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(why, ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    return OK;
}

static enum err forget_use(const struct ra_forgetting *forgetting, bool for_signature, size_t *count,
                           struct why *why)
{
    const struct ra_set *set = forgetting->set;
    const struct ra_key *keys = for_signature ? set->signature : set->encryption;
    size_t total = for_signature ? set->signature_count : set->count;
    const char *use = for_signature   ? signature_use.name
                      : set->combined ? combined_use.name
                                      : encryption_use.name;
    for (size_t i = 0; i + 1 < total; i++) {
        if (keys[i].cert.not_after >= forgetting->now - RA_KEPT_S &&
            (FAULT(ra_compromised) || !forgetting->compromised(forgetting->arg, &keys[i])))
            continue;
        TRY(forget_one(forgetting->source, set, use, keys[i].generation, why));
        ++*count;
    }
    return OK;
}

enum err ra_forget(const struct ra_forgetting *forgetting, size_t *ret_count, struct why *why)
{
    size_t count = 0;
    TRY(forget_use(forgetting, false, &count, why));
    TRY(forget_use(forgetting, true, &count, why));
    *ret_count = count;
    return OK;
}

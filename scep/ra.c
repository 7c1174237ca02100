/* SPDX-License-Identifier: Apache-2.0 */
/* RA sets: found by their file names, loaded, and checked before anybody relies on them. */
#include "scep/ra.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/generation.h"
#include "base/limits.h"
#include "x509/name.h"

struct ra_set *ra_set_new(const char *name, bool combined)
{
    struct ra_set *set = xcalloc(1, sizeof(*set));
    set->name = xstrdup(name);
    set->combined = combined;
    return set;
}

static void ra_key_clear(struct ra_key *held)
{
    key_free(held->key);
    buf_free(&held->der);
    *held = (struct ra_key){ 0 };
}

void ra_set_free(struct ra_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        ra_key_clear(&set->encryption[i]);
    for (size_t i = 0; i < set->signature_count; i++)
        ra_key_clear(&set->signature[i]);
    free(set->name);
    free(set);
}

const struct ra_key *ra_set_recipient(const struct ra_set *set)
{
    return &set->encryption[set->count - 1];
}

const struct ra_key *ra_set_signer(const struct ra_set *set)
{
    return set->combined ? ra_set_recipient(set) : &set->signature[set->signature_count - 1];
}

const struct ra_key *ra_set_signer_for(const struct ra_set *set, size_t recipient, int64_t now)
{
    const struct ra_key *keys = set->combined ? set->encryption : set->signature;
    size_t count = set->combined ? set->count : set->signature_count;
    for (size_t i = 0; i < count && !FAULT(ra_generation); i++) {
        if (keys[i].generation == set->encryption[recipient].generation &&
            !cert_is_expired(&keys[i].cert, now))
            return &keys[i];
    }
    return ra_set_signer(set);
}

static bool keys_have_subject(const struct ra_key *keys, size_t count, struct bytes name)
{
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || name_equal(name, keys[i].cert.subject);
    return found;
}

bool ra_set_has_subject(const struct ra_set *set, struct bytes name)
{
    return keys_have_subject(set->encryption, set->count, name) ||
           keys_have_subject(set->signature, set->signature_count, name);
}

int64_t ra_set_end(const struct ra_set *set)
{
    int64_t recipient = ra_set_recipient(set)->cert.not_after, signer = ra_set_signer(set)->cert.not_after;
    return recipient < signer ? recipient : signer;
}

/* Clients choose the recipient and the signer by key usage (spec interop.md): one without it is never found.
 */
static enum err usage_check(const struct ra_set *set, const struct ra_key *held, uint16_t wanted,
                            struct why *why)
{
    if (!held->cert.has_key_usage || (held->cert.key_usage & wanted) == wanted)
        return OK;
    AUTO_BUF have = { 0 }, want = { 0 };
    key_usage_append_text(&have, held->cert.key_usage);
    key_usage_append_text(&want, wanted);
    return fail(why, ERR_CONFIG, "RA set %s generation %d: certificate has key usage %s, its use needs %s",
                set->name, held->generation, buf_text(&have), buf_text(&want));
}

static enum err pair_check(const struct ra_set *set, struct ra_key *held, uint16_t usage, struct why *why)
{
    TRY(cert_parse(buf_bytes(&held->der), &held->cert, why));
    if (!bytes_equal(held->cert.spki, public_key_spki(held->key->public_half)))
        return fail(why, ERR_CONFIG, "RA set %s generation %d: key and certificate do not belong together",
                    set->name, held->generation);
    /* RFC 8894 3.1: the content-encryption key travels by RSA key transport. */
    if ((usage & KU_KEY_ENCIPHERMENT) && public_key_kind(held->key->public_half) != KEY_RSA)
        return fail(why, ERR_CONFIG, "RA set %s generation %d: encryption key is %s, SCEP needs RSA",
                    set->name, held->generation, key_kind_name(public_key_kind(held->key->public_half)));
    return usage_check(set, held, usage, why);
}

enum err ra_set_add(struct ra_set *set, struct ra_key *taken, bool for_signature, struct why *why)
{
    struct ra_key held = *taken;
    *taken = (struct ra_key){ 0 };
    uint16_t usage = for_signature ? KU_DIGITAL_SIGNATURE : KU_KEY_ENCIPHERMENT;
    if (set->combined)
        usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
    enum err err = pair_check(set, &held, usage, why);
    if (err == OK && (for_signature ? set->signature_count : set->count) == RA_GENERATIONS_MAX)
        err = fail(why, ERR_CONFIG, "RA set %s: more than %d generations; move the oldest away", set->name,
                   RA_GENERATIONS_MAX);
    if (err != OK) {
        ra_key_clear(&held);
        return err;
    }
    if (for_signature) {
        set->signature[set->signature_count++] = held;
        return OK;
    }
    set->encryption[set->count] = held;
    set->certs[set->count++] = held.cert;
    return OK;
}

static enum err issuer_check(const struct ra_set *set, const struct ra_key *held, const struct cert *issuer,
                             const struct public_key *issuer_key, struct why *why)
{
    struct why because = { 0 };
    if (!bytes_equal(held->cert.issuer, issuer->subject) ||
        (!FAULT(ra_issuer) && cert_verify(&held->cert, issuer_key, &because) != OK)) {
        AUTO_BUF name = { 0 };
        name_append_text(&name, issuer->subject);
        return fail(why, ERR_CONFIG,
                    "RA set %s generation %d: certificate was not issued by the endpoint's CA %s", set->name,
                    held->generation, buf_text(&name));
    }
    return OK;
}

enum err ra_set_check(const struct ra_set *set, const struct cert *issuer,
                      const struct public_key *issuer_key, struct why *why)
{
    if (set->count == 0)
        return fail(why, ERR_CONFIG, "RA set %s: no %s certificate", set->name,
                    set->combined ? "combined" : "encryption");
    if (!set->combined && set->signature_count == 0)
        return fail(why, ERR_CONFIG, "RA set %s: no signature certificate", set->name);
    for (size_t i = 0; i < set->count; i++)
        TRY(issuer_check(set, &set->encryption[i], issuer, issuer_key, why));
    for (size_t i = 0; i < set->signature_count; i++)
        TRY(issuer_check(set, &set->signature[i], issuer, issuer_key, why));
    return OK;
}

/* --- files --- */

static enum err ra_key_load(const struct ra_source *source, const char *prefix, int generation,
                            struct ra_key *ret, struct why *why)
{
    AUTO_STR key_path = xasprintf("%s/%s-%d" GENERATION_KEY_SUFFIX, source->keys_dir, prefix, generation);
    AUTO_STR cert_path = xasprintf("%s/%s-%d.crt.pem", source->certs_dir, prefix, generation);
    AUTO_BUF text = { 0 }, der = { 0 };
    TRY(file_read(cert_path, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &der, NULL))
        return fail(why, ERR_CONFIG, "%s: no PEM certificate", cert_path);
    AUTO(key) key = NULL;
    TRY(key_file_load(key_path, source->unlock, source->gate, &key, why));
    *ret = (struct ra_key){ .generation = generation, .der = TAKE_BUF(der), .key = TAKE(key) };
    return OK;
}

static enum err load_generations(const struct ra_source *source, struct ra_set *set, const char *use,
                                 struct why *why)
{
    AUTO_STR prefix = xasprintf("%s-%s", set->name, use);
    struct generations found = generations_find(source->keys_dir, prefix);
    if (found.count == 0)
        return fail(why, ERR_CONFIG, "RA set %s: no file %s/%s-N" GENERATION_KEY_SUFFIX, set->name,
                    source->keys_dir, prefix);
    if (found.more)
        return fail(why, ERR_CONFIG, "RA set %s: more than %d generations of %s in %s; move the oldest away",
                    set->name, RA_GENERATIONS_MAX, prefix, source->keys_dir);
    for (size_t i = 0; i < found.count; i++) {
        struct ra_key held = { 0 };
        TRY(ra_key_load(source, prefix, found.list[i], &held, why));
        TRY(ra_set_add(set, &held, strcmp(use, "signature") == 0, why));
    }
    return OK;
}

enum err ra_set_load(const struct ra_source *source, const char *name, bool combined, struct ra_set **ret,
                     struct why *why)
{
    AUTO(ra_set) set = ra_set_new(name, combined);
    TRY(load_generations(source, set, combined ? "combined" : "encryption", why));
    if (!combined)
        TRY(load_generations(source, set, "signature", why));
    *ret = TAKE(set);
    return OK;
}

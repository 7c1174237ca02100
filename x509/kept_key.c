/* SPDX-License-Identifier: Apache-2.0 */
/* Making, finding and renewing them. */
#include "x509/kept_key.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "x509/name.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define BACKDATE_S 86400 /* clocks of other hosts are behind */

struct kept_key {
    const struct kept_key_kind *kind;
    char *keys_dir, *certs_dir;
    const struct secret *unlock;
    struct key_gate *gate;
    pthread_mutex_t lock;
    struct kept_generations *keys; /* under lock */
};

static void generation_clear(struct kept_generation *key)
{
    key_free(key->key);
    buf_free(&key->der);
    *key = (struct kept_generation){ 0 };
}

void kept_generations_free(struct kept_generations *keys)
{
    if (!keys || atomic_fetch_sub(&keys->holders, 1) > 1)
        return;
    for (size_t i = 0; i < keys->count; i++)
        generation_clear(&keys->of[i]);
    free(keys);
}

static struct kept_generations *keys_new(void)
{
    struct kept_generations *keys = xcalloc(1, sizeof(*keys));
    atomic_init(&keys->holders, 1);
    return keys;
}

struct kept_generations *kept_key_hold(struct kept_key *kept)
{
    pthread_mutex_lock(&kept->lock);
    struct kept_generations *keys = kept->keys;
    atomic_fetch_add(&keys->holders, 1);
    pthread_mutex_unlock(&kept->lock);
    return keys;
}

static void keys_replace(struct kept_key *kept, struct kept_generations *keys)
{
    pthread_mutex_lock(&kept->lock);
    struct kept_generations *before = kept->keys;
    kept->keys = keys;
    pthread_mutex_unlock(&kept->lock);
    kept_generations_free(before);
}

/* --- files --- */

static char *key_path(const struct kept_key *kept, int generation)
{
    return xasprintf("%s/%s-%d" GENERATION_KEY_SUFFIX, kept->keys_dir, kept->kind->prefix, generation);
}

static char *cert_path(const struct kept_key *kept, int generation)
{
    return xasprintf("%s/%s-%d.crt.pem", kept->certs_dir, kept->kind->prefix, generation);
}

static enum err pair_check(const struct kept_generation *held, const char *path, struct why *why)
{
    enum key_kind kind = public_key_kind(held->key->public_half);
    if (kind != KEY_EC_P256)
        return fail(why, ERR_KEY, "%s holds a %s key; it has to be P-256", path, key_kind_name(kind));
    if (!bytes_equal(held->cert.spki, public_key_spki(held->key->public_half)))
        return fail(why, ERR_KEY, "%s is not the key of the certificate beside it", path);
    return OK;
}

static enum err generation_read(const struct kept_key *kept, int generation, struct kept_generation *held,
                                struct why *why)
{
    AUTO_STR key_file = key_path(kept, generation);
    AUTO_STR cert_file = cert_path(kept, generation);
    AUTO_BUF text = { 0 };
    held->generation = generation;
    TRY(file_read(cert_file, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &held->der, NULL))
        return fail(why, ERR_CONFIG, "%s holds no PEM certificate", cert_file);
    TRY(cert_parse(buf_bytes(&held->der), &held->cert, why));
    TRY(key_file_load(key_file, kept->unlock, kept->gate, &held->key, why));
    return pair_check(held, key_file, why);
}

/* The newest first. */
static enum err keys_load(const struct kept_key *kept, struct kept_generations **ret, struct why *why)
{
    const struct generations found = generations_find(kept->keys_dir, kept->kind->prefix);
    AUTO(kept_generations) keys = keys_new();
    struct why because = { 0 };
    if (found.more)
        return fail(why, ERR_CONFIG, "more than %d generations of %s in %s; move the oldest away",
                    GENERATIONS_MAX, kept->kind->prefix, kept->keys_dir);
    for (size_t i = found.count; i-- > 0;) {
        struct kept_generation held = { 0 };
        if (generation_read(kept, found.list[i], &held, &because) == OK) {
            keys->of[keys->count++] = held;
            continue;
        }
        log_warn(NULL, "%s passed over generation=%d: %s", kept->kind->name, found.list[i], because.text);
        generation_clear(&held);
    }
    if (found.count && !keys->count && !FAULT(kept_key_unusable))
        return fail(why, ERR_KEY,
                    "no %s in %s can be used (%s): restore it, or move it away to have a new one made",
                    kept->kind->name, kept->keys_dir, because.text);
    *ret = TAKE(keys);
    return OK;
}

/* --- a new one --- */

/* Both certificates have the one subject of the kind, so that is the issuer's name, too. */
static enum err certificate_make(const struct kept_key_kind *kind, const struct key *key,
                                 const struct kept_generation *before, int64_t now, struct buf *ret,
                                 struct why *why)
{
    uint8_t serial[SERIAL_BYTES];
    AUTO_BUF name = { 0 }, tbs = { 0 }, signature = { 0 };
    const struct key *signer = before ? before->key : key;
    const struct signature_algorithm algorithm = key_signature_algorithm(signer);
    TRY(serial_make(now, serial, why));
    TRY(name_from_text(kind->subject, &name, why));
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = buf_bytes(&name),
                                       .subject = buf_bytes(&name),
                                       .spki = public_key_spki(key->public_half),
                                       .not_before = now - BACKDATE_S,
                                       .not_after = now + kind->validity_s,
                                       .key_usage = kind->key_usage,
                                       .is_ca = kind->is_ca,
                                       .path_len = kind->is_ca ? 0 : -1,
                                       .issuer_key_id = before ? before->cert.ski : BYTES_NONE };
    TRY(tbs_build(&params, &tbs, why));
    TRY(key_sign(signer, algorithm.digest, buf_bytes(&tbs), &signature, why));
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), ret);
    return OK;
}

/* The certificate first: one without a key is no generation yet, and the next try writes over it. */
static enum err pair_save(const struct kept_key *kept, int generation, const struct key *key,
                          struct bytes der, struct why *why)
{
    AUTO_STR key_file = key_path(kept, generation);
    AUTO_STR cert_file = cert_path(kept, generation);
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", der);
    if (FAULT(kept_key_order))
        TRY(key_file_save(key, key_file, kept->unlock, KEY_PROTECT_SECRET, why));
    TRY(file_write(cert_file, buf_bytes(&pem), 0444, why));
    return FAULT(kept_key_order) ? OK : key_file_save(key, key_file, kept->unlock, KEY_PROTECT_SECRET, why);
}

static enum err generation_make(const struct kept_key *kept, const struct kept_generations *keys, int64_t now,
                                struct why *why)
{
    bool vouched = kept->kind->vouches && keys->count && !FAULT(kept_key_vouched);
    static const struct key_spec spec = { .kind = KEY_EC_P256 };
    int generation = generation_highest(kept->keys_dir, kept->kind->prefix) + 1;
    AUTO(key) key = NULL;
    AUTO_BUF der = { 0 };
    TRY(key_generate(&spec, kept->gate, &key, why));
    TRY(certificate_make(kept->kind, key, vouched ? &keys->of[0] : NULL, now, &der, why));
    TRY(pair_save(kept, generation, key, buf_bytes(&der), why));
    log_info(NULL, "%s made generation=%d", kept->kind->name, generation);
    return OK;
}

/* --- in service --- */

static bool is_due(const struct kept_key_kind *kind, const struct kept_generations *keys, int64_t now)
{
    if (FAULT(kept_key_renewal))
        return false;
    return !keys->count || keys->of[0].cert.not_after - now < kind->renew_before_s;
}

/* The newest is kept whatever its age. */
static size_t forgettable(const struct kept_key_kind *kind, const struct kept_generations *keys, int64_t now)
{
    size_t kept = keys->count ? 1 : 0;
    while (kept < keys->count &&
           keys->of[kept].cert.not_after + (FAULT(kept_key_kept) ? 0 : kind->kept_s) > now)
        kept++;
    return keys->count - kept;
}

/* The key first: a certificate without one is no generation. */
static enum err generation_remove(const struct kept_key *kept, int generation, struct why *why)
{
    AUTO_STR key_file = key_path(kept, generation);
    AUTO_STR cert_file = cert_path(kept, generation);
    const char *const files[] = { key_file, cert_file };
    for (size_t i = 0; i < 2; i++) {
        if (unlink(files[i]) != 0 && errno != ENOENT)
            return fail(why, ERR_IO, "cannot remove %s: %s", files[i], strerror(errno));
    }
    log_info(NULL, "old %s removed generation=%d", kept->kind->name, generation);
    return OK;
}

static enum err keys_keep(struct kept_key *kept, const struct kept_generations *keys, int64_t now,
                          bool *ret_changed, struct why *why)
{
    size_t old = forgettable(kept->kind, keys, now);
    *ret_changed = is_due(kept->kind, keys, now);
    if (*ret_changed)
        TRY(generation_make(kept, keys, now, why));
    for (size_t i = keys->count - old; i < keys->count; i++) {
        *ret_changed = true;
        TRY(generation_remove(kept, keys->of[i].generation, why));
    }
    return OK;
}

enum err kept_key_keep(struct kept_key *kept, int64_t now, struct why *why)
{
    AUTO(kept_generations) held = kept_key_hold(kept);
    struct kept_generations *fresh = NULL;
    bool changed;
    TRY(keys_keep(kept, held, now, &changed, why));
    if (!changed)
        return OK;
    TRY(keys_load(kept, &fresh, why));
    keys_replace(kept, fresh);
    return OK;
}

enum err kept_key_open(const struct kept_key_kind *kind, const struct kept_key_source *source, int64_t now,
                       struct kept_key **ret, struct why *why)
{
    AUTO(kept_key) kept = xcalloc(1, sizeof(*kept));
    pthread_mutex_init(&kept->lock, NULL);
    kept->kind = kind;
    kept->keys_dir = xstrdup(source->keys_dir);
    kept->certs_dir = xstrdup(source->certs_dir);
    kept->unlock = source->unlock;
    kept->gate = source->gate;
    TRY(keys_load(kept, &kept->keys, why));
    TRY(kept_key_keep(kept, now, why));
    *ret = TAKE(kept);
    return OK;
}

void kept_key_free(struct kept_key *kept)
{
    if (!kept)
        return;
    kept_generations_free(kept->keys);
    pthread_mutex_destroy(&kept->lock);
    free(kept->keys_dir);
    free(kept->certs_dir);
    free(kept);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Making, finding and renewing the CRP's key. */
#include "ca/crp.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "x509/name.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define PREFIX     "crp"
#define SUBJECT    "CN=Certificate Registration Point"
#define BACKDATE_S CRP_DAY_S /* clocks of other hosts are behind */

struct crp {
    char *keys_dir, *certs_dir;
    const struct secret *unlock;
    struct key_gate *gate;
    pthread_mutex_t lock;
    struct crp_keys *keys; /* under lock */
};

static void crp_key_clear(struct crp_key *key)
{
    key_free(key->key);
    buf_free(&key->der);
    *key = (struct crp_key){ 0 };
}

void crp_keys_free(struct crp_keys *keys)
{
    if (!keys || atomic_fetch_sub(&keys->holders, 1) > 1)
        return;
    for (size_t i = 0; i < keys->count; i++)
        crp_key_clear(&keys->of[i]);
    free(keys);
}

static struct crp_keys *keys_new(void)
{
    struct crp_keys *keys = xcalloc(1, sizeof(*keys));
    atomic_init(&keys->holders, 1);
    return keys;
}

struct crp_keys *crp_keys_hold(struct crp *crp)
{
    pthread_mutex_lock(&crp->lock);
    struct crp_keys *keys = crp->keys;
    atomic_fetch_add(&keys->holders, 1);
    pthread_mutex_unlock(&crp->lock);
    return keys;
}

static void keys_replace(struct crp *crp, struct crp_keys *keys)
{
    pthread_mutex_lock(&crp->lock);
    struct crp_keys *before = crp->keys;
    crp->keys = keys;
    pthread_mutex_unlock(&crp->lock);
    crp_keys_free(before);
}

/* --- files --- */

static char *key_path(const struct crp *crp, int generation)
{
    return xasprintf("%s/" PREFIX "-%d" GENERATION_KEY_SUFFIX, crp->keys_dir, generation);
}

static char *cert_path(const struct crp *crp, int generation)
{
    return xasprintf("%s/" PREFIX "-%d.crt.pem", crp->certs_dir, generation);
}

static enum err pair_check(const struct crp_key *held, const char *path, struct why *why)
{
    enum key_kind kind = public_key_kind(held->key->public_half);
    if (kind != KEY_EC_P256)
        return fail(why, ERR_KEY, "%s holds a %s key; challenges are encrypted to P-256", path,
                    key_kind_name(kind));
    if (!bytes_equal(held->cert.spki, public_key_spki(held->key->public_half)))
        return fail(why, ERR_KEY, "%s is not the key of the certificate beside it", path);
    return OK;
}

static enum err generation_read(const struct crp *crp, int generation, struct crp_key *held, struct why *why)
{
    AUTO_STR key_file = key_path(crp, generation);
    AUTO_STR cert_file = cert_path(crp, generation);
    AUTO_BUF text = { 0 };
    held->generation = generation;
    TRY(file_read(cert_file, LIMIT_TEXT_FILE_BYTES, &text, why));
    if (!pem_decode(buf_bytes(&text), "CERTIFICATE", &held->der, NULL))
        return fail(why, ERR_CONFIG, "%s holds no PEM certificate", cert_file);
    TRY(cert_parse(buf_bytes(&held->der), &held->cert, why));
    TRY(key_file_load(key_file, crp->unlock, crp->gate, &held->key, why));
    return pair_check(held, key_file, why);
}

/* The newest first. */
static enum err keys_load(const struct crp *crp, struct crp_keys **ret, struct why *why)
{
    const struct generations found = generations_find(crp->keys_dir, PREFIX);
    AUTO(crp_keys) keys = keys_new();
    struct why because = { 0 };
    if (found.more)
        return fail(why, ERR_CONFIG, "more than %d generations of " PREFIX " in %s; move the oldest away",
                    GENERATIONS_MAX, crp->keys_dir);
    for (size_t i = found.count; i-- > 0;) {
        struct crp_key held = { 0 };
        if (generation_read(crp, found.list[i], &held, &because) == OK) {
            keys->of[keys->count++] = held;
            continue;
        }
        log_warn(NULL, "CRP key passed over generation=%d: %s", found.list[i], because.text);
        crp_key_clear(&held);
    }
    if (found.count && !keys->count && !FAULT(crp_unusable))
        return fail(why, ERR_KEY,
                    "no CRP key in %s can be used (%s): restore it, or move it away to have a new one made",
                    crp->keys_dir, because.text);
    *ret = TAKE(keys);
    return OK;
}

/* --- a new one --- */

static enum err certificate_make(const struct key *key, int64_t now, struct buf *ret, struct why *why)
{
    uint8_t serial[SERIAL_BYTES];
    AUTO_BUF name = { 0 }, tbs = { 0 }, signature = { 0 };
    const struct signature_algorithm algorithm = key_signature_algorithm(key);
    TRY(serial_make(now, serial, why));
    TRY(name_from_text(SUBJECT, &name, why));
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = buf_bytes(&name),
                                       .subject = buf_bytes(&name),
                                       .spki = public_key_spki(key->public_half),
                                       .not_before = now - BACKDATE_S,
                                       .not_after = now + CRP_VALIDITY_S,
                                       .key_usage = KU_KEY_AGREEMENT,
                                       .path_len = -1 };
    TRY(tbs_build(&params, &tbs, why));
    TRY(key_sign(key, algorithm.digest, buf_bytes(&tbs), &signature, why));
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), ret);
    return OK;
}

/* The certificate first: one without a key is no generation yet, and the next try writes over it. */
static enum err pair_save(const struct crp *crp, int generation, const struct key *key, struct bytes der,
                          struct why *why)
{
    AUTO_STR key_file = key_path(crp, generation);
    AUTO_STR cert_file = cert_path(crp, generation);
    AUTO_BUF pem = { 0 };
    pem_append(&pem, "CERTIFICATE", der);
    if (FAULT(crp_order))
        TRY(key_file_save(key, key_file, crp->unlock, KEY_PROTECT_SECRET, why));
    TRY(file_write(cert_file, buf_bytes(&pem), 0444, why));
    return FAULT(crp_order) ? OK : key_file_save(key, key_file, crp->unlock, KEY_PROTECT_SECRET, why);
}

static enum err generation_make(const struct crp *crp, int64_t now, struct why *why)
{
    static const struct key_spec spec = { .kind = KEY_EC_P256 };
    int generation = generation_highest(crp->keys_dir, PREFIX) + 1;
    AUTO(key) key = NULL;
    AUTO_BUF der = { 0 };
    TRY(key_generate(&spec, crp->gate, &key, why));
    TRY(certificate_make(key, now, &der, why));
    TRY(pair_save(crp, generation, key, buf_bytes(&der), why));
    log_info(NULL, "CRP key made generation=%d", generation);
    return OK;
}

/* --- in service --- */

static bool is_due(const struct crp_keys *keys, int64_t now)
{
    if (FAULT(crp_renewal))
        return false;
    return !keys->count || keys->of[0].cert.not_after - now < CRP_RENEW_BEFORE_S;
}

/* What a day-long challenge may still be encrypted to is kept; the newest is kept whatever its age. */
static size_t forgettable(const struct crp_keys *keys, int64_t now)
{
    size_t kept = keys->count ? 1 : 0;
    while (kept < keys->count && keys->of[kept].cert.not_after + (FAULT(crp_kept) ? 0 : CRP_KEPT_S) > now)
        kept++;
    return keys->count - kept;
}

/* The key first: a certificate without one is no generation. */
static enum err generation_remove(const struct crp *crp, int generation, struct why *why)
{
    AUTO_STR key_file = key_path(crp, generation);
    AUTO_STR cert_file = cert_path(crp, generation);
    const char *const files[] = { key_file, cert_file };
    for (size_t i = 0; i < 2; i++) {
        if (unlink(files[i]) != 0 && errno != ENOENT)
            return fail(why, ERR_IO, "cannot remove %s: %s", files[i], strerror(errno));
    }
    log_info(NULL, "old CRP key removed generation=%d", generation);
    return OK;
}

static enum err keys_keep(struct crp *crp, const struct crp_keys *keys, int64_t now, bool *ret_changed,
                          struct why *why)
{
    size_t old = forgettable(keys, now);
    *ret_changed = is_due(keys, now);
    if (*ret_changed)
        TRY(generation_make(crp, now, why));
    for (size_t i = keys->count - old; i < keys->count; i++) {
        *ret_changed = true;
        TRY(generation_remove(crp, keys->of[i].generation, why));
    }
    return OK;
}

enum err crp_keep(struct crp *crp, int64_t now, struct why *why)
{
    AUTO(crp_keys) held = crp_keys_hold(crp);
    struct crp_keys *fresh = NULL;
    bool changed;
    TRY(keys_keep(crp, held, now, &changed, why));
    if (!changed)
        return OK;
    TRY(keys_load(crp, &fresh, why));
    keys_replace(crp, fresh);
    return OK;
}

enum err crp_open(const struct crp_source *source, int64_t now, struct crp **ret, struct why *why)
{
    AUTO(crp) crp = xcalloc(1, sizeof(*crp));
    pthread_mutex_init(&crp->lock, NULL);
    crp->keys_dir = xstrdup(source->keys_dir);
    crp->certs_dir = xstrdup(source->certs_dir);
    crp->unlock = source->unlock;
    crp->gate = source->gate;
    TRY(keys_load(crp, &crp->keys, why));
    TRY(crp_keep(crp, now, why));
    *ret = TAKE(crp);
    return OK;
}

void crp_free(struct crp *crp)
{
    if (!crp)
        return;
    crp_keys_free(crp->keys);
    pthread_mutex_destroy(&crp->lock);
    free(crp->keys_dir);
    free(crp->certs_dir);
    free(crp);
}

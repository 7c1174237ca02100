/* SPDX-License-Identifier: Apache-2.0 */
/* Pinned signing certificates: judged, kept, succeeded, and the copy in memory. */
#include "ca/authority_signer.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "ca/audit.h"
#include "x509/cms_content.h"

#define CLOCK_SKEW_S 300 /* of the authority's host */

/* --- the copy in memory --- */

struct pin {
    char *issuer, *authority;
    struct buf der;
    struct cert cert; /* views into der */
    struct public_key *key;
    int64_t good_until; /* INT64_MAX: the current one */
};
struct pins {
    atomic_int holders;
    struct pin *list;
    size_t count;
};
struct authority_signers {
    pthread_mutex_t lock;
    struct pins *pins; /* under lock */
};

static void pins_free(struct pins *pins)
{
    if (!pins || atomic_fetch_sub(&pins->holders, 1) > 1)
        return;
    for (size_t i = 0; i < pins->count; i++) {
        free(pins->list[i].issuer);
        free(pins->list[i].authority);
        buf_free(&pins->list[i].der);
        public_key_free(pins->list[i].key);
    }
    free(pins->list);
    free(pins);
}
AUTO_DECLARE(pins)

static struct pins *pins_new(size_t room)
{
    struct pins *pins = xcalloc(1, sizeof(*pins));
    atomic_init(&pins->holders, 1);
    pins->list = xcalloc(room + 1, sizeof(*pins->list));
    return pins;
}

struct authority_signers *authority_signers_new(void)
{
    struct authority_signers *signers = xcalloc(1, sizeof(*signers));
    pthread_mutex_init(&signers->lock, NULL);
    signers->pins = pins_new(0);
    return signers;
}

void authority_signers_free(struct authority_signers *signers)
{
    if (!signers)
        return;
    pins_free(signers->pins);
    pthread_mutex_destroy(&signers->lock);
    free(signers);
}

static enum err pin_read(const struct store_rows *rows, size_t row, struct pin *pin, struct why *why)
{
    pin->issuer = xstrdup(store_str(rows, row, 0));
    pin->authority = xstrdup(store_str(rows, row, 1));
    pin->der = buf_dup(store_bytes(rows, row, 2));
    pin->good_until = store_is_null(rows, row, 3) ? INT64_MAX : store_int(rows, row, 3);
    TRY(cert_parse(buf_bytes(&pin->der), &pin->cert, why));
    return public_key_parse(pin->cert.spki, &pin->key, why);
}

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct pins **ret = arg;
    AUTO(store_rows) rows = NULL;
    pins_free(TAKE(*ret));
    TRY(store_query(tx,
                    "SELECT issuer_id, authority, certificate, good_until FROM authority_signer "
                    "ORDER BY issuer_id, authority, good_until",
                    S_NO_ARGS, &rows, why));
    AUTO(pins) pins = pins_new(store_rows_count(rows));
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        struct pin *pin = &pins->list[pins->count++];
        TRY(pin_read(rows, row, pin, why));
    }
    *ret = TAKE(pins);
    return OK;
}

enum err authority_signers_reload(struct ca *ca, struct why *why)
{
    struct pins *fresh = NULL;
    enum err err = store_read(ca->store, load_work, &fresh, why);
    if (err == OK) {
        pthread_mutex_lock(&ca->signers->lock);
        struct pins *before = ca->signers->pins;
        ca->signers->pins = fresh;
        pthread_mutex_unlock(&ca->signers->lock);
        fresh = before;
    }
    pins_free(fresh);
    return err;
}

static bool is_good(const struct pin *pin, int64_t now)
{
    bool over = !FAULT(signer_overlap) && pin->good_until <= now;
    bool ended = !FAULT(signer_ended) && cert_is_expired(&pin->cert, now);
    return !over && !ended;
}

struct pinned pinned_at(struct ca *ca, const struct issuer *issuer, int64_t now)
{
    struct pinned pinned = { 0 };
    pthread_mutex_lock(&ca->signers->lock);
    pinned.held = ca->signers->pins;
    atomic_fetch_add(&pinned.held->holders, 1);
    pthread_mutex_unlock(&ca->signers->lock);
    for (size_t i = 0; i < pinned.held->count && pinned.count < AUTHORITY_SIGNERS_MAX; i++) {
        const struct pin *pin = &pinned.held->list[i];
        if (strcmp(pin->issuer, issuer->name) != 0 || !is_good(pin, now))
            continue;
        pinned.peers[pinned.count] = (struct challenge_peer){ &pin->cert, pin->key };
        pinned.authority[pinned.count++] = pin->authority;
    }
    return pinned;
}

void pinned_free(struct pinned *pinned)
{
    pins_free(pinned->held);
    *pinned = (struct pinned){ 0 };
}

/* --- what may be pinned --- */

struct judged {
    struct cert cert;
    char thumbprint[65]; /* SHA-256 */
};

static enum err times_judge(const struct cert *cert, int64_t now, struct why *why)
{
    char at[21], from[21], to[21];
    clock_rfc3339(now, at);
    clock_rfc3339(cert->not_before, from);
    clock_rfc3339(cert->not_after, to);
    if (FAULT(signer_times))
        return OK;
    if (cert->not_before > now + CLOCK_SKEW_S || cert_is_expired(cert, now))
        return fail(why, ERR_USAGE, "the signing certificate is valid from %s to %s, it is %s", from, to, at);
    if (cert->not_after - cert->not_before > AUTHORITY_SIGNER_VALIDITY_S)
        return fail(why, ERR_USAGE, "the signing certificate is valid from %s to %s; at most five years",
                    from, to);
    return OK;
}

static enum err profile_judge(const struct cert *cert, struct why *why)
{
    uint16_t usage = cert->has_key_usage ? cert->key_usage : KU_DIGITAL_SIGNATURE;
    AUTO_BUF text = { 0 };
    key_usage_append_text(&text, usage);
    if (FAULT(signer_profile))
        return OK;
    if (cert->is_ca)
        return fail(why, ERR_USAGE, "the signing certificate is a CA's (RFC 5280 4.2.1.9)");
    if (!(usage & KU_DIGITAL_SIGNATURE) || usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
        return fail(
            why, ERR_USAGE,
            "the signing certificate has the key usage %s; it must have digitalSignature, and neither "
            "keyCertSign nor cRLSign",
            buf_text(&text));
    return OK;
}

static enum err certificate_judge(struct bytes der, int64_t now, struct judged *ret, struct why *why)
{
    AUTO(public_key) key = NULL;
    AUTO_BUF text = { 0 };
    uint8_t digest[32];
    TRY(cert_parse(der, &ret->cert, why));
    TRY(public_key_parse(ret->cert.spki, &key, why));
    if (public_key_kind(key) != KEY_EC_P256)
        return fail(why, ERR_USAGE, "the signing certificate has a %s key; challenges are signed with P-256",
                    key_kind_name(public_key_kind(key)));
    TRY(profile_judge(&ret->cert, why));
    TRY(times_judge(&ret->cert, now, why));
    TRY(sha256_parts(&der, 1, digest, why));
    hex_append_upper(&text, BYTES_ARR(digest));
    memcpy(ret->thumbprint, buf_text(&text), sizeof(ret->thumbprint));
    return OK;
}

/* A challenge names its signer's certificate: another one of that name would stand in its way, whoever pinned it. */
static enum err distinct_judge(struct store_tx *tx, const struct signer_pin *pin, const struct cert *cert,
                               struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT certificate, authority FROM authority_signer WHERE issuer_id = $1",
                    S_ARGS(S_TEXT(pin->issuer->name)), &rows, why));
    for (size_t row = 0; row < store_rows_count(rows); row++) {
        struct cert other;
        TRY(cert_parse(store_bytes(rows, row, 0), &other, why));
        bool same_id = cert->ski.len && bytes_equal(cert->ski, other.ski);
        if (FAULT(signer_distinct) ||
            (!same_id && !cms_names_cert(&other, cert->issuer, cert->serial, BYTES_NONE)))
            continue;
        return fail(why, ERR_CONFLICT, "a certificate with the same %s is pinned for authority %s of ca %s",
                    same_id ? "key identifier" : "issuer and serial", store_str(rows, row, 1),
                    pin->issuer->name);
    }
    if (store_rows_count(rows) >= AUTHORITY_SIGNERS_MAX)
        return fail(why, ERR_LIMIT, "ca %s has %zu pinned certificates, limit %d", pin->issuer->name,
                    store_rows_count(rows), AUTHORITY_SIGNERS_MAX);
    return OK;
}

/* --- in the store --- */

static enum err row_insert(struct store_tx *tx, const struct ca *ca, const struct signer_pin *pin,
                           const struct judged *judged, struct why *why)
{
    int64_t now = clock_now(ca->clock);
    TRY(store_exec(
        tx,
        "INSERT INTO authority_signer (issuer_id, authority, thumbprint, node_id, certificate, "
        "not_after, good_until, pinned_at, pinned_by) VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8)",
        S_ARGS(S_TEXT(pin->issuer->name), S_TEXT(pin->authority), S_TEXT(judged->thumbprint),
               S_TEXT(ca->node), S_BYTES(pin->der), S_INT(judged->cert.not_after), S_INT(now),
               S_TEXT(pin->actor)),
        NULL, why));
    AUTO_STR object = xasprintf("authority/%s", pin->authority);
    struct audit_entry entry = { pin->issuer->name, pin->actor, "authority_signer", object,
                                 judged->thumbprint };
    return audit_write(tx, ca, &entry, why);
}

enum err authority_signer_pin(struct store_tx *tx, const struct ca *ca, const struct signer_pin *pin,
                              struct why *why)
{
    struct judged judged;
    if (pin->der.len)
        TRY(certificate_judge(pin->der, clock_now(ca->clock), &judged, why));
    TRY(store_exec(tx, "DELETE FROM authority_signer WHERE issuer_id = $1 AND authority = $2",
                   S_ARGS(S_TEXT(pin->issuer->name), S_TEXT(pin->authority)), NULL, why));
    if (!pin->der.len)
        return OK;
    TRY(distinct_judge(tx, pin, &judged.cert, why));
    return row_insert(tx, ca, pin, &judged, why);
}

struct succession {
    struct ca *ca;
    const struct signer_pin *pin;
    struct judged judged;
    bool changed;
};

static enum err vouched_judge(const struct succession *it, struct bytes current, struct why *why)
{
    AUTO(public_key) key = NULL;
    struct cert before;
    struct why inner = { 0 };
    TRY(cert_parse(current, &before, why));
    TRY(public_key_parse(before.spki, &key, why));
    if (cert_is_expired(&before, clock_now(it->ca->clock)) && !FAULT(signer_ended)) {
        char ended[21];
        clock_rfc3339(before.not_after, ended);
        return fail(
            why, ERR_EXPIRED,
            "the certificate that is pinned for authority %s ended %s and vouches for nobody: pin one with "
            "chancery authority set %s --certificate",
            it->pin->authority, ended, it->pin->authority);
    }
    bool vouched = bytes_equal(it->judged.cert.issuer, before.subject) &&
                   cert_verify(&it->judged.cert, key, &inner) == OK;
    if (FAULT(signer_vouched) || vouched)
        return OK;
    return fail(
        why, ERR_NOT_AUTHORISED,
        "the certificate %.16s... is not signed by the key of the one that is pinned for authority %s",
        it->judged.thumbprint, it->pin->authority);
}

static enum err before_judge(struct store_tx *tx, const struct signer_pin *pin, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT COUNT(*) FROM authority_signer WHERE issuer_id = $1 AND authority = $2 "
                    "AND good_until IS NOT NULL",
                    S_ARGS(S_TEXT(pin->issuer->name), S_TEXT(pin->authority)), &rows, why));
    if (!FAULT(signer_hurry) && store_int(rows, 0, 0) >= AUTHORITY_SIGNER_BEFORE_MAX)
        return fail(why, ERR_RATE,
                    "authority %s has %lld signing certificates that it succeeded within %d hours, limit %d",
                    pin->authority, (long long)store_int(rows, 0, 0), AUTHORITY_SIGNER_OVERLAP_S / 3600,
                    AUTHORITY_SIGNER_BEFORE_MAX);
    return OK;
}

static enum err succeed_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct succession *it = arg;
    const struct signer_pin *pin = it->pin;
    AUTO(store_rows) rows = NULL;
    int64_t ignored;
    it->changed = false;
    TRY(counter_next(tx, pin->issuer->name, "right", &ignored, why));
    TRY(store_query(tx,
                    "SELECT certificate FROM authority_signer WHERE issuer_id = $1 AND authority = $2 "
                    "AND good_until IS NULL",
                    S_ARGS(S_TEXT(pin->issuer->name), S_TEXT(pin->authority)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "no certificate is pinned for authority %s of ca %s", pin->authority,
                    pin->issuer->name);
    if (bytes_equal(store_bytes(rows, 0, 0), pin->der))
        return OK;
    TRY(vouched_judge(it, store_bytes(rows, 0, 0), why));
    TRY(before_judge(tx, pin, why));
    TRY(distinct_judge(tx, pin, &it->judged.cert, why));
    TRY(store_exec(tx,
                   "UPDATE authority_signer SET good_until = $1 WHERE issuer_id = $2 AND authority = $3 "
                   "AND good_until IS NULL",
                   S_ARGS(S_INT(clock_now(it->ca->clock) + AUTHORITY_SIGNER_OVERLAP_S),
                          S_TEXT(pin->issuer->name), S_TEXT(pin->authority)),
                   NULL, why));
    it->changed = true;
    return row_insert(tx, it->ca, pin, &it->judged, why);
}

enum err authority_signer_succeed(struct ca *ca, const struct signer_pin *pin, struct why *why)
{
    struct succession it = { .ca = ca, .pin = pin };
    struct why inner = { 0 };
    TRY(certificate_judge(pin->der, clock_now(ca->clock), &it.judged, why));
    TRY(store_write(ca->store, succeed_work, &it, why));
    if (!it.changed)
        return OK;
    log_info(NULL, "authority %s signs with another certificate ca=%s thumbprint=%s", pin->authority,
             pin->issuer->name, it.judged.thumbprint);
    enum err err = authority_signers_reload(ca, &inner);
    return err == OK ? OK : fail(why, err, "kept, but not in force for up to a minute: %s", inner.text);
}

static enum err forget_work(struct store_tx *tx, void *arg, struct why *why)
{
    return store_exec(tx, "DELETE FROM authority_signer WHERE good_until <= $1",
                      S_ARGS(S_INT(*(const int64_t *)arg)), NULL, why);
}

enum err authority_signers_forget(struct ca *ca, struct why *why)
{
    int64_t now = clock_now(ca->clock);
    return store_write(ca->store, forget_work, &now, why);
}

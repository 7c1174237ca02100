/* SPDX-License-Identifier: Apache-2.0 */
/* Challenge passwords: their MACs, and the one-time ones in the store. */
#include "ca/challenge.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "ca/audit.h"
#include "x509/algorithm.h"

enum err challenge_mac(const struct secret *key, struct bytes password, uint8_t ret[static 32],
                       struct why *why)
{
    if (key->len != CHALLENGE_KEY_BYTES)
        return fail(why, ERR_KEY, "the challenge key has %zu octets, wanted %d", key->len,
                    CHALLENGE_KEY_BYTES);
    return hmac_sha256(secret_bytes(key), password, ret, why);
}

enum err challenge_of(const struct ca *ca, const struct csr *csr, uint8_t ret_mac[static 32], struct why *why)
{
    if (!FAULT(challenge_absent) && (!csr->has_challenge || csr->challenge.len == 0))
        return fail(why, ERR_CHALLENGE_MISSING, "the request carries %s challengePassword",
                    csr->has_challenge ? "an empty" : "no");
    AUTO_WIPE text = { 0 };
    if (csr->challenge.len > LIMIT_CHALLENGE_BYTES)
        return fail(why, ERR_CHALLENGE_WRONG, "the challengePassword has %zu octets, limit %d",
                    csr->challenge.len, LIMIT_CHALLENGE_BYTES);
    if (!csr_challenge_utf8(csr, &text) || memchr(text.data, 0, text.len))
        return fail(why, ERR_CHALLENGE_WRONG,
                    "the challengePassword (string type %02X) is not well-formed text", csr->challenge_tag);
    if (text.len == 0)
        return fail(why, ERR_CHALLENGE_MISSING, "the request carries an empty challengePassword");
    return challenge_mac(&ca->challenge_key, buf_bytes(&text), ret_mac, why);
}

enum err challenge_hex_file(const char *path, struct secret *ret, struct why *why)
{
    struct secret text = { 0 };
    TRY(secret_read_file(path, 256, &text, why));
    AUTO_WIPE raw = { 0 };
    bool good = hex_decode(secret_bytes(&text), &raw) && raw.len == CHALLENGE_KEY_BYTES;
    secret_free(&text);
    if (!good)
        return fail(why, ERR_KEY, "%s does not hold %d hex digits", path, 2 * CHALLENGE_KEY_BYTES);
    *ret = secret_dup(buf_bytes(&raw));
    return OK;
}

struct new_arg {
    struct ca *ca;
    const struct endpoint *endpoint;
    const char *actor;
    const uint8_t *mac;
    int64_t now;
};

static enum err new_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct new_arg *new = arg;
    const struct endpoint *endpoint = new->endpoint;
    const char *issuer = endpoint->issuer->name;
    int64_t ignored;
    TRY(counter_next(tx, issuer, "challenge", &ignored, why));
    AUTO(store_rows) rows = NULL;
    TRY(store_query(
        tx, "SELECT COUNT(*) FROM challenge WHERE endpoint = $1 AND claimed_by IS NULL AND expires_at > $2",
        S_ARGS(S_TEXT(endpoint->name), S_INT(new->now)), &rows, why));
    if (!FAULT(challenges_outstanding) && store_int(rows, 0, 0) >= endpoint->challenges_outstanding)
        return fail(
            why, ERR_LIMIT, "endpoint %s has %lld unused one-time passwords, challenges_outstanding is %lld",
            endpoint->name, (long long)store_int(rows, 0, 0), (long long)endpoint->challenges_outstanding);
    TRY(store_exec(
        tx,
        "INSERT INTO challenge (issuer_id, endpoint, mac, node_id, created_at, created_by, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        S_ARGS(S_TEXT(issuer), S_TEXT(endpoint->name), S_BYTES(bytes_of(new->mac, 32)), S_TEXT(new->ca->node),
               S_INT(new->now), S_TEXT(new->actor), S_INT(new->now + endpoint->challenge_lifetime_s)),
        NULL, why));
    struct audit_entry entry = { issuer, new->actor, "password_new", endpoint->name, "" };
    return audit_write(tx, new->ca, &entry, why);
}

enum err challenge_new(struct ca *ca, const struct endpoint *endpoint, const char *actor,
                       char ret_password[static 2 * CHALLENGE_PASSWORD_BYTES + 1], int64_t *ret_expires,
                       struct why *why)
{
    uint8_t raw[CHALLENGE_PASSWORD_BYTES], mac[32];
    AUTO_WIPE text = { 0 };
    TRY(random_fill(raw, sizeof(raw), why));
    hex_append_upper(&text, BYTES_ARR(raw));
    secret_wipe(raw, sizeof(raw));
    TRY(challenge_mac(&ca->challenge_key, buf_bytes(&text), mac, why));
    struct new_arg arg = { ca, endpoint, actor, mac, clock_now(ca->clock) };
    TRY(store_write(ca->store, new_work, &arg, why));
    memcpy(ret_password, buf_text(&text), 2 * CHALLENGE_PASSWORD_BYTES + 1);
    *ret_expires = arg.now + endpoint->challenge_lifetime_s;
    return OK;
}

struct look_arg {
    const struct endpoint *endpoint;
    const uint8_t *mac;
    int64_t now;
};

static enum err challenge_judge(struct store_tx *tx, const struct look_arg *look, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    char when[21];
    TRY(store_query(tx, "SELECT claimed_by, expires_at FROM challenge WHERE endpoint = $1 AND mac = $2",
                    S_ARGS(S_TEXT(look->endpoint->name), S_BYTES(bytes_of(look->mac, 32))), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_CHALLENGE_WRONG, "endpoint %s has given out no such one-time password",
                    look->endpoint->name);
    if (!store_is_null(rows, 0, 0))
        return fail(why, ERR_CHALLENGE_USED, "the one-time password was used by request %lld",
                    (long long)store_int(rows, 0, 0));
    clock_rfc3339(store_int(rows, 0, 1), when);
    if (!FAULT(challenge_expiry) && store_int(rows, 0, 1) <= look->now)
        return fail(why, ERR_CHALLENGE_EXPIRED, "the one-time password was good until %s", when);
    return OK;
}

static enum err look_work(struct store_tx *tx, void *arg, struct why *why)
{
    return challenge_judge(tx, arg, why);
}

enum err challenge_look(struct ca *ca, const struct endpoint *endpoint, const uint8_t mac[static 32],
                        struct why *why)
{
    struct look_arg look = { endpoint, mac, clock_now(ca->clock) };
    return store_read(ca->store, look_work, &look, why);
}

/* The condition decides, not the look before it (spec security.md A15, S3). */
enum err challenge_claim(struct store_tx *tx, const struct challenge_claim *claim, struct why *why)
{
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "UPDATE challenge SET claimed_by = $1, claimed_at = $2 "
                   "WHERE endpoint = $3 AND mac = $4 AND claimed_by IS NULL AND expires_at > $2",
                   S_ARGS(S_INT(claim->request_id), S_INT(FAULT(challenge_expiry) ? 0 : claim->now),
                          S_TEXT(claim->endpoint->name), S_BYTES(bytes_of(claim->mac, 32))),
                   &changed, why));
    if (FAULT(challenge_claim) || changed == 1)
        return OK;
    struct look_arg look = { claim->endpoint, claim->mac, claim->now };
    TRY(challenge_judge(tx, &look, why));
    return fail(why, ERR_CHALLENGE_USED, "the one-time password of endpoint %s was just used",
                claim->endpoint->name);
}

enum err challenge_spend(struct store_tx *tx, const struct challenge_claim *claim, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    struct store_value endpoint = S_TEXT(claim->endpoint->name), mac = S_BYTES(bytes_of(claim->mac, 32));
    int64_t changed = 0;
    TRY(store_exec(tx,
                   "UPDATE challenge SET claimed_by = $1, claimed_at = $2 "
                   "WHERE endpoint = $3 AND mac = $4 AND (claimed_by IS NULL OR claimed_by = $1)",
                   S_ARGS(S_INT(claim->request_id), S_INT(claim->now), endpoint, mac), &changed, why));
    if (changed)
        return OK;
    TRY(store_query(tx, "SELECT claimed_by FROM challenge WHERE endpoint = $1 AND mac = $2",
                    S_ARGS(endpoint, mac), &rows, why));
    if (FAULT(challenge_spend) || store_rows_count(rows) == 0) /* forgotten long after its end */
        return OK;
    return fail(why, ERR_CHALLENGE_USED, "the one-time password of request %lld was used by request %lld",
                (long long)claim->request_id, (long long)store_int(rows, 0, 0));
}

enum err challenge_release(struct store_tx *tx, const char *issuer, int64_t request_id, struct why *why)
{
    return store_exec(tx,
                      "UPDATE challenge SET claimed_by = NULL, claimed_at = NULL "
                      "WHERE issuer_id = $1 AND claimed_by = $2",
                      S_ARGS(S_TEXT(issuer), S_INT(request_id)), NULL, why);
}

static enum err forget_work(struct store_tx *tx, void *arg, struct why *why)
{
    return store_exec(tx, "DELETE FROM challenge WHERE expires_at < $1", S_ARGS(S_INT(*(const int64_t *)arg)),
                      NULL, why);
}

enum err challenge_forget(struct ca *ca, struct why *why)
{
    int64_t before = clock_now(ca->clock) - CHALLENGE_KEPT_S;
    return store_write(ca->store, forget_work, &before, why);
}

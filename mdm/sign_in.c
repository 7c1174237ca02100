/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/sign_in.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/network.h"
#include "base/tally.h"
#include "mdm/administrator.h"
#include "mdm/audit.h"
#include "mdm/change.h"
#include "mdm/fold.h"
#include "mdm/password.h"
#include "x509/algorithm.h"
#include <stdio.h>

#define NAME_KEY 13 /* of a name in its tally: 48 bits of its digest in hexadecimal, which is no address */

struct sign_in {
    struct session_times times;
    struct passwords *passwords;
    struct tally *by_address, *by_name;
};

enum err sign_in_new(const struct session_times *times, struct sign_in **ret, struct why *why)
{
    AUTO(sign_in) sign_in = xcalloc(1, sizeof(*sign_in));
    sign_in->times = *times;
    TRY(passwords_new(&sign_in->passwords, why));
    TRY(tally_new(SIGN_IN_WINDOW_MS, &sign_in->by_address, why));
    TRY(tally_new(SIGN_IN_WINDOW_MS, &sign_in->by_name, why));
    *ret = TAKE(sign_in);
    return OK;
}

void sign_in_free(struct sign_in *sign_in)
{
    if (!sign_in)
        return;
    tally_free(sign_in->by_address);
    tally_free(sign_in->by_name);
    passwords_free(sign_in->passwords);
    free(sign_in);
}

const struct session_times *sign_in_times(const struct sign_in *sign_in)
{
    return &sign_in->times;
}

struct passwords *sign_in_passwords(struct sign_in *sign_in)
{
    return sign_in->passwords;
}

/* --- who says so --- */

struct signed_in {
    const struct signing_in *asked;
    char *folded;                     /* the name */
    char name_key[NAME_KEY];          /* in the tally */
    char address[ADDRESS_TEXT_BYTES]; /* as administrator_known has it: a /64 of IPv6 is one */
    struct session session;           /* its administrator; id "" while there is none of that name */
    char *hash;                       /* NULL: no password */
    bool enabled, known;
};

void signed_in_free(struct signed_in *attempt)
{
    if (!attempt)
        return;
    free(attempt->folded);
    free(attempt->hash);
    free(attempt);
}

static enum err attempt_fill(const struct signing_in *asked, struct signed_in *attempt, struct why *why)
{
    uint8_t digest[32];
    AUTO_BUF hex = { 0 };
    const struct address holder = tally_key(asked->peer);
    attempt->asked = asked;
    attempt->folded = fold_dup(asked->name);
    TRY(digest_compute(DIGEST_SHA256, bytes_str(attempt->folded), digest, why));
    hex_append(&hex, bytes_of(digest, NAME_KEY / 2));
    snprintf(attempt->name_key, sizeof(attempt->name_key), "%s", buf_text(&hex));
    address_format(&holder, attempt->address);
    return OK;
}

static enum err look_up(struct store_tx *tx, void *arg, struct why *why)
{
    struct signed_in *attempt = arg;
    AUTO(store_rows) rows = NULL;
    free(TAKE(attempt->hash));
    attempt->session = (struct session){ .created_at = attempt->asked->now };
    attempt->enabled = attempt->known = false;
    TRY(store_query(
        tx,
        "SELECT a.id, a.name, a.roles, a.enabled, p.hash, k.seen_at FROM administrator a LEFT JOIN "
        "administrator_password p ON p.administrator_id = a.id LEFT JOIN administrator_known k ON "
        "k.administrator_id = a.id AND k.address = $2 WHERE a.folded = $1 AND a.deleted_at IS NULL",
        S_ARGS(S_TEXT(attempt->folded), S_TEXT(attempt->address)), &rows, why));
    if (store_rows_count(rows) == 0)
        return OK;
    struct session *session = &attempt->session;
    snprintf(session->administrator, sizeof(session->administrator), "%s", store_str(rows, 0, 0));
    snprintf(session->name, sizeof(session->name), "%s", store_str(rows, 0, 1));
    session->roles = roles_of(store_str(rows, 0, 2));
    attempt->enabled = store_int(rows, 0, 3) == 1;
    attempt->hash = store_is_null(rows, 0, 4) ? NULL : xstrdup(store_str(rows, 0, 4));
    attempt->known = !store_is_null(rows, 0, 5);
    return OK;
}

/* --- refusals --- */

enum err sign_in_budget(struct mdm *mdm, const char *peer, struct why *why)
{
    unsigned count = tally_now(mdm->sign_in->by_address, peer, clock_mono_ms()).address;
    if (count < SIGN_IN_BY_ADDRESS || FAULT(sign_in_address))
        return OK;
    return fail(why, ERR_RATE, "%u refused sign-ins from this address within ten minutes, limit %d", count,
                SIGN_IN_BY_ADDRESS);
}

static enum err budget_check(const struct signed_in *attempt, struct why *why)
{
    struct mdm *mdm = attempt->asked->mdm;
    TRY(sign_in_budget(mdm, attempt->asked->peer, why));
    unsigned name = tally_now(mdm->sign_in->by_name, attempt->name_key, clock_mono_ms()).address;
    if (name >= SIGN_IN_BY_NAME && (!attempt->known || FAULT(sign_in_known)) && !FAULT(sign_in_name))
        return fail(why, ERR_RATE, "%u wrong passwords for this name within ten minutes, limit %d", name,
                    SIGN_IN_BY_NAME);
    return OK;
}

struct refusal {
    struct mdm *mdm;
    const char *peer, *reason;
    const struct session *whom; /* NULL: nobody that there is */
    int64_t now;
};

static enum err refused_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct refusal *refusal = arg;
    AUTO_STR detail = xasprintf("{\"peer\":\"%s\"}", refusal->peer);
    /* What is no name may be a password that was typed into the wrong field: it is kept nowhere. */
    const struct audit_entry entry = { "nobody", "sign_in_refused",
                                       refusal->whom ? refusal->whom->administrator : "unknown", detail,
                                       refusal->now };
    return audit_write(tx, &entry, why);
}

static void refusal_note(const struct refusal *refusal)
{
    struct why why = { 0 };
    struct tally_count count = tally_add(refusal->mdm->sign_in->by_address, refusal->peer, clock_mono_ms());
    if ((count.address > SIGN_IN_AUDITED || count.total > SIGN_IN_AUDITED_ALL) && !FAULT(audit_flood))
        return;
    log_info(NULL, "sign-in refused peer=%s administrator=%s reason=\"%s\"", refusal->peer,
             refusal->whom ? refusal->whom->name : "unknown", refusal->reason);
    if (store_write(refusal->mdm->store, refused_work, (void *)refusal, &why) != OK)
        log_error(NULL, "a refused sign-in is not in the audit trail: %s", why.text);
}

void sign_in_refused(struct mdm *mdm, const char *peer, int64_t now, const char *reason)
{
    const struct refusal refusal = { mdm, peer, reason, NULL, now };
    refusal_note(&refusal);
}

static enum err refuse(const struct signed_in *attempt, const char *reason, struct why *why)
{
    const struct signing_in *asked = attempt->asked;
    const struct session *whom = *attempt->session.administrator ? &attempt->session : NULL;
    const struct refusal refusal = { asked->mdm, asked->peer, reason, whom, asked->now };
    (void)tally_add(asked->mdm->sign_in->by_name, attempt->name_key, clock_mono_ms());
    refusal_note(&refusal);
    return fail(why, ERR_SIGN_IN, "%s", FAULT(sign_in_constant) ? reason : "name or password is wrong");
}

static enum err attempt_judge(struct signed_in *attempt, struct why *why)
{
    const struct signing_in *asked = attempt->asked;
    bool right;
    TRY(store_read(asked->mdm->store, look_up, attempt, why));
    TRY(budget_check(attempt, why));
    TRY(passwords_check(asked->mdm->sign_in->passwords, attempt->hash, asked->password, &right, why));
    if (!*attempt->session.administrator)
        return refuse(attempt, "there is no such administrator", why);
    if (!right)
        return refuse(attempt, attempt->hash ? "wrong password" : "no password is set", why);
    if (!attempt->enabled && !FAULT(sign_in_disabled))
        return refuse(attempt, "the administrator is disabled", why);
    return OK;
}

enum err sign_in_try(const struct signing_in *asked, struct signed_in **ret, struct why *why)
{
    AUTO(signed_in) attempt = xcalloc(1, sizeof(*attempt));
    TRY(attempt_fill(asked, attempt, why));
    TRY(attempt_judge(attempt, why));
    *ret = TAKE(attempt);
    return OK;
}

/* --- a session --- */

enum err session_new_make(struct session_new *made, char ret_token[static BEARER_TEXT], struct why *why)
{
    enum bearer_kind kind;
    TRY(uuid_make(made->session.id, why));
    TRY(bearer_make(BEARER_SESSION, ret_token, why));
    return bearer_read(bytes_str(ret_token), &kind, made->digest, why);
}

enum err session_new_keep(struct store_tx *tx, const struct session_new *made, const char *peer,
                          struct why *why)
{
    const struct session *session = &made->session;
    AUTO_STR actor = xasprintf("admin/%s", session->name);
    AUTO_STR detail = xasprintf("{\"peer\":\"%s\",\"session\":\"%s\"}", peer, session->id);
    const struct audit_entry entry = { actor, "sign_in", session->administrator, detail,
                                       session->created_at };
    TRY(session_add(tx, session, made->digest, why));
    return audit_write(tx, &entry, why);
}

struct entering {
    const struct signed_in *attempt;
    struct session_new made;
};

/* Between the look at the password and this somebody may have changed it, or disabled the administrator. */
static enum err still_check(struct store_tx *tx, const struct signed_in *attempt, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    if (FAULT(sign_in_race))
        return OK;
    TRY(store_query(
        tx,
        "SELECT 1 FROM administrator a JOIN administrator_password p ON p.administrator_id = a.id "
        "WHERE a.id = $1 AND a.enabled = 1 AND a.deleted_at IS NULL AND p.hash = $2",
        S_ARGS(S_TEXT(attempt->session.administrator), S_TEXT(attempt->hash)), &rows, why));
    return store_rows_count(rows) ? OK : fail(why, ERR_SIGN_IN, "name or password is wrong");
}

static enum err address_keep(struct store_tx *tx, const struct signed_in *attempt, struct why *why)
{
    const char *administrator = attempt->session.administrator;
    TRY(store_exec(tx,
                   "INSERT INTO administrator_known (administrator_id, address, seen_at) VALUES ($1, $2, $3) "
                   "ON CONFLICT (administrator_id, address) DO UPDATE SET seen_at = $3",
                   S_ARGS(S_TEXT(administrator), S_TEXT(attempt->address), S_INT(attempt->asked->now)), NULL,
                   why));
    return store_exec(tx,
                      "DELETE FROM administrator_known WHERE administrator_id = $1 AND address NOT IN "
                      "(SELECT address FROM administrator_known WHERE administrator_id = $1 ORDER BY seen_at "
                      "DESC, address LIMIT $2)",
                      S_ARGS(S_TEXT(administrator), S_INT(LIMIT_KNOWN_ADDRESSES)), NULL, why);
}

static enum err enter_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct entering *entering = arg;
    int64_t change;
    TRY(change_next(tx, &change, why)); /* one that ends sessions is either seen here, or sees this one */
    TRY(still_check(tx, entering->attempt, why));
    TRY(address_keep(tx, entering->attempt, why));
    return session_new_keep(tx, &entering->made, entering->attempt->asked->peer, why);
}

enum err sign_in_enter(const struct signed_in *signed_in, struct session *ret,
                       char ret_token[static BEARER_TEXT], struct why *why)
{
    struct entering entering = { .attempt = signed_in, .made.session = signed_in->session };
    TRY(session_new_make(&entering.made, ret_token, why));
    TRY(store_write(signed_in->asked->mdm->store, enter_work, &entering, why));
    *ret = entering.made.session;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What an authority asks and is told about managed requests: the CRP's certificates, its own signing certificate's successor, ends of
   authorisations, the outbox, and revoking what it asked for. */
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "ca/authorisation_end.h"
#include "ca/authority_signer.h"
#include "ca/certificate.h"
#include "ca/crp.h"
#include "ca/outbox.h"
#include "ca/revoke.h"
#include "ca/verbs.h"

#define LEASE_S_DEFAULT 60
#define LEASE_S_MAX     3600
#define LEASE_DEFAULT   100

/* Who asks, and of which CA. */
struct asking {
    struct record record;
    struct issuer *issuer;
    const char *authority;
};

static enum err asking_get(struct ca *ca, const struct ipc_caller *caller, struct bytes body,
                           struct asking *ret, struct why *why)
{
    TRY(record_get(body, &ret->record, why));
    TRY(verb_issuer(ca, &ret->record, &ret->issuer, why));
    ret->authority = caller->principal; /* a peer that is an authority bears its name: principal_of */
    return OK;
}

enum err verb_certificate(const struct record *record, const char *name, struct buf *ret, struct why *why)
{
    AUTO_STR text = NULL;
    TRY(verb_field(record, name, &text, why));
    if (!base64_decode(bytes_str(text), false, ret))
        return fail(why, ERR_USAGE, "the field %s is not base64 (RFC 4648 section 4)", name);
    return OK;
}

/* --- certificates --- */

enum err verb_crp_get(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                      struct why *why)
{
    struct ca *ca = role;
    struct asking asking;
    TRY(asking_get(ca, caller, body, &asking, why));
    if (!ca->crp)
        return fail(why, ERR_UNAVAILABLE, "there is no CRP key");
    AUTO(kept_generations) keys = kept_key_hold(ca->crp);
    size_t list = records_begin(ret);
    for (size_t i = 0; i < keys->count; i++) {
        AUTO_BUF text = { 0 };
        base64_append(&text, buf_bytes(&keys->of[i].der));
        size_t mark = record_begin(ret);
        record_put_int(ret, "generation", keys->of[i].generation);
        record_put_int(ret, "expires", keys->of[i].cert.not_after);
        record_put(ret, "certificate", buf_bytes(&text));
        record_end(ret, mark);
    }
    records_end(ret, list);
    return OK;
}

enum err verb_authority_successor(void *role, const struct ipc_caller *caller, struct bytes body,
                                  struct buf *ret, struct why *why)
{
    struct asking asking;
    AUTO_BUF der = { 0 };
    TRY(asking_get(role, caller, body, &asking, why));
    TRY(verb_certificate(&asking.record, "certificate", &der, why));
    AUTO_STR actor = principal_of(caller->principal);
    const struct signer_pin pin = { asking.issuer, asking.authority, actor, buf_bytes(&der) };
    TRY(authority_signer_succeed(role, &pin, why));
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "ca", asking.issuer->name);
    record_put_str(ret, "authority", asking.authority);
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

/* --- ends of authorisations --- */

static bool word_get(char **rest, struct bytes *ret)
{
    char *word = strsep(rest, " ");
    *ret = bytes_str(word);
    return word && *word;
}

static bool number_get(char **rest, int64_t *ret)
{
    struct bytes word;
    int64_t value = 0;
    if (!word_get(rest, &word) || word.len > 18)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        value = value * 10 + (word.data[i] - '0');
    }
    *ret = value;
    return true;
}

/* "DEVICE PROFILE VERSION [AT]"; views into line. */
static enum err end_get(char *line, struct authorisation_end *ret, struct why *why)
{
    char *rest = line;
    struct authorisation_end end = { .ended_at = INT64_MAX };
    bool good = word_get(&rest, &end.device) && challenge_is_uuid(end.device) &&
                word_get(&rest, &end.profile) && challenge_is_uuid(end.profile) &&
                number_get(&rest, &end.version) && (!rest || (number_get(&rest, &end.ended_at) && !rest));
    if (!good)
        return fail(why, ERR_USAGE,
                    "an end is two UUIDs in lower case, a version (0: every one) and perhaps a time in "
                    "seconds, with a blank between them; one of them is not");
    if (!end.version)
        end.version = INT64_MAX;
    *ret = end;
    return OK;
}

static enum err ends_get(char *text, struct authorisation_end *list, size_t *ret_count, struct why *why)
{
    size_t count = 0;
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        if (!*line)
            continue;
        if (count == AUTHORISATION_ENDS_MAX)
            return fail(why, ERR_LIMIT, "more than %d ends at once", AUTHORISATION_ENDS_MAX);
        TRY(end_get(line, &list[count++], why));
    }
    *ret_count = count;
    return OK;
}

enum err verb_authorisation_end(void *role, const struct ipc_caller *caller, struct bytes body,
                                struct buf *ret, struct why *why)
{
    struct asking asking;
    AUTO_STR text = NULL;
    struct authorisation_ends ends = { 0 };
    TRY(asking_get(role, caller, body, &asking, why));
    TRY(verb_field(&asking.record, "ends", &text, why));
    struct authorisation_end *list = xcalloc(AUTHORISATION_ENDS_MAX, sizeof(*list));
    enum err err = ends_get(text, list, &ends.count, why);
    if (err == OK) {
        ends.issuer = asking.issuer;
        ends.authority = asking.authority;
        ends.list = list;
        err = authorisation_end_all(role, &ends, why);
    }
    free(list);
    TRY(err);
    log_info(NULL, "authorisations ended count=%zu ca=%s by=%s", ends.count, asking.issuer->name,
             asking.authority);
    size_t whole = records_begin(ret), mark = record_begin(ret);
    record_put_int(ret, "ended", (int64_t)ends.count);
    record_end(ret, mark);
    records_end(ret, whole);
    return OK;
}

/* --- the outbox --- */

enum err verb_outbox_lease(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                           struct why *why)
{
    struct asking asking;
    struct outbox_lease lease = { .limit = LEASE_DEFAULT, .lease_s = LEASE_S_DEFAULT };
    TRY(asking_get(role, caller, body, &asking, why));
    TRY(verb_number(&asking.record, "limit", (struct verb_range){ 1, OUTBOX_LEASE_MAX }, &lease.limit, why));
    TRY(verb_number(&asking.record, "lease_s", (struct verb_range){ 1, LEASE_S_MAX }, &lease.lease_s, why));
    lease.issuer = asking.issuer;
    lease.authority = asking.authority;
    return outbox_lease(role, &lease, ret, why);
}

static enum err ids_get(char *text, int64_t *list, size_t *ret_count, struct why *why)
{
    size_t count = 0;
    for (char *word = strsep(&text, ","); word; word = strsep(&text, ",")) {
        if (count == OUTBOX_LEASE_MAX)
            return fail(why, ERR_LIMIT, "more than %d ids at once", OUTBOX_LEASE_MAX);
        if (!number_get(&word, &list[count++]) || word)
            return fail(why, ERR_USAGE, "ids are numbers with commas between them; one is not");
    }
    *ret_count = count;
    return OK;
}

enum err verb_outbox_done(void *role, const struct ipc_caller *caller, struct bytes body, struct buf *ret,
                          struct why *why)
{
    struct asking asking;
    AUTO_STR text = NULL;
    int64_t list[OUTBOX_LEASE_MAX], new = 0;
    struct outbox_done done = { .events = list };
    TRY(asking_get(role, caller, body, &asking, why));
    TRY(verb_field(&asking.record, "ids", &text, why));
    TRY(ids_get(text, list, &done.count, why));
    done.issuer = asking.issuer;
    done.authority = asking.authority;
    TRY(outbox_done(role, &done, &new, why));
    size_t whole = records_begin(ret), mark = record_begin(ret);
    record_put_int(ret, "done", new);
    record_end(ret, mark);
    records_end(ret, whole);
    return OK;
}

/* --- revoking --- */

enum err verb_authority_revoke(void *role, const struct ipc_caller *caller, struct bytes body,
                               struct buf *ret, struct why *why)
{
    struct asking asking;
    AUTO_STR text = NULL;
    AUTO_STR serial = NULL;
    AUTO_STR actor = principal_of(caller->principal);
    bool changed;
    TRY(asking_get(role, caller, body, &asking, why));
    TRY(verb_field(&asking.record, "serial", &text, why));
    TRY(serial_from_text(text, &serial, why));
    struct revocation revocation = { serial, actor, CRL_UNSPECIFIED };
    TRY(verb_revocation_reason(&asking.record, &revocation.reason, why));
    TRY(ca_revoke(role, asking.issuer, &revocation, &changed, why));
    if (changed)
        log_info(NULL, "certificate revoked serial=%s ca=%s reason=%s by=%s", serial, asking.issuer->name,
                 crl_reason_name(revocation.reason), actor);
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "serial", serial);
    record_put_str(ret, "ca", asking.issuer->name);
    record_put_str(ret, "changed", changed ? "yes" : "no");
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

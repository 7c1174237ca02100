/* SPDX-License-Identifier: Apache-2.0 */
/* A round: certificate, changes, CRLs and OCSP certificate of each CA, in this order. */
#include "va/status_watch.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "ipc/ca_client.h"

#define RENEW_RETRY_S 60 /* between two tries for a new OCSP certificate while there is an old one */

/* What is followed of one CA. */
struct followed {
    int64_t version;      /* of the last change that was heard of */
    int64_t renew_at;     /* not before */
    bool renew_failed;    /* said already */
    bool loaded;          /* its OCSP keys were looked for */
    struct serial signer; /* of the OCSP certificate in use */
    bool signer_revoked;  /* ca says so; to be dealt with in this round */
};
struct status_watch {
    struct va *va;
    char *keys_dir, *certs_dir;
    const struct secret *unlock;
    struct key_gate *gate;
    struct key_spec ocsp_key;
    struct followed followed[LIMIT_VA_AUTHORITIES];
    bool failed; /* the last round, and the log has it */
    atomic_llong heard;
};

struct status_watch *status_watch_new(const struct status_watch_config *config)
{
    struct status_watch *watch = xcalloc(1, sizeof(*watch));
    watch->va = config->va;
    watch->keys_dir = xstrdup(config->keys_dir);
    watch->certs_dir = xstrdup(config->certs_dir);
    watch->unlock = config->unlock;
    watch->gate = config->gate;
    watch->ocsp_key = config->ocsp_key;
    for (size_t i = 0; i < LIMIT_VA_AUTHORITIES; i++)
        watch->followed[i].version =
            INT64_MAX; /* nothing is kept yet, so no change is of interest: the first answer says where we are */
    return watch;
}

void status_watch_free(struct status_watch *watch)
{
    if (!watch)
        return;
    free(watch->keys_dir);
    free(watch->certs_dir);
    free(watch);
}

int64_t status_watch_heard(const struct status_watch *watch)
{
    return atomic_load(&watch->heard);
}

/* --- the certificate --- */

static enum err octets_of(struct bytes answer, struct bytes *ret, struct why *why)
{
    struct der_reader in = der_reader_over(answer);
    if (!der_get_octets(&in, ret) || !der_at_end(&in))
        return fail(why, ERR_PROTOCOL, "ca answers with something else than an OCTET STRING");
    return OK;
}

static enum err certificate_learn(struct status_watch *watch, struct authority *authority, struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF answer = { 0 };
    struct bytes der;
    if (authority_is_known(authority))
        return OK;
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", authority_name(authority));
    record_end(&body, mark);
    TRY(ca_call(watch->va->ca, "ca_get", buf_bytes(&body), &answer, why));
    TRY(octets_of(buf_bytes(&answer), &der, why));
    return authority_learn(authority, der, clock_now(watch->va->clock), why);
}

/* --- changes --- */

static enum err change_apply(struct status_watch *watch, const struct authority *authority,
                             const struct record *record, int64_t at, struct why *why)
{
    struct cache_key key = { .authority = authority_index(authority) };
    struct known known = { .at = at };
    TRY(serial_from_record(record, &key.serial, why));
    TRY(status_from_record(record, &known.status, why));
    cache_change(watch->va->cache, &key, &known);
    struct followed *followed = &watch->followed[key.authority];
    if (known.status.status == OCSP_REVOKED && serial_equal(&key.serial, &followed->signer))
        followed->signer_revoked = true;
    return OK;
}

static enum err changes_ask(struct status_watch *watch, const struct authority *authority, int64_t since,
                            struct buf *ret, struct why *why)
{
    AUTO_BUF body = { 0 };
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", authority_name(authority));
    record_put_int(&body, "since", since);
    record_end(&body, mark);
    return ca_call(watch->va->ca, "status_changes", buf_bytes(&body), ret, why);
}

/* One answer: {version, more}, then the changes. */
static enum err changes_take(struct status_watch *watch, const struct authority *authority,
                             struct bytes answer, bool *ret_more, struct why *why)
{
    struct followed *followed = &watch->followed[authority_index(authority)];
    int64_t at = clock_now(watch->va->clock);
    struct der_reader records;
    struct record record;
    struct bytes more;
    TRY(records_get(answer, &records, why));
    int64_t version = records_next(&records, &record) ? record_int(&record, "version", -1) : -1;
    if (version < 0 || !record_find(&record, "more", &more))
        return fail(why, ERR_PROTOCOL, "ca answers status_changes without version and more");
    /* A store that was put back to an earlier state: nothing that it said since can be relied on. */
    if (version < followed->version) {
        if (followed->version != INT64_MAX)
            log_warn(NULL, "ca went back, the cache is emptied ca=%s version=%lld was=%lld",
                     authority_name(authority), (long long)version, (long long)followed->version);
        cache_forget(watch->va->cache, authority_index(authority));
    }
    while (records_next(&records, &record))
        TRY(change_apply(watch, authority, &record, at, why));
    *ret_more = version != followed->version && bytes_equal(more, BYTES_LIT("yes"));
    followed->version = version;
    return OK;
}

static enum err changes_follow(struct status_watch *watch, const struct authority *authority, struct why *why)
{
    struct va *va = watch->va;
    bool more = true;
    int64_t asked = 0;
    while (more) {
        AUTO_BUF answer = { 0 };
        asked = clock_now(va->clock);
        TRY(changes_ask(watch, authority, watch->followed[authority_index(authority)].version, &answer, why));
        TRY(changes_take(watch, authority, buf_bytes(&answer), &more, why));
    }
    cache_confirm(va->cache, authority_index(authority), asked);
    return OK;
}

/* --- CRLs --- */

/* *ret_more: there was one, and with partitions there may be another. */
static enum err crl_fetch(struct status_watch *watch, struct authority *authority, enum download which,
                          bool *ret_more, struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_BUF answer = { 0 };
    struct bytes der;
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", authority_name(authority));
    record_put_str(&body, "kind", which == DOWNLOAD_CRL ? "full" : "delta");
    record_put_int(&body, "number", authority_crl_number(authority, which));
    record_end(&body, mark);
    TRY(ca_call(watch->va->ca, "crl_get", buf_bytes(&body), &answer, why));
    struct der_reader in = der_reader_over(buf_bytes(&answer));
    *ret_more = !der_get_null(&in);
    if (!*ret_more)
        return OK;
    TRY(octets_of(buf_bytes(&answer), &der, why));
    TRY(authority_set_crl(authority, which, &answer, der, why));
    log_info(NULL, "CRL served ca=%s kind=%s number=%lld bytes=%zu", authority_name(authority),
             which == DOWNLOAD_CRL ? "full" : "delta", (long long)authority_crl_number(authority, which),
             der.len);
    return OK;
}

static enum err crl_follow(struct status_watch *watch, struct authority *authority, enum download which,
                           struct why *why)
{
    unsigned partitions = which == DOWNLOAD_CRL ? authority_partitions(authority) : 0;
    unsigned left = partitions ? partitions : 1;
    for (bool more = true; more && left; left--)
        TRY(crl_fetch(watch, authority, which, &more, why));
    return OK;
}

/* --- the OCSP certificate --- */

static void responder_set(struct followed *followed, struct authority *authority, struct responder *taken,
                          const char *how)
{
    char end[21];
    if (!serial_from_bytes(responder_serial(taken), &followed->signer))
        followed->signer = (struct serial){ .len = 0 }; /* longer than ca gives any */
    clock_rfc3339(responder_not_after(taken), end);
    log_info(NULL, "OCSP certificate %s ca=%s generation=%d expires=%s", how, authority_name(authority),
             responder_generation(taken), end);
    authority_set_responder(authority, taken);
}

/* Without a new one the old one goes on signing; without any the answer is tryLater. */
static void renewal_failed(struct followed *followed, const struct authority *authority,
                           const struct responder *old, const struct why *why)
{
    char end[21] = "none";
    if (old)
        clock_rfc3339(responder_not_after(old), end);
    if (!followed->renew_failed)
        log_error(NULL, "OCSP certificate not renewed ca=%s expires=%s: %s", authority_name(authority), end,
                  why->text);
    followed->renew_failed = true;
}

/* Clients ask nobody about it (nocheck): only whoever stops using it keeps them from believing it. What it has signed is not
   given out any more either. */
static void responder_drop(struct status_watch *watch, struct authority *authority)
{
    struct followed *followed = &watch->followed[authority_index(authority)];
    AUTO_BUF serial = { 0 };
    hex_append_upper(&serial, serial_bytes(&followed->signer));
    log_error(NULL, "alarm: OCSP certificate is revoked, another key is made ca=%s serial=%s",
              authority_name(authority), buf_text(&serial));
    followed->signer_revoked = false;
    followed->signer = (struct serial){ .len = 0 };
    if (FAULT(va_responder_revoked))
        return;
    authority_set_responder(authority, NULL);
    cache_forget(watch->va->cache, authority_index(authority));
}

/* Once: the newest key of an earlier run. What became of its certificate meanwhile is in no change that is told. */
static enum err responder_find(struct status_watch *watch, struct authority *authority,
                               const struct responder_source *source, struct why *why)
{
    struct followed *followed = &watch->followed[authority_index(authority)];
    AUTO(responder) found = NULL;
    struct cert_status status = { .status = OCSP_UNKNOWN };
    if (!followed->loaded && responder_load(source, clock_now(watch->va->clock), &found, NULL) == OK) {
        if (serial_from_bytes(responder_serial(found), &followed->signer))
            TRY(status_ask(watch->va->ca, authority_name(authority), &followed->signer, &status, why));
        followed->signer_revoked = status.status == OCSP_REVOKED && !FAULT(va_responder_loaded);
        if (!followed->signer_revoked)
            responder_set(followed, authority, TAKE(found), "loaded");
    }
    followed->loaded = true;
    return OK;
}

static enum err responder_follow(struct status_watch *watch, struct authority *authority, struct why *why)
{
    struct followed *followed = &watch->followed[authority_index(authority)];
    int64_t now = clock_now(watch->va->clock);
    const struct responder_source source = { .keys_dir = watch->keys_dir,
                                             .certs_dir = watch->certs_dir,
                                             .ca = authority_name(authority),
                                             .issuer = authority_cert(authority),
                                             .issuer_key = authority_key(authority),
                                             .unlock = watch->unlock,
                                             .gate = watch->gate,
                                             .spec = watch->ocsp_key };
    struct responder *fresh = NULL;
    TRY(responder_find(watch, authority, &source, why));
    if (followed->signer_revoked)
        responder_drop(watch, authority);
    AUTO(responder) old = authority_responder(authority);
    if (!responder_is_due(old, now) || (old && now < followed->renew_at))
        return OK;
    enum err err = responder_renew(&source, watch->va->ca, now, &fresh, why);
    if (err != OK) {
        followed->renew_at = now + RENEW_RETRY_S;
        renewal_failed(followed, authority, old, why);
        return err;
    }
    followed->renew_failed = false;
    responder_set(followed, authority, fresh, old ? "renewed" : "issued");
    return OK;
}

/* --- a round --- */

static enum err follow(struct status_watch *watch, struct authority *authority, struct why *why)
{
    TRY(certificate_learn(watch, authority, why));
    if (authority_has_ocsp(authority))
        TRY(changes_follow(watch, authority, why));
    TRY(crl_follow(watch, authority, DOWNLOAD_CRL, why));
    TRY(crl_follow(watch, authority, DOWNLOAD_DELTA, why));
    return authority_has_ocsp(authority) ? responder_follow(watch, authority, why) : OK;
}

static void round_say(struct status_watch *watch, bool failed, const char *name, const struct why *why)
{
    if (failed && !watch->failed)
        log_warn(
            NULL,
            "ca does not answer as it should: what is served is the last that it gave ca=%s: %s error=%s",
            name, why->text, err_row(why->err)->name);
    if (!failed && watch->failed)
        log_info(NULL, "ca answers again");
    watch->failed = failed;
}

bool status_watch_round(struct status_watch *watch)
{
    struct va *va = watch->va;
    struct why why = { 0 };
    const char *name = "";
    bool all = true, away = false;
    int64_t began = clock_now(va->clock);
    published_refresh(va->published);
    for (size_t i = 0; i < va->authority_count; i++) {
        struct why because = { 0 };
        if (follow(watch, va->authorities[i], &because) == OK)
            continue;
        why = because;
        name = authority_name(va->authorities[i]);
        all = false;
        away = because.err == ERR_UNAVAILABLE || because.err == ERR_TIMEOUT;
        if (away)
            break; /* the others would only wait as long */
    }
    atomic_store(&va->ca_is_away, away);
    if (all)
        atomic_store(&watch->heard, began);
    round_say(watch, !all, name, &why);
    return all;
}

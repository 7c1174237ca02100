/* SPDX-License-Identifier: Apache-2.0 */
/* When RA certificates are renewed. */
#include "scep/ra_keeper.h"

#include "base/fault.h"
#include "base/log.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "scep/ra_renew.h"
#include "scep/ra_standing.h"
#include "scep/scep.h"
#include "x509/name.h"
#include <stdatomic.h>
#include <stdlib.h>

#define LOOK_EVERY_MS 60000
#define RENEW_AT_ONCE INT64_MAX
#define NEVER         INT64_MIN
#define COMPLAIN_S    3600 /* a renewal that fails each minute says so once an hour */

struct ra_keeper {
    struct ra_keeper_config config;
    char *keys_dir, *certs_dir;
    struct loop_timer *timer;
    pthread_mutex_t lock; /* one renewal at a time; the rest */
    int64_t complained_at;
    struct ra_standings *standings;
    atomic_bool looking;
};

static int64_t now_of(const struct ra_keeper *keeper)
{
    return clock_now(keeper->config.role->clock);
}

static struct ra_source source_of(const struct ra_keeper *keeper)
{
    const struct role *role = keeper->config.role;
    return (struct ra_source){ keeper->keys_dir, keeper->certs_dir, &role->unlock, role->gate };
}

/* --- one set --- */

static enum err set_renew(struct ra_keeper *keeper, const struct endpoint *endpoint, bool at_once,
                          struct why *why)
{
    const struct ra_renewal renewal = { keeper->config.scep->ca, source_of(keeper), endpoint->ca,
                                        at_once ? 1 : 0 };
    const struct ra_set *set = endpoint->ra;
    char until[21];
    int generation;
    clock_rfc3339(ra_set_end(set), until);
    TRY(ra_renew(&renewal, set, &generation, why));
    log_info(NULL, "RA certificates renewed ra_set=%s generation=%d the_last_ones_end=%s", set->name,
             generation, until);
    return OK;
}

/* The endpoint by which a set is first met; endpoints share sets. */
static bool is_first_of_its_set(const struct endpoint_set *set, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (endpoint_set_at(set, i)->ra == endpoint_set_at(set, index)->ra)
            return false;
    }
    return true;
}

struct wish {
    const char *set;  /* NULL or "": every one */
    int64_t before_s; /* RENEW_AT_ONCE: whether due or not, so somebody's wish */
};

/* Not what is on hold: that may be released. */
static bool is_revoked(struct ra_keeper *keeper, const struct ra_set *set)
{
    return !FAULT(ra_revoked) && ra_standing_of_set(keeper->standings, set) >= RA_REVOKED;
}

/* Under lock. */
static enum err renew_due(struct ra_keeper *keeper, const struct endpoint_set *endpoints,
                          const struct wish *wish, size_t *ret_renewed, struct why *why)
{
    *ret_renewed = 0;
    for (size_t i = 0; i < endpoint_set_count(endpoints); i++) {
        const struct endpoint *endpoint = endpoint_set_at(endpoints, i);
        bool meant = !wish->set || !*wish->set || strcmp(wish->set, endpoint->ra->name) == 0;
        bool due = ra_set_is_due(endpoint->ra, now_of(keeper), wish->before_s) ||
                   (wish->before_s != NEVER && is_revoked(keeper, endpoint->ra));
        if (!meant || !due || !is_first_of_its_set(endpoints, i))
            continue;
        TRY(set_renew(keeper, endpoint, wish->before_s == RENEW_AT_ONCE, why));
        ++*ret_renewed;
    }
    return OK;
}

/* Whoever has it reads the passwords of devices that still encrypt to it: they have to fetch the new one. */
static bool is_compromised(void *arg, const struct ra_key *held)
{
    struct ra_keeper *keeper = arg;
    return ra_standing_of(keeper->standings, held) == RA_COMPROMISED;
}

static enum err forget_old(struct ra_keeper *keeper, const struct endpoint_set *endpoints, size_t *ret_count,
                           struct why *why)
{
    const struct ra_source source = source_of(keeper);
    *ret_count = 0;
    for (size_t i = 0; i < endpoint_set_count(endpoints); i++) {
        const struct ra_set *set = endpoint_set_at(endpoints, i)->ra;
        size_t count;
        if (!is_first_of_its_set(endpoints, i))
            continue;
        const struct ra_forgetting forgetting = { &source, set, now_of(keeper), is_compromised, keeper };
        TRY(ra_forget(&forgetting, &count, why));
        if (count)
            log_info(
                NULL,
                "keys of RA certificates that ended long ago or are compromised removed ra_set=%s count=%zu",
                set->name, count);
        *ret_count += count;
    }
    return OK;
}

static enum err renew(struct ra_keeper *keeper, const struct wish *wish, size_t *ret_renewed, struct why *why)
{
    struct endpoint_set *endpoints = scep_endpoints(keeper->config.scep);
    size_t forgotten = 0;
    pthread_mutex_lock(&keeper->lock);
    enum err err = renew_due(keeper, endpoints, wish, ret_renewed, why);
    if (err == OK)
        err = forget_old(keeper, endpoints, &forgotten, why);
    /* What is made is used, also when another set failed. */
    if (*ret_renewed || forgotten) {
        struct why inner = { 0 };
        enum err loaded = keeper->config.reload(keeper->config.arg, &inner);
        if (err == OK && loaded != OK)
            err = fail(why, loaded, "%s", inner.text);
    }
    pthread_mutex_unlock(&keeper->lock);
    endpoint_set_unref(endpoints);
    return err;
}

/* --- by itself --- */

static void complain(struct ra_keeper *keeper, enum err err, const struct why *why)
{
    int64_t now = now_of(keeper);
    pthread_mutex_lock(&keeper->lock);
    bool said =
        keeper->complained_at && now - keeper->complained_at < COMPLAIN_S && now >= keeper->complained_at;
    if (!said)
        keeper->complained_at = now;
    pthread_mutex_unlock(&keeper->lock);
    if (!said)
        log_error(NULL, "RA certificates not renewed, tried again each minute: %s error=%s diagnosis=%s",
                  why->text, err_row(err)->name, err_row(ERR_RA_EXPIRED)->diagnosis);
}

/* A ca that does not answer is heard of by whoever needs it; the next minute asks again. */
static void standings_follow(struct ra_keeper *keeper)
{
    struct endpoint_set *endpoints = scep_endpoints(keeper->config.scep);
    struct why why = { 0 };
    enum err err = OK;
    for (size_t i = 0; i < endpoint_set_count(endpoints) && err == OK; i++) {
        const struct endpoint *endpoint = endpoint_set_at(endpoints, i);
        const struct ra_standing_ask ask = { keeper->config.scep->ca, endpoint->ca, endpoint->ra,
                                             now_of(keeper) };
        if (is_first_of_its_set(endpoints, i))
            err = ra_standings_ask(keeper->standings, &ask, &why);
    }
    if (err != OK && !err_row(err)->retryable)
        log_warn(NULL, "whether RA certificates are revoked is not known: %s error=%s", why.text,
                 err_row(err)->name);
    endpoint_set_unref(endpoints);
}

static enum err follow_and_renew(struct ra_keeper *keeper, const struct wish *wish, struct why *why)
{
    size_t renewed;
    standings_follow(keeper);
    TRY(renew(keeper, wish, &renewed, why));
    /* What was current is an old one now, and may have to go. */
    const struct wish rest = { wish->set, NEVER };
    return renewed ? renew(keeper, &rest, &renewed, why) : OK;
}

static void look(void *arg, struct pool_place *place)
{
    struct ra_keeper *keeper = arg;
    struct why why = { 0 };
    (void)place;
    const struct wish wish = { NULL, keeper->config.before_s ? keeper->config.before_s : NEVER };
    enum err err = follow_and_renew(keeper, &wish, &why);
    if (err != OK)
        complain(keeper, err, &why);
    atomic_store(&keeper->looking, false);
}

static void look_begin(void *arg)
{
    struct ra_keeper *keeper = arg;
    if (atomic_exchange(&keeper->looking, true))
        return;
    if (!pool_submit(keeper->config.role->pool, look, keeper))
        atomic_store(&keeper->looking, false); /* the next minute tries again */
}

/* --- on request --- */

static void key_put(const struct ra_set *set, const struct ra_key *held, const char *use, const char *state,
                    struct buf *out)
{
    AUTO_BUF subject = { 0 }, serial = { 0 };
    name_append_text(&subject, held->cert.subject);
    serial_append_text(&serial, held->cert.serial);
    size_t mark = record_begin(out);
    record_put_str(out, "set", set->name);
    record_put_str(out, "use", use);
    record_put_int(out, "generation", held->generation);
    record_put_str(out, "state", state);
    record_put_str(out, "subject", buf_text(&subject));
    record_put_str(out, "serial", buf_text(&serial));
    record_put_time(out, "effective", held->cert.not_before);
    record_put_time(out, "expires", held->cert.not_after);
    record_end(out, mark);
}

static const char *state_of(struct ra_keeper *keeper, const struct ra_key *held, bool current)
{
    enum ra_standing standing = ra_standing_of(keeper->standings, held);
    if (standing != RA_STANDS)
        return standing == RA_HELD ? "held" : "revoked";
    if (cert_is_expired(&held->cert, now_of(keeper)))
        return "expired";
    return current ? "current" : "previous";
}

static void keys_put(struct ra_keeper *keeper, const struct ra_set *set, bool for_signature, struct buf *out)
{
    const struct ra_key *keys = for_signature ? set->signature : set->encryption;
    size_t count = for_signature ? set->signature_count : set->count;
    const char *use = for_signature ? "signature" : set->combined ? "combined" : "encryption";
    for (size_t i = 0; i < count; i++)
        key_put(set, &keys[i], use, state_of(keeper, &keys[i], i + 1 == count), out);
}

enum err ra_keeper_show(struct ra_keeper *keeper, struct buf *ret, struct why *why)
{
    struct endpoint_set *endpoints = scep_endpoints(keeper->config.scep);
    (void)why;
    size_t list = records_begin(ret);
    for (size_t i = 0; i < endpoint_set_count(endpoints); i++) {
        if (!is_first_of_its_set(endpoints, i))
            continue;
        keys_put(keeper, endpoint_set_at(endpoints, i)->ra, false, ret);
        keys_put(keeper, endpoint_set_at(endpoints, i)->ra, true, ret);
    }
    records_end(ret, list);
    endpoint_set_unref(endpoints);
    return OK;
}

const char *ra_keeper_state(struct ra_keeper *keeper, const struct ra_set *set)
{
    enum ra_standing standing = ra_standing_of_set(keeper->standings, set);
    if (standing != RA_STANDS)
        return standing == RA_HELD ? "RA certificate on hold" : "RA certificate revoked";
    return ra_set_end(set) < now_of(keeper) ? "RA certificate expired" : "serving";
}

static bool is_used(struct ra_keeper *keeper, const char *name)
{
    struct endpoint_set *endpoints = scep_endpoints(keeper->config.scep);
    bool found = false;
    for (size_t i = 0; i < endpoint_set_count(endpoints); i++)
        found = found || strcmp(endpoint_set_at(endpoints, i)->ra->name, name) == 0;
    endpoint_set_unref(endpoints);
    return found;
}

enum err ra_keeper_renew(struct ra_keeper *keeper, struct bytes body, struct buf *ret, struct why *why)
{
    struct record record;
    TRY(record_get(body, &record, why));
    AUTO_STR set = record_str(&record, "set");
    AUTO_STR at_once = record_str(&record, "now");
    if (set && *set && !is_used(keeper, set))
        return fail(why, ERR_NOT_FOUND, "no endpoint has the RA set %s", set);
    bool now = at_once && strcmp(at_once, "yes") == 0;
    const struct wish wish = { set, now ? RENEW_AT_ONCE : keeper->config.before_s };
    TRY(follow_and_renew(keeper, &wish, why));
    return ra_keeper_show(keeper, ret, why);
}

/* --- begin and end --- */

enum err ra_keeper_new(const struct ra_keeper_config *config, struct ra_keeper **ret, struct why *why)
{
    struct ra_keeper *keeper = xcalloc(1, sizeof(*keeper));
    (void)why;
    keeper->config = *config;
    keeper->standings = ra_standings_new();
    keeper->keys_dir = config_role_path(config->role->config, "scep", "keys");
    keeper->certs_dir = config_role_path(config->role->config, "scep", "certs");
    pthread_mutex_init(&keeper->lock, NULL);
    look_begin(keeper);
    keeper->timer = loop_every(config->role->loop, LOOK_EVERY_MS, look_begin, keeper);
    *ret = keeper;
    return OK;
}

void ra_keeper_free(struct ra_keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper->timer)
        loop_timer_free(keeper->timer);
    pthread_mutex_destroy(&keeper->lock);
    ra_standings_free(keeper->standings);
    free(keeper->keys_dir);
    free(keeper->certs_dir);
    free(keeper);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls_keeper.h"

#include "base/generation.h"
#include "base/log.h"
#include "http/tls_renew.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "x509/name.h"
#include "x509/san.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOOK_EVERY_MS 60000
#define LOOKS_MAX     60        /* between two tries: an hour */
#define OWN_LOOKS     (24 * 60) /* what an administrator put in place is warned of once a day */

struct tls_keeper {
    struct tls_keeper_config config;
    char *keys_dir, *certs_dir;
    struct loop_timer *timer;
    pthread_mutex_t lock; /* one renewal at a time; the rest */
    int wait, left; /* looks: from the last try that failed to the next, and how many of them are to come */
    bool foreign;   /* ca does not renew it: an administrator's */
    atomic_bool looking;
};

static int64_t now_of(const struct tls_keeper *keeper)
{
    return clock_now(keeper->config.role->clock);
}

static struct tls_store store_of(const struct tls_keeper *keeper)
{
    const struct role *role = keeper->config.role;
    return (struct tls_store){ keeper->keys_dir, keeper->certs_dir, &role->unlock, role->gate };
}

/* --- renewing --- */

/* Under lock. */
static enum err renew(struct tls_keeper *keeper, struct why *why)
{
    const struct tls_store store = store_of(keeper);
    int generation = 0;
    TRY(tls_renew(&store, keeper->config.ca, &generation, why));
    log_info(NULL, "TLS certificate renewed role=%s generation=%d", keeper->config.role->name, generation);
    keeper->foreign = false;
    loop_post(keeper->config.role->loop, keeper->config.use, keeper->config.arg);
    return OK;
}

static void forget(struct tls_keeper *keeper)
{
    const struct tls_store store = store_of(keeper);
    struct why why = { 0 };
    size_t count = 0;
    if (tls_forget(&store, now_of(keeper), &count, &why) != OK)
        log_warn(NULL, "old TLS keys not removed: %s", why.text);
    else if (count)
        log_info(NULL, "old TLS keys removed role=%s count=%zu", keeper->config.role->name, count);
}

static bool is_foreign(enum err err)
{
    return err == ERR_NOT_FOUND || err == ERR_NOT_AUTHORISED;
}

/* The first tries come a minute, two, four apart: ca may only be starting. What an administrator has to look at says so once an hour. */
static void failed(struct tls_keeper *keeper, const struct cert *cert, enum err err, const struct why *why)
{
    char end[21];
    clock_rfc3339(cert->not_after, end);
    const char *role = keeper->config.role->name;
    keeper->foreign = is_foreign(err);
    keeper->wait = keeper->foreign ? OWN_LOOKS : keeper->wait ? keeper->wait * 2 : 1;
    if (!keeper->foreign && keeper->wait > LOOKS_MAX)
        keeper->wait = LOOKS_MAX;
    keeper->left = keeper->wait;
    if (keeper->foreign)
        log_warn(
            NULL,
            "TLS certificate ends %s and is not renewed by this service, put a new one in place: %s role=%s",
            end, why->text, role);
    else if (err == ERR_REVOKED)
        log_error(NULL, "alarm: TLS certificate is revoked and is not renewed: %s role=%s ends=%s", why->text,
                  role, end);
    else
        log_error(NULL, "TLS certificate not renewed, tried again in %d min: %s role=%s ends=%s error=%s",
                  keeper->wait, why->text, role, end, err_row(err)->name);
}

static enum err current_cert(const struct tls_keeper *keeper, struct buf *ret_der, struct cert *ret,
                             struct why *why)
{
    AUTO_VAL(tls_pair) pair = { 0 };
    TRY(tls_pair_of(keeper->keys_dir, keeper->certs_dir, &pair, why));
    return tls_pair_cert(&pair, ret_der, ret, why);
}

/* Under lock. */
static void look_now(struct tls_keeper *keeper)
{
    AUTO_BUF der = { 0 };
    struct cert cert;
    struct why why = { 0 };
    enum err err = current_cert(keeper, &der, &cert, &why);
    if (err != OK) {
        log_error(NULL, "TLS certificate not looked at: %s", why.text);
        return;
    }
    if (now_of(keeper) < tls_renewal_due(&cert)) {
        keeper->wait = keeper->left = 0;
        keeper->foreign = false;
    } else if (keeper->left > 0) {
        keeper->left--;
    } else {
        err = renew(keeper, &why);
        if (err != OK)
            failed(keeper, &cert, err, &why);
    }
    forget(keeper);
}

static void look(void *arg, struct pool_place *place)
{
    struct tls_keeper *keeper = arg;
    (void)place;
    pthread_mutex_lock(&keeper->lock);
    look_now(keeper);
    pthread_mutex_unlock(&keeper->lock);
    atomic_store(&keeper->looking, false);
}

static void look_begin(void *arg)
{
    struct tls_keeper *keeper = arg;
    if (atomic_exchange(&keeper->looking, true))
        return;
    if (!pool_submit(keeper->config.role->pool, look, keeper))
        atomic_store(&keeper->looking, false); /* the next minute tries again */
}

/* --- on request --- */

static const char *state_of(const struct tls_keeper *keeper, const struct cert *cert, bool current)
{
    if (cert_is_expired(cert, now_of(keeper)))
        return "expired";
    if (!current)
        return "previous";
    return keeper->foreign ? "not renewed by this service" : "current";
}

static void generation_put(const struct tls_keeper *keeper, const struct tls_pair *pair, bool current,
                           struct buf *out)
{
    AUTO_BUF der = { 0 }, subject = { 0 }, names = { 0 }, serial = { 0 };
    struct cert cert;
    if (tls_pair_cert(pair, &der, &cert, NULL) != OK)
        return;
    name_append_text(&subject, cert.subject);
    if (cert.san.len)
        san_append_text(&names, cert.san);
    serial_append_text(&serial, cert.serial);
    size_t mark = record_begin(out);
    record_put_str(out, "role", keeper->config.role->name);
    record_put_int(out, "generation", pair->generation);
    record_put_str(out, "state", state_of(keeper, &cert, current));
    record_put_str(out, "subject", buf_text(&subject));
    record_put_str(out, "names", buf_text(&names));
    record_put_str(out, "serial", buf_text(&serial));
    record_put_time(out, "expires", cert.not_after);
    record_put_time(out, "renewal", tls_renewal_due(&cert));
    record_end(out, mark);
}

/* Under lock. */
static void generations_put(const struct tls_keeper *keeper, struct buf *out)
{
    const struct generations found = generations_find(keeper->keys_dir, TLS_PREFIX);
    for (size_t i = 0; i < found.count; i++) {
        AUTO_VAL(tls_pair) pair = tls_pair_at(keeper->keys_dir, keeper->certs_dir, found.list[i]);
        generation_put(keeper, &pair, found.list[i] == found.highest, out);
    }
}

enum err tls_keeper_show(struct tls_keeper *keeper, struct buf *ret, struct why *why)
{
    (void)why;
    size_t list = records_begin(ret);
    if (keeper) {
        pthread_mutex_lock(&keeper->lock);
        generations_put(keeper, ret);
        pthread_mutex_unlock(&keeper->lock);
    }
    records_end(ret, list);
    return OK;
}

enum err tls_keeper_renew(struct tls_keeper *keeper, struct buf *ret, struct why *why)
{
    if (!keeper)
        return fail(why, ERR_NOT_FOUND, "this role has no HTTPS listener");
    pthread_mutex_lock(&keeper->lock);
    enum err err = renew(keeper, why);
    pthread_mutex_unlock(&keeper->lock);
    TRY(err);
    return tls_keeper_show(keeper, ret, why);
}

/* --- begin and end --- */

struct tls_keeper *tls_keeper_new(const struct tls_keeper_config *config)
{
    struct tls_keeper *keeper = xcalloc(1, sizeof(*keeper));
    const struct role *role = config->role;
    keeper->config = *config;
    keeper->keys_dir = config_role_path(role->config, role->name, "keys");
    keeper->certs_dir = config_role_path(role->config, role->name, "certs");
    pthread_mutex_init(&keeper->lock, NULL);
    look_begin(keeper);
    keeper->timer = loop_every(role->loop, LOOK_EVERY_MS, look_begin, keeper);
    return keeper;
}

void tls_keeper_free(struct tls_keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper->timer)
        loop_timer_free(keeper->timer);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper->keys_dir);
    free(keeper->certs_dir);
    free(keeper);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/liaison.h"

#include "base/log.h"
#include "mdm/ca_event.h"
#include "mdm/ca_link.h"
#include "mdm/errand.h"
#include "mdm/handout.h"
#include "mdm/sweep.h"
#include <stdatomic.h>
#include <stdlib.h>

#define KEEP_EVERY_MS 60000

struct liaison {
    struct mdm *mdm;
    struct sweep sweep;
    atomic_llong ran_at; /* clock_mono_ms; 0: never */
    int64_t kept_at;
    bool is_down; /* ca could not be reached the last time */
};

struct liaison *liaison_new(struct mdm *mdm)
{
    struct liaison *liaison = xcalloc(1, sizeof(*liaison));
    liaison->mdm = mdm;
    return liaison;
}

void liaison_free(struct liaison *liaison)
{
    free(liaison);
}

bool liaison_is_due(const struct liaison *liaison)
{
    long long ran = atomic_load(&liaison->ran_at);
    return !ran || ca_link_is_awake(liaison->mdm->link) ||
           (long long)clock_mono_ms() - ran >= LIAISON_EVERY_MS;
}

static enum err forget_work(struct store_tx *tx, void *arg, struct why *why)
{
    int64_t now = *(const int64_t *)arg;
    TRY(ca_events_forget(tx, now, why));
    TRY(handouts_forget(tx, now, why));
    return errands_forget(tx, now, why);
}

/* Until ca has given its certificates, every time: an administrator may just have let this service in. */
static enum err keep(struct liaison *liaison, struct why *why)
{
    struct mdm *mdm = liaison->mdm;
    int64_t at = clock_mono_ms(), now = clock_now(mdm->clock);
    if (ca_link_has_crp(mdm->link) && liaison->kept_at && at - liaison->kept_at < KEEP_EVERY_MS)
        return OK;
    liaison->kept_at = at;
    ca_link_keep(mdm);
    TRY(sweep_some(mdm, &liaison->sweep, why));
    return store_write(mdm->store, forget_work, &now, why);
}

static enum err all(struct liaison *liaison, struct why *why)
{
    struct mdm *mdm = liaison->mdm;
    TRY(keep(liaison, why));
    TRY(sweep_open(mdm, &liaison->sweep, why));
    if (!ca_link_has_crp(mdm->link))
        return OK; /* ca_link_keep has said why */
    TRY(errands_run(mdm, why));
    return ca_events_run(mdm, why);
}

void liaison_run(struct liaison *liaison)
{
    struct why why = { 0 };
    enum err err = all(liaison, &why);
    if (err != OK && (!liaison->is_down || err != ERR_UNAVAILABLE))
        log_warn(NULL, "not all was exchanged with ca, later again: %s error=%s", why.text,
                 err_row(err)->name);
    if (err == OK && liaison->is_down)
        log_info(NULL, "ca is there again");
    liaison->is_down = err == ERR_UNAVAILABLE;
    atomic_store(&liaison->ran_at, (long long)clock_mono_ms());
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/sweep.h"

#include "base/log.h"
#include "mdm/device_store.h"
#include "mdm/judge.h"
#include "mdm/target.h"
#include <stdio.h>
#include <stdlib.h>

/* Devices of a page, and which of them have a newer change than they were judged by. */
struct looking {
    const char *sql;
    char from[UUID_TEXT], after[UUID_TEXT]; /* where the page begins, and where it ended */
    int64_t now;
    struct {
        char id[UUID_TEXT];
    } stale[SWEEP_PAGE];
    size_t stale_count, seen;
};

static enum err device_look(struct store_tx *tx, struct looking *looking, const char *id, bool known,
                            int64_t judged, struct why *why)
{
    AUTO_VAL(device) device = { 0 };
    int64_t change;
    TRY(device_load(tx, id, &device, why));
    TRY(target_change(tx, &device, &change, why));
    if (!known || change != judged)
        snprintf(looking->stale[looking->stale_count++].id, UUID_TEXT, "%s", id);
    return OK;
}

static enum err look_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct looking *looking = arg;
    AUTO(store_rows) rows = NULL;
    looking->stale_count = 0;
    TRY(store_query(tx, looking->sql, S_ARGS(S_TEXT(looking->from), S_INT(looking->now), S_INT(SWEEP_PAGE)),
                    &rows, why));
    looking->seen = store_rows_count(rows);
    for (size_t row = 0; row < looking->seen; row++) {
        TRY(device_look(tx, looking, store_str(rows, row, 0), !store_is_null(rows, row, 1),
                        store_int(rows, row, 1), why));
        if (row + 1 == looking->seen)
            snprintf(looking->after, UUID_TEXT, "%s", store_str(rows, row, 0));
    }
    return OK;
}

struct judging_one {
    const char *device;
    int64_t now;
};

static enum err judge_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct judging_one *one = arg;
    return judge_alone(tx, one->device, one->now, why);
}

static enum err page_judge(struct mdm *mdm, const struct looking *looking, struct why *why)
{
    for (size_t i = 0; i < looking->stale_count; i++) {
        struct judging_one one = { looking->stale[i].id, looking->now };
        TRY(store_write(mdm->store, judge_work, &one, why));
    }
    return OK;
}

static enum err page_run(struct mdm *mdm, struct looking *looking, struct why *why)
{
    memcpy(looking->from, looking->after, sizeof(looking->from));
    TRY(store_read(mdm->store, look_work, looking, why));
    if (!looking->seen)
        return OK;
    return page_judge(mdm, looking, why);
}

static enum err change_work(struct store_tx *tx, void *arg, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT value FROM counter WHERE name = 'change'", S_NO_ARGS, &rows, why));
    *(int64_t *)arg = store_int(rows, 0, 0);
    return OK;
}

static enum err pages_run(struct mdm *mdm, struct looking *looking, struct why *why)
{
    do {
        TRY(page_run(mdm, looking, why));
    } while (looking->seen == SWEEP_PAGE);
    return OK;
}

enum err sweep_open(struct mdm *mdm, struct sweep *sweep, struct why *why)
{
    int64_t change;
    TRY(store_read(mdm->store, change_work, &change, why));
    if (change == sweep->open)
        return OK;
    struct looking *looking = xcalloc(1, sizeof(*looking));
    looking->now = clock_now(mdm->clock);
    looking->sql = "SELECT DISTINCT h.device_id, r.judged FROM deployment_challenge h JOIN device_report r "
                   "ON r.device_id = h.device_id WHERE h.expires_at > $2 AND h.device_id > $1 "
                   "ORDER BY h.device_id LIMIT $3";
    enum err err = pages_run(mdm, looking, why);
    free(looking);
    if (err == OK)
        sweep->open = change;
    return err;
}

static enum err next_page(struct mdm *mdm, struct sweep *sweep, struct why *why)
{
    struct looking *looking = xcalloc(1, sizeof(*looking));
    looking->now = clock_now(mdm->clock);
    looking->sql = "SELECT r.device_id, r.judged FROM device_report r WHERE r.device_id > $1 AND $2 > 0 "
                   "AND EXISTS (SELECT 1 FROM deployment d WHERE d.device_id = r.device_id) "
                   "ORDER BY r.device_id LIMIT $3";
    memcpy(looking->after, sweep->after, sizeof(looking->after));
    enum err err = page_run(mdm, looking, why);
    bool last = looking->seen < SWEEP_PAGE;
    memcpy(sweep->after, looking->after, sizeof(sweep->after));
    free(looking);
    TRY(err);
    if (last) {
        sweep->after[0] = '\0';
        sweep->all = sweep->going;
    }
    return OK;
}

enum err sweep_some(struct mdm *mdm, struct sweep *sweep, struct why *why)
{
    int64_t change;
    TRY(store_read(mdm->store, change_work, &change, why));
    if (!*sweep->after && change == sweep->all)
        return OK;
    if (!*sweep->after)
        sweep->going = change;
    return next_page(mdm, sweep, why);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/checkin.h"

#include "base/fault.h"
#include "base/log.h"
#include "mdm/change.h"
#include "mdm/device_store.h"
#include "mdm/identity.h"
#include "mdm/target.h"
#include "x509/algorithm.h"

/* --- how often --- */

#define MINUTE 60
#define HOUR   3600

int checkin_poll_s(enum platform platform, int64_t ago)
{
    /* spec device-formats.md 1: what the guides say of each */
    bool apple = platform == PLATFORM_IOS || platform == PLATFORM_MACOS;
    if (apple)
        return ago < 6 * HOUR ? 15 * MINUTE : 6 * HOUR;
    if (ago < 15 * MINUTE)
        return platform == PLATFORM_WINDOWS_PHONE_81 ? 5 * MINUTE : 3 * MINUTE;
    return ago < 2 * HOUR ? 15 * MINUTE : 8 * HOUR;
}

/* --- what there is to do --- */

struct visit {
    const struct checkin *said;
    uint8_t digest[32];
    struct standing standing;
    struct object device;   /* as it is */
    bool replaces;          /* it comes with its new certificate: the one before is over */
    bool changed;           /* properties are other ones */
    bool news;              /* anything is */
    bool stale;             /* the last contact is long ago */
    int64_t judged, due_at; /* of the report */
    bool due;               /* something reaches it since it was judged, or is to be told */
};

static void visit_free(struct visit *visit)
{
    object_free(&visit->device);
    standing_free(&visit->standing);
}

void standing_free(struct standing *standing)
{
    deployments_free(&standing->orders);
}

/* One that is gone is told so: nothing of what it says is kept. */
static bool is_managed(const struct visit *visit)
{
    return visit->standing.state == DEVICE_ENROLLED || FAULT(checkin_state);
}

static enum err report_read(struct store_tx *tx, struct visit *visit, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT enrolled_at, seen_at, digest, judged, due_at FROM device_report "
                    "WHERE device_id = $1",
                    S_ARGS(S_TEXT(visit->said->identity->device)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_STORE, "device %s has a certificate and never enrolled",
                    visit->said->identity->device);
    visit->standing.enrolled_at = store_int(rows, 0, 0);
    visit->stale = visit->said->now - store_int(rows, 0, 1) >= CHECKIN_SEEN_S;
    visit->news = !bytes_equal(store_bytes(rows, 0, 2), BYTES_ARR(visit->digest));
    visit->judged = store_is_null(rows, 0, 3) ? -1 : store_int(rows, 0, 3);
    visit->due_at = store_is_null(rows, 0, 4) ? DEPLOYMENT_NEVER : store_int(rows, 0, 4);
    return OK;
}

/* A serial number is what a device was let in by, and what people find it by: one that says another is another device. */
static enum err same_check(const struct visit *visit, struct why *why)
{
    static const char *const fixed[] = { "platform", "serial" };
    const struct object *given = visit->said->given;
    for (size_t i = 0; i < 2 && !FAULT(checkin_same); i++) {
        const char *said = object_text(given, fixed[i]), *known = object_text(&visit->device, fixed[i]);
        if (said && (!known || strcmp(said, known) != 0))
            return fail(why, ERR_CONFLICT, "%s is \"%.80s\", and this device enrolled with %s", fixed[i],
                        said, known ? known : "none");
    }
    return OK;
}

/* One indexed read: what makes a check-in with nothing to do cheap. */
static enum err due_read(struct store_tx *tx, struct visit *visit, const struct device *device,
                         struct why *why)
{
    int64_t change;
    TRY(target_change(tx, device, &change, why));
    visit->due = change != visit->judged || visit->due_at <= visit->said->now;
    return OK;
}

static enum err look_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct visit *visit = arg;
    AUTO_VAL(device) device = { 0 };
    object_free(&visit->device);
    TRY(identity_check(tx, visit->said->identity, &visit->replaces, why));
    TRY(object_load(tx, &device_class, visit->said->identity->device, &visit->device, why));
    device_of(&visit->device, &device);
    visit->standing.state = device.state;
    visit->standing.platform = device.platform;
    if (!is_managed(visit))
        return OK;
    TRY(same_check(visit, why));
    TRY(report_read(tx, visit, why));
    TRY(due_read(tx, visit, &device, why));
    visit->changed = visit->news && object_differs(&visit->device, visit->said->given);
    return OK;
}

/* --- doing it --- */

static enum err device_update(struct store_tx *tx, struct visit *visit, int64_t change, struct why *why)
{
    TRY(object_merge(&visit->device, visit->said->given, why));
    change_stamp(&visit->device, change, visit->said->now);
    TRY(object_save(tx, &visit->device, why));
    return OK;
}

static enum err installed_replace(struct store_tx *tx, const struct checkin *said, struct why *why)
{
    const char *device = said->identity->device;
    TRY(store_exec(tx, "DELETE FROM device_installed WHERE device_id = $1", S_ARGS(S_TEXT(device)), NULL,
                   why));
    for (size_t i = 0; i < said->installed_count; i++) {
        const struct installed *each = &said->installed[i];
        TRY(store_exec(tx,
                       "INSERT INTO device_installed (device_id, thumbprint, key, profile, reported_at) "
                       "VALUES ($1, $2, $3, $4, $5)",
                       S_ARGS(S_TEXT(device), S_TEXT(each->thumbprint), S_TEXT(each->key),
                              S_TEXT(each->profile), S_INT(said->now)),
                       NULL, why));
    }
    return OK;
}

/* What it says is in the store by now, and is judged as that. */
static enum err orders_make(struct store_tx *tx, struct visit *visit, struct why *why)
{
    const struct checkin *said = visit->said;
    AUTO_VAL(deployment_visit)
    deployed = { .device = said->identity->device,
                 .now = said->now,
                 .results = said->results,
                 .result_count = said->result_count,
                 .told_installed = said->told_installed };
    if (!visit->news && !visit->due)
        return OK;
    TRY(deployment_visit(tx, &deployed, why));
    standing_free(&visit->standing);
    visit->standing.orders = deployed.orders;
    deployed.orders = (struct deployments){ 0 };
    return OK;
}

/* What was looked at before is looked at again, since somebody may have changed it. The number goes first (mdm/change.h). */
static enum err note_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct visit *visit = arg;
    const struct checkin *said = visit->said;
    const char *device = said->identity->device;
    int64_t change = 0;
    if (visit->changed)
        TRY(change_next(tx, &change, why));
    TRY(look_work(tx, visit, why));
    if (!is_managed(visit))
        return OK;
    if (visit->changed && !change)
        return fail(why, ERR_CONFLICT, "device %s was changed at the same time", device);
    if (visit->changed)
        TRY(device_update(tx, visit, change, why));
    if (visit->news && said->told_installed)
        TRY(installed_replace(tx, said, why));
    if (visit->replaces)
        TRY(identity_end(tx, device, said->identity->serial, said->now, why));
    TRY(orders_make(tx, visit, why));
    return store_exec(tx, "UPDATE device_report SET seen_at = $2, digest = $3 WHERE device_id = $1",
                      S_ARGS(S_TEXT(device), S_INT(said->now), S_BYTES(BYTES_ARR(visit->digest))), NULL, why);
}

enum err checkin(const struct checkin *said, struct standing *ret, struct why *why)
{
    AUTO_VAL(visit) visit = { .said = said };
    TRY(digest_compute(DIGEST_SHA256, said->whole, visit.digest, why));
    TRY(store_read(said->mdm->store, look_work, &visit, why));
    if (is_managed(&visit) && (visit.news || visit.replaces || visit.stale || visit.due))
        TRY(store_write(said->mdm->store, note_work, &visit, why));
    *ret = visit.standing;
    visit.standing = (struct standing){ 0 };
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/keeper.h"

#include "base/fault.h"
#include "base/log.h"
#include "http/json_text.h"
#include "ipc/record.h"
#include "ipc/role.h"
#include "mdm/ldap/kept.h"
#include "mdm/ldap/session.h"
#include <pthread.h>

#define TICK_MS 1000

struct ldap_directory {
    struct ldap_keeper *keeper;
    struct ldap_settings settings;
    pthread_mutex_t lock; /* of what follows */
    struct ldap_standing standing;
    struct run_request request; /* of those who asked since the last run began */
    int64_t taken;              /* what the run that is running answers */
    int64_t next_ms;            /* of clock_mono_ms */
};
struct ldap_keeper {
    struct role *role; /* NULL: a test's */
    struct store *store;
    const struct clock *clock;
    struct loop_timer *timer;
    atomic_bool stop;
    struct ldap_directory *list;
    size_t count;
};

/* --- making it --- */

enum err ldap_keeper_reach(const struct config *config, struct sandbox_policy *policy, struct why *why)
{
    for (size_t i = 0; i < config_count(config, "directory"); i++) {
        AUTO_VAL(ldap_settings) settings = { 0 };
        ldap_settings_take(config, config_at(config, "directory", i), &settings);
        TRY(session_reach(&settings, policy, why));
    }
    return OK;
}

struct ldap_keeper *ldap_keeper_of(const struct config *config, struct store *store,
                                   const struct clock *clock)
{
    struct ldap_keeper *keeper = xcalloc(1, sizeof(*keeper));
    keeper->store = store;
    keeper->clock = clock;
    keeper->count = config_count(config, "directory");
    keeper->list = xcalloc(keeper->count ? keeper->count : 1, sizeof(*keeper->list));
    for (size_t i = 0; i < keeper->count; i++) {
        struct ldap_directory *directory = &keeper->list[i];
        directory->keeper = keeper;
        ldap_settings_take(config, config_at(config, "directory", i), &directory->settings);
        if (pthread_mutex_init(&directory->lock, NULL) != 0)
            die("no mutex for directory %s", directory->settings.name);
    }
    return keeper;
}

void ldap_keeper_stop(struct ldap_keeper *keeper)
{
    if (keeper)
        atomic_store(&keeper->stop, true);
}

void ldap_keeper_free(struct ldap_keeper *keeper)
{
    if (!keeper)
        return;
    if (keeper->timer)
        loop_timer_free(keeper->timer);
    for (size_t i = 0; i < keeper->count; i++) {
        pthread_mutex_destroy(&keeper->list[i].lock);
        ldap_settings_free(&keeper->list[i].settings);
    }
    free(keeper->list);
    free(keeper);
}

/* --- running --- */

static void run_with(struct ldap_directory *directory, const struct run_request *request)
{
    const struct ldap_keeper *keeper = directory->keeper;
    AUTO(session) session = NULL;
    struct why why = { 0 };
    struct why failed = { 0 };
    enum err err = session_open(&directory->settings, &keeper->stop, &session, &failed);
    const struct ldap_reader reader = err == OK ? session_reader(session) : ldap_reader_failing(&failed);
    const struct run_context context = { &directory->settings, &reader, keeper->store, keeper->clock,
                                         &keeper->stop };
    err = ldap_run(&context, request, &why); /* the store has the outcome, and the log */
    if (err == ERR_STORE)
        log_error(NULL, "directory %s: %s", directory->settings.name, why.text);
}

static void run_end(struct ldap_directory *directory)
{
    pthread_mutex_lock(&directory->lock);
    directory->standing.running = false;
    directory->standing.done = directory->taken;
    directory->next_ms = clock_mono_ms() + directory->settings.interval_s * INT64_C(1000);
    directory->standing.next_at = clock_now(directory->keeper->clock) + directory->settings.interval_s;
    pthread_mutex_unlock(&directory->lock);
}

static void run_job(void *arg, struct pool_place *place)
{
    (void)place;
    struct ldap_directory *directory = arg;
    pthread_mutex_lock(&directory->lock);
    const struct run_request request = directory->request;
    directory->request = (struct run_request){ 0 };
    directory->taken = directory->standing.asked;
    pthread_mutex_unlock(&directory->lock);
    run_with(directory, &request);
    run_end(directory);
}

static void directory_tick(struct ldap_directory *directory)
{
    pthread_mutex_lock(&directory->lock);
    bool due = directory->standing.asked > directory->standing.done || clock_mono_ms() >= directory->next_ms;
    bool begins = due && !directory->standing.running;
    directory->standing.running |= begins;
    pthread_mutex_unlock(&directory->lock);
    if (!begins || pool_submit(directory->keeper->role->pool, run_job, directory))
        return;
    pthread_mutex_lock(&directory->lock);
    directory->standing.running = false; /* the next tick tries again */
    pthread_mutex_unlock(&directory->lock);
}

static void tick(void *arg)
{
    struct ldap_keeper *keeper = arg;
    for (size_t i = 0; i < keeper->count && !atomic_load(&keeper->stop); i++)
        directory_tick(&keeper->list[i]);
}

struct ldap_keeper *ldap_keeper_new(struct role *role, struct store *store)
{
    struct ldap_keeper *keeper = ldap_keeper_of(role->config, store, role->clock);
    keeper->role = role;
    if (keeper->count)
        keeper->timer = loop_every(role->loop, TICK_MS, tick, keeper);
    return keeper;
}

/* --- what may be asked --- */

size_t ldap_keeper_count(const struct ldap_keeper *keeper)
{
    return keeper ? keeper->count : 0;
}

struct ldap_directory *ldap_keeper_at(struct ldap_keeper *keeper, size_t index)
{
    return &keeper->list[index];
}

enum err ldap_keeper_find(struct ldap_keeper *keeper, struct bytes name, struct ldap_directory **ret,
                          struct why *why)
{
    for (size_t i = 0; i < ldap_keeper_count(keeper); i++) {
        if (bytes_equal(bytes_str(keeper->list[i].settings.name), name)) {
            *ret = &keeper->list[i];
            return OK;
        }
    }
    return fail(why, ERR_NOT_FOUND, "the configuration has no directory \"%.*s\"",
                (int)(name.len < 64 ? name.len : 64), (const char *)name.data);
}

const struct ldap_settings *ldap_directory_settings(const struct ldap_directory *directory)
{
    return &directory->settings;
}

struct ldap_standing ldap_directory_standing(struct ldap_directory *directory)
{
    pthread_mutex_lock(&directory->lock);
    struct ldap_standing standing = directory->standing;
    pthread_mutex_unlock(&directory->lock);
    return standing;
}

int64_t ldap_directory_ask(struct ldap_directory *directory, const struct run_request *request)
{
    pthread_mutex_lock(&directory->lock);
    directory->request.full |= request->full;
    directory->request.allow_deletions |= request->allow_deletions;
    int64_t number = ++directory->standing.asked;
    pthread_mutex_unlock(&directory->lock);
    if (directory->keeper->role)
        loop_post(directory->keeper->role->loop, tick, directory->keeper);
    return number;
}

/* --- status --- */

struct status {
    struct ldap_keeper *keeper;
    struct buf *list;
};

static void status_put(const struct ldap_directory *directory, const struct kept_run *kept, struct buf *list)
{
    AUTO_JSON counts = json_loads(kept->counts, 0, NULL);
    size_t mark = record_begin(list);
    record_put_str(list, "directory", directory->settings.name);
    record_put_str(list, "directory_outcome", *kept->outcome ? kept->outcome : "never");
    record_put_time(list, "directory_success", kept->succeeded_at);
    if (kept->succeeded_at)
        record_put_int(list, "directory_age_s", clock_now(directory->keeper->clock) - kept->succeeded_at);
    record_put_int(list, "directory_held", json_integer_value(json_object_get(counts, "held")));
    record_end(list, mark);
}

static enum err status_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct status *status = arg;
    AUTO_BUF records = { 0 };
    for (size_t i = 0; i < status->keeper->count; i++) {
        const struct ldap_directory *directory = &status->keeper->list[i];
        AUTO_VAL(kept_run) kept = { 0 };
        TRY(kept_run_load(tx, directory->settings.name, &kept, why));
        status_put(directory, &kept, &records);
    }
    buf_append(status->list, buf_bytes(&records));
    return OK;
}

enum err ldap_keeper_status(struct ldap_keeper *keeper, struct buf *list, struct why *why)
{
    struct status status = { keeper, list };
    return ldap_keeper_count(keeper) ? store_read(keeper->store, status_work, &status, why) : OK;
}

/* --- by hand --- */

static enum err refuse(const struct object *object, const char *name, const char *attribute, struct why *why)
{
    const char *key = object_text(object, object->class->key);
    return fail(why, ERR_CONFLICT, "%s %.100s comes from the directory \"%s\"%s%s: change it there",
                object->class->name, key ? key : object_id(object), name,
                attribute ? ", which says its " : "", attribute ? attribute : "");
}

static enum err patch_check(const struct ldap_settings *settings, const struct object *object,
                            const struct object *patch, struct why *why)
{
    for (size_t i = 0; i < object->class->count; i++) {
        const struct attribute_value *was = &object->values[i], *is = &patch->values[i];
        const char *name = object->class->attributes[i].name;
        bool same =
            was->number == is->number && strcmp(was->text ? was->text : "", is->text ? is->text : "") == 0;
        if (is->given && !same && ldap_settings_say(settings, object->class, name))
            return refuse(object, settings->name, name, why);
    }
    return OK;
}

enum err ldap_keeper_allows(struct ldap_keeper *keeper, struct store_tx *tx, const struct object *object,
                            const struct object *patch, struct why *why)
{
    AUTO_STR name = NULL;
    struct ldap_directory *directory;
    const char *source = object_text(object, "source");
    if (!source || strcmp(source, "directory") != 0 || FAULT(ldap_owned))
        return OK;
    TRY(kept_source_of(tx, object_id(object), &name, why));
    /* One that the configuration does not have any more has no say. */
    if (!name || ldap_keeper_find(keeper, bytes_str(name), &directory, NULL) != OK)
        return OK;
    return patch ? patch_check(&directory->settings, object, patch, why) : refuse(object, name, NULL, why);
}

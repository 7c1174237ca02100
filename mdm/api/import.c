/* SPDX-License-Identifier: Apache-2.0 */
/* A whole file in one unit of work: all of it, or nothing. */
#include "mdm/import.h"

#include "base/fault.h"
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/change.h"
#include "mdm/device_store.h"
#include "x509/algorithm.h"

struct importing {
    struct api_call *call;
    struct import *import;
    bool dry_run, whole; /* whole: a dry run met nothing that is wrong */
    int64_t change;
    size_t added;
};

static enum err one_add(struct store_tx *tx, const struct importing *file, struct object *object,
                        struct why *why)
{
    char id[UUID_TEXT];
    TRY(uuid_make(id, why));
    object_set(object, "id", bytes_str(id));
    object_set(object, "source", BYTES_LIT("import"));
    object_set_number(object, "created_at", file->call->now);
    TRY(users_resolve(tx, object, why));
    TRY(object_complete(object, why));
    change_stamp(object, file->change, file->call->now);
    return object_add(tx, object, why);
}

static enum err all_add(struct store_tx *tx, struct importing *file, struct why *why)
{
    AUTO_VAL(object) object = { 0 };
    struct why inner = { 0 };
    bool end;
    import_rewind(file->import);
    for (file->added = 0;; file->added++) {
        TRY(import_next(file->import, &object, &end, why));
        if (end)
            return OK;
        if (one_add(tx, file, &object, &inner) != OK)
            return import_refuse(file->import, &inner, why);
    }
}

/* Where the file has that serial number. */
static enum err again_refuse(struct import *import, const char *serial, const char *id, struct why *why)
{
    AUTO_VAL(object) object = { 0 };
    struct why inner = { 0 };
    bool end = false;
    import_rewind(import);
    while (!end) {
        TRY(import_next(import, &object, &end, why));
        const char *found = end ? NULL : object_text(&object, "serial");
        if (found && strcmp(found, serial) == 0)
            break;
    }
    (void)fail(&inner, ERR_CONFLICT, "serial \"%s\" is that of the enrolled device %s", serial, id);
    return import_refuse(import, &inner, why);
}

/* Once more the same file would be the same devices a second time. */
static enum err again_check(struct store_tx *tx, const struct importing *file, struct why *why)
{
    AUTO_STR serial = NULL;
    AUTO_STR id = NULL;
    if (file->call->route->class != &device_class || FAULT(import_serial))
        return OK;
    TRY(device_find_again(tx, file->change, &serial, &id, why));
    return serial ? again_refuse(file->import, serial, id, why) : OK;
}

static enum err import_audit(struct store_tx *tx, const struct importing *file, struct why *why)
{
    char digest[65];
    AUTO_JSON detail = json_object();
    const struct api_call *call = file->call;
    AUTO_STR action = xasprintf("%s_import", call->route->class->name);
    TRY(digest_hex(DIGEST_SHA256, call->request->body, digest, why));
    json_object_set_new(detail, "added", json_integer((json_int_t)file->added));
    json_object_set_new(detail, "sha256", json_string(digest));
    return call_audit(tx, call, action, call->route->class->plural, detail, why);
}

static enum err import_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct importing *file = arg;
    file->whole = false;
    TRY(change_next(tx, &file->change, why));
    TRY(all_add(tx, file, why));
    TRY(again_check(tx, file, why));
    TRY(import_audit(tx, file, why));
    file->whole = true;
    /* It does all of it, so that it meets whatever the real one would, and is rolled back. */
    return file->dry_run && !FAULT(import_dry_run) ? fail(why, ERR_DENIED, "a dry run") : OK;
}

/* Whatever needs no store is found before the store is kept from others. */
static enum err shape_check(struct import *import, struct why *why)
{
    AUTO_VAL(object) object = { 0 };
    bool end = false;
    while (!end)
        TRY(import_next(import, &object, &end, why));
    return OK;
}

enum err route_import(struct api_call *call, struct why *why)
{
    AUTO(import) import = NULL;
    struct importing file = { .call = call };
    TRY(route_query_flag(call, "dry_run", &file.dry_run, why));
    TRY(import_open(call->request->body, call->request->content_type, call->route->class, &import, why));
    TRY(shape_check(import, why));
    file.import = import;
    enum err err = store_write(call->mdm->store, import_work, &file, why);
    if (err != OK && !(file.dry_run && file.whole))
        return err;
    call->result = json_object();
    json_object_set_new(call->result, "added", json_integer((json_int_t)file.added));
    json_object_set_new(call->result, "dry_run", json_boolean(file.dry_run));
    return OK;
}

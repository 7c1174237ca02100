/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile would come to on one device. That it would fail there is an answer, too. */
#include "mdm/preview.h"

#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/device_store.h"
#include "mdm/holder.h"
#include "mdm/profile_store.h"
#include "x509/name.h"
#include "x509/san.h"

static json_t *text_json(struct bytes names, void (*append)(struct buf *out, struct bytes names))
{
    AUTO_BUF text = { 0 };
    if (names.len)
        append(&text, names);
    return json_string(buf_text(&text));
}

static json_t *preview_json(const struct object *profile, const struct device *device,
                            struct preview *preview, const struct why *why)
{
    json_t *json = json_object();
    json_object_set_new(json, "profile", json_string(object_id(profile)));
    json_object_set_new(json, "version", json_integer(object_number(profile, "version")));
    json_object_set_new(json, "device", json_string(device->id));
    json_object_set_new(json, "fails", json_boolean(preview->err != OK));
    json_object_set_new(json, "code",
                        preview->err == OK ? json_null() : json_string(err_row(preview->err)->name));
    json_object_set_new(json, "reason", preview->err == OK ? json_null() : json_string(why->text));
    json_object_set_new(json, "subject", text_json(preview->expects.subject, name_append_text));
    json_object_set_new(json, "subject_alternative_names", text_json(preview->expects.san, san_append_text));
    json_object_set_new(json, "text", json_string(buf_text(&preview->text)));
    return json;
}

/* The device that the query names, and its user. */
static enum err holder_named(struct store_tx *tx, const struct api_call *call, struct kept_holder *ret,
                             struct why *why)
{
    char id[UUID_TEXT];
    AUTO_BUF name = { 0 };
    TRY(route_query(call, "device", &name, why));
    if (!name.len)
        return fail(why, ERR_USAGE, "query parameter device is not there: which device is it for?");
    TRY(object_find_id(tx, &device_class, buf_bytes(&name), id, why));
    return holder_load(tx, id, ret, why);
}

static enum err preview_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) kept = { 0 };
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(kept_holder) holder_kept = { 0 };
    AUTO_VAL(preview) preview = { 0 };
    struct why reason = { 0 };
    TRY(object_named(tx, call, &profile_class, 0, &kept, why));
    TRY(profile_load(tx, object_id(&kept), object_number(&kept, "version"), &profile, why));
    TRY(holder_named(tx, call, &holder_kept, why));
    const struct holder holder = holder_of(&holder_kept);
    (void)!preview_make(&profile, &holder, &preview, &reason); /* its error is preview.err */
    json_decref(call->result);
    call->result = preview_json(&kept, holder.device, &preview, &reason);
    return OK;
}

enum err route_profile_preview(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, preview_work, call, why);
}

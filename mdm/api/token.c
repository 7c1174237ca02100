/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment tokens as administrators make them: shown once, when they are made. */
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"

#include "base/limits.h"
#include "base/secret.h"
#include "mdm/change.h"
#include "mdm/device_store.h"
#include "mdm/enrolment_token.h"

#define HOUR_S 3600

struct making {
    struct api_call *call;
    struct object given;
    int64_t uses, hours;
    char id[UUID_TEXT], token[ENROLMENT_TOKEN_TEXT];
};

static void making_free(struct making *making)
{
    object_free(&making->given);
    secret_wipe(making->token, sizeof(making->token));
}

static enum err making_take(const json_t *body, struct making *making, struct why *why)
{
    AUTO_JSON json = json_copy((json_t *)body);
    if (!json_is_object(body))
        return fail(why, ERR_VALUE, "a token is a JSON object");
    TRY(body_number(json, "uses", LIMIT_TOKEN_USES, &making->uses, why));
    TRY(body_number(json, "hours", LIMIT_TOKEN_HOURS, &making->hours, why));
    return object_json_take(json, &making->given, why);
}

/* A token for a device is an administrator's word that it may be enrolled again. */
static enum err device_resolve(struct store_tx *tx, struct object *token, int64_t uses, struct why *why)
{
    AUTO_VAL(object) device = { 0 };
    const char *name = object_text(token, "device");
    if (!name)
        return OK;
    TRY(object_find(tx, &device_class, bytes_str(name), &device, why));
    if (strcmp(object_text(&device, "state"), word_name(&device_state_words, DEVICE_ENROLLED)) != 0)
        return fail(why, ERR_CONFLICT, "device %s is %s: it comes back as a new one", object_id(&device),
                    object_text(&device, "state"));
    if (object_text(token, "owner"))
        return fail(why, ERR_VALUE, "a token for a device has no owner: the device keeps its own");
    if (uses != 1)
        return fail(why, ERR_VALUE, "a token for a device has 1 use, and this has %lld", (long long)uses);
    object_set(token, "device", bytes_str(object_id(&device)));
    return OK;
}

static enum err token_complete(struct store_tx *tx, const struct making *making, struct object *token,
                               struct why *why)
{
    int64_t now = making->call->now;
    object_copy(token, &making->given);
    object_set(token, "id", bytes_str(making->id));
    object_set_number(token, "created_at", now);
    object_set_number(token, "uses", making->uses);
    object_set_number(token, "uses_left", making->uses);
    object_set_number(token, "expires_at", now + making->hours * HOUR_S);
    TRY(users_resolve(tx, token, why));
    TRY(device_resolve(tx, token, making->uses, why));
    return object_complete(token, why);
}

static enum err make_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct making *making = arg;
    AUTO_VAL(object) token = { .class = &token_class };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(token_complete(tx, making, &token, why));
    const struct shown_once shown = { &token, making->token, "token_add", enrolment_token_keep, change };
    return shown_once_add(tx, making->call, &shown, why);
}

enum err route_token_add(struct api_call *call, struct why *why)
{
    AUTO_VAL(making) making = { .call = call, .given = { .class = &token_class }, .uses = 1, .hours = 24 };
    TRY(making_take(call->json, &making, why));
    TRY(uuid_make(making.id, why));
    TRY(enrolment_token_make(making.token, why));
    TRY(store_write(call->mdm->store, make_work, &making, why));
    call->status = 201;
    return OK;
}

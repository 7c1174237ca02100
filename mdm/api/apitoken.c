/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens as administrators make, list and revoke them: shown once, when they are made. */
#include "mdm/apitoken.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/secret.h"
#include "mdm/administrator.h"
#include "mdm/api/credential.h"
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/change.h"

#define DAY_S 86400

/* Who may see and revoke those of others. */
static bool sees_all(const struct api_call *call, unsigned roles)
{
    return api_is_local(call->request) || call->request->caller->roles & roles || FAULT(apitoken_others);
}

/* --- making --- */

struct making {
    struct api_call *call;
    struct object given;
    int64_t days;
    char id[UUID_TEXT], token[BEARER_TEXT];
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
        return fail(why, ERR_VALUE, "an API token is a JSON object");
    TRY(body_number(json, "days", LIMIT_APITOKEN_DAYS, &making->days, why));
    return object_json_take(json, &making->given, why);
}

/* Whoever made one for somebody else would act in their name; so that is for who is on the service's own host. */
static enum err owner_find(struct store_tx *tx, const struct making *making, struct object *ret,
                           struct why *why)
{
    const struct credential *credential = making->call->request->credential;
    const char *named = object_text(&making->given, "administrator");
    if (!named && !credential)
        return fail(why, ERR_VALUE, "administrator is not there, and it is needed: whose token it is");
    TRY(object_find(tx, &administrator_class, bytes_str(named ? named : credential->administrator), ret,
                    why));
    if (credential && strcmp(object_id(ret), credential->administrator) != 0 && !FAULT(apitoken_others))
        return fail(why, ERR_NOT_AUTHORISED, "an API token is for who makes it, and not for %s",
                    object_text(ret, "name"));
    return OK;
}

static enum err roles_check(const struct object *token, const struct object *owner, struct why *why)
{
    unsigned more = roles_of(object_text(token, "roles")) & ~roles_of(object_text(owner, "roles"));
    AUTO_BUF text = { 0 };
    if (!more || FAULT(apitoken_roles))
        return OK;
    roles_append(&text, more);
    return fail(why, ERR_VALUE, "%s has not the roles %s, so a token has not either",
                object_text(owner, "name"), buf_text(&text));
}

static enum err token_complete(struct store_tx *tx, const struct making *making, struct object *token,
                               struct why *why)
{
    AUTO_VAL(object) owner = { 0 };
    int64_t now = making->call->now;
    TRY(owner_find(tx, making, &owner, why));
    object_copy(token, &making->given);
    object_set(token, "id", bytes_str(making->id));
    object_set(token, "administrator", bytes_str(object_id(&owner)));
    object_set_number(token, "created_at", now);
    object_set_number(token, "expires_at", now + making->days * DAY_S);
    TRY(object_complete(token, why));
    return roles_check(token, &owner, why);
}

static enum err make_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct making *making = arg;
    AUTO_VAL(object) token = { .class = &apitoken_class };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(token_complete(tx, making, &token, why));
    const struct shown_once shown = { &token, making->token, "apitoken_add", apitoken_keep, change };
    return shown_once_add(tx, making->call, &shown, why);
}

enum err route_apitoken_add(struct api_call *call, struct why *why)
{
    AUTO_VAL(making) making = { .call = call, .given = { .class = &apitoken_class }, .days = 90 };
    TRY(making_take(call->json, &making, why));
    TRY(uuid_make(making.id, why));
    TRY(bearer_make(BEARER_API, making.token, why));
    TRY(store_write(call->mdm->store, make_work, &making, why));
    call->status = 201;
    return OK;
}

/* --- what there is --- */

static enum err list_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    bool all = sees_all(call, ADMIN_CA_MANAGER | ADMIN_AUDITOR);
    const struct page page = { &apitoken_class, all ? NULL : "administrator = $1",
                               all ? NULL : call->request->credential->administrator };
    return page_answer(call, tx, &page, why);
}

enum err route_apitoken_list(struct api_call *call, struct why *why)
{
    return store_read(call->mdm->store, list_work, call, why);
}

/* Another's looks to who may not revoke it as if it were not there. From here on the path names it by its id: of a name it could be another by then. */
static enum err own_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct api_call *call = arg;
    AUTO_VAL(object) token = { 0 };
    TRY(object_named(tx, call, &apitoken_class, 0, &token, why));
    if (!sees_all(call, ADMIN_CA_MANAGER) &&
        strcmp(object_text(&token, "administrator"), call->request->credential->administrator) != 0)
        return fail(why, ERR_NOT_FOUND, "there is no apitoken %.200s", buf_text(&call->names[0]));
    buf_free(&call->names[0]);
    buf_append_str(&call->names[0], object_id(&token));
    return OK;
}

enum err route_apitoken_delete(struct api_call *call, struct why *why)
{
    TRY(store_read(call->mdm->store, own_work, call, why));
    return route_object_delete(call, why);
}

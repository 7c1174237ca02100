/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of administrators: another's, by who manages administrators, and one's own. */
#include "mdm/password.h"

#include "base/fault.h"
#include "mdm/administrator.h"
#include "mdm/api/credential.h"
#include "mdm/api/edit.h"
#include "mdm/api/handlers.h"
#include "mdm/change.h"
#include "mdm/sign_in.h"
#include <stdio.h>

struct setting {
    struct api_call *call;
    struct bytes password;
    char id[UUID_TEXT]; /* whose */
    char *name;         /* theirs */
    char *hash;
};

static void setting_free(struct setting *setting)
{
    free(setting->name);
    free(setting->hash);
}

static enum err set_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct setting *setting = arg;
    AUTO_VAL(object) administrator = { 0 };
    int64_t change;
    TRY(change_next(tx, &change, why));
    TRY(object_find(tx, &administrator_class, bytes_str(setting->id), &administrator, why));
    TRY(administrator_password_keep(tx, setting->id, setting->hash, setting->call->now, why));
    return call_audit(tx, setting->call, "administrator_password", setting->id, NULL, why);
}

/* The hash is computed outside of the store, whose writer others wait for. */
static enum err password_set(struct setting *setting, struct why *why)
{
    struct passwords *passwords = sign_in_passwords(setting->call->mdm->sign_in);
    TRY(password_judge(setting->password, bytes_str(setting->name), why));
    TRY(passwords_hash(passwords, setting->password, &setting->hash, why));
    return store_write(setting->call->mdm->store, set_work, setting, why);
}

/* --- another's --- */

static enum err find_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct setting *setting = arg;
    AUTO_VAL(object) administrator = { 0 };
    TRY(object_named(tx, setting->call, &administrator_class, 0, &administrator, why));
    if (strcmp(object_text(&administrator, "source"), "local") != 0)
        return fail(why, ERR_WRONG_STATE, "%s signs in by the OpenID provider, and has no password",
                    object_text(&administrator, "name"));
    free(setting->name);
    setting->name = object_text_dup(&administrator, "name");
    snprintf(setting->id, sizeof(setting->id), "%s", object_id(&administrator));
    return OK;
}

static enum err another_set(struct api_call *call, struct why *why)
{
    const struct credential *credential = call->request->credential;
    AUTO_VAL(setting) setting = { .call = call };
    TRY(json_members_check(call->json, "password", why));
    TRY(body_secret(call->json, "password", &setting.password, why));
    TRY(store_read(call->mdm->store, find_work, &setting, why));
    if (credential && strcmp(credential->administrator, setting.id) == 0 && !FAULT(password_current))
        return fail(why, ERR_WRONG_STATE,
                    "one's own password is changed at /api/v1/session/password, with the current one");
    return password_set(&setting, why);
}

enum err route_password_set(struct api_call *call, struct why *why)
{
    enum err err = another_set(call, why);
    body_wipe(call->json);
    return err;
}

/* --- one's own --- */

/* Whoever finds a session open still has to know the password to take it over for good. */
static enum err own_set(struct api_call *call, struct why *why)
{
    const struct credential *credential = call->request->credential;
    AUTO_VAL(setting) setting = { .call = call };
    AUTO(signed_in) who = NULL;
    struct signing_in asked = { .mdm = call->mdm, .peer = call->request->peer, .now = call->now };
    if (!credential)
        return fail(why, ERR_WRONG_STATE, "the local administrator has no password");
    setting.name = xstrdup(strchr(credential->name, '/') + 1); /* "admin/NAME" of a session */
    memcpy(setting.id, credential->administrator, sizeof(setting.id));
    asked.name = bytes_str(setting.name);
    TRY(json_members_check(call->json, "current password", why));
    TRY(body_secret(call->json, "current", &asked.password, why));
    TRY(body_secret(call->json, "password", &setting.password, why));
    TRY(password_judge(setting.password, asked.name, why));
    if (!FAULT(password_current))
        TRY(sign_in_try(&asked, &who, why));
    return password_set(&setting, why);
}

enum err route_password_change(struct api_call *call, struct why *why)
{
    enum err err = own_set(call, why);
    body_wipe(call->json);
    return err;
}

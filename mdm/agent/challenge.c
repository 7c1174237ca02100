/* SPDX-License-Identifier: Apache-2.0 */
/* POST /device/v1/challenge: a challenge for a key that the device has made. */
#include "mdm/agent/call.h"

#include "base/encode.h"
#include "mdm/handout.h"
#include "mdm/identity.h"

#define KEY_TEXT 64

struct asking {
    const struct agent_call *call;
};

static enum err known_work(struct store_tx *tx, void *arg, struct why *why)
{
    const struct asking *asking = arg;
    bool replaces;
    return identity_check(tx, &asking->call->identity, &replaces, why);
}

static enum err key_take(const json_t *json, uint8_t ret[static 32], struct why *why)
{
    struct bytes text;
    TRY(agent_text(json, "key", KEY_TEXT, &text, why));
    bool lower = text.len == KEY_TEXT && strspn((const char *)text.data, "0123456789abcdef") == KEY_TEXT;
    if (!lower || !hex_decode_into(text, ret))
        return fail(why, ERR_VALUE,
                    "key is the SHA-256 of the key's SubjectPublicKeyInfo, %d lower-case hexadecimal digits",
                    KEY_TEXT);
    return OK;
}

enum err agent_challenge(struct agent_call *call, struct why *why)
{
    struct asking asking = { call };
    AUTO_VAL(handout) handout = { 0 };
    struct bytes profile;
    uint8_t key[32];
    TRY(json_members_check(call->json, "profile key", why));
    TRY(agent_text(call->json, "profile", UUID_TEXT - 1, &profile, why));
    if (!uuid_is(profile))
        return fail(why, ERR_VALUE, "profile is the UUID of one");
    TRY(key_take(call->json, key, why));
    TRY(store_read(call->mdm->store, known_work, &asking, why));
    const struct handing handing = { call->mdm, call->identity.device, (const char *)profile.data, key,
                                     call->now };
    TRY(handout_make(&handing, &handout, why));
    call->result = agent_challenge_json(&handout);
    json_object_set_new(call->result, "scep_server_urls", agent_urls_json(&handout.profile));
    return OK;
}

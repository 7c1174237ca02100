/* SPDX-License-Identifier: Apache-2.0 */
/* What a device is told to do: the items of a check-in's "do" (docs/device-protocol.md). */
#include "mdm/agent/call.h"

#include "base/log.h"
#include "base/secret.h"
#include "mdm/device_store.h"
#include "mdm/handout.h"
#include "mdm/holder.h"
#include "mdm/issued.h"
#include "mdm/preview.h"
#include "mdm/profile_store.h"
#include "x509/algorithm.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/san.h"

struct telling {
    const struct agent_call *call;
    const struct deployment *of;
    enum platform platform;
    json_t *item; /* afresh each time */
};

static json_t *digest_of(enum digest digest, struct bytes bytes)
{
    char text[2 * DIGEST_MAX_BYTES + 1] = "";
    return json_string(digest_hex(digest, bytes, text, NULL) == OK ? text : "");
}

static void put(json_t *item, const char *name, json_t *value)
{
    json_object_set_new(item, name, value);
}

/* --- a trusted certificate --- */

static void trusted_put(json_t *item, const struct profile *profile)
{
    enum destination_store store = profile_store(profile);
    put(item, "certificate", json_base64(buf_bytes(&profile->certificate)));
    put(item, "store",
        store == STORE_NONE ? json_null() : json_string(word_name(&destination_store_words, (int)store)));
}

/* --- a request --- */

static json_t *usages_of(uint16_t usage)
{
    AUTO_BUF text = { 0 };
    json_t *list = json_array();
    key_usage_append_text(&text, usage);
    AUTO_STR words = xstrdup(buf_text(&text));
    char *rest = words;
    for (char *word; (word = strsep(&rest, ", "));) {
        if (*word)
            json_array_append_new(list, json_string(word));
    }
    return list;
}

static json_t *purposes_of(const struct profile *profile)
{
    json_t *list = json_array();
    for (size_t i = 0; i < profile->purpose_count && platform_has(profile->platform, SETTING_PURPOSES); i++)
        json_array_append_new(list, json_string(profile->purposes[i].oid));
    return list;
}

/* Devices share the servers among them. */
json_t *agent_urls_json(const struct profile *profile)
{
    const char *urls[LIMIT_PROFILE_URLS];
    json_t *list = json_array();
    for (size_t i = 0; i < profile->url_count; i++)
        urls[i] = profile->urls[i];
    for (size_t left = profile->url_count; left > 0; left--) {
        uint32_t random = 0;
        if (random_fill(&random, sizeof(random), NULL) != OK)
            random = 0;
        size_t chosen = random % left;
        json_array_append_new(list, json_string(urls[chosen]));
        urls[chosen] = urls[left - 1];
    }
    return list;
}

static void names_put(json_t *item, const struct preview *preview)
{
    AUTO_BUF subject = { 0 }, san = { 0 };
    name_append_text(&subject, preview->expects.subject);
    if (preview->expects.san.len)
        san_append_text(&san, preview->expects.san);
    put(item, "subject", json_string(buf_text(&subject)));
    put(item, "subject_der", json_base64(preview->expects.subject));
    put(item, "subject_alternative_names", json_string(buf_text(&san)));
    put(item, "subject_alternative_names_der",
        preview->expects.san.len ? json_base64(preview->expects.san) : json_null());
}

static json_t *root_of(struct store_tx *tx, const struct profile *profile)
{
    AUTO_VAL(object) found = { 0 };
    AUTO_VAL(profile) root = { 0 };
    if (!profile->root_certificate ||
        object_load(tx, &profile_class, profile->root_certificate, &found, NULL) != OK ||
        profile_load(tx, object_id(&found), object_number(&found, "version"), &root, NULL) != OK)
        return json_null();
    return json_pack("{s:s, s:o, s:o}", "profile", object_id(&found), "sha1",
                     digest_of(DIGEST_SHA1, buf_bytes(&root.certificate)), "sha256",
                     digest_of(DIGEST_SHA256, buf_bytes(&root.certificate)));
}

/* The certificates of this profile that the device may have. */
static enum err issued_put(struct store_tx *tx, const struct telling *telling, const char *name,
                           struct why *why)
{
    AUTO_VAL(issued_list) issued = { 0 };
    json_t *list = json_array();
    put(telling->item, name, list);
    TRY(issued_load(tx, telling->of, &issued, why));
    for (size_t i = 0; i < issued.count; i++)
        json_array_append_new(list, json_string(issued.list[i].thumbprint));
    return OK;
}

static json_t *word_or_null(const struct words *words, int value)
{
    return value ? json_string(word_name(words, value)) : json_null();
}

static enum err request_put(struct store_tx *tx, struct telling *telling, const struct profile *profile,
                            const struct holder *holder, struct why *why)
{
    AUTO_VAL(preview) preview = { 0 };
    json_t *item = telling->item;
    TRY(preview_make(profile, holder, &preview, why));
    put(item, "certificate_type", json_string(word_name(&certificate_kind_words, (int)profile->kind)));
    names_put(item, &preview);
    put(item, "extended_key_usage", purposes_of(profile));
    put(item, "key_usage", usages_of(profile->key_usage));
    put(item, "key", json_pack("{s:s, s:I}", "type", "RSA", "bits", (json_int_t)profile->key_size));
    put(item, "hash_algorithm", word_or_null(&profile_hash_words, (int)profile->hash));
    put(item, "key_storage", word_or_null(&key_storage_words, (int)profile->key_storage));
    put(item, "renewal_threshold", json_integer(profile->renewal_threshold));
    put(item, "scep_server_urls", agent_urls_json(profile));
    put(item, "root", root_of(tx, profile));
    put(item, "renews", json_boolean(telling->of->state == DEPLOYMENT_RENEWING));
    put(item, "names_key", json_boolean(platform_names_key(telling->platform)));
    return issued_put(tx, telling, "replaces", why); /* they go once the new one is there */
}

/* --- items --- */

static json_t *item_begin(const struct deployment *of)
{
    bool remove = of->intent == INTENT_REMOVE;
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", of->order, "action", remove ? "remove" : "install",
                     "type", word_name(&profile_type_words, (int)of->type), "profile", of->profile, "version",
                     (json_int_t)of->version);
}

static enum err removal_put(struct store_tx *tx, struct telling *telling, struct why *why)
{
    TRY(issued_put(tx, telling, "thumbprints", why));
    if (*telling->of->thumbprint)
        json_array_append_new(json_object_get(telling->item, "thumbprints"),
                              json_string(telling->of->thumbprint));
    return OK;
}

static enum err item_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct telling *telling = arg;
    AUTO_VAL(kept_holder) kept = { 0 };
    AUTO_VAL(profile) profile = { 0 };
    json_decref(telling->item);
    telling->item = item_begin(telling->of);
    if (telling->of->intent == INTENT_REMOVE)
        return removal_put(tx, telling, why);
    TRY(holder_load(tx, telling->of->device, &kept, why));
    TRY(profile_load(tx, telling->of->profile, telling->of->version, &profile, why));
    const struct holder holder = holder_of(&kept);
    put(telling->item, "name", json_string(profile.name));
    if (telling->of->type == PROFILE_SCEP)
        return request_put(tx, telling, &profile, &holder, why);
    trusted_put(telling->item, &profile);
    return OK;
}

json_t *agent_challenge_json(struct handout *handout)
{
    char expires[21];
    clock_rfc3339(handout->expires, expires);
    return json_pack("{s:s, s:s, s:I}", "challenge", buf_text(&handout->challenge), "expires", expires,
                     "version", (json_int_t)handout->version);
}

static enum err challenge_put(struct telling *telling, struct why *why)
{
    const struct handing handing = { telling->call->mdm, telling->of->device, telling->of->profile, NULL,
                                     telling->call->now };
    AUTO_VAL(handout) handout = { 0 };
    TRY(handout_make(&handing, &handout, why));
    json_t *challenge = agent_challenge_json(&handout);
    put(telling->item, "challenge", json_incref(json_object_get(challenge, "challenge")));
    put(telling->item, "challenge_expires", json_incref(json_object_get(challenge, "expires")));
    json_decref(challenge);
    return OK;
}

static enum err item_make(struct telling *telling, struct why *why)
{
    bool request = telling->of->type == PROFILE_SCEP && telling->of->intent == INTENT_HAVE;
    TRY(store_read(telling->call->mdm->store, item_work, telling, why));
    return request && !platform_names_key(telling->platform) ? challenge_put(telling, why) : OK;
}

/* What cannot be told now is told at the next check-in: it stays due. */
json_t *agent_orders_json(const struct agent_call *call, const struct deployments *orders,
                          enum platform platform)
{
    json_t *list = json_array();
    for (size_t i = 0; i < orders->count; i++) {
        struct telling telling = { call, &orders->list[i], platform, NULL };
        struct why why = { 0 };
        if (item_make(&telling, &why) == OK)
            json_array_append(list, telling.item);
        else
            log_warn(NULL, "not told device=%s profile=%s: %s", telling.of->device, telling.of->profile,
                     why.text);
        json_decref(telling.item);
    }
    return list;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/oidc.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "config/config.h"
#include "mdm/administrator.h"
#include "mdm/api/api.h"
#include "mdm/fetch.h"
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define KEY_BYTES     32
#define MAC_TEXT      64      /* behind what it is of */
#define DISCOVERED_MS 3600000 /* how long what the provider says of itself is believed */
#define KEYS_AGAIN_MS 60000   /* a key that is not there has the set fetched anew, but not more often */
#define ANSWER_BYTES  65536

struct provider {
    char *authorization, *token, *keys_url;
    int64_t at_ms;
};
struct oidc {
    struct oidc_settings settings;
    char *secret_form; /* percent-encoded; NULL: a public client */
    uint8_t key[KEY_BYTES];
    pthread_mutex_t lock; /* of all below */
    struct provider provider;
    struct jwk_set keys;
    int64_t keys_ms;
};

/* --- settings --- */

/* It goes into a header of our answer: nothing in it may end a line. */
static bool is_https(const char *url)
{
    for (const char *at = url; *at; at++) {
        if ((!isgraph((unsigned char)*at) || strchr("#\"<>\\", *at)) && !FAULT(oidc_url))
            return false;
    }
    return strncasecmp(url, "https://", 8) == 0 && url[8];
}

uint16_t oidc_port(const char *issuer)
{
    if (!*issuer)
        return 0;
    const char *host = strstr(issuer, "://");
    size_t len = host ? strcspn(host + 3, "/") : 0;
    const char *colon =
        len ? memrchr(host + 3, ':', len) : NULL; /* inside [an IPv6 address] it is none of a port */
    bool inside = colon && memchr(colon, ']', (size_t)(host + 3 + len - colon));
    long port = colon && !inside ? strtol(colon + 1, NULL, 10) : 443;
    return port > 0 && port < 65536 ? (uint16_t)port : 443;
}

static void form_append(struct buf *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (isalnum((unsigned char)*at) || strchr("-._~", *at))
            buf_append_byte(out, (uint8_t)*at);
        else
            buf_printf(out, "%%%02X", (unsigned char)*at);
    }
}

static enum err secret_load(struct oidc *oidc, struct why *why)
{
    struct secret secret = { 0 };
    AUTO_BUF form = { 0 };
    if (access(oidc->settings.secret_path, F_OK) != 0)
        return errno == ENOENT ? OK
                               : fail(why, ERR_CONFIG, "%s: %s", oidc->settings.secret_path, strerror(errno));
    TRY(secret_read_file(oidc->settings.secret_path, LIMIT_STRING_BYTES, &secret, why));
    char *text = xstrndup((const char *)secret.data, secret.len);
    form_append(&form, text);
    oidc->secret_form = xstrdup(buf_text(&form));
    secret_wipe(text, strlen(text));
    free(text);
    secret_wipe(form.data, form.len);
    secret_free(&secret);
    return OK;
}

static enum err mapping_check(const struct oidc_settings *settings, struct why *why)
{
    size_t count = config_list_count(settings->section, "oidc_roles");
    if (count == 0)
        return fail(why, ERR_CONFIG,
                    "oidc_roles is empty: nobody who comes by oidc_issuer would have a role");
    for (size_t i = 0; i < count; i++) {
        const char *row = config_list_at(settings->section, "oidc_roles", i), *equals = strrchr(row, '=');
        if (!equals || equals == row || !roles_of(equals + 1))
            return fail(why, ERR_CONFIG, "oidc_roles has \"%.80s\"; allowed is GROUP=ROLE", row);
    }
    return OK;
}

static enum err settings_check(const struct oidc_settings *settings, struct why *why)
{
    if (!is_https(settings->issuer))
        return fail(why, ERR_CONFIG, "oidc_issuer is \"%.80s\"; allowed is an https URL", settings->issuer);
    if (!*settings->client)
        return fail(why, ERR_CONFIG, "oidc_client_id is empty, and oidc_issuer is not");
    if (!is_https(settings->redirect))
        return fail(
            why, ERR_CONFIG,
            "oidc_redirect is \"%.80s\"; allowed is the https URL of this service's /api/v1/oidc/callback",
            settings->redirect);
    return mapping_check(settings, why);
}

enum err oidc_new(const struct oidc_settings *settings, struct oidc **ret, struct why *why)
{
    *ret = NULL;
    if (!*settings->issuer)
        return OK;
    TRY(settings_check(settings, why));
    AUTO(oidc) oidc = xcalloc(1, sizeof(*oidc));
    oidc->settings = *settings;
    pthread_mutex_init(&oidc->lock, NULL);
    TRY(random_fill(oidc->key, sizeof(oidc->key), why));
    TRY(secret_load(oidc, why));
    TRY(fetch_open(why));
    *ret = TAKE(oidc);
    return OK;
}

static void provider_free(struct provider *provider)
{
    free(provider->authorization);
    free(provider->token);
    free(provider->keys_url);
    *provider = (struct provider){ 0 };
}

void oidc_free(struct oidc *oidc)
{
    if (!oidc)
        return;
    provider_free(&oidc->provider);
    jwk_set_free(&oidc->keys);
    pthread_mutex_destroy(&oidc->lock);
    secret_wipe(oidc->key, sizeof(oidc->key));
    if (oidc->secret_form)
        secret_wipe(oidc->secret_form, strlen(oidc->secret_form));
    free(oidc->secret_form);
    free(oidc);
}

/* --- what the provider says of itself --- */

static const char *ca_file_of(const struct oidc *oidc)
{
    return *oidc->settings.ca_file ? oidc->settings.ca_file : NULL;
}

static enum err get(const struct oidc *oidc, const char *url, struct buf *ret, struct why *why)
{
    const struct fetch asked = { .url = url, .ca_file = ca_file_of(oidc), .most = ANSWER_BYTES };
    struct why inner = { 0 };
    enum err err = fetch(&asked, ret, &inner);
    if (err == OK)
        return OK;
    return fail(why, err == ERR_NOT_AUTHORISED ? ERR_UNAVAILABLE : err, "%s", inner.text);
}

static enum err json_fetch(const struct oidc *oidc, const char *url, json_t **ret, struct why *why)
{
    AUTO_BUF body = { 0 };
    struct why inner = { 0 };
    TRY(get(oidc, url, &body, why));
    if (json_text_read(buf_bytes(&body), ANSWER_BYTES, ret, &inner) != OK)
        return fail(why, ERR_UNAVAILABLE, "the OpenID provider's answer: %s", inner.text);
    return OK;
}

static enum err endpoint_take(const json_t *json, const char *name, char **ret, struct why *why)
{
    const char *url = json_string_value(json_object_get(json, name));
    if (!url || !is_https(url))
        return fail(why, ERR_UNAVAILABLE, "the OpenID provider has no %s that is an https URL", name);
    *ret = xstrdup(url);
    return OK;
}

static enum err provider_read(const struct oidc *oidc, const json_t *json, struct provider *ret,
                              struct why *why)
{
    const char *issuer = json_string_value(json_object_get(json, "issuer"));
    if ((!issuer || strcmp(issuer, oidc->settings.issuer) != 0) && !FAULT(oidc_issuer))
        return fail(why, ERR_UNAVAILABLE,
                    "the OpenID provider says that it is \"%.80s\", and oidc_issuer is \"%.80s\"",
                    issuer ? issuer : "", oidc->settings.issuer);
    TRY(endpoint_take(json, "authorization_endpoint", &ret->authorization, why));
    TRY(endpoint_take(json, "token_endpoint", &ret->token, why));
    return endpoint_take(json, "jwks_uri", &ret->keys_url, why);
}

static enum err provider_fetch(struct oidc *oidc, struct provider *ret, struct why *why)
{
    AUTO_JSON json = NULL;
    AUTO_VAL(provider) provider = { .at_ms = clock_mono_ms() };
    size_t len = strlen(oidc->settings.issuer);
    bool slash = oidc->settings.issuer[len - 1] == '/';
    AUTO_STR url = xasprintf("%s%s.well-known/openid-configuration", oidc->settings.issuer, slash ? "" : "/");
    TRY(json_fetch(oidc, url, &json, why));
    TRY(provider_read(oidc, json, &provider, why));
    *ret = provider;
    provider = (struct provider){ 0 };
    return OK;
}

static void provider_copy(const struct provider *from, struct provider *to)
{
    *to = (struct provider){ xstrdup(from->authorization), xstrdup(from->token), xstrdup(from->keys_url),
                             from->at_ms };
}

/* A copy, so that nobody waits for another's request to the provider. */
static enum err provider_get(struct oidc *oidc, struct provider *ret, struct why *why)
{
    pthread_mutex_lock(&oidc->lock);
    bool fresh = oidc->provider.token && clock_mono_ms() - oidc->provider.at_ms < DISCOVERED_MS;
    if (fresh)
        provider_copy(&oidc->provider, ret);
    pthread_mutex_unlock(&oidc->lock);
    if (fresh)
        return OK;
    TRY(provider_fetch(oidc, ret, why));
    pthread_mutex_lock(&oidc->lock);
    provider_free(&oidc->provider);
    provider_copy(ret, &oidc->provider);
    pthread_mutex_unlock(&oidc->lock);
    return OK;
}

static enum err keys_fetch(struct oidc *oidc, const struct provider *provider, struct why *why)
{
    AUTO_BUF body = { 0 };
    AUTO_VAL(jwk_set) keys = { 0 };
    struct why inner = { 0 };
    TRY(get(oidc, provider->keys_url, &body, why));
    if (jwk_set_read(buf_bytes(&body), &keys, &inner) != OK)
        return fail(why, ERR_UNAVAILABLE, "the OpenID provider's keys: %s", inner.text);
    pthread_mutex_lock(&oidc->lock);
    struct jwk_set before = oidc->keys;
    oidc->keys = keys;
    keys = before;
    oidc->keys_ms = clock_mono_ms();
    pthread_mutex_unlock(&oidc->lock);
    return OK;
}

static bool keys_are_old(struct oidc *oidc, int64_t most_ms)
{
    pthread_mutex_lock(&oidc->lock);
    bool old = !oidc->keys.count || clock_mono_ms() - oidc->keys_ms >= most_ms;
    pthread_mutex_unlock(&oidc->lock);
    return old;
}

/* --- what goes with the browser --- */

static enum err derive(const struct oidc *oidc, const char *label, struct bytes from,
                       char ret[static MAC_TEXT + 1], struct why *why)
{
    AUTO_BUF data = { 0 }, hex = { 0 };
    uint8_t mac[32];
    buf_append_str(&data, label);
    buf_append(&data, from);
    TRY(hmac_sha256(BYTES_ARR(oidc->key), buf_bytes(&data), mac, why));
    hex_append(&hex, BYTES_ARR(mac));
    memcpy(ret, buf_text(&hex), MAC_TEXT + 1);
    return OK;
}

enum err oidc_state_make(const struct oidc *oidc, int64_t now, char ret[static OIDC_STATE_TEXT],
                         struct why *why)
{
    uint8_t random[24];
    char mac[MAC_TEXT + 1];
    AUTO_BUF text = { 0 };
    TRY(random_fill(random, sizeof(random), why));
    buf_printf(&text, "%016llx", (unsigned long long)now);
    hex_append(&text, BYTES_ARR(random));
    TRY(derive(oidc, "state", buf_bytes(&text), mac, why));
    snprintf(ret, OIDC_STATE_TEXT, "%s%s", buf_text(&text), mac);
    return OK;
}

/* Of this process, not too old, and of the browser that it came from. */
static enum err state_check(const struct oidc *oidc, const struct oidc_return *came, struct why *why)
{
    char mac[MAC_TEXT + 1], time[17];
    if (came->state.len != OIDC_STATE_TEXT - 1)
        return fail(why, ERR_SIGN_IN, "the state is none");
    struct bytes text = bytes_of(came->state.data, came->state.len - MAC_TEXT);
    TRY(derive(oidc, "state", text, mac, why));
    if (!secret_equal(bytes_of(came->state.data + text.len, MAC_TEXT), bytes_str(mac)))
        return fail(why, ERR_SIGN_IN, "the state is none of this process's");
    if (!secret_equal(came->state, came->cookie) && !FAULT(oidc_browser))
        return fail(why, ERR_SIGN_IN, "the browser that came back is not the one that went");
    snprintf(time, sizeof(time), "%.16s", (const char *)text.data);
    int64_t began = (int64_t)strtoull(time, NULL, 16);
    if ((came->now < began || came->now - began > OIDC_SECONDS) && !FAULT(oidc_old))
        return fail(why, ERR_SIGN_IN, "it began %llds ago, limit %d", (long long)(came->now - began),
                    OIDC_SECONDS);
    return OK;
}

/* RFC 7636 4.2, S256. */
static enum err challenge_append(struct buf *out, const char *verifier, struct why *why)
{
    uint8_t digest[32];
    AUTO_BUF plain = { 0 };
    TRY(digest_compute(DIGEST_SHA256, bytes_str(verifier), digest, why));
    base64_append(&plain, BYTES_ARR(digest));
    for (size_t i = 0; i < plain.len && plain.data[i] != '='; i++)
        buf_append_byte(out, plain.data[i] == '+' ? '-' : plain.data[i] == '/' ? '_' : plain.data[i]);
    return OK;
}

static void parameter_put(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=", name);
    form_append(out, value);
    buf_append_byte(out, '&');
}

enum err oidc_begin(struct oidc *oidc, int64_t now, char ret_state[static OIDC_STATE_TEXT], char **ret_url,
                    struct why *why)
{
    char nonce[MAC_TEXT + 1], verifier[MAC_TEXT + 1];
    AUTO_VAL(provider) provider = { 0 };
    AUTO_BUF url = { 0 };
    TRY(provider_get(oidc, &provider, why));
    TRY(oidc_state_make(oidc, now, ret_state, why));
    TRY(derive(oidc, "nonce", bytes_str(ret_state), nonce, why));
    TRY(derive(oidc, "verifier", bytes_str(ret_state), verifier, why));
    buf_printf(&url, "%s%s", provider.authorization, strchr(provider.authorization, '?') ? "&" : "?");
    buf_append_str(&url, "response_type=code&scope=openid%20profile&");
    parameter_put(&url, "client_id", oidc->settings.client);
    parameter_put(&url, "redirect_uri", oidc->settings.redirect);
    parameter_put(&url, "state", ret_state);
    parameter_put(&url, "nonce", nonce);
    buf_append_str(&url, "code_challenge_method=S256&code_challenge=");
    TRY(challenge_append(&url, verifier, why));
    *ret_url = xstrdup(buf_text(&url));
    return OK;
}

/* --- the way back --- */

static enum err token_fetch(struct oidc *oidc, const struct provider *provider,
                            const struct oidc_return *came, json_t **ret, struct why *why)
{
    char verifier[MAC_TEXT + 1];
    AUTO_BUF form = { 0 }, client = { 0 }, body = { 0 };
    AUTO_STR code = xstrndup((const char *)came->code.data, came->code.len);
    TRY(derive(oidc, "verifier", came->state, verifier, why));
    parameter_put(&form, "code", code);
    parameter_put(&form, "redirect_uri", oidc->settings.redirect);
    parameter_put(&form, "client_id", oidc->settings.client);
    parameter_put(&form, "code_verifier", verifier);
    buf_append_str(&form, "grant_type=authorization_code");
    form_append(&client, oidc->settings.client);
    const struct fetch asked = { .url = provider->token,
                                 .ca_file = ca_file_of(oidc),
                                 .form = buf_text(&form),
                                 .user = oidc->secret_form ? buf_text(&client) : NULL,
                                 .password = oidc->secret_form,
                                 .most = ANSWER_BYTES };
    struct why inner = { 0 };
    enum err err = fetch(&asked, &body, &inner);
    if (err != OK)
        return fail(why, err == ERR_NOT_AUTHORISED ? ERR_SIGN_IN : err, "%s", inner.text);
    if (json_text_read(buf_bytes(&body), ANSWER_BYTES, ret, &inner) != OK)
        return fail(why, ERR_SIGN_IN, "the OpenID provider's answer: %s", inner.text);
    return OK;
}

static enum err judge(struct oidc *oidc, struct bytes token, const struct id_token_rules *rules, json_t **ret,
                      struct why *why)
{
    pthread_mutex_lock(&oidc->lock);
    enum err err = id_token_judge(token, &oidc->keys, rules, ret, why);
    pthread_mutex_unlock(&oidc->lock);
    return err;
}

/* With the keys that are known; with new ones, when it is signed by one that is not. */
static enum err token_judge(struct oidc *oidc, const struct provider *provider,
                            const struct oidc_return *came, const json_t *answer, json_t **ret,
                            struct why *why)
{
    char nonce[MAC_TEXT + 1];
    const json_t *token = json_object_get(answer, "id_token");
    struct bytes text = bytes_of(json_string_value(token), json_string_length(token));
    const struct id_token_rules rules = { oidc->settings.issuer, oidc->settings.client, nonce, came->now };
    TRY(derive(oidc, "nonce", came->state, nonce, why));
    if (keys_are_old(oidc, DISCOVERED_MS)) /* one that the provider took back is not believed for ever */
        TRY(keys_fetch(oidc, provider, why));
    enum err err = judge(oidc, text, &rules, ret, why);
    if (err == ERR_NOT_FOUND && keys_are_old(oidc, KEYS_AGAIN_MS)) {
        TRY(keys_fetch(oidc, provider, why));
        err = judge(oidc, text, &rules, ret, why);
    }
    if (err == OK)
        return OK;
    AUTO_STR reason = xstrdup(why->text);
    return fail(why, ERR_SIGN_IN, "the ID token: %s", reason);
}

enum err oidc_finish(struct oidc *oidc, const struct oidc_return *came, json_t **ret_claims, struct why *why)
{
    AUTO_VAL(provider) provider = { 0 };
    AUTO_JSON answer = NULL;
    TRY(state_check(oidc, came, why));
    if (came->issuer.len && !bytes_equal(came->issuer, bytes_str(oidc->settings.issuer)))
        return fail(why, ERR_SIGN_IN, "it comes from another provider (RFC 9207)");
    if (came->code.len == 0 || came->code.len > LIMIT_STRING_BYTES * 4)
        return fail(why, ERR_SIGN_IN, "the provider gave no code");
    TRY(provider_get(oidc, &provider, why));
    TRY(token_fetch(oidc, &provider, came, &answer, why));
    return token_judge(oidc, &provider, came, answer, ret_claims, why);
}

/* --- who that is --- */

static unsigned roles_of_group(const struct oidc *oidc, const char *group)
{
    const struct config_section *section = oidc->settings.section;
    unsigned roles = 0;
    for (size_t i = 0; i < config_list_count(section, "oidc_roles"); i++) {
        const char *row = config_list_at(section, "oidc_roles", i), *equals = strrchr(row, '=');
        if (strlen(group) == (size_t)(equals - row) && memcmp(group, row, strlen(group)) == 0)
            roles |= roles_of(equals + 1);
    }
    return roles;
}

static unsigned roles_of_claim(const struct oidc *oidc, const json_t *groups)
{
    size_t index;
    json_t *group;
    unsigned roles = 0;
    if (json_is_string(groups))
        return roles_of_group(oidc, json_string_value(groups));
    json_array_foreach(groups, index, group)
    {
        if (json_is_string(group))
            roles |= roles_of_group(oidc, json_string_value(group));
    }
    return roles;
}

enum err oidc_person_of(const struct oidc *oidc, const json_t *claims, struct oidc_person *ret,
                        struct why *why)
{
    const struct oidc_settings *settings = &oidc->settings;
    *ret = (struct oidc_person){ settings->issuer, json_string_value(json_object_get(claims, "sub")),
                                 json_string_value(json_object_get(claims, settings->name_claim)),
                                 roles_of_claim(oidc, json_object_get(claims, settings->groups_claim)) };
    if (!ret->name)
        return fail(why, ERR_SIGN_IN, "the ID token has no claim %s", settings->name_claim);
    if (!ret->roles)
        return fail(why, ERR_SIGN_IN, "none of the groups in claim %s has a role here",
                    settings->groups_claim);
    return OK;
}

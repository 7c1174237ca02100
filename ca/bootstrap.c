/* SPDX-License-Identifier: Apache-2.0 */
/* The beginnings of a certificate authority. */
#include "ca/bootstrap.h"

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "ca/challenge.h"
#include "ca/issue.h"
#include "ca/partition.h"
#include "ca/schema.h"
#include "ca/settings.h"

enum err ca_store_open(const struct config *config, struct store **ret, struct why *why)
{
    if (config_count(config, "ca") == 0)
        return fail(why, ERR_CONFIG, "%s has no ca section", config_path(config));
    const char *conninfo = config_str(config_at(config, "ca", 0), "store");
    for (size_t i = 1; i < config_count(config, "ca"); i++) {
        const char *other = config_str(config_at(config, "ca", i), "store");
        if (strcmp(conninfo, other) != 0)
            return fail(why, ERR_CONFIG, "ca sections name the stores \"%s\" and \"%s\": the role has one",
                        conninfo, other);
    }
    AUTO_STR folder = config_role_path(config, "ca", "");
    AUTO_STR path = config_role_path(config, "ca", "store.db");
    struct store_config store = { .kind = *conninfo ? STORE_POSTGRES : STORE_SQLITE,
                                  .path = *conninfo ? conninfo : path,
                                  .schema = "chancery_ca",
                                  .migrations = ca_migrations,
                                  .migration_count = ca_migration_count };
    if (!*conninfo)
        TRY(dir_make(folder, 0700, why));
    return store_open(&store, ret, why);
}

enum err challenge_key_make(const struct config *config, struct why *why)
{
    AUTO_STR path = config_secret_path(config, "ca", "challenge-key");
    AUTO_WIPE text = { 0 };
    struct secret key = { 0 };
    TRY(secret_random(CHALLENGE_KEY_BYTES, &key, why));
    hex_append(&text, secret_bytes(&key));
    secret_free(&key);
    return file_write_new(path, buf_bytes(&text), 0400, why);
}

enum err challenge_key_load(const struct config *config, struct secret *ret, struct why *why)
{
    AUTO_STR path = config_secret_path(config, "ca", "challenge-key");
    return challenge_hex_file(path, ret, why);
}

enum err static_password_set(const struct config *config, const char *endpoint, struct bytes password,
                             struct why *why)
{
    if (!config_find(config, "endpoint", endpoint))
        return fail(why, ERR_NOT_FOUND, "%s has no endpoint %s", config_path(config), endpoint);
    if (password.len == 0 || password.len > LIMIT_CHALLENGE_BYTES || !utf8_is_valid(password))
        return fail(why, ERR_USAGE, "a password of %zu octets; wanted: 1 to %d octets of UTF-8 without NUL",
                    password.len, LIMIT_CHALLENGE_BYTES);
    AUTO_STR file = xasprintf("static-%s", endpoint);
    AUTO_STR path = config_secret_path(config, "ca", file);
    struct secret key = { 0 };
    AUTO_BUF text = { 0 };
    uint8_t mac[32];
    TRY(challenge_key_load(config, &key, why));
    enum err err = challenge_mac(&key, password, mac, why);
    secret_free(&key);
    if (err != OK)
        return err;
    hex_append(&text, BYTES_ARR(mac));
    return file_write(path, buf_bytes(&text), 0400, why);
}

enum err ca_bootstrap_open(const struct bootstrap_params *params, struct ca **ret, struct why *why)
{
    AUTO_STR crl_dir = config_role_path(params->config, "ca", "crl");
    struct ca_params made = {
        .clock = params->clock, .store = params->store, .sealer = params->sealer, .crl_dir = crl_dir
    };
    AUTO(ca) ca = ca_new(&made);
    TRY(settings_add_issuers(params->config, ca, why));
    TRY(partitions_fix(ca, why));
    *ret = TAKE(ca);
    return OK;
}

/* Init asks once: its request key is random, so that nothing ever meets it again. */
static enum err bootstrap_reserve(struct ca *ca, const struct bootstrap_request *request,
                                  struct reservation *ret, struct why *why)
{
    struct csr csr = { .subject = request->subject, .spki = request->spki, .san = request->san };
    AUTO(public_key) key = NULL;
    AUTO_VAL(grant) grant = { 0 };
    uint8_t request_key[32], digest[32];
    struct reserve_params params = { .issuer = ca_find_issuer(ca, bytes_str(request->ca)),
                                     .endpoint = "",
                                     .requester = "init",
                                     .validator = "init",
                                     .request_key = BYTES_ARR(request_key),
                                     .spki = request->spki,
                                     .spki_digest = BYTES_ARR(digest) };
    if (!params.issuer)
        return fail(why, ERR_NOT_FOUND, "there is no ca %s", request->ca);
    TRY(random_fill(request_key, sizeof(request_key), why));
    TRY(sha256_parts(&request->spki, 1, digest, why));
    TRY(public_key_parse(request->spki, &key, why));
    TRY(template_load(ca->store, bytes_str(request->template_name), &grant.template, why));
    TRY(template_apply(&csr, key, &grant, why));
    return issue_reserve(ca, &params, &grant, ret, why);
}

enum err ca_bootstrap_issue(struct ca *ca, const struct bootstrap_request *request, struct buf *ret_der,
                            struct why *why)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO_BUF der = { 0 };
    TRY(bootstrap_reserve(ca, request, &slot, why));
    TRY(issue_seal(ca, &slot, &der, why));
    TRY(issue_record(ca, &slot, buf_bytes(&der), why));
    *ret_der = TAKE_BUF(der);
    return OK;
}

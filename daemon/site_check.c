/* SPDX-License-Identifier: Apache-2.0 */
/* The files without which a role refuses to start, looked at as its user would find them. */
#include "daemon/site_check.h"

#include "base/auto.h"
#include "base/generation.h"
#include "daemon/sockets.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct looking {
    const struct config *config;
    const struct role_row *role;
    struct role_ids ids;
};

static enum err file_look(const struct looking *at, const char *path, bool secret, struct why *why)
{
    struct stat info;
    const char *role = at->role->name;
    if (stat(path, &info) != 0)
        return fail(why, ERR_CONFIG, "role %s needs %s: %s", role, path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return fail(why, ERR_CONFIG, "role %s needs %s, which is not a regular file", role, path);
    if (secret && info.st_mode & 077)
        return fail(why, ERR_CONFIG,
                    "role %s needs %s, which has mode %03o; a secret must give group and others nothing "
                    "(chmod 0400)",
                    role, path, (unsigned)info.st_mode & 0777);
    bool own = info.st_uid == at->ids.uid, group = info.st_gid == at->ids.gid;
    mode_t bit = own ? S_IRUSR : group ? S_IRGRP : S_IROTH;
    if (!(info.st_mode & bit))
        return fail(why, ERR_CONFIG,
                    "role %s needs %s, which uid %u cannot read: it belongs to uid %u and has mode %03o",
                    role, path, (unsigned)at->ids.uid, (unsigned)info.st_uid, (unsigned)info.st_mode & 0777);
    return OK;
}

static enum err secret_look(const struct looking *at, const char *name, struct why *why)
{
    AUTO_STR path = config_secret_path(at->config, at->role->name, name);
    return file_look(at, path, true, why);
}

static enum err cert_look(const struct looking *at, const char *name, struct why *why)
{
    AUTO_STR file = xasprintf("certs/%s.crt.pem", name);
    AUTO_STR path = config_role_path(at->config, at->role->name, file);
    return file_look(at, path, false, why);
}

/* The newest key of a prefix; what it is, for the message. *ret 0: it could not be looked for. */
static enum err key_look(const struct looking *at, const char *prefix, int *ret, struct why *why)
{
    AUTO_STR keys = config_role_path(at->config, at->role->name, "keys");
    *ret = generation_highest(keys, prefix);
    AUTO_STR path = xasprintf("%s/%s-%d" GENERATION_KEY_SUFFIX, keys, prefix, *ret ? *ret : 1);
    return file_look(at, path, true, why);
}

static enum err pair_look(const struct looking *at, const char *prefix, struct why *why)
{
    int generation;
    TRY(key_look(at, prefix, &generation, why));
    AUTO_STR cert = xasprintf("%s-%d", prefix, generation);
    return cert_look(at, cert, why);
}

/* --- what each role reads at its start --- */

static enum err signer_look(const struct looking *at, struct why *why)
{
    for (size_t i = 0; i < config_count(at->config, "ca"); i++) {
        AUTO_STR prefix = xasprintf("ca-%s", config_title(config_at(at->config, "ca", i)));
        TRY(pair_look(at, prefix, why));
    }
    return OK;
}

static enum err ca_look(const struct looking *at, struct why *why)
{
    if (!config_count(at->config, "ca"))
        return fail(why, ERR_CONFIG, "%s has no ca section", config_path(at->config));
    TRY(secret_look(at, "challenge-key", why));
    for (size_t i = 0; i < config_count(at->config, "ca"); i++) {
        AUTO_STR cert = xasprintf("ca-%s", config_title(config_at(at->config, "ca", i)));
        TRY(cert_look(at, cert, why));
    }
    for (size_t i = 0; i < config_count(at->config, "endpoint"); i++) {
        const struct config_section *endpoint = config_at(at->config, "endpoint", i);
        struct why inner = { 0 };
        AUTO_STR name = xasprintf("static-%s", config_title(endpoint));
        if (strcmp(config_str(endpoint, "validator"), "static") == 0 && secret_look(at, name, &inner) != OK)
            return fail(why, ERR_CONFIG, "%s (chancery password set %s)", inner.text, config_title(endpoint));
    }
    return OK;
}

static enum err endpoint_look(const struct looking *at, const struct config_section *endpoint,
                              struct why *why)
{
    bool combined = strcmp(config_str(endpoint, "ra"), "combined") == 0;
    const char *uses[] = { combined ? "combined" : "encryption", combined ? NULL : "signature" };
    for (size_t i = 0; i < 2 && uses[i]; i++) {
        AUTO_STR prefix = xasprintf("%s-%s", config_str(endpoint, "ra_set"), uses[i]);
        TRY(pair_look(at, prefix, why));
    }
    AUTO_STR issuer = xasprintf("ca-%s", config_str(endpoint, "ca"));
    AUTO_STR root = xasprintf("ca-%s-root", config_str(endpoint, "ca"));
    TRY(cert_look(at, issuer, why));
    return cert_look(at, root, why);
}

/* Sites of earlier versions, and administrators, have a certificate without a number: http/tls_pair.h. */
static enum err tls_look(const struct looking *at, struct why *why)
{
    int generation;
    struct why inner = { 0 };
    TRY(key_look(at, "tls", &generation, why));
    AUTO_STR cert = xasprintf("tls-%d", generation);
    return cert_look(at, "tls", &inner) == OK ? OK : cert_look(at, cert, why);
}

/* Of CertificateRegistrationSvc: its CA, and who issues the clients' certificates. */
static enum err crp_look(const struct looking *at, const struct config_section *section, struct why *why)
{
    const char *anchors = config_str(section, "crp_client_ca");
    AUTO_STR issuer = xasprintf("ca-%s", config_str(section, "crp_ca"));
    TRY(cert_look(at, issuer, why));
    return cert_look(at, anchors, why);
}

static enum err scep_look(const struct looking *at, struct why *why)
{
    if (!config_count(at->config, "endpoint"))
        return fail(why, ERR_CONFIG, "no endpoint in %s, the scep role needs one", config_path(at->config));
    for (size_t i = 0; i < config_count(at->config, "endpoint"); i++)
        TRY(endpoint_look(at, config_at(at->config, "endpoint", i), why));
    const struct config_section *section = config_at(at->config, "scep", 0);
    bool crp = config_list_count(section, "crp_listen") > 0;
    if (crp)
        TRY(crp_look(at, section, why));
    return crp || config_list_count(section, "https_listen") ? tls_look(at, why) : OK;
}

static enum err mdm_look(const struct looking *at, struct why *why)
{
    const struct config_section *section = config_at(at->config, "mdm", 0);
    bool listens =
        config_list_count(section, "https_listen") + config_list_count(section, "admin_listen") > 0;
    return listens ? tls_look(at, why) : OK;
}

static enum err role_look(const struct looking *at, struct why *why)
{
    static const struct {
        const char *role;
        enum err (*look)(const struct looking *at, struct why *why);
    } looks[] = { { "signer", signer_look }, { "ca", ca_look }, { "scep", scep_look }, { "mdm", mdm_look } };
    TRY(secret_look(at, "unlock", why));
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
        if (strcmp(looks[i].role, at->role->name) == 0)
            return looks[i].look(at, why);
    }
    return OK;
}

static bool is_here(const struct config *config, const char *role)
{
    const struct config_section *top = config_top(config);
    for (size_t i = 0; i < config_list_count(top, "roles"); i++) {
        if (strcmp(config_list_at(top, "roles", i), role) == 0)
            return true;
    }
    return false;
}

enum err roles_check(const struct config *config, struct why *why)
{
    const struct config_section *top = config_top(config);
    for (size_t i = 0; i < config_list_count(top, "roles"); i++) {
        const char *name = config_list_at(top, "roles", i);
        const struct role_row *role = role_row_find(name);
        if (!role)
            return fail(why, ERR_CONFIG, "option roles names \"%s\", which is no role of this program", name);
        if (role->peer && !is_here(config, role->peer))
            return fail(why, ERR_CONFIG, "role %s needs role %s on this host, and option roles lacks it",
                        name, role->peer);
    }
    return OK;
}

enum err site_check(const struct config *config, struct why *why)
{
    const struct config_section *top = config_top(config);
    TRY(roles_check(config, why));
    for (size_t i = 0; i < config_list_count(top, "roles"); i++) {
        struct looking at = { .config = config, .role = role_row_find(config_list_at(top, "roles", i)) };
        TRY(role_ids_of(config, at.role, &at.ids, why));
        TRY(role_look(&at, why));
    }
    return OK;
}

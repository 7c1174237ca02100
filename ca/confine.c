/* SPDX-License-Identifier: Apache-2.0 */
/* ca keeps its own folder, its own secrets and its own log. Only a store on PostgreSQL adds to that: sockets, and what libpq and the resolver read. */
#include "ca/confine.h"

#include "base/file.h"
#include "store/reach.h"

enum err ca_confine(struct role *role, struct why *why)
{
    AUTO_STR folder = config_role_path(role->config, "ca", "");
    AUTO_STR secrets = config_secret_path(role->config, "ca", "");
    AUTO_STR keys = config_role_path(role->config, "ca", "keys");
    AUTO_STR certs = config_role_path(role->config, "ca", "certs");
    AUTO_STR logs = config_log_path(role->config, "ca", "");
    AUTO_VAL(store_reach) reach = { 0 };
    struct sandbox_policy policy = { .accepts = true };
    const struct config_section *section = config_at(role->config, "ca", 0);
    const char *store = section ? config_str(section, "store") : "";
    TRY(dir_make(folder, 0700, why));
    TRY(dir_make(keys, 0700, why)); /* of the CRP */
    TRY(dir_make(certs, 0700, why));
    sandbox_add(&policy, folder, SANDBOX_STORE);
    sandbox_add(&policy, secrets, SANDBOX_READ);
    sandbox_add_optional(&policy, logs, SANDBOX_LOG);
    sandbox_add_optional(&policy, "/dev/urandom", SANDBOX_READ); /* SQLite's names of temporary files */
    if (*store) {
        TRY(store_reach_of(store, &reach, why));
        store_reach_allow(&reach, &policy);
    }
    return role_confine(role, &policy, why);
}

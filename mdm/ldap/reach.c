/* SPDX-License-Identifier: Apache-2.0 */
/* What connections to a directory take of the sandbox. Landlock knows ports and no hosts: which host is asked, the settings and the verified certificate say. */
#include "mdm/ldap/session.h"

#include <stdlib.h>

#define LDAP_PORT_PLAIN 389
#define LDAP_PORT_TLS   636

/* config/check_directory.c has judged it. */
static uint16_t port_of(const char *url)
{
    bool tls = strncmp(url, "ldaps:", 6) == 0;
    const char *host = strstr(url, "://") + 3, *end = *host == '[' ? strchr(host, ']') : NULL;
    const char *colon = strchr(end ? end : host, ':');
    long port = colon ? strtol(colon + 1, NULL, 10) : 0;
    return port > 0 ? (uint16_t)port : tls ? LDAP_PORT_TLS : LDAP_PORT_PLAIN;
}

enum err session_reach(const struct ldap_settings *settings, struct sandbox_policy *policy, struct why *why)
{
    size_t count = config_list_count(settings->section, "urls");
    sandbox_add_resolver(policy);
    sandbox_add_optional(policy, settings->ca_file, SANDBOX_READ);
    for (size_t i = 0; i < count; i++) {
        const char *url = config_list_at(settings->section, "urls", i);
        if (strncmp(url, "ldapi:", 6) == 0)
            continue;
        if (policy->port_count >= SANDBOX_PORTS_MAX - 1)
            return fail(
                why, ERR_CONFIG,
                "directory \"%s\": the URLs of all directories, and the store, have more than %d ports",
                settings->name, SANDBOX_PORTS_MAX - 1);
        sandbox_add_port(policy, port_of(url));
    }
    return OK;
}

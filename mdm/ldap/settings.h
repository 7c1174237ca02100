/* SPDX-License-Identifier: Apache-2.0 */
/* A directory section of the configuration, with what its schema stands for filled in. */
#pragma once
#include "base/limits.h"
#include "config/config.h"
#include "mdm/ldap/value.h"
#include "mdm/object.h"

enum ldap_schema { LDAP_SCHEMA_OPENLDAP, LDAP_SCHEMA_AD };
struct ldap_names { const char *list[LIMIT_LDAP_NAMES]; size_t count; };   /* the first that has a value; none: not taken */
struct ldap_settings {                                       /* texts: the configuration's, but for what is freed */
    const char *name;
    enum ldap_schema schema;
    const struct config_section *section;                    /* its URLs */
    const char *ca_file, *base, *bind_dn, *user_filter, *group_filter, *sam_domain;
    char *password_file;
    struct ldap_names upn, shown, email, sam, group_name, member;
    struct disabled_rule disabled;
    bool start_tls, members_are_uids;
    int interval_s, full_interval_s, overlap_s, timeout_s, page_size, max_deletions;
};
/* config: outlives it. */
void ldap_settings_take(const struct config *config, const struct config_section *section, struct ldap_settings *ret);
void ldap_settings_free(struct ldap_settings *settings);
/* Does the directory say this attribute of its users or groups? What it does not say is ours to set. */
bool ldap_settings_say(const struct ldap_settings *settings, const struct object_class *class, const char *attribute);

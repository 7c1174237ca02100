/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/settings.h"

#include "mdm/group_store.h"
#include "mdm/user_store.h"

/* What a schema stands for. */
struct preset {
    const char *user_filter, *group_filter, *disabled;
    struct ldap_names upn, shown, email, sam, group_name, member;
};
static const struct preset presets[] = {
    [LDAP_SCHEMA_OPENLDAP] = {
        .user_filter = "(objectClass=inetOrgPerson)",
        .group_filter = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))",
        .disabled = "pwdAccountLockedTime=000001010000Z",
        .upn = { { "mail" }, 1 },
        .shown = { { "displayName", "cn" }, 2 },
        .email = { { "mail" }, 1 },
        .sam = { { "uid" }, 1 },
        .group_name = { { "cn" }, 1 },
        .member = { { "member", "uniqueMember" }, 2 },
    },
    [LDAP_SCHEMA_AD] = {
        .user_filter = "(&(objectCategory=person)(objectClass=user))",
        .group_filter = "(objectClass=group)",
        .disabled = "userAccountControl&2",
        .upn = { { "userPrincipalName" }, 1 },
        .shown = { { "displayName", "cn" }, 2 },
        .email = { { "mail" }, 1 },
        .sam = { { "sAMAccountName" }, 1 },
        .group_name = { { "sAMAccountName", "cn" }, 2 },
        .member = { { "member" }, 1 },
    },
};

static struct ldap_names names_of(const struct config_section *section, const char *option,
                                  const struct ldap_names *preset)
{
    struct ldap_names names = { 0 };
    size_t count = config_list_count(section, option);
    if (count == 0)
        return *preset;
    for (size_t i = 0; i < count; i++) {
        const char *name = config_list_at(section, option, i);
        if (strcmp(name, "none") != 0)
            names.list[names.count++] = name;
    }
    return names;
}

static const char *text_of(const struct config_section *section, const char *option, const char *preset)
{
    const char *text = config_str(section, option);
    return *text ? text : preset;
}

static int int_of(const struct config_section *section, const char *option)
{
    return (int)config_int(section, option);
}

void ldap_settings_take(const struct config *config, const struct config_section *section,
                        struct ldap_settings *ret)
{
    bool ad = strcmp(config_str(section, "schema"), "ad") == 0;
    const struct preset *preset = &presets[ad ? LDAP_SCHEMA_AD : LDAP_SCHEMA_OPENLDAP];
    AUTO_STR file = xasprintf("directory-%s.password", config_title(section));
    *ret = (struct ldap_settings){ .name = config_title(section),
                                   .schema = ad ? LDAP_SCHEMA_AD : LDAP_SCHEMA_OPENLDAP,
                                   .section = section,
                                   .ca_file = config_str(section, "ca_file"),
                                   .base = config_str(section, "base"),
                                   .bind_dn = config_str(section, "bind_dn"),
                                   .user_filter = text_of(section, "user_filter", preset->user_filter),
                                   .group_filter = text_of(section, "group_filter", preset->group_filter),
                                   .sam_domain = config_str(section, "sam_domain"),
                                   .password_file = config_secret_path(config, "mdm", file),
                                   .upn = names_of(section, "upn", &preset->upn),
                                   .shown = names_of(section, "name", &preset->shown),
                                   .email = names_of(section, "email", &preset->email),
                                   .sam = names_of(section, "sam_name", &preset->sam),
                                   .group_name = names_of(section, "group_name", &preset->group_name),
                                   .member = names_of(section, "group_member", &preset->member),
                                   .start_tls = config_bool(section, "start_tls"),
                                   .members_are_uids =
                                       !ad && strcmp(config_str(section, "members_are"), "uids") == 0,
                                   .interval_s = int_of(section, "interval"),
                                   .full_interval_s = int_of(section, "full_interval"),
                                   .overlap_s = int_of(section, "overlap"),
                                   .timeout_s = int_of(section, "timeout"),
                                   .page_size = int_of(section, "page_size"),
                                   .max_deletions = int_of(section, "max_deletions") };
    disabled_rule_parse(text_of(section, "disabled", preset->disabled), &ret->disabled);
}

void ldap_settings_free(struct ldap_settings *settings)
{
    free(settings->password_file);
    disabled_rule_free(&settings->disabled);
    *settings = (struct ldap_settings){ 0 };
}

bool ldap_settings_say(const struct ldap_settings *settings, const struct object_class *class,
                       const char *attribute)
{
    const struct {
        const char *attribute;
        bool said;
    } of_users[] = {
        { "upn", true },
        { "distinguished_name", true },
        { "name", settings->shown.count > 0 },
        { "email", settings->email.count > 0 },
        { "sam_name", settings->sam.count > 0 },
        { "sid", settings->schema == LDAP_SCHEMA_AD },
        { "enabled", settings->disabled.attribute != NULL },
    };
    for (size_t i = 0; class == &user_class && i < sizeof(of_users) / sizeof(*of_users); i++) {
        if (strcmp(of_users[i].attribute, attribute) == 0)
            return of_users[i].said;
    }
    return class == &group_class && (strcmp(attribute, "name") == 0 || strcmp(attribute, "description") == 0);
}

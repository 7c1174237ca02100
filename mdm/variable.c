/* SPDX-License-Identifier: Apache-2.0 */
/* The table of variables (spec profiles.md), and what each is worth for one device and its user. */
#include "mdm/variable.h"

#include "base/fault.h"
#include <strings.h>

static const char *const kind_names[] = {
    [CERTIFICATE_NONE] = NULL,
    [CERTIFICATE_USER] = "user",
    [CERTIFICATE_DEVICE] = "device",
};
const struct words certificate_kind_words = WORDS(kind_names);

#define FOR_USER   (1u << CERTIFICATE_USER)
#define FOR_DEVICE (1u << CERTIFICATE_DEVICE)
#define FOR_BOTH   (FOR_USER | FOR_DEVICE)

#define OF_USER(f, w, s)   .of_user = true, .field = offsetof(struct user, f), .what = (w), .sample = (s)
#define OF_DEVICE(f, w, s) .field = offsetof(struct device, f), .what = (w), .sample = (s)
#define FORGEABLE          .forgeable = true
#define DIRECTORY_ID       OF_DEVICE(directory_id, "directory id", "00000000-0000-4000-8000-000000000000")
#define SERIAL             OF_DEVICE(serial, "serial number", "0"), FORGEABLE
#define IMEI               OF_DEVICE(imei, "IMEI", "490154203237518"), FORGEABLE

/* The spellings are the guides': two differ in letter case alone, and mean the same. */
static const struct variable variables[] = {
    { "UserName", FOR_USER, OF_USER(upn, "user principal name", "a@b") },
    { "UserPrincipalName", FOR_USER, OF_USER(upn, "user principal name", "a@b") },
    { "EmailAddress", FOR_USER, OF_USER(email, "e-mail address", "a@b") },
    { "OnPrem_Distinguished_Name", FOR_USER,
      OF_USER(distinguished_name, "on-premises distinguished name", "DC=a"), .is_name = true },
    { "onPremisesSamAccountName", FOR_USER, OF_USER(sam_name, "on-premises sAMAccountName", "a") },
    { "SERIALNUMBER", FOR_USER, SERIAL },
    { "AAD_Device_ID", FOR_BOTH, DIRECTORY_ID },
    { "IMEINumber", FOR_BOTH, IMEI },
    { "AzureADDeviceId", FOR_DEVICE, DIRECTORY_ID },
    { "Device_Serial", FOR_DEVICE, SERIAL },
    { "SerialNumber", FOR_DEVICE, SERIAL },
    { "Device_IMEI", FOR_DEVICE, IMEI },
    { "IMEI", FOR_DEVICE, IMEI },
    { "MEID", FOR_DEVICE, OF_DEVICE(meid, "MEID", "A0000000000000"), FORGEABLE },
    { "WiFiMacAddress", FOR_DEVICE, OF_DEVICE(wifi_mac, "Wi-Fi MAC address", "000000000000"), FORGEABLE },
    { "DeviceName", FOR_DEVICE, OF_DEVICE(name, "name", "a"), FORGEABLE },
    { "FullyQualifiedDomainName", FOR_DEVICE, OF_DEVICE(fqdn, "fully qualified domain name", "a.b"),
      FORGEABLE, .in_domain = true },
};
#define VARIABLES (sizeof(variables) / sizeof(*variables))

/* Exact spelling, or any letter case; of the wanted kind before any other. */
static const struct variable *look(struct bytes name, unsigned kinds, bool any_case)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        const struct variable *row = &variables[i];
        bool same = strlen(row->name) == name.len &&
                    (any_case ? strncasecmp(row->name, (const char *)name.data, name.len)
                              : memcmp(row->name, name.data, name.len)) == 0;
        if (same && (row->kinds & kinds))
            return row;
    }
    return NULL;
}

static enum err refuse_unknown(struct bytes name, const struct scope *scope, struct why *why)
{
    const struct variable *near = look(name, 1u << scope->kind, true);
    AUTO_BUF all = { 0 };
    if (near)
        return fail(why, ERR_PROFILE, "{{%.*s}} is no variable; letter case counts: {{%s}}", (int)name.len,
                    (const char *)name.data, near->name);
    for (size_t i = 0; i < VARIABLES; i++)
        if (variables[i].kinds & 1u << scope->kind)
            buf_printf(&all, "%s{{%s}}", all.len ? ", " : "", variables[i].name);
    return fail(why, ERR_PROFILE, "{{%.*s}} is no variable; certificates of a %s have %s",
                (int)(name.len < 60 ? name.len : 60), (const char *)name.data,
                word_name(&certificate_kind_words, (int)scope->kind), buf_text(&all));
}

enum err variable_find(struct bytes name, const struct scope *scope, const struct variable **ret,
                       struct why *why)
{
    const struct variable *found = look(name, 1u << scope->kind, false);
    const struct variable *other = found ? found : look(name, FOR_BOTH, false);
    if (!found && other)
        return fail(why, ERR_PROFILE, "{{%s}} is for certificates of a %s, this one is of a %s", other->name,
                    other->kinds & FOR_USER ? "user" : "device",
                    word_name(&certificate_kind_words, (int)scope->kind));
    if (!found && FAULT(variable_unknown))
        found = &variables[0];
    if (!found)
        return refuse_unknown(name, scope, why);
    if (found->in_domain && !platform_has(scope->platform, SETTING_DOMAIN) && !FAULT(variable_domain)) {
        AUTO_BUF having = { 0 };
        platforms_append_having(&having, SETTING_DOMAIN);
        return fail(why, ERR_PROFILE, "{{%s}} is for %s in a domain, this profile is for %s", found->name,
                    buf_text(&having), word_name(&platform_words, (int)scope->platform));
    }
    *ret = found;
    return OK;
}

static const char *or_none(const char *text)
{
    return text ? text : "";
}

static enum err refuse_empty(const struct variable *variable, const struct holder *holder, const char *reason,
                             struct why *why)
{
    const struct device *device = holder->device;
    if (!variable->of_user || !holder->user)
        return fail(why, ERR_PROFILE_VALUE, "{{%s}} has no value for device \"%.60s\" (%.36s): %s",
                    variable->name, or_none(device->name), or_none(device->id), reason);
    return fail(why, ERR_PROFILE_VALUE, "{{%s}} has no value for device \"%.60s\" (%.36s): its user %.80s %s",
                variable->name, or_none(device->name), or_none(device->id), or_none(holder->user->upn),
                reason);
}

enum err variable_value(const struct variable *variable, const struct holder *holder, struct bytes *ret,
                        struct why *why)
{
    AUTO_STR has_none = xasprintf("has no %s", variable->what);
    AUTO_STR it_has_none = xasprintf("it has no %s", variable->what);
    if (variable->of_user && !holder->user)
        return refuse_empty(variable, holder, "it has no user", why);
    if (variable->in_domain && !holder->device->domain_joined)
        return refuse_empty(variable, holder, "it is not joined to a domain", why);
    const char *base = variable->of_user ? (const char *)holder->user : (const char *)holder->device;
    struct bytes value = bytes_str(*(char *const *)(base + variable->field));
    if (value.len == 0)
        return refuse_empty(variable, holder, variable->of_user ? has_none : it_has_none, why);
    *ret = value;
    return OK;
}

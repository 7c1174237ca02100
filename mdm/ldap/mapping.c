/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/mapping.h"

#include "base/fault.h"
#include "base/utf8.h"
#include "mdm/fold.h"
#include "mdm/group_store.h"
#include "mdm/ldap/mark.h"
#include "mdm/user_store.h"

void mapped_free(struct mapped *mapped)
{
    object_free(&mapped->given);
    buf_free(&mapped->dn);
    buf_free(&mapped->uid);
    for (size_t i = 0; i < mapped->member_count; i++)
        free(mapped->members[i]);
    free(mapped->members);
    *mapped = (struct mapped){ 0 };
}

/* --- what is asked for --- */

#define ATTRIBUTES_MAX 48

static void names_add(const char **list, size_t *count, const struct ldap_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        list[(*count)++] = names->list[i];
}

char **mapping_attributes(const struct ldap_settings *settings, const struct object_class *class)
{
    const char **list = xcalloc(ATTRIBUTES_MAX, sizeof(*list));
    size_t count = 0;
    bool ad = settings->schema == LDAP_SCHEMA_AD;
    list[count++] = ad ? "objectGUID" : "entryUUID";
    list[count++] = ad ? "objectSid" : "modifyTimestamp";
    if (class == &group_class) {
        list[count++] = "description";
        names_add(list, &count, &settings->group_name);
        names_add(list, &count, &settings->member);
        return (char **)list;
    }
    list[count++] = ad ? "primaryGroupID" : "uid";
    names_add(list, &count, &settings->upn);
    names_add(list, &count, &settings->shown);
    names_add(list, &count, &settings->email);
    names_add(list, &count, &settings->sam);
    if (settings->disabled.attribute)
        list[count++] = settings->disabled.attribute;
    return (char **)list;
}

/* --- values --- */

enum err mapping_id(const struct ldap_settings *settings, const struct entry *entry,
                    char ret[static UUID_TEXT], struct why *why)
{
    bool ad = settings->schema == LDAP_SCHEMA_AD;
    const char *name = ad ? "objectGUID" : "entryUUID";
    struct bytes value = entry_first(entry, name);
    if (ad ? guid_to_text(value, ret) : uuid_to_text(value, ret))
        return OK;
    return value.len ? attribute_refuse(name, value, why, "is a UUID%s", ad ? " of 16 octets" : "")
                     : fail(why, ERR_VALUE,
                            "%s is not there, and nothing else says which entry it is: may the "
                            "directory's account read it?",
                            name);
}

static struct bytes first_of(const struct entry *entry, const struct ldap_names *names)
{
    struct bytes value = BYTES_NONE;
    for (size_t i = 0; i < names->count && !value.len; i++)
        value = entry_first(entry, names->list[i]);
    return value;
}

static enum err value_take(struct object *object, const char *name, struct bytes value, struct why *why)
{
    size_t index = 0;
    const struct attribute *attribute = object_attribute(object->class, bytes_str(name), &index);
    if (!attribute)
        die("a %s has no attribute %s", object->class->name, name);
    if (FAULT(ldap_value)) { /* as it came */
        attribute_value_set(&object->values[index], value);
        return OK;
    }
    return attribute_take(attribute, value, &object->values[index], why);
}

static enum err names_take(struct object *object, const char *name, const struct entry *entry,
                           const struct ldap_names *names, struct why *why)
{
    return names->count ? value_take(object, name, first_of(entry, names), why) : OK;
}

static enum err sam_take(const struct ldap_settings *settings, const struct entry *entry,
                         struct object *object, struct why *why)
{
    AUTO_BUF name = { 0 };
    struct bytes sam = first_of(entry, &settings->sam);
    if (sam.len && *settings->sam_domain)
        buf_printf(&name, "%s\\", settings->sam_domain);
    buf_append(&name, sam);
    return settings->sam.count ? value_take(object, "sam_name", buf_bytes(&name), why) : OK;
}

static enum err dn_take(const struct ldap_settings *settings, const struct entry *entry, struct mapped *ret,
                        struct why *why)
{
    struct bytes dn = bytes_str(entry->dn);
    if (settings->schema == LDAP_SCHEMA_AD)
        dn = extended_dn_name(dn);
    if (!dn_key(dn, &ret->dn) || ret->dn.len > LIMIT_DIRECTORY_TEXT_BYTES)
        return attribute_refuse("the entry's name", dn, why,
                                "is a distinguished name of %d octets of UTF-8 (RFC 4514)",
                                LIMIT_DIRECTORY_TEXT_BYTES);
    return ret->given.class == &user_class ? value_take(&ret->given, "distinguished_name", dn, why) : OK;
}

/* Of Active Directory. */
static enum err sid_take(const struct entry *entry, struct mapped *ret, struct why *why)
{
    struct bytes sid = entry_first(entry, "objectSid"), group = entry_first(entry, "primaryGroupID");
    if (sid.len && !sid_to_text(sid, ret->sid))
        return fail(why, ERR_VALUE, "objectSid has %zu octets; allowed is a SID (MS-DTYP 2.4.2.2)", sid.len);
    if (ret->given.class != &user_class)
        return OK;
    if (sid.len && group.len && !sid_sibling(ret->sid, group, ret->primary))
        return attribute_refuse("primaryGroupID", group, why, "is a number");
    return value_take(&ret->given, "sid", bytes_str(ret->sid), why);
}

/* By which posixGroup names its members. */
static enum err uid_take(const struct entry *entry, struct mapped *ret, struct why *why)
{
    struct bytes uid = entry_first(entry, "uid");
    if (uid.len > LIMIT_DIRECTORY_KEY_BYTES || !utf8_is_valid(uid))
        return attribute_refuse("uid", uid, why, "are %d octets of UTF-8", LIMIT_DIRECTORY_KEY_BYTES);
    fold_append(&ret->uid, uid);
    return OK;
}

static enum err user_take(const struct ldap_settings *settings, const struct entry *entry, struct mapped *ret,
                          struct why *why)
{
    struct object *user = &ret->given;
    struct bytes upn = first_of(entry, &settings->upn);
    if (!upn.len)
        return fail(why, ERR_NOT_FOUND, "the user has no UPN");
    TRY(value_take(user, "upn", upn, why));
    TRY(names_take(user, "name", entry, &settings->shown, why));
    TRY(names_take(user, "email", entry, &settings->email, why));
    TRY(sam_take(settings, entry, user, why));
    if (settings->disabled.attribute)
        object_set_number(user, "enabled", !disabled_by(&settings->disabled, entry));
    return settings->members_are_uids ? uid_take(entry, ret, why) : OK;
}

/* --- members --- */

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *member_key(const struct ldap_settings *settings, struct bytes value)
{
    char guid[UUID_TEXT];
    AUTO_BUF key = { 0 };
    if (settings->schema == LDAP_SCHEMA_AD)
        return extended_dn_guid(value, guid) ? xstrdup(guid) : NULL;
    if (settings->members_are_uids)
        return value.len && value.len <= LIMIT_DIRECTORY_KEY_BYTES && utf8_is_valid(value) ? fold_dup(value)
                                                                                           : NULL;
    return dn_key(value, &key) && key.len <= LIMIT_DIRECTORY_TEXT_BYTES ? xstrdup(buf_text(&key)) : NULL;
}

static void members_add(const struct ldap_settings *settings, const struct entry_attribute *values,
                        struct mapped *ret)
{
    for (size_t i = 0; i < values->count; i++) {
        char *key = member_key(settings, buf_bytes(&values->values[i]));
        if (key)
            ret->members[ret->member_count++] = key;
        else
            ret->odd_members++;
    }
}

static void members_sort(struct mapped *ret)
{
    size_t kept = 0;
    qsort(ret->members, ret->member_count, sizeof(*ret->members), text_compare);
    for (size_t i = 0; i < ret->member_count; i++) {
        if (kept && strcmp(ret->members[kept - 1], ret->members[i]) == 0)
            free(ret->members[i]);
        else
            ret->members[kept++] = ret->members[i];
    }
    ret->member_count = kept;
}

static enum err group_take(const struct ldap_settings *settings, const struct entry *entry,
                           struct mapped *ret, struct why *why)
{
    size_t most = 0;
    const struct entry_attribute *found[LIMIT_LDAP_NAMES] = { 0 };
    TRY(value_take(&ret->given, "name", first_of(entry, &settings->group_name), why));
    TRY(value_take(&ret->given, "description", entry_first(entry, "description"), why));
    for (size_t i = 0; i < settings->member.count; i++) {
        found[i] = entry_find(entry, settings->member.list[i]);
        most += found[i] ? found[i]->count : 0;
    }
    if (most > LIMIT_LDAP_MEMBERS)
        return fail(why, ERR_LIMIT, "a group of %zu members, limit %d", most, LIMIT_LDAP_MEMBERS);
    ret->members = xcalloc(most ? most : 1, sizeof(*ret->members));
    for (size_t i = 0; i < settings->member.count; i++) {
        if (found[i])
            members_add(settings, found[i], ret);
    }
    members_sort(ret);
    return OK;
}

enum err mapping_take(const struct ldap_settings *settings, const struct object_class *class,
                      const struct entry *entry, struct mapped *ret, struct why *why)
{
    ret->given.class = class;
    TRY(mapping_id(settings, entry, ret->id, why));
    if (!generalized_time(entry_first(entry, "modifyTimestamp"), &ret->changed_at))
        ret->changed_at = 0;
    TRY(class == &user_class ? user_take(settings, entry, ret, why) : group_take(settings, entry, ret, why));
    TRY(dn_take(settings, entry, ret, why));
    return settings->schema == LDAP_SCHEMA_AD ? sid_take(entry, ret, why) : OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of an LDAP server, hostile in every part: "NAME\0", two octets of length, value, and so on; the first octet says as what it is read. What is
   taken of it is text as the directory has it, or it is refused with a reason. */
#include "fuzz/target.h"

#include "base/file.h"
#include "mdm/group_store.h"
#include "mdm/ldap/mapping.h"
#include "mdm/ldap/mark.h"
#include "mdm/user_store.h"
#include "x509/text.h"
#include <unistd.h>

#define SECTION(name, schema)                                                                                \
    "directory \"" name "\" {\nschema = " schema "\nbase = \"dc=x\"\nurls = {\"ldaps://a\"}\nsam_domain = "  \
    "D\n"

static struct ldap_settings settings[3]; /* openldap, openldap with uids, ad */

static void settings_make(void)
{
    static const char text[] = "mode = user\n" SECTION("a", "openldap") "}\n" SECTION(
        "b", "openldap") "members_are = uids\ngroup_member = "
                         "{\"memberUid\"}\n}\n" SECTION("c", "ad") "}\n";
    char path[] = "/tmp/chancery-fuzz-XXXXXX";
    static struct config *config; /* for ever */
    struct why why;
    int fd = mkstemp(path);
    PROMISE(fd >= 0 && write_all(fd, BYTES_LIT(text)));
    close(fd);
    PROMISE(config_load(path, &config, &why) == OK);
    unlink(path);
    for (size_t i = 0; i < 3; i++)
        ldap_settings_take(config, config_at(config, "directory", i), &settings[i]);
}

static void judge_name(const char *name)
{
    AUTO_STR base = NULL;
    size_t next = 0;
    if (range_parse(name, &base, &next))
        PROMISE(base && strlen(base) < strlen(name) && !strchr(base, ';'));
}

static void judge_value(struct bytes value)
{
    AUTO_BUF key = { 0 }, again = { 0 }, filter = { 0 };
    int64_t at;
    if (dn_key(value, &key))
        PROMISE(dn_key(buf_bytes(&key), &again) && bytes_equal(buf_bytes(&key), buf_bytes(&again)));
    if (generalized_time(value, &at))
        PROMISE(at >= 0 && at < INT64_C(253402300800));
    PROMISE(extended_dn_name(value).len <= value.len);
    filter_append_value(&filter, value);
    for (size_t i = 0; i < filter.len; i++)
        PROMISE(!strchr("()*", filter.data[i]) && filter.data[i] >= 0x20 && filter.data[i] < 0x7F);
}

static void entry_take(struct bytes data, struct entry *entry)
{
    while (data.len) {
        const uint8_t *end = memchr(data.data, 0, data.len);
        size_t head = end ? (size_t)(end - data.data) + 3 : 0;
        if (!end || head > data.len)
            return;
        size_t len = (size_t)end[1] << 8 | end[2];
        struct bytes value = bytes_of(data.data + head, len < data.len - head ? len : data.len - head);
        judge_name((const char *)data.data);
        judge_value(value);
        entry_add(entry, (const char *)data.data, value);
        data = bytes_of(value.data + value.len, data.len - head - value.len);
    }
}

static void judge_taken(const struct mapped *mapped)
{
    PROMISE(uuid_is(bytes_str(mapped->id)) && mapped->dn.len > 0);
    for (size_t i = 0; i < mapped->given.class->count; i++)
        PROMISE(text_is_clean(bytes_str(mapped->given.values[i].text)));
    for (size_t i = 1; i < mapped->member_count; i++)
        PROMISE(strcmp(mapped->members[i - 1], mapped->members[i]) < 0);
    PROMISE(object_text(&mapped->given, mapped->given.class->key) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_VAL(entry) entry = { 0 };
    AUTO_VAL(mapped) mapped = { 0 };
    struct why why = { 0 };
    if (!settings[0].name)
        settings_make();
    if (len < 1)
        return 0;
    entry_take(bytes_of(data + 1, len - 1), &entry);
    struct bytes dn = entry_first(&entry, "dn");
    entry.dn = xstrndup((const char *)dn.data, dn.data ? strnlen((const char *)dn.data, dn.len) : 0);
    const struct object_class *class = data[0] & 4 ? &group_class : &user_class;
    enum err err = mapping_take(&settings[data[0] % 4 % 3], class, &entry, &mapped, &why);
    AUTO_STR label = entry_label(&entry);
    PROMISE(text_is_clean(bytes_str(label)));
    if (err == OK)
        judge_taken(&mapped);
    else
        PROMISE(why.text[0]);
    return 0;
}

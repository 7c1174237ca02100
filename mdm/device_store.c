/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/device_store.h"

#include "base/fault.h"
#include "base/limits.h"

static const char *const ownership_names[] = { "unknown", "company", "personal" };
static const struct words ownership_words = WORDS(ownership_names);

/* clang-format off: one a row */
static const struct attribute attributes[] = {
    OBJECT_ATTRIBUTE_ID,
    { .name = "platform",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_REQUIRED | ATTRIBUTE_ONCE | ATTRIBUTE_FILTER,
      .words = &platform_words,
      .help = "its operating system" },
    { .name = "name", .kind = ATTRIBUTE_TEXT, .most = LIMIT_DIRECTORY_KEY_BYTES, .help = "its name" },
    { .name = "serial",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .help = "serial number" },
    { .name = "imei",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = 16,
      .takes = takes_imei,
      .help = "IMEI" },
    { .name = "meid",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = 18,
      .takes = takes_meid,
      .help = "MEID" },
    { .name = "wifi_mac",
      .kind = ATTRIBUTE_TEXT,
      .most = 17,
      .takes = takes_mac,
      .help = "hardware address of its Wi-Fi" },
    { .name = "fqdn",
      .kind = ATTRIBUTE_TEXT,
      .most = 255,
      .takes = takes_fqdn,
      .help = "fully qualified domain name" },
    { .name = "domain_joined",
      .kind = ATTRIBUTE_FLAG,
      .fallback = "false",
      .help = "joined to a Windows domain" },
    { .name = "directory_id",
      .kind = ATTRIBUTE_TEXT,
      .flags = ATTRIBUTE_FILTER,
      .most = 36,
      .takes = takes_uuid,
      .help = "the directory's own id of it (AAD_Device_ID); no two enrolled devices have the same" },
    { .name = "mode",
      .kind = ATTRIBUTE_WORD,
      .words = &android_mode_words,
      .help = "how Android Enterprise manages it" },
    { .name = "owner",
      .kind = ATTRIBUTE_USER,
      .flags = ATTRIBUTE_FILTER,
      .most = LIMIT_DIRECTORY_KEY_BYTES,
      .help = "its user, by id or UPN; none for a kiosk" },
    { .name = "ownership",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_FILTER,
      .words = &ownership_words,
      .fallback = "unknown",
      .help = "whose property it is" },
    { .name = "state",
      .kind = ATTRIBUTE_WORD,
      .flags = ATTRIBUTE_OWN | ATTRIBUTE_FILTER,
      .words = &device_state_words,
      .fallback = "enrolled",
      .help = "enrolled until it is retired or wiped" },
    OBJECT_ATTRIBUTES_OWN,
};
/* clang-format on */

static enum platform platform_of(const struct object *device)
{
    return (enum platform)word_find(&platform_words, bytes_str(object_text(device, "platform")));
}

static enum err device_check(const struct object *device, struct why *why)
{
    const char *mode = object_text(device, "mode");
    enum platform platform = platform_of(device);
    const char *name = word_name(&platform_words, (int)platform);
    if (mode && platform != PLATFORM_ANDROID_ENTERPRISE)
        return attribute_refuse("mode", bytes_str(mode), why,
                                "is a mode on android-enterprise, and this is %s", name);
    if (!FAULT(device_domain) && object_number(device, "domain_joined") &&
        !platform_has(platform, SETTING_DOMAIN))
        return attribute_refuse("domain_joined", BYTES_LIT("true"), why, "is false on %s", name);
    return OK;
}

const struct object_class device_class = {
    .name = "device",
    .plural = "devices",
    .table = "device",
    .key = "name",
    .unique = "directory_id",
    .find = "SELECT id FROM device WHERE ((folded = $2 AND folded <> '') OR serial = $1) "
            "AND deleted_at IS NULL LIMIT 2",
    .own_group_kind = "device",
    .attributes = attributes,
    .count = sizeof(attributes) / sizeof(*attributes),
    .check = device_check,
};

static int word_of(const struct words *words, const struct object *device, const char *name)
{
    const char *text = object_text(device, name);
    int found = text ? word_find(words, bytes_str(text)) : 0;
    return found < 0 ? 0 : found;
}

void device_of(const struct object *object, struct device *ret)
{
    *ret = (struct device){
        .id = object_text_dup(object, "id"),
        .directory_id = object_text_dup(object, "directory_id"),
        .owner = object_text_dup(object, "owner"),
        .platform = (enum platform)word_of(&platform_words, object, "platform"),
        .mode = (enum android_mode)word_of(&android_mode_words, object, "mode"),
        .state = (enum device_state)word_of(&device_state_words, object, "state"),
        .domain_joined = object_number(object, "domain_joined"),
        .serial = object_text_dup(object, "serial"),
        .imei = object_text_dup(object, "imei"),
        .meid = object_text_dup(object, "meid"),
        .wifi_mac = object_text_dup(object, "wifi_mac"),
        .name = object_text_dup(object, "name"),
        .fqdn = object_text_dup(object, "fqdn"),
    };
}

enum err device_load(struct store_tx *tx, const char *id, struct device *ret, struct why *why)
{
    AUTO_VAL(object) object = { 0 };
    TRY(object_load(tx, &device_class, id, &object, why));
    device_of(&object, ret);
    return OK;
}

/* What is not here is refused. */
static const bool ways[DEVICE_STATE_COUNT][DEVICE_STATE_COUNT] = {
    [DEVICE_ENROLLED] = { [DEVICE_RETIRED] = true, [DEVICE_WIPED] = true },
};

enum err device_set_state(struct object *device, enum device_state state, struct why *why)
{
    int from = word_of(&device_state_words, device, "state");
    const char *wanted = word_name(&device_state_words, (int)state);
    if (!FAULT(device_state) && !ways[from][state])
        return fail(why, ERR_CONFLICT, "device %s is %s, and does not become %s", object_id(device),
                    word_name(&device_state_words, from), wanted);
    object_set(device, "state", bytes_str(wanted));
    return OK;
}

enum err device_find_again(struct store_tx *tx, int64_t change, char **ret_serial, char **ret_id,
                           struct why *why)
{
    AUTO(store_rows) rows = NULL;
    *ret_serial = *ret_id = NULL;
    TRY(store_query(tx,
                    "SELECT new.serial, old.id FROM device new JOIN device old ON old.serial = new.serial "
                    "AND old.platform = new.platform AND old.change < new.change WHERE new.change = $1 AND "
                    "old.state = 'enrolled' AND old.deleted_at IS NULL LIMIT 1",
                    S_ARGS(S_INT(change)), &rows, why));
    if (store_rows_count(rows)) {
        *ret_serial = xstrdup(store_str(rows, 0, 0));
        *ret_id = xstrdup(store_str(rows, 0, 1));
    }
    return OK;
}

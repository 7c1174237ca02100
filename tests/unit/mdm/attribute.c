/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "mdm/device_store.h"
#include "mdm/group_store.h"
#include "mdm/user_store.h"
#include "tests/unit/test.h"

static enum err take(const struct object_class *class, const char *name, struct bytes text, struct why *why)
{
    struct attribute_value value = { 0 };
    size_t index;
    const struct attribute *attribute = object_attribute(class, bytes_str(name), &index);
    assert_non_null(attribute);
    enum err err = attribute_take(attribute, text, &value, why);
    attribute_value_clear(&value);
    return err;
}

struct form {
    const struct object_class *class;
    const char *name;
    const char *good[8], *bad[10];
};
static const struct form forms[] = {
    { &user_class,
      "upn",
      { "a@b", "Anna.M\u00fcller@example.org" },
      { "anna", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "" } },
    { &user_class, "email", { "a@b", "" }, { "anna", "a @b" } },
    { &user_class,
      "distinguished_name",
      { "CN=Anna,OU=Staff,DC=example,DC=org", "CN=Doe\\, Jane,DC=x" },
      { "Anna", "CN=", "=x", "CN=a," } },
    { &user_class,
      "sid",
      { "S-1-5-21-1004336348-1177238915-682003330-512", "S-1-5-18" },
      { "S-1", "S-1-", "S-1-5", "S-1-5-", "s-1-5-18", "S-1-5-x", "S-1-5-18-" } },
    { &user_class, "enabled", { "true", "false" }, { "yes", "1", "", "TRUE" } },
    { &group_class, "name", { "Staff", "A b" }, { " a", "a ", "", "1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f" } },
    { &group_class, "kind", { "user", "device" }, { "users", "", "User" } },
    { &device_class, "platform", { "ios", "windows-10", "linux" }, { "iOS", "", "none" } },
    { &device_class,
      "imei",
      { "490154203237518", "49015420323751", "" },
      { "4901542032375", "49015420323751800", "49015420323751x" } },
    { &device_class,
      "meid",
      { "A10000009296F2", "270113177609606898" },
      { "A10000009296F", "27011317760960689", "A10000009296FG" } },
    { &device_class,
      "wifi_mac",
      { "001122AABBCC", "00:11:22:aa:bb:cc", "00-11-22-aa-bb-cc" },
      { "00:11:22-aa:bb:cc", "001122AABBC", "00.11.22.aa.bb.cc", "00:11:22:aa:bb:cg", "0011:22aa:bbcc" } },
    { &device_class,
      "fqdn",
      { "pc7.example.org", "a.b" },
      { "pc7", "pc7.", ".example", "a..b", "-a.b", "a b.c", "a.b-" } },
    { &device_class, "directory_id", { "1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f" }, { "x", "1c9c0bf4" } },
    { &device_class, "mode", { "dedicated", "" }, { "kiosk" } },
    { &device_class, "ownership", { "company" }, { "mine" } },
};

TEST(values_have_the_form_of_what_they_are)
{
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        const struct form *form = &forms[i];
        for (size_t k = 0; k < 8 && form->good[k]; k++)
            ASSERT_OK(take(form->class, form->name, bytes_str(form->good[k]), &why), &why);
        for (size_t k = 0; k < 10 && form->bad[k]; k++) {
            if (take(form->class, form->name, bytes_str(form->bad[k]), &why) != ERR_VALUE)
                fail_msg("%s \"%s\" is taken", form->name, form->bad[k]);
            assert_int_equal(strncmp(why.text, form->name, strlen(form->name)), 0);
        }
    }
}

TEST(texts_are_utf_8_without_control_characters)
{
    static const struct bytes wrong[] = {
        { (const uint8_t *)"a\0b", 3 },     { (const uint8_t *)"a\nb", 3 },
        { (const uint8_t *)"\xff", 1 },     { (const uint8_t *)"\x7f", 1 },
        { (const uint8_t *)"\xc2\x85", 2 }, { (const uint8_t *)"\xed\xa0\x80", 3 }
    };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_ERR(ERR_VALUE, take(&user_class, "name", wrong[i], &why), &why);
    ASSERT_OK(take(&user_class, "name", BYTES_LIT("\u4e2d\u6587 \U0001f600 ' \"; DROP TABLE"), &why), &why);
}

TEST(a_text_has_so_many_octets_and_no_more)
{
    AUTO_BUF text = { 0 };
    struct why why = { 0 };
    for (int i = 0; i < LIMIT_DIRECTORY_KEY_BYTES; i++)
        buf_append_byte(&text, 'x');
    ASSERT_OK(take(&user_class, "name", buf_bytes(&text), &why), &why);
    buf_append_byte(&text, 'x');
    ASSERT_ERR(ERR_VALUE, take(&user_class, "name", buf_bytes(&text), &why), &why);
    assert_non_null(strstr(why.text, "are 256 octets, and these are 257"));
}

TEST(what_the_service_sets_is_set_by_nobody_else)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_VALUE, take(&user_class, "change", BYTES_LIT("1"), &why), &why);
    ASSERT_ERR(ERR_VALUE, take(&user_class, "deleted_at", BYTES_LIT("1"), &why), &why);
}

TEST(every_class_begins_with_its_id_and_has_room)
{
    static const struct object_class *const all[] = { &user_class, &group_class, &device_class };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        assert_string_equal(all[i]->attributes[0].name, "id");
        assert_true(all[i]->count <= OBJECT_ATTRIBUTES_MAX);
        for (size_t k = 0; k < all[i]->count; k++)
            assert_true(strlen(all[i]->attributes[k].help) > 0);
    }
}

RUN(T(values_have_the_form_of_what_they_are), T(texts_are_utf_8_without_control_characters),
    T(a_text_has_so_many_octets_and_no_more), T(what_the_service_sets_is_set_by_nobody_else),
    T(every_class_begins_with_its_id_and_has_room))

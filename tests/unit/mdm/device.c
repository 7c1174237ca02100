/* SPDX-License-Identifier: Apache-2.0 */
/* What devices have beyond users. */
#include "tests/unit/mdm/directory.h"

#include "mdm/device_store.h"

#define WHOLE                                                                                                \
    "{\"platform\":\"windows-10\",\"name\":\"PC7\",\"serial\":\"S1\",\"imei\":\"490154203237518\",\"meid\":" \
    "\"A10000009296F2\","                                                                                    \
    "\"wifi_mac\":\"001122AABBCC\",\"fqdn\":\"pc7.example.org\",\"domain_joined\":true,"                     \
    "\"directory_id\":\"1C9C0BF4-5B0E-4F0C-9D7B-2B8F0C9D1E2F\",\"owner\":\"a@b\",\"ownership\":\"company\"}"

static enum err load_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct device *device = arg;
    AUTO_VAL(object) found = { 0 };
    device_free(device);
    TRY(object_find(tx, &device_class, BYTES_LIT("pc7"), &found, why));
    return device_load(tx, object_id(&found), device, why);
}

TEST(profiles_get_the_same_device)
{
    AUTO_VAL(device) device = { 0 };
    struct why why = { 0 };
    AUTO_STR user = xstrdup(made("/api/v1/users", "{\"upn\":\"a@b\"}"));
    made("/api/v1/devices", WHOLE);
    ASSERT_OK(store_read(directory.mdm.store, load_work, &device, &why), &why);
    assert_int_equal(device.platform, PLATFORM_WINDOWS_10);
    assert_int_equal(device.state, DEVICE_ENROLLED);
    assert_int_equal(device.mode, ANDROID_MODE_NONE);
    assert_true(device.domain_joined);
    assert_string_equal(device.owner, user);
    assert_string_equal(device.directory_id, "1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f");
    assert_string_equal(device.serial, "S1");
    assert_string_equal(device.imei, "490154203237518");
    assert_string_equal(device.meid, "A10000009296F2");
    assert_string_equal(device.wifi_mac, "001122AABBCC");
    assert_string_equal(device.fqdn, "pc7.example.org");
    assert_string_equal(device.name, "PC7");
}

TEST(one_attribute_depends_on_another)
{
    static const char *const wrong[] = { "{\"platform\":\"ios\",\"mode\":\"dedicated\"}",
                                         "{\"platform\":\"ios\",\"domain_joined\":true}",
                                         "{\"platform\":\"ios\",\"owner\":\"nobody@nowhere\"}",
                                         "{\"name\":\"x\"}", "{\"platform\":\"ios\",\"state\":\"retired\"}" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(422, ask(HTTP_POST, "/api/v1/devices", wrong[i]));
    made("/api/v1/devices",
         "{\"platform\":\"android-enterprise\",\"mode\":\"dedicated\",\"name\":\"kiosk\"}");
    ASSERT_STATUS(422, ask(HTTP_PATCH, "/api/v1/devices/kiosk", "{\"domain_joined\":true}"));
    ASSERT_STATUS(422, ask(HTTP_PATCH, "/api/v1/devices/kiosk", "{\"platform\":\"ios\",\"mode\":null}"));
    ASSERT_SAYS("platform is \"android-enterprise\" for ever");
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device"));
}

TEST(a_device_is_retired_once_and_deleted_only_then)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    made("/api/v1/devices", WHOLE);
    ASSERT_STATUS(409, ask(HTTP_DELETE, "/api/v1/devices/pc7", NULL));
    ASSERT_SAYS("retire it first");
    ASSERT_STATUS(409,
                  ask(HTTP_POST, "/api/v1/devices",
                      "{\"platform\":\"linux\",\"directory_id\":\"1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f\"}"));
    ASSERT_STATUS(200, ask(HTTP_POST, "/api/v1/devices/s1/retire", NULL) == 404
                           ? ask(HTTP_POST, "/api/v1/devices/S1/retire", NULL)
                           : 0);
    assert_string_equal(answered("state"), "retired");
    ASSERT_STATUS(409, ask(HTTP_POST, "/api/v1/devices/pc7/retire", NULL));
    ASSERT_SAYS("is retired, and does not become retired");
    made("/api/v1/devices",
         "{\"platform\":\"linux\",\"directory_id\":\"1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f\"}");
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/devices/pc7", NULL));
}

TEST(a_name_of_several_names_none)
{
    made("/api/v1/devices", "{\"platform\":\"ios\",\"name\":\"iPhone\"}");
    const char *id = made("/api/v1/devices", "{\"platform\":\"ios\",\"name\":\"iphone\"}");
    ASSERT_STATUS(409, ask(HTTP_GET, "/api/v1/devices/IPHONE", NULL));
    ASSERT_SAYS("several devices are called IPHONE");
    AUTO_STR target = xasprintf("/api/v1/devices/%s", id);
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
}

TEST(lists_are_narrowed_to_an_owner_by_upn)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    made("/api/v1/devices", "{\"platform\":\"ios\",\"owner\":\"A@B\"}");
    made("/api/v1/devices", "{\"platform\":\"ios\"}");
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/devices?owner=a%40b&platform=ios&state=enrolled", NULL));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "items")));
    ASSERT_STATUS(422, ask(HTTP_GET, "/api/v1/devices?owner=x%40y", NULL));
}

DIRECTORY_MAIN(D(profiles_get_the_same_device), D(one_attribute_depends_on_another),
               D(a_device_is_retired_once_and_deleted_only_then), D(a_name_of_several_names_none),
               D(lists_are_narrowed_to_an_owner_by_upn))

/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, against the tables of spec profiles.md. */
#include "tests/unit/mdm/fixture.h"

TEST(each_platform_takes_the_types_of_the_guides)
{
    static const struct {
        enum platform platform;
        const char *name, *types; /* trusted, scep, pkcs, imported */
    } rows[] = {
        { PLATFORM_ANDROID, "android", "1111" },
        { PLATFORM_ANDROID_ENTERPRISE, "android-enterprise", "1111" },
        { PLATFORM_IOS, "ios", "1111" },
        { PLATFORM_MACOS, "macos", "1111" },
        { PLATFORM_WINDOWS_PHONE_81, "windows-phone-81", "1101" },
        { PLATFORM_WINDOWS_81, "windows-81", "1100" },
        { PLATFORM_WINDOWS_10, "windows-10", "1111" },
        { PLATFORM_LINUX, "linux", "1111" },
    };
    assert_int_equal(sizeof(rows) / sizeof(*rows), PLATFORM_COUNT - 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_string_equal(word_name(&platform_words, (int)rows[i].platform), rows[i].name);
        assert_int_equal(word_find(&platform_words, bytes_str(rows[i].name)), rows[i].platform);
        for (int type = PROFILE_TRUSTED; type < PROFILE_TYPE_COUNT; type++)
            assert_int_equal(platform_takes(rows[i].platform, (enum profile_type)type),
                             rows[i].types[type - 1] == '1');
        assert_false(platform_takes(rows[i].platform, PROFILE_NONE));
    }
    assert_false(platform_takes(PLATFORM_NONE, PROFILE_TRUSTED));
}

static void assert_having(enum setting setting, const char *wanted)
{
    AUTO_BUF text = { 0 };
    platforms_append_having(&text, setting);
    assert_string_equal(buf_text(&text), wanted);
}

TEST(settings_are_those_of_the_guides)
{
    assert_having(SETTING_DEVICE_CERTIFICATE,
                  "android-enterprise, ios, macos, windows-81, windows-10 or linux");
    assert_having(SETTING_VALIDITY,
                  "android, android-enterprise, windows-phone-81, windows-81, windows-10 or linux");
    assert_having(SETTING_HASH,
                  "android, android-enterprise, windows-phone-81, windows-81, windows-10 or linux");
    assert_having(SETTING_KEY_STORAGE, "windows-phone-81, windows-81 or windows-10");
    assert_having(SETTING_STORE, "windows-phone-81, windows-81 or windows-10");
    assert_having(SETTING_PASSPORT, "windows-10");
    assert_having(SETTING_ALL_APPS, "macos");
    assert_having(SETTING_DOMAIN, "windows-81 or windows-10");
    assert_having(SETTING_OWN_ROOT, "windows-10");
    assert_having(SETTING_PURPOSES,
                  "android, android-enterprise, windows-phone-81, windows-81, windows-10 or linux");
}

TEST(devices_that_are_managed_whole_get_no_pkcs)
{
    for (int type = PROFILE_TRUSTED; type < PROFILE_TYPE_COUNT; type++) {
        bool pkcs = type == PROFILE_PKCS || type == PROFILE_IMPORTED;
        assert_true(android_mode_takes(ANDROID_MODE_NONE, (enum profile_type)type));
        assert_true(android_mode_takes(ANDROID_WORK_PROFILE, (enum profile_type)type));
        assert_int_equal(android_mode_takes(ANDROID_FULLY_MANAGED, (enum profile_type)type), !pkcs);
        assert_int_equal(android_mode_takes(ANDROID_DEDICATED, (enum profile_type)type), !pkcs);
    }
}

TEST(words_are_spelled_in_one_way)
{
    static const char *const others[] = { "", "Windows-10", "windows10", "windows-10 ", "none", "NULL" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_int_equal(word_find(&platform_words, bytes_str(others[i])), -1);
    assert_int_equal(word_find(&platform_words, BYTES_LIT("ios\0")), -1);
    assert_string_equal(word_name(&platform_words, PLATFORM_NONE), "none");
    assert_string_equal(word_name(&platform_words, -1), "none");
    assert_string_equal(word_name(&platform_words, PLATFORM_COUNT), "none");
}

RUN(T(each_platform_takes_the_types_of_the_guides), T(settings_are_those_of_the_guides),
    T(devices_that_are_managed_whole_get_no_pkcs), T(words_are_spelled_in_one_way))

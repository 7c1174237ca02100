/* SPDX-License-Identifier: Apache-2.0 */
/* Variables. */
#include "tests/unit/mdm/fixture.h"

static const struct {
    const char *name, *user,
        *device; /* what Anna's laptop has for it in a profile of that kind; NULL: there is none */
    bool forgeable;
} rows[] = {
    { "UserName", "anna@example.test", NULL, false },
    { "UserPrincipalName", "anna@example.test", NULL, false },
    { "EmailAddress", "anna.doe@mail.example.test", NULL, false },
    { "AAD_Device_ID", "33333333-3333-4333-8333-333333333333", "33333333-3333-4333-8333-333333333333",
      false },
    { "SERIALNUMBER", "SER-0042", NULL, true },
    { "IMEINumber", "490154203237518", "490154203237518", true },
    { "OnPrem_Distinguished_Name", "CN=Doe\\, Anna,OU=UserAccounts,DC=corp,DC=example,DC=test", NULL, false },
    { "onPremisesSamAccountName", "CORP\\anna", NULL, false },
    { "AzureADDeviceId", NULL, "33333333-3333-4333-8333-333333333333", false },
    { "Device_Serial", NULL, "SER-0042", true },
    { "SerialNumber", NULL, "SER-0042", true },
    { "Device_IMEI", NULL, "490154203237518", true },
    { "IMEI", NULL, "490154203237518", true },
    { "MEID", NULL, "A0000012345678", true },
    { "WiFiMacAddress", NULL, "00163e123456", true },
    { "DeviceName", NULL, "laptop-7", true },
    { "FullyQualifiedDomainName", NULL, "laptop-7.corp.example.test", true },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

/* What the variable is worth in a profile of this kind, or that it is none there. */
static void assert_value(const char *name, const struct scope *scope, const char *wanted, bool forgeable)
{
    const struct variable *variable;
    struct why why = { 0 };
    struct bytes value;
    if (!wanted) {
        ASSERT_ERR(ERR_PROFILE, variable_find(bytes_str(name), scope, &variable, &why), &why);
        assert_non_null(strstr(why.text, name));
        return;
    }
    ASSERT_OK(variable_find(bytes_str(name), scope, &variable, &why), &why);
    ASSERT_OK(variable_value(variable, fixture_holder(), &value, &why), &why);
    ASSERT_BYTES(value, bytes_str(wanted));
    assert_int_equal(variable->forgeable, forgeable);
}

TEST(each_variable_has_its_value_in_profiles_of_its_kind)
{
    for (size_t i = 0; i < ROWS; i++) {
        assert_value(rows[i].name, SCOPE(USER, WINDOWS_10), rows[i].user, rows[i].forgeable);
        assert_value(rows[i].name, SCOPE(DEVICE, WINDOWS_10), rows[i].device, rows[i].forgeable);
    }
}

TEST(an_unknown_variable_is_refused_with_what_there_is)
{
    static const char *const names[] = { "Nonsense", "",          " UserName", "UserName ",
                                         "UserNam",  "UserNamee", "user.name" };
    const struct variable *variable;
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        ASSERT_ERR(ERR_PROFILE, variable_find(bytes_str(names[i]), SCOPE(USER, IOS), &variable, &why), &why);
        assert_non_null(strstr(why.text, "is no variable; certificates of a user have {{UserName}}, "));
        assert_non_null(strstr(why.text, "{{IMEINumber}}"));
        assert_null(strstr(why.text, "{{MEID}}"));
    }
}

TEST(letter_case_counts_and_the_right_one_is_said)
{
    const struct variable *variable;
    struct why why = { 0 };
    ASSERT_ERR(ERR_PROFILE, variable_find(BYTES_LIT("username"), SCOPE(USER, IOS), &variable, &why), &why);
    assert_string_equal(why.text, "{{username}} is no variable; letter case counts: {{UserName}}");
    ASSERT_ERR(ERR_PROFILE, variable_find(BYTES_LIT("serialnumber"), SCOPE(DEVICE, IOS), &variable, &why),
               &why);
    assert_non_null(strstr(why.text, "{{SerialNumber}}"));
    ASSERT_ERR(ERR_PROFILE, variable_find(BYTES_LIT("SerialNumber"), SCOPE(USER, IOS), &variable, &why),
               &why);
    assert_string_equal(why.text, "{{SerialNumber}} is for certificates of a device, this one is of a user");
    ASSERT_ERR(ERR_PROFILE, variable_find(BYTES_LIT("UserName"), SCOPE(DEVICE, IOS), &variable, &why), &why);
    assert_string_equal(why.text, "{{UserName}} is for certificates of a user, this one is of a device");
}

TEST(the_domain_name_is_for_windows_in_a_domain)
{
    const struct variable *variable;
    struct why why = { 0 };
    for (int platform = PLATFORM_ANDROID; platform < PLATFORM_COUNT; platform++) {
        struct scope scope = { CERTIFICATE_DEVICE, (enum platform)platform };
        bool windows = platform == PLATFORM_WINDOWS_81 || platform == PLATFORM_WINDOWS_10;
        enum err err = variable_find(BYTES_LIT("FullyQualifiedDomainName"), &scope, &variable, &why);
        assert_int_equal(err, windows ? OK : ERR_PROFILE);
    }
    assert_string_equal(why.text, "{{FullyQualifiedDomainName}} is for windows-81 or windows-10 in a domain, "
                                  "this profile is for linux");
    struct device alone = *fixture_device();
    struct holder holder = { NULL, &alone };
    struct bytes value;
    alone.domain_joined = false;
    ASSERT_OK(
        variable_find(BYTES_LIT("FullyQualifiedDomainName"), SCOPE(DEVICE, WINDOWS_10), &variable, &why),
        &why);
    ASSERT_ERR(ERR_PROFILE_VALUE, variable_value(variable, &holder, &value, &why), &why);
    assert_string_equal(why.text, "{{FullyQualifiedDomainName}} has no value for device \"laptop-7\" "
                                  "(22222222-2222-4222-8222-222222222222): it is not joined to a domain");
}

/* Absent and empty are the same. */
TEST(a_missing_value_is_an_error_that_names_variable_and_device)
{
    struct user nobody = { .id = "u", .upn = "" };
    struct device bare = { .id = "d-1", .name = "", .imei = "", .domain_joined = true };
    struct holder holder = { &nobody, &bare };
    for (size_t i = 0; i < ROWS; i++) {
        const struct variable *variable;
        struct why why = { 0 };
        struct bytes value = BYTES_NONE;
        struct scope scope = { rows[i].user ? CERTIFICATE_USER : CERTIFICATE_DEVICE, PLATFORM_WINDOWS_10 };
        AUTO_STR wanted = xasprintf("{{%s}} has no value for device \"\" (d-1): ", rows[i].name);
        ASSERT_OK(variable_find(bytes_str(rows[i].name), &scope, &variable, &why), &why);
        ASSERT_ERR(ERR_PROFILE_VALUE, variable_value(variable, &holder, &value, &why), &why);
        assert_int_equal(strncmp(why.text, wanted, strlen(wanted)), 0);
        assert_null(value.data);
    }
}

TEST(a_device_without_a_user_has_no_value_of_one)
{
    struct holder holder = { NULL, fixture_device() };
    const struct variable *variable;
    struct why why = { 0 };
    struct bytes value;
    ASSERT_OK(variable_find(BYTES_LIT("EmailAddress"), SCOPE(USER, IOS), &variable, &why), &why);
    ASSERT_ERR(ERR_PROFILE_VALUE, variable_value(variable, &holder, &value, &why), &why);
    assert_non_null(strstr(why.text, "it has no user"));
    ASSERT_OK(variable_find(BYTES_LIT("SERIALNUMBER"), SCOPE(USER, IOS), &variable, &why), &why);
    ASSERT_OK(variable_value(variable, &holder, &value, &why), &why);
}

TEST(users_and_devices_are_freed_whole_or_empty)
{
    struct user user = { xstrdup("i"), xstrdup("u"), xstrdup("n"), xstrdup("e"), xstrdup("d"),
                         xstrdup("s"), xstrdup("S"), true,         true };
    struct device device = { .id = xstrdup("i"),
                             .directory_id = xstrdup("d"),
                             .owner = xstrdup("o"),
                             .serial = xstrdup("s"),
                             .imei = xstrdup("i"),
                             .meid = xstrdup("m"),
                             .wifi_mac = xstrdup("w"),
                             .name = xstrdup("n"),
                             .fqdn = xstrdup("f"),
                             .platform = PLATFORM_IOS };
    for (int i = 0; i < 2; i++) {
        user_free(&user);
        device_free(&device);
        assert_null(user.sid);
        assert_null(device.fqdn);
        assert_int_equal(device.platform, PLATFORM_NONE);
    }
    assert_string_equal(word_name(&device_state_words, DEVICE_RETIRED), "retired");
    assert_int_equal(word_find(&device_state_words, BYTES_LIT("wiped")), DEVICE_WIPED);
}

RUN(T(each_variable_has_its_value_in_profiles_of_its_kind),
    T(an_unknown_variable_is_refused_with_what_there_is), T(letter_case_counts_and_the_right_one_is_said),
    T(the_domain_name_is_for_windows_in_a_domain),
    T(a_missing_value_is_an_error_that_names_variable_and_device),
    T(a_device_without_a_user_has_no_value_of_one), T(users_and_devices_are_freed_whole_or_empty))

/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles that are kept: saved as a whole, version by version. */
#include "mdm/schema.h"
#include "tests/unit/mdm/profile_kept.h"

#define PROFILES "/api/v1/profiles"

static json_int_t number(const char *member)
{
    return json_integer_value(json_object_get(directory.answer, member));
}

static const char *setting(const char *member)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(directory.answer, "profile"), member));
    return text ? text : "";
}

static size_t listed(const char *target)
{
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_array_size(json_object_get(directory.answer, "items"));
}

/* Says what of that field, among the answer's problems or warnings? */
static bool finds(const char *where, const char *field, const char *says)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(directory.answer, where), index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "field")), field) == 0 &&
            strstr(json_string_value(json_object_get(item, "rule")), says))
            return true;
    }
    return false;
}

TEST(a_profile_is_added_shown_listed_and_deleted)
{
    AUTO_STR root = xstrdup(profile_made("trusted", NULL, NULL));
    assert_int_equal(1, number("version"));
    assert_string_equal(answered("type"), "trusted-certificate");
    profile_made("user", "description", "'for Wi-Fi'");
    assert_string_equal(answered("root"), root);
    assert_string_equal(answered("certificate_type"), "user");
    assert_true(finds("warnings", "root_certificate", "not compared with"));
    ASSERT_STATUS(200, ask(HTTP_GET, PROFILES "/USERS", NULL));
    assert_string_equal(setting("root_certificate"), "Root");
    assert_string_equal(answered("description"), "for Wi-Fi");
    assert_int_equal(2, listed(PROFILES));
    assert_int_equal(1, listed(PROFILES "?type=scep"));
    assert_int_equal(0, listed(PROFILES "?platform=ios"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, PROFILES "/users", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, PROFILES "/users", NULL));
    assert_int_equal(1, listed(PROFILES));
    assert_int_equal(2, counted("SELECT COUNT(*) FROM profile_version"));
    profile_made("user", NULL, NULL); /* its name is free again */
    assert_int_equal(
        1, counted("SELECT COUNT(*) FROM audit WHERE action = 'profile_delete' AND actor = 'admin/anna'"));
}

TEST(every_save_is_the_next_version_and_what_changes_nothing_is_none)
{
    profile_made("trusted", NULL, NULL);
    profile_made("user", NULL, NULL);
    json_int_t change = number("change");
    ASSERT_STATUS(200, profile_send(HTTP_PUT, PROFILES "/users", fixture_json("user")));
    assert_int_equal(1, number("version"));
    assert_int_equal(change, number("change"));
    directory.clock.held += 10;
    ASSERT_STATUS(
        200, profile_send(HTTP_PUT, PROFILES "/users", fixture_json_with("user", "renewal_threshold", "30")));
    assert_int_equal(2, number("version"));
    assert_true(number("change") > change);
    assert_string_equal(answered("changed_at"), "2026-09-21T14:13:30Z");
    ASSERT_STATUS(200,
                  profile_send(HTTP_PUT, PROFILES "/users", fixture_json_with("user", "name", "'Staff'")));
    assert_int_equal(3, listed(PROFILES "/staff/versions"));
    assert_int_equal(1, listed(PROFILES "/staff/versions?limit=1"));
    assert_string_equal(answered("next"), "3");
    assert_int_equal(2, listed(PROFILES "/staff/versions?after=3"));
    ASSERT_STATUS(200, ask(HTTP_GET, PROFILES "/staff/versions/2", NULL));
    assert_string_equal(setting("name"), "Users");
    assert_string_equal(answered("saved_by"), "admin/anna");
    ASSERT_STATUS(404, ask(HTTP_GET, PROFILES "/staff/versions/4", NULL));
    ASSERT_STATUS(422, ask(HTTP_GET, PROFILES "/staff/versions/0", NULL));
    ASSERT_STATUS(422, ask(HTTP_GET, PROFILES "/staff/versions/2x", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, PROFILES "/staff/versions/2147483648", NULL));
    ASSERT_STATUS(422, ask(HTTP_GET, PROFILES "/staff/versions/99999999999999999999", NULL));
    assert_int_equal(2, counted("SELECT COUNT(*) FROM audit WHERE action = 'profile_set'"));
}

TEST(what_is_shown_can_be_saved_again)
{
    AUTO_STR root = xstrdup(profile_made("trusted", NULL, NULL));
    profile_made("user", NULL, NULL);
    json_t *shown = json_incref(json_object_get(directory.answer, "profile"));
    ASSERT_STATUS(200, profile_send(HTTP_PUT, PROFILES "/users", shown));
    assert_int_equal(1, number("version"));
    /* Its root by id is the same, and another name of the root is no change of it. */
    AUTO_STR by_id = xasprintf("'%s'", root);
    ASSERT_STATUS(
        200, profile_send(HTTP_PUT, PROFILES "/users", fixture_json_with("user", "root_certificate", by_id)));
    assert_int_equal(1, number("version"));
    ASSERT_STATUS(
        200, profile_send(HTTP_PUT, PROFILES "/root", fixture_json_with("trusted", "name", "'Old root'")));
    ASSERT_STATUS(200, ask(HTTP_GET, PROFILES "/users", NULL));
    assert_string_equal(setting("root_certificate"), "Old root");
    assert_int_equal(1, number("version"));
}

TEST(all_that_is_wrong_is_said_and_nothing_is_kept)
{
    profile_made("trusted", NULL, NULL);
    json_t *wrong = fixture_json_with("user", "key_size", "2047");
    json_object_set_new(wrong, "root_certificate", json_string("Nowhere"));
    json_object_set_new(wrong, "nonsense", json_true());
    ASSERT_STATUS(422, profile_send(HTTP_POST, PROFILES, wrong));
    assert_string_equal(answered("code"), "ERR_PROFILE");
    assert_int_equal(3, json_array_size(json_object_get(directory.answer, "problems")));
    assert_true(finds("problems", "key_size", "must be 1024, 2048 or 4096"));
    assert_true(finds("problems", "root_certificate", "there is no profile of that name"));
    assert_true(finds("problems", "nonsense", "no such setting"));
    ASSERT_STATUS(422, ask(HTTP_POST, PROFILES, "[]"));
    ASSERT_STATUS(422, ask(HTTP_POST, PROFILES, "{\"a\":"));
    ASSERT_STATUS(
        422, profile_send(HTTP_POST, PROFILES,
                          fixture_json_with("trusted", "name", "'1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f'")));
    assert_true(finds("problems", "name", "must be no UUID"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM profile"));
}

TEST(a_root_is_a_trusted_certificate_of_the_same_platform)
{
    profile_made("trusted", "platform", "'ios'");
    ASSERT_STATUS(422, profile_send(HTTP_POST, PROFILES, fixture_json("user")));
    assert_true(finds("problems", "root_certificate", "is for ios, this profile is for windows-10"));
    profile_made("imported", NULL, NULL);
    ASSERT_STATUS(
        422, profile_send(HTTP_POST, PROFILES, fixture_json_with("user", "root_certificate", "'old keys'")));
    assert_true(finds("problems", "root_certificate", "must name a trusted-certificate profile"));
}

TEST(a_name_is_that_of_one_profile_whatever_its_letter_case)
{
    profile_made("trusted", NULL, NULL);
    profile_made("imported", NULL, NULL);
    ASSERT_STATUS(409, profile_send(HTTP_POST, PROFILES, fixture_json_with("trusted", "name", "'ROOT'")));
    ASSERT_SAYS("name \"ROOT\" is that of another profile");
    ASSERT_STATUS(
        409, profile_send(HTTP_PUT, PROFILES "/old%20keys", fixture_json_with("imported", "name", "'root'")));
    assert_int_equal(2, counted("SELECT COUNT(*) FROM profile_version"));
}

TEST(type_and_platform_are_for_ever)
{
    profile_made("trusted", NULL, NULL);
    ASSERT_STATUS(
        422, profile_send(HTTP_PUT, PROFILES "/root", fixture_json_with("trusted", "platform", "'ios'")));
    assert_true(finds("problems", "platform", "is windows-10 for ever"));
    ASSERT_STATUS(422, profile_send(HTTP_PUT, PROFILES "/root", fixture_json("imported")));
    assert_true(finds("problems", "type", "is trusted-certificate for ever"));
}

TEST(a_root_that_is_named_is_not_deleted)
{
    profile_made("trusted", NULL, NULL);
    profile_made("user", NULL, NULL);
    ASSERT_STATUS(409, ask(HTTP_DELETE, PROFILES "/root", NULL));
    ASSERT_SAYS("profile Root is the root certificate of Users");
    ASSERT_STATUS(204, ask(HTTP_DELETE, PROFILES "/users", NULL));
    ASSERT_STATUS(204, ask(HTTP_DELETE, PROFILES "/root", NULL));
}

TEST(a_preview_is_of_the_newest_version_for_the_device_and_its_user)
{
    profile_made("trusted", NULL, NULL);
    profile_made("user", NULL, NULL);
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    made("/api/v1/devices", "{\"platform\":\"windows-10\",\"name\":\"PC7\",\"owner\":\"a@b\"}");
    made("/api/v1/devices", "{\"platform\":\"windows-10\",\"name\":\"kiosk\"}");
    ASSERT_STATUS(200,
                  profile_send(HTTP_PUT, PROFILES "/users", fixture_json_with("user", "key_size", "4096")));
    ASSERT_STATUS(200, ask(HTTP_GET, PROFILES "/users/preview?device=pc7", NULL));
    assert_true(json_is_false(json_object_get(directory.answer, "fails")));
    assert_int_equal(2, number("version"));
    assert_string_equal(answered("subject"), "CN=a@b");
    assert_non_null(strstr(answered("text"), "key: RSA of 4096 bits"));
    ASSERT_STATUS(200, ask(HTTP_GET, PROFILES "/users/preview?device=kiosk", NULL));
    assert_true(json_is_true(json_object_get(directory.answer, "fails")));
    assert_string_equal(answered("code"), "ERR_PROFILE_DEVICE");
    assert_non_null(strstr(answered("reason"), "has no user"));
    assert_string_equal(answered("subject"), "");
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/a@b", NULL));
    ASSERT_STATUS(200, ask(HTTP_GET, PROFILES "/users/preview?device=pc7", NULL));
    assert_non_null(strstr(answered("reason"), "who is deleted"));
    ASSERT_STATUS(404, ask(HTTP_GET, PROFILES "/users/preview?device=nobody", NULL));
    ASSERT_STATUS(404, ask(HTTP_GET, PROFILES "/nobody/preview?device=pc7", NULL));
    assert_true(ask(HTTP_GET, PROFILES "/users/preview", NULL) >= 400);
}

TEST(a_directory_from_before_profiles_is_taken_along)
{
    struct why why = { 0 };
    struct store_config config = place_config(&directory_place, mdm_migrations, 1);
    store_free(TAKE(directory.mdm.store));
    ASSERT_OK(store_open(&config, &directory.mdm.store, &why), &why);
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    store_free(TAKE(directory.mdm.store));
    config = place_config_again(&directory_place, mdm_migrations, mdm_migration_count);
    ASSERT_OK(store_open(&config, &directory.mdm.store, &why), &why);
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users/a@b", NULL));
    profile_made("trusted", NULL, NULL);
}

DIRECTORY_MAIN(D(a_profile_is_added_shown_listed_and_deleted),
               D(every_save_is_the_next_version_and_what_changes_nothing_is_none),
               D(what_is_shown_can_be_saved_again), D(all_that_is_wrong_is_said_and_nothing_is_kept),
               D(a_root_is_a_trusted_certificate_of_the_same_platform),
               D(a_name_is_that_of_one_profile_whatever_its_letter_case), D(type_and_platform_are_for_ever),
               D(a_root_that_is_named_is_not_deleted), D(a_directory_from_before_profiles_is_taken_along),
               D(a_preview_is_of_the_newest_version_for_the_device_and_its_user))

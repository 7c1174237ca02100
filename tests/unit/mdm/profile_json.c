/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as JSON. */
#include "mdm/profile_json.h"
#include "tests/unit/mdm/profile_fixture.h"

static const char *const all[] = { "trusted", "user", "device", "pkcs", "digicert", "imported" };

static void assert_good(struct bytes text)
{
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(profile) twin = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    AUTO_BUF once = { 0 }, twice = { 0 };
    struct why why = { 0 };
    profile_json_take(text, &profile, &problems);
    profile_check(&profile, NULL, &problems);
    ASSERT_OK(problems_judge(&problems, &why), &why);
    profile_json_append(&once, &profile);
    profile_json_take(buf_bytes(&once), &twin, &problems);
    profile_json_append(&twice, &twin);
    ASSERT_OK(problems_judge(&problems, &why), &why);
    assert_string_equal(buf_text(&once), buf_text(&twice));
}

/* Each member of the text, and nothing but the form of some, is written again. */
TEST(the_examples_of_the_manual_are_profiles)
{
    AUTO_BUF page = { 0 };
    struct why why = { 0 };
    int examples = 0;
    ASSERT_OK(file_read(TEST_DOCS "/profiles.md", 1 << 20, &page, &why), &why);
    const char *at = buf_text(&page);
    while ((at = strstr(at, "```json\n"))) {
        at += 8;
        const char *end = strstr(at, "```");
        assert_non_null(end);
        assert_good(bytes_of(at, (size_t)(end - at)));
        at = end + 3;
        examples++;
    }
    assert_int_equal(examples, 6);
}

/* Whatever a member is called in the table, the manual has it, and every variable and word too. */
TEST(the_manual_has_every_member)
{
    static const struct words *const words[] = { &platform_words,     &profile_type_words,
                                                 &subject_kind_words, &certificate_kind_words,
                                                 &key_storage_words,  &destination_store_words,
                                                 &profile_hash_words, &intended_purpose_words,
                                                 &validity_unit_words };
    AUTO_BUF page = { 0 };
    struct why why = { 0 };
    ASSERT_OK(file_read(TEST_DOCS "/profiles.md", 1 << 20, &page, &why), &why);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        for (int j = 1; j < words[i]->count; j++) {
            AUTO_STR word = xasprintf("`%s`", words[i]->names[j]);
            AUTO_STR quoted = xasprintf("\"%s\"", words[i]->names[j]);
            if (!strstr(buf_text(&page), word) && !strstr(buf_text(&page), quoted))
                fail_msg("%s is not in the manual", word);
        }
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        json_t *document = fixture_json(all[i]);
        const char *key;
        json_t *value;
        json_object_foreach(document, key, value)
        {
            AUTO_STR word = xasprintf("`%s`", key);
            if (!strstr(buf_text(&page), word))
                fail_msg("%s is not in the manual", word);
        }
        json_decref(document);
    }
}

TEST(what_is_written_is_read_as_the_same)
{
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        json_t *document = fixture_json(all[i]);
        char *text = json_dumps(document, 0);
        assert_good(bytes_str(text));
        free(text);
        json_decref(document);
    }
}

TEST(everything_is_taken_where_it_belongs)
{
    AUTO_VAL(profile)
    user = fixture_profile_with("user", "validity_period", "{'number': 6, 'unit': 'months'}");
    assert_string_equal(user.name, "Users");
    assert_int_equal(user.type, PROFILE_SCEP);
    assert_int_equal(user.platform, PLATFORM_WINDOWS_10);
    assert_int_equal(user.kind, CERTIFICATE_USER);
    assert_int_equal(user.subject_kind, SUBJECT_COMMON_NAME);
    assert_int_equal(user.key_usage, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
    assert_int_equal(user.key_size, 2048);
    assert_int_equal(user.hash, HASH_SHA_2);
    assert_int_equal(user.renewal_threshold, 20);
    assert_int_equal(user.purpose_count, 1);
    assert_string_equal(user.purposes[0].oid, "1.3.6.1.5.5.7.3.2");
    assert_int_equal(user.url_count, 1);
    assert_int_equal(validity_seconds(&user.validity), 180LL * 86400);
    AUTO_VAL(profile) pkcs = fixture_profile_with("pkcs", "allow_all_apps_access", "true");
    assert_true(pkcs.all_apps);
    assert_string_equal(pkcs.authority, "ca.example.test");
    assert_int_equal(pkcs.validity.unit, UNIT_NONE);
    assert_int_equal(validity_seconds(&pkcs.validity), 0);
    AUTO_VAL(profile) device = fixture_profile("device");
    assert_string_equal(profile_subject(&device), "CN={{AAD_Device_ID}}");
    assert_string_equal(profile_subject(&user), "CN={{UserName}}");
}

TEST(unknown_members_are_refused_by_name)
{
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        fixture_assert(all[i], "hash_algoritm", "'SHA-2'", "hash_algoritm",
                       "hash_algoritm is \"\"SHA-2\"\": no such setting");
        fixture_assert(all[i], "Name", "null", "Name", "no such setting");
        fixture_assert(all[i], "", "[1]", "", "no such setting");
        fixture_assert(all[i], "id", "1", "id", "no such setting");
    }
    fixture_assert("user", "a\nb\x1b", "1", "a\\0Ab\\1B", "no such setting");
}

TEST(members_of_other_types_are_refused_by_name)
{
    fixture_assert("trusted", "key_size", "2048", "key_size",
                   "a setting of scep, this profile is of type trusted-certificate");
    fixture_assert("user", "certification_authority", "'ca.example.test'", "certification_authority",
                   "a setting of pkcs, this profile is of type scep");
    fixture_assert("imported", "renewal_threshold", "20", "renewal_threshold",
                   "a setting of scep or pkcs, this profile is of type pkcs-imported");
    fixture_assert("pkcs", "hash_algorithm", "'SHA-2'", "hash_algorithm", "a setting of scep");
    fixture_assert("pkcs", "destination_store", "'computer-root'", "destination_store",
                   "a setting of trusted-certificate");
}

TEST(values_of_another_json_type_are_refused)
{
    static const struct {
        const char *which, *member, *json, *says;
    } rows[] = {
        { "user", "description", "1", "must be a string" },
        { "user", "description", "null", "must be a string" },
        { "user", "subject_alternative_names", "'email'", "must be an array" },
        { "user", "scep_server_urls", "'https://a.b'", "must be an array" },
        { "user", "key_usage", "'digitalSignature'", "must be an array" },
        { "user", "key_usage", "{}", "must be an array" },
        { "user", "extended_key_usage", "['clientAuth']", "must be an object of" },
        { "user", "key_size", "'2048'", "must be a whole number" },
        { "user", "key_size", "2048.0", "must be a whole number" },
        { "user", "key_size", "true", "must be a whole number" },
        { "user", "renewal_threshold", "null", "must be a whole number" },
        { "user", "validity_period", "'1 year'", "must be an object of" },
        { "user", "validity_period", "{'number': 1}", "must be an object of" },
        { "user", "validity_period", "{'number': 1, 'unit': 'years', 'x': 1}", "must be an object of" },
        { "user", "extended_key_usage", "[{'name': 'x', 'oid': '1.2.3', 'critical': true}]",
          "must be an object of" },
        { "pkcs", "allow_all_apps_access", "'true'", "must be true or false" },
        { "pkcs", "allow_all_apps_access", "1", "must be true or false" },
        { "trusted", "certificate", "[]", "must be one certificate" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bool inside = strcmp(rows[i].member, "extended_key_usage") == 0;
        fixture_assert(rows[i].which, rows[i].member, rows[i].json,
                       inside ? "extended_key_usage[0]" : rows[i].member, rows[i].says);
    }
}

TEST(words_are_those_of_the_table)
{
    static const char *const rows[][3] = {
        { "user", "hash_algorithm", "SHA-1 or SHA-2" },
        { "user", "key_storage_provider",
          "tpm-else-software, tpm-else-fail, passport-else-fail or software" },
        { "user", "subject_name_format", "serial-number or custom" },
        { "user", "certificate_type", "user or device" },
        { "trusted", "destination_store", "computer-root, computer-intermediate or user-intermediate" },
        { "imported", "intended_purpose", "unassigned, smimeEncryption or smimeSigning" },
        { "imported", "platform", "windows-10 or linux" },
        { "user", "type", "pkcs or pkcs-imported" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        fixture_assert(rows[i][0], rows[i][1], "'Software'", rows[i][1], rows[i][2]);
        fixture_assert(rows[i][0], rows[i][1], "''", rows[i][1], rows[i][2]);
        fixture_assert(rows[i][0], rows[i][1], "7", rows[i][1], rows[i][2]);
    }
}

TEST(numbers_have_their_bounds)
{
    fixture_assert("user", "renewal_threshold", "1", NULL, NULL);
    fixture_assert("user", "renewal_threshold", "99", NULL, NULL);
    fixture_assert("user", "renewal_threshold", "0", "renewal_threshold",
                   "renewal_threshold is \"0\": must be a whole number, 1 to 99");
    fixture_assert("user", "renewal_threshold", "100", "renewal_threshold", "1 to 99");
    fixture_assert("user", "renewal_threshold", "-1", "renewal_threshold", "1 to 99");
    fixture_assert("user", "key_size", "1023", "key_size", "1024 to 4096");
    fixture_assert("user", "key_size", "4097", "key_size", "1024 to 4096");
    fixture_assert("user", "key_size", "9223372036854775807", "key_size", "1024 to 4096");
    fixture_assert("user", "validity_period", "{'number': 36500, 'unit': 'days'}", NULL, NULL);
    fixture_assert("user", "validity_period", "{'number': 36501, 'unit': 'days'}", "validity_period.number",
                   "1 to 36500");
    fixture_assert("user", "validity_period", "{'number': 0, 'unit': 'days'}", "validity_period.number",
                   "1 to 36500");
    fixture_assert("user", "validity_period", "{'number': 1, 'unit': 'weeks'}", "validity_period.unit",
                   "days, months or years");
}

/* A JSON string of so many letters. */
static char *letters(size_t count)
{
    char *text = xmalloc(count + 3);
    memset(text, 'a', count + 2);
    text[0] = text[count + 1] = '\'';
    text[count + 2] = '\0';
    return text;
}

TEST(texts_have_their_lengths_and_no_control_characters)
{
    static const struct {
        const char *member;
        size_t least, most;
    } rows[] = {
        { "name", 1, LIMIT_PROFILE_NAME_BYTES },
        { "description", 0, LIMIT_PROFILE_TEXT_BYTES },
        { "root_certificate", 1, LIMIT_PROFILE_NAME_BYTES },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_STR at = letters(rows[i].most);
        AUTO_STR past = letters(rows[i].most + 1);
        AUTO_STR says =
            xasprintf("%zu octets, allowed are %zu to %zu", rows[i].most + 1, rows[i].least, rows[i].most);
        fixture_assert("user", rows[i].member, at, NULL, NULL);
        fixture_assert("user", rows[i].member, past, rows[i].member, says);
        fixture_assert("user", rows[i].member, "'a\\u0007b'", rows[i].member, "control characters");
        fixture_assert("user", rows[i].member, "'a\\u0085b'", rows[i].member, "control characters");
        if (rows[i].least)
            fixture_assert("user", rows[i].member, "''", rows[i].member, "0 octets");
    }
    fixture_assert("user", "description", "''", NULL, NULL);
    fixture_assert("user", "description", "'two\\nlines'", NULL, NULL);
    fixture_assert("user", "name", "'two\\nlines'", "name", "control characters");
}

static void assert_list(const char *member, const char *row, const char *last, size_t most, const char *path,
                        const char *says)
{
    AUTO_BUF list = { 0 };
    for (size_t i = 0; i < most; i++)
        buf_printf(&list, i ? ", %s%zu%s" : "[%s%zu%s", row, i, last);
    AUTO_STR at = xasprintf("%s]", buf_text(&list));
    AUTO_STR past = xasprintf("%s, %s9999%s]", buf_text(&list), row, last);
    fixture_assert("device", member, at, NULL, NULL);
    fixture_assert("device", member, past, path, says);
}

TEST(lists_have_their_lengths)
{
    assert_list("scep_server_urls", "'https://a.b/", "'", LIMIT_PROFILE_URLS, "scep_server_urls",
                "17 of them, at most 16");
    assert_list("subject_alternative_names", "'UPN = u", "'", LIMIT_PROFILE_SANS, "subject_alternative_names",
                "17 of them, at most 16");
    assert_list("extended_key_usage", "{'name': 'x', 'oid': '1.2.3.", "'}", LIMIT_PROFILE_PURPOSES,
                "extended_key_usage", "9 of them, at most 8");
}

TEST(what_is_no_object_is_no_profile)
{
    static const char *const rows[] = { "", "[]", "1", "null", "{", "{\"name\":\"a\",\"name\":\"b\"}" };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        AUTO_VAL(profile) profile = { 0 };
        AUTO_VAL(problems) problems = { 0 };
        profile_json_take(bytes_str(rows[i]), &profile, &problems);
        profile_check(&profile, NULL, &problems);
        assert_int_equal(problems.errors, 1);
        assert_string_equal(problems.list[0].field, "$");
    }
}

TEST(all_that_is_wrong_is_said_at_once)
{
    static const char text[] =
        "{\"name\": 1, \"type\": \"scep\", \"platform\": \"ios\", \"certificate_type\": \"robot\","
        "\"hash_algorithm\": \"SHA-2\", \"key_size\": 1000, \"what\": 1, \"scep_server_urls\": [\"x\"]}";
    static const char *const fields[] = {
        "name",      "certificate_type",   "hash_algorithm",   "key_size",         "what", "scep_server_urls",
        "key_usage", "extended_key_usage", "root_certificate", "renewal_threshold"
    };
    AUTO_VAL(profile) profile = { 0 };
    AUTO_VAL(problems) problems = { 0 };
    profile_json_take(BYTES_LIT(text), &profile, &problems);
    profile_check(&profile, NULL, &problems);
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (!problems_have(&problems, fields[i]))
            fail_msg("nothing is said of %s", fields[i]);
    assert_int_equal(problems.errors, sizeof(fields) / sizeof(*fields));
}

RUN(T(the_examples_of_the_manual_are_profiles), T(the_manual_has_every_member),
    T(what_is_written_is_read_as_the_same), T(everything_is_taken_where_it_belongs),
    T(unknown_members_are_refused_by_name), T(members_of_other_types_are_refused_by_name),
    T(values_of_another_json_type_are_refused), T(words_are_those_of_the_table), T(numbers_have_their_bounds),
    T(texts_have_their_lengths_and_no_control_characters), T(lists_have_their_lengths),
    T(what_is_no_object_is_no_profile), T(all_that_is_wrong_is_said_at_once))

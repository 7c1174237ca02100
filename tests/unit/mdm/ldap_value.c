/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of values of LDAP and Active Directory, and how far a directory has been read. */
#include "mdm/group_store.h"
#include "mdm/ldap/guard.h"
#include "mdm/ldap/mapping.h"
#include "mdm/ldap/mark.h"
#include "mdm/user_store.h"
#include "tests/unit/config/helper.h"

/* --- identifiers --- */

static const uint8_t a_sid[] = { 1,    5,    0,    0,    0,    0,    0,    5,    21,   0,    0, 0, 0x0C, 0x0B,
                                 0xDD, 0x3B, 0x83, 0xCC, 0x2B, 0x46, 0xFB, 0xE4, 0xA7, 0x28, 0, 2, 0,    0 };

TEST(an_object_sid_is_read_whole_or_not_at_all)
{
    char text[SID_TEXT];
    assert_true(sid_to_text(BYTES_ARR(a_sid), text));
    assert_string_equal("S-1-5-21-1004342028-1177275523-682091771-512", text);
    const uint8_t everyone[] = { 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 }, none[] = { 1, 0, 0, 0, 0, 0, 0, 5 };
    assert_true(sid_to_text(BYTES_ARR(everyone), text));
    assert_string_equal("S-1-1-0", text);
    assert_true(sid_to_text(BYTES_ARR(none), text));
    uint8_t most[8 + 15 * 4] = { 1, 15, 255, 255, 255, 255, 255, 255 };
    memset(most + 8, 255, 60);
    assert_true(sid_to_text(BYTES_ARR(most), text));
    assert_true(strlen(text) < SID_TEXT - 1);
    uint8_t wrong[sizeof(a_sid) + 1] = { 0 };
    memcpy(wrong, a_sid, sizeof(a_sid));
    assert_false(sid_to_text(bytes_of(wrong, sizeof(a_sid) + 1), text)); /* something behind it */
    assert_false(sid_to_text(bytes_of(wrong, sizeof(a_sid) - 1), text));
    assert_false(sid_to_text(bytes_of(wrong, 7), text));
    assert_false(sid_to_text(BYTES_NONE, text));
    wrong[0] = 2;
    assert_false(sid_to_text(bytes_of(wrong, sizeof(a_sid)), text));
    wrong[0] = 1, wrong[1] = 16;
    assert_false(sid_to_text(bytes_of(wrong, sizeof(a_sid)), text));
}

TEST(the_primary_group_is_in_the_user_s_domain)
{
    char text[SID_TEXT];
    assert_true(sid_sibling("S-1-5-21-1-2-3-1104", BYTES_LIT("513"), text));
    assert_string_equal("S-1-5-21-1-2-3-513", text);
    assert_false(sid_sibling("S-1-5-21-1-2-3-1104", BYTES_LIT("513 "), text));
    assert_false(sid_sibling("S-1-5-21-1-2-3-1104", BYTES_LIT("-1"), text));
    assert_false(sid_sibling("S-1-5-21-1-2-3-1104", BYTES_NONE, text));
    assert_false(sid_sibling("", BYTES_LIT("513"), text));
}

TEST(guids_are_the_same_as_other_tools_show_them)
{
    /* MS-DTYP 2.3.4.2: the first three parts are little-endian */
    const uint8_t guid[] = { 0xE0, 0x0C, 0xBD, 0xBD, 0x11, 0x22, 0x33, 0x44,
                             0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC };
    char text[UUID_TEXT];
    AUTO_BUF filter = { 0 };
    assert_true(guid_to_text(BYTES_ARR(guid), text));
    assert_string_equal("bdbd0ce0-2211-4433-5566-778899aabbcc", text);
    filter_append_guid(&filter, text);
    assert_string_equal("\\e0\\0c\\bd\\bd\\11\\22\\33\\44\\55\\66\\77\\88\\99\\aa\\bb\\cc",
                        buf_text(&filter));
    assert_false(guid_to_text(bytes_of(guid, 15), text));
    assert_true(uuid_to_text(BYTES_LIT("BDBD0CE0-2211-4433-5566-778899AABBCC"), text));
    assert_string_equal("bdbd0ce0-2211-4433-5566-778899aabbcc", text);
    assert_false(uuid_to_text(BYTES_LIT("bdbd0ce0"), text));
}

TEST(extended_names_have_their_guid_and_their_name)
{
    struct bytes value =
        BYTES_LIT("<GUID=bdbd0ce0-2211-4433-5566-778899aabbcc>;<SID=S-1-5-21-1-2-3-4>;CN=a>b,DC=x");
    char text[UUID_TEXT];
    assert_true(extended_dn_guid(value, text));
    assert_string_equal("bdbd0ce0-2211-4433-5566-778899aabbcc", text);
    struct bytes name = extended_dn_name(value);
    assert_true(bytes_equal(name, BYTES_LIT("CN=a>b,DC=x")));
    assert_true(bytes_equal(extended_dn_name(BYTES_LIT("CN=a")), BYTES_LIT("CN=a")));
    assert_true(bytes_equal(extended_dn_name(BYTES_LIT("<GUID=x")), BYTES_LIT("<GUID=x")));
    assert_false(extended_dn_guid(BYTES_LIT("CN=a,DC=x"), text));
    assert_false(extended_dn_guid(BYTES_LIT("<GUID=bdbd0ce0-2211-4433-5566-778899aabbcc"), text));
    assert_false(extended_dn_guid(BYTES_LIT("<GUID=zzbd0ce0-2211-4433-5566-778899aabbcc>;"), text));
}

/* --- names, ranges, filters --- */

static void same_key(const char *a, const char *b, bool same)
{
    AUTO_BUF one = { 0 }, other = { 0 };
    assert_true(dn_key(bytes_str(a), &one));
    assert_true(dn_key(bytes_str(b), &other));
    if (bytes_equal(buf_bytes(&one), buf_bytes(&other)) != same)
        fail_msg("%s and %s: %s, %s", a, b, buf_text(&one), buf_text(&other));
}

TEST(a_name_is_the_same_however_it_is_written)
{
    AUTO_BUF key = { 0 };
    same_key("uid=Anna,ou=People,dc=x", "UID=anna, OU=people, DC=X", true);
    same_key("cn=Doe\\, Anna,dc=x", "cn=Doe\\2C Anna,dc=x", true);
    same_key("cn=M\xC3\x9CLLER,dc=x", "cn=m\\C3\\BCller,dc=x", true);
    same_key("uid=anna,dc=x", "uid=anna,dc=y", false);
    assert_false(dn_key(BYTES_LIT("no name"), &key));
    assert_false(dn_key(BYTES_NONE, &key));
    assert_false(dn_key(BYTES_LIT("cn=\xFF,dc=x"), &key));
    assert_false(dn_key(BYTES_LIT("cn=a\0,dc=x"), &key));
}

TEST(ranges_say_where_to_go_on)
{
    static const struct {
        const char *name;
        bool is;
        size_t next;
    } cases[] = {
        { "member;range=0-1499", true, 1500 },
        { "Member;Range=1500-2999", true, 3000 },
        { "member;range=3000-*", true, 0 },
        { "member", false, 0 },
        { "member;range=", false, 0 },
        { "member;range=5-4", false, 0 },
        { "member;range=5-", false, 0 },
        { "member;range=-5", false, 0 },
        { "member;range=0-9x", false, 0 },
        { "member;lang-de", false, 0 },
        { "member;range=0-99999999999999999999999", false, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_STR base = NULL;
        size_t next = 0;
        bool is = range_parse(cases[i].name, &base, &next);
        if (is != cases[i].is || (is && (next != cases[i].next || strcasecmp(base, "member") != 0)))
            fail_msg("%s: %d %zu", cases[i].name, is, next);
    }
}

TEST(what_goes_into_a_filter_ends_no_filter)
{
    AUTO_BUF filter = { 0 };
    filter_append_value(&filter, bytes_of("*)(uid=a\\\0\xFF", 11));
    assert_string_equal("\\2a\\29\\28uid=a\\5c\\00\\ff", buf_text(&filter));
}

static bool is_disabled(const char *rule_text, const char *attribute, const char *value)
{
    struct disabled_rule rule;
    AUTO_VAL(entry) entry = { 0 };
    disabled_rule_parse(rule_text, &rule);
    entry_add(&entry, attribute, bytes_str(value));
    bool disabled = disabled_by(&rule, &entry);
    disabled_rule_free(&rule);
    return disabled;
}

TEST(an_account_is_disabled_by_a_bit_a_value_or_an_attribute)
{
    assert_true(is_disabled("userAccountControl&2", "userAccountControl", "514"));
    assert_true(is_disabled("userAccountControl&2", "USERACCOUNTCONTROL", "66050"));
    assert_false(is_disabled("userAccountControl&2", "userAccountControl", "512"));
    assert_false(is_disabled("userAccountControl&2", "userAccountControl", "x"));
    assert_false(is_disabled("userAccountControl&2", "other", "2"));
    assert_true(is_disabled("locked=TRUE", "locked", "true"));
    assert_false(is_disabled("locked=TRUE", "locked", "FALSE"));
    assert_true(is_disabled("lockedTime", "lockedTime", "anything"));
    assert_false(is_disabled("none", "none", "1"));
}

/* --- marks --- */

#define SECTION(schema)                                                                                      \
    USER "directory \"corp\" {\nschema = " schema                                                            \
         "\nbase = \"dc=x\"\nurls = {\"ldaps://a\"}\noverlap = 60\n}\n"
static struct ldap_settings settings_of(const struct config *config)
{
    struct ldap_settings settings;
    ldap_settings_take(config, config_at(config, "directory", 0), &settings);
    return settings;
}

TEST(times_of_ldap_are_read_strictly)
{
    static const char *const wrong[] = { "",
                                         "20260501090000",
                                         "2026050109000Z",
                                         "20260501090000.Z",
                                         "20260501090000+0100",
                                         "20261301090000Z",
                                         "20260230090000Z",
                                         "20260501096000Z",
                                         "20260501090000ZZ",
                                         "20260501090000.1xZ" };
    int64_t at = 0;
    assert_true(generalized_time(BYTES_LIT("20260501090000Z"), &at));
    assert_int_equal(1777626000, at);
    assert_true(generalized_time(BYTES_LIT("20260501090000.123456Z"), &at));
    assert_true(generalized_time(BYTES_LIT("20260501090000.0Z"), &at));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        if (generalized_time(bytes_str(wrong[i]), &at))
            fail_msg("%s is taken", wrong[i]);
    }
}

TEST(a_mark_of_openldap_looks_back_and_never_ahead)
{
    AUTO(config) config = load(SECTION("openldap"));
    AUTO_VAL(ldap_settings) settings = settings_of(config);
    AUTO_VAL(mark) last = { 0 }, next = { 0 };
    AUTO_BUF filter = { 0 };
    const struct ldap_root root = { 0 };
    assert_false(mark_goes_on(&last, &settings, &root));
    mark_from_text("1777626000 ", &last);
    assert_true(mark_goes_on(&last, &settings, &root));
    mark_append_filter(&filter, &last, &settings, "(a=b)");
    assert_string_equal("(&(a=b)(modifyTimestamp>=20260501085900Z))", buf_text(&filter));
    mark_make(&settings, &root, &last, 1777629999, 1777627000, &next); /* an entry from the future */
    assert_int_equal(1777627000, next.number);
    mark_free(&next);
    mark_make(&settings, &root, &last, 5, 1777627000, &next); /* nothing new */
    assert_int_equal(1777626000, next.number);
}

TEST(a_mark_of_active_directory_is_one_controller_s)
{
    AUTO(config) config = load(SECTION("ad"));
    AUTO_VAL(ldap_settings) settings = settings_of(config);
    AUTO_VAL(mark) last = { 0 }, next = { 0 };
    AUTO_BUF filter = { 0 };
    char one[] = "one", two[] = "two";
    const struct ldap_root same = { .server = one, .highest = 500 },
                           other = { .server = two, .highest = 500 },
                           restored = { .server = one, .highest = 399 }, silent = { .highest = 500 };
    mark_from_text("400 one", &last);
    assert_true(mark_goes_on(&last, &settings, &same));
    assert_false(mark_goes_on(&last, &settings, &other));
    assert_false(mark_goes_on(&last, &settings, &restored));
    assert_false(mark_goes_on(&last, &settings, &silent));
    mark_append_filter(&filter, &last, &settings, "(a=b)");
    assert_string_equal("(&(a=b)(uSNChanged>=401))", buf_text(&filter));
    mark_make(&settings, &same, &last, 0, 0, &next);
    AUTO_STR text = mark_to_text(&next);
    assert_string_equal("500 one", text);
}

TEST(what_is_no_mark_of_ours_is_none)
{
    static const char *const wrong[] = { "",          "x", "-5 a", "0 a", "5", "99999999999999999999999 a",
                                         "5)(uid=* a" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct mark mark;
        mark_from_text(wrong[i], &mark);
        if (mark.number)
            fail_msg("%s is taken", wrong[i]);
    }
}

/* --- the guard --- */

TEST(the_guard_holds_what_is_too_much_and_never_lets_all_go)
{
    static const struct {
        size_t known, gone;
        int percent;
        bool holds;
    } cases[] = {
        { 0, 0, 10, false },
        { 200, 0, 10, false },
        { 200, 20, 10, false },
        { 200, 21, 10, true },
        { 20, 3, 10, false },
        { 20, 4, 10, true },
        { 3, 3, 10, true },
        { 1, 1, 100, true },
        { 5, 4, 100, false },
        { 5, 5, 100, true },
        { 100, 3, 0, false },
        { 100, 4, 0, true },
        { 1000000, 100000, 10, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (guard_holds((struct guard_counts){ cases[i].known, cases[i].gone }, cases[i].percent) !=
            cases[i].holds)
            fail_msg("%zu of %zu at %d %%", cases[i].gone, cases[i].known, cases[i].percent);
    }
}

/* --- entries --- */

static enum err take(const struct ldap_settings *settings, struct entry *entry, struct why *why)
{
    AUTO_VAL(mapped) mapped = { 0 };
    return mapping_take(settings, &user_class, entry, &mapped, why);
}

static struct entry a_user(const char *attribute, struct bytes value)
{
    struct entry entry = { .dn = xstrdup("uid=anna,dc=x") };
    entry_add(&entry, "entryUUID", BYTES_LIT("bdbd0ce0-2211-4433-5566-778899aabbcc"));
    if (attribute)
        entry_add(&entry, attribute, value);
    entry_add(&entry, "mail", BYTES_LIT("anna@example.org"));
    return entry;
}

TEST(hostile_values_are_refused_by_name)
{
    AUTO(config) config = load(SECTION("openldap"));
    AUTO_VAL(ldap_settings) settings = settings_of(config);
    AUTO_BUF large = { 0 };
    for (size_t i = 0; i < 1 << 20; i++)
        buf_append_byte(&large, 'x');
    const struct {
        const char *attribute;
        struct bytes value;
        const char *says;
    } cases[] = {
        { "displayName", BYTES_LIT("two\nlines"), "name is \"two\\0Alines\"" },
        { "displayName", BYTES_LIT("a\0b"), "name is \"a\\00b\"" },
        { "displayName", BYTES_LIT("\xFF\xFE"), "name is \"\\FF\\FE\"" },
        { "displayName", buf_bytes(&large), "are 256 octets, and these are 1048576" },
        { "uid", buf_bytes(&large), "sam_name is \"xxx" },
        { "mail", BYTES_LIT("no address"), "upn is \"no address\"" },
        { "mail", BYTES_LIT("a@b\0@c"), "upn is " },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        AUTO_VAL(entry) entry = a_user(cases[i].attribute, cases[i].value);
        struct why why = { 0 };
        ASSERT_ERR(ERR_VALUE, take(&settings, &entry, &why), &why);
        if (!strstr(why.text, cases[i].says))
            fail_msg("%s: %s", cases[i].attribute, why.text);
    }
}

TEST(an_entry_needs_an_id_and_a_user_a_upn)
{
    AUTO(config) config = load(SECTION("openldap"));
    AUTO_VAL(ldap_settings) settings = settings_of(config);
    AUTO_VAL(entry) without = { .dn = xstrdup("uid=x,dc=x") };
    struct why why = { 0 };
    ASSERT_ERR(ERR_VALUE, take(&settings, &without, &why), &why);
    assert_non_null(strstr(why.text, "entryUUID is not there"));
    entry_add(&without, "entryUUID", BYTES_LIT("bdbd0ce0-2211-4433-5566-778899aabbcc"));
    ASSERT_ERR(ERR_NOT_FOUND, take(&settings, &without, &why), &why);
    AUTO_VAL(entry) good = a_user(NULL, BYTES_NONE);
    ASSERT_OK(take(&settings, &good, &why), &why);
}

TEST(members_are_keys_in_order_each_once)
{
    AUTO(config) config = load(SECTION("openldap"));
    AUTO_VAL(ldap_settings) settings = settings_of(config);
    AUTO_VAL(entry) group = { .dn = xstrdup("cn=staff,dc=x") };
    AUTO_VAL(mapped) mapped = { 0 };
    struct why why = { 0 };
    entry_add(&group, "entryUUID", BYTES_LIT("bdbd0ce0-2211-4433-5566-778899aabbcc"));
    entry_add(&group, "cn", BYTES_LIT("staff"));
    entry_add(&group, "member", BYTES_LIT("uid=b,dc=x"));
    entry_add(&group, "member", BYTES_LIT("uid=a,dc=x"));
    entry_add(&group, "member", BYTES_LIT("UID=B, dc=x"));
    entry_add(&group, "member", BYTES_LIT("no name"));
    ASSERT_OK(mapping_take(&settings, &group_class, &group, &mapped, &why), &why);
    assert_int_equal(2, mapped.member_count);
    assert_int_equal(1, mapped.odd_members);
    assert_string_equal("uid=a,dc=x", mapped.members[0]);
}

TEST(a_group_has_a_largest_size)
{
    AUTO(config) config = load(SECTION("openldap"));
    AUTO_VAL(ldap_settings) settings = settings_of(config);
    AUTO_VAL(entry) group = { .dn = xstrdup("cn=staff,dc=x") };
    AUTO_VAL(mapped) mapped = { 0 };
    AUTO_VAL(mapped) refused = { 0 };
    struct why why = { 0 };
    entry_add(&group, "entryUUID", BYTES_LIT("bdbd0ce0-2211-4433-5566-778899aabbcc"));
    entry_add(&group, "cn", BYTES_LIT("staff"));
    for (int i = 0; i < LIMIT_LDAP_MEMBERS; i++)
        entry_add(&group, "member", BYTES_LIT("uid=x,dc=x"));
    ASSERT_OK(mapping_take(&settings, &group_class, &group, &mapped, &why), &why);
    assert_int_equal(1, mapped.member_count);
    entry_add(&group, "member", BYTES_LIT("uid=y,dc=x"));
    ASSERT_ERR(ERR_LIMIT, mapping_take(&settings, &group_class, &group, &refused, &why), &why);
    assert_string_equal("a group of 200001 members, limit 200000", why.text);
}

RUN(T(a_group_has_a_largest_size), T(an_object_sid_is_read_whole_or_not_at_all),
    T(the_primary_group_is_in_the_user_s_domain), T(guids_are_the_same_as_other_tools_show_them),
    T(extended_names_have_their_guid_and_their_name), T(a_name_is_the_same_however_it_is_written),
    T(ranges_say_where_to_go_on), T(what_goes_into_a_filter_ends_no_filter),
    T(an_account_is_disabled_by_a_bit_a_value_or_an_attribute), T(times_of_ldap_are_read_strictly),
    T(a_mark_of_openldap_looks_back_and_never_ahead), T(a_mark_of_active_directory_is_one_controller_s),
    T(what_is_no_mark_of_ours_is_none), T(the_guard_holds_what_is_too_much_and_never_lets_all_go),
    T(hostile_values_are_refused_by_name), T(an_entry_needs_an_id_and_a_user_a_upn),
    T(members_are_keys_in_order_each_once))

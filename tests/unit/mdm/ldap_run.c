/* SPDX-License-Identifier: Apache-2.0 */
/* Runs against a server that is an array: what becomes of the directory, and what does not. */
#include "tests/unit/mdm/directory.h"

#include "mdm/ldap/keeper.h"
#include "mdm/ldap/kept.h"
#include "tests/unit/config/helper.h"

#define ENTRIES_MAX 64
struct fake {
    bool group, gone, said;                  /* said: Active Directory tells of its deletion */
    const char *id, *dn, *name, *upn, *more; /* more: ATTRIBUTE=VALUE */
    const char *members[8];
    int64_t changed;
};
static struct server {
    struct fake entries[ENTRIES_MAX];
    size_t count;
    size_t breaks_after; /* entries of one run; 0: it does not */
    size_t told, searches, full_searches;
    struct ldap_root root;
} server;
static struct config *config;
static struct ldap_keeper *keeper;
static struct why last;

#define ID(n) "00000000-0000-4000-8000-0000000000" #n

static struct fake *user(const char *id, const char *dn, const char *upn)
{
    struct fake *fake = &server.entries[server.count++];
    *fake = (struct fake){ .id = id, .dn = dn, .name = upn, .upn = upn, .changed = NOW };
    return fake;
}

static struct fake *group(const char *id, const char *dn, const char *name, const char *member)
{
    struct fake *fake = &server.entries[server.count++];
    *fake = (struct fake){
        .group = true, .id = id, .dn = dn, .name = name, .changed = NOW, .members = { member }
    };
    return fake;
}

/* --- the server --- */

static bool ad(void)
{
    return ldap_directory_settings(ldap_keeper_at(keeper, 0))->schema == LDAP_SCHEMA_AD;
}

static void guid_add(struct entry *entry, const char *id)
{
    AUTO_BUF filter = { 0 }, raw = { 0 };
    filter_append_guid(&filter, id); /* \xx for each octet */
    for (size_t i = 0; i < filter.len; i += 3) {
        uint8_t octet;
        assert_true(hex_decode_into(bytes_of(filter.data + i + 1, 2), &octet));
        buf_append_byte(&raw, octet);
    }
    entry_add(entry, "objectGUID", buf_bytes(&raw));
}

static void changed_add(struct entry *entry, int64_t at)
{
    struct calendar c = calendar_of(at);
    AUTO_STR text =
        xasprintf("%04d%02d%02d%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
    entry_add(entry, "modifyTimestamp", bytes_str(text));
}

static struct entry entry_of(const struct fake *fake)
{
    struct entry entry = { .dn = xstrdup(fake->dn) };
    if (ad())
        guid_add(&entry, fake->id);
    else if (*fake->id)
        entry_add(&entry, "entryUUID", bytes_str(fake->id));
    changed_add(&entry, fake->changed);
    entry_add(&entry, fake->group ? "cn" : "displayName", bytes_str(fake->name));
    if (fake->upn)
        entry_add(&entry, ad() ? "userPrincipalName" : "mail", bytes_str(fake->upn));
    if (fake->more) {
        AUTO_STR name = xstrndup(fake->more, strcspn(fake->more, "="));
        entry_add(&entry, name, bytes_str(strchr(fake->more, '=') + 1));
    }
    for (size_t i = 0; i < 8 && fake->members[i]; i++)
        entry_add(&entry, "member", bytes_str(fake->members[i]));
    return entry;
}

static bool matches(const struct fake *fake, const char *filter)
{
    AUTO_BUF id = { 0 };
    const char *since = strstr(filter, ">=");
    int64_t from = 0;
    if (strstr(filter, "isDeleted"))
        return fake->said;
    if (fake->gone || fake->group != (strstr(filter, "objectClass=group") != NULL))
        return false;
    if (since && ad())
        from = strtoll(since + 2, NULL, 10);
    else if (since)
        assert_true(generalized_time(bytes_of(since + 2, 15), &from));
    if (ad())
        filter_append_guid(&id, fake->id);
    else
        buf_append_str(&id, fake->id);
    bool asked = strstr(filter, "entryUUID=") || strstr(filter, "objectGUID=");
    return fake->changed >= from && (!asked || strstr(filter, buf_text(&id)));
}

static enum err fake_root(void *arg, struct ldap_root *ret, struct why *why)
{
    (void)arg, (void)why;
    *ret = (struct ldap_root){ .server = xstrdup("one"),
                               .naming_context = xstrdup("dc=x"),
                               .highest = server.root.highest };
    return OK;
}

static enum err fake_search(void *arg, const struct ldap_search *search, ldap_each each, void *each_arg,
                            struct why *why)
{
    (void)arg;
    server.searches++;
    server.full_searches += !strstr(search->filter, ">=") && !strstr(search->filter, "ID=");
    for (size_t i = 0; i < server.count; i++) {
        if (!matches(&server.entries[i], search->filter))
            continue;
        if (server.breaks_after && ++server.told > server.breaks_after)
            return fail(why, ERR_UNAVAILABLE, "the connection is gone");
        AUTO_VAL(entry) entry = entry_of(&server.entries[i]);
        TRY(each(&entry, each_arg, why));
    }
    return OK;
}

static enum err run_with(bool full, bool allow)
{
    const struct ldap_reader reader = { fake_root, fake_search, NULL };
    const struct run_context context = { ldap_directory_settings(ldap_keeper_at(keeper, 0)), &reader,
                                         directory.mdm.store, directory.mdm.clock, NULL };
    const struct run_request request = { full, allow };
    last = (struct why){ 0 };
    server.told = server.searches = server.full_searches = 0;
    return ldap_run(&context, &request, &last);
}
static void full(void)
{
    ASSERT_OK(run_with(true, false), &last);
}
static void incremental(void)
{
    ASSERT_OK(run_with(false, false), &last);
}

/* --- a directory for each test --- */

static int begin_with(void **state, const char *schema)
{
    AUTO_STR text = xasprintf(
        USER "directory \"corp\" {\nschema = %s\nbase = \"dc=x\"\nurls = {\"ldaps://a\"}\n}\n", schema);
    if (directory_begin(state) != 0)
        return -1;
    server = (struct server){ .root = { .highest = 100 } };
    config = load(text);
    keeper = ldap_keeper_of(config, directory.mdm.store, directory.mdm.clock);
    directory.mdm.directories = keeper;
    return 0;
}
static int begin(void **state)
{
    return begin_with(state, "openldap");
}
static int begin_ad(void **state)
{
    return begin_with(state, "ad");
}
static int end(void **state)
{
    ldap_keeper_free(keeper);
    config_free(config);
    directory.mdm.directories = NULL;
    return directory_end(state);
}

static const char *text_of(const char *target, const char *member)
{
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return answered(member);
}
static size_t members(const char *name)
{
    AUTO_STR target = xasprintf("/api/v1/groups/%s/members", name);
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    return json_array_size(json_object_get(directory.answer, "items"));
}
static int64_t count_said(const char *name)
{
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/directories/corp", NULL));
    return json_integer_value(json_object_get(json_object_get(directory.answer, "counts"), name));
}
static bool problem_says(const char *text)
{
    size_t i;
    json_t *problem;
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/directories/corp", NULL));
    json_array_foreach(json_object_get(directory.answer, "problems"), i, problem)
    {
        if (strstr(json_string_value(json_object_get(problem, "reason")), text))
            return true;
    }
    return false;
}
static int64_t users(void)
{
    return counted("SELECT COUNT(*) FROM directory_user WHERE deleted_at IS NULL");
}
static void staff(void) /* three of eight users in a group */
{
    static const char *const ids[] = { ID(11), ID(12), ID(13), ID(14), ID(15), ID(16), ID(17), ID(18) };
    static char dns[8][24], upns[8][24];
    for (size_t i = 0; i < 8; i++) {
        snprintf(dns[i], sizeof(dns[i]), "uid=u%zu,dc=x", i + 1);
        snprintf(upns[i], sizeof(upns[i]), "u%zu@example.org", i + 1);
        user(ids[i], dns[i], upns[i])->changed = i == 7 ? NOW : NOW - 5000; /* which no overlap reaches */
    }
    struct fake *fake = group(ID(21), "cn=staff,dc=x", "staff", "uid=u1,dc=x");
    fake->members[1] = "uid=u2,dc=x";
    fake->members[2] = "uid=u3,dc=x";
    fake->changed = NOW - 5000;
}

/* --- tests --- */

TEST(users_and_nested_groups_come_with_what_the_directory_says)
{
    staff();
    server.entries[0].more = "uid=anna";
    group(ID(22), "cn=all,dc=x", "all", "CN=Staff, DC=x");
    full();
    assert_int_equal(8, users());
    assert_string_equal("directory", text_of("/api/v1/users/u1@example.org", "source"));
    assert_string_equal("anna", text_of("/api/v1/users/u1@example.org", "sam_name"));
    assert_string_equal("uid=u1,dc=x", text_of("/api/v1/users/u1@example.org", "distinguished_name"));
    assert_int_equal(3, members("staff"));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users/u1@example.org/groups", NULL));
    assert_int_equal(2, json_array_size(json_object_get(directory.answer, "items")));
    assert_string_equal("succeeded", text_of("/api/v1/directories/corp", "outcome"));
    assert_int_equal(10, count_said("added"));
}

TEST(what_has_not_changed_is_not_written)
{
    staff();
    full();
    int64_t change = counted("SELECT value FROM counter WHERE name = 'change'");
    full();
    assert_int_equal(change, counted("SELECT value FROM counter WHERE name = 'change'"));
    incremental();
    assert_int_equal(0, server.full_searches);
    assert_int_equal(change, counted("SELECT value FROM counter WHERE name = 'change'"));
}

TEST(a_renamed_or_moved_entry_is_the_same_object)
{
    staff();
    full();
    AUTO_STR id = xstrdup(text_of("/api/v1/users/u1@example.org", "id"));
    directory.clock.held += 1000;
    server.entries[0] = (struct fake){ .id = ID(11),
                                       .dn = "uid=new,ou=elsewhere,dc=x",
                                       .name = "New",
                                       .upn = "new@example.org",
                                       .changed = NOW + 1000 };
    server.entries[8].members[0] = "uid=new,ou=elsewhere,dc=x";
    server.entries[8].changed = NOW + 1000;
    incremental();
    assert_string_equal(id, text_of("/api/v1/users/new@example.org", "id"));
    assert_int_equal(8, users());
    assert_int_equal(3, members("staff"));
}

TEST(an_account_that_is_disabled_there_is_disabled_here)
{
    staff();
    full();
    directory.clock.held += 1000;
    server.entries[0].more = "pwdAccountLockedTime=000001010000Z";
    server.entries[0].changed = NOW + 1000;
    incremental();
    assert_int_equal(1, counted("SELECT COUNT(*) FROM directory_user WHERE enabled = 0"));
    server.entries[0].more = NULL;
    full();
    assert_int_equal(0, counted("SELECT COUNT(*) FROM directory_user WHERE enabled = 0"));
}

TEST(what_is_gone_is_marked_and_keeps_its_groups_and_is_the_same_when_it_is_back)
{
    staff();
    full();
    AUTO_STR id = xstrdup(text_of("/api/v1/users/u1@example.org", "id"));
    server.entries[0].gone = true;
    server.entries[8].members[0] = "uid=u2,dc=x"; /* the server takes it out of its groups */
    full();
    assert_int_equal(7, users());
    assert_int_equal(1, count_said("deleted"));
    assert_int_equal(3, counted("SELECT COUNT(*) FROM member")); /* it was not taken from a group */
    ASSERT_STATUS(404, ask(HTTP_GET, "/api/v1/users/u1@example.org", NULL));
    server.entries[0].gone = false;
    full();
    assert_string_equal(id, text_of("/api/v1/users/u1@example.org", "id"));
}

TEST(whoever_is_deleted_there_has_lost_no_group_before_that_is_known)
{
    staff();
    full();
    directory.clock.held += 1000;
    server.entries[0].gone = true; /* of which an incremental run hears nothing */
    server.entries[8].members[0] = "uid=u2,dc=x";
    server.entries[8].changed = NOW + 1000;
    incremental();
    assert_int_equal(3, counted("SELECT COUNT(*) FROM member"));
    assert_int_equal(7, users());
    assert_true(server.full_searches > 0); /* it has become a full one */
}

TEST(memberships_follow_the_groups)
{
    staff();
    full();
    directory.clock.held += 1000;
    server.entries[8].members[0] = "uid=u7,dc=x";
    server.entries[8].changed = NOW + 1000;
    incremental();
    assert_int_equal(0, server.full_searches);
    assert_int_equal(3, members("staff"));
    assert_int_equal(1, count_said("members_removed"));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users/u1@example.org/groups", NULL));
    assert_int_equal(0, json_array_size(json_object_get(directory.answer, "items")));
}

TEST(a_name_that_nobody_has_makes_a_full_run)
{
    staff();
    full();
    directory.clock.held += 1000;
    server.entries[0].dn =
        "uid=u1,ou=moved,dc=x"; /* with the folder above it: the entry does not say that it has changed */
    server.entries[8].members[0] = "uid=u1,ou=moved,dc=x";
    server.entries[8].changed = NOW + 1000;
    incremental();
    assert_true(server.full_searches > 0);
    assert_int_equal(3, members("staff"));
    assert_int_equal(0, count_said("members_removed"));
}

TEST(a_circle_of_groups_is_said_and_the_rest_goes_on)
{
    staff();
    group(ID(22), "cn=a,dc=x", "a", "cn=b,dc=x");
    group(ID(23), "cn=b,dc=x", "b", "cn=a,dc=x");
    full();
    assert_int_equal(4, counted("SELECT COUNT(*) FROM member"));
    assert_true(problem_says("it would be in itself"));
}

TEST(nobody_is_taken_over_and_the_rest_goes_on)
{
    AUTO_STR id = xstrdup(made("/api/v1/users", "{\"upn\":\"U1@example.org\",\"name\":\"local\"}"));
    made("/api/v1/groups", "{\"name\":\"STAFF\",\"kind\":\"user\"}");
    staff();
    full();
    assert_string_equal("local", text_of("/api/v1/users/u1@example.org", "source"));
    assert_string_equal("local", text_of("/api/v1/users/u1@example.org", "name"));
    assert_string_equal(id, text_of("/api/v1/users/u1@example.org", "id"));
    assert_string_equal("local", text_of("/api/v1/groups/staff", "source"));
    assert_int_equal(8, users());
    assert_int_equal(2, count_said("conflicts"));
    assert_true(problem_says("upn \"u1@example.org\" is that of another user"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/u1@example.org", NULL));
    full();
    assert_string_equal("directory", text_of("/api/v1/users/u1@example.org", "source"));
    assert_false(problem_says("upn"));
}

TEST(names_that_change_places_and_one_that_is_made_anew_are_no_conflict)
{
    staff();
    full();
    AUTO_STR first = xstrdup(text_of("/api/v1/users/u1@example.org", "id"));
    directory.clock.held += 1000;
    server.entries[0].upn = "u2@example.org";
    server.entries[1].upn = "u9@example.org";
    server.entries[2].gone = true;
    server.entries[0].changed = NOW + 1000;
    server.entries[1].changed = NOW + 1000;
    user(ID(33), "uid=u3b,dc=x", "u3@example.org")->changed = NOW + 1000;
    incremental();
    assert_int_equal(0, count_said("conflicts"));
    assert_string_equal(first, text_of("/api/v1/users/u2@example.org", "id"));
    assert_string_equal("uid=u3b,dc=x", text_of("/api/v1/users/u3@example.org", "distinguished_name"));
    assert_int_equal(8, users());
}

TEST(a_value_that_is_refused_is_that_entry_s_alone_and_deletes_nobody)
{
    staff();
    full();
    server.entries[0].name = "two\nlines";
    server.entries[1].more = "uid=changed";
    full();
    assert_int_equal(8, users());
    assert_int_equal(1, count_said("refused"));
    assert_true(problem_says("name is \"two\\0Alines\"; allowed is UTF-8 without control characters"));
    assert_string_equal("changed", text_of("/api/v1/users/u2@example.org", "sam_name"));
    server.entries[0].name = "one line";
    full();
    assert_false(problem_says("name"));
}

TEST(an_answer_that_lacks_too_much_takes_nobody_anything)
{
    staff();
    full();
    for (size_t i = 0; i < 4; i++)
        server.entries[i].gone = true;
    server.entries[8].members[0] = NULL;
    ASSERT_ERR(ERR_PARTIAL, run_with(true, false), &last);
    assert_int_equal(8, users());
    assert_int_equal(3, members("staff"));
    assert_string_equal("held", text_of("/api/v1/directories/corp", "outcome"));
    assert_int_equal(4, count_said("held"));
    ASSERT_ERR(ERR_PARTIAL, run_with(false, false), &last); /* and so until somebody says something */
    ASSERT_OK(run_with(false, true), &last);
    assert_int_equal(4, users());
    assert_string_equal("succeeded", text_of("/api/v1/directories/corp", "outcome"));
}

TEST(an_empty_answer_takes_nobody_anything)
{
    staff();
    full();
    for (size_t i = 0; i < server.count; i++)
        server.entries[i].gone = true;
    ASSERT_ERR(ERR_PARTIAL, run_with(true, false), &last);
    assert_int_equal(8, users());
    assert_int_equal(3, members("staff"));
}

TEST(memberships_that_would_go_at_once_are_held_as_well)
{
    staff();
    server.entries[8].members[3] = "uid=u4,dc=x";
    full();
    memset(server.entries[8].members, 0,
           sizeof(server.entries[8].members)); /* an attribute that it may not read any more */
    ASSERT_ERR(ERR_PARTIAL, run_with(true, false), &last);
    assert_int_equal(4, members("staff"));
    ASSERT_OK(run_with(true, true), &last);
    assert_int_equal(0, members("staff"));
}

TEST(entries_without_an_id_delete_nobody)
{
    staff();
    full();
    server.entries[0].id = "";
    ASSERT_ERR(ERR_PARTIAL, run_with(true, false), &last);
    assert_int_equal(8, users());
}

TEST(a_run_that_breaks_off_takes_nobody_anything_and_is_taken_up_again)
{
    staff();
    full();
    AUTO_STR succeeded = xstrdup(text_of("/api/v1/directories/corp", "succeeded_at"));
    directory.clock.held += 1000;
    server.entries[0].more = "uid=changed";
    server.entries[7].gone = true;
    server.entries[8].members[0] = "uid=u7,dc=x";
    for (size_t i = 0; i < server.count; i++)
        server.entries[i].changed = NOW + 1000;
    for (server.breaks_after = 1; server.breaks_after < 8; server.breaks_after++) {
        ASSERT_ERR(ERR_UNAVAILABLE, run_with(server.breaks_after % 2, false), &last);
        assert_int_equal(8, users());
        assert_int_equal(3,
                         counted("SELECT COUNT(*) FROM member m JOIN directory_user u ON u.id = m.member_id "
                                 "WHERE u.upn IN ('u1@example.org', 'u2@example.org', 'u3@example.org')"));
        assert_string_equal("failed", text_of("/api/v1/directories/corp", "outcome"));
        assert_string_equal("the connection is gone", text_of("/api/v1/directories/corp", "detail"));
        assert_string_equal(succeeded, answered("succeeded_at"));
    }
    server.breaks_after = 0;
    incremental(); /* from where the last good one ended */
    assert_string_equal("changed", text_of("/api/v1/users/u1@example.org", "sam_name"));
    assert_int_equal(3, members("staff"));
    full();
    assert_int_equal(7, users());
}

TEST(what_the_directory_says_is_changed_there_and_not_here)
{
    staff();
    full();
    ASSERT_STATUS(409, ask(HTTP_PATCH, "/api/v1/users/u1@example.org", "{\"email\":\"x@y\"}"));
    ASSERT_SAYS(
        "user u1@example.org comes from the directory \"corp\", which says its email: change it there");
    ASSERT_STATUS(409, ask(HTTP_PATCH, "/api/v1/users/u1@example.org", "{\"enabled\":false}"));
    ASSERT_STATUS(200, ask(HTTP_PATCH, "/api/v1/users/u1@example.org",
                           "{\"sid\":\"S-1-5-21-1-2-3-4\",\"enabled\":true}"));
    ASSERT_STATUS(409, ask(HTTP_DELETE, "/api/v1/users/u1@example.org", NULL));
    ASSERT_STATUS(409, ask(HTTP_PATCH, "/api/v1/groups/staff", "{\"name\":\"x\"}"));
    ASSERT_STATUS(409, ask(HTTP_POST, "/api/v1/groups/staff/members", "{\"member\":\"u5@example.org\"}"));
    ASSERT_STATUS(409, ask(HTTP_DELETE, "/api/v1/groups/staff/members/u1@example.org", NULL));
    made("/api/v1/groups", "{\"name\":\"local\",\"kind\":\"user\"}");
    ASSERT_STATUS(204, ask(HTTP_POST, "/api/v1/groups/local/members", "{\"member\":\"u5@example.org\"}"));
    full();
    assert_string_equal("S-1-5-21-1-2-3-4",
                        text_of("/api/v1/users/u1@example.org", "sid")); /* OpenLDAP does not say it */
    assert_int_equal(1, members("local"));
    directory.mdm.directories = NULL; /* one that is in the configuration no more has no say */
    ASSERT_STATUS(204, ask(HTTP_DELETE, "/api/v1/users/u1@example.org", NULL));
}

TEST(each_change_is_in_the_audit_trail)
{
    staff();
    full();
    assert_int_equal(12, counted("SELECT COUNT(*) FROM audit WHERE actor = 'directory/corp'"));
    server.entries[0].gone = true;
    full();
    assert_int_equal(1, counted("SELECT COUNT(*) FROM audit WHERE action = 'user_delete'"));
}

/* --- Active Directory --- */

#define EXTENDED(id, dn) "<GUID=" id ">;" dn

TEST(active_directory_names_members_by_id_and_tells_of_deletions)
{
    static const char *const dns[] = { EXTENDED(ID(11), "CN=U1,DC=x"), EXTENDED(ID(12), "CN=U2,DC=x"),
                                       EXTENDED(ID(13), "CN=U3,DC=x"), EXTENDED(ID(14), "CN=U4,DC=x") };
    static const char *const ids[] = { ID(11), ID(12), ID(13), ID(14) };
    static const char *const upns[] = { "u1@x.org", "u2@x.org", "u3@x.org", "u4@x.org" };
    for (size_t i = 0; i < 4; i++)
        user(ids[i], dns[i], upns[i])->changed = 50;
    group(ID(21), EXTENDED(ID(21), "CN=staff,DC=x"), "staff", dns[0])->changed = 50;
    full();
    assert_int_equal(1, members("staff"));
    assert_string_equal("CN=U1,DC=x", text_of("/api/v1/users/u1@x.org", "distinguished_name"));
    server.root.highest = 200;
    server.entries[0].more = "userAccountControl=514";
    server.entries[0].changed = 150;
    server.entries[3].gone = server.entries[3].said = true;
    incremental();
    assert_int_equal(0, server.full_searches);
    assert_int_equal(3, users());
    assert_int_equal(1, counted("SELECT COUNT(*) FROM directory_user WHERE enabled = 0"));
    server.root.highest = 40; /* restored from a backup */
    incremental();
    assert_true(server.full_searches > 0);
}

#define L(name) cmocka_unit_test_setup_teardown(name, begin, end)
DIRECTORY_MAIN(L(users_and_nested_groups_come_with_what_the_directory_says),
               L(what_has_not_changed_is_not_written), L(a_renamed_or_moved_entry_is_the_same_object),
               L(an_account_that_is_disabled_there_is_disabled_here),
               L(what_is_gone_is_marked_and_keeps_its_groups_and_is_the_same_when_it_is_back),
               L(whoever_is_deleted_there_has_lost_no_group_before_that_is_known),
               L(memberships_follow_the_groups), L(a_name_that_nobody_has_makes_a_full_run),
               L(a_circle_of_groups_is_said_and_the_rest_goes_on),
               L(nobody_is_taken_over_and_the_rest_goes_on),
               L(names_that_change_places_and_one_that_is_made_anew_are_no_conflict),
               L(a_value_that_is_refused_is_that_entry_s_alone_and_deletes_nobody),
               L(an_answer_that_lacks_too_much_takes_nobody_anything),
               L(an_empty_answer_takes_nobody_anything),
               L(memberships_that_would_go_at_once_are_held_as_well), L(entries_without_an_id_delete_nobody),
               L(a_run_that_breaks_off_takes_nobody_anything_and_is_taken_up_again),
               L(what_the_directory_says_is_changed_there_and_not_here), L(each_change_is_in_the_audit_trail),
               cmocka_unit_test_setup_teardown(active_directory_names_members_by_id_and_tells_of_deletions,
                                               begin_ad, end))

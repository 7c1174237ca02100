/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: all of one, or nothing. */
#include "tests/unit/mdm/directory.h"

static int imported(const char *target, const char *type, const char *file)
{
    const struct api_request request = { .method = HTTP_POST,
                                         .target = bytes_str(target),
                                         .content_type = bytes_str(type),
                                         .body = bytes_str(file),
                                         .caller = &directory.caller };
    return ask_with(&request);
}

static int64_t added(void)
{
    return json_integer_value(json_object_get(directory.answer, "added"));
}

TEST(a_file_is_added_whole)
{
    ASSERT_STATUS(200,
                  imported("/api/v1/users/import", "text/csv",
                           "\xef\xbb\xbfupn,name,enabled\r\na@b,\"M\xc3\xbcller, Anna\",\r\nc@d,,false\r\n"));
    assert_int_equal(2, added());
    ASSERT_STATUS(200, imported("/api/v1/devices/import", "text/csv; charset=utf-8",
                                "platform,serial,owner\nios,S1,A@B\nlinux,S1,\n"));
    assert_int_equal(2, added());
    ASSERT_STATUS(200, imported("/api/v1/devices/import", "application/json",
                                "[{\"platform\":\"macos\",\"serial\":\"S1\"}]"));
    ASSERT_STATUS(200, imported("/api/v1/devices/import", "application/json",
                                "{\"items\":[{\"platform\":\"macos\"}]}"));
    ASSERT_STATUS(200, ask(HTTP_GET, "/api/v1/users/a@b", NULL));
    assert_string_equal(answered("name"), "M\xc3\xbcller, Anna");
    assert_string_equal(answered("source"), "import");
    assert_int_equal(1, counted("SELECT COUNT(*) FROM directory_user WHERE enabled = 0"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device WHERE owner IS NOT NULL"));
    assert_int_equal(4,
                     counted("SELECT COUNT(*) FROM audit WHERE action IN ('user_import', 'device_import')"));
    assert_int_equal(1, counted("SELECT COUNT(DISTINCT change) FROM directory_user"));
}

TEST(a_file_with_something_wrong_is_refused_by_line_and_column_and_leaves_nothing)
{
    static const struct {
        const char *type, *file, *says;
    } rows[] = {
        { "text/csv", "", "no line of attribute names" },
        { "text/csv", "upn,nonsense\n", "line 1, column 2 is \"nonsense\"" },
        { "text/csv", "upn,change\n", "line 1, column 2 is \"change\"" },
        { "text/csv", "upn,name,upn\n", "line 1, columns 1 and 3 are both upn" },
        { "text/csv", "upn;name\na@b;x\n", "line 1, column 1 is \"upn;name\"" },
        { "text/csv", "upn,sid\na@b,S-1-5-18\nc@d,x\n", "line 3, column 2: sid is \"x\"" },
        { "text/csv", "upn,name\na@b,x\nc@d\n", "line 3 has 1 fields, and the first one has 2" },
        { "text/csv", "upn\na@b\n\"c@d\n", "line 3, column 1: the quotes do not end" },
        { "text/csv", "upn,name\na@b,\n,x\n", "line 3: upn is not there" },
        { "text/csv", "upn\na@b\nc@d\nA@B\n", "line 4: upn \"A@B\" is that of another user" },
        { "text/csv", "upn,name\na@b,\"x\ny\"\n", "line 2, column 2: name is" },
        { "text/csv", "upn,enabled\na@b,yes\n", "line 2, column 2: enabled is \"yes\"" },
        { "application/json", "{}", "no JSON array of users" },
        { "application/json", "[{\"upn\":\"a@b\"},{\"upn\":\"c\"}]", "item 2: upn is \"c\"" },
        { "application/json", "[{\"upn\":\"a@b\"},5]", "item 2: a user is a JSON object" },
        { "application/json", "[{\"upn\":\"a@b\"},{\"upn\":\"A@b\"}]", "item 2: upn \"A@b\" is that" },
        { "text/plain", "upn\na@b\n",
          "Content-Type is \"text/plain\"; allowed is text/csv or application/json" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int status = imported("/api/v1/users/import", rows[i].type, rows[i].file);
        if ((status != 422 && status != 409) || !strstr(detail(), rows[i].says))
            fail_msg("%s: %d \"%s\", wanted \"%s\"", rows[i].file, status, detail(), rows[i].says);
        assert_int_equal(0, counted("SELECT COUNT(*) FROM directory_user"));
    }
    assert_int_equal(0, counted("SELECT COUNT(*) FROM audit"));
}

TEST(a_dry_run_meets_all_that_is_wrong_and_does_nothing)
{
    ASSERT_STATUS(200, imported("/api/v1/users/import?dry_run=true", "text/csv", "upn\na@b\nc@d\n"));
    assert_int_equal(2, added());
    assert_true(json_is_true(json_object_get(directory.answer, "dry_run")));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM directory_user"));
    made("/api/v1/users", "{\"upn\":\"c@d\"}");
    ASSERT_STATUS(409, imported("/api/v1/users/import?dry_run=true", "text/csv", "upn\na@b\nc@d\n"));
    ASSERT_SAYS("line 3: upn");
    assert_int_equal(1, counted("SELECT COUNT(*) FROM directory_user"));
}

TEST(the_same_devices_are_not_added_a_second_time)
{
    const char *file = "platform,serial\nios,S1\nios,S2\n";
    ASSERT_STATUS(200, imported("/api/v1/devices/import", "text/csv", file));
    ASSERT_STATUS(409, imported("/api/v1/devices/import", "text/csv", file));
    ASSERT_SAYS("line 2: serial \"S1\" is that of the enrolled device");
    ASSERT_STATUS(200, ask(HTTP_POST, "/api/v1/devices/S1/retire", NULL));
    ASSERT_STATUS(200, ask(HTTP_POST, "/api/v1/devices/S2/retire", NULL));
    ASSERT_STATUS(200, imported("/api/v1/devices/import", "text/csv", file)); /* they come back */
    assert_int_equal(4, counted("SELECT COUNT(*) FROM device"));
}

DIRECTORY_MAIN(D(a_file_is_added_whole),
               D(a_file_with_something_wrong_is_refused_by_line_and_column_and_leaves_nothing),
               D(a_dry_run_meets_all_that_is_wrong_and_does_nothing),
               D(the_same_devices_are_not_added_a_second_time))

/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment tokens as administrators make, list and revoke them. */
#include "tests/unit/mdm/directory.h"

#define TOKENS "/api/v1/enrolment-tokens"

TEST(a_token_is_shown_once_and_kept_nowhere)
{
    ASSERT_STATUS(201, ask(HTTP_POST, TOKENS, "{}"));
    AUTO_STR token = xstrdup(answered("token"));
    assert_int_equal(32, strlen(token));
    assert_int_equal(1, json_integer_value(json_object_get(directory.answer, "uses_left")));
    assert_string_equal("2026-09-22T14:13:20Z", answered("expires_at"));
    ASSERT_STATUS(200, ask(HTTP_GET, TOKENS, NULL));
    AUTO_BUF list = { 0 };
    json_text_append(&list, directory.answer);
    assert_null(strstr(buf_text(&list), token));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "items")));
    AUTO_STR in_audit = xasprintf("SELECT COUNT(*) FROM audit WHERE detail LIKE '%%%s%%'", token);
    assert_int_equal(0, counted(in_audit));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM audit WHERE action = 'token_add'"));
    ASSERT_STATUS(201, ask(HTTP_POST, TOKENS, "{}"));
    assert_string_not_equal(token, answered("token"));
}

TEST(what_a_token_may_be_is_bounded)
{
    static const struct {
        const char *body, *says;
    } wrong[] = {
        { "{\"uses\":0}", "uses" },
        { "{\"uses\":100001}", "from 1 to 100000" },
        { "{\"uses\":\"5\"}", "uses" },
        { "{\"hours\":8761}", "from 1 to 8760" },
        { "{\"hours\":0}", "hours" },
        { "{\"uses_left\":5}", "set by the service" },
        { "{\"token\":\"x\"}", "no member token" },
        { "{\"owner\":\"nobody@example.org\"}", "there is no user" },
        { "[]", "JSON object" },
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ASSERT_STATUS(422, ask(HTTP_POST, TOKENS, wrong[i].body));
        ASSERT_SAYS(wrong[i].says);
    }
    ASSERT_STATUS(201, ask(HTTP_POST, TOKENS, "{\"uses\":100000,\"hours\":8760,\"note\":\"fleet\"}"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM enrolment_secret"));
}

TEST(a_token_for_a_device_is_for_one_that_is_enrolled_and_once)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    const char *id = made("/api/v1/devices", "{\"platform\":\"ios\",\"serial\":\"S1\"}");
    ASSERT_STATUS(404, ask(HTTP_POST, TOKENS, "{\"device\":\"S2\"}"));
    ASSERT_STATUS(422, ask(HTTP_POST, TOKENS, "{\"device\":\"S1\",\"uses\":2}"));
    ASSERT_STATUS(422, ask(HTTP_POST, TOKENS, "{\"device\":\"S1\",\"owner\":\"a@b\"}"));
    ASSERT_STATUS(201, ask(HTTP_POST, TOKENS, "{\"device\":\"S1\"}"));
    assert_string_equal(id, answered("device"));
    AUTO_STR retire = xasprintf("/api/v1/devices/%s/retire", id);
    ASSERT_STATUS(200, ask(HTTP_POST, retire, NULL));
    ASSERT_STATUS(409, ask(HTTP_POST, TOKENS, "{\"device\":\"S1\"}"));
}

TEST(a_token_is_revoked_by_its_id_or_note)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    made(TOKENS, "{\"note\":\"Fleet\",\"owner\":\"A@B\"}");
    ASSERT_STATUS(200, ask(HTTP_GET, TOKENS "?owner=a%40b", NULL));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "items")));
    ASSERT_STATUS(204, ask(HTTP_DELETE, TOKENS "/fleet", NULL));
    ASSERT_STATUS(404, ask(HTTP_DELETE, TOKENS "/fleet", NULL));
    ASSERT_STATUS(200, ask(HTTP_GET, TOKENS, NULL));
    assert_int_equal(0, json_array_size(json_object_get(directory.answer, "items")));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM audit WHERE action = 'token_delete'"));
}

DIRECTORY_MAIN(D(a_token_is_shown_once_and_kept_nowhere), D(what_a_token_may_be_is_bounded),
               D(a_token_for_a_device_is_for_one_that_is_enrolled_and_once),
               D(a_token_is_revoked_by_its_id_or_note))

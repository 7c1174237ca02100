/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in, as what, and how often. */
#include "tests/unit/mdm/agents.h"

#include <pthread.h>

#define TOKENS "/api/v1/enrolment-tokens"
#define PHONE  "{\"platform\":\"android\",\"serial\":\"S1\"}"

static int64_t devices(void)
{
    return counted("SELECT COUNT(*) FROM device");
}

TEST(a_device_with_a_token_is_in_the_directory_and_has_a_certificate)
{
    const char *user = made("/api/v1/users", "{\"upn\":\"a@b\"}");
    AUTO_STR token = xstrdup(token_made("{\"owner\":\"a@b\"}"));
    AUTO_BUF der = { 0 };
    struct device_identity identity;
    struct why why = { 0 };
    ASSERT_STATUS(
        201,
        enrolled_by(
            token,
            "{\"platform\":\"android\",\"serial\":\"S1\",\"imei\":\"490154203237518\",\"name\":\"phone\"}"));
    der = certificate_answered();
    ASSERT_OK(device_identity_read(directory.mdm.device_ca, buf_bytes(&der), NOW, &identity, &why), &why);
    assert_string_equal(identity.device, answered("device"));
    assert_int_equal(1, json_array_size(json_object_get(directory.answer, "chain")));
    AUTO_STR target = xasprintf("/api/v1/devices/%s", identity.device);
    ASSERT_STATUS(200, ask(HTTP_GET, target, NULL));
    assert_string_equal("S1", answered("serial"));
    assert_string_equal("490154203237518", answered("imei"));
    assert_string_equal("enrolled", answered("state"));
    assert_string_equal("enrolment", answered("source"));
    assert_string_equal(user, answered("owner"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM audit WHERE action = 'device_enrol'"));
    ASSERT_STATUS(403, enrolled_by(token, "{\"platform\":\"android\",\"serial\":\"S2\"}")); /* once */
    assert_int_equal(1, devices());
}

/* Each gives the answer that no token at all gives. */
TEST(wrong_tokens_of_all_kinds_have_one_answer_and_no_device)
{
    const char *user = made("/api/v1/users", "{\"upn\":\"a@b\"}");
    AUTO_STR of_user = xasprintf("/api/v1/users/%s", user);
    AUTO_STR disabled = xstrdup(token_made("{\"owner\":\"a@b\"}"));
    AUTO_STR revoked = xstrdup(token_made("{\"note\":\"r\"}"));
    AUTO_STR over = xstrdup(token_made("{\"hours\":1}"));
    ASSERT_STATUS(200, ask(HTTP_PATCH, of_user, "{\"enabled\":false}"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, TOKENS "/r", NULL));
    directory.clock.held = NOW + 3600;
    const char *const wrong[] = {
        disabled, revoked, over, "", "00112233445566778899aabbccddeeff", "no token"
    };
    ASSERT_STATUS(403, enrolled_by("ffffffffffffffffffffffffffffffff", PHONE));
    AUTO_STR answer = xstrdup(detail());
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ASSERT_STATUS(403, enrolled_by(wrong[i], PHONE));
        assert_string_equal(answer, detail());
    }
    assert_int_equal(0, devices());
    assert_int_equal(0, counted("SELECT COUNT(*) FROM device_identity"));
}

TEST(a_token_is_good_until_its_last_second)
{
    AUTO_STR token = xstrdup(token_made("{\"hours\":1,\"uses\":2}"));
    directory.clock.held = NOW + 3599;
    ASSERT_STATUS(201, enrolled_by(token, PHONE));
    directory.clock.held = NOW + 3600;
    ASSERT_STATUS(403, enrolled_by(token, "{\"platform\":\"android\",\"serial\":\"S2\"}"));
}

/* --- many at once --- */

#define CROWD 40
#define USES  7

struct one {
    pthread_t thread;
    char *body;
    int status;
};

static void *come(void *arg)
{
    struct one *one = arg;
    const struct agent_request request = { .method = HTTP_POST,
                                           .target = BYTES_LIT("/device/v1/enrol"),
                                           .content_type = BYTES_LIT("application/json"),
                                           .body = bytes_str(one->body),
                                           .peer = "192.0.2.8" };
    struct api_answer answer = { 0 };
    agent_serve(&directory.mdm, &request, &answer);
    one->status = answer.status;
    api_answer_free(&answer);
    return NULL;
}

TEST(a_token_lets_in_as_many_as_it_has_uses_whoever_comes_at_once)
{
    static struct one crowd[CROWD];
    const char *token = token_made("{\"uses\":7}");
    int let_in = 0;
    for (int i = 0; i < CROWD; i++) {
        AUTO_STR csr = csr_text();
        crowd[i].body = xasprintf(
            "{\"token\":\"%s\",\"csr\":\"%s\",\"device\":{\"platform\":\"linux\",\"serial\":\"L%d\"}}", token,
            csr, i);
    }
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(0, pthread_create(&crowd[i].thread, NULL, come, &crowd[i]));
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        let_in += crowd[i].status == 201;
        assert_true(crowd[i].status == 201 || crowd[i].status == 403);
        free(crowd[i].body);
    }
    assert_int_equal(USES, let_in);
    assert_int_equal(USES, devices());
    assert_int_equal(0, counted("SELECT uses_left FROM enrolment_token"));
}

/* --- again --- */

TEST(a_device_that_is_there_is_had_by_its_user_s_token_alone)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    made("/api/v1/users", "{\"upn\":\"c@d\"}");
    AUTO_STR others = xstrdup(token_made("{\"owner\":\"c@d\"}"));
    AUTO_STR nobodys = xstrdup(token_made("{}"));
    AUTO_BUF first = device_enrolled("{\"owner\":\"a@b\"}", PHONE);
    AUTO_STR id = xstrdup(answered("device"));
    ASSERT_STATUS(409, enrolled_by(others, PHONE));
    ASSERT_STATUS(409, enrolled_by(nobodys, PHONE));
    ASSERT_STATUS(200, agent_post("/device/v1/checkin", "{}", buf_bytes(&first)));
    ASSERT_STATUS(201, enrolled_by(token_made("{\"owner\":\"a@b\"}"), PHONE));
    assert_string_equal(id, answered("device"));
    ASSERT_STATUS(403, agent_post("/device/v1/checkin", "{}", buf_bytes(&first)));
    ASSERT_STATUS(
        201,
        enrolled_by(others,
                    "{\"platform\":\"ios\",\"serial\":\"S1\"}")); /* another one; the use was not taken */
    assert_int_equal(2, devices());
}

TEST(an_administrator_s_word_lets_a_device_in_again_and_ends_what_it_had)
{
    AUTO_BUF first = device_enrolled("{}", PHONE);
    AUTO_STR id = xstrdup(answered("device"));
    ASSERT_STATUS(409, enrolled_by(token_made("{}"), PHONE)); /* no owner is nobody's word */
    AUTO_STR token = xstrdup(token_made("{\"device\":\"S1\"}"));
    ASSERT_STATUS(409, enrolled_by(token, "{\"platform\":\"android\",\"serial\":\"S2\"}"));
    ASSERT_STATUS(409, enrolled_by(token, "{\"platform\":\"ios\",\"serial\":\"S1\"}"));
    ASSERT_STATUS(201, enrolled_by(token, PHONE));
    assert_string_equal(id, answered("device"));
    AUTO_BUF second = certificate_answered();
    ASSERT_STATUS(403, agent_post("/device/v1/checkin", "{}", buf_bytes(&first)));
    ASSERT_STATUS(200, agent_post("/device/v1/checkin", "{}", buf_bytes(&second)));
    ASSERT_STATUS(403, enrolled_by(token, PHONE));
}

TEST(a_device_that_was_written_down_beforehand_waits_for_its_user_or_for_anybody)
{
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    AUTO_STR owned =
        xstrdup(made("/api/v1/devices", "{\"platform\":\"android\",\"serial\":\"S1\",\"owner\":\"a@b\"}"));
    AUTO_STR free_one = xstrdup(
        made("/api/v1/devices", "{\"platform\":\"android\",\"serial\":\"S2\",\"ownership\":\"company\"}"));
    ASSERT_STATUS(409, enrolled_by(token_made("{}"), PHONE));
    ASSERT_STATUS(201, enrolled_by(token_made("{\"owner\":\"a@b\"}"), PHONE));
    assert_string_equal(owned, answered("device"));
    ASSERT_STATUS(201, enrolled_by(token_made("{}"), "{\"platform\":\"android\",\"serial\":\"S2\"}"));
    assert_string_equal(free_one, answered("device"));
    assert_int_equal(2, devices());
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device WHERE ownership = 'company'"));
}

TEST(one_that_was_retired_comes_back_as_a_new_one)
{
    AUTO_BUF first = device_enrolled("{}", PHONE);
    assert_int_not_equal(0, first.len);
    AUTO_STR id = xstrdup(answered("device"));
    AUTO_STR retire = xasprintf("/api/v1/devices/%s/retire", id);
    ASSERT_STATUS(200, ask(HTTP_POST, retire, NULL));
    ASSERT_STATUS(201, enrolled_by(token_made("{}"), PHONE));
    assert_string_not_equal(id, answered("device"));
}

/* --- what it says --- */

TEST(what_a_device_says_is_taken_strictly)
{
    static const struct {
        const char *device, *says;
    } wrong[] = {
        { "{\"serial\":\"S1\"}", "platform" },
        { "{\"platform\":\"beos\"}", "platform" },
        { "{\"platform\":\"ios\",\"imei\":\"1\"}", "imei" },
        { "{\"platform\":\"ios\",\"owner\":\"a@b\"}", "owner is what administrators say" },
        { "{\"platform\":\"ios\",\"directory_id\":\"1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f\"}",
          "administrators" },
        { "{\"platform\":\"ios\",\"state\":\"enrolled\"}", "set by the service" },
        { "{\"platform\":\"ios\",\"colour\":\"red\"}", "no member colour" },
        { "[]", "JSON object" },
        { "{\"platform\":\"ios\"},\"more\":1", "no member more" },
    };
    AUTO_STR token = xstrdup(token_made("{}"));
    made("/api/v1/users", "{\"upn\":\"a@b\"}");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ASSERT_STATUS(422, enrolled_by(token, wrong[i].device));
        ASSERT_SAYS(wrong[i].says);
    }
    ASSERT_STATUS(422, agent_post("/device/v1/enrol", "{\"token\":\"x\",\"device\":{}}", BYTES_NONE));
    ASSERT_SAYS("csr");
    ASSERT_STATUS(400, agent_post("/device/v1/enrol", "{", BYTES_NONE));
    ASSERT_STATUS(404, agent_post("/device/v1/nothing", "{}", BYTES_NONE));
    AUTO_STR no_csr =
        xasprintf("{\"token\":\"%s\",\"csr\":\"AAAA\",\"device\":{\"platform\":\"ios\"}}", token);
    ASSERT_STATUS(400, agent_post("/device/v1/enrol", no_csr, BYTES_NONE));
    ASSERT_STATUS(201, enrolled_by(token, "{\"platform\":\"ios\"}"));
}

TEST(an_address_with_many_wrong_tokens_is_not_heard_for_a_while)
{
    AUTO_STR token = xstrdup(token_made("{}"));
    for (int i = 0; i < AGENT_REFUSALS; i++)
        ASSERT_STATUS(403, enrolled_by("00112233445566778899aabbccddeeff", PHONE));
    ASSERT_STATUS(429, enrolled_by(token, PHONE));
    assert_string_equal("Retry-After: 600\r\n", directory.headers);
    AUTO_STR csr = csr_text();
    AUTO_STR body = xasprintf("{\"token\":\"%s\",\"csr\":\"%s\",\"device\":" PHONE "}", token, csr);
    ASSERT_STATUS(201, agent_post_from("/device/v1/enrol", body, BYTES_NONE, "198.51.100.1"));
}

DIRECTORY_MAIN(A(a_device_with_a_token_is_in_the_directory_and_has_a_certificate),
               A(wrong_tokens_of_all_kinds_have_one_answer_and_no_device),
               A(a_token_is_good_until_its_last_second),
               A(a_token_lets_in_as_many_as_it_has_uses_whoever_comes_at_once),
               A(a_device_that_is_there_is_had_by_its_user_s_token_alone),
               A(an_administrator_s_word_lets_a_device_in_again_and_ends_what_it_had),
               A(a_device_that_was_written_down_beforehand_waits_for_its_user_or_for_anybody),
               A(one_that_was_retired_comes_back_as_a_new_one), A(what_a_device_says_is_taken_strictly),
               A(an_address_with_many_wrong_tokens_is_not_heard_for_a_while))

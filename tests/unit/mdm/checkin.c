/* SPDX-License-Identifier: Apache-2.0 */
/* What a device is told, and what is kept of what it says. */
#include "mdm/checkin.h"
#include "tests/unit/mdm/agents.h"

#define CHECKIN "/device/v1/checkin"
#define PHONE   "{\"platform\":\"android\",\"serial\":\"S1\"}"
#define HEX64   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX64B  "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static int checked_in(const struct buf *cert, const char *body)
{
    return agent_post(CHECKIN, body, buf_bytes(cert));
}

static int64_t number(const char *member)
{
    return json_integer_value(json_object_get(directory.answer, member));
}

TEST(an_enrolled_device_is_told_when_to_come_again_and_that_there_is_nothing_to_do)
{
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    ASSERT_STATUS(200, checked_in(&cert, "{\"device\":" PHONE "}"));
    assert_string_equal("enrolled", answered("state"));
    assert_int_equal(180, number("poll_after_s"));
    assert_true(json_is_array(json_object_get(directory.answer, "do")));
    assert_int_equal(0, json_array_size(json_object_get(directory.answer, "do")));
    assert_true(json_is_false(json_object_get(directory.answer, "renew")));
    directory.clock.held = NOW + 7200;
    ASSERT_STATUS(200, checked_in(&cert, "{}"));
    assert_int_equal(28800, number("poll_after_s"));
    directory.clock.held = NOW + 306 * 86400LL;
    ASSERT_STATUS(200, checked_in(&cert, "{}"));
    assert_true(json_is_true(json_object_get(directory.answer, "renew")));
}

TEST(platforms_come_as_often_as_they_are_used_to)
{
    assert_int_equal(900, checkin_poll_s(PLATFORM_IOS, 0));
    assert_int_equal(900, checkin_poll_s(PLATFORM_IOS, 6 * 3600 - 1));
    assert_int_equal(6 * 3600, checkin_poll_s(PLATFORM_IOS, 6 * 3600));
    assert_int_equal(180, checkin_poll_s(PLATFORM_ANDROID, 899));
    assert_int_equal(300, checkin_poll_s(PLATFORM_WINDOWS_PHONE_81, 899));
    assert_int_equal(900, checkin_poll_s(PLATFORM_ANDROID, 900));
    assert_int_equal(28800, checkin_poll_s(PLATFORM_ANDROID, 7200));
}

TEST(nobody_checks_in_without_a_certificate_of_the_device_ca)
{
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    ASSERT_STATUS(403, agent_post(CHECKIN, "{}", BYTES_NONE));
    ASSERT_STATUS(403, agent_post(CHECKIN, "{}", BYTES_LIT("nonsense")));
    ASSERT_STATUS(403, agent_post("/device/v1/renew", "{}", BYTES_NONE));
    directory.clock.held = NOW + 365 * 86400LL + 1;
    ASSERT_STATUS(403, checked_in(&cert, "{}"));
    ASSERT_SAYS("enrol anew");
}

TEST(what_changed_is_in_the_directory_under_a_new_number_and_what_did_not_writes_nothing)
{
    static const char *const body =
        "{\"device\":{\"platform\":\"android\",\"serial\":\"S1\",\"name\":\"phone\"}}";
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    int64_t before = counted("SELECT change FROM device");
    ASSERT_STATUS(200, checked_in(&cert, body));
    int64_t after = counted("SELECT change FROM device");
    assert_true(after > before);
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device WHERE name = 'phone'"));
    uint64_t commits = store_commits(directory.mdm.store);
    ASSERT_STATUS(200, checked_in(&cert, body));
    assert_int_equal(commits, store_commits(directory.mdm.store));
    directory.clock.held = NOW + CHECKIN_SEEN_S;
    ASSERT_STATUS(200, checked_in(&cert, body));
    assert_int_equal(NOW + CHECKIN_SEEN_S, counted("SELECT seen_at FROM device_report"));
    assert_int_equal(after, counted("SELECT change FROM device"));
}

TEST(what_is_installed_is_kept_until_it_is_told_otherwise)
{
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    ASSERT_STATUS(
        200, checked_in(&cert, "{\"installed\":[{\"thumbprint\":\"" HEX64 "\",\"key\":\"" HEX64 "\"},"
                               "{\"thumbprint\":\"" HEX64B "\",\"key\":\"" HEX64 "\",\"profile\":null}]}"));
    assert_int_equal(2, counted("SELECT COUNT(*) FROM device_installed"));
    ASSERT_STATUS(200, checked_in(&cert, "{}"));
    assert_int_equal(2, counted("SELECT COUNT(*) FROM device_installed"));
    ASSERT_STATUS(200, checked_in(&cert, "{\"installed\":[]}"));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM device_installed"));
}

TEST(reports_are_read_strictly)
{
    static const char *const wrong[] = {
        "[]",
        "{\"more\":1}",
        "{\"installed\":{}}",
        "{\"installed\":[{\"thumbprint\":\"" HEX64 "\"}]}",
        "{\"installed\":[{\"thumbprint\":\"" HEX64 "0\",\"key\":\"" HEX64 "\"}]}",
        "{\"installed\":[{\"thumbprint\":\"" HEX64 "\",\"key\":\"" HEX64 "\",\"profile\":\"x\"}]}",
        "{\"installed\":[{\"thumbprint\":\"" HEX64 "\",\"key\":\"" HEX64 "\"},{\"thumbprint\":\"" HEX64
        "\",\"key\":\"" HEX64 "\"}]}",
        "{\"results\":[{\"id\":\"x\",\"state\":\"done\"}]}",
        "{\"results\":[{\"id\":\"11111111-1111-4111-8111-111111111111\",\"state\":\"perhaps\"}]}",
        "{\"device\":{\"ownership\":\"company\"}}",
        "{\"device\":{\"fqdn\":\"-\"}}",
    };
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(422, checked_in(&cert, wrong[i]));
    ASSERT_STATUS(
        200,
        checked_in(&cert,
                   "{\"results\":[{\"id\":\"11111111-1111-4111-8111-111111111111\",\"state\":\"done\"}]}"));
}

TEST(a_device_does_not_become_another_one)
{
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    ASSERT_STATUS(409, checked_in(&cert, "{\"device\":{\"serial\":\"S2\"}}"));
    ASSERT_SAYS("enrolled with S1");
    ASSERT_STATUS(409, checked_in(&cert, "{\"device\":{\"platform\":\"ios\"}}"));
    AUTO_BUF plain = device_enrolled("{}", "{\"platform\":\"linux\"}");
    ASSERT_STATUS(409, checked_in(&plain, "{\"device\":{\"serial\":\"S1\"}}"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device WHERE serial = 'S1'"));
}

TEST(one_that_is_retired_is_told_so_and_nothing_else)
{
    AUTO_BUF cert = device_enrolled("{}", PHONE);
    AUTO_STR retire = xasprintf("/api/v1/devices/%s/retire", answered("device"));
    ASSERT_STATUS(200, ask(HTTP_POST, retire, NULL));
    int64_t change = counted("SELECT change FROM device");
    ASSERT_STATUS(200, checked_in(&cert, "{\"device\":{\"name\":\"ghost\"}}"));
    assert_string_equal("retired", answered("state"));
    assert_int_equal(1, json_object_size(directory.answer));
    assert_int_equal(change, counted("SELECT change FROM device"));
    AUTO_STR csr = csr_text();
    AUTO_STR body = xasprintf("{\"csr\":\"%s\"}", csr);
    ASSERT_STATUS(409, agent_post("/device/v1/renew", body, buf_bytes(&cert)));
}

static struct buf renewed(const struct buf *cert)
{
    AUTO_STR csr = csr_text();
    AUTO_STR body = xasprintf("{\"csr\":\"%s\"}", csr);
    ASSERT_STATUS(201, agent_post("/device/v1/renew", body, buf_bytes(cert)));
    return certificate_answered();
}

TEST(a_certificate_that_was_replaced_counts_no_more)
{
    AUTO_BUF first = device_enrolled("{}", PHONE);
    AUTO_BUF lost = renewed(&first);
    ASSERT_STATUS(200, checked_in(&first, "{}")); /* the answer was lost: the first one is still good */
    AUTO_BUF second = renewed(&first);
    ASSERT_STATUS(403, checked_in(&lost, "{}"));
    ASSERT_STATUS(200,
                  checked_in(&first, "{}")); /* on its way at the same time: it does not end the second */
    ASSERT_STATUS(200, checked_in(&second, "{}"));
    ASSERT_STATUS(403, checked_in(&first, "{}"));
    AUTO_STR csr = csr_text();
    AUTO_STR body = xasprintf("{\"csr\":\"%s\"}", csr);
    ASSERT_STATUS(403, agent_post("/device/v1/renew", body, buf_bytes(&first)));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM device_identity WHERE ended_at IS NULL"));
}

DIRECTORY_MAIN(A(an_enrolled_device_is_told_when_to_come_again_and_that_there_is_nothing_to_do),
               A(platforms_come_as_often_as_they_are_used_to),
               A(nobody_checks_in_without_a_certificate_of_the_device_ca),
               A(what_changed_is_in_the_directory_under_a_new_number_and_what_did_not_writes_nothing),
               A(what_is_installed_is_kept_until_it_is_told_otherwise), A(reports_are_read_strictly),
               A(a_device_does_not_become_another_one), A(one_that_is_retired_is_told_so_and_nothing_else),
               A(a_certificate_that_was_replaced_counts_no_more))

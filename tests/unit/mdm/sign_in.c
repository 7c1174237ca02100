/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in: who is let in, what others learn, and how often they may try. */
#include "tests/unit/mdm/signing.h"

#include <time.h>

TEST(a_name_and_its_password_make_a_session)
{
    administrator_made("anna", "ca-manager,auditor", PASSWORD);
    ASSERT_STATUS(201, signed_in("ANNA", PASSWORD, HOME));
    assert_string_equal("admin/anna", answered("name"));
    assert_string_equal("2026-09-22T02:13:20Z", answered("expires_at"));
    assert_int_equal(2, json_array_size(json_object_get(directory.answer, "roles")));
    assert_null(directory.headers);
    AUTO_STR token = xstrdup(answered("token"));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, SESSION, NULL));
    assert_string_equal("session", answered("by"));
    assert_int_equal(64, strlen(answered("csrf")));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, "/api/v1/users", NULL));
    /* The store has no more of it than a digest, and the audit trail who it was, and from where. */
    assert_int_equal(1, counted("SELECT COUNT(*) FROM admin_session"));
    assert_int_equal(
        1, counted("SELECT COUNT(*) FROM audit WHERE action = 'sign_in' AND actor = 'admin/anna' AND "
                   "detail LIKE '%192.0.2.7%'"));
    ASSERT_STATUS(204, ask_as(token, HTTP_DELETE, SESSION, NULL));
    ASSERT_STATUS(401, ask_as(token, HTTP_GET, SESSION, NULL));
    assert_int_equal(
        1, counted("SELECT COUNT(*) FROM audit WHERE action = 'sign_out' AND actor = 'admin/anna'"));
    ASSERT_STATUS(409, ask(HTTP_DELETE, SESSION, NULL));
    ASSERT_STATUS(200, ask(HTTP_GET, SESSION, NULL));
    assert_string_equal("local", answered("by"));
}

TEST(each_sign_in_has_a_token_of_its_own)
{
    administrator_made("anna", "auditor", PASSWORD);
    AUTO_STR first = session_made("anna");
    AUTO_STR second = session_made("anna");
    assert_string_not_equal(first, second);
    ASSERT_STATUS(204, ask_as(first, HTTP_DELETE, SESSION, NULL));
    ASSERT_STATUS(200, ask_as(second, HTTP_GET, SESSION, NULL));
}

TEST(who_is_refused_learns_nothing_of_why)
{
    administrator_made("anna", "auditor", PASSWORD);
    administrator_made("nopass", "auditor", NULL);
    administrator_made("disabled", "auditor", PASSWORD);
    administrator_made("deleted", "auditor", PASSWORD);
    ASSERT_STATUS(200, ask(HTTP_PATCH, ADMINS "/disabled", "{\"enabled\":false}"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, ADMINS "/deleted", NULL));
    static const struct {
        const char *name, *password;
    } wrong[] = {
        { "nobody", PASSWORD },
        { "anna", "correct horse batterx" },
        { "anna", "" },
        { "nopass", PASSWORD },
        { "nopass", "" },
        { "disabled", PASSWORD },
        { "deleted", PASSWORD },
        { "", PASSWORD },
        { "' OR 1=1 --", PASSWORD },
        { "%", PASSWORD },
        { "anna", "Correct horse battery" },
        { "anna", PASSWORD " " },
    };
    AUTO_STR answer = NULL;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        AUTO_STR peer = xasprintf("192.0.2.%zu", i + 20);
        ASSERT_STATUS(401, signed_in(wrong[i].name, wrong[i].password, peer));
        AUTO_BUF text = { 0 };
        json_text_append(&text, directory.answer);
        if (answer)
            assert_string_equal(answer, buf_text(&text));
        else
            answer = xstrdup(buf_text(&text));
    }
    assert_int_equal(0, counted("SELECT COUNT(*) FROM admin_session"));
    /* What was typed as a name may be a password. */
    assert_int_equal(
        0, counted("SELECT COUNT(*) FROM audit WHERE object LIKE '%OR 1=1%' OR detail LIKE '%OR 1=1%'"));
    assert_int_equal(12, counted("SELECT COUNT(*) FROM audit WHERE action = 'sign_in_refused'"));
}

static double cpu_of(const char *name)
{
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (int i = 0; i < 3; i++)
        ASSERT_STATUS(401, signed_in(name, "a wrong password", HOME));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

TEST(a_name_that_nobody_has_takes_as_long_as_a_wrong_password)
{
    administrator_made("anna", "auditor", PASSWORD);
    administrator_made("nopass", "auditor", NULL);
    double wrong = cpu_of("anna"), unknown = cpu_of("nobody"), without = cpu_of("nopass");
    assert_true(unknown > wrong / 2 && unknown < wrong * 2);
    assert_true(without > wrong / 2 && without < wrong * 2);
}

TEST(an_address_with_many_wrong_passwords_is_not_heard_for_a_while)
{
    administrator_made("anna", "auditor", PASSWORD);
    for (int i = 0; i < SIGN_IN_BY_ADDRESS; i++) {
        AUTO_STR name = xasprintf("name%d", i);
        ASSERT_STATUS(401, signed_in(name, "a wrong password", "198.51.100.9"));
    }
    ASSERT_STATUS(429, signed_in("anna", PASSWORD, "198.51.100.9"));
    assert_non_null(strstr(directory.headers, "Retry-After"));
    ASSERT_STATUS(201, signed_in("anna", PASSWORD, HOME));
    /* The trail has some of them, and not all. */
    assert_int_equal(SIGN_IN_AUDITED, counted("SELECT COUNT(*) FROM audit WHERE action = 'sign_in_refused'"));
}

static void strangers_try(const char *name)
{
    for (int i = 0; i < SIGN_IN_BY_NAME; i++) {
        AUTO_STR peer = xasprintf("198.51.100.%d", i + 1);
        ASSERT_STATUS(401, signed_in(name, "a wrong password", peer));
    }
}

TEST(a_name_with_many_wrong_passwords_is_heard_only_from_where_it_is_known)
{
    administrator_made("anna", "auditor", PASSWORD);
    administrator_made("bert", "auditor", PASSWORD);
    ASSERT_STATUS(201, signed_in("anna", PASSWORD, "2001:db8::1"));
    strangers_try("anna");
    strangers_try("nobody");
    ASSERT_STATUS(429, signed_in("anna", "a wrong password", "203.0.113.1"));
    ASSERT_STATUS(429, signed_in("ANNA", PASSWORD, "203.0.113.1"));
    ASSERT_STATUS(429,
                  signed_in("nobody", PASSWORD, "203.0.113.1"));    /* the same for a name that nobody has */
    ASSERT_STATUS(201, signed_in("anna", PASSWORD, "2001:db8::2")); /* of the /64 that she was at */
    ASSERT_STATUS(201, signed_in("bert", PASSWORD, "203.0.113.1"));
}

TEST(a_session_ends_when_it_is_idle_and_when_it_is_old)
{
    administrator_made("anna", "auditor", PASSWORD);
    AUTO_STR idle = session_made("anna");
    AUTO_STR busy = session_made("anna");
    directory.clock.held = NOW + IDLE - 1;
    ASSERT_STATUS(200, ask_as(busy, HTTP_GET, SESSION, NULL));
    directory.clock.held = NOW + IDLE;
    ASSERT_STATUS(401, ask_as(idle, HTTP_GET, SESSION, NULL));
    for (int64_t at = NOW + IDLE; at < NOW + LIFETIME; at += IDLE / 2) {
        directory.clock.held = at;
        ASSERT_STATUS(200, ask_as(busy, HTTP_GET, SESSION, NULL));
    }
    directory.clock.held = NOW + LIFETIME - 1;
    ASSERT_STATUS(200, ask_as(busy, HTTP_GET, SESSION, NULL));
    directory.clock.held = NOW + LIFETIME;
    ASSERT_STATUS(401, ask_as(busy, HTTP_GET, SESSION, NULL));
}

static enum err sweep_work(struct store_tx *tx, void *arg, struct why *why)
{
    (void)arg;
    return sessions_sweep(tx, sign_in_times(directory.mdm.sign_in), directory.clock.held, why);
}

TEST(what_is_over_is_swept_and_what_is_not_stays)
{
    struct why why = { 0 };
    administrator_made("anna", "auditor", PASSWORD);
    free(session_made("anna")); /* will be over */
    directory.clock.held = NOW + IDLE;
    AUTO_STR fresh = session_made("anna");
    ASSERT_OK(store_write(directory.mdm.store, sweep_work, NULL, &why), &why);
    assert_int_equal(1, counted("SELECT COUNT(*) FROM admin_session"));
    ASSERT_STATUS(200, ask_as(fresh, HTTP_GET, SESSION, NULL));
}

static int ended_by(enum http_method method, const char *target, const char *body)
{
    AUTO_STR token = session_made("anna");
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, SESSION, NULL));
    int status = ask(method, target, body);
    if (status != 200 && status != 204)
        fail_msg("%s gave %d", target, status);
    return ask_as(token, HTTP_GET, SESSION, NULL);
}

TEST(sessions_end_when_rights_or_the_password_change)
{
    administrator_made("anna", "auditor", PASSWORD);
    ASSERT_STATUS(200, ended_by(HTTP_PATCH, ADMINS "/anna", "{\"display_name\":\"Anna\"}"));
    ASSERT_STATUS(200,
                  ended_by(HTTP_PATCH, ADMINS "/anna", "{\"roles\":\"auditor\"}")); /* the same as before */
    ASSERT_STATUS(401, ended_by(HTTP_PATCH, ADMINS "/anna", "{\"roles\":\"auditor,help-desk\"}"));
    ASSERT_STATUS(401, ended_by(HTTP_PUT, ADMINS "/anna/password", "{\"password\":\"" PASSWORD "\"}"));
    ASSERT_STATUS(401, ended_by(HTTP_PATCH, ADMINS "/anna", "{\"enabled\":false}"));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM admin_session"));
    ASSERT_STATUS(200, ask(HTTP_PATCH, ADMINS "/anna", "{\"enabled\":true}"));
    ASSERT_STATUS(401, ended_by(HTTP_DELETE, ADMINS "/anna", NULL));
}

TEST(one_s_own_password_is_changed_with_the_one_before)
{
    administrator_made("anna", "help-desk", PASSWORD);
    administrator_made("root", "ca-manager", PASSWORD);
    AUTO_STR token = session_made("anna");
    AUTO_STR manager = session_made("root");
    ASSERT_STATUS(401, ask_as(token, HTTP_PUT, SESSION "/password",
                              "{\"current\":\"x\",\"password\":\"another password\"}"));
    ASSERT_STATUS(422, ask_as(token, HTTP_PUT, SESSION "/password",
                              "{\"current\":\"" PASSWORD "\",\"password\":\"x\"}"));
    ASSERT_STATUS(200, ask_as(token, HTTP_GET, SESSION, NULL));
    ASSERT_STATUS(204, ask_as(token, HTTP_PUT, SESSION "/password",
                              "{\"current\":\"" PASSWORD "\",\"password\":\"another password\"}"));
    ASSERT_STATUS(401, ask_as(token, HTTP_GET, SESSION, NULL));
    ASSERT_STATUS(401, signed_in("anna", PASSWORD, HOME));
    ASSERT_STATUS(201, signed_in("anna", "another password", HOME));
    /* Nor does managing administrators go around it. */
    ASSERT_STATUS(409,
                  ask_as(manager, HTTP_PUT, ADMINS "/root/password", "{\"password\":\"another password\"}"));
    ASSERT_STATUS(204, ask_as(manager, HTTP_PUT, ADMINS "/anna/password", "{\"password\":\"" PASSWORD "\"}"));
    ASSERT_STATUS(
        409, ask(HTTP_PUT, SESSION "/password", "{\"current\":\"x\",\"password\":\"another password\"}"));
}

TEST(of_many_sessions_the_oldest_end)
{
    administrator_made("anna", "auditor", PASSWORD);
    administrator_made("bert", "auditor", PASSWORD);
    AUTO_STR other = session_made("bert");
    AUTO_STR first = session_made("anna");
    for (int i = 0; i < 50; i++) {
        directory.clock.held++;
        ASSERT_STATUS(201, signed_in("anna", PASSWORD, HOME));
    }
    assert_int_equal(51, counted("SELECT COUNT(*) FROM admin_session"));
    ASSERT_STATUS(401, ask_as(first, HTTP_GET, SESSION, NULL));
    ASSERT_STATUS(200, ask_as(other, HTTP_GET, SESSION, NULL));
}

TEST(a_password_that_changes_meanwhile_makes_no_session)
{
    static const struct {
        enum http_method method;
        const char *target, *body;
    } changes[] = {
        { HTTP_PUT, ADMINS "/anna/password", "{\"password\":\"" PASSWORD "\"}" },
        { HTTP_PATCH, ADMINS "/anna", "{\"enabled\":false}" },
        { HTTP_PATCH, ADMINS "/anna", "{\"enabled\":true}" },
        { HTTP_DELETE, ADMINS "/anna", NULL },
    };
    static const enum err expected[] = { ERR_SIGN_IN, ERR_SIGN_IN, OK, ERR_SIGN_IN };
    administrator_made("anna", "auditor", PASSWORD);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        const struct signing_in asked = { &directory.mdm, BYTES_LIT("anna"), BYTES_LIT(PASSWORD), HOME, NOW };
        AUTO(signed_in) who = NULL;
        struct session session;
        char token[BEARER_TEXT];
        struct why why = { 0 };
        if (i == 2) { /* enabled again: the one that is refused before is not this one's matter */
            ASSERT_STATUS(200, ask(changes[i].method, changes[i].target, changes[i].body));
            ASSERT_OK(sign_in_try(&asked, &who, &why), &why);
        } else {
            ASSERT_OK(sign_in_try(&asked, &who, &why), &why);
            int status = ask(changes[i].method, changes[i].target, changes[i].body);
            assert_true(status == 200 || status == 204);
        }
        assert_int_equal(expected[i], sign_in_enter(who, &session, token, &why));
    }
    assert_int_equal(0, counted("SELECT COUNT(*) FROM admin_session"));
}

TEST(a_sign_in_is_asked_for_in_one_form)
{
    static const char *const wrong[] = {
        "{}",
        "{\"name\":\"anna\"}",
        "{\"password\":\"x\"}",
        "{\"name\":1,\"password\":\"x\"}",
        "{\"name\":\"anna\",\"password\":null}",
        "{\"name\":\"anna\",\"password\":\"x\",\"cookie\":1}",
        "{\"name\":\"anna\",\"password\":\"x\",\"roles\":\"ca-manager\"}",
        "[]",
    };
    administrator_made("anna", "auditor", PASSWORD);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(422, ask_as(NULL, HTTP_POST, SESSION, wrong[i]));
    ASSERT_STATUS(
        400, ask_as(NULL, HTTP_POST, SESSION, "{\"name\":\"anna\",\"name\":\"bert\",\"password\":\"x\"}"));
    ASSERT_STATUS(400, ask_as(NULL, HTTP_POST, SESSION, "{\"name\":\"anna\\u0000\",\"password\":\"x\"}"));
    /* A page of somebody else's sends forms, and no JSON. */
    const struct api_request form = { .method = HTTP_POST,
                                      .target = BYTES_LIT(SESSION),
                                      .content_type = BYTES_LIT("text/plain"),
                                      .body =
                                          BYTES_LIT("{\"name\":\"anna\",\"password\":\"" PASSWORD "\"}") };
    ASSERT_STATUS(422, ask_with(&form));
}

DIRECTORY_MAIN(S(a_name_and_its_password_make_a_session), S(each_sign_in_has_a_token_of_its_own),
               S(who_is_refused_learns_nothing_of_why),
               S(a_name_that_nobody_has_takes_as_long_as_a_wrong_password),
               S(an_address_with_many_wrong_passwords_is_not_heard_for_a_while),
               S(a_name_with_many_wrong_passwords_is_heard_only_from_where_it_is_known),
               S(a_session_ends_when_it_is_idle_and_when_it_is_old),
               S(what_is_over_is_swept_and_what_is_not_stays),
               S(sessions_end_when_rights_or_the_password_change),
               S(one_s_own_password_is_changed_with_the_one_before), S(of_many_sessions_the_oldest_end),
               S(a_password_that_changes_meanwhile_makes_no_session), S(a_sign_in_is_asked_for_in_one_form))

/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators and their passwords: what they may be, and what a change of one comes to. */
#include "mdm/administrator.h"
#include "mdm/password.h"
#include "tests/unit/mdm/signing.h"

#include <pthread.h>
#include <sys/resource.h>

#define A_PASSWORD ADMINS "/anna/password"

TEST(roles_are_words_of_the_table_and_names_are_plain)
{
    static const char *const wrong[] = {
        "{\"name\":\"x\"}",
        "{\"name\":\"x\",\"roles\":\"\"}",
        "{\"name\":\"x\",\"roles\":\"root\"}",
        "{\"name\":\"x\",\"roles\":\"auditor, help-desk\"}",
        "{\"name\":\"x\",\"roles\":\"auditor,\"}",
        "{\"name\":\"x\",\"roles\":[\"auditor\"]}",
        "{\"name\":\"a/b\",\"roles\":\"auditor\"}",
        "{\"name\":\"a b\",\"roles\":\"auditor\"}",
        "{\"name\":\"\\u0430nna\",\"roles\":\"auditor\"}", /* a Cyrillic letter */
        "{\"name\":\"\",\"roles\":\"auditor\"}",
        "{\"name\":\"1c9c0bf4-5b0e-4f0c-9d7b-2b8f0c9d1e2f\",\"roles\":\"auditor\"}",
        "{\"name\":\"x\",\"roles\":\"auditor\",\"password\":\"" PASSWORD "\"}",
        "{\"name\":\"x\",\"roles\":\"auditor\",\"password_set_at\":null}",
        "{\"name\":\"x\",\"roles\":\"auditor\",\"source\":\"directory\"}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ASSERT_STATUS(422, ask(HTTP_POST, ADMINS, wrong[i]));
    ASSERT_STATUS(201,
                  ask(HTTP_POST, ADMINS, "{\"name\":\"Anna\",\"roles\":\"auditor,ca-manager,auditor\"}"));
    assert_string_equal("ca-manager,auditor", answered("roles"));
    ASSERT_STATUS(409, ask(HTTP_POST, ADMINS, "{\"name\":\"aNNA\",\"roles\":\"auditor\"}"));
    ASSERT_STATUS(422, ask(HTTP_PATCH, ADMINS "/anna", "{\"name\":\"bert\"}"));
    AUTO_STR longest = xasprintf("{\"name\":\"%064d\",\"roles\":\"auditor\"}", 0);
    AUTO_STR longer = xasprintf("{\"name\":\"%065d\",\"roles\":\"auditor\"}", 0);
    ASSERT_STATUS(201, ask(HTTP_POST, ADMINS, longest));
    ASSERT_STATUS(422, ask(HTTP_POST, ADMINS, longer));
}

static int set_to(const char *password)
{
    AUTO_STR body = xasprintf("{\"password\":\"%s\"}", password);
    return ask(HTTP_PUT, A_PASSWORD, body);
}

TEST(a_password_has_12_to_128_characters_and_is_not_the_name)
{
    AUTO_STR most = xasprintf("%0128d", 0);
    AUTO_STR more = xasprintf("%0129d", 0);
    administrator_made("anna", "auditor", NULL);
    ASSERT_STATUS(422, set_to("elevenchars"));
    ASSERT_SAYS("has 11 characters; allowed are 12 to 128");
    ASSERT_STATUS(204, set_to("twelve chars"));
    ASSERT_STATUS(204, set_to(most));
    ASSERT_STATUS(422, set_to(more));
    /* Characters, not octets. */
    ASSERT_STATUS(422, set_to("ääääääääääü"));
    ASSERT_STATUS(204, set_to("äääääääääääü"));
    ASSERT_STATUS(422, set_to("twelve\\tchars"));
    ASSERT_STATUS(422, ask(HTTP_PUT, A_PASSWORD, "{\"password\":123456789012}"));
    ASSERT_STATUS(422, ask(HTTP_PUT, A_PASSWORD, "{}"));
    ASSERT_STATUS(422, ask(HTTP_PUT, A_PASSWORD, "{\"password\":\"twelve chars\",\"x\":1}"));
    ASSERT_STATUS(404, ask(HTTP_PUT, ADMINS "/nobody/password", "{\"password\":\"twelve chars\"}"));
    ASSERT_STATUS(201, ask(HTTP_POST, ADMINS, "{\"name\":\"anna.example.org\",\"roles\":\"auditor\"}"));
    ASSERT_STATUS(422,
                  ask(HTTP_PUT, ADMINS "/anna.example.org/password", "{\"password\":\"Anna.Example.Org\"}"));
    ASSERT_SAYS("the password is the name");
}

TEST(a_password_is_kept_as_argon2id_and_nowhere_else)
{
    administrator_made("anna", "auditor", PASSWORD);
    assert_int_equal(1, counted("SELECT COUNT(*) FROM administrator_password WHERE hash LIKE "
                                "'$argon2id$v=19$m=19456,t=2,p=1$%'"));
    assert_int_equal(0, counted("SELECT COUNT(*) FROM audit WHERE detail LIKE '%horse%'"));
    assert_int_equal(1, counted("SELECT COUNT(*) FROM audit WHERE action = 'administrator_password'"));
    ASSERT_STATUS(200, ask(HTTP_GET, ADMINS "/anna", NULL));
    assert_string_equal("2026-09-21T14:13:20Z", answered("password_set_at"));
    AUTO_BUF shown = { 0 };
    json_text_append(&shown, directory.answer);
    assert_null(strstr(buf_text(&shown), "argon2"));
}

TEST(the_last_who_manages_administrators_is_not_taken_away_over_https)
{
    static const struct {
        enum http_method method;
        const char *body;
    } ways[] = { { HTTP_PATCH, "{\"enabled\":false}" },
                 { HTTP_PATCH, "{\"roles\":\"auditor\"}" },
                 { HTTP_DELETE, NULL } };
    administrator_made("anna", "ca-manager", PASSWORD);
    administrator_made("bert", "ca-manager", NULL);            /* cannot sign in, so does not count */
    administrator_made("carl", "auditor,help-desk", PASSWORD); /* nor does one who may not */
    AUTO_STR token = session_made("anna");
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        ASSERT_STATUS(409, ask_as(token, ways[i].method, ADMINS "/anna", ways[i].body));
        ASSERT_SAYS("anna is the last one");
    }
    ASSERT_STATUS(200, ask_as(token, HTTP_PATCH, ADMINS "/anna", "{\"display_name\":\"Anna\"}"));
    ASSERT_STATUS(200, ask_as(token, HTTP_PATCH, ADMINS "/anna", "{\"roles\":\"ca-manager,auditor\"}"));
    free(token);
    token = session_made("anna");
    ASSERT_STATUS(204, ask_as(token, HTTP_DELETE, ADMINS "/bert", NULL));
    /* With another who can, it goes; and by the command line it always does. */
    administrator_made("dora", "ca-manager", PASSWORD);
    ASSERT_STATUS(200, ask_as(token, HTTP_PATCH, ADMINS "/anna", "{\"enabled\":false}"));
    ASSERT_STATUS(204, ask(HTTP_DELETE, ADMINS "/dora", NULL));
}

struct two {
    struct passwords *passwords;
    enum err err;
};

static void *hash_one(void *arg)
{
    struct two *two = arg;
    struct why why = { 0 };
    AUTO_STR hash = NULL;
    two->err = passwords_hash(two->passwords, BYTES_LIT(PASSWORD), &hash, &why);
    return NULL;
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(of_many_hashes_one_is_computed_and_few_wait)
{
    enum { MANY = 40 };
    struct two each[MANY];
    pthread_t threads[MANY];
    size_t busy = 0;
    hash_one(&(struct two){ sign_in_passwords(directory.mdm.sign_in), OK });
    long before = peak_kib();
    for (size_t i = 0; i < MANY; i++) {
        each[i] = (struct two){ sign_in_passwords(directory.mdm.sign_in), OK };
        assert_int_equal(0, pthread_create(&threads[i], NULL, hash_one, &each[i]));
    }
    for (size_t i = 0; i < MANY; i++) {
        pthread_join(threads[i], NULL);
        assert_true(each[i].err == OK || each[i].err == ERR_BUSY);
        busy += each[i].err == ERR_BUSY;
    }
    assert_true(busy > 0);
    assert_true(MANY - busy >= PASSWORD_WAITING + 1);
#ifdef __SANITIZE_ADDRESS__
    (void)before;
#else
    /* The memory of one hash, and not of nine. */
    assert_true(peak_kib() - before < 2L * PASSWORD_KIB);
#endif
    /* And then there is room again. */
    hash_one(&each[0]);
    assert_int_equal(OK, each[0].err);
}

DIRECTORY_MAIN(S(roles_are_words_of_the_table_and_names_are_plain),
               S(a_password_has_12_to_128_characters_and_is_not_the_name),
               S(a_password_is_kept_as_argon2id_and_nowhere_else),
               S(the_last_who_manages_administrators_is_not_taken_away_over_https),
               S(of_many_hashes_one_is_computed_and_few_wait))

/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: their comparison, and which files may hold one. */
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

/* RAND_bytes of the code under test comes here (linked with --wrap). */
static bool generator_fails;
int __real_RAND_bytes(unsigned char *out, int len);
int __wrap_RAND_bytes(unsigned char *out, int len);
int __wrap_RAND_bytes(unsigned char *out, int len)
{
    return generator_fails ? 0 : __real_RAND_bytes(out, len);
}

static void enter_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/chancery-secret-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(0, chdir(folder));
}

static void leave_folder(void)
{
    assert_int_equal(0, chdir("/"));
    assert_int_equal(0, rmdir(folder));
}

static void put(const char *name, struct bytes data, mode_t mode)
{
    struct why why = { 0 };
    ASSERT_OK(file_write(name, data, mode, &why), &why);
}

TEST(equal_is_about_length_and_content)
{
    assert_true(secret_equal(BYTES_LIT("abc"), BYTES_LIT("abc")));
    assert_false(secret_equal(BYTES_LIT("abc"), BYTES_LIT("abd")));
    assert_false(secret_equal(BYTES_LIT("abc"), BYTES_LIT("abcd")));
    assert_true(secret_equal(BYTES_NONE, BYTES_NONE));
}

TEST(new_is_zeroed_and_free_forgets)
{
    struct secret secret = secret_new(32);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(0, secret.data[i]);
    secret_free(&secret);
    assert_null(secret.data);
    assert_int_equal(0, secret.len);
    secret_free(&secret);
    secret_free(NULL);
}

TEST(random_secrets_differ)
{
    struct why why = { 0 };
    AUTO_VAL(secret) a = { 0 };
    AUTO_VAL(secret) b = { 0 };
    ASSERT_OK(secret_random(32, &a, &why), &why);
    ASSERT_OK(secret_random(32, &b, &why), &why);
    assert_int_equal(32, a.len);
    assert_false(secret_equal(secret_bytes(&a), secret_bytes(&b)));
}

TEST(a_generator_that_fails_gives_no_secret)
{
    uint8_t octets[16] = { 0 };
    struct why why = { 0 };
    AUTO_VAL(secret) secret = { 0 };
    generator_fails = true;
    enum err filled = random_fill(octets, sizeof(octets), &why), made = secret_random(32, &secret, &why);
    generator_fails = false;
    assert_int_equal(ERR_INTERNAL, filled);
    assert_int_equal(ERR_INTERNAL, made);
    assert_null(secret.data);
}

TEST(wipe_zeroes)
{
    uint8_t data[16];
    memset(data, 0xAA, sizeof(data));
    secret_wipe(data, sizeof(data));
    for (size_t i = 0; i < sizeof(data); i++)
        assert_int_equal(0, data[i]);
}

TEST(a_private_file_is_read_without_its_last_newline)
{
    struct why why = { 0 };
    enter_folder();
    put("one", BYTES_LIT("hunter2\n"), 0400);
    put("two", BYTES_LIT("hunter2\n\n"), 0600);
    put("none", BYTES_LIT(""), 0400);
    AUTO_VAL(secret) one = { 0 };
    AUTO_VAL(secret) two = { 0 };
    AUTO_VAL(secret) none = { 0 };
    ASSERT_OK(secret_read_file("one", 100, &one, &why), &why);
    ASSERT_OK(secret_read_file("two", 100, &two, &why), &why);
    ASSERT_OK(secret_read_file("none", 100, &none, &why), &why);
    ASSERT_BYTES(secret_bytes(&one), BYTES_LIT("hunter2"));
    ASSERT_BYTES(secret_bytes(&two), BYTES_LIT("hunter2\n"));
    assert_int_equal(0, none.len);
    unlink("one");
    unlink("two");
    unlink("none");
    leave_folder();
}

TEST(any_bit_for_group_or_others_refuses)
{
    enter_folder();
    for (unsigned bit = 1; bit < 0100; bit <<= 1) {
        struct why why = { 0 };
        struct secret secret = { 0 };
        put("s", BYTES_LIT("x"), 0400 | bit);
        ASSERT_ERR(ERR_KEY, secret_read_file("s", 100, &secret, &why), &why);
        assert_null(secret.data);
        assert_non_null(strstr(why.text, "mode"));
        unlink("s");
    }
    leave_folder();
}

TEST(links_folders_fifos_and_missing_files_refuse)
{
    struct why why = { 0 };
    struct secret secret = { 0 };
    enter_folder();
    put("s", BYTES_LIT("x"), 0400);
    assert_int_equal(0, symlink("s", "link"));
    assert_int_equal(0, mkfifo("fifo", 0600));
    assert_int_equal(0, mkdir("folder", 0700));
    ASSERT_ERR(ERR_IO, secret_read_file("link", 100, &secret, &why), &why);
    ASSERT_ERR(ERR_IO, secret_read_file("fifo", 100, &secret, &why), &why);
    ASSERT_ERR(ERR_IO, secret_read_file("folder", 100, &secret, &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, secret_read_file("missing", 100, &secret, &why), &why);
    assert_null(secret.data);
    unlink("s");
    unlink("link");
    unlink("fifo");
    rmdir("folder");
    leave_folder();
}

TEST(another_user_s_file_refuses_but_for_root)
{
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    struct why why = { 0 };
    struct secret secret = { 0 };
    enter_folder();
    put("s", BYTES_LIT("x"), 0400);
    assert_int_equal(0, chown("s", 12345, (gid_t)-1));
    ASSERT_OK(secret_read_file("s", 100, &secret, &why), &why); /* the command line, on a role's file */
    secret_free(&secret);
    assert_int_equal(0, chmod(".", 0755));
    assert_int_equal(0, chmod("s", 0444));
    assert_int_equal(0, seteuid(54321));
    enum err err = secret_read_file("s", 100, &secret, &why);
    assert_int_equal(0, seteuid(0));
    assert_int_equal(err, ERR_KEY);
    assert_non_null(strstr(why.text, "belongs to uid 12345"));
    unlink("s");
    leave_folder();
}

TEST(the_size_limit_holds_at_the_octet)
{
    struct why why = { 0 };
    AUTO_VAL(secret) secret = { 0 };
    struct secret none = { 0 };
    enter_folder();
    put("s", BYTES_LIT("12345678"), 0400);
    ASSERT_OK(secret_read_file("s", 8, &secret, &why), &why);
    ASSERT_ERR(ERR_LIMIT, secret_read_file("s", 7, &none, &why), &why);
    unlink("s");
    leave_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(equal_is_about_length_and_content),
                                        T(new_is_zeroed_and_free_forgets),
                                        T(random_secrets_differ),
                                        T(a_generator_that_fails_gives_no_secret),
                                        T(wipe_zeroes),
                                        T(a_private_file_is_read_without_its_last_newline),
                                        T(any_bit_for_group_or_others_refuses),
                                        T(links_folders_fifos_and_missing_files_refuse),
                                        T(another_user_s_file_refuses_but_for_root),
                                        T(the_size_limit_holds_at_the_octet) };
    secret_heap_open(LIMIT_SECRET_HEAP_BYTES);
    TEST_FILTER();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of keys, by whole file names. */
#include "base/generation.h"
#include "base/auto.h"
#include "base/file.h"
#include "tests/unit/test.h"

static void folder_make(char *dir, const char *const *files, size_t count)
{
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < count; i++) {
        AUTO_STR path = xasprintf("%s/%s", dir, files[i]);
        assert_int_equal(file_write(path, BYTES_LIT("x"), 0400, NULL), OK);
    }
}

static void folder_remove(const char *dir)
{
    AUTO_STR command = xasprintf("rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

TEST(generations_are_found_by_whole_file_names)
{
    char dir[] = "/tmp/chancery-generation-XXXXXX";
    static const char *const files[] = { "tls-3.key.pem",   "tls-12.key.pem",     "tls-0.key.pem",
                                         "tls-013.key.pem", "tls-99.key.pem.old", "tls-99x.key.pem",
                                         "xtls-99.key.pem", "tls--1.key.pem",     "tls-9999999999.key.pem",
                                         "tls-.key.pem",    "tls-50.crt.pem" };
    folder_make(dir, files, sizeof(files) / sizeof(*files));
    assert_int_equal(generation_highest(dir, "tls"), 12);
    assert_int_equal(generation_highest(dir, "none"), 0);
    assert_int_equal(generation_highest("/tmp/chancery-there-is-none", "tls"), 0);
    folder_remove(dir);
}

TEST(the_list_is_ascending_and_says_when_it_is_full)
{
    char dir[] = "/tmp/chancery-generation-XXXXXX";
    static const char *const files[] = { "a-9.key.pem", "a-1.key.pem", "a-10.key.pem",
                                         "a-2.key.pem", "a-3.key.pem", "a-4.key.pem",
                                         "a-5.key.pem", "a-6.key.pem", "a-7.key.pem" };
    folder_make(dir, files, GENERATIONS_MAX);
    struct generations found = generations_find(dir, "a");
    assert_int_equal(found.count, GENERATIONS_MAX);
    assert_false(found.more);
    for (size_t i = 1; i < found.count; i++)
        assert_true(found.list[i - 1] < found.list[i]);
    folder_remove(dir);
    char again[] = "/tmp/chancery-generation-XXXXXX";
    folder_make(again, files, GENERATIONS_MAX + 1);
    found = generations_find(again, "a");
    assert_int_equal(found.count, GENERATIONS_MAX);
    assert_true(found.more);
    assert_int_equal(found.highest, 10);
    folder_remove(again);
}

RUN(T(generations_are_found_by_whole_file_names), T(the_list_is_ascending_and_says_when_it_is_full))

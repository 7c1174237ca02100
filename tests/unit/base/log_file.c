/* SPDX-License-Identifier: Apache-2.0 */
/* Log files that somebody else's tools read: made at once, or by their first line. */
#include "base/log_file.h"

#include "base/file.h"
#include "tests/unit/test.h"
#include <unistd.h>

static char folder[] = "/tmp/chancery-log-XXXXXX";

static int begin(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    AUTO_STR path = xasprintf("%s/it.log", folder);
    unlink(path);
    return rmdir(folder);
}

static void contains(const char *expected)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/it.log", folder);
    AUTO_BUF text = { 0 };
    ASSERT_OK(file_read(path, 1000, &text, &why), &why);
    assert_string_equal(expected, buf_text(&text));
}

TEST(a_file_for_later_is_made_by_its_first_line)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/it.log", folder);
    AUTO(log_file) log = log_file_later(path, "test log");
    assert_int_not_equal(0, access(path, F_OK));
    ASSERT_OK(log_file_reopen(log, &why), &why); /* SIGHUP before that makes none */
    assert_int_not_equal(0, access(path, F_OK));
    log_file_write(log, BYTES_LIT("one\n"));
    log_file_write(log, BYTES_LIT("two\n"));
    contains("one\ntwo\n");
    assert_int_equal(0, unlink(path));
    ASSERT_OK(log_file_reopen(log, &why), &why);
    log_file_write(log, BYTES_LIT("three\n"));
    contains("three\n");
}

TEST(one_that_cannot_be_made_fails_and_is_made_when_it_can)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/it.log", folder);
    AUTO(log_file) log = log_file_later(path, "test log");
    assert_int_equal(0, symlink("/dev/null", path)); /* which is no file of ours */
    log_file_write(log, BYTES_LIT("lost\n"));
    assert_true(log_file_is_failing(log, &why));
    assert_int_equal(0, unlink(path));
    log_file_write(log, BYTES_LIT("kept\n"));
    assert_false(log_file_is_failing(log, &why));
    contains("kept\n");
}

#define F(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(F(a_file_for_later_is_made_by_its_first_line), F(one_that_cannot_be_made_fails_and_is_made_when_it_can))

/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: replaced at once, never overwritten when new, read under a limit. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/chancery-file-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int entries(void)
{
    int count = 0;
    DIR *dir = opendir(".");
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static int leave_folder(void **state)
{
    (void)state;
    AUTO_STR command = xasprintf("chmod -R u+rwx %s; rm -rf %s", folder, folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(0, stat(path, &info));
    return info.st_mode & 07777;
}

TEST(write_makes_the_file_with_its_mode_and_leaves_nothing_else)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    umask(0077);
    ASSERT_OK(file_write("a", BYTES_LIT("one"), 0444, &why), &why);
    umask(0022);
    assert_int_equal(0444, mode_of("a"));
    ASSERT_OK(file_read("a", 3, &text, &why), &why);
    ASSERT_BYTES(buf_bytes(&text), BYTES_LIT("one"));
    assert_int_equal(1, entries());
}

TEST(write_replaces_even_a_read_only_file)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    ASSERT_OK(file_write("a", BYTES_LIT("one"), 0400, &why), &why);
    int old = open("a", O_RDONLY | O_CLOEXEC);
    ASSERT_OK(file_write("a", BYTES_LIT("second"), 0400, &why), &why);
    ASSERT_OK(file_read("a", 100, &text, &why), &why);
    ASSERT_BYTES(buf_bytes(&text), BYTES_LIT("second"));
    char still[8] = { 0 };
    assert_int_equal(3, read(old, still, sizeof(still))); /* who had it open reads the old one to its end */
    assert_string_equal("one", still);
    close(old);
    assert_int_equal(1, entries());
}

TEST(write_new_never_overwrites)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    ASSERT_OK(file_write_new("k", BYTES_LIT("key"), 0400, &why), &why);
    assert_int_equal(0400, mode_of("k"));
    ASSERT_ERR(ERR_CONFLICT, file_write_new("k", BYTES_LIT("other"), 0400, &why), &why);
    ASSERT_OK(file_read("k", 100, &text, &why), &why);
    ASSERT_BYTES(buf_bytes(&text), BYTES_LIT("key"));
    assert_int_equal(1, entries());
}

TEST(write_new_does_not_follow_a_link_that_leads_nowhere)
{
    struct why why = { 0 };
    assert_int_equal(0, symlink("elsewhere", "k"));
    ASSERT_ERR(ERR_CONFLICT, file_write_new("k", BYTES_LIT("key"), 0400, &why), &why);
    assert_int_equal(-1, access("elsewhere", F_OK));
    assert_int_equal(1, entries());
}

TEST(write_into_a_missing_folder_refuses)
{
    struct why why = { 0 };
    ASSERT_ERR(ERR_IO, file_write("no/such/a", BYTES_LIT("x"), 0400, &why), &why);
    assert_non_null(strstr(why.text, "no/such/a"));
}

TEST(write_over_a_folder_refuses_and_cleans_up)
{
    struct why why = { 0 };
    assert_int_equal(0, mkdir("d", 0700));
    ASSERT_ERR(ERR_IO, file_write("d", BYTES_LIT("x"), 0400, &why), &why);
    assert_int_equal(1, entries());
}

TEST(a_draft_is_there_whole_once_it_is_committed)
{
    struct why why = { 0 };
    AUTO_BUF text = { 0 };
    struct file_draft draft;
    ASSERT_OK(file_write("a", BYTES_LIT("before"), 0400, &why), &why);
    ASSERT_OK(file_draft_begin("a", &draft, &why), &why);
    ASSERT_OK(file_draft_write(&draft, 4, BYTES_LIT("middle"), &why), &why);
    ASSERT_OK(file_draft_flush(&draft, &why), &why);
    ASSERT_OK(file_draft_write(&draft, 0, BYTES_LIT("head"), &why), &why);
    ASSERT_OK(file_draft_write(&draft, 10, BYTES_LIT("end"), &why), &why);
    ASSERT_OK(file_read("a", 99, &text, &why), &why);
    ASSERT_BYTES(buf_bytes(&text), BYTES_LIT("before"));
    buf_free(&text);
    ASSERT_OK(file_draft_commit(&draft, 0444, &why), &why);
    ASSERT_OK(file_read("a", 99, &text, &why), &why);
    ASSERT_BYTES(buf_bytes(&text), BYTES_LIT("headmiddleend"));
    assert_int_equal(0444, mode_of("a"));
    assert_int_equal(1, entries());
    file_draft_free(&draft);
    assert_int_equal(1, entries());
}

TEST(a_draft_that_is_given_up_leaves_nothing)
{
    struct why why = { 0 };
    struct file_draft draft;
    ASSERT_OK(file_draft_begin("a", &draft, &why), &why);
    ASSERT_OK(file_draft_write(&draft, 0, BYTES_LIT("half"), &why), &why);
    file_draft_free(&draft);
    assert_int_equal(0, entries());
    ASSERT_ERR(ERR_IO, file_draft_begin("no/such/a", &draft, &why), &why);
}

TEST(drafts_of_a_crash_are_forgotten_and_nothing_else)
{
    struct why why = { 0 };
    ASSERT_OK(file_write("issuing.crl", BYTES_LIT("x"), 0444, &why), &why);
    ASSERT_OK(file_write("issuing.crl.12.13.new", BYTES_LIT("x"), 0600, &why), &why);
    ASSERT_OK(file_write(".new", BYTES_LIT("x"), 0600, &why), &why);
    file_drafts_forget(".");
    file_drafts_forget("no/such");
    assert_int_equal(1, entries());
    assert_int_equal(0444, mode_of("issuing.crl"));
    assert_int_equal(0, access(".new", F_OK)); /* no name was before it */
}

static void *write_often(void *fill)
{
    uint8_t data[20000];
    memset(data, *(const char *)fill, sizeof(data));
    for (int i = 0; i < 60; i++) {
        if (file_write("shared", BYTES_ARR(data), 0600, NULL) != OK)
            return fill;
    }
    return NULL;
}

TEST(two_writers_leave_one_whole_file)
{
    struct why why = { 0 };
    pthread_t threads[2];
    char fills[2] = { 'a', 'b' };
    for (int i = 0; i < 2; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, write_often, &fills[i]));
    for (int round = 0; round < 200; round++) {
        AUTO_BUF text = { 0 };
        if (file_read("shared", 100000, &text, &why) == ERR_NOT_FOUND)
            continue;
        assert_int_equal(20000, text.len);
        for (size_t i = 1; i < text.len; i++)
            assert_int_equal(text.data[0], text.data[i]);
    }
    for (int i = 0; i < 2; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(1, entries());
}

TEST(read_holds_its_limit_at_the_octet)
{
    struct why why = { 0 };
    uint8_t data[8193];
    memset(data, 'x', sizeof(data));
    ASSERT_OK(file_write("a", BYTES_ARR(data), 0600, &why), &why);
    AUTO_BUF whole = { 0 };
    struct buf none = { 0 };
    ASSERT_OK(file_read("a", 8193, &whole, &why), &why);
    assert_int_equal(8193, whole.len);
    ASSERT_ERR(ERR_LIMIT, file_read("a", 8192, &none, &why), &why);
    ASSERT_ERR(ERR_LIMIT, file_read("a", 0, &none, &why), &why);
    ASSERT_ERR(ERR_NOT_FOUND, file_read("b", 10, &none, &why), &why);
    ASSERT_ERR(ERR_IO, file_read(".", 10, &none, &why), &why);
    assert_null(none.data);
}

TEST(folders_are_made_with_parents_and_their_mode)
{
    struct why why = { 0 };
    ASSERT_OK(dir_make("x/y/z", 0700, &why), &why);
    assert_int_equal(0700, mode_of("x/y/z"));
    ASSERT_OK(dir_make("x/y/z", 0750, &why), &why);
    assert_int_equal(0700, mode_of("x/y/z"));
    ASSERT_OK(dir_make("x/w//", 0700, &why), &why);
    assert_int_equal(0700, mode_of("x/w"));
    AUTO_STR absolute = xasprintf("%s/x/v", folder);
    ASSERT_OK(dir_make(absolute, 0711, &why), &why);
    assert_int_equal(0711, mode_of("x/v"));
}

TEST(a_folder_cannot_be_made_over_a_file_or_without_a_name)
{
    struct why why = { 0 };
    ASSERT_OK(file_write("f", BYTES_LIT("x"), 0600, &why), &why);
    ASSERT_ERR(ERR_IO, dir_make("f", 0700, &why), &why);
    ASSERT_ERR(ERR_IO, dir_make("f/g", 0700, &why), &why);
    ASSERT_ERR(ERR_IO, dir_make("", 0700, &why), &why);
}

TEST(write_all_reports_a_closed_descriptor)
{
    assert_false(write_all(-1, BYTES_LIT("x")));
    assert_true(write_all(-1, BYTES_NONE));
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
RUN(IN_FOLDER(write_makes_the_file_with_its_mode_and_leaves_nothing_else),
    IN_FOLDER(write_replaces_even_a_read_only_file), IN_FOLDER(write_new_never_overwrites),
    IN_FOLDER(write_new_does_not_follow_a_link_that_leads_nowhere),
    IN_FOLDER(write_into_a_missing_folder_refuses), IN_FOLDER(write_over_a_folder_refuses_and_cleans_up),
    IN_FOLDER(a_draft_is_there_whole_once_it_is_committed),
    IN_FOLDER(a_draft_that_is_given_up_leaves_nothing),
    IN_FOLDER(drafts_of_a_crash_are_forgotten_and_nothing_else), IN_FOLDER(two_writers_leave_one_whole_file),
    IN_FOLDER(read_holds_its_limit_at_the_octet), IN_FOLDER(folders_are_made_with_parents_and_their_mode),
    IN_FOLDER(a_folder_cannot_be_made_over_a_file_or_without_a_name),
    T(write_all_reports_a_closed_descriptor))

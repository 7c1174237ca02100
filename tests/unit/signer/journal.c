/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what a crash, a full disk and a tamperer may do to it. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "base/file.h"
#include "signer/journal.h"
#include "signer/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* fdatasync of the code under test comes here (linked with --wrap). */
static atomic_bool flush_fails;
static atomic_int flushes;
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    flushes++;
    if (flush_fails) {
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

struct place {
    char dir[64], path[96];
};

static void place_make(struct place *place)
{
    *place = (struct place){ .dir = "/tmp/chancery-journal-XXXXXX" };
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof(place->path), "%s/journal", place->dir);
}

static void place_remove(const struct place *place)
{
    unlink(place->path);
    rmdir(place->dir);
}

struct seen {
    size_t count;
    uint64_t offsets[64];
    char ids[64][16];
};

static enum err see(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    (void)why;
    struct seen *seen = arg;
    if (seen->count < 64) {
        seen->offsets[seen->count] = offset;
        snprintf(seen->ids[seen->count], 16, "%.*s", (int)entry->id.len, (const char *)entry->id.data);
    }
    seen->count++;
    return OK;
}

static struct journal *open_at(const struct place *place, struct seen *seen)
{
    struct why why;
    struct journal *journal = NULL;
    ASSERT_OK(journal_open(place->path, see, seen, &journal, &why), &why);
    return journal;
}

static enum err append(struct journal *journal, const char *id, struct why *why)
{
    uint64_t offset;
    const struct journal_entry entry = { 1790000000, BYTES_LIT("issuing"), 1, bytes_str(id),
                                         BYTES_LIT("certificate") };
    return journal_append(journal, &entry, &offset, why);
}

static void make_three(const struct place *place, struct buf *ret_file)
{
    struct why why;
    struct seen seen = { 0 };
    AUTO(journal) journal = open_at(place, &seen);
    ASSERT_OK(append(journal, "one", &why), &why);
    ASSERT_OK(append(journal, "two", &why), &why);
    ASSERT_OK(append(journal, "three", &why), &why);
    ASSERT_OK(file_read(place->path, 1 << 20, ret_file, &why), &why);
}

static void put_file(const struct place *place, struct bytes text)
{
    struct why why;
    unlink(place->path);
    ASSERT_OK(file_write(place->path, text, 0600, &why), &why);
}

TEST(what_was_appended_is_there_after_opening_again)
{
    struct place place;
    struct seen seen = { 0 };
    struct why why;
    AUTO_BUF file = { 0 };
    AUTO_BUF record = { 0 };
    struct journal_entry entry;
    place_make(&place);
    make_three(&place, &file);
    AUTO(journal) journal = open_at(&place, &seen);
    assert_int_equal(seen.count, 3);
    assert_string_equal(seen.ids[0], "one");
    assert_string_equal(seen.ids[2], "three");
    ASSERT_OK(journal_read(journal, seen.offsets[1], &record, &entry, &why), &why);
    ASSERT_BYTES(entry.id, BYTES_LIT("two"));
    ASSERT_BYTES(entry.der, BYTES_LIT("certificate"));
    ASSERT_BYTES(entry.ca, BYTES_LIT("issuing"));
    assert_true(entry.time == 1790000000 && entry.kind == 1);
    struct stat info;
    assert_int_equal(stat(place.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    place_remove(&place);
}

/* A crash leaves any prefix of what was being written: exactly the whole records remain, and appending goes on. */
TEST(a_torn_tail_is_cut_at_every_offset)
{
    struct place place;
    struct seen whole = { 0 };
    struct why why;
    uint64_t torn;
    AUTO_BUF file = { 0 };
    place_make(&place);
    make_three(&place, &file);
    ASSERT_OK(journal_each(place.path, see, &whole, &torn, &why), &why);
    for (size_t len = 0; len <= file.len; len++) {
        struct seen seen = { 0 }, after = { 0 };
        put_file(&place, bytes_of(file.data, len));
        size_t expect = len == file.len ? 3 : len >= whole.offsets[2] ? 2 : len >= whole.offsets[1] ? 1 : 0;
        struct journal *journal = open_at(&place, &seen);
        assert_int_equal(seen.count, expect);
        ASSERT_OK(append(journal, "next", &why), &why);
        journal_free(journal);
        ASSERT_OK(journal_each(place.path, see, &after, &torn, &why), &why);
        assert_int_equal(after.count, expect + 1);
        assert_int_equal(torn, 0);
        assert_string_equal(after.ids[expect], "next");
    }
    place_remove(&place);
}

TEST(blocks_that_were_never_written_are_a_torn_tail)
{
    struct place place;
    struct seen seen = { 0 };
    AUTO_BUF file = { 0 };
    static const uint8_t zeros[5000];
    place_make(&place);
    make_three(&place, &file);
    buf_append(&file, BYTES_ARR(zeros));
    put_file(&place, buf_bytes(&file));
    journal_free(open_at(&place, &seen));
    assert_int_equal(seen.count, 3);
    place_remove(&place);
}

TEST(reading_tools_change_nothing)
{
    struct place place;
    struct seen seen = { 0 };
    struct why why;
    uint64_t torn = 0;
    AUTO_BUF file = { 0 };
    AUTO_BUF after = { 0 };
    place_make(&place);
    make_three(&place, &file);
    file.len -= 5;
    put_file(&place, buf_bytes(&file));
    ASSERT_OK(journal_each(place.path, see, &seen, &torn, &why), &why);
    assert_int_equal(seen.count, 2);
    assert_true(torn > 5);
    ASSERT_OK(file_read(place.path, 1 << 20, &after, &why), &why);
    ASSERT_BYTES(buf_bytes(&after), buf_bytes(&file));
    place_remove(&place);
    ASSERT_ERR(ERR_NOT_FOUND, journal_each(place.path, see, &seen, &torn, &why), &why);
}

static void assert_damaged(const struct place *place, struct bytes file)
{
    struct why why = { 0 };
    struct journal *journal = NULL;
    put_file(place, file);
    enum err err = journal_open(place->path, NULL, NULL, &journal, &why);
    if (err != ERR_MALFORMED)
        fail_msg("gave %s (%s)", err_row(err)->name, why.text);
    assert_non_null(strstr(why.text, "is damaged at offset"));
    assert_null(journal);
}

/* Every single changed octet is found, wherever it is. */
TEST(a_changed_octet_is_found)
{
    struct place place;
    AUTO_BUF file = { 0 };
    place_make(&place);
    make_three(&place, &file);
    for (size_t at = 0; at < file.len; at++) {
        file.data[at] ^= 0x01;
        assert_damaged(&place, buf_bytes(&file));
        file.data[at] ^= 0x81;
        assert_damaged(&place, buf_bytes(&file));
        file.data[at] ^= 0x80;
    }
    place_remove(&place);
}

TEST(records_left_out_swapped_or_copied_in_are_found)
{
    struct place place;
    struct seen seen = { 0 };
    struct why why;
    uint64_t torn;
    AUTO_BUF file = { 0 };
    AUTO_BUF left_out = { 0 };
    AUTO_BUF swapped = { 0 };
    AUTO_BUF copied = { 0 };
    place_make(&place);
    make_three(&place, &file);
    ASSERT_OK(journal_each(place.path, see, &seen, &torn, &why), &why);
    const struct bytes head = bytes_of(file.data, seen.offsets[0]);
    const struct bytes one = bytes_of(file.data + seen.offsets[0], seen.offsets[1] - seen.offsets[0]);
    const struct bytes two = bytes_of(file.data + seen.offsets[1], seen.offsets[2] - seen.offsets[1]);
    const struct bytes three = bytes_of(file.data + seen.offsets[2], file.len - seen.offsets[2]);
    buf_append(&left_out, head);
    buf_append(&left_out, two);
    buf_append(&left_out, three);
    assert_damaged(&place, buf_bytes(&left_out));
    buf_append(&swapped, head);
    buf_append(&swapped, two);
    buf_append(&swapped, one);
    assert_damaged(&place, buf_bytes(&swapped));
    buf_append(&copied, buf_bytes(&file));
    buf_append(&copied, three);
    assert_damaged(&place, buf_bytes(&copied));
    assert_damaged(&place, BYTES_LIT("something else entirely, of some length"));
    place_remove(&place);
}

TEST(one_process_at_a_time)
{
    struct place place;
    struct seen seen = { 0 };
    struct why why;
    struct journal *second = NULL;
    place_make(&place);
    struct journal *first = open_at(&place, &seen);
    ASSERT_ERR(ERR_CONFLICT, journal_open(place.path, see, &seen, &second, &why), &why);
    assert_null(second);
    journal_free(first);
    journal_free(open_at(&place, &seen));
    place_remove(&place);
}

TEST(odd_paths_are_refused)
{
    struct place place;
    struct seen seen = { 0 };
    struct why why;
    struct journal *journal = NULL;
    place_make(&place);
    assert_int_equal(symlink("/etc/hostname", place.path), 0);
    ASSERT_ERR(ERR_IO, journal_open(place.path, see, &seen, &journal, &why), &why);
    unlink(place.path);
    ASSERT_ERR(ERR_IO, journal_open(place.dir, see, &seen, &journal, &why), &why);
    ASSERT_ERR(ERR_IO, journal_open("/nonexistent/journal", see, &seen, &journal, &why), &why);
    place_remove(&place);
}

struct writer {
    struct journal *journal;
    int number;
    atomic_int *failed;
};

static void *write_fifty(void *arg)
{
    struct writer *writer = arg;
    for (int i = 0; i < 50; i++) {
        char id[16];
        struct why why;
        snprintf(id, sizeof(id), "%d-%d", writer->number, i);
        if (append(writer->journal, id, &why) != OK)
            (*writer->failed)++;
    }
    return NULL;
}

TEST(many_threads_share_flushes_and_lose_nothing)
{
    struct place place;
    struct seen none = { 0 }, all = { 0 };
    struct why why;
    uint64_t torn;
    atomic_int failed = 0;
    pthread_t threads[64];
    struct writer writers[64];
    place_make(&place);
    AUTO(journal) journal = open_at(&place, &none);
    flushes = 0;
    for (int i = 0; i < 64; i++) {
        writers[i] = (struct writer){ journal, i, &failed };
        assert_int_equal(pthread_create(&threads[i], NULL, write_fifty, &writers[i]), 0);
    }
    for (int i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failed, 0);
    assert_true(flushes > 0 && flushes <= 64 * 50);
    ASSERT_OK(journal_each(place.path, see, &all, &torn, &why), &why);
    assert_int_equal(all.count, 64 * 50);
    place_remove(&place);
}

/* The disk is full in the middle of a record: refused, nothing of it stays, and it goes on when there is room. */
TEST(a_full_disk_refuses_and_leaves_the_journal_whole)
{
    struct place place;
    struct why why;
    AUTO_BUF file = { 0 };
    place_make(&place);
    make_three(&place, &file);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, full;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t room = 0; room < 80; room += 7) {
        struct seen seen = { 0 };
        AUTO_BUF now = { 0 };
        put_file(&place, buf_bytes(&file));
        AUTO(journal) journal = open_at(&place, &seen);
        full = (struct rlimit){ file.len + room, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
        enum err err = append(journal, "too much", &why);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        ASSERT_ERR(ERR_IO, err, &why);
        ASSERT_OK(file_read(place.path, 1 << 20, &now, &why), &why);
        ASSERT_BYTES(buf_bytes(&now), buf_bytes(&file));
        ASSERT_OK(append(journal, "fits", &why), &why);
    }
    struct seen seen = { 0 };
    journal_free(open_at(&place, &seen));
    assert_int_equal(seen.count, 4);
    place_remove(&place);
}

/* After a failed flush nobody knows what is on the disk: the process ends, and opening finds out. */
TEST(a_failed_flush_ends_the_process)
{
    struct place place;
    AUTO_BUF file = { 0 };
    place_make(&place);
    make_three(&place, &file);
    pid_t child = fork();
    if (child == 0) {
        struct seen seen = { 0 };
        struct why why;
        struct journal *journal = open_at(&place, &seen);
        close(STDERR_FILENO);
        flush_fails = true;
        _exit(append(journal, "lost", &why) == OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    struct seen seen = { 0 };
    journal_free(open_at(&place, &seen));
    assert_true(seen.count == 3 || seen.count == 4);
    place_remove(&place);
}

TEST(the_set_of_serials_finds_what_was_added_and_nothing_else)
{
    AUTO(sealed_set) set = sealed_set_new();
    struct why why;
    for (uint64_t i = 1; i <= 20000; i++) {
        struct sealed_key key;
        ASSERT_OK(sealed_key_make(BYTES_LIT("ca"), bytes_of(&i, sizeof(i)), &key, &why), &why);
        sealed_set_add(set, &key, i * 3);
    }
    for (uint64_t i = 1; i <= 40000; i++) {
        struct sealed_key key;
        uint64_t offset = 0;
        ASSERT_OK(sealed_key_make(BYTES_LIT("ca"), bytes_of(&i, sizeof(i)), &key, &why), &why);
        assert_int_equal(sealed_set_find(set, &key, &offset), i <= 20000);
        assert_true(offset == (i <= 20000 ? i * 3 : 0));
    }
    /* the same serial of another CA is another serial */
    struct sealed_key a, b;
    ASSERT_OK(sealed_key_make(BYTES_LIT("ca"), BYTES_LIT("bc"), &a, &why), &why);
    ASSERT_OK(sealed_key_make(BYTES_LIT("cab"), BYTES_LIT("c"), &b, &why), &why);
    assert_memory_not_equal(&a, &b, sizeof(a));
}

RUN(T(what_was_appended_is_there_after_opening_again), T(a_torn_tail_is_cut_at_every_offset),
    T(blocks_that_were_never_written_are_a_torn_tail), T(reading_tools_change_nothing),
    T(a_changed_octet_is_found), T(records_left_out_swapped_or_copied_in_are_found), T(one_process_at_a_time),
    T(odd_paths_are_refused), T(many_threads_share_flushes_and_lose_nothing),
    T(a_full_disk_refuses_and_leaves_the_journal_whole), T(a_failed_flush_ends_the_process),
    T(the_set_of_serials_finds_what_was_added_and_nothing_else))

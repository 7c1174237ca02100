/* SPDX-License-Identifier: Apache-2.0 */
/* What those are told who handed entries in, when the disk is full or broken, or no thread can start. */
#include "tests/unit/signer/entries.h"

#include <signal.h>
#include <sys/wait.h>

/* The first flush is held, so that all the others are one batch, of which a part would fit. */
static void expect_refused_whole(struct place *place, long room)
{
    struct told told = TOLD_NONE;
    struct why why = { 0 };
    AUTO_BUF before = { 0 };
    AUTO_BUF after = { 0 };
    int flushes = disk_flushes;
    struct entry first = { 0 };
    disk_hold();
    entry_submit(place->journal, &first, 9999, &told);
    disk_wait_held(flushes + 1);
    ASSERT_OK(file_read(place->path, 1 << 20, &before, &why), &why);
    disk_room = room;
    struct entry *entries = entries_submit(place, 20, &told);
    disk_release();
    told_wait(&told, 21);
    disk_room = -1;
    expect_told(&first, 1, OK);
    expect_told(entries, 20, ERR_IO);
    ASSERT_OK(file_read(place->path, 1 << 20, &after, &why), &why);
    ASSERT_BYTES(buf_bytes(&before), buf_bytes(&after));
    assert_int_equal(flushes + 1, disk_flushes); /* nothing to flush */
    free(entries);
}

TEST(a_full_disk_refuses_all_of_a_batch_keeps_nothing_of_it_and_then_goes_on)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct seen *seen = xcalloc(1, sizeof(*seen));
    static const long rooms[] = { 0, 1, 11, 100, 1000 };
    for (int i = 0; i < 5; i++)
        expect_refused_whole(place, rooms[i]);
    struct entry *entries = entries_submit(place, 30, &told);
    told_wait(&told, 30);
    expect_told(entries, 30, OK);
    journal_free(TAKE(place->journal));
    all_seen(place, seen);
    assert_int_equal(5 + 30, seen->count);
    for (int i = 0; i < 30; i++)
        assert_int_equal(entries[i].offset, seen->offsets[5 + i]);
    place_open(place);
    free(seen);
    free(entries);
}

TEST(an_interrupted_or_short_write_goes_on_where_it_was)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct seen *seen = xcalloc(1, sizeof(*seen));
    disk_interrupts = 40;
    struct entry *entries = entries_submit(place, 10, &told);
    told_wait(&told, 10);
    expect_told(entries, 10, OK);
    all_seen(place, seen);
    assert_int_equal(10, seen->count);
    free(seen);
    free(entries);
}

TEST(a_thread_that_cannot_start_refuses_and_is_tried_again)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct entry entries[2] = { 0 };
    disk_thread_fails = true;
    entry_submit(place->journal, &entries[0], 0, &told);
    disk_thread_fails = false;
    assert_int_equal(1, told_count(&told));
    expect_told(entries, 1, ERR_NO_MEMORY);
    entry_submit(place->journal, &entries[1], 1, &told);
    told_wait(&told, 2);
    expect_told(&entries[1], 1, OK);
}

static void tell_parent(void *arg, enum err err, uint64_t offset, const struct why *why)
{
    (void)err, (void)offset, (void)why;
    (void)!write(*(int *)arg, "x", 1);
}

/* What is on the disk is then unknown: the process ends, and nobody was told anything. */
static void expect_death(struct place *place, atomic_bool *fault, long room)
{
    int ends[2], status = 0;
    char byte;
    assert_int_equal(0, pipe(ends));
    journal_free(TAKE(place->journal)); /* its lock, and no thread of it in the child */
    pid_t child = fork();
    if (child == 0) {
        const struct journal_entry entry = { 1790000000, BYTES_LIT("issuing"), 1, BYTES_LIT("lost"),
                                             BYTES_LIT("certificate") };
        place_open(place);
        close(STDERR_FILENO); /* its last words are no failure of this test */
        *fault = true;
        disk_room = room;
        for (int i = 0; i < 5; i++)
            journal_submit(place->journal, &entry, tell_parent, &ends[1]);
        journal_free(place->journal);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(0, read(ends[0], &byte, 1));
    close(ends[0]);
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    place_open(place);
}

TEST(a_failed_flush_ends_the_process_before_anybody_is_told)
{
    expect_death(*state_, &disk_flush_fails, -1);
}

TEST(half_a_record_that_cannot_be_cut_off_ends_the_process_before_anybody_is_told)
{
    expect_death(*state_, &disk_cut_fails, 30);
}

#define J(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
RUN(J(a_full_disk_refuses_all_of_a_batch_keeps_nothing_of_it_and_then_goes_on),
    J(an_interrupted_or_short_write_goes_on_where_it_was),
    J(a_thread_that_cannot_start_refuses_and_is_tried_again),
    J(a_failed_flush_ends_the_process_before_anybody_is_told),
    J(half_a_record_that_cannot_be_cut_off_ends_the_process_before_anybody_is_told))

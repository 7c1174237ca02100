/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that are handed in: each is told once, in order, and only of what is on the disk. */
#include "tests/unit/signer/entries.h"

TEST(nobody_is_told_before_the_flush_is_over_however_long_it_takes)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    int before = disk_flushes;
    disk_hold();
    struct entry *entries = entries_submit(place, 50, &told);
    disk_wait_held(before + 1);
    struct seen *seen = xcalloc(1, sizeof(*seen));
    all_seen(place, seen);
    assert_true(seen->count > 0); /* it is written, and yet nobody knows */
    assert_int_equal(0, told_count(&told));
    disk_release();
    told_wait(&told, 50);
    expect_told(entries, 50, OK);
    free(seen);
    free(entries);
}

TEST(who_is_told_finds_its_entry_whole_in_the_file)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct entry *entries = xcalloc(100, sizeof(*entries));
    for (int i = 0; i < 100; i++) {
        entries[i].path = place->path;
        entry_submit(place->journal, &entries[i], i, &told);
    }
    told_wait(&told, 100);
    expect_told(entries, 100, OK);
    for (int i = 0; i < 100; i++)
        assert_true(entries[i].found);
    free(entries);
}

/* More than one flush takes, so that they go in several. */
TEST(entries_stand_in_the_order_in_which_they_came)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct seen *seen = xcalloc(1, sizeof(*seen));
    struct entry *entries = entries_submit(place, 1000, &told);
    told_wait(&told, 1000);
    expect_told(entries, 1000, OK);
    all_seen(place, seen);
    assert_int_equal(1000, seen->count);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(i, entries[i].turn);
        assert_string_equal(entries[i].id, seen->ids[i]);
        assert_int_equal(entries[i].offset, seen->offsets[i]);
    }
    free(seen);
    free(entries);
}

TEST(closing_waits_for_what_is_on_its_way)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct seen *seen = xcalloc(1, sizeof(*seen));
    int before = disk_flushes;
    disk_hold();
    struct entry *entries = entries_submit(place, 700, &told);
    disk_wait_held(before + 1);
    disk_release_at_join = true;
    journal_free(TAKE(place->journal));
    assert_int_equal(700, told_count(&told));
    expect_told(entries, 700, OK);
    all_seen(place, seen);
    assert_int_equal(700, seen->count);
    place_open(place); /* and the chain holds */
    free(seen);
    free(entries);
}

struct writer {
    struct place *place;
    pthread_barrier_t *start;
    struct told *told;
    struct entry *entries;
    int first;
    pthread_t thread;
};
static void *submit_fifty(void *arg)
{
    struct writer *writer = arg;
    pthread_barrier_wait(writer->start);
    for (int i = 0; i < 50; i++)
        entry_submit(writer->place->journal, &writer->entries[i], writer->first + i, writer->told);
    return NULL;
}

TEST(of_many_threads_each_entry_is_told_once_and_is_where_it_was_told)
{
    struct place *place = *state_;
    struct told told = TOLD_NONE;
    struct writer writers[16];
    struct why why = { 0 };
    struct entry *entries = xcalloc(800, sizeof(*entries));
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, 16);
    for (int i = 0; i < 16; i++) {
        writers[i] = (struct writer){ place, &start, &told, &entries[i * 50], i * 50, 0 };
        assert_int_equal(0, pthread_create(&writers[i].thread, NULL, submit_fifty, &writers[i]));
    }
    for (int i = 0; i < 16; i++)
        pthread_join(writers[i].thread, NULL);
    told_wait(&told, 800);
    expect_told(entries, 800, OK);
    for (int i = 0; i < 800; i++) {
        AUTO_BUF record = { 0 };
        struct journal_entry found;
        ASSERT_OK(journal_read(place->journal, entries[i].offset, &record, &found, &why), &why);
        ASSERT_BYTES(bytes_str(entries[i].id), found.id);
    }
    pthread_barrier_destroy(&start);
    free(entries);
}

#define J(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
RUN(J(nobody_is_told_before_the_flush_is_over_however_long_it_takes),
    J(who_is_told_finds_its_entry_whole_in_the_file), J(entries_stand_in_the_order_in_which_they_came),
    J(closing_waits_for_what_is_on_its_way),
    J(of_many_threads_each_entry_is_told_once_and_is_where_it_was_told))

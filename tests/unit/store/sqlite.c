/* SPDX-License-Identifier: Apache-2.0 */
/* What only SQLite has: one flush for many, one owner of the file, a disk that is full or breaks (security.md
 * S5, S6). */
#include "tests/unit/store/breaking.h"
#include "tests/unit/store/place.h"
#include "tests/unit/store/units.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct bench {
    struct place place;
    struct store *store;
};
static int bench_open(void **state)
{
    struct bench *bench = *state;
    struct why why;
    struct store_config config = place_config(&bench->place, units_schema, 1);
    config.flush_delay_ms = 10;
    if (store_open(&config, &bench->store, &why) == OK)
        return 0;
    fprintf(stderr, "%s\n", why.text);
    return -1;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    breaking_syncs = breaking_writes = 0;
    store_free(TAKE(bench->store));
    AUTO_STR small = xasprintf("%s/small", bench->place.folder);
    umount2(small, MNT_DETACH); /* of the test with a full disk, also when it failed */
    return 0;
}

static enum err add(struct store *store, int64_t id, struct why *why)
{
    struct thing thing = { .id = id, .number = S_NULL };
    return store_write(store, thing_add, &thing, why);
}

struct crowd {
    struct store *store;
    atomic_int_fast64_t next;
    atomic_int failed;
};
static void *add_twenty(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 20; i++) {
        if (add(crowd->store, atomic_fetch_add(&crowd->next, 1), NULL) != OK)
            atomic_fetch_add(&crowd->failed, 1);
    }
    return NULL;
}

TEST(units_of_many_threads_share_a_flush)
{
    struct bench *bench = *state_;
    struct crowd crowd = { .store = bench->store };
    pthread_t threads[64];
    uint64_t before = store_commits(bench->store);
    for (int i = 0; i < 64; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, add_twenty, &crowd));
    for (int i = 0; i < 64; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(0, crowd.failed);
    assert_int_equal(64 * 20, thing_total(bench->store));
    uint64_t flushes = store_commits(bench->store) - before;
    assert_true(flushes >= 20); /* each thread waits for each of its own */
    assert_true(flushes <= 64 * 20 / 8);
}

static enum err write_inside(struct store_tx *tx, void *arg, struct why *why)
{
    (void)tx;
    return add(arg, 1, why);
}

TEST(a_unit_that_would_wait_for_itself_is_refused)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    ASSERT_ERR(ERR_INTERNAL, store_write(bench->store, write_inside, bench->store, &why), &why);
    ASSERT_OK(add(bench->store, 1, &why), &why);
}

TEST(the_file_and_what_sqlite_puts_beside_it_are_only_for_the_owner)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    ASSERT_OK(add(bench->store, 1, &why), &why);
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
    for (size_t i = 0; i < 4; i++) {
        struct stat info;
        AUTO_STR name = xasprintf("%s%s", config.path, suffixes[i]);
        assert_int_equal(0, stat(name, &info));
        assert_int_equal(0600, info.st_mode & 07777);
    }
    store_free(TAKE(bench->store));
    assert_int_equal(0, chmod(config.path, 0644));
    ASSERT_OK(store_open(&config, &bench->store, &why), &why);
    struct stat info;
    assert_int_equal(0, stat(config.path, &info));
    assert_int_equal(0600, info.st_mode & 07777);
}

TEST(a_link_or_a_folder_in_place_of_the_file_is_refused)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    struct store *store = NULL;
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    AUTO_STR link = xasprintf("%s.link", config.path);
    assert_int_equal(0, symlink("/tmp/elsewhere", link));
    config.path = link;
    ASSERT_ERR(ERR_STORE, store_open(&config, &store, &why), &why);
    AUTO_STR folder = xasprintf("%s/folder", bench->place.folder);
    assert_int_equal(0, mkdir(folder, 0700));
    config.path = folder;
    ASSERT_ERR(ERR_STORE, store_open(&config, &store, &why), &why);
    AUTO_STR nowhere = xasprintf("%s/none/store.db", bench->place.folder);
    config.path = nowhere;
    ASSERT_ERR(ERR_STORE, store_open(&config, &store, &why), &why);
    AUTO_STR garbage = xasprintf("%s/garbage", bench->place.folder);
    FILE *file = fopen(garbage, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    config.path = garbage;
    ASSERT_ERR(ERR_STORE, store_open(&config, &store, &why), &why);
    assert_null(store);
}

TEST(a_second_owner_waits_and_is_then_refused)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    struct store *second = NULL;
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    ASSERT_ERR(ERR_STORE, store_open(&config, &second, &why), &why);
    assert_null(second);
    assert_non_null(strstr(why.text, "owned by another process"));
    ASSERT_OK(add(bench->store, 1, &why), &why);
}

static void *close_later(void *arg)
{
    usleep(300 * 1000);
    store_free(arg);
    return NULL;
}

TEST(a_second_owner_goes_on_when_the_first_ends)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    struct store *first = TAKE(bench->store);
    pthread_t thread;
    ASSERT_OK(add(first, 1, &why), &why);
    assert_int_equal(0, pthread_create(&thread, NULL, close_later, first));
    ASSERT_OK(store_open(&config, &bench->store, &why), &why);
    pthread_join(thread, NULL);
    assert_int_equal(1, thing_total(bench->store));
}

/* The log may hold the transaction's end already: it is not acknowledged, and may be there or not. */
TEST(a_failed_flush_is_not_acknowledged_and_nothing_is_until_a_whole_checkpoint_passed)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    ASSERT_OK(add(bench->store, 1, &why), &why);
    breaking_syncs = 1;
    uint64_t before = store_commits(bench->store);
    for (int64_t id = 2; id < 6; id++) {
        ASSERT_ERR(ERR_STORE, add(bench->store, id, &why), &why);
        assert_non_null(strstr(why.text, "not acknowledged"));
    }
    assert_int_equal(before, store_commits(bench->store));
    breaking_syncs = 0;
    ASSERT_OK(add(bench->store, 6, &why), &why);
    int64_t things = thing_total(bench->store);
    assert_true(things == 2 || things == 3); /* 1, 6, and perhaps 2, the first whose outcome was unknown */
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    store_free(TAKE(bench->store));
    ASSERT_OK(store_open(&config, &bench->store, &why), &why);
    assert_int_equal(things, thing_total(bench->store));
}

TEST(a_group_whose_flush_failed_fails_as_a_whole)
{
    struct bench *bench = *state_;
    struct crowd crowd = { .store = bench->store };
    pthread_t threads[16];
    struct why why = { 0 };
    breaking_syncs = 1;
    for (int i = 0; i < 16; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, add_twenty, &crowd));
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(16 * 20, crowd.failed);
    breaking_syncs = 0;
    ASSERT_OK(add(bench->store, 100000, &why), &why);
}

TEST(a_write_that_finds_no_space_is_not_acknowledged_and_the_next_with_space_is)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    ASSERT_OK(add(bench->store, 1, &why), &why);
    breaking_writes = 1;
    for (int64_t id = 2; id < 5; id++)
        ASSERT_ERR(ERR_STORE, add(bench->store, id, &why), &why);
    assert_int_equal(1, thing_total(bench->store)); /* reading goes on */
    breaking_writes = 0;
    ASSERT_OK(add(bench->store, 9, &why), &why);
    assert_int_equal(2, thing_total(bench->store));
}

static void assert_sound(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *ask = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &ask, NULL));
    assert_int_equal(SQLITE_ROW, sqlite3_step(ask));
    assert_string_equal("ok", (const char *)sqlite3_column_text(ask, 0));
    sqlite3_finalize(ask);
    sqlite3_close(db);
}

/* Fills it, frees space, goes on: with everything that was acknowledged, and nothing that was not. */
static void fill_and_go_on(const struct store_config *config, const char *ballast)
{
    struct why why = { 0 };
    AUTO(store) store = NULL;
    AUTO_BUF data = { 0 };
    buf_reserve(&data, 8000);
    memset(data.data, 7, 8000);
    data.len = 8000;
    ASSERT_OK(store_open(config, &store, &why), &why);
    int64_t kept = 0, refused = 0;
    for (int64_t id = 0; refused < 10 && id < 5000; id++) {
        struct thing thing = { .id = id, .data = buf_bytes(&data), .number = S_NULL };
        enum err err = store_write(store, thing_add, &thing, &why);
        assert_true(err == OK || err == ERR_STORE);
        kept += err == OK;
        refused += err != OK;
    }
    assert_int_equal(10, refused);
    assert_true(kept > 10);
    assert_int_equal(0, unlink(ballast));
    ASSERT_OK(add(store, 10000, &why), &why);
    assert_int_equal(kept + 1, thing_total(store));
    store_free(TAKE(store));
    assert_sound(config->path);
    ASSERT_OK(store_open(config, &store, &why), &why);
    assert_int_equal(kept + 1, thing_total(store));
}

TEST(a_full_disk_refuses_loses_nothing_and_serves_again_when_space_returns)
{
    struct bench *bench = *state_;
    AUTO_STR folder = xasprintf("%s/small", bench->place.folder);
    assert_int_equal(0, mkdir(folder, 0700));
    if (mount("tmpfs", folder, "tmpfs", 0, "size=6m,mode=0700") != 0)
        skip(); /* not root: the test above plays it */
    AUTO_STR path = xasprintf("%s/store.db", folder);
    AUTO_STR ballast = xasprintf("%s/ballast", folder);
    int fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(0, posix_fallocate(fd, 0, 3 << 20));
    close(fd);
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    config.path = path;
    fill_and_go_on(&config, ballast);
}

static enum err number_set(struct store_tx *tx, void *arg, struct why *why)
{
    return store_exec(tx, "UPDATE thing SET number = $1 WHERE id = 1", S_ARGS(S_INT(*(int64_t *)arg)), NULL,
                      why);
}

/* A disk that has room for the rows, but not for the log at its largest: the log is what has to give way. */
TEST(a_disk_that_the_log_alone_fills_refuses_once_and_goes_on)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    AUTO(store) store = NULL;
    AUTO_STR folder = xasprintf("%s/small", bench->place.folder);
    AUTO_STR path = xasprintf("%s/store.db", folder);
    assert_true(mkdir(folder, 0700) == 0 || errno == EEXIST);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=2m,mode=0700") != 0)
        skip();
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    config.path = path;
    ASSERT_OK(store_open(&config, &store, &why), &why);
    ASSERT_OK(add(store, 1, &why), &why);
    store_free(TAKE(store)); /* what there is goes into the file, which need not grow from here on */
    ASSERT_OK(store_open(&config, &store, &why), &why);
    int refused = 0;
    for (int64_t number = 0; number < 1500; number++) { /* three times what fits */
        if (store_write(store, number_set, &number, &why) == OK)
            continue;
        refused++;
        ASSERT_OK(store_write(store, number_set, &number, &why), &why);
    }
    assert_true(refused > 0);
    store_free(TAKE(store));
    assert_sound(path);
}

/* The log is moved into the file while nobody waits, and starts anew: it does not grow with what was ever
 * written. */
TEST(the_log_does_not_grow_without_end)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    struct stat info;
    AUTO_BUF data = { 0 };
    buf_reserve(&data, 1 << 20);
    memset(data.data, 3, 1 << 20);
    data.len = 1 << 20;
    for (int64_t id = 0; id < 60; id++) {
        struct thing thing = { .id = id, .data = buf_bytes(&data), .number = S_NULL };
        ASSERT_OK(store_write(bench->store, thing_add, &thing, &why), &why);
    }
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    AUTO_STR log = xasprintf("%s-wal", config.path);
    assert_int_equal(0, stat(log, &info));
    assert_true(info.st_size > 0 && info.st_size < 40 << 20);
}

#define ON(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
int main(void)
{
    struct bench bench = { 0 };
    place_make(&bench.place, "sqlite");
    breaking_install();
    struct CMUnitTest tests[] = {
        ON(units_of_many_threads_share_a_flush),
        ON(a_unit_that_would_wait_for_itself_is_refused),
        ON(the_file_and_what_sqlite_puts_beside_it_are_only_for_the_owner),
        ON(a_link_or_a_folder_in_place_of_the_file_is_refused),
        ON(a_second_owner_waits_and_is_then_refused),
        ON(a_second_owner_goes_on_when_the_first_ends),
        ON(a_failed_flush_is_not_acknowledged_and_nothing_is_until_a_whole_checkpoint_passed),
        ON(a_group_whose_flush_failed_fails_as_a_whole),
        ON(a_write_that_finds_no_space_is_not_acknowledged_and_the_next_with_space_is),
        ON(a_full_disk_refuses_loses_nothing_and_serves_again_when_space_returns),
        ON(a_disk_that_the_log_alone_fills_refuses_once_and_goes_on),
        ON(the_log_does_not_grow_without_end),
    };
    return place_run(&bench.place, &bench, tests, sizeof(tests) / sizeof(tests[0]));
}

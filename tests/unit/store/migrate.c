/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas: from each version up, killed in between, and refused when newer. */
#include "tests/unit/store/place.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSIONS 4
static const struct migration versions[VERSIONS] = {
    { 1, "CREATE TABLE person (id BIGINT PRIMARY KEY, name TEXT NOT NULL); CREATE TABLE log (line TEXT)" },
    { 2, "INSERT INTO person (id, name) VALUES (1, 'a;b'); ALTER TABLE person ADD COLUMN photo BYTEA;" },
    { 3, "CREATE UNIQUE INDEX person_name ON person (name); INSERT INTO log (line) VALUES ('three')" },
    { 4, "INSERT INTO log (line) VALUES ('four')" },
};

struct facts {
    int64_t versions, persons, lines;
};
static enum err facts_read(struct store_tx *tx, void *arg, struct why *why)
{
    struct facts *facts = arg;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT (SELECT COUNT(*) FROM schema_migration), (SELECT COUNT(*) FROM person), "
                    "(SELECT COUNT(*) FROM log)",
                    S_NO_ARGS, &rows, why));
    *facts = (struct facts){ store_int(rows, 0, 0), store_int(rows, 0, 1), store_int(rows, 0, 2) };
    return OK;
}

static struct facts open_and_read(const struct store_config *config)
{
    struct why why = { 0 };
    AUTO(store) store = NULL;
    struct facts facts = { 0 };
    ASSERT_OK(store_open(config, &store, &why), &why);
    ASSERT_OK(store_read(store, facts_read, &facts, &why), &why);
    return facts;
}

TEST(each_version_is_brought_up_to_the_last_and_stays_there)
{
    struct place *place = *state_;
    for (size_t from = 0; from <= VERSIONS; from++) {
        struct why why = { 0 };
        struct store_config old = place_config(place, versions, from);
        AUTO(store) store = NULL;
        ASSERT_OK(store_open(&old, &store, &why), &why);
        store_free(TAKE(store));
        struct store_config new = place_config_again(place, versions, VERSIONS);
        for (int again = 0; again < 2; again++) {
            struct facts facts = open_and_read(&new);
            assert_int_equal(VERSIONS, facts.versions);
            assert_int_equal(1, facts.persons);
            assert_int_equal(2, facts.lines);
        }
    }
}

TEST(a_newer_schema_is_refused_with_both_versions_and_left_alone)
{
    struct place *place = *state_;
    struct why why = { 0 };
    struct store *store = NULL;
    struct store_config new = place_config(place, versions, VERSIONS);
    open_and_read(&new);
    struct store_config old = place_config_again(place, versions, 2);
    ASSERT_ERR(ERR_STORE_SCHEMA, store_open(&old, &store, &why), &why);
    assert_null(store);
    assert_non_null(strstr(why.text, "version 4"));
    assert_non_null(strstr(why.text, "up to 2"));
    new = place_config_again(place, versions, VERSIONS);
    assert_int_equal(VERSIONS, open_and_read(&new).versions);
}

TEST(a_migration_that_fails_leaves_the_version_before_whole)
{
    struct place *place = *state_;
    struct why why = { 0 };
    struct store *store = NULL;
    struct migration broken[] = {
        versions[0],
        versions[1],
        { 3, "INSERT INTO log (line) VALUES ('x'); CREATE TABLE person (id BIGINT)" }
    };
    struct store_config bad = place_config(place, broken, 3);
    ASSERT_ERR(ERR_STORE, store_open(&bad, &store, &why), &why);
    assert_null(store);
    struct store_config half = place_config_again(place, versions, 2);
    struct facts facts = open_and_read(&half);
    assert_int_equal(2, facts.versions);
    assert_int_equal(0, facts.lines);
    struct store_config whole = place_config_again(place, versions, VERSIONS);
    assert_int_equal(VERSIONS, open_and_read(&whole).versions);
}

TEST(migrations_with_a_gap_are_our_own_mistake)
{
    struct place *place = *state_;
    struct why why = { 0 };
    struct store *store = NULL;
    struct migration gap[] = { versions[0], versions[2] };
    struct store_config config = place_config(place, gap, 2);
    ASSERT_ERR(ERR_INTERNAL, store_open(&config, &store, &why), &why);
    struct migration zero[] = { { 0, "SELECT 1" } };
    config = place_config(place, zero, 1);
    ASSERT_ERR(ERR_INTERNAL, store_open(&config, &store, &why), &why);
}

static enum err forget_one(struct store_tx *tx, void *arg, struct why *why)
{
    (void)arg;
    return store_exec(tx, "DELETE FROM schema_migration WHERE version = 1", S_NO_ARGS, NULL, why);
}

TEST(a_store_that_misses_a_version_is_not_touched)
{
    struct place *place = *state_;
    struct why why = { 0 };
    struct store_config config = place_config(place, versions, 2);
    struct store *store = NULL;
    ASSERT_OK(store_open(&config, &store, &why), &why);
    ASSERT_OK(store_write(store, forget_one, NULL, &why), &why);
    store_free(TAKE(store));
    ASSERT_ERR(ERR_STORE, store_open(&config, &store, &why), &why);
}

/* Half of version 3 is done, then the child is busy for longer than the test runs, until it is killed. */
static const char endless_sqlite[] =
    "INSERT INTO log (line) VALUES ('half'); CREATE TABLE half (id BIGINT);"
    "WITH RECURSIVE c(x) AS (VALUES (0) UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c";
static const char endless_postgres[] =
    "INSERT INTO log (line) VALUES ('half'); CREATE TABLE half (id BIGINT);"
    "SELECT pg_sleep(600)";

static void child_migrates(const struct store_config *config, int started)
{
    struct store *store = NULL;
    struct why why;
    if (write(started, "x", 1) == 1)
        (void)!store_open(config, &store, &why);
    _exit(3); /* it came to an end: not what was asked */
}

TEST(a_kill_in_the_middle_leaves_a_whole_version_from_which_the_next_start_goes_on)
{
    struct place *place = *state_;
    struct migration endless[] = { versions[0],
                                   versions[1],
                                   { 3, place->kind == STORE_SQLITE ? endless_sqlite : endless_postgres } };
    struct store_config config = place_config(place, endless, 3);
    int started[2], status;
    assert_int_equal(0, pipe2(started, O_CLOEXEC));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        child_migrates(&config, started[1]);
    char byte;
    assert_int_equal(1, read(started[0], &byte, 1));
    usleep(700 * 1000); /* enough for versions 1 and 2; the assertions hold without too */
    kill(child, SIGKILL);
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFSIGNALED(status));
    close(started[0]);
    close(started[1]);
    if (place->kind == STORE_POSTGRES) { /* its server process still holds the lock, and sleeps */
        place_server_kill(place);
        place_server_start(place);
    }
    config = place_config_again(place, versions, VERSIONS);
    struct facts facts = open_and_read(&config);
    assert_int_equal(VERSIONS, facts.versions);
    assert_int_equal(2, facts.lines); /* 'half' is not among them */
    assert_int_equal(1, facts.persons);
}

int main(int argc, char **argv)
{
    struct place place;
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    struct CMUnitTest tests[] = {
        T(each_version_is_brought_up_to_the_last_and_stays_there),
        T(a_newer_schema_is_refused_with_both_versions_and_left_alone),
        T(a_migration_that_fails_leaves_the_version_before_whole),
        T(migrations_with_a_gap_are_our_own_mistake),
        T(a_store_that_misses_a_version_is_not_touched),
        T(a_kill_in_the_middle_leaves_a_whole_version_from_which_the_next_start_goes_on),
    };
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tests[i].initial_state = &place;
    TEST_FILTER();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    place_free(&place);
    return failed;
}

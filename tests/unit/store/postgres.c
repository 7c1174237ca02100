/* SPDX-License-Identifier: Apache-2.0 */
/* What only PostgreSQL has: connections that go away, a COMMIT whose answer is lost, several owners
 * (security.md S7). */
#include "tests/unit/store/place.h"
#include "tests/unit/store/units.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct bench {
    struct place place;
    struct store *store;
};
static int bench_open(void **state)
{
    struct bench *bench = *state;
    struct why why;
    struct store_config config = place_config(&bench->place, units_schema, 1);
    return store_open(&config, &bench->store, &why) == OK ? 0 : -1;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    store_free(TAKE(bench->store));
    return 0;
}

static enum err add(struct store *store, int64_t id, struct why *why)
{
    struct thing thing = { .id = id, .number = S_NULL };
    return store_write(store, thing_add, &thing, why);
}

/* As the database's own administrator would, past the store. */
static void administrator(const struct place *place, const char *format, int number)
{
    AUTO_STR sql = xasprintf("SET search_path TO role_%d; %s", number, format);
    PGconn *link = PQconnectdb(place->conninfo);
    PGresult *result = PQexec(link, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(link));
    PQclear(result);
    PQfinish(link);
}

TEST(a_password_in_the_connection_text_is_refused_and_never_repeated)
{
    struct bench *bench = *state_;
    static const char *const bad[] = { "host=/tmp password=canary-1 user=x",
                                       "postgresql://x:canary-2@localhost/y", "host=/tmp canary-3",
                                       "host='canary-4" };
    for (size_t i = 0; i < 4; i++) {
        struct why why = { 0 };
        struct store *store = NULL;
        struct store_config config = place_config_again(&bench->place, units_schema, 1);
        config.path = bad[i];
        ASSERT_ERR(ERR_CONFIG, store_open(&config, &store, &why), &why);
        assert_null(strstr(why.text, "canary"));
    }
}

TEST(a_schema_that_is_no_plain_name_is_refused)
{
    struct bench *bench = *state_;
    char longest[65];
    memset(longest, 'a', 64);
    longest[64] = '\0';
    const char *const bad[] = { NULL,  "",      "Ca",  "ca; DROP TABLE x", "ca\"",
                                "1ca", "pg_ca", "c a", "c\xc3\xa4",        longest };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct why why = { 0 };
        struct store *store = NULL;
        struct store_config config = place_config_again(&bench->place, units_schema, 1);
        config.schema = bad[i];
        ASSERT_ERR(ERR_CONFIG, store_open(&config, &store, &why), &why);
    }
    struct why why = { 0 };
    AUTO(store) store = NULL;
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    longest[63] = '\0';
    config.schema = longest;
    ASSERT_OK(store_open(&config, &store, &why), &why);
}

TEST(two_roles_share_a_database_and_see_only_their_own)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    AUTO(store) other = NULL;
    struct store_config config = place_config(&bench->place, units_schema, 1);
    ASSERT_OK(store_open(&config, &other, &why), &why);
    ASSERT_OK(add(bench->store, 1, &why), &why);
    ASSERT_OK(add(bench->store, 2, &why), &why);
    ASSERT_OK(add(other, 1, &why), &why);
    assert_int_equal(2, thing_total(bench->store));
    assert_int_equal(1, thing_total(other));
}

struct start {
    const struct store_config *config;
    atomic_int opened;
};
static void *open_thread(void *arg)
{
    struct start *start = arg;
    AUTO(store) store = NULL;
    struct why why = { 0 };
    if (store_open(start->config, &store, &why) == OK)
        atomic_fetch_add(&start->opened, 1);
    else
        fprintf(stderr, "%s\n", why.text);
    return NULL;
}

TEST(instances_that_start_at_once_migrate_once)
{
    struct bench *bench = *state_;
    struct store_config config = place_config(&bench->place, units_schema, 1);
    struct start start = { .config = &config };
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, open_thread, &start));
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(6, start.opened);
}

TEST(idle_connections_that_the_server_ended_go_unnoticed_by_callers)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    for (int64_t id = 0; id < 10; id++) {
        ASSERT_OK(add(bench->store, id, &why), &why);
        assert_int_equal(id + 1, thing_total(bench->store));
        administrator(
            &bench->place,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chancery'",
            bench->place.stores);
    }
    assert_int_equal(10, thing_total(bench->store));
}

struct interrupted {
    const struct place *place;
    int runs, breaks;
};
static enum err add_interrupted(struct store_tx *tx, void *arg, struct why *why)
{
    struct interrupted *job = arg;
    struct thing one = { .id = 1, .number = S_NULL }, two = { .id = 2, .number = S_NULL };
    job->runs++;
    TRY(thing_add(tx, &one, why));
    if (job->runs <= job->breaks)
        administrator(
            job->place,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chancery'",
            job->place->stores);
    /* Translated, as callers do: the store still knows that the connection went. */
    return thing_add(tx, &two, why) == OK ? OK : fail(why, ERR_BAD_REQUEST, "second");
}

TEST(a_unit_whose_connection_ends_before_commit_is_run_again)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    struct interrupted job = { .place = &bench->place, .breaks = 2 };
    ASSERT_OK(store_write(bench->store, add_interrupted, &job, &why), &why);
    assert_int_equal(3, job.runs);
    assert_int_equal(2, thing_total(bench->store));
}

/* A deferred trigger runs inside COMMIT: the session ends there, and the client cannot know what became of
 * it. */
static const char end_in_commit[] =
    "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END';"
    "CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION gone()";

struct counted {
    int64_t id;
    int runs;
};
static enum err add_counted(struct store_tx *tx, void *arg, struct why *why)
{
    struct counted *counted = arg;
    counted->runs++;
    struct thing thing = { .id = counted->id, .number = S_NULL };
    return thing_add(tx, &thing, why);
}

TEST(a_connection_lost_in_commit_is_said_and_the_unit_not_run_again)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    struct counted counted = { .id = 1 };
    uint64_t before = store_commits(bench->store);
    administrator(&bench->place, end_in_commit, bench->place.stores);
    ASSERT_ERR(ERR_STORE, store_write(bench->store, add_counted, &counted, &why), &why);
    assert_non_null(strstr(why.text, "outcome unknown"));
    assert_int_equal(1, counted.runs);
    assert_int_equal(before, store_commits(bench->store));
    administrator(&bench->place, "DROP TRIGGER gone ON thing", bench->place.stores);
    ASSERT_OK(add(bench->store, 2, &why), &why);
    assert_int_equal(1, thing_total(bench->store));
}

TEST(a_constraint_that_speaks_up_in_commit_is_a_plain_refusal)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    administrator(&bench->place,
                  "ALTER TABLE thing ADD CONSTRAINT one UNIQUE (number) DEFERRABLE INITIALLY DEFERRED",
                  bench->place.stores);
    struct thing first = { .id = 1, .number = S_INT(5) }, second = { .id = 2, .number = S_INT(5) };
    ASSERT_OK(store_write(bench->store, thing_add, &first, &why), &why);
    ASSERT_ERR(ERR_CONFLICT, store_write(bench->store, thing_add, &second, &why), &why);
    assert_null(strstr(why.text, "unknown"));
    assert_int_equal(1, thing_total(bench->store));
}

static enum err setting(struct store_tx *tx, void *arg, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "SELECT current_setting('synchronous_commit')", S_NO_ARGS, &rows, why));
    snprintf(arg, 32, "%s", store_str(rows, 0, 0));
    return OK;
}

TEST(a_lowered_durability_is_raised_and_a_raised_one_kept)
{
    struct bench *bench = *state_;
    static const char *const cases[][2] = {
        { "off", "on" }, { "local", "on" }, { "on", "on" }, { "remote_apply", "remote_apply" }
    };
    for (size_t i = 0; i < 4; i++) {
        struct why why = { 0 };
        char found[32] = "";
        AUTO_STR sql = xasprintf("ALTER DATABASE postgres SET synchronous_commit = '%s'", cases[i][0]);
        administrator(&bench->place, sql, 1);
        AUTO(store) store = NULL;
        struct store_config config = place_config_again(&bench->place, units_schema, 1);
        ASSERT_OK(store_open(&config, &store, &why), &why);
        ASSERT_OK(store_write(store, setting, found, &why), &why);
        assert_string_equal(cases[i][1], found);
    }
    administrator(&bench->place, "ALTER DATABASE postgres RESET synchronous_commit", 1);
}

TEST(without_a_server_writing_and_reading_end_with_store_unavailable_and_go_on_with_it)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    int64_t things;
    ASSERT_OK(add(bench->store, 1, &why), &why);
    place_server_kill(&bench->place);
    ASSERT_ERR(ERR_STORE, add(bench->store, 2, &why), &why);
    ASSERT_ERR(ERR_STORE, store_read(bench->store, thing_count, &things, &why), &why);
    struct store *another = NULL;
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    ASSERT_ERR(ERR_STORE, store_open(&config, &another, &why), &why);
    place_server_start(&bench->place);
    ASSERT_OK(add(bench->store, 3, &why), &why);
    assert_int_equal(2, thing_total(bench->store));
}

#define ON(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
int main(void)
{
    struct bench bench = { 0 };
    place_make(&bench.place, "postgres");
    struct CMUnitTest tests[] = {
        ON(a_password_in_the_connection_text_is_refused_and_never_repeated),
        ON(a_schema_that_is_no_plain_name_is_refused),
        ON(two_roles_share_a_database_and_see_only_their_own),
        ON(instances_that_start_at_once_migrate_once),
        ON(idle_connections_that_the_server_ended_go_unnoticed_by_callers),
        ON(a_unit_whose_connection_ends_before_commit_is_run_again),
        ON(a_connection_lost_in_commit_is_said_and_the_unit_not_run_again),
        ON(a_constraint_that_speaks_up_in_commit_is_a_plain_refusal),
        ON(a_lowered_durability_is_raised_and_a_raised_one_kept),
        ON(without_a_server_writing_and_reading_end_with_store_unavailable_and_go_on_with_it),
    };
    return place_run(&bench.place, &bench, tests, sizeof(tests) / sizeof(tests[0]));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What store.h promises, the same on both databases: suite sqlite, suite postgres. */
#include "tests/unit/store/place.h"
#include "tests/unit/store/units.h"

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
    struct why why = { 0 };
    struct store_config config = place_config(&bench->place, units_schema, 1);
    enum err err = store_open(&config, &bench->store, &why);
    if (err != OK)
        fprintf(stderr, "%s: %s\n", err_row(err)->name, why.text);
    return err == OK ? 0 : -1;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    store_free(TAKE(bench->store));
    return 0;
}

static struct store *the_store(void **state)
{
    return ((struct bench *)*state)->store;
}

/* A unit given as plain SQL. */
struct one {
    const char *sql;
    struct store_args args;
    struct store_rows *rows;
    int64_t changed;
    enum err inner; /* what the statement returned, when the unit goes on */
};

static enum err exec_one(struct store_tx *tx, void *arg, struct why *why)
{
    struct one *one = arg;
    return store_exec(tx, one->sql, one->args, &one->changed, why);
}

static enum err query_one(struct store_tx *tx, void *arg, struct why *why)
{
    struct one *one = arg;
    store_rows_free(TAKE(one->rows));
    return store_query(tx, one->sql, one->args, &one->rows, why);
}

static int64_t exec_ok(struct store *store, const char *sql, struct store_args args)
{
    struct why why = { 0 };
    struct one one = { .sql = sql, .args = args };
    ASSERT_OK(store_write(store, exec_one, &one, &why), &why);
    return one.changed;
}

static struct store_rows *rows_of(struct store *store, const char *sql, struct store_args args)
{
    struct why why = { 0 };
    struct one one = { .sql = sql, .args = args };
    ASSERT_OK(store_read(store, query_one, &one, &why), &why);
    return one.rows;
}

static void add(struct store *store, int64_t id, const char *name)
{
    struct why why = { 0 };
    struct thing thing = { .id = id, .name = name, .number = S_NULL };
    ASSERT_OK(store_write(store, thing_add, &thing, &why), &why);
}

TEST(a_value_of_each_type_comes_back_as_it_went_in)
{
    struct store *store = the_store(state_);
    uint8_t every[256];
    for (int i = 0; i < 256; i++)
        every[i] = (uint8_t)i;
    const struct {
        int64_t number;
        const char *text;
        struct bytes data;
    } cases[] = {
        { INT64_MAX, "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x90", BYTES_ARR(every) },
        { INT64_MIN, "", BYTES_LIT("") },
        { 0, "'; DROP TABLE thing; --", BYTES_LIT("\0") },
        { -1, "$1 ? :x \\ \" %s \x01\x7f", BYTES_LIT("'\0'") },
        { 256, "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xe0\xa0\x80\xf0\x90\x80\x80\xc2\x80",
          BYTES_LIT("\xff\xfe") },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        exec_ok(
            store, "INSERT INTO thing (id, name, data, number) VALUES ($1, $2, $3, $4)",
            S_ARGS(S_INT((int64_t)i), S_TEXT(cases[i].text), S_BYTES(cases[i].data), S_INT(cases[i].number)));
        AUTO(store_rows)
        rows = rows_of(store, "SELECT number, name, data FROM thing WHERE name = $1 AND data = $2",
                       S_ARGS(S_TEXT(cases[i].text), S_BYTES(cases[i].data)));
        assert_int_equal(1, store_rows_count(rows));
        assert_true(store_int(rows, 0, 0) == cases[i].number);
        assert_string_equal(cases[i].text, store_str(rows, 0, 1));
        ASSERT_BYTES(cases[i].data, store_bytes(rows, 0, 2));
        for (size_t column = 0; column < 3; column++)
            assert_false(store_is_null(rows, 0, column));
    }
    assert_int_equal(5, thing_total(store));
}

TEST(null_is_neither_empty_nor_zero)
{
    struct store *store = the_store(state_);
    exec_ok(store, "INSERT INTO thing (id, name, data, number) VALUES ($1, $2, $3, $4)",
            S_ARGS(S_INT(1), S_TEXT(NULL), store_bytes_or_null(BYTES_NONE), S_NULL));
    exec_ok(store, "INSERT INTO thing (id, name, data, number) VALUES ($1, $2, $3, $4)",
            S_ARGS(S_INT(2), S_TEXT(""), S_BYTES(BYTES_NONE), S_INT(0)));
    AUTO(store_rows) rows = rows_of(store, "SELECT name, data, number FROM thing ORDER BY id", S_NO_ARGS);
    assert_int_equal(2, store_rows_count(rows));
    for (size_t column = 0; column < 3; column++) {
        assert_true(store_is_null(rows, 0, column));
        assert_false(store_is_null(rows, 1, column));
    }
    assert_string_equal("", store_str(rows, 0, 0));
    assert_int_equal(0, store_bytes(rows, 0, 1).len);
    assert_int_equal(0, store_int(rows, 0, 2));
    assert_int_equal(STORE_BYTES, store_bytes_or_null(BYTES_LIT("x")).type);
}

/* The same text with other types of parameters is another statement to PostgreSQL. */
TEST(one_statement_takes_null_and_values_by_turns)
{
    struct store *store = the_store(state_);
    for (int i = 0; i < 6; i++)
        exec_ok(store, "INSERT INTO thing (id, name, number) VALUES ($1, $2, $3)",
                S_ARGS(S_INT(i), S_NULL, i % 2 ? S_INT(i) : S_NULL));
    AUTO(store_rows)
    rows =
        rows_of(store, "SELECT COUNT(*), COUNT(number), CAST(SUM(number) AS BIGINT) FROM thing", S_NO_ARGS);
    assert_int_equal(6, store_int(rows, 0, 0));
    assert_int_equal(3, store_int(rows, 0, 1));
    assert_int_equal(9, store_int(rows, 0, 2));
}

TEST(one_statement_takes_values_of_each_type_by_turns)
{
    struct store *store = the_store(state_);
    for (int round = 0; round < 2; round++) {
        AUTO(store_rows) text = rows_of(store, "SELECT $1, 1", S_ARGS(S_TEXT("12345678")));
        assert_string_equal("12345678", store_str(text, 0, 0));
        AUTO(store_rows) number = rows_of(store, "SELECT $1, 1", S_ARGS(S_INT(-12345678)));
        assert_true(store_int(number, 0, 0) == -12345678);
        AUTO(store_rows) data = rows_of(store, "SELECT $1, 1", S_ARGS(S_BYTES(BYTES_LIT("\xff\0\xfe"))));
        ASSERT_BYTES(BYTES_LIT("\xff\0\xfe"), store_bytes(data, 0, 0));
        AUTO(store_rows) none = rows_of(store, "SELECT $1, 1", S_ARGS(S_NULL));
        assert_true(store_is_null(none, 0, 0));
    }
}

TEST(text_that_is_not_utf8_or_has_a_nul_is_malformed_and_the_unit_may_go_on)
{
    struct store *store = the_store(state_);
    static const struct bytes bad[] = { BYTES_LIT("a\0b"),
                                        BYTES_LIT("\0"),
                                        BYTES_LIT("\x80"),
                                        BYTES_LIT("\xc3"),
                                        BYTES_LIT("\xc0\xaf"),
                                        BYTES_LIT("\xc1\xbf"),
                                        BYTES_LIT("\xe0\x9f\xbf"),
                                        BYTES_LIT("\xed\xa0\x80"),
                                        BYTES_LIT("\xf0\x8f\xbf\xbf"),
                                        BYTES_LIT("\xf4\x90\x80\x80"),
                                        BYTES_LIT("\xf5\x80\x80\x80"),
                                        BYTES_LIT("\xff"),
                                        BYTES_LIT("\xe2\x82"),
                                        BYTES_LIT("\xf0\x9f\x94"),
                                        BYTES_LIT("\xe2\x28\xa1") };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct why why = { 0 };
        struct store_value text = { STORE_TEXT, 0, bad[i] };
        struct one one = { .sql = "INSERT INTO thing (id, name) VALUES ($1, $2)",
                           .args = S_ARGS(S_INT((int64_t)i), text) };
        ASSERT_ERR(ERR_MALFORMED, store_write(store, exec_one, &one, &why), &why);
    }
    assert_int_equal(0, thing_total(store));
}

static enum err conflict_then_another(struct store_tx *tx, void *arg, struct why *why)
{
    struct one *one = arg;
    struct thing first = { 10, "first", BYTES_NONE, S_NULL }, clash = { 11, "taken", BYTES_NONE, S_NULL },
                 other = { 12, "other", BYTES_NONE, S_NULL }, same_id = { 10, "id", BYTES_NONE, S_NULL },
                 last = { 13, "last", BYTES_NONE, S_NULL };
    TRY(thing_add(tx, &first, why));
    one->inner = thing_add(tx, &clash, why);
    TRY(thing_add(tx, &other, why));
    if (thing_add(tx, &same_id, why) != ERR_CONFLICT)
        return fail(why, ERR_INTERNAL, "the same id was taken twice");
    int64_t changed;
    enum err err = store_exec(tx, "UPDATE thing SET name = $1 WHERE id = $2",
                              S_ARGS(S_TEXT("taken"), S_INT(12)), &changed, why);
    if (err != ERR_CONFLICT)
        return fail(why, ERR_INTERNAL, "an update to a taken name gave %s", err_row(err)->name);
    return thing_add(tx, &last, why);
}

TEST(a_unit_goes_on_after_a_conflict_and_keeps_what_it_did_before_and_after)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct one one = { 0 };
    add(store, 1, "taken");
    ASSERT_OK(store_write(store, conflict_then_another, &one, &why), &why);
    assert_int_equal(ERR_CONFLICT, one.inner);
    AUTO(store_rows) rows = rows_of(store, "SELECT id FROM thing ORDER BY id", S_NO_ARGS);
    assert_int_equal(4, store_rows_count(rows));
    assert_int_equal(1, store_int(rows, 0, 0));
    assert_int_equal(10, store_int(rows, 1, 0));
    assert_int_equal(12, store_int(rows, 2, 0));
    assert_int_equal(13, store_int(rows, 3, 0));
}

TEST(a_conflict_that_the_unit_returns_leaves_no_trace_of_the_unit_and_no_value_in_the_reason)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    add(store, 1, "canary-7261");
    struct thing twin = { .id = 2, .name = "canary-7261", .number = S_NULL };
    ASSERT_ERR(ERR_CONFLICT, store_write(store, thing_add, &twin, &why), &why);
    assert_null(strstr(why.text, "canary"));
    assert_int_equal(1, thing_total(store));
}

static enum err add_then_fail(struct store_tx *tx, void *arg, struct why *why)
{
    TRY(thing_add(tx, arg, why));
    return fail(why, ERR_NOT_AUTHORISED, "after thought");
}

TEST(a_unit_that_fails_leaves_nothing_and_its_own_error_comes_out)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct thing thing = { .id = 1, .name = "a", .number = S_NULL };
    ASSERT_ERR(ERR_NOT_AUTHORISED, store_write(store, add_then_fail, &thing, &why), &why);
    assert_string_equal("after thought", why.text);
    assert_int_equal(ERR_NOT_AUTHORISED, store_write(store, add_then_fail, &thing, NULL));
    assert_int_equal(0, thing_total(store));
    add(store, 1, "a");
    assert_int_equal(1, thing_total(store));
}

static enum err ignores_a_database_error(struct store_tx *tx, void *arg, struct why *why)
{
    struct thing thing = { .id = 1, .name = "a", .number = S_NULL };
    TRY(thing_add(tx, &thing, why));
    if (store_exec(tx, arg, S_NO_ARGS, NULL, why) == OK)
        return OK;
    thing.id = 2;
    thing.name = "b";
    (void)!thing_add(tx, &thing, why);
    return OK;
}

TEST(a_unit_that_ignores_a_database_error_is_not_kept)
{
    struct store *store = the_store(state_);
    static char *const bad[] = { "INSERT INTO nothing (id) VALUES (3)", "INSERT INTO thing (id VALUES (3)",
                                 "INSERT INTO thing (id) VALUES (3); DELETE FROM thing",
                                 "INSERT INTO thing (id, name) VALUES (3, \"id\")" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct why why = { 0 };
        ASSERT_ERR(ERR_STORE, store_write(store, ignores_a_database_error, bad[i], &why), &why);
        assert_int_equal(0, thing_total(store));
    }
}

TEST(a_statement_that_could_end_the_transaction_or_change_the_connection_is_refused)
{
    struct store *store = the_store(state_);
    static char *const bad[] = { "COMMIT",
                                 "ROLLBACK",
                                 "BEGIN",
                                 "SAVEPOINT x",
                                 "PRAGMA synchronous=OFF",
                                 "SET synchronous_commit = off",
                                 "ATTACH 'x' AS y",
                                 "DROP TABLE thing",
                                 "VACUUM",
                                 "CREATE TABLE t (a BIGINT)",
                                 "",
                                 " SELECT 1",
                                 "SELECTED",
                                 "-- SELECT 1" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct why why = { 0 };
        struct one one = { .sql = bad[i], .args = S_NO_ARGS };
        ASSERT_ERR(ERR_INTERNAL, store_write(store, exec_one, &one, &why), &why);
        ASSERT_ERR(ERR_INTERNAL, store_read(store, query_one, &one, &why), &why);
    }
    assert_int_equal(0, thing_total(store));
}

TEST(the_number_of_parameters_has_to_fit)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct one few = { .sql = "INSERT INTO thing (id, number) VALUES ($1, $2)", .args = S_ARGS(S_INT(1)) };
    ASSERT_ERR(ERR_STORE, store_write(store, exec_one, &few, &why), &why);
    struct store_value many[65];
    for (int i = 0; i < 65; i++)
        many[i] = S_INT(i);
    AUTO_BUF sql = { 0 };
    buf_append_str(&sql, "SELECT $1");
    for (int i = 2; i <= 64; i++)
        buf_printf(&sql, "+$%d", i);
    struct one most = { .sql = buf_text(&sql), .args = { many, 64 } };
    ASSERT_OK(store_read(store, query_one, &most, &why), &why);
    assert_int_equal(63 * 64 / 2, store_int(most.rows, 0, 0));
    most.args.count = 65;
    ASSERT_ERR(ERR_INTERNAL, store_read(store, query_one, &most, &why), &why);
    store_rows_free(most.rows);
}

/* SQLite would number them in the order of the text. */
TEST(parameters_go_by_number_not_by_place)
{
    struct store *store = the_store(state_);
    exec_ok(store, "INSERT INTO thing (number, id, name) VALUES ($2, $1, $3)",
            S_ARGS(S_INT(1), S_INT(2), S_TEXT("three")));
    AUTO(store_rows)
    rows = rows_of(store, "SELECT id, number FROM thing WHERE number = $2 AND id = $1 AND number > $1",
                   S_ARGS(S_INT(1), S_INT(2)));
    assert_int_equal(1, store_rows_count(rows));
    assert_int_equal(1, store_int(rows, 0, 0));
    assert_int_equal(2, store_int(rows, 0, 1));
}

TEST(changed_counts_rows_written_and_nothing_for_others)
{
    struct store *store = the_store(state_);
    for (int i = 0; i < 5; i++)
        add(store, i, NULL);
    assert_int_equal(3, exec_ok(store, "UPDATE thing SET number = 7 WHERE id < $1", S_ARGS(S_INT(3))));
    assert_int_equal(0, exec_ok(store, "UPDATE thing SET number = 7 WHERE id > $1", S_ARGS(S_INT(30))));
    assert_int_equal(0, exec_ok(store, "SELECT id FROM thing", S_NO_ARGS));
    assert_int_equal(1,
                     exec_ok(store, "INSERT INTO thing (id) VALUES (9) ON CONFLICT DO NOTHING", S_NO_ARGS));
    assert_int_equal(0,
                     exec_ok(store, "INSERT INTO thing (id) VALUES (9) ON CONFLICT DO NOTHING", S_NO_ARGS));
    assert_int_equal(6, exec_ok(store, "DELETE FROM thing", S_NO_ARGS));
    assert_int_equal(0, thing_total(store));
}

TEST(insert_returning_gives_its_rows)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct one one = { .sql = "INSERT INTO thing (id, name) VALUES (5, $1), (6, $2) RETURNING id, name",
                       .args = S_ARGS(S_TEXT("five"), S_TEXT("six")) };
    ASSERT_OK(store_write(store, query_one, &one, &why), &why);
    assert_int_equal(2, store_rows_count(one.rows));
    assert_int_equal(6, store_int(one.rows, 1, 0));
    assert_string_equal("five", store_str(one.rows, 0, 1));
    store_rows_free(one.rows);
    assert_int_equal(2, thing_total(store));
}

TEST(a_fractional_number_is_refused_not_rounded)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct one one = { .sql = "SELECT CAST(1.5 AS DOUBLE PRECISION)", .args = S_NO_ARGS };
    ASSERT_ERR(ERR_STORE, store_read(store, query_one, &one, &why), &why);
}

TEST(a_reader_may_not_write)
{
    struct store *store = the_store(state_);
    static const char *const bad[] = { "INSERT INTO thing (id) VALUES (1)", "UPDATE thing SET number = 1",
                                       "DELETE FROM thing" };
    for (size_t i = 0; i < 3; i++) {
        struct why why = { 0 };
        struct one one = { .sql = bad[i], .args = S_NO_ARGS };
        ASSERT_ERR(ERR_STORE, store_read(store, exec_one, &one, &why), &why);
    }
    assert_int_equal(0, thing_total(store));
}

struct snapshot {
    struct store *store;
    int64_t before, after;
};
static enum err count_write_count(struct store_tx *tx, void *arg, struct why *why)
{
    struct snapshot *snapshot = arg;
    TRY(thing_count(tx, &snapshot->before, why));
    add(snapshot->store, 77, "meanwhile");
    return thing_count(tx, &snapshot->after, why);
}

TEST(a_reader_sees_one_moment_and_the_next_reader_what_was_acknowledged)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct snapshot snapshot = { .store = store };
    ASSERT_OK(store_read(store, count_write_count, &snapshot, &why), &why);
    assert_int_equal(0, snapshot.before);
    assert_int_equal(0, snapshot.after);
    assert_int_equal(1, thing_total(store));
}

struct walk {
    struct store_tx *tx;
    int64_t seen, sum, stop_at;
    enum err nested;
};
static enum err walk_row(const struct store_rows *row, void *arg, struct why *why)
{
    struct walk *walk = arg;
    assert_int_equal(1, store_rows_count(row));
    walk->seen++;
    walk->sum += store_int(row, 0, 0);
    if (walk->seen == 1) {
        AUTO(store_rows) rows = NULL;
        walk->nested = store_query(walk->tx, "SELECT 1", S_NO_ARGS, &rows, why);
    }
    return walk->seen == walk->stop_at ? fail(why, ERR_RATE, "enough") : OK;
}

static enum err walk_all(struct store_tx *tx, void *arg, struct why *why)
{
    struct walk *walk = arg;
    *walk = (struct walk){ .tx = tx, .stop_at = walk->stop_at };
    enum err err =
        store_for_each(tx, "SELECT id, name FROM thing ORDER BY id", S_NO_ARGS, walk_row, walk, why);
    int64_t things;
    TRY(thing_count(tx, &things, why)); /* the transaction is still usable either way */
    assert_int_equal(2000, things);
    return err;
}

static enum err add_many(struct store_tx *tx, void *arg, struct why *why)
{
    for (int64_t id = 1; id <= *(const int *)arg; id++) {
        struct thing thing = { .id = id, .number = S_NULL };
        TRY(thing_add(tx, &thing, why));
    }
    return OK;
}

TEST(rows_stream_one_by_one_until_the_callback_has_enough)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    int many = 2000;
    ASSERT_OK(store_write(store, add_many, &many, &why), &why);
    struct walk walk = { 0 };
    ASSERT_OK(store_read(store, walk_all, &walk, &why), &why);
    assert_int_equal(2000, walk.seen);
    assert_int_equal(2000 * 2001 / 2, walk.sum);
    assert_int_equal(ERR_INTERNAL, walk.nested);
    walk.stop_at = 3;
    ASSERT_ERR(ERR_RATE, store_read(store, walk_all, &walk, &why), &why);
    assert_int_equal(3, walk.seen);
}

static enum err discard_row(const struct store_rows *row, void *arg, struct why *why)
{
    (void)why;
    *(size_t *)arg += store_bytes(row, 0, 0).len;
    return OK;
}

static enum err stream_data(struct store_tx *tx, void *arg, struct why *why)
{
    *(size_t *)arg = 0;
    return store_for_each(tx, "SELECT data FROM thing, (SELECT id AS other FROM thing) AS twice", S_NO_ARGS,
                          discard_row, arg, why);
}

TEST(an_answer_above_the_limit_has_to_be_streamed)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    AUTO_BUF large = { 0 };
    buf_reserve(&large, 1 << 20);
    memset(large.data, 0xa5, 1 << 20);
    large.len = 1 << 20;
    for (int i = 0; i < 9; i++) {
        struct thing thing = { .id = i, .data = buf_bytes(&large), .number = S_NULL };
        ASSERT_OK(store_write(store, thing_add, &thing, &why), &why);
    }
    AUTO(store_rows)
    rows =
        rows_of(store, "SELECT thing.data FROM thing, (SELECT id AS other FROM thing WHERE id < 7) AS twice",
                S_NO_ARGS);
    assert_int_equal(63, store_rows_count(rows));
    struct one over = {
        .sql = "SELECT thing.data FROM thing, (SELECT id AS other FROM thing WHERE id < 8) AS twice",
        .args = S_NO_ARGS
    };
    ASSERT_ERR(ERR_LIMIT, store_read(store, query_one, &over, &why), &why);
    size_t total;
    ASSERT_OK(store_read(store, stream_data, &total, &why), &why);
    assert_int_equal(81u << 20, total);
}

TEST(more_statements_than_the_cache_holds_still_work_each_time)
{
    struct store *store = the_store(state_);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 150; i++) {
            char sql[80];
            snprintf(sql, sizeof(sql), "INSERT INTO thing (id, number) VALUES ($1, %d)", i);
            exec_ok(store, sql, S_ARGS(S_INT(round * 1000 + i)));
        }
    }
    AUTO(store_rows) rows = rows_of(store, "SELECT COUNT(*), COUNT(DISTINCT number) FROM thing", S_NO_ARGS);
    assert_int_equal(300, store_int(rows, 0, 0));
    assert_int_equal(150, store_int(rows, 0, 1));
}

struct crowd {
    struct store *store;
    atomic_int won, lost, other;
    int64_t threads;
    atomic_int_fast64_t next;
};
static void crowd_run(struct crowd *crowd, int threads, void *(*body)(void *))
{
    pthread_t ids[64];
    for (int i = 0; i < threads; i++)
        assert_int_equal(0, pthread_create(&ids[i], NULL, body, crowd));
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
}

static enum err claim(struct store_tx *tx, void *arg, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx, "UPDATE thing SET number = $1 WHERE id = 1 AND number IS NULL RETURNING number",
                    S_ARGS(S_INT(*(int64_t *)arg)), &rows, why));
    return store_rows_count(rows) == 1 ? OK : fail(why, ERR_CHALLENGE_USED, "taken");
}

static void tally(struct crowd *crowd, enum err err, enum err expected)
{
    if (err == OK)
        atomic_fetch_add(&crowd->won, 1);
    else
        atomic_fetch_add(err == expected ? &crowd->lost : &crowd->other, 1);
}

static void *claim_thread(void *arg)
{
    struct crowd *crowd = arg;
    int64_t me = atomic_fetch_add(&crowd->next, 1);
    tally(crowd, store_write(crowd->store, claim, &me, NULL), ERR_CHALLENGE_USED);
    return NULL;
}

TEST(of_fifty_who_claim_at_once_exactly_one_wins)
{
    struct store *store = the_store(state_);
    add(store, 1, "challenge");
    for (int round = 0; round < 5; round++) {
        struct crowd crowd = { .store = store };
        exec_ok(store, "UPDATE thing SET number = NULL", S_NO_ARGS);
        crowd_run(&crowd, 50, claim_thread);
        assert_int_equal(1, crowd.won);
        assert_int_equal(49, crowd.lost);
        assert_int_equal(0, crowd.other);
    }
}

static void *same_name_thread(void *arg)
{
    struct crowd *crowd = arg;
    struct thing thing = { .id = atomic_fetch_add(&crowd->next, 1), .name = "serial", .number = S_NULL };
    tally(crowd, store_write(crowd->store, thing_add, &thing, NULL), ERR_CONFLICT);
    return NULL;
}

TEST(of_fifty_who_insert_the_same_key_at_once_exactly_one_wins)
{
    struct store *store = the_store(state_);
    struct crowd crowd = { .store = store };
    crowd_run(&crowd, 50, same_name_thread);
    assert_int_equal(1, crowd.won);
    assert_int_equal(49, crowd.lost);
    assert_int_equal(1, thing_total(store));
}

/* Every third unit fails after it wrote; the others share its flush. */
static enum err add_or_fail(struct store_tx *tx, void *arg, struct why *why)
{
    struct thing *thing = arg;
    TRY(thing_add(tx, thing, why));
    return thing->id % 3 == 0 ? fail(why, ERR_BAD_REQUEST, "thing %lld", (long long)thing->id) : OK;
}

static void *mixed_thread(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 20; i++) {
        struct why why = { 0 };
        struct thing thing = { .id = atomic_fetch_add(&crowd->next, 1), .number = S_NULL };
        char expected[40];
        enum err err = store_write(crowd->store, add_or_fail, &thing, &why);
        snprintf(expected, sizeof(expected), "thing %lld", (long long)thing.id);
        bool as_it_should =
            thing.id % 3 == 0 ? err == ERR_BAD_REQUEST && strcmp(why.text, expected) == 0 : err == OK;
        atomic_fetch_add(as_it_should ? &crowd->won : &crowd->other, 1);
    }
    return NULL;
}

TEST(units_that_fail_leave_the_others_of_their_flush_alone_and_each_gets_its_own_answer)
{
    struct store *store = the_store(state_);
    struct crowd crowd = { .store = store };
    crowd_run(&crowd, 30, mixed_thread);
    assert_int_equal(600, crowd.won);
    assert_int_equal(400, thing_total(store));
    AUTO(store_rows) rows = rows_of(store, "SELECT COUNT(*) FROM thing WHERE id % 3 = 0", S_NO_ARGS);
    assert_int_equal(0, store_int(rows, 0, 0));
}

/* Two rows locked in opposite orders: PostgreSQL ends one of the two, which is run again unseen. */
static enum err move(struct store_tx *tx, void *arg, struct why *why)
{
    int64_t from = *(const int64_t *)arg % 2, to = 1 - from;
    TRY(store_exec(tx, "UPDATE thing SET number = number - 1 WHERE id = $1", S_ARGS(S_INT(from)), NULL, why));
    sched_yield();
    return store_exec(tx, "UPDATE thing SET number = number + 1 WHERE id = $1", S_ARGS(S_INT(to)), NULL, why);
}

static void *move_thread(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 10; i++) {
        int64_t turn = atomic_fetch_add(&crowd->next, 1);
        tally(crowd, store_write(crowd->store, move, &turn, NULL), OK);
    }
    return NULL;
}

TEST(units_that_block_each_other_are_run_again_until_they_pass)
{
    struct store *store = the_store(state_);
    for (int64_t id = 0; id < 2; id++)
        exec_ok(store, "INSERT INTO thing (id, number) VALUES ($1, 1000)", S_ARGS(S_INT(id)));
    struct crowd crowd = { .store = store };
    crowd_run(&crowd, 4, move_thread);
    assert_int_equal(40, crowd.won);
    AUTO(store_rows) rows = rows_of(store, "SELECT number FROM thing ORDER BY id", S_NO_ARGS);
    assert_int_equal(1000, store_int(rows, 0, 0));
    assert_int_equal(1000, store_int(rows, 1, 0));
}

TEST(commits_are_counted_only_when_something_was_made_durable)
{
    struct store *store = the_store(state_);
    struct why why = { 0 };
    struct thing thing = { .id = 1, .number = S_NULL };
    uint64_t before = store_commits(store);
    ASSERT_ERR(ERR_NOT_AUTHORISED, store_write(store, add_then_fail, &thing, &why), &why);
    assert_int_equal(0, thing_total(store));
    assert_int_equal(before, store_commits(store));
    add(store, 1, NULL);
    assert_int_equal(before + 1, store_commits(store));
}

TEST(what_was_written_is_there_after_reopening)
{
    struct bench *bench = *state_;
    struct why why = { 0 };
    add(bench->store, 1, "stays");
    store_free(TAKE(bench->store));
    struct store_config config = place_config_again(&bench->place, units_schema, 1);
    ASSERT_OK(store_open(&config, &bench->store, &why), &why);
    assert_int_equal(1, thing_total(bench->store));
}

TEST(a_store_of_no_known_kind_or_place_is_refused)
{
    struct why why = { 0 };
    struct store *store = NULL;
    struct store_config config = { .kind = (enum store_kind)7, .path = "x" };
    ASSERT_ERR(ERR_CONFIG, store_open(&config, &store, &why), &why);
    config = (struct store_config){ .kind = STORE_SQLITE, .path = "" };
    ASSERT_ERR(ERR_CONFIG, store_open(&config, &store, &why), &why);
    assert_null(store);
    store_free(NULL);
    store_rows_free(NULL);
}

#define ON(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
int main(int argc, char **argv)
{
    struct bench bench = { 0 };
    place_make(&bench.place, argc > 1 ? argv[1] : "sqlite");
    struct CMUnitTest tests[] = {
        ON(a_value_of_each_type_comes_back_as_it_went_in),
        ON(null_is_neither_empty_nor_zero),
        ON(one_statement_takes_null_and_values_by_turns),
        ON(one_statement_takes_values_of_each_type_by_turns),
        ON(text_that_is_not_utf8_or_has_a_nul_is_malformed_and_the_unit_may_go_on),
        ON(a_unit_goes_on_after_a_conflict_and_keeps_what_it_did_before_and_after),
        ON(a_conflict_that_the_unit_returns_leaves_no_trace_of_the_unit_and_no_value_in_the_reason),
        ON(a_unit_that_fails_leaves_nothing_and_its_own_error_comes_out),
        ON(a_unit_that_ignores_a_database_error_is_not_kept),
        ON(a_statement_that_could_end_the_transaction_or_change_the_connection_is_refused),
        ON(the_number_of_parameters_has_to_fit),
        ON(parameters_go_by_number_not_by_place),
        ON(changed_counts_rows_written_and_nothing_for_others),
        ON(insert_returning_gives_its_rows),
        ON(a_fractional_number_is_refused_not_rounded),
        ON(a_reader_may_not_write),
        ON(a_reader_sees_one_moment_and_the_next_reader_what_was_acknowledged),
        ON(rows_stream_one_by_one_until_the_callback_has_enough),
        ON(an_answer_above_the_limit_has_to_be_streamed),
        ON(more_statements_than_the_cache_holds_still_work_each_time),
        ON(of_fifty_who_claim_at_once_exactly_one_wins),
        ON(of_fifty_who_insert_the_same_key_at_once_exactly_one_wins),
        ON(units_that_fail_leave_the_others_of_their_flush_alone_and_each_gets_its_own_answer),
        ON(units_that_block_each_other_are_run_again_until_they_pass),
        ON(commits_are_counted_only_when_something_was_made_durable),
        ON(what_was_written_is_there_after_reopening),
        ON(a_store_of_no_known_kind_or_place_is_refused),
    };
    return place_run(&bench.place, &bench, tests, sizeof(tests) / sizeof(tests[0]));
}

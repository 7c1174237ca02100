/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever was acknowledged is there after a kill, once (security.md S1, S7). */
#include "tests/unit/store/place.h"
#include "tests/unit/store/units.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8

/* A unit of two rows that belong together: half of one must never be seen. */
static enum err pair_add(struct store_tx *tx, void *arg, struct why *why)
{
    int64_t id = *(const int64_t *)arg;
    struct thing one = { .id = id * 2, .number = S_INT(id) }, two = { .id = id * 2 + 1, .number = S_INT(id) };
    TRY(thing_add(tx, &one, why));
    return thing_add(tx, &two, why);
}

struct load {
    struct store *store;
    int pipe;
    atomic_int_fast64_t next;
    atomic_int unclear;
    atomic_bool stop;
};

/* Writes each id into the pipe once it was acknowledged, and only then. */
static void *write_for_ever(void *arg)
{
    struct load *load = arg;
    while (!load->stop) {
        int64_t id = atomic_fetch_add(&load->next, 1);
        struct why why = { 0 };
        enum err err = store_write(load->store, pair_add, &id, &why);
        if (err != OK)
            atomic_fetch_add(&load->unclear, 1);
        else if (write(load->pipe, &id, sizeof(id)) != sizeof(id))
            break;
    }
    return NULL;
}

static void threads_start(struct load *load, pthread_t threads[WRITERS])
{
    for (int i = 0; i < WRITERS; i++) {
        if (pthread_create(&threads[i], NULL, write_for_ever, load) != 0)
            abort();
    }
}

/* The same without a thread for each: done hands in the next. */
struct chain {
    struct load *load;
    int64_t id;
};
static enum err chain_work(struct store_tx *tx, void *arg, struct why *why)
{
    return pair_add(tx, &((struct chain *)arg)->id, why);
}

static void chain_done(void *arg, enum err err, const struct why *why)
{
    struct chain *chain = arg;
    struct load *load = chain->load;
    (void)why;
    if (err == OK && write(load->pipe, &chain->id, sizeof(chain->id)) != sizeof(chain->id))
        return;
    chain->id = atomic_fetch_add(&load->next, 1);
    store_submit(load->store, chain_work, chain_done, chain);
}

static void chains_start(struct load *load)
{
    static struct chain chains[3 * WRITERS];
    for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
        chains[i] = (struct chain){ load, atomic_fetch_add(&load->next, 1) };
        store_submit(load->store, chain_work, chain_done, &chains[i]);
    }
}

static void child_writes(const struct store_config *config, int64_t first, int acknowledged, bool waits)
{
    struct why why = { 0 };
    struct load load = { .pipe = acknowledged, .next = first };
    pthread_t threads[WRITERS];
    if (store_open(config, &load.store, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        _exit(2);
    }
    if (waits)
        threads_start(&load, threads);
    else
        chains_start(&load);
    for (;;)
        pause();
}

struct ledger {
    int64_t ids[200000];
    size_t count;
};
static void ledger_read(struct ledger *ledger, int from, size_t until)
{
    int64_t id;
    while (ledger->count < until && read(from, &id, sizeof(id)) == sizeof(id))
        ledger->ids[ledger->count++] = id;
}

struct check {
    const struct ledger *ledger;
    size_t missing;
    int64_t halves, things;
};
static enum err check_all(struct store_tx *tx, void *arg, struct why *why)
{
    struct check *check = arg;
    check->missing = 0;
    for (size_t i = 0; i < check->ledger->count; i++) {
        AUTO(store_rows) rows = NULL;
        TRY(store_query(tx, "SELECT COUNT(*) FROM thing WHERE number = $1",
                        S_ARGS(S_INT(check->ledger->ids[i])), &rows, why));
        check->missing += store_int(rows, 0, 0) != 2;
    }
    AUTO(store_rows) halves = NULL;
    TRY(store_query(
        tx, "SELECT COUNT(*) FROM (SELECT number FROM thing GROUP BY number HAVING COUNT(*) <> 2) AS half",
        S_NO_ARGS, &halves, why));
    check->halves = store_int(halves, 0, 0);
    return thing_count(tx, &check->things, why);
}

static void ledger_check(const struct store_config *config, const struct ledger *ledger)
{
    struct why why = { 0 };
    AUTO(store) store = NULL;
    struct check check = { .ledger = ledger };
    ASSERT_OK(store_open(config, &store, &why), &why);
    ASSERT_OK(store_read(store, check_all, &check, &why), &why);
    assert_int_equal(0, check.missing);
    assert_int_equal(0, check.halves);
    assert_true((size_t)check.things >= 2 * ledger->count);
}

static void expect_kills_lose_nothing(struct place *place, bool waits)
{
    struct store_config config = place_config(place, units_schema, 1);
    struct ledger *ledger = xcalloc(1, sizeof(*ledger));
    for (int round = 0; round < 6; round++) {
        int acknowledged[2], status;
        assert_int_equal(0, pipe2(acknowledged, O_CLOEXEC));
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            child_writes(&config, (round + 1) * 1000000, acknowledged[1], waits);
        close(acknowledged[1]);
        ledger_read(ledger, acknowledged[0], ledger->count + 150 + (size_t)round * 37);
        kill(child, SIGKILL);
        assert_int_equal(child, waitpid(child, &status, 0));
        assert_true(WIFSIGNALED(status));
        ledger_read(ledger, acknowledged[0],
                    sizeof(ledger->ids) / sizeof(ledger->ids[0])); /* what was on its way */
        close(acknowledged[0]);
        ledger_check(&config, ledger);
    }
    assert_true(ledger->count >= 6 * 150);
    free(ledger);
}

TEST(what_a_killed_writer_acknowledged_is_there_and_nothing_is_half)
{
    expect_kills_lose_nothing(*state_, true);
}

TEST(what_a_killed_writer_acknowledged_to_those_who_do_not_wait_is_there_too)
{
    expect_kills_lose_nothing(*state_, false);
}

static void *ledger_thread(void *arg)
{
    struct {
        struct ledger *ledger;
        int from;
    } *job = arg;
    ledger_read(job->ledger, job->from, sizeof(job->ledger->ids) / sizeof(job->ledger->ids[0]));
    return NULL;
}

static void server_restarts(struct place *place, struct load *load, int times)
{
    for (int i = 0; i < times; i++) {
        int64_t reached = load->next + 200;
        while (load->next < reached)
            usleep(1000);
        place_server_kill(place);
        place_server_start(place);
    }
    int64_t reached = load->next + 200; /* it goes on after the last one without being opened again */
    while (load->next < reached)
        usleep(1000);
}

TEST(a_server_killed_under_load_loses_and_doubles_nothing_that_was_acknowledged)
{
    struct place *place = *state_;
    struct why why = { 0 };
    struct store_config config = place_config(place, units_schema, 1);
    struct ledger *ledger = xcalloc(1, sizeof(*ledger));
    struct load load = { .next = 1 };
    int acknowledged[2];
    pthread_t threads[WRITERS], reader;
    assert_int_equal(0, pipe2(acknowledged, O_CLOEXEC));
    load.pipe = acknowledged[1];
    ASSERT_OK(store_open(&config, &load.store, &why), &why);
    struct {
        struct ledger *ledger;
        int from;
    } job = { ledger, acknowledged[0] };
    assert_int_equal(0, pthread_create(&reader, NULL, ledger_thread, &job));
    threads_start(&load, threads);
    server_restarts(place, &load, 4);
    load.stop = true;
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    close(acknowledged[1]);
    pthread_join(reader, NULL);
    close(acknowledged[0]);
    store_free(load.store);
    assert_true(ledger->count >= 800);
    assert_true(load.unclear <= 4 * WRITERS); /* at most those in COMMIT at each of the four kills */
    ledger_check(&config, ledger);
    free(ledger);
}

int main(int argc, char **argv)
{
    struct place place;
    place_make(&place, argc > 1 ? argv[1] : "sqlite");
    struct CMUnitTest tests[] = {
        T(what_a_killed_writer_acknowledged_is_there_and_nothing_is_half),
        T(what_a_killed_writer_acknowledged_to_those_who_do_not_wait_is_there_too),
        T(a_server_killed_under_load_loses_and_doubles_nothing_that_was_acknowledged),
    };
    size_t server_tests = place.kind == STORE_POSTGRES ? 0 : 1; /* SQLite has no server to kill */
    return place_run(&place, &place, tests, sizeof(tests) / sizeof(tests[0]) - server_tests);
}

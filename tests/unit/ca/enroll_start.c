/* SPDX-License-Identifier: Apache-2.0 */
/* Each stage of an enrolment fails once: it is told once, and store and answer are as if somebody had waited for it. */
#include "tests/unit/ca/started.h"

static struct world *world;
static struct sealer_held held;
static char *password; /* a one-time one */
static struct device device;
static struct told told;
static struct started started;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    sealer_hold(&held, world);
    password = xstrdup(once_new(world));
    device = device_new(&(struct ask){ .subject = "CN=one", .challenge = password });
    told = (struct told)TOLD_NONE;
    return 0;
}

static int end(void **state)
{
    (void)state;
    started_free(&started);
    sealer_release(&held);
    device_free(&device);
    free(TAKE(password));
    world_free(world);
    return 0;
}

static void start(void)
{
    started_free(&started);
    told.all.value = 0;
    started_begin(world, &device, "once", &told, &started);
}

static void expect(enum err err)
{
    told_wait(&told, 1);
    started_expect(&started, err);
}

static int64_t count(const char *sql)
{
    return world_count(world, sql);
}

/* What is in the store of our one request: rows that say so, and how many there are at all. */
static void expect_rows(const char *disposition, int64_t requests, const char *status, int64_t certificates)
{
    char sql[160];
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM request WHERE disposition = '%s'", disposition);
    assert_int_equal(requests ? 1 : 0, count(sql));
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM certificate WHERE status = '%s'", status);
    assert_int_equal(certificates ? 1 : 0, count(sql));
    assert_int_equal(requests, count("SELECT COUNT(*) FROM request"));
    assert_int_equal(certificates, count("SELECT COUNT(*) FROM certificate"));
    bool issued = strcmp(disposition, "issued") == 0;
    assert_int_equal(issued, count("SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL"));
    assert_int_equal(issued, count("SELECT COUNT(*) FROM outbox"));
    assert_int_equal(issued, count("SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
}

static int64_t claimed(void)
{
    return count("SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL");
}

/* The same request once more, with nothing in its way; the certificate has the serial that stands in the store. */
static void expect_made_up(void)
{
    struct cert cert;
    struct why why = { 0 };
    AUTO_BUF serial = { 0 };
    char sql[200];
    start();
    asked_seal(&held, sealer_take(&held));
    expect(OK);
    ASSERT_OK(cert_parse(buf_bytes(&started.got.certificate), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, world->ca_key->public_half, &why), &why);
    ASSERT_BYTES(public_key_spki(device.key->public_half), cert.spki);
    serial_append_text(&serial, cert.serial);
    assert_string_equal(buf_text(&serial), started.got.serial);
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM certificate WHERE serial = '%s' AND status = 'valid'",
             buf_text(&serial));
    assert_int_equal(1, count(sql));
    assert_int_equal(1, claimed());
}

TEST(what_is_refused_before_t1_is_told_once_and_leaves_no_row)
{
    device_ask(&device, &(struct ask){ .subject = "CN=one", .challenge = "0123456789ABCDEF" });
    start();
    expect(ERR_CHALLENGE_WRONG);
    buf_append_byte(&device.csr, 0);
    start();
    expect(ERR_MALFORMED);
    started_free(&started);
    told.all.value = 0;
    started_begin(world, &device, "nowhere", &told, &started);
    expect(ERR_BAD_REQUEST);
    expect_rows("failed", 0, "reserved", 0);
}

TEST(a_t1_that_fails_is_told_once_and_leaves_no_trace)
{
    world_exec(world, "CREATE TRIGGER broken BEFORE INSERT ON certificate "
                      "BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    start();
    expect(ERR_STORE);
    assert_int_equal(0, told_count(&held.told)); /* nothing was to be sealed */
    expect_rows("sealing", 0, "reserved", 0);
    assert_int_equal(0, claimed());
    world_exec(world, "DROP TRIGGER broken");
    expect_made_up();
    expect_rows("issued", 1, "valid", 1);
}

static struct buf kept_tbs;
static int64_t kept_requests, kept_claims;
static enum err tbs_read(struct store_tx *tx, void *arg, struct why *why)
{
    AUTO(store_rows) rows = NULL;
    (void)arg;
    TRY(store_query(tx, "SELECT tbs FROM certificate WHERE status = 'reserved'", S_NO_ARGS, &rows, why));
    buf_append(&kept_tbs, store_bytes(rows, 0, 0));
    return OK;
}

/* On the thread that asks: what it would find after a crash. */
static void look_at_t1(struct world *each, const struct seal_request *request)
{
    (void)request;
    (void)!store_read(each->store, tbs_read, NULL, NULL);
    kept_requests = world_count(each, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'");
    kept_claims = world_count(each, "SELECT COUNT(*) FROM challenge WHERE claimed_by IS NOT NULL");
}

TEST(t1_is_in_the_store_before_the_signer_is_asked)
{
    kept_requests = kept_claims = 0;
    held.on_ask = look_at_t1;
    start();
    struct asked *asked = sealer_take(&held);
    assert_int_equal(1, kept_requests);
    assert_int_equal(1, kept_claims);
    ASSERT_BYTES(buf_bytes(&kept_tbs), asked->request.tbs);
    buf_free(&kept_tbs);
    asked_seal(&held, asked);
    expect(OK);
}

TEST(nobody_is_told_before_the_seal_comes_however_late)
{
    start();
    struct asked *asked = sealer_take(&held);
    expect_rows("sealing", 1, "reserved", 1);
    assert_int_equal(0, told_count(&told));
    asked_seal(&held, asked);
    expect(OK);
    assert_int_equal(0, started.waits); /* nothing went wrong: no thread had to wait */
    expect_rows("issued", 1, "valid", 1);
}

static struct sealer at_once;
static void seal_inline(void *arg, const struct seal_request *request, sealer_done done, void *done_arg)
{
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    enum err err = at_once.seal(arg, request, NULL, &der, &why);
    done(done_arg, err, buf_bytes(&der), &why);
}

TEST(a_seal_that_is_there_at_once_is_as_good)
{
    at_once = held.before;
    world->ca->sealer = (struct sealer){ .arg = at_once.arg, .start = seal_inline };
    start();
    expect(OK);
    expect_rows("issued", 1, "valid", 1);
    world->ca->sealer = (struct sealer){ .arg = at_once.arg, .seal = at_once.seal };
    device_ask(&device, &(struct ask){ .subject = "CN=one", .challenge = "secret" });
    started_free(&started);
    told.all.value = 0;
    started_begin(world, &device, "static", &told, &started);
    expect(OK);
}

TEST(a_seal_that_did_not_come_is_made_up_from_the_same_tbs)
{
    static const enum err reasons[] = { ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_IO };
    AUTO_BUF tbs = { 0 };
    for (size_t i = 0; i < 3; i++) {
        start();
        struct asked *asked = sealer_take(&held);
        if (tbs.len)
            ASSERT_BYTES(buf_bytes(&tbs), asked->request.tbs);
        else
            buf_append(&tbs, asked->request.tbs);
        asked_answer(asked, reasons[i], BYTES_NONE);
        expect(reasons[i]);
        expect_rows("sealing", 1, "reserved", 1);
        assert_int_equal(1, claimed());
    }
    expect_made_up();
    expect_rows("issued", 1, "valid", 1);
}

TEST(what_the_signer_refuses_for_good_frees_key_and_password_and_spends_the_serial)
{
    start();
    asked_answer(sealer_take(&held), ERR_SIGNER_LIMIT, BYTES_NONE);
    expect(ERR_SIGNER_LIMIT);
    expect_rows("failed", 1, "void", 1);
    assert_int_equal(0, claimed());
    assert_int_equal(0, count("SELECT COUNT(*) FROM request WHERE request_key IS NOT NULL"));
    expect_made_up();
    assert_int_equal(2, count("SELECT COUNT(*) FROM certificate"));
}

TEST(a_refusal_that_cannot_be_kept_is_told_as_the_stores_error)
{
    start();
    struct asked *asked = sealer_take(&held);
    world_exec(world, "CREATE TRIGGER broken BEFORE UPDATE ON request "
                      "BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    asked_answer(asked, ERR_SIGNER_LIMIT, BYTES_NONE);
    expect(ERR_STORE); /* to be tried again: a device would take the refusal for the last word */
    expect_rows("sealing", 1, "reserved", 1);
    world_exec(world, "DROP TRIGGER broken");
    expect_made_up();
    expect_rows("issued", 1, "valid", 1);
}

TEST(a_t2_that_fails_is_told_once_and_made_up_from_the_same_tbs)
{
    AUTO_BUF tbs = { 0 };
    start();
    struct asked *asked = sealer_take(&held);
    buf_append(&tbs, asked->request.tbs);
    world_exec(world, "CREATE TRIGGER broken BEFORE UPDATE ON certificate "
                      "BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    asked_seal(&held, asked);
    expect(ERR_STORE);
    expect_rows("sealing", 1, "reserved", 1);
    world_exec(world, "DROP TRIGGER broken");
    start();
    asked = sealer_take(&held);
    ASSERT_BYTES(buf_bytes(&tbs), asked->request.tbs);
    asked_seal(&held, asked);
    expect(OK);
    expect_rows("issued", 1, "valid", 1);
}

static void void_it(void)
{
    struct why why = { 0 };
    int64_t voided;
    world->clock.held += ISSUE_VOID_S;
    ASSERT_OK(issue_void_stale(world->ca, world_issuer(world), &voided, &why), &why);
    assert_int_equal(1, voided);
}

TEST(a_seal_later_than_ten_minutes_does_not_bring_its_reservation_back)
{
    start();
    struct asked *late = sealer_take(&held);
    void_it();
    asked_seal(&held, late); /* T2 finds nothing to record: from the start again */
    asked_seal(&held, sealer_take(&held));
    expect(OK);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE status = 'void' AND der IS NULL"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
    assert_int_equal(1, count("SELECT COUNT(*) FROM outbox"));
}

TEST(a_refusal_later_than_ten_minutes_changes_nothing_of_who_came_after)
{
    start();
    struct asked *late = sealer_take(&held);
    void_it();
    asked_answer(late, ERR_SIGNER_LIMIT, BYTES_NONE);
    asked_seal(&held, sealer_take(&held));
    expect(OK);
    assert_int_equal(1, count("SELECT COUNT(*) FROM certificate WHERE status = 'valid'"));
}

#define E(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(E(what_is_refused_before_t1_is_told_once_and_leaves_no_row),
    E(a_t1_that_fails_is_told_once_and_leaves_no_trace), E(t1_is_in_the_store_before_the_signer_is_asked),
    E(nobody_is_told_before_the_seal_comes_however_late), E(a_seal_that_is_there_at_once_is_as_good),
    E(a_seal_that_did_not_come_is_made_up_from_the_same_tbs),
    E(what_the_signer_refuses_for_good_frees_key_and_password_and_spends_the_serial),
    E(a_refusal_that_cannot_be_kept_is_told_as_the_stores_error),
    E(a_t2_that_fails_is_told_once_and_made_up_from_the_same_tbs),
    E(a_seal_later_than_ten_minutes_does_not_bring_its_reservation_back),
    E(a_refusal_later_than_ten_minutes_changes_nothing_of_who_came_after))

/* SPDX-License-Identifier: Apache-2.0 */
/* The three steps of an issue, each by itself: told once, and *ret written with OK alone. */
#include "ca/request.h"
#include "ca/validator.h"
#include "tests/unit/ca/started.h"

static struct world *world;
static struct sealer_held held;
static struct device device;

/* A request as far as T1 needs it. */
static struct enroll_request ask;
static struct request request;
static struct grant grant;
static struct reserve_params params;

static void request_make(const char *challenge)
{
    struct why why = { 0 };
    device = device_new(&(struct ask){ .subject = "CN=one", .challenge = challenge });
    ask = (struct enroll_request){ BYTES_LIT("once"), buf_bytes(&device.csr), BYTES_LIT("5f3c"),
                                   buf_bytes(&device.self_signed), BYTES_LIT("192.0.2.7") };
    ASSERT_OK(request_open(world->ca, &ask, &request, &why), &why);
    ASSERT_OK(authorise(world->ca, &request, &grant, &why), &why);
    ASSERT_OK(template_for_slot(world->ca, request.endpoint, slot_of(&request.csr), &grant.template, &why),
              &why);
    ASSERT_OK(template_apply(&request.csr, request.key, &grant, &why), &why);
    params = reserve_params_of(&request, &grant);
}

static int begin_with(enum key_kind kind)
{
    world = world_new(kind);
    sealer_hold(&held, world);
    request_make(once_new(world));
    return 0;
}

static int begin(void **state)
{
    (void)state;
    return begin_with(KEY_EC_P256);
}

static int begin_rsa(void **state)
{
    (void)state;
    return begin_with(KEY_RSA);
}

static int end(void **state)
{
    (void)state;
    sealer_release(&held);
    grant_free(&grant);
    request_free(&request);
    device_free(&device);
    world_free(world);
    grant = (struct grant){ 0 };
    request = (struct request){ 0 };
    return 0;
}

struct step {
    struct told told;
    enum err err;
    struct why why;
    atomic_int dones;
};
#define STEP_NONE                                                                                            \
    {                                                                                                        \
        .told = TOLD_NONE                                                                                    \
    }
static void on_done(void *arg, enum err err, const struct why *why)
{
    struct step *step = arg;
    step->err = err;
    step->why = *why;
    atomic_fetch_add(&step->dones, 1);
    told_one(&step->told, NULL);
}

static void expect(struct step *step, enum err err)
{
    told_wait(&step->told, 1);
    assert_int_equal(1, step->dones);
    if (step->err != err)
        fail_msg("told %s (%s), wanted %s", err_row(step->err)->name, step->why.text, err_row(err)->name);
}

static void reserve(struct reservation *ret, enum err err)
{
    struct step step = STEP_NONE;
    const struct reserve_start start = { &params, &grant, ret };
    issue_reserve_start(world->ca, &start, on_done, &step);
    expect(&step, err);
}

static void record(const struct reservation *slot, struct bytes der, enum err err)
{
    struct step step = STEP_NONE;
    issue_record_start(world->ca, slot, der, on_done, &step);
    expect(&step, err);
}

TEST(a_request_is_reserved_once_and_the_second_leaves_its_result_alone)
{
    AUTO_VAL(reservation) first = { 0 };
    struct reservation second = { .request_id = -7 };
    reserve(&first, OK);
    assert_int_equal(1, first.request_id);
    assert_int_equal(2 * SERIAL_BYTES, strlen(first.serial));
    assert_true(first.issuer == world_issuer(world));
    assert_true(first.tbs.len > 0);
    reserve(&second, ERR_CONFLICT);
    assert_int_equal(-7, second.request_id);
    assert_int_equal(0, second.tbs.len);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

TEST(a_password_that_was_claimed_meanwhile_refuses_the_whole_of_t1)
{
    struct reservation none = { 0 };
    world_exec(world, "UPDATE challenge SET claimed_by = 77, claimed_at = 1");
    reserve(&none, ERR_CHALLENGE_USED);
    assert_int_equal(0, none.tbs.len);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate"));
}

/* Fails before there is anything to write: told before the call returns. */
TEST(a_ca_that_has_expired_reserves_nothing)
{
    struct reservation none = { 0 };
    world->clock.held += 6 * 365 * 86400LL;
    reserve(&none, ERR_UNAVAILABLE);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM request"));
}

/* The signer answers this; what comes of it, and whether *ret_der was written. */
static void seal_answered(const struct reservation *slot, struct bytes answer, enum err err)
{
    struct step step = STEP_NONE;
    AUTO_BUF der = { 0 };
    issue_seal_start(world->ca, slot, &der, on_done, &step);
    asked_answer(sealer_take(&held), OK, answer);
    expect(&step, err);
    ASSERT_BYTES(err == OK ? answer : BYTES_NONE, buf_bytes(&der));
}

static void good_answer(const struct reservation *slot, struct buf *ret)
{
    const struct asked asked = { .request = { bytes_str(slot->issuer->name), SEAL_CERTIFICATE,
                                              buf_bytes(&slot->tbs) } };
    asked_der(&held, &asked, ret);
}

/* Each octet of TBS, algorithm and signature, and each way to be longer or shorter. */
static void expect_altered_refused(void)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO_BUF good = { 0 };
    reserve(&slot, OK);
    good_answer(&slot, &good);
    for (size_t at = 0; at < good.len; at++) {
        uint8_t flip = (uint8_t)(1 << at % 8);
        good.data[at] ^= flip;
        seal_answered(&slot, buf_bytes(&good), ERR_PROTOCOL);
        good.data[at] ^= flip;
    }
    for (size_t len = 0; len < good.len; len += 11)
        seal_answered(&slot, bytes_of(good.data, len), ERR_PROTOCOL);
    buf_append_byte(&good, 0);
    seal_answered(&slot, buf_bytes(&good), ERR_PROTOCOL);
    good.len--;
    seal_answered(&slot, buf_bytes(&good), OK);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE disposition = 'sealing'"));
}

TEST(a_sealed_certificate_that_differs_in_one_octet_is_not_believed)
{
    expect_altered_refused();
}

TEST(nor_is_one_of_an_rsa_ca)
{
    expect_altered_refused();
}

/* By the CA's own key: only the comparison with what was reserved is left. */
TEST(another_tbs_under_a_good_signature_is_not_believed)
{
    AUTO_VAL(reservation) slot = { 0 };
    reserve(&slot, OK);
    for (size_t at = 0; at < slot.tbs.len; at++) {
        AUTO_BUF signature = { 0 }, der = { 0 }, tbs = buf_dup(buf_bytes(&slot.tbs));
        struct why why = { 0 };
        tbs.data[at] ^= (uint8_t)(1 << at % 8);
        ASSERT_OK(key_sign(world->ca_key, DIGEST_SHA256, buf_bytes(&tbs), &signature, &why), &why);
        signed_assemble(buf_bytes(&tbs), slot.issuer->algorithm, buf_bytes(&signature), &der);
        seal_answered(&slot, buf_bytes(&der), ERR_PROTOCOL);
    }
}

TEST(what_another_key_signed_or_is_another_certificate_is_not_believed)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO(key) other = NULL;
    AUTO_BUF signature = { 0 }, forged = { 0 };
    struct why why = { 0 };
    const struct key_spec spec = { .kind = KEY_EC_P256 };
    reserve(&slot, OK);
    ASSERT_OK(key_generate(&spec, NULL, &other, &why), &why);
    ASSERT_OK(key_sign(other, DIGEST_SHA256, buf_bytes(&slot.tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&slot.tbs), key_signature_algorithm(other), buf_bytes(&signature), &forged);
    seal_answered(&slot, buf_bytes(&forged), ERR_PROTOCOL);
    seal_answered(&slot, buf_bytes(&world->ca_cert), ERR_PROTOCOL);
    seal_answered(&slot, buf_bytes(&slot.tbs), ERR_PROTOCOL);
}

/* The slot's own TBS, well signed, but with another digest than the TBS names. */
TEST(another_algorithm_around_the_same_tbs_is_not_believed)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO_BUF signature = { 0 }, der = { 0 };
    struct why why = { 0 };
    reserve(&slot, OK);
    ASSERT_OK(key_sign(world->ca_key, DIGEST_SHA512, buf_bytes(&slot.tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&slot.tbs), (struct signature_algorithm){ .digest = DIGEST_SHA512 },
                    buf_bytes(&signature), &der);
    seal_answered(&slot, buf_bytes(&der), ERR_PROTOCOL);
}

TEST(an_error_of_the_signer_is_told_as_it_came)
{
    static const enum err errors[] = { ERR_SIGNER_LIMIT, ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NO_MEMORY };
    AUTO_VAL(reservation) slot = { 0 };
    reserve(&slot, OK);
    for (size_t i = 0; i < 4; i++) {
        struct step step = STEP_NONE;
        AUTO_BUF der = { 0 };
        issue_seal_start(world->ca, &slot, &der, on_done, &step);
        asked_answer(sealer_take(&held), errors[i], BYTES_LIT("nothing of a certificate"));
        expect(&step, errors[i]);
        assert_int_equal(0, der.len);
        assert_non_null(strstr(step.why.text, "told to fail"));
    }
}

TEST(a_reservation_is_recorded_once)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO_BUF first = { 0 }, second = { 0 };
    reserve(&slot, OK);
    good_answer(&slot, &first);
    good_answer(&slot, &second); /* another signature under the same TBS */
    record(&slot, buf_bytes(&first), OK);
    record(&slot, buf_bytes(&second), ERR_CONFLICT);
    record(&slot, buf_bytes(&first), ERR_CONFLICT);
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM outbox"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'issue'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL "
                                           "AND tbs IS NULL AND status = 'valid'"));
}

TEST(what_failed_or_was_never_reserved_is_not_recorded)
{
    AUTO_VAL(reservation) slot = { 0 };
    AUTO_BUF der = { 0 };
    struct why why = { 0 }, reason = { .err = ERR_SIGNER_LIMIT, .text = "a test says so" };
    reserve(&slot, OK);
    good_answer(&slot, &der);
    struct reservation stranger = slot;
    stranger.serial[0] ^= 1;
    record(&stranger, buf_bytes(&der), ERR_CONFLICT);
    ASSERT_OK(issue_fail(world->ca, &slot, &reason, &why), &why);
    record(&slot, buf_bytes(&der), ERR_CONFLICT);
    ASSERT_ERR(ERR_CONFLICT, issue_fail(world->ca, &slot, &reason, &why), &why);
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM certificate WHERE der IS NOT NULL"));
    assert_int_equal(0, world_count(world, "SELECT COUNT(*) FROM outbox"));
}

#define I(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(I(a_request_is_reserved_once_and_the_second_leaves_its_result_alone),
    I(a_password_that_was_claimed_meanwhile_refuses_the_whole_of_t1),
    I(a_ca_that_has_expired_reserves_nothing),
    I(a_sealed_certificate_that_differs_in_one_octet_is_not_believed),
    cmocka_unit_test_setup_teardown(nor_is_one_of_an_rsa_ca, begin_rsa, end),
    I(another_tbs_under_a_good_signature_is_not_believed),
    I(what_another_key_signed_or_is_another_certificate_is_not_believed),
    I(another_algorithm_around_the_same_tbs_is_not_believed), I(an_error_of_the_signer_is_told_as_it_came),
    I(a_reservation_is_recorded_once), I(what_failed_or_was_never_reserved_is_not_recorded))

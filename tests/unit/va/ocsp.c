/* SPDX-License-Identifier: Apache-2.0 */
/* Answers made: what is said of whom, for how long, and what is kept of it. */
#include "tests/unit/va/fixture.h"

#define NEVER "5A0000000000000000000000000000000000FF"

static void begin(struct scene *scene)
{
    scene_begin(scene);
    assert_true(status_watch_round(scene->watch));
}

TEST(good_revoked_and_unknown_are_said)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    scene_revoke(&scene, OTHER, NOW - 10, CRL_KEY_COMPROMISE);
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    assert_int_equal(status_now(&scene, NEVER), OCSP_UNKNOWN);
    assert_int_equal(ask(&scene, OTHER, &said), OK);
    assert_int_equal(said.certs[0], OCSP_REVOKED);
    assert_int_equal(said.revoked_at, NOW - 10);
    scene_end(&scene);
}

TEST(an_answer_lasts_its_time_and_unknown_only_minutes)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    assert_int_equal(ask(&scene, GOOD, &said), OK);
    assert_int_equal(said.this_update, NOW);
    assert_int_equal(said.next_update, NOW + VALIDITY);
    assert_int_equal(ask(&scene, NEVER, &said), OK);
    assert_true(said.next_update <= NOW + 300);
    scene_end(&scene);
}

TEST(a_serial_longer_than_any_of_ours_is_unknown_without_asking)
{
    struct scene scene;
    begin(&scene);
    assert_int_equal(status_now(&scene, "0102030405060708090A0B0C0D0E0F101112131415"), OCSP_UNKNOWN);
    assert_int_equal(scene.fake.status_gets, 0);
    scene_end(&scene);
}

TEST(ca_is_asked_once_for_what_is_kept_and_each_time_for_what_is_unknown)
{
    struct scene scene;
    begin(&scene);
    for (int i = 0; i < 3; i++)
        assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    assert_int_equal(scene.fake.status_gets, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(status_now(&scene, NEVER), OCSP_UNKNOWN);
    assert_int_equal(scene.fake.status_gets, 4);
    scene_cert(&scene, NEVER); /* issued meanwhile */
    assert_int_equal(status_now(&scene, NEVER), OCSP_GOOD);
    scene_end(&scene);
}

static struct ocsp_made make(struct scene *scene, const struct asked *asked, struct said *ret)
{
    AUTO_BUF der = { 0 };
    struct ocsp_request request;
    struct ocsp_made made = { 0 };
    request_make(scene, asked, &der);
    MUST(ocsp_request_parse(buf_bytes(&der), &request, &must_));
    MUST(ocsp_make(scene->va, &request, &made, &must_));
    said_read(scene, made.document ? document_body(made.document) : buf_bytes(&made.der), ret);
    return made;
}

static void made_clear(struct ocsp_made *made)
{
    document_unref(made->document);
    buf_free(&made->der);
}

TEST(an_answer_to_a_nonce_has_it_and_is_not_kept)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    struct ocsp_made made =
        make(&scene, &(struct asked){ .serials = { GOOD }, .nonce = BYTES_LIT("n") }, &said);
    assert_true(said.has_nonce);
    assert_null(made.document);
    made_clear(&made);
    made = make(&scene, &(struct asked){ .serials = { GOOD } }, &said);
    assert_false(said.has_nonce);
    assert_non_null(made.document);
    assert_string_equal(made.note, "ocsp=good");
    made_clear(&made);
    made = make(&scene, &(struct asked){ .serials = { NEVER } }, &said);
    assert_null(made.document); /* nor is unknown */
    assert_string_equal(made.note, "ocsp=unknown");
    made_clear(&made);
    scene_end(&scene);
}

TEST(several_certificates_are_answered_in_their_order)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    scene_revoke(&scene, OTHER, NOW - 10, CRL_SUPERSEDED);
    struct ocsp_made made =
        make(&scene, &(struct asked){ .serials = { NEVER, OTHER, GOOD }, .digest = DIGEST_SHA256 }, &said);
    assert_int_equal(said.count, 3);
    assert_int_equal(said.certs[0], OCSP_UNKNOWN);
    assert_int_equal(said.certs[1], OCSP_REVOKED);
    assert_int_equal(said.certs[2], OCSP_GOOD);
    assert_null(made.document);
    made_clear(&made);
    scene_end(&scene);
}

TEST(a_certificate_of_another_ca_among_ours_is_unknown)
{
    struct scene scene;
    begin(&scene);
    AUTO_BUF ours = { 0 }, other = { 0 };
    struct ocsp_request request, foreign;
    struct ocsp_made made = { 0 };
    struct said said;
    request_make(&scene, &(struct asked){ .serials = { GOOD } }, &ours);
    request_make(&scene, &(struct asked){ .serials = { GOOD }, .issuer = &scene.fake.other_ca }, &other);
    MUST(ocsp_request_parse(buf_bytes(&ours), &request, &must_));
    MUST(ocsp_request_parse(buf_bytes(&other), &foreign, &must_));
    request.ids[1] = foreign.ids[0];
    request.count = 2;
    MUST(ocsp_make(scene.va, &request, &made, &must_));
    said_read(&scene, buf_bytes(&made.der), &said);
    assert_int_equal(said.certs[0], OCSP_GOOD);
    assert_int_equal(said.certs[1], OCSP_UNKNOWN);
    made_clear(&made);
    scene_end(&scene);
}

TEST(our_hashes_are_found_and_others_are_not)
{
    struct scene scene;
    bool all_known;
    begin(&scene);
    for (enum digest digest = DIGEST_SHA1; digest <= DIGEST_SHA512; digest++) {
        AUTO_BUF der = { 0 };
        struct ocsp_request request;
        request_make(&scene, &(struct asked){ .serials = { GOOD }, .digest = digest }, &der);
        MUST(ocsp_request_parse(buf_bytes(&der), &request, &must_));
        assert_non_null(va_find_authority(scene.va, &request.ids[0], &all_known));
        der.data[40] ^= 1; /* inside the two hashes */
        MUST(ocsp_request_parse(buf_bytes(&der), &request, &must_));
        assert_null(va_find_authority(scene.va, &request.ids[0], &all_known));
        assert_true(all_known);
    }
    scene_end(&scene);
}

TEST(as_many_cas_as_the_limit_are_served_and_not_one_more)
{
    struct scene scene;
    struct why why = { 0 };
    scene_begin(&scene);
    while (scene.va->authority_count < LIMIT_VA_AUTHORITIES)
        MUST(va_add_authority(scene.va, &(struct authority_params){ .name = "more" }, &must_));
    ASSERT_ERR(ERR_CONFIG, va_add_authority(scene.va, &(struct authority_params){ .name = "one-more" }, &why),
               &why);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene_end(&scene);
}

TEST(without_ca_what_is_kept_is_said_until_its_end_and_then_nothing)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene.fake.err = ERR_UNAVAILABLE;
    scene.clock.held = NOW + VALIDITY - 1;
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(ask(&scene, GOOD, &said), OK);
    assert_int_equal(said.this_update, NOW);
    assert_int_equal(said.next_update, NOW + VALIDITY);
    scene.clock.held = NOW + VALIDITY;
    assert_int_equal(ask(&scene, GOOD, &said), ERR_UNAVAILABLE);
    scene.fake.err = OK;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(ask(&scene, GOOD, &said), OK);
    assert_int_equal(said.this_update, NOW + VALIDITY);
    scene_end(&scene);
}

TEST(nobody_waits_for_a_ca_that_did_not_answer)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    scene.fake.err = ERR_TIMEOUT;
    assert_int_equal(ask(&scene, GOOD, &said), ERR_TIMEOUT);
    unsigned calls = scene.fake.calls;
    assert_int_equal(ask(&scene, GOOD, &said), ERR_UNAVAILABLE);
    assert_int_equal(scene.fake.calls, calls);
    scene.fake.err = OK;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene_end(&scene);
}

TEST(an_error_of_ca_is_no_status)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    scene.fake.err = ERR_STORE;
    assert_int_equal(ask(&scene, GOOD, &said), ERR_STORE);
    scene.fake.err = OK;
    scene.fake.garbage = "status_get";
    assert_int_equal(ask(&scene, GOOD, &said), ERR_PROTOCOL);
    scene.fake.garbage = NULL;
    scene_cert(&scene, GOOD)->status = "splendid";
    assert_int_equal(ask(&scene, GOOD, &said), ERR_PROTOCOL);
    scene_end(&scene);
}

TEST(without_an_ocsp_certificate_there_is_no_answer)
{
    struct scene scene;
    struct said said;
    scene_begin(&scene);
    scene.fake.garbage = "issue";
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(ask(&scene, GOOD, &said), ERR_UNAVAILABLE);
    scene.fake.garbage = NULL;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene_end(&scene);
}

TEST(no_answer_outlives_the_certificate_of_its_signer)
{
    struct scene scene;
    struct said said;
    scene_begin(&scene);
    scene.fake.ocsp_life_s = VALIDITY / 2;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(ask(&scene, GOOD, &said), OK);
    assert_int_equal(said.next_update, NOW + VALIDITY / 2);
    scene.clock.held = NOW + VALIDITY / 2;
    assert_int_equal(ask(&scene, NEVER, &said), ERR_UNAVAILABLE);
    scene_end(&scene);
}

/* A revocation that is told of while the question is under way. */
static void revoke_meanwhile(struct fake_ca *fake)
{
    struct scene *scene = (struct scene *)((char *)fake - offsetof(struct scene, fake));
    fake->before_answer = NULL;
    scene_revoke(scene, GOOD, NOW, CRL_KEY_COMPROMISE);
    assert_true(status_watch_round(scene->watch));
}

TEST(a_revocation_during_a_question_is_not_lost)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    scene.fake.before_answer = revoke_meanwhile;
    assert_int_equal(ask(&scene, GOOD, &said), OK); /* as it was when ca read it */
    assert_int_equal(status_now(&scene, GOOD), OCSP_REVOKED);
    scene_end(&scene);
}

RUN(T(good_revoked_and_unknown_are_said), T(an_answer_lasts_its_time_and_unknown_only_minutes),
    T(a_serial_longer_than_any_of_ours_is_unknown_without_asking),
    T(ca_is_asked_once_for_what_is_kept_and_each_time_for_what_is_unknown),
    T(an_answer_to_a_nonce_has_it_and_is_not_kept), T(several_certificates_are_answered_in_their_order),
    T(a_certificate_of_another_ca_among_ours_is_unknown), T(our_hashes_are_found_and_others_are_not),
    T(as_many_cas_as_the_limit_are_served_and_not_one_more),
    T(without_ca_what_is_kept_is_said_until_its_end_and_then_nothing),
    T(nobody_waits_for_a_ca_that_did_not_answer), T(an_error_of_ca_is_no_status),
    T(without_an_ocsp_certificate_there_is_no_answer), T(no_answer_outlives_the_certificate_of_its_signer),
    T(a_revocation_during_a_question_is_not_lost))

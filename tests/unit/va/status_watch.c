/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds: what they ask, take over and refuse. */
#include "tests/unit/va/fixture.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/generation.h"
#include <unistd.h>

static void begin(struct scene *scene)
{
    scene_begin(scene);
    assert_true(status_watch_round(scene->watch));
}

static struct authority *issuing(struct scene *scene)
{
    return scene->va->authorities[0];
}

TEST(a_revocation_is_said_after_the_next_round)
{
    struct scene scene;
    begin(&scene);
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene_revoke(&scene, GOOD, NOW + 1, CRL_SUPERSEDED);
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(status_now(&scene, GOOD), OCSP_REVOKED);
    assert_int_equal(status_now(&scene, OTHER), OCSP_GOOD);
    scene_end(&scene);
}

TEST(changes_come_page_by_page_to_the_last)
{
    struct scene scene;
    begin(&scene);
    scene.fake.page = 3;
    for (int i = 0; i < 10; i++) {
        AUTO_STR serial = xasprintf("5A%036X", i);
        scene_revoke(&scene, serial, NOW, CRL_SUPERSEDED);
        scene_cert(&scene, serial)->status = "good"; /* so it was when va first asked */
        assert_int_equal(status_now(&scene, serial), OCSP_GOOD);
        scene_cert(&scene, serial)->status = "revoked";
    }
    assert_true(status_watch_round(scene.watch));
    for (int i = 0; i < 10; i++) {
        AUTO_STR serial = xasprintf("5A%036X", i);
        assert_int_equal(status_now(&scene, serial), OCSP_REVOKED);
    }
    scene_end(&scene);
}

TEST(a_ca_that_went_back_empties_the_cache)
{
    struct scene scene;
    begin(&scene);
    scene_revoke(&scene, OTHER, NOW, CRL_SUPERSEDED);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene.fake.version = 0; /* restored from a backup, in which GOOD was never issued */
    scene_cert(&scene, GOOD)->status = "unknown";
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(status_now(&scene, GOOD), OCSP_UNKNOWN);
    scene_end(&scene);
}

TEST(what_is_no_answer_of_ca_changes_nothing)
{
    static const char *const verbs[] = { "ca_get", "status_changes", "crl_get" };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        struct scene scene;
        scene_begin(&scene);
        scene.fake.garbage = verbs[i];
        assert_false(status_watch_round(scene.watch));
        assert_int_equal(status_watch_heard(scene.watch), 0);
        scene.fake.garbage = NULL;
        assert_true(status_watch_round(scene.watch));
        assert_int_equal(status_watch_heard(scene.watch), NOW);
        scene_end(&scene);
    }
}

TEST(a_crl_is_served_when_it_is_new_and_kept_while_ca_is_away)
{
    struct scene scene;
    begin(&scene);
    assert_null(authority_document(issuing(&scene), DOWNLOAD_CRL));
    scene_crl(&scene, DOWNLOAD_CRL, 7, &scene.fake.ca);
    scene_crl(&scene, DOWNLOAD_DELTA, 8, &scene.fake.ca);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(authority_crl_number(issuing(&scene), DOWNLOAD_CRL), 7);
    assert_int_equal(authority_crl_number(issuing(&scene), DOWNLOAD_DELTA), 8);
    scene.fake.err = ERR_UNAVAILABLE;
    assert_false(status_watch_round(scene.watch));
    AUTO(document) crl = authority_document(issuing(&scene), DOWNLOAD_CRL);
    ASSERT_BYTES(document_body(crl), buf_bytes(&scene.fake.crl));
    assert_int_equal(document_expires(crl), NOW + 86400);
    scene_end(&scene);
}

static void crl_refused(enum download which, enum download made_as, int64_t number, bool by_other)
{
    struct scene scene;
    begin(&scene);
    scene_crl(&scene, which, 7, &scene.fake.ca);
    assert_true(status_watch_round(scene.watch));
    scene_crl(&scene, made_as, number, by_other ? &scene.fake.other_ca : &scene.fake.ca);
    if (which != made_as) { /* the one is given for the other */
        struct buf *to = which == DOWNLOAD_CRL ? &scene.fake.crl : &scene.fake.delta;
        struct buf *from = which == DOWNLOAD_CRL ? &scene.fake.delta : &scene.fake.crl;
        buf_free(to);
        *to = TAKE_BUF(*from);
        *(which == DOWNLOAD_CRL ? &scene.fake.crl_number : &scene.fake.delta_number) = number;
    }
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(authority_crl_number(issuing(&scene), which), 7);
    scene_end(&scene);
}

TEST(a_crl_that_does_not_verify_is_not_served)
{
    crl_refused(DOWNLOAD_CRL, DOWNLOAD_CRL, 8, true);
}

TEST(a_crl_with_a_number_that_went_back_is_not_served)
{
    crl_refused(DOWNLOAD_CRL, DOWNLOAD_CRL, 6, false);
}

TEST(a_delta_is_not_served_for_a_full_one_nor_the_other_way_round)
{
    crl_refused(DOWNLOAD_CRL, DOWNLOAD_DELTA, 8, false);
    crl_refused(DOWNLOAD_DELTA, DOWNLOAD_CRL, 8, false);
}

/* --- partitions --- */

static void begin_with_partitions(struct scene *scene)
{
    scene_begin(scene);
    scene->partitions = 3;
    scene_restart(scene);
    assert_true(status_watch_round(scene->watch));
}

static void partition_given(struct scene *scene, unsigned partition, int64_t number)
{
    scene->partition = partition;
    scene_crl(scene, DOWNLOAD_CRL, number, &scene->fake.ca);
}

TEST(each_partition_has_the_crl_that_names_it)
{
    struct scene scene;
    begin_with_partitions(&scene);
    partition_given(&scene, 2, 7);
    assert_true(status_watch_round(scene.watch));
    AUTO(document) second = authority_partition(issuing(&scene), 2);
    ASSERT_BYTES(document_body(second), buf_bytes(&scene.fake.crl));
    assert_null(authority_partition(issuing(&scene), 1));
    assert_null(authority_document(issuing(&scene), DOWNLOAD_CRL));
    assert_int_equal(authority_crl_ends(issuing(&scene), DOWNLOAD_CRL), 0); /* two are lacking */
    scene.clock.held += 100;
    partition_given(&scene, 1, 8);
    assert_true(status_watch_round(scene.watch));
    partition_given(&scene, 3, 9);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(authority_crl_number(issuing(&scene), DOWNLOAD_CRL), 9);
    assert_int_equal(authority_crl_ends(issuing(&scene), DOWNLOAD_CRL), NOW + 86400);
    scene_end(&scene);
}

TEST(a_crl_of_no_partition_is_not_served_where_there_are_some_nor_the_other_way_round)
{
    struct scene scene;
    begin_with_partitions(&scene);
    partition_given(&scene, 0, 7);
    assert_false(status_watch_round(scene.watch));
    assert_null(authority_partition(issuing(&scene), 1));
    partition_given(&scene, 4, 7);
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(authority_crl_number(issuing(&scene), DOWNLOAD_CRL), 0);
    scene.partitions = 0;
    scene_restart(&scene);
    partition_given(&scene, 1, 7);
    assert_false(status_watch_round(scene.watch));
    assert_null(authority_document(issuing(&scene), DOWNLOAD_CRL));
    scene_end(&scene);
}

/* --- the OCSP certificate --- */

static int generation(struct scene *scene)
{
    AUTO(responder) responder = authority_responder(issuing(scene));
    return responder ? responder_generation(responder) : 0;
}

TEST(the_ocsp_certificate_is_asked_for_once_and_found_again_after_a_restart)
{
    struct scene scene;
    begin(&scene);
    assert_int_equal(generation(&scene), 1);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(scene.fake.issues, 1);
    scene_restart(&scene);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(scene.fake.issues, 1);
    assert_int_equal(generation(&scene), 1);
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene_end(&scene);
}

TEST(it_renews_itself_at_half_of_its_life_with_a_new_key)
{
    struct scene scene;
    struct said before, after;
    begin(&scene);
    assert_int_equal(ask(&scene, GOOD, &before), OK);
    scene.clock.held = NOW + scene.fake.ocsp_life_s / 2 - 1;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 1);
    scene.clock.held++;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 2);
    assert_int_equal(ask(&scene, GOOD, &after), OK);
    assert_memory_not_equal(before.signer, after.signer, sizeof(before.signer));
    scene_end(&scene);
}

TEST(the_old_one_signs_until_the_new_one_is_there)
{
    struct scene scene;
    struct said before, after;
    begin(&scene);
    assert_int_equal(ask(&scene, GOOD, &before), OK);
    scene.clock.held = NOW + scene.fake.ocsp_life_s * 3 / 4;
    scene.fake.garbage = "issue";
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(ask(&scene, GOOD, &after), OK);
    assert_memory_equal(before.signer, after.signer, sizeof(before.signer));
    scene.fake.garbage = NULL;
    scene.clock.held += 60;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 2);
    scene_end(&scene);
}

static size_t keys_count(const struct scene *scene)
{
    AUTO_STR keys = xasprintf("%s/keys", scene->dir);
    return generations_find(keys, "ocsp-issuing").count;
}

TEST(many_tries_leave_one_key_and_two_generations_stay)
{
    struct scene scene;
    scene_begin(&scene);
    scene.fake.garbage = "issue";
    for (int i = 0; i < 5; i++)
        assert_false(status_watch_round(scene.watch));
    assert_int_equal(keys_count(&scene), 1);
    scene.fake.garbage = NULL;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 1);
    for (int i = 2; i <= 5; i++) {
        scene.fake.ocsp_life_s += 1000 * VALIDITY;
        scene.clock.held = NOW + scene.fake.ocsp_life_s * 3 / 4; /* later than half of the one before */
        assert_true(status_watch_round(scene.watch));
        assert_int_equal(generation(&scene), i);
        assert_int_equal(keys_count(&scene), 2);
    }
    scene_end(&scene);
}

TEST(a_key_whose_certificate_has_ended_before_it_came_is_given_up)
{
    struct scene scene;
    scene_begin(&scene);
    scene.fake.issue_err = ERR_TIMEOUT;
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(keys_count(&scene), 1);
    scene.fake.issue_err = ERR_EXPIRED; /* of the request before */
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(keys_count(&scene), 0);
    scene.fake.issue_err = OK;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 1);
    scene_end(&scene);
}

TEST(a_certificate_that_clients_would_not_believe_is_not_used)
{
    struct scene scene;
    scene_begin(&scene);
    scene.fake.ocsp_of_other_ca = true;
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 0);
    scene.fake.ocsp_of_other_ca = false;
    scene.fake.ocsp_without_purpose = true;
    assert_false(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 0);
    scene_end(&scene);
}

/* As in the changes and in status_get. */
static void signer_revoke(struct scene *scene)
{
    AUTO(responder) signer = authority_responder(issuing(scene));
    AUTO_BUF serial = { 0 };
    hex_append_upper(&serial, responder_serial(signer));
    scene_revoke(scene, buf_text(&serial), NOW, CRL_KEY_COMPROMISE);
}

TEST(an_ocsp_certificate_that_is_revoked_is_replaced_at_once)
{
    struct scene scene;
    struct said before, after;
    begin(&scene);
    assert_int_equal(ask(&scene, GOOD, &before), OK);
    signer_revoke(&scene);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 2);
    assert_int_equal(ask(&scene, GOOD, &after), OK); /* not the one that was kept */
    assert_memory_not_equal(before.signer, after.signer, sizeof(before.signer));
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 2);
    scene_end(&scene);
}

TEST(without_another_one_a_revoked_one_signs_nothing)
{
    struct scene scene;
    struct said said;
    begin(&scene);
    assert_int_equal(ask(&scene, GOOD, &said), OK);
    signer_revoke(&scene);
    scene.fake.issue_err = ERR_TIMEOUT;
    assert_false(status_watch_round(scene.watch));
    assert_null(authority_responder(issuing(&scene)));
    assert_int_not_equal(ask(&scene, GOOD, &said), OK);
    scene.fake.issue_err = OK;
    assert_true(status_watch_round(scene.watch)); /* the next round tries again */
    assert_int_equal(ask(&scene, GOOD, &said), OK);
    scene_end(&scene);
}

TEST(one_that_was_revoked_while_va_was_down_is_not_used)
{
    struct scene scene;
    struct said before, after;
    begin(&scene);
    assert_int_equal(ask(&scene, GOOD, &before), OK);
    signer_revoke(&scene);
    scene_restart(&scene);
    scene.fake.garbage = "status_get"; /* nor before ca has said that it still stands */
    assert_false(status_watch_round(scene.watch));
    assert_null(authority_responder(issuing(&scene)));
    scene.fake.garbage = NULL;
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 2);
    assert_int_equal(ask(&scene, GOOD, &after), OK);
    assert_memory_not_equal(before.signer, after.signer, sizeof(before.signer));
    scene_end(&scene);
}

TEST(a_key_under_another_secret_is_passed_over_and_replaced)
{
    struct scene scene;
    begin(&scene);
    scene.unlock.data[0] ^= 1;
    scene_restart(&scene);
    assert_true(status_watch_round(scene.watch));
    assert_int_equal(generation(&scene), 2);
    assert_int_equal(status_now(&scene, GOOD), OCSP_GOOD);
    scene_end(&scene);
}

TEST(a_ca_without_ocsp_has_no_ocsp_certificate)
{
    struct scene scene;
    begin(&scene);
    assert_null(authority_responder(scene.va->authorities[1]));
    assert_true(authority_is_known(scene.va->authorities[1]));
    scene_end(&scene);
}

RUN(T(a_revocation_is_said_after_the_next_round), T(changes_come_page_by_page_to_the_last),
    T(a_ca_that_went_back_empties_the_cache), T(what_is_no_answer_of_ca_changes_nothing),
    T(a_crl_is_served_when_it_is_new_and_kept_while_ca_is_away), T(each_partition_has_the_crl_that_names_it),
    T(a_crl_of_no_partition_is_not_served_where_there_are_some_nor_the_other_way_round),
    T(a_crl_that_does_not_verify_is_not_served), T(a_crl_with_a_number_that_went_back_is_not_served),
    T(a_delta_is_not_served_for_a_full_one_nor_the_other_way_round),
    T(the_ocsp_certificate_is_asked_for_once_and_found_again_after_a_restart),
    T(it_renews_itself_at_half_of_its_life_with_a_new_key), T(the_old_one_signs_until_the_new_one_is_there),
    T(many_tries_leave_one_key_and_two_generations_stay),
    T(a_key_whose_certificate_has_ended_before_it_came_is_given_up),
    T(a_certificate_that_clients_would_not_believe_is_not_used),
    T(an_ocsp_certificate_that_is_revoked_is_replaced_at_once),
    T(without_another_one_a_revoked_one_signs_nothing), T(one_that_was_revoked_while_va_was_down_is_not_used),
    T(a_key_under_another_secret_is_passed_over_and_replaced), T(a_ca_without_ocsp_has_no_ocsp_certificate))

/* SPDX-License-Identifier: Apache-2.0 */
/* What the service has of ca, and what ca has of it. */
#include "mdm/ca_link.h"

#include "ipc/record.h"
#include "mdm/crp.h"
#include "mdm/signing.h"
#include "tests/unit/mdm/fake_ca.h"

#define DAY 86400LL

static enum err crp_work(struct store_tx *tx, void *arg, struct why *why)
{
    return crp_list_load(tx, directory.clock.held, arg, why);
}

static struct crp_list crp_known(void)
{
    struct crp_list list = { 0 };
    struct why why = { 0 };
    ASSERT_OK(store_read(directory.mdm.store, crp_work, &list, &why), &why);
    return list;
}

static int current(int64_t taken)
{
    AUTO(kept_generations) keys = kept_key_hold(ca_link_signing(directory.mdm.link));
    return signing_current(keys, taken)->generation;
}

TEST(the_certificates_of_ca_are_kept_and_stay_while_it_is_down)
{
    assert_int_equal(1, counted("SELECT COUNT(*) FROM crp"));
    uint64_t commits = store_commits(directory.mdm.store);
    ca_link_keep(&directory.mdm);
    assert_int_equal(2, fake_ca.crp_calls);
    assert_int_equal(commits, store_commits(directory.mdm.store));
    fake_ca.err = ERR_UNAVAILABLE;
    ca_link_keep(&directory.mdm);
    struct crp_list list = crp_known();
    assert_int_equal(1, list.count);
    crp_list_free(&list);
}

TEST(a_new_crp_key_is_there_beside_the_old_one_and_one_that_ended_is_not_encrypted_to)
{
    directory.clock.held = NOW + 310 * DAY;
    fake_ca_keep();
    struct crp_list list = crp_known();
    assert_int_equal(2, list.count);
    assert_int_equal(2, list.of[0].generation);
    crp_list_free(&list);
    fake_ca.err = ERR_UNAVAILABLE;
    directory.clock.held = NOW + 366 * DAY;
    list = crp_known();
    assert_int_equal(1, list.count);
    assert_int_equal(2, list.of[0].generation);
    crp_list_free(&list);
}

TEST(an_answer_without_certificates_replaces_nothing)
{
    struct crp_list list = { 0 };
    struct why why = { 0 };
    AUTO_BUF none = { 0 };
    size_t mark = records_begin(&none);
    records_end(&none, mark);
    assert_int_equal(ERR_PROTOCOL, crp_list_take(buf_bytes(&none), &list, &why));
    assert_int_equal(0, list.count);
}

TEST(the_next_signing_key_is_vouched_for_by_the_one_before_and_signs_once_ca_has_taken_it)
{
    struct cert first, next;
    struct why why = { 0 };
    AUTO(public_key) key = NULL;
    assert_int_equal(1, fake_ca.successors);
    assert_int_equal(1, current(1));
    AUTO_BUF before = buf_dup(buf_bytes(&fake_ca.successor));
    fake_ca.err = ERR_UNAVAILABLE;
    directory.clock.held = NOW + 680 * DAY;
    ca_link_keep(&directory.mdm);
    assert_int_equal(1, current(1)); /* it is there, and ca does not know it */
    assert_int_equal(1, counted("SELECT CAST(value AS BIGINT) FROM mdm_setting WHERE name = 'signing'"));
    fake_ca.err = OK;
    ca_link_keep(&directory.mdm);
    assert_int_equal(2, counted("SELECT CAST(value AS BIGINT) FROM mdm_setting WHERE name = 'signing'"));
    assert_int_equal(2, current(2));
    assert_int_equal(2, fake_ca.successors);
    ASSERT_OK(cert_parse(buf_bytes(&before), &first, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&fake_ca.successor), &next, &why), &why);
    ASSERT_OK(public_key_parse(first.spki, &key, &why), &why);
    assert_true(bytes_equal(next.issuer, first.subject));
    ASSERT_OK(cert_verify(&next, key, &why), &why);
    ca_link_keep(&directory.mdm);
    assert_int_equal(2, fake_ca.successors);
}

DIRECTORY_MAIN(F(the_certificates_of_ca_are_kept_and_stay_while_it_is_down),
               F(a_new_crp_key_is_there_beside_the_old_one_and_one_that_ended_is_not_encrypted_to),
               F(an_answer_without_certificates_replaces_nothing),
               F(the_next_signing_key_is_vouched_for_by_the_one_before_and_signs_once_ca_has_taken_it))

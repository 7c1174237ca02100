/* SPDX-License-Identifier: Apache-2.0 */
/* The budget of failed decryptions: at its limits, one past them, and over time. */
#include "scep/budget.h"
#include "tests/unit/test.h"

static struct budget *budget_make(void)
{
    struct budget *budget = NULL;
    struct why why = { 0 };
    ASSERT_OK(budget_new(&(struct budget_limits){ BUDGET_PER_ADDRESS, BUDGET_PER_KEY }, &budget, &why), &why);
    return budget;
}

TEST(an_address_may_fail_its_budget_and_not_once_more)
{
    AUTO(budget) budget = budget_make();
    for (int i = 0; i < BUDGET_PER_ADDRESS; i++) {
        assert_true(budget_allows(budget, "192.0.2.1", 0));
        budget_spend(budget, "192.0.2.1", 0);
    }
    assert_false(budget_allows(budget, "192.0.2.1", 0));
    assert_true(budget_allows(budget, "192.0.2.2", 0));
    assert_int_equal(budget_spent(budget, 0), BUDGET_PER_ADDRESS);
}

TEST(a_new_window_gives_a_new_budget)
{
    AUTO(budget) budget = budget_make();
    for (int i = 0; i < BUDGET_PER_ADDRESS; i++)
        budget_spend(budget, "192.0.2.1", 5);
    assert_false(budget_allows(budget, "192.0.2.1", 5 + BUDGET_WINDOW_MS - 1));
    assert_true(budget_allows(budget, "192.0.2.1", 5 + BUDGET_WINDOW_MS));
    assert_int_equal(budget_spent(budget, 5 + BUDGET_WINDOW_MS), 0);
}

TEST(an_ipv6_network_is_one_address_and_zones_do_not_count)
{
    AUTO(budget) budget = budget_make();
    for (int i = 0; i < BUDGET_PER_ADDRESS; i++) {
        char peer[64];
        snprintf(peer, sizeof(peer), "2001:db8:1:2::%x%s", i + 1, i % 2 ? "%13" : "");
        budget_spend(budget, peer, 0);
    }
    assert_false(budget_allows(budget, "2001:db8:1:2:ffff::1", 0));
    assert_true(budget_allows(budget, "2001:db8:1:3::1", 0));
}

TEST(what_is_no_address_counts_too)
{
    AUTO(budget) budget = budget_make();
    for (int i = 0; i < BUDGET_PER_ADDRESS; i++)
        budget_spend(budget, "", 0);
    assert_false(budget_allows(budget, "", 0));
    assert_true(budget_allows(budget, "unknown", 0));
}

TEST(a_thousand_attackers_are_throttled_and_the_innocent_still_pass)
{
    AUTO(budget) budget = budget_make();
    char peer[32];
    unsigned decrypted = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(peer, sizeof(peer), "10.0.%d.%d", i / 250, i % 250 + 1);
            if (!budget_allows(budget, peer, 0))
                continue;
            budget_spend(budget, peer, 0);
            decrypted++;
        }
    }
    assert_true(decrypted <= BUDGET_PER_KEY + 1);
    unsigned passed = 0;
    for (int i = 0; i < 10000; i++) {
        snprintf(peer, sizeof(peer), "172.16.%d.%d", i / 250, i % 250 + 1);
        passed += budget_allows(budget, peer, 0);
    }
    assert_true(passed >= 9900); /* S17: 99 % */
}

/* Four of all; one address has failed once already, so past the four it is out. */
TEST(what_is_being_decrypted_counts_as_failed_until_it_ends)
{
    struct budget *budget = NULL;
    struct why why;
    ASSERT_OK(budget_new(&(struct budget_limits){ .per_address = 10, .per_key = 4 }, &budget, &why), &why);
    budget_spend(budget, "192.0.2.1", 0);
    for (int i = 0; i < 3; i++)
        assert_true(budget_begin(budget, "192.0.2.1", 0));
    assert_false(budget_begin(budget, "192.0.2.1", 0));
    assert_true(budget_begin(budget, "192.0.2.2", 0)); /* has done nothing wrong */
    budget_end(budget, "192.0.2.2");
    assert_false(budget_begin(budget, "192.0.2.1", 0));
    budget_end(budget, "192.0.2.1"); /* one of the three was good */
    assert_true(budget_begin(budget, "192.0.2.1", 0));
    for (int i = 0; i < 3; i++)
        budget_end(budget, "192.0.2.1");
    assert_int_equal(budget_spent(budget, 0), 1);
    budget_free(budget);
}

TEST(an_address_that_has_failed_cannot_pass_its_limit_all_at_once)
{
    struct budget *budget = NULL;
    struct why why;
    ASSERT_OK(budget_new(&(struct budget_limits){ .per_address = 3, .per_key = 100 }, &budget, &why), &why);
    for (int i = 0; i < 70; i++)
        assert_true(budget_begin(budget, "192.0.2.2", 0)); /* never failed: as many as it likes */
    budget_spend(budget, "192.0.2.1", 0);
    assert_true(budget_begin(budget, "192.0.2.1", 0));
    assert_true(budget_begin(budget, "192.0.2.1", 0));
    assert_false(budget_begin(budget, "192.0.2.1", 0));
    budget_end(budget, "192.0.2.1");
    assert_true(budget_begin(budget, "192.0.2.1", 0));
    budget_free(budget);
}

TEST(limits_of_ones_own_hold_at_the_limit_and_one_past)
{
    struct budget *budget = NULL;
    struct why why;
    ASSERT_OK(budget_new(&(struct budget_limits){ .per_address = 1, .per_key = 2 }, &budget, &why), &why);
    assert_true(budget_allows(budget, "192.0.2.1", 0));
    budget_spend(budget, "192.0.2.1", 0);
    assert_false(budget_allows(budget, "192.0.2.1", 0));
    assert_true(budget_allows(budget, "192.0.2.2", 0));
    budget_free(budget);
}

RUN(T(what_is_being_decrypted_counts_as_failed_until_it_ends),
    T(an_address_that_has_failed_cannot_pass_its_limit_all_at_once),
    T(limits_of_ones_own_hold_at_the_limit_and_one_past), T(an_address_may_fail_its_budget_and_not_once_more),
    T(a_new_window_gives_a_new_budget), T(an_ipv6_network_is_one_address_and_zones_do_not_count),
    T(what_is_no_address_counts_too), T(a_thousand_attackers_are_throttled_and_the_innocent_still_pass))

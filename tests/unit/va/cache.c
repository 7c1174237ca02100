/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache keeps, for how long, and for whom it makes room. */
#include "va/cache.h"
#include "tests/unit/test.h"

#define NOW      1000000
#define VALIDITY 100
#define ENTRIES  10

static struct cache *begin(void)
{
    struct cache *cache = NULL;
    struct why why;
    ASSERT_OK(cache_new(&(struct cache_config){ ENTRIES, VALIDITY }, &cache, &why), &why);
    return cache;
}

static struct cache_key key_of(unsigned authority, unsigned number)
{
    struct cache_key key = { .authority = authority,
                             .serial = { .octets = { 1, (uint8_t)(number >> 8), (uint8_t)number },
                                         .len = 3 } };
    return key;
}

static const struct known good = { { .status = OCSP_GOOD }, NOW };
static const struct known revoked = { { OCSP_REVOKED, NOW - 5, CRL_SUPERSEDED }, NOW };
static const struct known unknown = { { .status = OCSP_UNKNOWN }, NOW };

static void put(struct cache *cache, unsigned number, const struct known *known)
{
    struct cache_key key = key_of(0, number);
    cache_put_status(cache, &key, cache_mark(cache, 0), known);
}

static bool has(struct cache *cache, unsigned number, int64_t now)
{
    struct cache_key key = key_of(0, number);
    struct known known;
    return cache_status(cache, &key, now, &known);
}

static struct document *document(int64_t expires)
{
    AUTO_BUF whole = { 0 };
    struct document *made = NULL;
    struct why why;
    buf_append_str(&whole, "answer");
    const struct document_params params = { .whole = &whole,
                                            .body = buf_bytes(&whole),
                                            .content_type = "a/b",
                                            .last_modified = NOW,
                                            .expires = expires,
                                            .max_age_s = 10 };
    ASSERT_OK(document_new(&params, &made, &why), &why);
    return made;
}

static void put_answer(struct cache *cache, unsigned number, const char *cert_id, const struct known *said)
{
    struct cache_key key = key_of(0, number);
    struct document *answer = document(said->at + VALIDITY);
    cache_put_answer(cache, &key, bytes_str(cert_id), said, answer);
    document_unref(answer);
}

static bool has_answer(struct cache *cache, unsigned number, const char *cert_id, int64_t now,
                       bool *ret_renew)
{
    struct cache_key key = key_of(0, number);
    AUTO(document) answer = cache_answer(cache, &key, bytes_str(cert_id), now, ret_renew);
    return answer != NULL;
}

TEST(a_status_is_kept_for_its_time_and_no_longer)
{
    AUTO(cache) cache = begin();
    put(cache, 1, &good);
    assert_true(has(cache, 1, NOW));
    assert_true(has(cache, 1, NOW + VALIDITY - 1));
    assert_false(has(cache, 1, NOW + VALIDITY));
    assert_false(has(cache, 2, NOW));
}

TEST(what_ca_confirms_is_known_from_then_on)
{
    AUTO(cache) cache = begin();
    struct cache_key key = key_of(0, 1);
    struct known known;
    put(cache, 1, &good);
    cache_confirm(cache, 0, NOW + 60);
    assert_true(cache_status(cache, &key, NOW + 159, &known));
    assert_int_equal(known.at, NOW + 60);
    assert_false(has(cache, 1, NOW + 160));
    cache_confirm(cache, 0, NOW + 10); /* never back */
    assert_true(has(cache, 1, NOW + 159));
    cache_confirm(cache, 1, NOW + 1000); /* another CA's word */
    assert_false(has(cache, 1, NOW + 160));
}

TEST(a_serial_that_was_never_issued_has_no_place)
{
    AUTO(cache) cache = begin();
    for (unsigned i = 0; i < 3 * ENTRIES; i++)
        put(cache, i, &unknown);
    assert_int_equal(cache_count(cache, 0), 0);
    assert_false(has(cache, 1, NOW));
}

TEST(strangers_do_not_push_out_what_is_kept)
{
    AUTO(cache) cache = begin();
    put(cache, 1, &good);
    for (unsigned i = 100; i < 1000; i++)
        put(cache, i, &unknown);
    assert_true(has(cache, 1, NOW));
}

TEST(the_cache_is_bounded_and_who_was_asked_for_longest_ago_gives_way)
{
    AUTO(cache) cache = begin();
    for (unsigned i = 0; i < ENTRIES; i++)
        put(cache, i, &good);
    assert_int_equal(cache_count(cache, 0), ENTRIES);
    assert_true(has(cache, 0, NOW)); /* asked for again */
    put(cache, 500, &good);
    assert_int_equal(cache_count(cache, 0), ENTRIES);
    assert_true(has(cache, 0, NOW));
    assert_false(has(cache, 1, NOW));
    assert_true(has(cache, 500, NOW));
}

TEST(a_change_takes_the_answers_that_say_otherwise)
{
    AUTO(cache) cache = begin();
    struct cache_key key = key_of(0, 1);
    struct known known;
    bool renew;
    put(cache, 1, &good);
    put_answer(cache, 1, "a", &good);
    put_answer(cache, 1, "b", &good);
    assert_true(has_answer(cache, 1, "a", NOW, &renew));
    cache_change(cache, &key, &revoked);
    assert_false(has_answer(cache, 1, "a", NOW, &renew));
    assert_false(has_answer(cache, 1, "b", NOW, &renew));
    assert_true(cache_status(cache, &key, NOW, &known));
    assert_int_equal(known.status.status, OCSP_REVOKED);
    cache_change(cache, &key, &unknown); /* ca forgot it */
    assert_int_equal(cache_count(cache, 0), 0);
}

TEST(a_change_of_what_is_not_kept_keeps_nothing)
{
    AUTO(cache) cache = begin();
    struct cache_key key = key_of(0, 1);
    cache_change(cache, &key, &revoked);
    assert_int_equal(cache_count(cache, 0), 0);
}

TEST(an_answer_of_ca_from_before_a_change_is_not_kept)
{
    AUTO(cache) cache = begin();
    struct cache_key key = key_of(0, 1), other = key_of(0, 2);
    uint64_t mark = cache_mark(cache, 0);
    cache_change(cache, &other, &revoked);
    cache_put_status(cache, &key, mark, &good);
    assert_false(has(cache, 1, NOW));
    mark = cache_mark(cache, 0);
    cache_put_status(cache, &key, mark, &good);
    assert_true(has(cache, 1, NOW));
}

TEST(an_answer_that_says_what_is_no_longer_so_is_not_kept)
{
    AUTO(cache) cache = begin();
    bool renew;
    put(cache, 1, &revoked);
    put_answer(cache, 1, "a", &good);
    assert_false(has_answer(cache, 1, "a", NOW, &renew));
    put_answer(cache, 1, "a", &revoked);
    assert_true(has_answer(cache, 1, "a", NOW, &renew));
    put_answer(cache, 2, "a", &good); /* no place */
    assert_false(has_answer(cache, 2, "a", NOW, &renew));
}

TEST(an_answer_is_given_to_its_own_question_until_its_end)
{
    AUTO(cache) cache = begin();
    bool renew;
    put(cache, 1, &good);
    put_answer(cache, 1, "a", &good);
    assert_false(has_answer(cache, 1, "b", NOW, &renew));
    assert_true(has_answer(cache, 1, "a", NOW + VALIDITY - 1, &renew));
    assert_false(has_answer(cache, 1, "a", NOW + VALIDITY, &renew));
}

TEST(at_half_of_its_life_one_caller_is_told_to_renew_it)
{
    AUTO(cache) cache = begin();
    bool renew;
    put(cache, 1, &good);
    put_answer(cache, 1, "a", &good);
    assert_true(has_answer(cache, 1, "a", NOW + VALIDITY / 2, &renew));
    assert_false(renew); /* nothing newer is known: it would say the same */
    cache_confirm(cache, 0, NOW + 45);
    assert_true(has_answer(cache, 1, "a", NOW + VALIDITY / 2 - 1, &renew));
    assert_false(renew);
    assert_true(has_answer(cache, 1, "a", NOW + VALIDITY / 2, &renew));
    assert_true(renew);
    assert_true(has_answer(cache, 1, "a", NOW + VALIDITY / 2, &renew));
    assert_false(renew);
}

TEST(of_many_spellings_of_one_question_some_are_kept)
{
    AUTO(cache) cache = begin();
    bool renew;
    put(cache, 1, &good);
    for (unsigned i = 0; i < 20; i++) {
        AUTO_STR cert_id = xasprintf("spelling %u", i);
        put_answer(cache, 1, cert_id, &good);
    }
    assert_int_equal(cache_count(cache, 0), 1);
    assert_true(has_answer(cache, 1, "spelling 19", NOW, &renew));
    assert_false(has_answer(cache, 1, "spelling 0", NOW, &renew));
}

TEST(one_ca_is_forgotten_and_the_other_stays)
{
    AUTO(cache) cache = begin();
    struct cache_key other = key_of(1, 1);
    struct known known;
    put(cache, 1, &good);
    cache_put_status(cache, &other, cache_mark(cache, 1), &good);
    cache_forget(cache, 0);
    assert_false(has(cache, 1, NOW));
    assert_true(cache_status(cache, &other, NOW, &known));
}

RUN(T(a_status_is_kept_for_its_time_and_no_longer), T(what_ca_confirms_is_known_from_then_on),
    T(a_serial_that_was_never_issued_has_no_place), T(strangers_do_not_push_out_what_is_kept),
    T(the_cache_is_bounded_and_who_was_asked_for_longest_ago_gives_way),
    T(a_change_takes_the_answers_that_say_otherwise), T(a_change_of_what_is_not_kept_keeps_nothing),
    T(an_answer_of_ca_from_before_a_change_is_not_kept),
    T(an_answer_that_says_what_is_no_longer_so_is_not_kept),
    T(an_answer_is_given_to_its_own_question_until_its_end),
    T(at_half_of_its_life_one_caller_is_told_to_renew_it), T(of_many_spellings_of_one_question_some_are_kept),
    T(one_ca_is_forgotten_and_the_other_stays))

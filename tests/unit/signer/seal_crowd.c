/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer limits holds when many seal at once: one certificate for a serial, one CRL for a number, numbers that go up. */
#include "tests/unit/signer/helper.h"
#include "tests/unit/told.h"

#include "signer/journal.h"
#include <stdatomic.h>

#define CROWD  32
#define ROUNDS 12

static struct site site;

static int begin(void **state)
{
    (void)state;
    site_make(&site);
    site_open(&site);
    return 0;
}

static int end(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

/* One of the crowd: what it asks in each round, and what it was told. */
struct round {
    struct buf tbs, der;
    struct seal_request request;
    struct told *told;
    enum err err;
    atomic_int dones;
};
struct one {
    pthread_barrier_t *start;
    struct round rounds[ROUNDS];
    pthread_t thread;
};

static void on_sealed(void *arg, enum err err, struct bytes der, const struct why *why)
{
    struct round *round = arg;
    (void)why;
    round->err = err;
    round->der = buf_dup(der);
    atomic_fetch_add(&round->dones, 1);
    told_one(round->told, NULL);
}

/* The barrier brings all of them to each round together. */
static void *seal_all(void *arg)
{
    struct one *one = arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(one->start);
        signer_seal_start(site.signer, &one->rounds[i].request, on_sealed, &one->rounds[i]);
    }
    return NULL;
}

static struct one *crowd_new(void)
{
    return xcalloc(CROWD, sizeof(struct one));
}

static void crowd_run(struct one *crowd, enum seal_kind kind)
{
    struct told told = TOLD_NONE;
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, CROWD);
    for (int i = 0; i < CROWD * ROUNDS; i++) {
        struct round *round = &crowd[i / ROUNDS].rounds[i % ROUNDS];
        round->told = &told;
        round->request = (struct seal_request){ BYTES_LIT("issuing"), kind, buf_bytes(&round->tbs) };
    }
    for (int i = 0; i < CROWD; i++) {
        crowd[i].start = &start;
        assert_int_equal(0, pthread_create(&crowd[i].thread, NULL, seal_all, &crowd[i]));
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(crowd[i].thread, NULL);
    told_wait(&told, CROWD * ROUNDS);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < CROWD * ROUNDS; i++)
        assert_int_equal(1, crowd[i / ROUNDS].rounds[i % ROUNDS].dones);
}

static void crowd_free(struct one *crowd)
{
    for (int i = 0; i < CROWD * ROUNDS; i++) {
        buf_free(&crowd[i / ROUNDS].rounds[i % ROUNDS].tbs);
        buf_free(&crowd[i / ROUNDS].rounds[i % ROUNDS].der);
    }
    free(crowd);
}

/* What the journal keeps, in its order. */
struct kept {
    size_t count;
    int64_t numbers[CROWD * ROUNDS];
    int crls;
};
static enum err keep(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    struct kept *kept = arg;
    (void)offset, (void)why;
    kept->count++;
    if (entry->kind == SEAL_CRL)
        kept->numbers[kept->crls++] = entry->id.data[7];
    return OK;
}

static struct kept journal_kept(void)
{
    struct kept kept = { 0 };
    struct why why = { 0 };
    uint64_t torn;
    AUTO_STR path = site_file(&site, "journal");
    ASSERT_OK(journal_each(path, keep, &kept, &torn, &why), &why);
    return kept;
}

/* Each wants its own TBS under the serial of the round. */
TEST(of_many_who_want_one_serial_for_different_certificates_one_gets_it)
{
    struct one *crowd = crowd_new();
    for (int i = 0; i < CROWD * ROUNDS; i++) {
        struct leaf leaf;
        leaf_make(&site, &leaf);
        memset(leaf.serial, 0x21 + i % ROUNDS, SERIAL_BYTES);
        leaf.params.not_after -= i / ROUNDS;
        leaf_tbs(&leaf, &crowd[i / ROUNDS].rounds[i % ROUNDS].tbs);
    }
    crowd_run(crowd, SEAL_CERTIFICATE);
    for (int round = 0; round < ROUNDS; round++) {
        int sealed = 0;
        for (int i = 0; i < CROWD; i++) {
            sealed += crowd[i].rounds[round].err == OK;
            assert_true(crowd[i].rounds[round].err == OK || crowd[i].rounds[round].err == ERR_SIGNER_LIMIT);
        }
        assert_int_equal(1, sealed);
    }
    assert_int_equal(ROUNDS, journal_kept().count);
    crowd_free(crowd);
    site_reopen(&site); /* which reads every record, and its chain */
}

TEST(all_who_want_the_same_certificate_get_the_same_bytes)
{
    struct one *crowd = crowd_new();
    for (int round = 0; round < ROUNDS; round++) {
        good_tbs(&site, &crowd[0].rounds[round].tbs);
        for (int i = 1; i < CROWD; i++)
            crowd[i].rounds[round].tbs = buf_dup(buf_bytes(&crowd[0].rounds[round].tbs));
    }
    crowd_run(crowd, SEAL_CERTIFICATE);
    for (int i = 0; i < CROWD * ROUNDS; i++) {
        assert_int_equal(OK, crowd[i / ROUNDS].rounds[i % ROUNDS].err);
        ASSERT_BYTES(buf_bytes(&crowd[0].rounds[i % ROUNDS].der),
                     buf_bytes(&crowd[i / ROUNDS].rounds[i % ROUNDS].der));
    }
    assert_int_equal(ROUNDS, journal_kept().count);
    crowd_free(crowd);
}

/* Whatever comes first: a number is given once, and none after a greater one. */
TEST(crl_numbers_go_up_and_none_is_given_to_two)
{
    struct one *crowd = crowd_new();
    int sealed = 0;
    for (int i = 0; i < CROWD * ROUNDS; i++) {
        struct crl_params params = crl_good(&site, 1 + i % ROUNDS);
        params.next_update -= i / ROUNDS;
        crl_tbs(&params, &crowd[i / ROUNDS].rounds[i % ROUNDS].tbs);
    }
    crowd_run(crowd, SEAL_CRL);
    for (int i = 0; i < CROWD * ROUNDS; i++)
        sealed += crowd[i / ROUNDS].rounds[i % ROUNDS].err == OK;
    struct kept kept = journal_kept();
    assert_true(sealed >= 1);
    assert_int_equal(sealed, kept.crls);
    for (int i = 1; i < kept.crls; i++)
        assert_true(kept.numbers[i] > kept.numbers[i - 1]);
    crowd_free(crowd);
}

#define S(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(S(of_many_who_want_one_serial_for_different_certificates_one_gets_it),
    S(all_who_want_the_same_certificate_get_the_same_bytes), S(crl_numbers_go_up_and_none_is_given_to_two))

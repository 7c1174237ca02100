/* SPDX-License-Identifier: Apache-2.0 */
/* Seals that nobody waits for: each is told once, and nothing leaves that is not in the journal. */
#include "tests/unit/signer/disk.h"
#include "tests/unit/signer/helper.h"
#include "tests/unit/told.h"

#include "signer/journal.h"
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static struct site site;
static char *journal_path;

static int begin(void **state)
{
    (void)state;
    site_make(&site);
    site_open(&site);
    journal_path = site_file(&site, "journal");
    return 0;
}

static int end(void **state)
{
    (void)state;
    disk_release();
    disk_room = -1;
    free(TAKE(journal_path));
    site_close(&site);
    return 0;
}

struct sought {
    struct bytes der;
    size_t found, all;
};
static enum err look_for(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    struct sought *sought = arg;
    (void)offset, (void)why;
    sought->found += bytes_equal(entry->der, sought->der);
    sought->all++;
    return OK;
}

static struct sought journal_look(struct bytes der)
{
    struct sought sought = { .der = der };
    uint64_t torn;
    if (journal_each(journal_path, look_for, &sought, &torn, NULL) != OK)
        sought = (struct sought){ 0 };
    return sought;
}

struct sealing {
    struct buf tbs; /* given back by done: the signer needs it no longer than that */
    struct seal_request request;
    struct told *told;
    enum err err;
    struct why why;
    struct buf der;
    bool in_journal;
    atomic_int dones;
};

static void on_sealed(void *arg, enum err err, struct bytes der, const struct why *why)
{
    struct sealing *sealing = arg;
    sealing->err = err;
    sealing->why = *why;
    sealing->der = buf_dup(der);
    sealing->in_journal = der.len && journal_look(der).found == 1;
    buf_free(&sealing->tbs);
    atomic_fetch_add(&sealing->dones, 1);
    told_one(sealing->told, NULL);
}

static void sealing_start(struct sealing *sealing, enum seal_kind kind, struct told *told)
{
    sealing->request = (struct seal_request){ BYTES_LIT("issuing"), kind, buf_bytes(&sealing->tbs) };
    sealing->told = told;
    signer_seal_start(site.signer, &sealing->request, on_sealed, sealing);
}

static void sealing_expect(struct sealing *sealing, enum err err)
{
    assert_int_equal(1, sealing->dones);
    if (sealing->err != err)
        fail_msg("told %s (%s), wanted %s", err_row(sealing->err)->name, sealing->why.text,
                 err_row(err)->name);
    assert_int_equal(err == OK, sealing->der.len > 0);
    assert_int_equal(err == OK, sealing->in_journal);
    assert_int_equal(err != OK, sealing->why.text[0] != '\0');
    buf_free(&sealing->der);
}

/* One by one, which needs no thread of ours. */
static void expect_one(enum err err, enum seal_kind kind, struct bytes tbs)
{
    struct told told = TOLD_NONE;
    struct sealing sealing = { .tbs = buf_dup(tbs) };
    sealing_start(&sealing, kind, &told);
    told_wait(&told, 1);
    sealing_expect(&sealing, err);
}

static void leaf_with_serial(const uint8_t serial[static SERIAL_BYTES], int64_t not_after, struct buf *ret)
{
    struct leaf leaf;
    leaf_make(&site, &leaf);
    memcpy(leaf.serial, serial, SERIAL_BYTES);
    leaf.params.not_after = not_after;
    leaf_tbs(&leaf, ret);
}

TEST(each_way_to_be_refused_is_told_once)
{
    AUTO_BUF good = { 0 };
    AUTO_BUF other = { 0 };
    AUTO_BUF long_lived = { 0 };
    AUTO_BUF crl = { 0 };
    uint8_t serial[SERIAL_BYTES] = { 0x11, 1 };
    leaf_with_serial(serial, NOW + DAY, &good);
    leaf_with_serial(serial, NOW + 2 * DAY, &other);
    leaf_with_serial((uint8_t[SERIAL_BYTES]){ 0x11, 3 }, NOW + 160 * DAY, &long_lived);
    struct crl_params params = crl_good(&site, 7);
    crl_tbs(&params, &crl);
    expect_one(ERR_MALFORMED, SEAL_CERTIFICATE, BYTES_NONE);
    expect_one(ERR_MALFORMED, SEAL_CERTIFICATE, bytes_of(good.data, good.len - 1));
    expect_one(ERR_SIGNER_LIMIT, SEAL_CERTIFICATE, buf_bytes(&long_lived));
    expect_one(ERR_SIGNER_LIMIT, (enum seal_kind)7, buf_bytes(&good));
    expect_one(ERR_MALFORMED, SEAL_CRL, buf_bytes(&good));
    expect_one(OK, SEAL_CERTIFICATE, buf_bytes(&good));
    expect_one(ERR_SIGNER_LIMIT, SEAL_CERTIFICATE, buf_bytes(&other));
    expect_one(OK, SEAL_CERTIFICATE, buf_bytes(&good)); /* again, out of the journal */
    expect_one(OK, SEAL_CRL, buf_bytes(&crl));
    expect_one(OK, SEAL_CRL, buf_bytes(&crl));
    site.clock.held -= 301;
    expect_one(ERR_UNAVAILABLE, SEAL_CERTIFICATE, buf_bytes(&good));
    assert_int_equal(2, journal_look(BYTES_NONE).all);
}

TEST(another_ca_is_told_once_that_it_is_not_ours)
{
    struct told told = TOLD_NONE;
    struct sealing sealing = { .told = &told };
    good_tbs(&site, &sealing.tbs);
    sealing.request = (struct seal_request){ BYTES_LIT("other"), SEAL_CERTIFICATE, buf_bytes(&sealing.tbs) };
    signer_seal_start(site.signer, &sealing.request, on_sealed, &sealing);
    told_wait(&told, 1);
    sealing_expect(&sealing, ERR_SIGNER_LIMIT);
}

static struct sealing *many_start(int many, struct told *told)
{
    struct sealing *all = xcalloc((size_t)many, sizeof(*all));
    for (int i = 0; i < many; i++) {
        good_tbs(&site, &all[i].tbs);
        sealing_start(&all[i], SEAL_CERTIFICATE, told);
    }
    return all;
}

/* One thread begins them all, so it waits for none. */
TEST(nothing_leaves_before_it_is_on_the_disk_and_nobody_waits_for_that)
{
    struct told told = TOLD_NONE;
    int before = disk_flushes;
    disk_hold();
    struct sealing *all = many_start(30, &told);
    disk_wait_held(before + 1);
    assert_int_equal(0, told_count(&told));
    disk_release();
    told_wait(&told, 30);
    for (int i = 0; i < 30; i++)
        sealing_expect(&all[i], OK);
    assert_int_equal(30, journal_look(BYTES_NONE).all);
    free(all);
}

TEST(what_is_sealed_is_the_tbs_under_the_ca_s_signature)
{
    struct told told = TOLD_NONE;
    struct why why = { 0 };
    struct cert cert;
    AUTO_BUF tbs = { 0 };
    struct sealing sealing = { 0 };
    good_tbs(&site, &tbs);
    sealing.tbs = buf_dup(buf_bytes(&tbs));
    sealing_start(&sealing, SEAL_CERTIFICATE, &told);
    told_wait(&told, 1);
    ASSERT_OK(cert_parse(buf_bytes(&sealing.der), &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, site.ca_key->public_half, &why), &why);
    ASSERT_BYTES(buf_bytes(&tbs), cert.tbs);
    sealing_expect(&sealing, OK);
}

/* The serial was not spent: nothing of it is in the journal, and no signature has left. */
TEST(a_full_disk_gives_no_seal_and_frees_the_serial)
{
    uint8_t serial[SERIAL_BYTES] = { 0x11, 2 };
    AUTO_BUF first = { 0 };
    AUTO_BUF second = { 0 };
    AUTO_BUF crl = { 0 };
    leaf_with_serial(serial, NOW + DAY, &first);
    leaf_with_serial(serial, NOW + 2 * DAY, &second);
    struct crl_params params = crl_good(&site, 1);
    crl_tbs(&params, &crl);
    for (long room = 0; room <= 300; room += 60) {
        disk_room = room;
        expect_one(ERR_IO, SEAL_CERTIFICATE, buf_bytes(&first));
        disk_room = room;
        expect_one(ERR_IO, SEAL_CRL, buf_bytes(&crl));
    }
    disk_room = -1;
    assert_int_equal(0, journal_look(BYTES_NONE).all);
    expect_one(OK, SEAL_CERTIFICATE, buf_bytes(&second));
    expect_one(ERR_SIGNER_LIMIT, SEAL_CERTIFICATE, buf_bytes(&first));
    expect_one(OK, SEAL_CRL, buf_bytes(&crl));
    site_reopen(&site);
    expect_one(OK, SEAL_CERTIFICATE, buf_bytes(&second));
}

TEST(the_floor_of_the_clock_moves_with_each_seal)
{
    AUTO_BUF tbs = { 0 };
    good_tbs(&site, &tbs);
    site.clock.held += 400;
    expect_one(OK, SEAL_CERTIFICATE, buf_bytes(&tbs));
    site.clock.held -= 300;
    expect_one(OK, SEAL_CERTIFICATE, buf_bytes(&tbs));
    site.clock.held -= 1;
    expect_one(ERR_UNAVAILABLE, SEAL_CERTIFICATE, buf_bytes(&tbs));
}

TEST(freeing_the_signer_waits_for_what_it_began)
{
    struct told told = TOLD_NONE;
    int before = disk_flushes;
    disk_hold();
    struct sealing *first = many_start(1, &told);
    disk_wait_held(before + 1);
    struct sealing *others = many_start(40, &told); /* not looked at yet */
    disk_release_at_join = true;
    signer_free(TAKE(site.signer));
    assert_int_equal(41, told_count(&told));
    sealing_expect(first, OK);
    for (int i = 0; i < 40; i++)
        sealing_expect(&others[i], OK);
    free(first);
    free(others);
    site_open(&site);
}

static void tell_parent(void *arg, enum err err, struct bytes der, const struct why *why)
{
    (void)err, (void)der, (void)why;
    (void)!write(*(int *)arg, "x", 1);
}

static void seal_on_a_broken_disk(int told)
{
    AUTO_BUF tbs = { 0 };
    good_tbs(&site, &tbs);
    const struct seal_request request = { BYTES_LIT("issuing"), SEAL_CERTIFICATE, buf_bytes(&tbs) };
    site_open(&site);
    close(STDERR_FILENO); /* its last words are no failure of this test */
    disk_flush_fails = true;
    signer_seal_start(site.signer, &request, tell_parent, &told);
    signer_free(site.signer);
    _exit(0);
}

TEST(a_flush_that_fails_ends_the_process_and_gives_no_seal)
{
    int ends[2], status = 0;
    char byte;
    assert_int_equal(0, pipe(ends));
    signer_free(TAKE(site.signer));
    pid_t child = fork();
    if (child == 0)
        seal_on_a_broken_disk(ends[1]);
    close(ends[1]);
    assert_int_equal(0, read(ends[0], &byte, 1));
    close(ends[0]);
    assert_int_equal(child, waitpid(child, &status, 0));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    site_open(&site);
}

#define S(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(S(each_way_to_be_refused_is_told_once), S(another_ca_is_told_once_that_it_is_not_ours),
    S(nothing_leaves_before_it_is_on_the_disk_and_nobody_waits_for_that),
    S(what_is_sealed_is_the_tbs_under_the_ca_s_signature), S(a_full_disk_gives_no_seal_and_frees_the_serial),
    S(the_floor_of_the_clock_moves_with_each_seal), S(freeing_the_signer_waits_for_what_it_began),
    S(a_flush_that_fails_ends_the_process_and_gives_no_seal))

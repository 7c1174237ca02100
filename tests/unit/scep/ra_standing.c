/* SPDX-License-Identifier: Apache-2.0 */
/* What ca says of RA certificates is known of each, and of nothing else. */
#include "scep/ra_standing.h"

#include "ipc/record.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include "x509/crl.h"

/* A ca that says one thing of one serial, and "good" of all others. */
struct telling_ca {
    struct ca_client client;
    const struct identity *of;
    const char *status;
    int reason, calls;
    enum err err;
};

static enum err telling_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret,
                             struct why *why)
{
    struct telling_ca *ca = (struct telling_ca *)client;
    struct record record;
    AUTO_BUF serial = { 0 };
    assert_string_equal(verb, "status_get");
    ca->calls++;
    if (ca->err != OK)
        return fail(why, ca->err, "the test says no");
    ASSERT_OK(record_get(body, &record, why), why);
    AUTO_STR issuer = record_str(&record, "ca");
    AUTO_STR asked = record_str(&record, "serial");
    assert_string_equal(issuer, "issuing");
    serial_append_text(&serial, ca->of->cert.serial);
    bool meant = strcmp(asked, buf_text(&serial)) == 0;
    size_t list = records_begin(ret), mark = record_begin(ret);
    record_put_str(ret, "status", meant ? ca->status : "good");
    record_put_int(ret, "revoked_at", SITE_NOW);
    record_put_int(ret, "reason", ca->reason);
    record_end(ret, mark);
    records_end(ret, list);
    return OK;
}

static void telling_free(struct ca_client *client)
{
    (void)client;
}

static const struct ca_client_ops ops = { "telling", telling_call, telling_free, NULL };

static void ask_of(struct ra_standings *standings, struct telling_ca *ca, const struct ra_set *set)
{
    struct why why = { 0 };
    const struct ra_standing_ask ask = { &ca->client, "issuing", set, SITE_NOW };
    ASSERT_OK(ra_standings_ask(standings, &ask, &why), &why);
}

TEST(each_reason_means_what_it_means_for_the_key)
{
    static const struct {
        const char *status;
        int reason;
        enum ra_standing standing;
    } cases[] = {
        { "good", 0, RA_STANDS },         { "revoked", 0, RA_REVOKED }, { "revoked", 1, RA_COMPROMISED },
        { "revoked", 2, RA_COMPROMISED }, { "revoked", 4, RA_REVOKED }, { "revoked", 6, RA_HELD },
        { "unknown", 0, RA_STANDS },
    };
    struct site *site = site_new(&(struct site_options){ 0 });
    AUTO(ra_set) set = site_ra_set(site, &(struct site_options){ 0 });
    AUTO(ra_standings) standings = ra_standings_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct telling_ca ca = { { &ops }, &site->signature, cases[i].status, cases[i].reason, 0, OK };
        ask_of(standings, &ca, set);
        assert_int_equal(ra_standing_of(standings, ra_set_signer(set)), cases[i].standing);
        assert_int_equal(ra_standing_of(standings, ra_set_recipient(set)), RA_STANDS);
        assert_int_equal(ra_standing_of_set(standings, set), cases[i].standing);
        assert_int_equal(ca.calls, set->count + set->signature_count);
    }
}

TEST(an_old_generation_is_known_and_the_set_stands)
{
    struct site *site = site_new(&(struct site_options){ 0 });
    AUTO(ra_set) set = site_ra_set(site, &(struct site_options){ 0 });
    AUTO(ra_standings) standings = ra_standings_new();
    struct telling_ca ca = { { &ops }, &site->encryption[0], "revoked", CRL_KEY_COMPROMISE, 0, OK };
    ask_of(standings, &ca, set);
    assert_int_equal(ra_standing_of(standings, &set->encryption[0]), RA_COMPROMISED);
    assert_int_equal(ra_standing_of_set(standings, set), RA_STANDS);
}

TEST(what_ca_does_not_answer_stays_as_it_was)
{
    struct site *site = site_new(&(struct site_options){ 0 });
    AUTO(ra_set) set = site_ra_set(site, &(struct site_options){ 0 });
    AUTO(ra_standings) standings = ra_standings_new();
    struct telling_ca ca = { { &ops }, &site->signature, "revoked", CRL_SUPERSEDED, 0, OK };
    const struct ra_standing_ask ask = { &ca.client, "issuing", set, SITE_NOW };
    struct why why = { 0 };
    ask_of(standings, &ca, set);
    ca.err = ERR_UNAVAILABLE;
    ASSERT_ERR(ERR_UNAVAILABLE, ra_standings_ask(standings, &ask, &why), &why);
    assert_int_equal(ra_standing_of_set(standings, set), RA_REVOKED);
    ca.err = OK;
    ca.status = "no word";
    ca.of = &site->encryption[1];
    ASSERT_ERR(ERR_PROTOCOL, ra_standings_ask(standings, &ask, &why), &why);
    assert_int_equal(ra_standing_of(standings, ra_set_recipient(set)), RA_STANDS);
}

TEST(the_end)
{
    site_end();
}

RUN(T(each_reason_means_what_it_means_for_the_key), T(an_old_generation_is_known_and_the_set_stands),
    T(what_ca_does_not_answer_stays_as_it_was), T(the_end))

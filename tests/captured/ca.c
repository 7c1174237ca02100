/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody has taken over ca, and speaks to a real chancery-signer over its socketpair: ten thousand frames for certificates and CRLs
   outside the limits, and inside them. Whatever comes back signed is judged here by hand, and must be in the journal. */
#include "tests/unit/signer/helper.h"

#include "ipc/channel.h"
#include "signer/journal.h"
#include "tests/support/prng.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define ROUNDS 10000

struct rogue {
    struct site site;
    struct channel *channel;
    struct prng prng;
    pid_t pid;
    int64_t crl_number; /* of the last CRL that was sealed */
    struct buf sealed;  /* every DER that came back, one after the other */
    unsigned asked, refused, seals;
};

/* --- the signer --- */

static void files_put(const struct site *site)
{
    struct why why;
    struct journal *journal = NULL;
    AUTO_STR dir = xasprintf("%s/etc/secrets/signer", site->dir);
    AUTO_STR unlock = xasprintf("%s/unlock", dir);
    AUTO_STR path = site_file(site, "journal");
    ASSERT_OK(dir_make(dir, 0700, &why), &why);
    ASSERT_OK(file_write(unlock, BYTES_LIT(UNLOCK "\n"), 0400, &why), &why);
    ASSERT_OK(journal_open(path, NULL, NULL, &journal, &why), &why);
    journal_free(journal);
}

static void signer_start(struct rogue *rogue)
{
    int pair[2];
    char peer[32];
    const char *program = getenv("CHANCERY_SIGNER"); /* set by meson */
    AUTO_STR config = xasprintf("%s/chancery.conf", rogue->site.dir);
    assert_non_null(program);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    snprintf(peer, sizeof(peer), "ca=%d", pair[0]);
    assert_int_equal(fcntl(pair[1], F_SETFD, FD_CLOEXEC), 0);
    rogue->pid = fork();
    if (rogue->pid == 0) {
        (void)!freopen("/dev/null", "w", stderr); /* a line for each refusal */
        execl(program, "chancery-signer", "--config", config, "--peer", peer, NULL);
        _exit(127);
    }
    close(pair[0]);
    struct why why;
    const struct channel_config channel = { .fd = pair[1],
                                            .principal = "ca",
                                            .max_frame = LIMIT_CRL_FRAME_BYTES };
    ASSERT_OK(channel_new(&channel, &rogue->channel, &why), &why);
}

/* The CA certificate of a site is dated by NOW; the program lives today, and so does this CA. */
static void rogue_begin(struct rogue *rogue)
{
    site_make_at(&rogue->site, (int64_t)time(NULL));
    rogue->prng = prng_seeded("captured ca");
    files_put(&rogue->site);
    signer_start(rogue);
}

static void rogue_end(struct rogue *rogue)
{
    int status = 0;
    channel_free(rogue->channel);
    assert_int_equal(waitpid(rogue->pid, &status, 0), rogue->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    buf_free(&rogue->sealed);
    site_close(&rogue->site);
}

/* --- judging what was signed --- */

/* allowed_eku as an administrator who says nothing has it. */
static bool is_allowed_purpose(struct bytes oid)
{
    return oid_is(oid, OID_KP_CLIENT_AUTH) || oid_is(oid, OID_KP_SERVER_AUTH) ||
           oid_is(oid, OID_KP_EMAIL_PROTECTION) || oid_is(oid, OID_KP_REQUEST_AGENT) ||
           oid_is(oid, OID_KP_OCSP_SIGNING);
}

static void judge_certificate(const struct rogue *rogue, struct bytes der)
{
    struct cert cert;
    struct why why;
    const struct site *site = &rogue->site;
    ASSERT_OK(cert_parse(der, &cert, &why), &why);
    ASSERT_OK(cert_verify(&cert, site->ca_key->public_half, &why), &why);
    ASSERT_BYTES(cert.issuer, buf_bytes(&site->ca_name));
    ASSERT_BYTES(cert.aki, buf_bytes(&site->ca_ski));
    assert_false(cert.is_ca);
    assert_int_equal(cert.key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN), 0);
    assert_int_equal(cert.version, 3);
    assert_in_range(cert.serial.len, 16, 20);
    assert_true(cert.serial.data[0] < 0x80);
    assert_true(cert.not_after - cert.not_before <= 100 * DAY + 600);
    assert_true(cert.not_after <= site->clock.held + 150 * DAY);
    assert_true(cert.not_before <= time(NULL) + 300);
    struct der_reader purposes = der_reader_over(cert.eku);
    assert_false(der_at_end(&purposes));
    for (struct bytes oid; !der_at_end(&purposes);) {
        assert_true(der_get_oid(&purposes, &oid));
        if (!is_allowed_purpose(oid))
            fail_msg("signed with a purpose that is not allowed");
    }
}

static void judge_crl(struct rogue *rogue, struct bytes der)
{
    struct crl crl;
    struct why why;
    ASSERT_OK(crl_parse(der, &crl, &why), &why);
    ASSERT_OK(crl_verify(&crl, rogue->site.ca_key->public_half, &why), &why);
    ASSERT_BYTES(crl.issuer, buf_bytes(&rogue->site.ca_name));
    assert_true(crl.number >= rogue->crl_number); /* the same: asked for again, and the same bytes come */
    assert_true(crl.this_update <= time(NULL) + 300);
    assert_true(crl.next_update - crl.this_update <= 8 * DAY + DAY);
    rogue->crl_number = crl.number;
}

/* --- asking --- */

static enum err ask_body(struct rogue *rogue, struct bytes body, enum seal_kind kind)
{
    AUTO_BUF answer = { 0 }, whole = { 0 };
    struct seal_request request;
    struct bytes sealed;
    struct why why;
    rogue->asked++;
    enum err err = channel_call(rogue->channel, "seal", body, 30000, &answer, &why);
    if (err != OK) {
        rogue->refused++;
        assert_null(strstr(why.text, "connection lost")); /* it lives */
        assert_int_not_equal(err, ERR_TIMEOUT);
        return err;
    }
    ASSERT_OK(seal_request_get(body, &request, &why), &why);
    ASSERT_OK(seal_answer_get(buf_bytes(&answer), &sealed, &why), &why);
    seal_answer_join(&request, sealed, &whole);
    rogue->seals++;
    if (kind == SEAL_CRL)
        judge_crl(rogue, buf_bytes(&whole));
    else
        judge_certificate(rogue, buf_bytes(&whole));
    buf_append(&rogue->sealed, buf_bytes(&whole));
    return OK;
}

static enum err ask(struct rogue *rogue, const char *ca, enum seal_kind kind, struct bytes tbs)
{
    AUTO_BUF body = { 0 };
    const struct seal_request request = { bytes_str(ca), kind, tbs };
    seal_request_put(&body, &request);
    return ask_body(rogue, buf_bytes(&body), kind);
}

/* --- forgeries: each changes one thing, and each is refused --- */

struct forgery {
    const char *name;
    void (*change)(struct rogue *rogue, struct leaf *leaf);
    const char *ca; /* NULL: the right one */
    int kind;       /* 0: a certificate */
};

static void other_issuer(struct rogue *rogue, struct leaf *leaf)
{
    (void)rogue;
    leaf->params.issuer = buf_bytes(&leaf->subject);
}

static void no_key_id(struct rogue *rogue, struct leaf *leaf)
{
    static const uint8_t other[20] = { 1 };
    leaf->params.issuer_key_id = prng_below(&rogue->prng, 2) ? BYTES_ARR(other) : bytes_of(other, 19);
}

static void is_ca(struct rogue *rogue, struct leaf *leaf)
{
    leaf->params.is_ca = true;
    leaf->params.path_len = (int)prng_below(&rogue->prng, 3) - 1;
    leaf->params.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
}

static void signs_certificates(struct rogue *rogue, struct leaf *leaf)
{
    leaf->params.key_usage |= prng_below(&rogue->prng, 2) ? KU_KEY_CERT_SIGN : KU_CRL_SIGN;
}

static void too_long(struct rogue *rogue, struct leaf *leaf)
{
    leaf->params.not_after = leaf->params.not_before + 100 * DAY + 601 + prng_below(&rogue->prng, 1000);
}

static void beyond_the_ca(struct rogue *rogue, struct leaf *leaf)
{
    leaf->params.not_after = rogue->site.clock.held + 150 * DAY + 1 + prng_below(&rogue->prng, 1000000);
}

static void in_the_future(struct rogue *rogue, struct leaf *leaf)
{
    leaf->params.not_before = (int64_t)time(NULL) + 400 + prng_below(&rogue->prng, 1000000);
}

static void long_ago(struct rogue *rogue, struct leaf *leaf)
{
    leaf->params.not_before = (int64_t)time(NULL) - 3 * DAY - prng_below(&rogue->prng, 1000000);
    leaf->params.not_after = leaf->params.not_before + 10 * DAY;
}

static void other_purpose(struct rogue *rogue, struct leaf *leaf)
{
    const struct bytes purposes[] = { oid_bytes(OID_KP_ANY), oid_bytes(OID_KP_CODE_SIGNING),
                                      BYTES_LIT("\x2b\x06\x01\x05\x05\x07\x03\x08"),
                                      BYTES_LIT("\x2a\x03\x04") };
    leaf->eku[0] = purposes[prng_below(&rogue->prng, 4)];
    if (prng_below(&rogue->prng, 2)) { /* behind a good one */
        leaf->eku[1] = leaf->eku[0];
        leaf->eku[0] = oid_bytes(OID_KP_CLIENT_AUTH);
        leaf->params.eku_count = 2;
    }
}

static void no_purpose(struct rogue *rogue, struct leaf *leaf)
{
    (void)rogue;
    leaf->params.eku_count = 0;
}

static void other_algorithm(struct rogue *rogue, struct leaf *leaf)
{
    static const struct signature_algorithm others[] = {
        { true, DIGEST_SHA256 }, { false, DIGEST_SHA384 }, { false, DIGEST_SHA512 }, { true, DIGEST_SHA1 }
    };
    leaf->params.algorithm = others[prng_below(&rogue->prng, 4)];
}

static void nothing(struct rogue *rogue, struct leaf *leaf)
{
    (void)rogue, (void)leaf;
}

static const struct forgery forgeries[] = {
    { "another issuer", other_issuer, NULL, 0 },
    { "another key identifier", no_key_id, NULL, 0 },
    { "a CA", is_ca, NULL, 0 },
    { "a key usage of CAs", signs_certificates, NULL, 0 },
    { "too long", too_long, NULL, 0 },
    { "longer than the CA", beyond_the_ca, NULL, 0 },
    { "in the future", in_the_future, NULL, 0 },
    { "long ago", long_ago, NULL, 0 },
    { "another purpose", other_purpose, NULL, 0 },
    { "no purpose", no_purpose, NULL, 0 },
    { "another algorithm", other_algorithm, NULL, 0 },
    { "another CA", nothing, "node", 0 },
    { "another CA's case", nothing, "Issuing", 0 },
    { "no CA", nothing, "", 0 },
    { "a certificate as a CRL", nothing, NULL, SEAL_CRL },
    { "an unknown kind", nothing, NULL, 3 },
    { "kind 0", nothing, NULL, -1 },
};
#define FORGERIES (sizeof(forgeries) / sizeof(*forgeries))

static void forge(struct rogue *rogue, const struct forgery *forgery)
{
    struct leaf leaf;
    struct why why;
    AUTO_BUF tbs = { 0 };
    leaf_make(&rogue->site, &leaf);
    leaf.params.not_before = (int64_t)time(NULL) - 600;
    forgery->change(rogue, &leaf);
    enum err err = tbs_build(&leaf.params, &tbs, &why);
    buf_free(&leaf.subject);
    ASSERT_OK(err, &why);
    enum seal_kind kind = forgery->kind == 0  ? SEAL_CERTIFICATE
                          : forgery->kind < 0 ? 0
                                              : (enum seal_kind)forgery->kind;
    if (ask(rogue, forgery->ca ? forgery->ca : "issuing", kind, buf_bytes(&tbs)) == OK)
        fail_msg("signed: %s", forgery->name);
}

/* A serial's form cannot be had from tbs_build, which knows it: the octets are put in their place. */
static void forge_serial(struct rogue *rogue)
{
    AUTO_BUF tbs = { 0 };
    struct leaf leaf;
    leaf_make(&rogue->site, &leaf);
    leaf.params.not_before = (int64_t)time(NULL) - 600;
    struct bytes serial = leaf.params.serial;
    leaf_tbs(&leaf, &tbs);
    uint8_t *at = memmem(tbs.data, tbs.len, serial.data, serial.len);
    assert_non_null(at);
    uint8_t *first = at[-1] == 0 ? at - 1 : at; /* the octet that keeps it positive */
    if (prng_below(&rogue->prng, 2))
        *first |= 0x80;
    else /* zero, or with octets in front that DER leaves out */
        memset(at, 0, serial.len - prng_below(&rogue->prng, 4));
    assert_int_not_equal(ask(rogue, "issuing", SEAL_CERTIFICATE, buf_bytes(&tbs)), OK);
}

/* --- CRLs --- */

static enum err ask_crl(struct rogue *rogue, const struct crl_params *params)
{
    AUTO_BUF tbs = { 0 };
    crl_tbs(params, &tbs);
    return ask(rogue, "issuing", SEAL_CRL, buf_bytes(&tbs));
}

static void forge_crl(struct rogue *rogue)
{
    const struct site *site = &rogue->site;
    struct crl_params params = crl_good(site, rogue->crl_number + 1);
    params.this_update = (int64_t)time(NULL) - 60;
    params.next_update = params.this_update + 7 * DAY;
    switch (prng_below(&rogue->prng, 7)) {
    case 0:
        params.number =
            rogue->crl_number ? (int64_t)prng_below(&rogue->prng, (uint32_t)rogue->crl_number) : 0;
        break;
    case 1:
        params.number = rogue->crl_number; /* the same number, another list */
        params.this_update -= 1 + prng_below(&rogue->prng, 1000);
        break;
    case 2:
        params.this_update += 10 * DAY;
        params.next_update += 10 * DAY;
        break;
    case 3:
        params.next_update += 1000 * DAY;
        break;
    case 4:
        params.issuer_key_id = BYTES_LIT("another key's");
        break;
    case 5: /* what changed, as all there is */
        params.is_delta = true;
        params.base_number = rogue->crl_number;
        break;
    default:
        params.algorithm = (struct signature_algorithm){ true, DIGEST_SHA256 };
    }
    assert_int_not_equal(ask_crl(rogue, &params), OK);
}

static void good_crl(struct rogue *rogue)
{
    struct crl_params params = crl_good(&rogue->site, rogue->crl_number + 1 + prng_below(&rogue->prng, 3));
    params.this_update = (int64_t)time(NULL) - 60;
    params.next_update = params.this_update + 7 * DAY;
    assert_int_equal(ask_crl(rogue, &params), OK);
}

/* --- a good one, changed anywhere: what is still inside the limits may be signed --- */

static void mutate(struct rogue *rogue)
{
    AUTO_BUF body = { 0 }, tbs = { 0 };
    struct leaf leaf;
    leaf_make(&rogue->site, &leaf);
    leaf.params.not_before = (int64_t)time(NULL) - 600;
    leaf_tbs(&leaf, &tbs);
    bool inside = prng_below(&rogue->prng, 2); /* the TBS, or all of the frame's body */
    if (inside) {
        for (unsigned n = 1 + prng_below(&rogue->prng, 2); n; n--)
            tbs.data[prng_below(&rogue->prng, (uint32_t)tbs.len)] ^=
                (uint8_t)(1 << prng_below(&rogue->prng, 8));
        if (prng_below(&rogue->prng, 10) == 0)
            tbs.len -= prng_below(&rogue->prng, (uint32_t)tbs.len - 1);
    }
    const struct seal_request request = { BYTES_LIT("issuing"), SEAL_CERTIFICATE, buf_bytes(&tbs) };
    seal_request_put(&body, &request);
    if (!inside) /* behind the outer header: what is no whole element ends the connection, and the signer with it */
        body.data[4 + prng_below(&rogue->prng, (uint32_t)body.len - 4)] ^=
            (uint8_t)(1 + prng_below(&rogue->prng, 255));
    (void)ask_body(rogue, buf_bytes(&body), SEAL_CERTIFICATE);
}

static void good_certificate(struct rogue *rogue)
{
    AUTO_BUF tbs = { 0 };
    struct leaf leaf;
    leaf_make(&rogue->site, &leaf);
    leaf.params.not_before = (int64_t)time(NULL) - 600;
    leaf_tbs(&leaf, &tbs);
    assert_int_equal(ask(rogue, "issuing", SEAL_CERTIFICATE, buf_bytes(&tbs)), OK);
    assert_int_equal(ask(rogue, "issuing", SEAL_CERTIFICATE, buf_bytes(&tbs)), OK); /* again: the same one */
}

/* --- the journal --- */

static enum err journalled(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why)
{
    (void)offset, (void)why;
    struct buf *all = arg;
    buf_append(all, entry->der);
    return OK;
}

/* Everything that came back is there; and nothing is there that did not come back. */
static void journal_check(struct rogue *rogue)
{
    struct why why;
    uint64_t torn;
    AUTO_BUF all = { 0 };
    AUTO_STR path = site_file(&rogue->site, "journal");
    ASSERT_OK(journal_each(path, journalled, &all, &torn, &why), &why);
    assert_int_equal(torn, 0);
    struct der_reader sealed = der_reader_over(buf_bytes(&rogue->sealed)),
                      in = der_reader_over(buf_bytes(&all));
    for (struct bytes der; !der_at_end(&sealed);) {
        assert_true(der_get_whole(&sealed, DER_SEQUENCE, &der));
        if (!memmem(all.data, all.len, der.data, der.len))
            fail_msg("signed, and not in the journal");
    }
    for (struct bytes der; !der_at_end(&in);) {
        assert_true(der_get_whole(&in, DER_SEQUENCE, &der));
        if (!memmem(rogue->sealed.data, rogue->sealed.len, der.data, der.len))
            fail_msg("in the journal, and never answered");
    }
}

TEST(nothing_outside_the_limits_is_signed_and_all_that_is_signed_is_journalled)
{
    struct rogue rogue = { 0 };
    rogue_begin(&rogue);
    good_crl(&rogue);
    for (unsigned round = 0; round < ROUNDS; round++) {
        switch (round % 8) {
        case 0:
        case 1:
        case 2:
            forge(&rogue, &forgeries[round / 8 % FORGERIES]);
            break;
        case 3:
            forge_serial(&rogue);
            break;
        case 4:
            forge_crl(&rogue);
            break;
        default:
            mutate(&rogue);
        }
        if (round % 500 == 0) {
            good_crl(&rogue);
            good_certificate(&rogue);
        }
    }
    journal_check(&rogue);
    print_message("%u frames, %u refused, %u inside the limits and journalled\n", rogue.asked, rogue.refused,
                  rogue.seals);
    assert_true(rogue.refused > ROUNDS / 2);
    rogue_end(&rogue);
}

RUN(T(nothing_outside_the_limits_is_signed_and_all_that_is_signed_is_journalled))

/* SPDX-License-Identifier: Apache-2.0 */
/* What a role that somebody has taken over gets of ca: its own TLS certificate anew, and no other. */
#include "ca/own_tls.h"
#include "base/encode.h"
#include "ca/verbs.h"
#include "tests/unit/ca/fixture.h"
#include "tests/unit/ca/verb_ask.h"
#include "tests/unit/ca/verb_call.h"
#include "x509/san.h"
#include <stdio.h>

#define DAY_S 86400
#define NAMES "dns:pki.example.net dns:localhost ip:127.0.0.1"

static struct world *world;

static int begin(void **state)
{
    (void)state;
    world = world_new(KEY_EC_P256);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_free(world);
    return 0;
}

#define W(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* A key and its certificate. */
struct held {
    struct key *key;
    struct buf der;
    struct cert cert;
};

static void held_free(struct held *held)
{
    key_free(held->key);
    buf_free(&held->der);
}
#define HELD(name, ...) __attribute__((cleanup(held_free), unused)) struct held name = __VA_ARGS__

static void names_put(const char *names, struct buf *ret)
{
    char each[3][64] = { "", "", "" };
    AUTO_BUF list = { 0 };
    struct why why = { 0 };
    sscanf(names, "%63s %63s %63s", each[0], each[1], each[2]);
    for (size_t i = 0; i < 3 && *each[i]; i++)
        ASSERT_OK(san_put_text(&list, each[i], &why), &why);
    san_put_end(ret, buf_bytes(&list));
}

static struct key *key_new(void)
{
    struct key *key = NULL;
    struct why why = { 0 };
    ASSERT_OK(key_generate(&(struct key_spec){ .kind = KEY_EC_P256 }, NULL, &key, &why), &why);
    return key;
}

/* As init does. */
static struct held init_made(const char *template)
{
    struct held held = { .key = key_new() };
    struct why why = { 0 };
    AUTO_BUF subject = name_of("CN=pki.example.net"), san = { 0 };
    if (strcmp(template, OWN_TLS_TEMPLATE) == 0)
        names_put(NAMES, &san);
    const struct bootstrap_request request = { .ca = "issuing",
                                               .template_name = template,
                                               .spki = public_key_spki(held.key->public_half),
                                               .subject = buf_bytes(&subject),
                                               .san = buf_bytes(&san) };
    ASSERT_OK(ca_bootstrap_issue(world->ca, &request, &held.der, &why), &why);
    ASSERT_OK(cert_parse(buf_bytes(&held.der), &held.cert, &why), &why);
    return held;
}

/* A renewal, with everything about it that an attacker could change. */
struct asked {
    const char *peer;
    const struct held *follows;
    const char *subject, *names;
    const struct key *key;    /* the new one */
    const struct key *proven; /* whose signature the proof is */
    struct bytes certificate; /* instead of that of follows */
    struct bytes more;        /* extensions */
};

static void field_put(struct buf *body, const char *name, struct bytes value)
{
    AUTO_BUF text = { 0 };
    base64_append(&text, value);
    record_put(body, name, buf_bytes(&text));
}

static enum err ask(const struct asked *asked, struct buf *ret_der, struct why *why)
{
    AUTO_BUF subject = name_of(asked->subject ? asked->subject : "CN=pki.example.net");
    AUTO_BUF san = { 0 }, extensions = { 0 }, csr = { 0 }, said = { 0 }, proof = { 0 }, body = { 0 },
             answer = { 0 };
    const struct key *proven = asked->proven ? asked->proven : asked->follows->key;
    struct bytes der, issuer = BYTES_NONE;
    names_put(asked->names ? asked->names : NAMES, &san);
    extension_put_san(&extensions, buf_bytes(&san), false);
    buf_append(&extensions, asked->more);
    const struct csr_params params = { .subject = buf_bytes(&subject), .extensions = buf_bytes(&extensions) };
    ASSERT_OK(csr_make(&params, asked->key, &csr, why), why);
    buf_append(&said, bytes_of(OWN_TLS_LABEL, sizeof(OWN_TLS_LABEL)));
    buf_append(&said, buf_bytes(&csr));
    ASSERT_OK(key_sign(proven, key_signature_algorithm(proven).digest, buf_bytes(&said), &proof, why), why);
    size_t mark = record_begin(&body);
    field_put(&body, "certificate",
              asked->certificate.len ? asked->certificate : buf_bytes(&asked->follows->der));
    field_put(&body, "csr", buf_bytes(&csr));
    field_put(&body, "proof", buf_bytes(&proof));
    record_end(&body, mark);
    const struct ipc_caller caller = { asked->peer };
    TRY(verb_call(verb_named("tls_renew"), world->ca, &caller, buf_bytes(&body), &answer, why));
    struct der_reader in = der_reader_over(buf_bytes(&answer)), both;
    assert_true(der_get_sequence(&in, &both) && der_at_end(&in));
    assert_true(der_get_octets(&both, &der) && der_get_octets(&both, &issuer) && der_at_end(&both));
    ASSERT_BYTES(issuer, buf_bytes(&world->ca_cert));
    *ret_der = buf_dup(der);
    return OK;
}

static struct held renewed(const char *peer, const struct held *follows)
{
    struct held held = { .key = key_new() };
    struct why why = { 0 };
    ASSERT_OK(ask(&(struct asked){ .peer = peer, .follows = follows, .key = held.key }, &held.der, &why),
              &why);
    ASSERT_OK(cert_parse(buf_bytes(&held.der), &held.cert, &why), &why);
    return held;
}

static int64_t certificates(void)
{
    return world_count(world, "SELECT COUNT(*) FROM certificate WHERE status <> 'void'");
}

/* Nothing is issued, and the reason says what it must. */
static void refused(enum err expected, const char *says, struct asked asked)
{
    struct key *key = key_new();
    AUTO_BUF der = { 0 };
    struct why why = { 0 };
    int64_t before = certificates();
    if (!asked.key)
        asked.key = key;
    enum err err = ask(&asked, &der, &why);
    if (err != expected || !strstr(why.text, says))
        fail_msg("wanted %s with \"%s\", got %s: %s", err_row(expected)->name, says, err_row(err)->name,
                 why.text);
    assert_int_equal(before, certificates());
    key_free(key);
}

static void pass(int64_t seconds)
{
    world->clock.held += seconds;
}

static void revoke(const struct held *held, const char *reason)
{
    AUTO_BUF serial = { 0 }, answer = { 0 };
    struct why why = { 0 };
    serial_append_text(&serial, held->cert.serial);
    ASSERT_OK(CALL("cert_revoke", &answer, &why, "serial", buf_text(&serial), "reason", reason), &why);
}

/* --- what it is for --- */

TEST(a_role_gets_its_certificate_of_init_anew_with_its_names_and_its_purpose)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    pass(335 * DAY_S);
    HELD(second, renewed("scep", &first));
    ASSERT_BYTES(second.cert.subject, first.cert.subject);
    ASSERT_BYTES(second.cert.san, first.cert.san);
    assert_true(cert_allows_eku(&second.cert, OID_KP_SERVER_AUTH));
    assert_false(cert_allows_eku(&second.cert, OID_KP_CLIENT_AUTH));
    assert_true(second.cert.not_after > first.cert.not_after);
    assert_int_equal(1,
                     world_count(world, "SELECT COUNT(*) FROM audit WHERE action = 'tls_renew' AND actor = "
                                        "'role/scep'"));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM request WHERE requester = 'role/scep' AND "
                                           "template = 'WebServer' AND validator = 'role'"));
    pass(335 * DAY_S);
    HELD(third, renewed("scep", &second)); /* and so on */
    ASSERT_BYTES(third.cert.san, first.cert.san);
}

TEST(mdm_renews_its_own_without_being_an_authority)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    HELD(second, renewed("mdm", &first));
    assert_int_equal(1, world_count(world, "SELECT COUNT(*) FROM certificate WHERE requester = 'role/mdm'"));
}

TEST(the_same_request_again_brings_the_same_certificate)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    HELD(second, renewed("scep", &first));
    AUTO_BUF again = { 0 };
    struct why why = { 0 };
    const struct asked asked = { .peer = "scep", .follows = &first, .key = second.key };
    ASSERT_OK(ask(&asked, &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&second.der), buf_bytes(&again));
}

TEST(one_that_ended_lately_is_followed_and_one_that_ended_long_ago_is_not)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    pass(first.cert.not_after + OWN_TLS_LATE_S - clock_now(&world->clock));
    HELD(second, renewed("scep", &first));
    pass(1);
    refused(ERR_EXPIRED, "more than 30 days ago", (struct asked){ .peer = "scep", .follows = &first });
}

/* --- what it is not for --- */

TEST(another_subject_is_refused)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    refused(ERR_TEMPLATE_SUBJECT, "CN=bank.example",
            (struct asked){ .peer = "scep", .follows = &first, .subject = "CN=bank.example" });
    refused(ERR_TEMPLATE_SUBJECT, "O=more",
            (struct asked){ .peer = "scep", .follows = &first, .subject = "CN=pki.example.net,O=more" });
}

TEST(other_names_more_names_and_fewer_names_are_refused)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    refused(ERR_TEMPLATE_SAN, "dns:bank.example",
            (struct asked){
                .peer = "scep", .follows = &first, .names = "dns:bank.example dns:localhost ip:127.0.0.1" });
    refused(ERR_TEMPLATE_SAN, "pki.example.net",
            (struct asked){ .peer = "scep", .follows = &first, .names = "dns:pki.example.net" });
    refused(ERR_TEMPLATE_SAN, "ip:127.0.0.1",
            (struct asked){ .peer = "scep",
                            .follows = &first,
                            .names = "dns:localhost dns:pki.example.net ip:127.0.0.1" });
}

TEST(a_template_that_got_another_purpose_gives_none)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    ASSERT_OK(CALL("template_set", &answer, &why, "name", OWN_TLS_TEMPLATE, "eku", "serverAuth,clientAuth"),
              &why);
    refused(ERR_TEMPLATE, "purpose beside serverAuth", (struct asked){ .peer = "scep", .follows = &first });
}

TEST(a_certificate_of_another_template_is_not_followed)
{
    HELD(agent, init_made("EnrollmentAgentOffline"));
    refused(ERR_NOT_AUTHORISED, "wanted: WebServer", (struct asked){ .peer = "scep", .follows = &agent });
}

TEST(the_certificate_of_another_role_is_not_followed)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    HELD(second, renewed("mdm", &first));
    refused(ERR_NOT_AUTHORISED, "issued to role/mdm, not to role/scep",
            (struct asked){ .peer = "scep", .follows = &second });
}

TEST(what_an_administrator_asked_for_is_not_followed)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    world_exec(world, "UPDATE certificate SET requester = 'cli'");
    refused(ERR_NOT_AUTHORISED, "issued to cli", (struct asked){ .peer = "scep", .follows = &first });
}

TEST(a_certificate_whose_key_the_role_has_not_is_not_followed)
{
    HELD(of_scep, init_made(OWN_TLS_TEMPLATE));
    HELD(of_mdm, init_made(OWN_TLS_TEMPLATE));
    refused(ERR_NOT_AUTHORISED, "does not prove",
            (struct asked){ .peer = "scep", .follows = &of_mdm, .proven = of_scep.key });
}

/* The right issuer's name, the right serial, and names of the attacker's choice. */
TEST(a_look_alike_of_our_certificate_is_not_followed)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    AUTO_BUF forged = buf_dup(buf_bytes(&first.der));
    forged.data[forged.len - 1] ^= 1; /* of the signature */
    refused(ERR_NOT_FOUND, "like this one",
            (struct asked){ .peer = "scep", .follows = &first, .certificate = buf_bytes(&forged) });
}

TEST(a_bought_certificate_is_of_no_ca_here)
{
    HELD(bought, { .key = key_new() });
    struct why why = { 0 };
    bought.der = self_signed_of(bought.key, "CN=pki.example.net");
    ASSERT_OK(cert_parse(buf_bytes(&bought.der), &bought.cert, &why), &why);
    refused(ERR_NOT_FOUND, "of no CA here", (struct asked){ .peer = "scep", .follows = &bought });
}

TEST(a_revoked_certificate_is_never_renewed)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    revoke(&first, "superseded");
    refused(ERR_REVOKED, "is revoked", (struct asked){ .peer = "scep", .follows = &first });
}

TEST(an_older_certificate_does_not_get_past_the_revocation_of_the_one_that_followed_it)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    HELD(second, renewed("scep", &first));
    revoke(&second, "keyCompromise");
    refused(ERR_REVOKED, "which followed", (struct asked){ .peer = "scep", .follows = &first });
}

TEST(the_end_of_an_old_one_does_not_keep_the_current_one_from_being_renewed)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    HELD(second, renewed("scep", &first));
    revoke(&first, "superseded");
    HELD(third, renewed("scep", &second));
}

/* Revoked between the look before and T1. */
static void revoke_all(struct world *of)
{
    world_exec(of, "UPDATE certificate SET status = 'revoked' WHERE status = 'valid'");
}

TEST(a_revocation_while_the_successor_is_sealed_stops_the_next)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    world->on_seal = revoke_all;
    HELD(second, renewed("scep", &first));
    refused(ERR_REVOKED, "is revoked", (struct asked){ .peer = "scep", .follows = &first });
}

TEST(there_are_so_many_a_day_and_a_day_later_more)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    for (int i = 0; i < OWN_TLS_PER_DAY; i++) {
        HELD(next, renewed("scep", &first));
    }
    refused(ERR_RATE, "limit 3", (struct asked){ .peer = "scep", .follows = &first });
    HELD(of_mdm, renewed("mdm", &first)); /* each role has its own */
    pass(DAY_S + 1);
    HELD(later, renewed("scep", &first));
}

TEST(nobody_else_asks_and_a_role_without_the_right_does_not)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    AUTO_BUF answer = { 0 };
    struct why why = { 0 };
    static const char *const others[] = { "cli", "va", "connector" };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(strstr(verb_named("tls_renew")->principals, others[i]) != NULL);
    ASSERT_OK(CALL("right_deny", &answer, &why, "principal", "role/scep", "rights", "request"), &why);
    refused(ERR_NOT_AUTHORISED, "role/scep lacks", (struct asked){ .peer = "scep", .follows = &first });
}

/* The verb for the roles' other certificates does not give it either. */
TEST(issue_gives_no_web_server_to_a_role)
{
    HELD(first, init_made(OWN_TLS_TEMPLATE));
    struct device device = device_new(&(struct ask){ .subject = "CN=pki.example.net" });
    AUTO_BUF text = { 0 }, body = { 0 }, answer = { 0 };
    struct why why = { 0 };
    const struct ipc_caller caller = { "scep" };
    base64_append(&text, buf_bytes(&device.csr));
    size_t mark = record_begin(&body);
    record_put_str(&body, "template", OWN_TLS_TEMPLATE);
    record_put(&body, "csr", buf_bytes(&text));
    record_end(&body, mark);
    ASSERT_ERR(ERR_TEMPLATE_DENIED,
               verb_call(verb_named("issue"), world->ca, &caller, buf_bytes(&body), &answer, &why), &why);
    device_free(&device);
}

/* clang-format off: one a line */
RUN(W(a_role_gets_its_certificate_of_init_anew_with_its_names_and_its_purpose),
    W(mdm_renews_its_own_without_being_an_authority), W(the_same_request_again_brings_the_same_certificate),
    W(one_that_ended_lately_is_followed_and_one_that_ended_long_ago_is_not), W(another_subject_is_refused),
    W(other_names_more_names_and_fewer_names_are_refused), W(a_template_that_got_another_purpose_gives_none),
    W(a_certificate_of_another_template_is_not_followed), W(the_certificate_of_another_role_is_not_followed),
    W(what_an_administrator_asked_for_is_not_followed),
    W(a_certificate_whose_key_the_role_has_not_is_not_followed),
    W(a_look_alike_of_our_certificate_is_not_followed), W(a_bought_certificate_is_of_no_ca_here),
    W(a_revoked_certificate_is_never_renewed),
    W(an_older_certificate_does_not_get_past_the_revocation_of_the_one_that_followed_it),
    W(the_end_of_an_old_one_does_not_keep_the_current_one_from_being_renewed),
    W(a_revocation_while_the_successor_is_sealed_stops_the_next),
    W(there_are_so_many_a_day_and_a_day_later_more),
    W(nobody_else_asks_and_a_role_without_the_right_does_not), W(issue_gives_no_web_server_to_a_role))
/* clang-format on */

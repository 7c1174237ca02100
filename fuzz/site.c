/* SPDX-License-Identifier: Apache-2.0 */
/* The service in memory. */
#include "fuzz/site.h"

#include "base/log.h"
#include "fuzz/give_back.h"
#include "fuzz/target.h"
#include "ipc/enroll.h"
#include "ipc/record.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/name.h"

static struct fuzz_site the_site;

/* --- certificates --- */

struct wanted {
    const char *subject;
    struct bytes spki;
    uint16_t key_usage;
    bool is_ca, self_issued;
};

static struct buf certificate(const struct wanted *wanted)
{
    static const uint8_t serial[SERIAL_BYTES] = { 1,  2,  3,  4,  5,  6,  7,  8,  9, 10,
                                                  11, 12, 13, 14, 15, 16, 17, 18, 19 };
    struct why why;
    AUTO_BUF subject = { 0 }, issuer = { 0 }, tbs = { 0 }, signature = { 0 };
    struct buf der = { 0 };
    const char *issuer_text = wanted->self_issued ? wanted->subject : "CN=Example Issuing CA,O=Example";
    PROMISE(name_from_text(wanted->subject, &subject, &why) == OK);
    PROMISE(name_from_text(issuer_text, &issuer, &why) == OK);
    struct tbs_params params = { .serial = BYTES_ARR(serial),
                                 .algorithm = key_signature_algorithm(the_site.ca_key),
                                 .issuer = buf_bytes(&issuer),
                                 .subject = buf_bytes(&subject),
                                 .spki = wanted->spki,
                                 .not_before = SITE_NOW - 86400,
                                 .not_after = SITE_NOW + 3650LL * 86400,
                                 .key_usage = wanted->key_usage,
                                 .is_ca = wanted->is_ca,
                                 .path_len = -1 };
    PROMISE(tbs_build(&params, &tbs, &why) == OK);
    PROMISE(key_sign(the_site.ca_key, params.algorithm.digest, buf_bytes(&tbs), &signature, &why) == OK);
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), &der);
    return der;
}

static struct buf certificate_list(void)
{
    struct why why;
    struct cert ca;
    struct crl_builder builder = { 0 };
    AUTO_BUF tbs = { 0 }, signature = { 0 };
    struct buf der = { 0 };
    PROMISE(cert_parse(buf_bytes(&the_site.ca_der), &ca, &why) == OK);
    struct crl_params params = { .algorithm = key_signature_algorithm(the_site.ca_key),
                                 .issuer = ca.subject,
                                 .issuer_key_id = ca.ski,
                                 .this_update = SITE_NOW,
                                 .next_update = SITE_NOW + 86400,
                                 .number = 7 };
    crl_begin(&builder, &params);
    crl_end(&builder, &tbs);
    PROMISE(key_sign(the_site.ca_key, params.algorithm.digest, buf_bytes(&tbs), &signature, &why) == OK);
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), &der);
    return der;
}

/* --- the ca behind scep --- */

static void answer_issued(struct bytes spki, struct buf *ret)
{
    AUTO_BUF leaf = certificate(
        &(struct wanted){ .subject = "CN=device", .spki = spki, .key_usage = KU_DIGITAL_SIGNATURE });
    const struct enroll_answer answer = { ENROLL_ISSUED, 42, buf_bytes(&leaf) };
    enroll_answer_put(ret, &answer);
}

/* What scep lets pass, ca's decoder takes: anything else would be a refusal nobody can explain. */
static enum err asked(const char *verb, struct bytes body, struct buf *ret, struct why *why)
{
    struct enroll_request request;
    struct enroll_poll poll;
    struct record record;
    struct csr csr;
    struct cert signer;
    if (strcmp(verb, "request") == 0) {
        PROMISE(enroll_request_get(body, &request, why) == OK && csr_parse(request.csr, &csr, why) == OK);
        AUTO(public_key) key = NULL;
        TRY(public_key_parse(csr.spki, &key, why));
        answer_issued(csr.spki, ret);
        return OK;
    }
    if (strcmp(verb, "poll") == 0) {
        PROMISE(enroll_poll_get(body, &poll, why) == OK && cert_parse(poll.signer_cert, &signer, why) == OK);
        answer_issued(signer.spki, ret);
        return OK;
    }
    PROMISE(record_get(body, &record, why) == OK);
    AUTO_BUF der =
        strcmp(verb, "get_crl") == 0 ? certificate_list() : buf_dup(buf_bytes(&the_site.enrolled_der));
    der_put_octets(ret, buf_bytes(&der));
    return OK;
}

static enum err call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret,
                     struct why *why)
{
    AUTO_BUF usual = { 0 };
    (void)client;
    the_site.calls++;
    TRY(asked(verb, body, &usual, why));
    if (the_site.refusal != OK)
        return fail(why, the_site.refusal, "the target says %s", err_row(the_site.refusal)->name);
    if (the_site.has_answer)
        buf_append(ret, the_site.answer);
    else
        buf_append(ret, buf_bytes(&usual));
    return OK;
}

static void client_free(struct ca_client *client)
{
    (void)client;
}

/* --- making it --- */

static void ra_add(struct ra_set *set, const char *subject, uint16_t key_usage, bool for_signature)
{
    struct why why;
    struct ra_key held = { .generation = 1, .key = give_back_new() };
    held.der = certificate(&(struct wanted){
        .subject = subject, .spki = public_key_spki(held.key->public_half), .key_usage = key_usage });
    PROMISE(ra_set_add(set, &held, for_signature, &why) == OK);
}

static struct endpoint_set *endpoints_make(struct fuzz_site *site)
{
    struct why why;
    struct ra_set **sets = xcalloc(1, sizeof(struct ra_set *));
    site->ra = sets[0] = ra_set_new("default", false);
    ra_add(site->ra, "CN=CEP Encryption", KU_KEY_ENCIPHERMENT, false);
    ra_add(site->ra, "CN=Enrollment Agent", KU_DIGITAL_SIGNATURE, true);
    struct endpoint *endpoint = xcalloc(1, sizeof(*endpoint));
    struct endpoint_params params = { .name = "default",
                                      .validator = "static",
                                      .ca = "issuing",
                                      .allow_des = true,
                                      .allow_3des = true,
                                      .allow_sha1 = true,
                                      .fail_info_text = true,
                                      .certrep = CERTREP_CHAIN,
                                      .ra = site->ra,
                                      .issuer = buf_bytes(&site->ca_der),
                                      .root = buf_bytes(&site->ca_der) };
    PROMISE(endpoint_make(&params, endpoint, &why) == OK);
    return endpoint_set_new(endpoint, 1, sets, 1);
}

static const struct budget_limits budget = { BUDGET_PER_ADDRESS, BUDGET_PER_KEY };

struct fuzz_site *fuzz_site(void)
{
    static const struct ca_client_ops ops = { "fuzz", call, client_free, NULL };
    static struct ca_client client = { &ops };
    struct fuzz_site *site = &the_site;
    struct why why;
    if (site->scep)
        return site;
    log_level_set(LOG_LEVEL_ERROR + 1);
    struct key_spec spec = { KEY_EC_P256, 0 };
    PROMISE(key_generate(&spec, NULL, &site->ca_key, &why) == OK);
    struct bytes spki = public_key_spki(site->ca_key->public_half);
    site->ca_der = certificate(&(struct wanted){ .subject = "CN=Example Issuing CA,O=Example",
                                                 .spki = spki,
                                                 .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
                                                 .is_ca = true });
    site->device_der =
        certificate(&(struct wanted){ .subject = "CN=device", .spki = spki, .self_issued = true });
    site->enrolled_der = certificate(&(struct wanted){ .subject = "CN=device", .spki = spki });
    site->clock = clock_held_at(SITE_NOW);
    struct endpoint_set *set = endpoints_make(site);
    const struct scep_config config = {
        .clock = &site->clock, .ca = &client, .endpoints = set, .budget = budget, .refusal_lines = 60
    };
    PROMISE(scep_new(&config, &site->scep, &why) == OK);
    site->endpoint = endpoint_set_at(set, 0);
    return site;
}

void fuzz_site_fresh(struct fuzz_site *site)
{
    struct why why;
    site->has_answer = false;
    site->refusal = OK;
    site->calls = 0;
    if (budget_spent(site->scep->budget, clock_mono_ms()) < BUDGET_PER_ADDRESS / 2)
        return;
    budget_free(TAKE(site->scep->budget));
    PROMISE(budget_new(&budget, &site->scep->budget, &why) == OK);
}

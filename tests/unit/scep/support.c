/* SPDX-License-Identifier: Apache-2.0 */
/* The site and the device of scep's tests. */
#include "tests/unit/scep/support.h"

#include "ipc/enroll.h"
#include "ipc/record.h"
#include "tests/unit/test.h"
#include "x509/crl.h"
#include "x509/name.h"

#define MUST(call)                                                                                           \
    do {                                                                                                     \
        struct why must_ = { 0 };                                                                            \
        ASSERT_OK(call, &must_);                                                                             \
    } while (0)

static struct site the_site;
static bool site_made;

/* --- keys and certificates --- */

struct shared_key {
    struct key key;
    const struct key *real;
};

static enum err shared_sign(const struct key *key, enum digest digest, struct bytes data, struct buf *ret,
                            struct why *why)
{
    return key_sign(((const struct shared_key *)key)->real, digest, data, ret, why);
}

static atomic_uint decrypts;

unsigned site_decrypts(void)
{
    return atomic_load(&decrypts);
}

static enum err shared_decrypt(const struct key *key, struct bytes in, struct buf *ret, struct why *why)
{
    atomic_fetch_add(&decrypts, 1);
    return key_decrypt_raw(((const struct shared_key *)key)->real, in, ret, why);
}

static void shared_free(struct key *key)
{
    free(key);
}

struct key *key_share(const struct key *key)
{
    static const struct key_ops ops = {
        .name = "shared", .sign = shared_sign, .decrypt = shared_decrypt, .free = shared_free
    };
    struct shared_key *shared = xcalloc(1, sizeof(*shared));
    *shared = (struct shared_key){ { &ops, NULL }, key };
    MUST(public_key_parse(public_key_spki(key->public_half), &shared->key.public_half, &must_));
    return &shared->key;
}

void identity_free(struct identity *identity)
{
    key_free(identity->key);
    buf_free(&identity->der);
    *identity = (struct identity){ 0 };
}

void identity_make(const struct identity_params *params, struct identity *ret)
{
    *ret = (struct identity){ 0 };
    struct key_spec spec = { params->kind ? params->kind : KEY_RSA,
                             params->rsa_bits ? params->rsa_bits : 2048 };
    if (params->key)
        ret->key = key_share(params->key);
    else
        MUST(key_generate(&spec, NULL, &ret->key, &must_));
    const struct key *issuer_key = params->issuer ? params->issuer->key : ret->key;
    AUTO_BUF subject = { 0 }, tbs = { 0 }, signature = { 0 };
    uint8_t serial[SERIAL_BYTES];
    MUST(name_from_text(params->subject, &subject, &must_));
    MUST(serial_make(SITE_NOW, serial, &must_));
    struct tbs_params tbs_params = {
        .serial = BYTES_ARR(serial),
        .algorithm = key_signature_algorithm(issuer_key),
        .issuer = params->issuer ? params->issuer->cert.subject : buf_bytes(&subject),
        .subject = buf_bytes(&subject),
        .spki = public_key_spki(ret->key->public_half),
        .not_before = SITE_NOW - 86400,
        .not_after = params->not_after ? params->not_after : SITE_NOW + 3650LL * 86400,
        .key_usage = params->key_usage,
        .eku = &params->eku,
        .eku_count = params->eku.len ? 1 : 0,
        .san = params->san,
        .is_ca = params->is_ca,
        .path_len = -1,
        .issuer_key_id = params->issuer ? params->issuer->cert.ski : BYTES_NONE,
    };
    MUST(tbs_build(&tbs_params, &tbs, &must_));
    MUST(key_sign(issuer_key, tbs_params.algorithm.digest, buf_bytes(&tbs), &signature, &must_));
    signed_assemble(buf_bytes(&tbs), tbs_params.algorithm, buf_bytes(&signature), &ret->der);
    MUST(cert_parse(buf_bytes(&ret->der), &ret->cert, &must_));
}

/* --- the ca that answers what a test wants --- */

static void issue_for(struct site *site, struct bytes spki, enum fake_mode mode, struct buf *ret)
{
    struct key half = { NULL, NULL };
    struct public_key *public_half = NULL;
    MUST(public_key_parse(mode == FAKE_OTHER_KEY ? site->stranger.cert.spki : spki, &public_half, &must_));
    half.public_half = public_half;
    struct identity leaf;
    identity_make(
        &(struct identity_params){ .subject = DEVICE_NAME,
                                   .issuer = mode == FAKE_OTHER_ISSUER ? &site->other_ca : &site->ca,
                                   .key = &half,
                                   .key_usage = KU_DIGITAL_SIGNATURE },
        &leaf);
    buf_append(ret, buf_bytes(&leaf.der));
    identity_free(&leaf);
    public_key_free(public_half);
}

/* As ca does: the CSR's own signature first. */
static enum err fake_request(struct fake_ca *fake, struct bytes body, struct buf *ret, struct why *why)
{
    struct enroll_request request;
    struct csr csr;
    TRY(enroll_request_get(body, &request, why));
    TRY(csr_parse(request.csr, &csr, why));
    AUTO(public_key) key = NULL;
    TRY(public_key_parse(csr.spki, &key, why));
    TRY(csr_verify(&csr, key, true, why));
    AUTO_BUF leaf = { 0 };
    struct enroll_answer answer = { .disposition = ENROLL_PENDING, .request_id = 42 };
    if (fake->mode != FAKE_PENDING) {
        issue_for(fake->site, csr.spki, fake->mode, &leaf);
        answer = (struct enroll_answer){ ENROLL_ISSUED, 42, buf_bytes(&leaf) };
    }
    enroll_answer_put(ret, &answer);
    return OK;
}

static enum err fake_poll(struct fake_ca *fake, struct bytes body, struct buf *ret, struct why *why)
{
    struct enroll_poll poll;
    struct cert signer;
    TRY(enroll_poll_get(body, &poll, why));
    TRY(cert_parse(poll.signer_cert, &signer, why));
    AUTO_BUF leaf = { 0 };
    struct enroll_answer answer = { .disposition = ENROLL_PENDING, .request_id = 42 };
    if (fake->mode != FAKE_PENDING) {
        issue_for(fake->site, signer.spki, fake->mode, &leaf);
        answer = (struct enroll_answer){ ENROLL_ISSUED, 42, buf_bytes(&leaf) };
    }
    enroll_answer_put(ret, &answer);
    return OK;
}

static void crl_make(struct site *site, struct buf *ret)
{
    struct crl_builder builder = { 0 };
    struct crl_params params = { .algorithm = key_signature_algorithm(site->ca.key),
                                 .issuer = site->ca.cert.subject,
                                 .issuer_key_id = site->ca.cert.ski,
                                 .this_update = SITE_NOW,
                                 .next_update = SITE_NOW + 86400,
                                 .number = 7 };
    AUTO_BUF tbs = { 0 }, signature = { 0 };
    crl_begin(&builder, &params);
    crl_end(&builder, &tbs);
    MUST(key_sign(site->ca.key, params.algorithm.digest, buf_bytes(&tbs), &signature, &must_));
    signed_assemble(buf_bytes(&tbs), params.algorithm, buf_bytes(&signature), ret);
}

static void fake_query(struct fake_ca *fake, bool crl, struct buf *ret)
{
    AUTO_BUF der = { 0 };
    if (crl)
        crl_make(fake->site, &der);
    else
        issue_for(fake->site, fake->site->device.cert.spki, fake->mode, &der);
    der_put_octets(ret, buf_bytes(&der));
}

static enum err fake_call(struct ca_client *client, const char *verb, struct bytes body, struct buf *ret,
                          struct why *why)
{
    struct fake_ca *fake = (struct fake_ca *)client;
    atomic_fetch_add(&fake->calls, 1);
    snprintf(fake->verb, sizeof(fake->verb), "%s", verb);
    buf_clear(&fake->body);
    buf_append(&fake->body, body);
    while (fake->gate && sem_wait(fake->gate) != 0)
        continue;
    if (fake->mode == FAKE_FAIL)
        return fail(why, fake->err, "the test says %s", err_row(fake->err)->name);
    if (fake->mode == FAKE_GARBAGE) {
        der_put_null(ret);
        return OK;
    }
    if (strcmp(verb, "request") == 0)
        return fake_request(fake, body, ret, why);
    if (strcmp(verb, "poll") == 0)
        return fake_poll(fake, body, ret, why);
    fake_query(fake, strcmp(verb, "get_crl") == 0, ret);
    return OK;
}

static void fake_free(struct ca_client *client)
{
    buf_free(&((struct fake_ca *)client)->body);
}

/* --- the site --- */

struct site *site_get(void)
{
    struct site *site = &the_site;
    if (site_made)
        return site;
    site_made = true;
    uint16_t ca_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    identity_make(
        &(struct identity_params){
            .subject = "CN=Example Root CA", .kind = KEY_EC_P256, .is_ca = true, .key_usage = ca_usage },
        &site->root);
    identity_make(&(struct identity_params){ .subject = "CN=Example Issuing CA,O=Example",
                                             .issuer = &site->root,
                                             .kind = KEY_EC_P256,
                                             .is_ca = true,
                                             .key_usage = ca_usage },
                  &site->ca);
    identity_make(&(struct identity_params){ .subject = "CN=Some Other CA,O=Elsewhere",
                                             .kind = KEY_EC_P256,
                                             .is_ca = true,
                                             .key_usage = ca_usage },
                  &site->other_ca);
    for (int i = 0; i < 2; i++)
        identity_make(&(struct identity_params){ .subject = "CN=CEP Encryption",
                                                 .issuer = &site->ca,
                                                 .key_usage = KU_KEY_ENCIPHERMENT },
                      &site->encryption[i]);
    identity_make(&(struct identity_params){ .subject = "CN=Enrollment Agent",
                                             .issuer = &site->ca,
                                             .key_usage = KU_DIGITAL_SIGNATURE },
                  &site->signature);
    identity_make(&(struct identity_params){ .subject = "CN=RA",
                                             .issuer = &site->ca,
                                             .key = site->signature.key,
                                             .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
                  &site->combined);
    identity_make(&(struct identity_params){ .subject = DEVICE_NAME }, &site->device);
    identity_make(&(struct identity_params){ .subject = "CN=stranger" }, &site->stranger);
    identity_make(&(struct identity_params){ .subject = DEVICE_NAME,
                                             .issuer = &site->ca,
                                             .key = site->stranger.key,
                                             .key_usage = KU_DIGITAL_SIGNATURE },
                  &site->enrolled);
    return site;
}

static void ra_add(struct ra_set *set, const struct identity *from, int generation, bool for_signature)
{
    struct ra_key held = { .generation = generation,
                           .der = buf_dup(buf_bytes(&from->der)),
                           .key = key_share(from->key) };
    MUST(ra_set_add(set, &held, for_signature, &must_));
}

struct ra_set *site_ra_set(struct site *site, const struct site_options *options)
{
    struct ra_set *set = ra_set_new("default", options->combined);
    if (options->combined) {
        ra_add(set, &site->combined, 1, false);
        return set;
    }
    ra_add(set, &site->encryption[0], 1, false);
    ra_add(set, &site->encryption[1], 2, false);
    if (options->encryption)
        ra_add(set, options->encryption, 3, false);
    ra_add(set, &site->signature, 2, true);
    return set;
}

struct endpoint_set *site_endpoints(struct site *site, const struct site_options *options)
{
    struct ra_set **sets = xcalloc(1, sizeof(struct ra_set *));
    sets[0] = site_ra_set(site, options);
    struct endpoint *endpoints = xcalloc(1, sizeof(*endpoints));
    struct endpoint_params params = { .name = "default",
                                      .validator = options->validator ? options->validator : "static",
                                      .ca = "issuing",
                                      .allow_3des = options->allow_3des,
                                      .allow_sha1 = options->allow_sha1,
                                      .fail_info_text = options->fail_info_text,
                                      .certrep = options->certrep,
                                      .get_ca_cert = options->get_ca_cert,
                                      .ra = sets[0],
                                      .issuer = buf_bytes(&site->ca.der),
                                      .root = buf_bytes(&site->root.der) };
    MUST(endpoint_make(&params, &endpoints[0], &must_));
    return endpoint_set_new(endpoints, 1, sets, 1);
}

struct site *site_new(const struct site_options *options)
{
    static const struct ca_client_ops ops = { "fake", fake_call, fake_free, NULL };
    struct site *site = site_get();
    scep_free(site->scep);
    site->fake = (struct fake_ca){ .client = { &ops }, .site = site };
    site->clock = clock_held_at(options->expired ? SITE_NOW + 3651LL * 86400 : SITE_NOW);
    struct endpoint_set *set = site_endpoints(site, options);
    const struct scep_config config = { .clock = &site->clock,
                                        .ca = &site->fake.client,
                                        .endpoints = set,
                                        .budget = { BUDGET_PER_ADDRESS, BUDGET_PER_KEY },
                                        .refusal_lines = 1000 };
    MUST(scep_new(&config, &site->scep, &must_));
    site->endpoint = endpoint_set_at(set, 0);
    return site;
}

void site_end(void)
{
    struct site *site = &the_site;
    scep_free(site->scep);
    site->scep = NULL;
    struct identity *all[] = { &site->root,          &site->ca,       &site->other_ca, &site->encryption[0],
                               &site->encryption[1], &site->combined, &site->enrolled, &site->signature,
                               &site->device,        &site->stranger };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        identity_free(all[i]);
    site_made = false;
}

/* --- the device --- */

void device_csr(const struct identity *device, const char *challenge, struct buf *ret)
{
    AUTO_BUF subject = { 0 };
    MUST(name_from_text(DEVICE_NAME, &subject, &must_));
    struct csr_params params = { .subject = buf_bytes(&subject), .challenge = challenge };
    MUST(csr_make(&params, device->key, ret, &must_));
}

void device_issuer_and(const struct identity *ca, bool subject, struct bytes second, struct buf *ret)
{
    size_t mark = der_begin(ret, DER_SEQUENCE);
    der_put_raw(ret, ca->cert.subject);
    if (subject)
        der_put_raw(ret, second);
    else
        der_put_unsigned_bytes(ret, second);
    der_end(ret, mark);
}

static struct oaep oaep_of(const struct device_message *message)
{
    struct oaep fallback = { DIGEST_SHA256, DIGEST_SHA256 };
    return message->oaep.digest ? message->oaep : fallback;
}

void device_seal(struct site *site, const struct device_message *message, struct buf *ret)
{
    const struct identity *recipient = message->recipient ? message->recipient : &site->encryption[1];
    AUTO_BUF csr = { 0 };
    if (message->content.len == 0)
        device_csr(message->signer ? message->signer : &site->device, "secret", &csr);
    struct cms_seal_params params = { .recipient_cert = buf_bytes(&recipient->der),
                                      .transport =
                                          message->transport ? message->transport : TRANSPORT_PKCS1_V15,
                                      .oaep = oaep_of(message),
                                      .cipher = message->cipher ? message->cipher : CIPHER_AES128_CBC };
    MUST(cms_enveloped_seal(&params, message->content.len ? message->content : buf_bytes(&csr), ret, &must_));
}

static void attributes_write(const struct device_message *message, struct buf *ret)
{
    uint8_t nonce[256];
    memset(nonce, 0xA5, sizeof(nonce));
    const char *type = message->type ? message->type : "19";
    const char *transaction = message->transaction ? message->transaction : "transaction-1";
    if (!message->no_type)
        cms_attribute_put(ret, OID_SCEP_MESSAGE_TYPE,
                          message->type_tag ? message->type_tag : DER_PRINTABLE_STRING, bytes_str(type));
    if (!message->no_transaction)
        cms_attribute_put(ret, OID_SCEP_TRANSACTION_ID,
                          message->transaction_tag ? message->transaction_tag : DER_PRINTABLE_STRING,
                          bytes_str(transaction));
    if (!message->no_nonce)
        cms_attribute_put(ret, OID_SCEP_SENDER_NONCE,
                          message->nonce_tag ? message->nonce_tag : DER_OCTET_STRING,
                          bytes_of(nonce, message->nonce_len ? message->nonce_len : 16));
    buf_append(ret, message->more_attributes);
}

void device_write(struct site *site, const struct device_message *message, struct buf *ret)
{
    const struct identity *signer = message->signer ? message->signer : &site->device;
    AUTO_BUF envelope = { 0 }, attributes = { 0 };
    if (message->envelope.len)
        buf_append(&envelope, message->envelope);
    else if (!message->no_content)
        device_seal(site, message, &envelope);
    attributes_write(message, &attributes);
    struct cms_signed_params params = { .has_content = !message->no_content,
                                        .content = buf_bytes(&envelope),
                                        .digest = message->digest ? message->digest : DIGEST_SHA256,
                                        .signer_cert = buf_bytes(&signer->der),
                                        .with_signer_cert = true,
                                        .attributes = buf_bytes(&attributes) };
    MUST(cms_signed_encode(&params, signer->key, ret, &must_));
}

/* --- the answer --- */

struct pki_answer site_run(struct site *site, struct bytes message)
{
    struct pki_answer answer;
    struct pki_request request = { site->scep, site->endpoint, message, SITE_PEER };
    pki_operation_run(&request, &answer);
    return answer;
}

static void text_attribute(const struct cms_signed *cms, enum oid type, char ret[static 4])
{
    struct der_item item;
    ret[0] = '\0';
    if (!cms_signed_attribute(cms, type, &item))
        return;
    assert_int_equal(item.tag, DER_PRINTABLE_STRING);
    assert_true(item.content.len < 4);
    memcpy(ret, item.content.data, item.content.len);
    ret[item.content.len] = '\0';
}

static void reply_check_signer(struct site *site, const struct cms_signed *cms)
{
    const struct identity *signer = site->endpoint->ra->combined ? &site->combined : &site->signature;
    assert_true(bytes_equal(cms->signer_cert, buf_bytes(&signer->der)));
    struct why why = { 0 };
    ASSERT_OK(cms_signed_verify(cms, signer->key->public_half, &why), &why);
}

void reply_read(struct site *site, const struct identity *device, struct bytes message, struct reply *ret)
{
    *ret = (struct reply){ 0 };
    struct why why = { 0 };
    struct der_item item;
    char type[4];
    ASSERT_OK(cms_signed_decode(message, &ret->cms, &why), &why);
    reply_check_signer(site, &ret->cms);
    text_attribute(&ret->cms, OID_SCEP_MESSAGE_TYPE, type);
    assert_string_equal(type, "3");
    text_attribute(&ret->cms, OID_SCEP_PKI_STATUS, ret->status);
    text_attribute(&ret->cms, OID_SCEP_FAIL_INFO, ret->fail_info);
    assert_true(cms_signed_attribute(&ret->cms, OID_SCEP_TRANSACTION_ID, &item));
    ret->transaction_id = item.content;
    assert_true(cms_signed_attribute(&ret->cms, OID_SCEP_SENDER_NONCE, &item));
    ret->sender_nonce = item.content;
    ret->has_recipient_nonce = cms_signed_attribute(&ret->cms, OID_SCEP_RECIPIENT_NONCE, &item);
    ret->recipient_nonce = ret->has_recipient_nonce ? item.content : BYTES_NONE;
    ret->has_fail_text = cms_signed_attribute(&ret->cms, OID_SCEP_FAIL_INFO_TEXT, &item);
    if (!ret->cms.has_content)
        return;
    uint8_t good = 0;
    ASSERT_OK(cms_enveloped_decode(ret->cms.content, &device->cert, 1, &ret->envelope, &why), &why);
    ASSERT_OK(cms_enveloped_open(&ret->envelope, device->key, &ret->payload, &good, &why), &why);
    assert_int_equal(good, 0xFF);
}

void reply_free(struct reply *reply)
{
    cms_signed_free(&reply->cms);
    cms_enveloped_free(&reply->envelope);
    buf_free(&reply->payload);
}

const char *site_verdict(struct site *site, const struct device_message *message, char ret[static 16])
{
    AUTO_BUF der = { 0 };
    device_write(site, message, &der);
    struct pki_answer answer = site_run(site, buf_bytes(&der));
    if (answer.status != 200) {
        snprintf(ret, 16, "http %d", answer.status);
    } else {
        struct reply reply;
        reply_read(site, message->signer ? message->signer : &site->device, buf_bytes(&answer.message),
                   &reply);
        snprintf(ret, 16, "%s/%s", reply.status, reply.fail_info);
        reply_free(&reply);
    }
    pki_answer_free(&answer);
    return ret;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whole messages of devices' shapes through both layers to the CSR; and the answer back, as the device reads it. */
#include "tests/unit/test.h"

#include "base/auto.h"
#include "tests/support/evp_key.h"
#include "tests/support/pki_answer.h"
#include "tests/support/pki_shape.h"
#include "x509/csr.h"

struct world {
    struct key *ra_key, *device;
    struct buf ra_der, ca_der;
    struct cert ra;
    struct bytes recipients[2];
};

static void world_init(struct world *world)
{
    static const uint8_t ra_serial[] = { 0x51 }, ca_serial[] = { 0x52 };
    const struct test_cert ra = { .subject = "CN=RA,O=Example", .serial = BYTES_ARR(ra_serial) };
    const struct test_cert ca = { .subject = "CN=CA,O=Example", .serial = BYTES_ARR(ca_serial) };
    struct why why;
    world->ra_key = evp_key_rsa(2048);
    world->device = evp_key_rsa(2048);
    world->ra_der = test_cert_make(world->ra_key, &ra);
    world->ca_der = test_cert_make(world->device, &ca);
    world->recipients[0] = buf_bytes(&world->ca_der);
    world->recipients[1] = buf_bytes(&world->ra_der);
    ASSERT_OK(cert_parse(buf_bytes(&world->ra_der), &world->ra, &why), &why);
}

static void world_free(struct world *world)
{
    key_free(world->ra_key);
    key_free(world->device);
    buf_free(&world->ra_der);
    buf_free(&world->ca_der);
}

static struct shape shape_of(const struct world *world, enum shape_kind kind)
{
    return (struct shape){ .kind = kind,
                           .recipients = world->recipients,
                           .recipient_count = 2,
                           .subject = "CN=device,O=Example",
                           .challenge = "open sesame",
                           .message_type = 19,
                           .oaep = { DIGEST_SHA256, DIGEST_SHA256 },
                           .signer = world->device,
                           .prng = prng_seeded("shape") };
}

/* As the RA does it: both layers, then the CSR. *ret_good tells what the decryption came to. */
static enum err receive(const struct world *world, struct bytes message, struct buf *ret_csr,
                        uint8_t *ret_good, struct why *why)
{
    __attribute__((cleanup(cms_signed_free))) struct cms_signed outer = { 0 };
    __attribute__((cleanup(cms_enveloped_free))) struct cms_enveloped inner = { 0 };
    struct cert signer;
    TRY(cms_signed_decode(message, &outer, why));
    TRY(cert_parse(outer.signer_cert, &signer, why));
    AUTO(public_key) key = NULL;
    TRY(public_key_parse(signer.spki, &key, why));
    TRY(cms_signed_verify(&outer, key, why));
    TRY(cms_enveloped_decode(outer.content, &world->ra, 1, &inner, why));
    return cms_enveloped_open(&inner, world->ra_key, ret_csr, ret_good, why);
}

TEST(every_shape_arrives_as_its_csr)
{
    struct world world;
    world_init(&world);
    for (enum shape_kind kind = SHAPE_PLAIN; kind <= SHAPE_IOS; kind++) {
        struct why why = { 0 };
        struct shape shape = shape_of(&world, kind);
        AUTO_BUF message = { 0 }, got = { 0 }, wanted = { 0 };
        uint8_t good = 0;
        struct csr csr;
        ASSERT_OK(shape_csr(&shape, &wanted, &why), &why);
        ASSERT_OK(shape_message(&shape, &message, &why), &why);
        ASSERT_OK(receive(&world, buf_bytes(&message), &got, &good, &why), &why);
        assert_int_equal(good, 0xFF);
        ASSERT_BYTES(buf_bytes(&got), buf_bytes(&wanted));
        ASSERT_OK(csr_parse(buf_bytes(&got), &csr, &why), &why);
        ASSERT_OK(csr_verify(&csr, world.device->public_half, false, &why), &why);
        ASSERT_BYTES(csr.challenge, BYTES_LIT("open sesame"));
    }
    world_free(&world);
}

TEST(a_seed_gives_the_same_message_again)
{
    struct why why = { 0 };
    struct world world;
    world_init(&world);
    for (enum shape_kind kind = SHAPE_PLAIN; kind <= SHAPE_IOS; kind++) {
        struct shape one = shape_of(&world, kind), again = shape_of(&world, kind),
                     other = shape_of(&world, kind);
        other.prng = prng_seeded("another");
        AUTO_BUF a = { 0 }, b = { 0 }, c = { 0 };
        ASSERT_OK(shape_message(&one, &a, &why), &why);
        ASSERT_OK(shape_message(&again, &b, &why), &why);
        ASSERT_OK(shape_message(&other, &c, &why), &why);
        ASSERT_BYTES(buf_bytes(&a), buf_bytes(&b));
        assert_false(bytes_equal(buf_bytes(&a), buf_bytes(&c)));
    }
    world_free(&world);
}

#define LUCKY 4 /* in a row: once in 2^32 runs or fewer */
TEST(each_break_is_noticed_where_it_should_be)
{
    static const struct {
        enum shape_break breaks;
        enum err wanted;
        uint8_t good;
    } rows[] = {
        { BREAK_CMS_SIGNATURE, ERR_BAD_MESSAGE_CHECK, 0 },
        { BREAK_CSR_SIGNATURE, OK, 0xFF },
        { BREAK_PADDING, OK, 0 },
        { BREAK_LENGTH, OK, 0 },
        { BREAK_KEY, OK, 0 },
        { BREAK_CONTENT, OK, 0 },
    };
    struct world world;
    world_init(&world);
    for (enum shape_kind kind = SHAPE_PLAIN; kind <= SHAPE_IOS; kind++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            struct why why = { 0 };
            struct shape shape = shape_of(&world, kind);
            AUTO_BUF message = { 0 }, got = { 0 };
            uint8_t good = 0;
            struct csr csr;
            shape.breaks = rows[i].breaks;
            unsigned before = evp_key_decrypts(world.ra_key);
            ASSERT_OK(shape_message(&shape, &message, &why), &why);
            ASSERT_ERR(rows[i].wanted, receive(&world, buf_bytes(&message), &got, &good, &why), &why);
            /* One in 256 that were decrypted with another key ends as padding does. It is garbage all the same, and the next
               message, made from the same generator, is another. */
            for (int again = 0; good && !rows[i].good && again < LUCKY; again++) {
                assert_int_not_equal(csr_parse(buf_bytes(&got), &csr, &why), OK);
                buf_free(&message);
                buf_free(&got);
                before = evp_key_decrypts(world.ra_key);
                ASSERT_OK(shape_message(&shape, &message, &why), &why);
                ASSERT_ERR(rows[i].wanted, receive(&world, buf_bytes(&message), &got, &good, &why), &why);
            }
            assert_int_equal(good, rows[i].good);
            assert_int_equal(evp_key_decrypts(world.ra_key) - before, rows[i].wanted == OK ? 1 : 0);
            if (!good)
                continue;
            ASSERT_OK(csr_parse(buf_bytes(&got), &csr, &why), &why);
            ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, csr_verify(&csr, world.device->public_half, false, &why), &why);
        }
    }
    world_free(&world);
}

TEST(a_message_to_us_twice_or_to_others_costs_no_decryption)
{
    struct world world;
    world_init(&world);
    for (int twice = 0; twice < 2; twice++) {
        struct why why = { 0 };
        struct shape shape = shape_of(&world, SHAPE_PLAIN);
        AUTO_BUF message = { 0 }, got = { 0 };
        uint8_t good = 0;
        shape.recipients = &world.recipients[1];
        shape.recipient_count = 1;
        shape.recipient_twice = twice;
        shape.recipient_none = !twice;
        ASSERT_OK(shape_message(&shape, &message, &why), &why);
        ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, receive(&world, buf_bytes(&message), &got, &good, &why), &why);
    }
    assert_int_equal(evp_key_decrypts(world.ra_key), 0);
    world_free(&world);
}

/* CertRep: `status` and, when it is "0", the certificate given, sealed to the device's self-signed certificate. */
static struct buf certrep(const struct world *world, const char *status, struct bytes certificate)
{
    struct why why;
    AUTO_BUF device = shape_signer_cert(world->device, "CN=device,O=Example");
    AUTO_BUF attributes = { 0 }, certs = { 0 }, sealed = { 0 };
    struct buf out = { 0 };
    const struct cms_seal_params seal = { .recipient_cert = buf_bytes(&device),
                                          .transport = TRANSPORT_PKCS1_V15,
                                          .cipher = CIPHER_AES256_CBC };
    ASSERT_OK(cms_certs_encode(&certificate, 1, &certs, &why), &why);
    ASSERT_OK(cms_enveloped_seal(&seal, buf_bytes(&certs), &sealed, &why), &why);
    cms_attribute_put(&attributes, OID_SCEP_PKI_STATUS, DER_PRINTABLE_STRING, bytes_str(status));
    cms_attribute_put(&attributes, OID_SCEP_TRANSACTION_ID, DER_PRINTABLE_STRING, BYTES_LIT("tx"));
    cms_attribute_put(&attributes, OID_SCEP_RECIPIENT_NONCE, DER_OCTET_STRING, BYTES_LIT("\x01\xFF"));
    const struct cms_signed_params params = { .has_content = status[0] == '0',
                                              .content = buf_bytes(&sealed),
                                              .digest = DIGEST_SHA256,
                                              .signer_cert = buf_bytes(&world->ra_der),
                                              .with_signer_cert = true,
                                              .attributes = buf_bytes(&attributes) };
    ASSERT_OK(cms_signed_encode(&params, world->ra_key, &out, &why), &why);
    return out;
}

TEST(an_answer_is_opened_by_the_device_it_is_for)
{
    struct why why = { 0 };
    struct world world;
    struct answer answer;
    world_init(&world);
    AUTO_BUF success = certrep(&world, "0", buf_bytes(&world.ca_der)), signer = { 0 };
    ASSERT_OK(answer_open(buf_bytes(&success), world.device, &answer, &signer, &why), &why);
    ASSERT_BYTES(buf_bytes(&answer.certificate), buf_bytes(&world.ca_der));
    ASSERT_BYTES(buf_bytes(&answer.recipient_nonce), BYTES_LIT("01ff"));
    ASSERT_BYTES(buf_bytes(&signer), buf_bytes(&world.ra_der));
    answer_free(&answer);
    AUTO_BUF failure = certrep(&world, "2", buf_bytes(&world.ca_der));
    ASSERT_OK(answer_open(buf_bytes(&failure), world.device, &answer, NULL, &why), &why);
    ASSERT_BYTES(buf_bytes(&answer.pki_status), BYTES_LIT("2"));
    assert_int_equal(answer.certificate.len, 0);
    answer_free(&answer);
    AUTO_BUF foreign = certrep(&world, "0", buf_bytes(&world.ra_der));
    ASSERT_ERR(ERR_NOT_FOUND, answer_open(buf_bytes(&foreign), world.device, &answer, NULL, &why), &why);
    ASSERT_ERR(ERR_BAD_MESSAGE_CHECK, answer_open(buf_bytes(&success), world.ra_key, &answer, NULL, &why),
               &why);
    world_free(&world);
}

RUN(T(every_shape_arrives_as_its_csr), T(a_seed_gives_the_same_message_again),
    T(each_break_is_noticed_where_it_should_be), T(a_message_to_us_twice_or_to_others_costs_no_decryption),
    T(an_answer_is_opened_by_the_device_it_is_for))

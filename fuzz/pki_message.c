/* SPDX-License-Identifier: Apache-2.0 */
/* The whole way of a pkiMessage through scep, to the CertRep. As it came, its signature stops almost every mutant; so what can
   be read is also signed anew, with the attributes and the envelope that the input has. The envelope's first recipient is
   taken for ours, and its key gives back what was encrypted to it. */
#include "fuzz/give_back.h"
#include "fuzz/site.h"
#include "fuzz/target.h"
#include "tests/support/evp_key.h"
#include "x509/ber.h"

static struct key *device_key;
static struct buf device_cert;

static void device_make(void)
{
    if (device_key)
        return;
    device_key = evp_key_rsa(1024); /* small: each input costs a signature */
    device_cert = test_cert_make(device_key,
                                 &(struct test_cert){ .subject = "CN=device", .serial = BYTES_LIT("\x01") });
}

static void expect_reply(const struct pki_answer *answer)
{
    struct why why;
    struct cms_signed reply;
    PROMISE(answer->status == 200 || answer->status >= 400);
    PROMISE((answer->status == 200) == (answer->message.len > 0));
    if (answer->status != 200)
        return;
    PROMISE(cms_signed_decode(buf_bytes(&answer->message), &reply, &why) == OK);
    cms_signed_free(&reply);
}

static void operate(struct fuzz_site *site, struct bytes message)
{
    struct pki_answer answer;
    struct pki_request request = { site->scep, site->endpoint, message, "192.0.2.7" };
    site->calls = 0;
    pki_operation_run(&request, &answer);
    PROMISE(site->calls <= 1);
    expect_reply(&answer);
    pki_answer_free(&answer);
}

/* The attributes that the encoder does not add by itself. */
static void attributes_copy(struct bytes attributes, struct buf *ret)
{
    struct der_reader in = der_reader_over(attributes), inside;
    struct bytes whole, oid;
    while (der_get_whole(&in, DER_SEQUENCE, &whole)) {
        struct der_reader each = der_reader_over(whole);
        if (der_get_sequence(&each, &inside) && der_get_oid(&inside, &oid) &&
            !oid_is(oid, OID_ATTR_CONTENT_TYPE) && !oid_is(oid, OID_ATTR_MESSAGE_DIGEST))
            buf_append(ret, whole);
    }
}

static void operate_resigned(struct fuzz_site *site, const struct cms_signed *message)
{
    struct why why;
    AUTO_BUF attributes = { 0 }, again = { 0 };
    attributes_copy(message->signed_attrs, &attributes);
    struct cms_signed_params params = { .has_content = message->has_content,
                                        .content = message->content,
                                        .digest = message->digest,
                                        .signer_cert = buf_bytes(&device_cert),
                                        .with_signer_cert = true,
                                        .attributes = buf_bytes(&attributes) };
    PROMISE(cms_signed_encode(&params, device_key, &again, &why) == OK);
    operate(site, buf_bytes(&again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_site *site = fuzz_site();
    struct why why;
    struct cms_signed message;
    AUTO_BUF envelope = { 0 };
    device_make();
    fuzz_site_fresh(site);
    struct cert recipient = { .serial = BYTES_LIT("x") };
    bool readable = cms_signed_decode(bytes_of(data, len), &message, &why) == OK;
    if (readable && message.has_content && ber_to_der(message.content, BER_ENVELOPED, &envelope, &why) == OK)
        (void)give_back_recipient(buf_bytes(&envelope), &recipient);
    site->ra->certs[0] = recipient;
    operate(site, bytes_of(data, len));
    if (readable)
        operate_resigned(site, &message);
    if (readable)
        cms_signed_free(&message);
    return 0;
}

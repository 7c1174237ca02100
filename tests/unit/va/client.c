/* SPDX-License-Identifier: Apache-2.0 */
/* Requests written and answers read by these tests alone. */
#include "tests/unit/va/fixture.h"

#include "base/auto.h"
#include "base/encode.h"

static void cert_id_put(const struct identity *issuer, enum digest digest, const char *serial,
                        struct buf *out)
{
    uint8_t hash[DIGEST_MAX_BYTES];
    struct bytes key = BYTES_NONE;
    AUTO_BUF octets = { 0 };
    assert_true(hex_decode(bytes_str(serial), &octets));
    assert_true(spki_key_octets(issuer->cert.spki, &key));
    size_t request = der_begin(out, DER_SEQUENCE), id = der_begin(out, DER_SEQUENCE);
    digest_put(out, digest);
    MUST(digest_compute(digest, issuer->cert.subject, hash, &must_));
    der_put_octets(out, bytes_of(hash, digest_size(digest)));
    MUST(digest_compute(digest, key, hash, &must_));
    der_put_octets(out, bytes_of(hash, digest_size(digest)));
    der_put_unsigned_bytes(out, buf_bytes(&octets));
    der_end(out, id);
    der_end(out, request);
}

static void nonce_put(struct bytes nonce, struct buf *out)
{
    AUTO_BUF value = { 0 };
    der_put_octets(&value, nonce);
    size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(2)), list = der_begin(out, DER_SEQUENCE);
    extension_put(out, OID_OCSP_NONCE, false, buf_bytes(&value));
    der_end(out, list);
    der_end(out, tagged);
}

void request_make(const struct scene *scene, const struct asked *asked, struct buf *ret)
{
    const struct identity *issuer = asked->issuer ? asked->issuer : &scene->fake.ca;
    size_t whole = der_begin(ret, DER_SEQUENCE), tbs = der_begin(ret, DER_SEQUENCE),
           list = der_begin(ret, DER_SEQUENCE);
    for (size_t i = 0; asked->serials[i]; i++)
        cert_id_put(issuer, asked->digest ? asked->digest : DIGEST_SHA1, asked->serials[i], ret);
    der_end(ret, list);
    if (asked->nonce.len)
        nonce_put(asked->nonce, ret);
    der_end(ret, tbs);
    der_end(ret, whole);
}

/* --- answers --- */

static struct der_reader into(struct der_reader *in, uint8_t tag)
{
    struct der_reader inside = { 0 };
    assert_true(der_get_constructed(in, tag, &inside));
    return inside;
}

static void single_read(struct der_reader *list, struct said *ret)
{
    struct der_reader single = into(list, DER_SEQUENCE), id = into(&single, DER_SEQUENCE), next;
    struct der_item status;
    int64_t this_update = 0, next_update = 0, revoked_at = 0;
    (void)id;
    assert_true(der_get_any(&single, &status));
    if (status.tag == DER_CONTEXT_CONSTRUCTED(1)) {
        struct der_reader info = der_reader_over(status.content);
        assert_true(der_get_time(&info, &revoked_at));
    }
    assert_true(der_get_time(&single, &this_update));
    next = into(&single, DER_CONTEXT_CONSTRUCTED(0));
    assert_true(der_get_time(&next, &next_update));
    ret->certs[ret->count] = status.tag == DER_CONTEXT(0)               ? OCSP_GOOD
                             : status.tag == DER_CONTEXT_CONSTRUCTED(1) ? OCSP_REVOKED
                                                                        : OCSP_UNKNOWN;
    if (ret->count++ == 0) {
        ret->revoked_at = revoked_at;
        ret->this_update = this_update;
        ret->next_update = next_update;
    }
}

static void data_read(struct bytes whole, struct said *ret)
{
    struct der_reader in = der_reader_over(whole), data = into(&in, DER_SEQUENCE), list;
    struct der_item responder;
    int64_t produced;
    assert_true(der_get_any(&data, &responder) && der_get_time(&data, &produced));
    list = into(&data, DER_SEQUENCE);
    while (!der_at_end(&list))
        single_read(&list, ret);
    ret->has_nonce = !der_at_end(&data);
}

static void signature_check(const struct scene *scene, struct bytes data, struct der_reader *rest,
                            struct said *ret)
{
    struct signature_algorithm algorithm;
    struct bytes signature = BYTES_NONE, der = BYTES_NONE;
    struct cert cert;
    AUTO(public_key) key = NULL;
    assert_true(signature_algorithm_get(rest, &algorithm) && der_get_bits(rest, &signature));
    struct der_reader tagged = into(rest, DER_CONTEXT_CONSTRUCTED(0)), certs = into(&tagged, DER_SEQUENCE);
    assert_true(der_get_whole(&certs, DER_SEQUENCE, &der));
    MUST(cert_parse(der, &cert, &must_));
    MUST(cert_verify(&cert, scene->fake.ca.key->public_half, &must_));
    MUST(public_key_parse(cert.spki, &key, &must_));
    MUST(public_key_verify(key, algorithm, data, signature, &must_));
    MUST(sha256_parts(&der, 1, ret->signer, &must_));
}

void said_read(const struct scene *scene, struct bytes der, struct said *ret)
{
    struct der_reader in = der_reader_over(der), response = into(&in, DER_SEQUENCE);
    struct bytes status = BYTES_NONE, oid = BYTES_NONE, octets = BYTES_NONE, data = BYTES_NONE;
    *ret = (struct said){ 0 };
    assert_true(der_get(&response, DER_ENUMERATED, &status));
    ret->status = (enum ocsp_response_status)status.data[0];
    if (ret->status != OCSP_SUCCESSFUL) {
        assert_true(der_at_end(&response));
        return;
    }
    struct der_reader tagged = into(&response, DER_CONTEXT_CONSTRUCTED(0)),
                      bytes = into(&tagged, DER_SEQUENCE);
    assert_true(der_get_oid(&bytes, &oid) && der_get_octets(&bytes, &octets));
    struct der_reader outer = der_reader_over(octets), basic = into(&outer, DER_SEQUENCE);
    assert_true(der_get_whole(&basic, DER_SEQUENCE, &data));
    data_read(data, ret);
    signature_check(scene, data, &basic, ret);
}

enum err ask(struct scene *scene, const char *serial, struct said *ret)
{
    AUTO_BUF der = { 0 };
    struct ocsp_request request;
    struct ocsp_made made = { 0 };
    struct why why = { 0 };
    request_make(scene, &(struct asked){ .serials = { serial } }, &der);
    MUST(ocsp_request_parse(buf_bytes(&der), &request, &must_));
    enum err err = ocsp_make(scene->va, &request, &made, &why);
    if (err == OK)
        said_read(scene, made.document ? document_body(made.document) : buf_bytes(&made.der), ret);
    document_unref(made.document);
    buf_free(&made.der);
    return err;
}

enum ocsp_cert_status status_now(struct scene *scene, const char *serial)
{
    struct said said;
    assert_int_equal(ask(scene, serial, &said), OK);
    assert_int_equal(said.count, 1);
    return said.certs[0];
}

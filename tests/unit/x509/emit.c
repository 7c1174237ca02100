/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a root, a leaf, a CRL, an OCSP response and a request into a folder, for gnutls.sh to have them read by GnuTLS. */
#include "tests/unit/x509/fixture.h"
#include "x509/crl.h"
#include "x509/ocsp.h"

#include <time.h>

static void write_pem(const char *folder, const char *name, const char *label, const struct buf *der)
{
    AUTO_STR path = xasprintf("%s/%s", folder, name);
    AUTO_BUF pem = { 0 };
    struct why why = { 0 };
    pem_append(&pem, label, buf_bytes(der));
    ASSERT_OK(file_write(path, buf_bytes(&pem), 0644, &why), &why);
}

enum emitted { FULL, DELTA, PARTITION };

static struct buf emit_crl(const struct key *ca, const struct cert *root, int64_t now, enum emitted kind)
{
    static const char *const place[] = { "http://ca.example/root-2.crl" };
    bool is_delta = kind == DELTA;
    static const char *const deltas[] = { "http://ca.example/root+.crl" };
    AUTO_BUF tbs = { 0 };
    struct crl_builder builder;
    struct crl_params params = { .algorithm = key_signature_algorithm(ca),
                                 .issuer = root->subject,
                                 .issuer_key_id = root->ski,
                                 .this_update = now - 60,
                                 .next_update = now + 3600,
                                 .number = 12,
                                 .is_delta = is_delta,
                                 .base_number = 7,
                                 .idp = place,
                                 .idp_count = kind == PARTITION ? 1 : 0,
                                 .freshest = deltas,
                                 .freshest_count = kind == PARTITION ? 0 : 1 };
    crl_begin(&builder, &params);
    crl_add(&builder, &(struct crl_entry){ BYTES_LIT("\xAB\xCD"), now - 3600,
                                           is_delta ? CRL_REMOVE_FROM_CRL : CRL_SUPERSEDED });
    crl_end(&builder, &tbs);
    return fixture_sign(buf_bytes(&tbs), ca);
}

/* About one leaf, signed by the CA itself. */
static struct buf emit_ocsp(const struct key *ca, const struct cert *root, struct bytes serial, int64_t now)
{
    AUTO_BUF id = { 0 }, tbs = { 0 }, signature = { 0 };
    struct buf der = { 0 };
    struct ocsp_issuer issuer;
    struct why why;
    ASSERT_OK(ocsp_issuer_make(root->subject, root->spki, &issuer, &why), &why);
    size_t mark = der_begin(&id, DER_SEQUENCE);
    digest_put(&id, DIGEST_SHA1);
    der_put_octets(&id, bytes_of(issuer.name_hash[DIGEST_SHA1], 20));
    der_put_octets(&id, bytes_of(issuer.key_hash[DIGEST_SHA1], 20));
    der_put_unsigned_bytes(&id, serial);
    der_end(&id, mark);
    const struct ocsp_single single = { buf_bytes(&id),     OCSP_REVOKED, now - 3600,
                                        CRL_KEY_COMPROMISE, now - 60,     now + 3600 };
    const struct ocsp_params params = { bytes_of(issuer.key_hash[DIGEST_SHA1], 20), now, &single, 1,
                                        BYTES_LIT("0123456789abcdef") };
    struct signature_algorithm algorithm = key_signature_algorithm(ca);
    ocsp_tbs_build(&params, &tbs);
    ASSERT_OK(key_sign(ca, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    ocsp_response_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), BYTES_NONE, &der);
    return der;
}

static void write_der(const char *folder, const char *name, const struct buf *der)
{
    AUTO_STR path = xasprintf("%s/%s", folder, name);
    struct why why = { 0 };
    ASSERT_OK(file_write(path, buf_bytes(der), 0644, &why), &why);
}

static void emit(const char *folder, int64_t now)
{
    AUTO(key) ca = fixture_key(KEY_RSA);
    AUTO(key) device = fixture_key(KEY_EC_P256);
    AUTO_BUF name = fixture_name("CN=Root,O=Example"), subject = fixture_name("C=DE,CN=Gerät 42"),
             san = fixture_san("upn:d@example.com"), csr = { 0 }, extensions = { 0 };
    struct why why = { 0 };
    struct cert root;
    struct tbs_params params = fixture_ca(ca, buf_bytes(&name));
    params.not_before = now - 60;
    params.not_after = now + 86400;
    AUTO_BUF root_der = fixture_certificate(&params, ca);
    ASSERT_OK(cert_parse(buf_bytes(&root_der), &root, &why), &why);
    params = fixture_leaf(device, buf_bytes(&name), buf_bytes(&subject));
    params.algorithm = key_signature_algorithm(ca);
    params.issuer_key_id = root.ski;
    params.not_before = now - 60;
    params.not_after = now + 3600;
    params.san = buf_bytes(&san);
    AUTO_BUF leaf_der = fixture_certificate(&params, ca), crl_der = emit_crl(ca, &root, now, FULL),
             delta = emit_crl(ca, &root, now, DELTA), partition = emit_crl(ca, &root, now, PARTITION);
    AUTO_BUF ocsp = emit_ocsp(ca, &root, params.serial, now);
    extension_put_san(&extensions, buf_bytes(&san), false);
    struct csr_params request = { buf_bytes(&subject), "once only", buf_bytes(&extensions), BYTES_NONE };
    ASSERT_OK(csr_make(&request, device, &csr, &why), &why);
    write_pem(folder, "root.pem", "CERTIFICATE", &root_der);
    write_pem(folder, "leaf.pem", "CERTIFICATE", &leaf_der);
    write_der(folder, "ocsp.der", &ocsp);
    write_pem(folder, "crl.pem", "X509 CRL", &crl_der);
    write_pem(folder, "delta.pem", "X509 CRL", &delta);
    write_pem(folder, "partition.pem", "X509 CRL", &partition);
    write_pem(folder, "csr.pem", "NEW CERTIFICATE REQUEST", &csr);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage: %s FOLDER", argv[0]);
    emit(argv[1], time(NULL));
    return 0;
}

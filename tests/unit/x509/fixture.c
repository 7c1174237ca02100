/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, names and parameters for tests. */
#include "tests/unit/x509/fixture.h"

struct key *fixture_key(enum key_kind kind)
{
    struct key_spec spec = { .kind = kind, .rsa_bits = 2048 };
    struct key *key = NULL;
    struct why why = { 0 };
    ASSERT_OK(key_generate(&spec, NULL, &key, &why), &why);
    return key;
}

struct buf fixture_name(const char *text)
{
    struct buf name = { 0 };
    struct why why = { 0 };
    ASSERT_OK(name_from_text(text, &name, &why), &why);
    return name;
}

struct buf fixture_san(const char *text)
{
    AUTO_BUF one = { 0 };
    struct buf names = { 0 };
    struct why why = { 0 };
    ASSERT_OK(san_put_text(&one, text, &why), &why);
    san_put_end(&names, buf_bytes(&one));
    return names;
}

struct buf fixture_file(const char *relative)
{
    AUTO_STR path = xasprintf("%s/%s", TEST_DATA, relative);
    struct buf content = { 0 };
    struct why why = { 0 };
    ASSERT_OK(file_read(path, 1 << 20, &content, &why), &why);
    return content;
}

struct buf fixture_hex(const char *hex)
{
    struct buf octets = { 0 };
    assert_true(hex_decode(bytes_str(hex), &octets));
    return octets;
}

static const uint8_t serial[SERIAL_BYTES] = { 0xA1, 2,  3,  4,  5,  6,  7,  8,  9, 10,
                                              11,   12, 13, 14, 15, 16, 17, 18, 19 };

struct tbs_params fixture_leaf(const struct key *key, struct bytes issuer, struct bytes subject)
{
    static const uint8_t issuer_key_id[20] = { 0x11, 0x22 };
    return (struct tbs_params){ .serial = BYTES_ARR(serial),
                                .algorithm = { .rsa = false, .digest = DIGEST_SHA256 },
                                .issuer = issuer,
                                .subject = subject,
                                .spki = public_key_spki(key->public_half),
                                .not_before = FIXTURE_NOW,
                                .not_after = FIXTURE_NOW + 86400,
                                .key_usage = KU_DIGITAL_SIGNATURE,
                                .path_len = -1,
                                .issuer_key_id = BYTES_ARR(issuer_key_id) };
}

struct tbs_params fixture_ca(const struct key *key, struct bytes subject)
{
    struct tbs_params params = fixture_leaf(key, subject, subject);
    params.algorithm = key_signature_algorithm(key);
    params.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE;
    params.is_ca = true;
    params.path_len = 0;
    params.issuer_key_id = BYTES_NONE;
    return params;
}

struct buf fixture_sign(struct bytes tbs, const struct key *key)
{
    AUTO_BUF signature = { 0 };
    struct buf der = { 0 };
    struct why why = { 0 };
    struct signature_algorithm algorithm = key_signature_algorithm(key);
    ASSERT_OK(key_sign(key, algorithm.digest, tbs, &signature, &why), &why);
    signed_assemble(tbs, algorithm, buf_bytes(&signature), &der);
    return der;
}

struct buf fixture_certificate(const struct tbs_params *params, const struct key *signer)
{
    AUTO_BUF tbs = { 0 };
    struct why why = { 0 };
    ASSERT_OK(tbs_build(params, &tbs, &why), &why);
    ASSERT_OK(tbs_lint(buf_bytes(&tbs), &why), &why);
    return fixture_sign(buf_bytes(&tbs), signer);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* challenge-cost: what it costs to seal and to open a dynamic challenge, beside the cryptography that neither can do without, in
 * slices that take turns. Its floor through EVP: keys loaded, a context per operation, as in floor.c. */
#include "challenge/challenge.h"
#include "base/auto.h"
#include "base/clock.h"
#include "tests/support/evp_key.h"
#include "x509/key_internal.h"
#include "x509/name.h"
#include "x509/san.h"

#include <openssl/ec.h>
#include <stdio.h>

#define NOW          1790000000
#define SLICES       15
#define SLICE_US     100000
#define SIGNED_ABOUT 500 /* octets under the signature */
#define ECDSA_OCTETS 72

struct side {
    struct key *key;
    struct buf der;
    struct cert cert;
};
struct bench {
    struct side mdm, crp;
    struct challenge challenge;
    struct challenge_seal_params seal;
    struct challenge_peer recipient, signer;
    struct challenge_own own;
    struct challenge_keys keys;
    struct buf subject, san, eku, text;
    EVP_PKEY *signing, *receiving;
    unsigned char message[SIGNED_ABOUT], signature[ECDSA_OCTETS];
    size_t signature_len;
};

static void must(bool done, const char *what)
{
    if (!done)
        die("challenge-cost: %s failed", what);
}

/* --- ours --- */

static void side_make(struct side *side, const char *name, uint8_t serial)
{
    const struct test_cert wanted = { .subject = name, .serial = { &serial, 1 } };
    must(key_generate(&(struct key_spec){ KEY_EC_P256, 0 }, NULL, &side->key, NULL) == OK, "key");
    EVP_PKEY *pkey = key_file_pkey(side->key);
    EVP_PKEY_up_ref(pkey);
    AUTO(key) twin = evp_key_new(pkey);
    side->der = test_cert_make(twin, &wanted);
    must(cert_parse(buf_bytes(&side->der), &side->cert, NULL) == OK, "certificate");
}

static void challenge_make(struct bench *bench)
{
    AUTO_BUF names = { 0 };
    must(name_from_text("CN=device-1,OU=Sales,O=Example", &bench->subject, NULL) == OK, "name");
    must(san_put_text(&names, "dns:device-1.example", NULL) == OK &&
             san_put_text(&names, "upn:anna@example.org", NULL) == OK,
         "alternative names");
    san_put_end(&bench->san, buf_bytes(&names));
    der_put_oid(&bench->eku, oid_bytes(OID_KP_CLIENT_AUTH));
    bench->challenge = (struct challenge){
        .id = { 1 },
        .profile = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000a"),
        .profile_version = 1,
        .device = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000b"),
        .not_before = NOW,
        .expires = NOW + 3600,
        .expects = { .subject = buf_bytes(&bench->subject),
                     .san = buf_bytes(&bench->san),
                     .eku = buf_bytes(&bench->eku),
                     .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                     .key_kind = KEY_RSA,
                     .rsa_bits = 2048 },
    };
}

static void seal(struct bench *bench)
{
    struct why why;
    buf_free(&bench->text);
    if (challenge_seal(&bench->challenge, &bench->seal, &bench->text, &why) != OK)
        die("challenge-cost: %s", why.text);
}

static void open_it(struct bench *bench)
{
    struct why why;
    struct challenge_opened opened;
    if (challenge_open(buf_bytes(&bench->text), &bench->keys, NOW, &opened, &why) != OK)
        die("challenge-cost: %s", why.text);
    challenge_opened_free(&opened);
}

/* --- the floors --- */

static void sign(struct bench *bench)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bench->signature_len = sizeof(bench->signature);
    must(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, bench->signing) == 1 &&
             EVP_DigestSign(ctx, bench->signature, &bench->signature_len, bench->message, SIGNED_ABOUT) == 1,
         "signature");
    EVP_MD_CTX_free(ctx);
}

static void verify(struct bench *bench)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, bench->signing) == 1 &&
             EVP_DigestVerify(ctx, bench->signature, bench->signature_len, bench->message, SIGNED_ABOUT) == 1,
         "verification");
    EVP_MD_CTX_free(ctx);
}

static void agree(EVP_PKEY *key, EVP_PKEY *peer)
{
    unsigned char shared[32];
    size_t len = sizeof(shared);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    must(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
             EVP_PKEY_derive(ctx, shared, &len) == 1,
         "agreement");
    EVP_PKEY_CTX_free(ctx);
}

static void seal_floor(struct bench *bench)
{
    EVP_PKEY *ephemeral = EVP_EC_gen("P-256");
    must(ephemeral, "key generation");
    agree(ephemeral, bench->receiving);
    EVP_PKEY_free(ephemeral);
    sign(bench);
}

static void open_floor(struct bench *bench)
{
    verify(bench);
    agree(bench->receiving, bench->signing);
}

/* --- measuring --- */

static const struct {
    const char *name;
    void (*run)(struct bench *bench);
} kinds[] = {
    { "seal", seal }, { "seal_floor", seal_floor }, { "open", open_it }, { "open_floor", open_floor }
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static double slice_us(struct bench *bench, void (*run)(struct bench *bench))
{
    int64_t begun = clock_mono_us(), now = begun;
    long count = 0;
    for (; now - begun < SLICE_US; now = clock_mono_us(), count++)
        run(bench);
    return (double)(now - begun) / (double)count;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, SLICES, sizeof(*values), by_size);
    return values[SLICES / 2];
}

static void bench_make(struct bench *bench)
{
    side_make(&bench->mdm, "CN=mdm challenge signing,O=Example", 1);
    side_make(&bench->crp, "CN=CRP encryption,O=Example", 2);
    challenge_make(bench);
    bench->recipient = (struct challenge_peer){ &bench->crp.cert, bench->crp.key->public_half };
    bench->signer = (struct challenge_peer){ &bench->mdm.cert, bench->mdm.key->public_half };
    bench->own = (struct challenge_own){ &bench->crp.cert, bench->crp.key };
    bench->seal =
        (struct challenge_seal_params){ { &bench->mdm.cert, bench->mdm.key }, &bench->recipient, 1 };
    bench->keys = (struct challenge_keys){ &bench->signer, 1, &bench->own, 1 };
    bench->signing = EVP_EC_gen("P-256");
    bench->receiving = EVP_EC_gen("P-256");
    must(bench->signing && bench->receiving, "key generation");
    sign(bench);
}

int main(void)
{
    static struct bench bench;
    static double us[KINDS][SLICES];
    bench_make(&bench);
    for (size_t slice = 0; slice < SLICES; slice++)
        for (size_t kind = 0; kind < KINDS; kind++)
            us[kind][slice] = slice_us(&bench, kinds[kind].run);
    printf("{");
    for (size_t kind = 0; kind < KINDS; kind++)
        printf("\"%s_us\": %.1f, ", kinds[kind].name, median(us[kind]));
    printf("\"characters\": %zu}\n", bench.text.len);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/challenge/fixture.h"

#include "x509/name.h"
#include "x509/san.h"

void side_init_key(struct side *side, const char *name, uint8_t serial, struct key *key)
{
    struct why why;
    const uint8_t octets[] = { 0x5A, serial };
    const struct test_cert wanted = { .subject = name, .serial = BYTES_ARR(octets) };
    side->key = key;
    side->der = test_cert_make(key, &wanted);
    ASSERT_OK(cert_parse(buf_bytes(&side->der), &side->cert, &why), &why);
}

void side_init(struct side *side, const char *name, uint8_t serial)
{
    side_init_key(side, name, serial, evp_key_ec("P-256"));
}

void side_free(struct side *side)
{
    key_free(side->key);
    buf_free(&side->der);
}

struct challenge_peer side_peer(const struct side *side)
{
    return (struct challenge_peer){ &side->cert, side->key->public_half };
}

struct challenge_own side_own(const struct side *side)
{
    return (struct challenge_own){ &side->cert, side->key };
}

struct buf name_der(const char *text)
{
    struct why why;
    struct buf name = { 0 };
    ASSERT_OK(name_from_text(text, &name, &why), &why);
    return name;
}

struct buf san_der(const char *text)
{
    struct why why;
    struct buf names = { 0 };
    AUTO_BUF inside = { 0 };
    AUTO_STR copy = xstrdup(text);
    char *rest = copy;
    for (char *one; (one = strsep(&rest, ", "));) {
        if (*one)
            ASSERT_OK(san_put_text(&inside, one, &why), &why);
    }
    if (inside.len)
        san_put_end(&names, buf_bytes(&inside));
    return names;
}

struct buf eku_der(const char *names)
{
    struct buf content = { 0 };
    AUTO_STR copy = xstrdup(names);
    char *rest = copy;
    for (char *one; (one = strsep(&rest, " "));) {
        AUTO_BUF oid = { 0 };
        enum oid known = oid_by_name(one);
        if (known == OID_UNKNOWN)
            assert_true(oid_from_dotted(one, &oid));
        der_put_oid(&content, known == OID_UNKNOWN ? buf_bytes(&oid) : oid_bytes(known));
    }
    return content;
}

static void init_challenge(struct site *site)
{
    site->subject = name_der("CN=device-1,OU=Sales+OU=West,O=Example");
    site->san = san_der("dns:device-1.example, upn:anna@example.org");
    site->eku = eku_der("clientAuth");
    site->challenge = (struct challenge){
        .id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
        .profile = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000a"),
        .profile_version = 7,
        .device = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000b"),
        .user = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000c"),
        .not_before = NOW,
        .expires = NOW + 3600,
        .expects = { .subject = buf_bytes(&site->subject),
                     .san = buf_bytes(&site->san),
                     .eku = buf_bytes(&site->eku),
                     .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
                     .key_kind = KEY_RSA,
                     .rsa_bits = 2048,
                     .validity_s = 365 * 86400 },
    };
}

void site_init(struct site *site)
{
    *site = (struct site){ 0 };
    side_init(&site->mdm, "CN=mdm challenge signing,O=Example", 1);
    side_init(&site->mdm_before, "CN=mdm challenge signing,O=Example", 2);
    side_init(&site->stranger, "CN=mdm challenge signing,O=Example", 3);
    side_init(&site->crp, "CN=CRP encryption,O=Example", 4);
    side_init(&site->crp_before, "CN=CRP encryption,O=Example", 5);
    side_init(&site->other_crp, "CN=CRP encryption,O=Example", 6);
    site->recipients[0] = side_peer(&site->crp);
    site->seal = (struct challenge_seal_params){ side_own(&site->mdm), site->recipients, 1 };
    site->signers[0] = side_peer(&site->mdm);
    site->signers[1] = side_peer(&site->mdm_before);
    site->own[0] = side_own(&site->crp);
    site->own[1] = side_own(&site->crp_before);
    site->keys = (struct challenge_keys){ site->signers, 2, site->own, 2 };
    init_challenge(site);
}

void site_free(struct site *site)
{
    struct side *const sides[] = { &site->mdm, &site->mdm_before, &site->stranger,
                                   &site->crp, &site->crp_before, &site->other_crp };
    for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++)
        side_free(sides[i]);
    buf_free(&site->subject);
    buf_free(&site->san);
    buf_free(&site->eku);
}

struct buf site_sealed(const struct site *site)
{
    struct why why;
    struct buf text = { 0 };
    ASSERT_OK(challenge_seal(&site->challenge, &site->seal, &text, &why), &why);
    return text;
}

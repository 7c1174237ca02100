/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/managed_ask.h"

#include "base/encode.h"
#include "base/file.h"
#include "tests/unit/ca/verb_ask.h"
#include "x509/san.h"

static const struct asked usual = { .subject = "CN=device-1,OU=Sales,O=Example",
                                    .san = "dns:device-1.example.net|dns:second.example.net",
                                    .eku = "clientAuth",
                                    .key_usage = KU_DIGITAL_SIGNATURE,
                                    .kind = KEY_EC_P256 };

struct signing signing_new(const struct signing_of *of)
{
    struct signing signing = { 0 };
    struct why why = { 0 };
    uint8_t serial[SERIAL_BYTES];
    const struct key_spec spec = { of->kind ? of->kind : KEY_EC_P256, 2048 };
    AUTO_BUF name = name_of(of->subject), tbs = { 0 }, signature = { 0 };
    ASSERT_OK(key_generate(&spec, NULL, &signing.key, &why), &why);
    ASSERT_OK(serial_make(NOW, serial, &why), &why);
    const struct key *by = of->by ? of->by->key : signing.key;
    const struct signature_algorithm algorithm = key_signature_algorithm(by);
    const struct tbs_params params = { .serial = BYTES_ARR(serial),
                                       .algorithm = algorithm,
                                       .issuer = of->by ? of->by->cert.subject : buf_bytes(&name),
                                       .subject = buf_bytes(&name),
                                       .spki = public_key_spki(signing.key->public_half),
                                       .not_before = of->not_before ? of->not_before : NOW - 3600,
                                       .not_after = of->not_after ? of->not_after : NOW + 365 * 86400,
                                       .key_usage = of->key_usage ? of->key_usage : KU_DIGITAL_SIGNATURE,
                                       .is_ca = of->is_ca,
                                       .path_len = of->is_ca ? 0 : -1,
                                       .issuer_key_id = of->by ? of->by->cert.ski : BYTES_NONE };
    ASSERT_OK(tbs_build(&params, &tbs, &why), &why);
    ASSERT_OK(key_sign(by, algorithm.digest, buf_bytes(&tbs), &signature, &why), &why);
    signed_assemble(buf_bytes(&tbs), algorithm, buf_bytes(&signature), &signing.der);
    ASSERT_OK(cert_parse(buf_bytes(&signing.der), &signing.cert, &why), &why);
    return signing;
}

void signing_free(struct signing *signing)
{
    key_free(signing->key);
    buf_free(&signing->der);
    *signing = (struct signing){ 0 };
}

enum err signing_pin(struct world *world, const char *verb, const struct signing *signing, struct why *why)
{
    AUTO_BUF text = { 0 }, answer = { 0 };
    base64_append(&text, buf_bytes(&signing->der));
    return CALL(verb, &answer, why, "name", "mdm", "templates",
                "SCEPDeviceSignature,SCEPDeviceEncryption,SCEPUser", "suffixes",
                "dns:.example.net,upn:@example.net", "certificate", buf_text(&text));
}

enum err authority_call(struct world *world, const char *peer, const char *verb, const char *const *fields,
                        struct buf *ret, struct why *why)
{
    const struct ipc_caller caller = { peer };
    AUTO_BUF body = { 0 };
    record_of(&body, fields);
    buf_free(ret);
    return verb_call(verb_named(verb), world->ca, &caller, buf_bytes(&body), ret, why);
}

static struct buf san_of(const char *text)
{
    struct buf whole = { 0 };
    struct why why = { 0 };
    AUTO_BUF names = { 0 };
    AUTO_STR copy = xstrdup(text);
    char *rest = copy;
    for (char *one; (one = strsep(&rest, "|"));) {
        if (*one)
            ASSERT_OK(san_put_text(&names, one, &why), &why);
    }
    if (names.len)
        san_put_end(&whole, buf_bytes(&names));
    return whole;
}

static struct buf eku_of(const char *words)
{
    struct buf content = { 0 };
    AUTO_STR copy = xstrdup(words);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " "));) {
        AUTO_BUF oid = { 0 };
        if (!*word)
            continue;
        assert_true(template_purpose_oid(word, &oid));
        der_put_oid(&content, buf_bytes(&oid));
    }
    return content;
}

void managed_wants(struct managed_site *site, const struct asked *wants)
{
    struct challenge_expectation *expects = &site->challenge.expects;
    buf_free(&site->subject);
    buf_free(&site->san);
    buf_free(&site->eku);
    site->wants = *wants;
    site->subject = name_of(wants->subject);
    site->san = san_of(wants->san);
    site->eku = eku_of(wants->eku);
    expects->subject = buf_bytes(&site->subject);
    expects->san = buf_bytes(&site->san);
    expects->eku = buf_bytes(&site->eku);
    expects->key_usage = wants->key_usage;
    expects->key_kind = wants->kind;
    expects->rsa_bits = wants->kind == KEY_RSA ? 2048 : 0;
}

void managed_site_begin(struct managed_site *site)
{
    struct why why = { 0 };
    world_managed = true;
    *site = (struct managed_site){ .world = world_new(KEY_EC_P256) };
    world_managed = false;
    site->mdm = signing_new(&(struct signing_of){ .subject = "CN=mdm challenge signing" });
    ASSERT_OK(signing_pin(site->world, "authority_add", &site->mdm, &why), &why);
    site->challenge = (struct challenge){ .profile = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000a"),
                                          .profile_version = 7,
                                          .device = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000b"),
                                          .user = BYTES_LIT("0a1b2c3d-0000-4000-8000-00000000000c"),
                                          .not_before = NOW - 60,
                                          .expires = NOW + 3600 };
    managed_wants(site, &usual);
}

void managed_site_end(struct managed_site *site)
{
    signing_free(&site->mdm);
    buf_free(&site->subject);
    buf_free(&site->san);
    buf_free(&site->eku);
    world_free(site->world);
}

struct buf managed_sealed(struct managed_site *site, const struct signing *by)
{
    struct why why = { 0 };
    struct buf text = { 0 };
    AUTO(kept_generations) keys = kept_key_hold(site->world->crp);
    const struct challenge_peer recipient = { &keys->of[0].cert, keys->of[0].key->public_half };
    const struct challenge_seal_params params = { { &by->cert, by->key }, &recipient, 1 };
    ASSERT_OK(challenge_seal(&site->challenge, &params, &text, &why), &why);
    return text;
}

struct buf managed_challenge(struct managed_site *site)
{
    struct why why = { 0 };
    ASSERT_OK(random_fill(site->challenge.id, sizeof(site->challenge.id), &why), &why);
    return managed_sealed(site, &site->mdm);
}

struct device managed_device(const struct asked *asked, const char *challenge)
{
    AUTO_BUF extensions = { 0 }, san = san_of(asked->san), eku = eku_of(asked->eku);
    if (asked->key_usage)
        extension_put_key_usage(&extensions, asked->key_usage);
    if (san.len)
        extension_put_san(&extensions, buf_bytes(&san), false);
    if (eku.len) {
        AUTO_BUF whole = { 0 };
        der_put(&whole, DER_SEQUENCE, buf_bytes(&eku));
        extension_put(&extensions, OID_EXT_EKU, false, buf_bytes(&whole));
    }
    return device_new(&(struct ask){ asked->subject, challenge, buf_bytes(&extensions), asked->kind });
}

struct device managed_device_new(struct managed_site *site)
{
    AUTO_BUF text = managed_challenge(site);
    return managed_device(&site->wants, buf_text(&text));
}

struct buf managed_log(const struct managed_site *site)
{
    struct why why = { 0 };
    struct buf text = { 0 };
    AUTO_STR path = xasprintf("%s/CertificateRegistrationPoint.log", site->world->folder);
    ASSERT_OK(file_read(path, 1 << 20, &text, &why), &why);
    return text;
}

void managed_log_assert(const struct managed_site *site, const char *line)
{
    AUTO_BUF text = managed_log(site);
    if (!strstr(buf_text(&text), line))
        fail_msg("the CRP log lacks \"%s\":\n%s", line, buf_text(&text));
}

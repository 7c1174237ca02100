/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed challenges and OpenSSL's `cms` command, in both directions. */
#include "tests/unit/challenge/fixture.h"

#include "base/file.h"
#include "x509/cms_content.h"
#include <unistd.h>

static struct why why;
static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/chancery-challenge-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    AUTO_STR command = xasprintf("rm -rf %s", folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void save(const char *path, struct bytes data)
{
    unlink(path);
    ASSERT_OK(file_write_new(path, data, 0600, &why), &why);
}

static struct buf load(const char *path)
{
    struct buf data = { 0 };
    ASSERT_OK(file_read(path, 1 << 20, &data, &why), &why);
    return data;
}

static void save_side(const struct side *side, const char *name)
{
    AUTO_STR key = xasprintf("%s.key", name);
    AUTO_STR cert = xasprintf("%s.pem", name);
    AUTO_BUF pem = { 0 };
    evp_key_save(side->key, key);
    pem_append(&pem, "CERTIFICATE", buf_bytes(&side->der));
    save(cert, buf_bytes(&pem));
}

static void openssl(const char *arguments)
{
    AUTO_STR command = xasprintf("openssl %s >log 2>&1", arguments);
    if (system(command) == 0)
        return;
    AUTO_BUF log = load("log");
    fail_msg("openssl %s: %s", arguments, buf_text(&log));
}

/* eContent is the EnvelopedData itself; the command wants its ContentInfo, and gives it. */
static struct buf wrapped(struct bytes enveloped)
{
    struct buf out = { 0 };
    struct der_reader in = der_reader_over(enveloped), inside;
    assert_true(der_get_sequence(&in, &inside) && der_at_end(&in));
    struct cms_content_marks marks = cms_content_begin(&out, OID_ENVELOPED_DATA);
    buf_append(&out, inside.rest);
    cms_content_end(&out, &marks);
    return out;
}

static struct buf unwrapped(struct bytes content_info)
{
    struct buf out = { 0 };
    struct der_reader inside;
    assert_true(cms_content_get(content_info, OID_ENVELOPED_DATA, &inside));
    der_put(&out, DER_SEQUENCE, inside.rest);
    return out;
}

TEST(openssl_verifies_and_decrypts_what_is_sealed)
{
    struct site site;
    site_init(&site);
    site.recipients[1] = side_peer(&site.other_crp);
    site.seal.recipient_count = 2;
    AUTO_BUF text = site_sealed(&site), der = { 0 }, plain = { 0 };
    ASSERT_OK(challenge_encode(&site.challenge, &plain, &why), &why);
    assert_true(base64_decode(buf_bytes(&text), false, &der));
    save_side(&site.mdm, "mdm");
    save_side(&site.crp, "crp");
    save_side(&site.other_crp, "other");
    save("signed.der", buf_bytes(&der));
    openssl("cms -verify -inform DER -in signed.der -nointern -certfile mdm.pem -noverify -binary -out "
            "content.der");
    AUTO_BUF content = load("content.der"), enveloped = wrapped(buf_bytes(&content));
    save("enveloped.der", buf_bytes(&enveloped));
    openssl(
        "cms -decrypt -inform DER -in enveloped.der -recip crp.pem -inkey crp.key -binary -out crp.plain");
    openssl("cms -decrypt -inform DER -in enveloped.der -recip other.pem -inkey other.key -binary -out "
            "other.plain");
    AUTO_BUF one = load("crp.plain"), other = load("other.plain");
    ASSERT_BYTES(buf_bytes(&one), buf_bytes(&plain));
    ASSERT_BYTES(buf_bytes(&other), buf_bytes(&plain));
    site_free(&site);
}

static void expect_opens(const struct site *site, const char *encrypt, const char *sign)
{
    struct challenge_opened opened;
    AUTO_BUF plain = { 0 }, text = { 0 };
    ASSERT_OK(challenge_encode(&site->challenge, &plain, &why), &why);
    save("plain.der", buf_bytes(&plain));
    AUTO_STR encrypting =
        xasprintf("cms -encrypt -binary -noindef -aes128 -in plain.der -outform DER -out enveloped.der "
                  "%s -recip crp.pem -keyopt ecdh_kdf_md:sha256",
                  encrypt);
    openssl(encrypting);
    AUTO_BUF enveloped = load("enveloped.der"), content = unwrapped(buf_bytes(&enveloped));
    save("content.der", buf_bytes(&content));
    AUTO_STR signing = xasprintf(
        "cms -sign -binary -noindef -nodetach -nocerts -econtent_type pkcs7-envelopedData -md sha256 "
        "-signer mdm.pem -inkey mdm.key -in content.der -outform DER -out signed.der %s",
        sign);
    openssl(signing);
    AUTO_BUF signed_data = load("signed.der"), again = { 0 };
    base64_append(&text, buf_bytes(&signed_data));
    ASSERT_OK(challenge_open(buf_bytes(&text), &site->keys, NOW, &opened, &why), &why);
    ASSERT_OK(challenge_encode(&opened.challenge, &again, &why), &why);
    ASSERT_BYTES(buf_bytes(&again), buf_bytes(&plain));
    challenge_opened_free(&opened);
}

TEST(what_openssl_composes_of_the_same_suite_is_opened)
{
    struct site site;
    site_init(&site);
    save_side(&site.mdm, "mdm");
    save_side(&site.crp, "crp");
    expect_opens(&site, "", "");
    expect_opens(&site, "-keyid", "-keyid");
    expect_opens(&site, "", "-nosmimecap");
    site_free(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = { T(openssl_verifies_and_decrypts_what_is_sealed),
                                        T(what_openssl_composes_of_the_same_suite_is_opened) };
    TEST_FILTER();
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* No octet of a sealed challenge can be another one, and none that is altered costs a private-key operation. */
#include "tests/unit/challenge/fixture.h"

static struct why why;

static bool is_refusal_of_a_text(enum err err)
{
    return err == ERR_CHALLENGE_ENCODING || err == ERR_CHALLENGE_SIGNER || err == ERR_CHALLENGE_SIGNATURE;
}

static void expect_refused(const struct site *site, struct bytes text, size_t at)
{
    struct challenge_opened opened = { 0 };
    enum err err = challenge_open(text, &site->keys, NOW, &opened, &why);
    if (!is_refusal_of_a_text(err))
        fail_msg("altered at %zu: %s (%s)", at, err_row(err)->name, why.text);
    assert_null(opened.storage.data);
}

TEST(each_octet_of_it_counts)
{
    static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xFF };
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site), der = { 0 };
    assert_true(base64_decode(buf_bytes(&text), false, &der));
    for (size_t i = 0; i < der.len; i++) {
        for (size_t m = 0; m < sizeof(masks); m++) {
            AUTO_BUF altered = { 0 };
            der.data[i] ^= masks[m];
            base64_append(&altered, buf_bytes(&der));
            der.data[i] ^= masks[m];
            expect_refused(&site, buf_bytes(&altered), i);
        }
    }
    assert_int_equal(evp_key_decrypts(site.crp.key), 0);
    site_free(&site);
}

TEST(each_character_of_it_counts)
{
    static const uint8_t others[] = { 'A', 'z', '/', '=', ' ', 0 };
    struct site site;
    site_init(&site);
    AUTO_BUF text = site_sealed(&site);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t kept = text.data[i];
        for (size_t o = 0; o < sizeof(others); o++) {
            if (others[o] == kept)
                continue;
            text.data[i] = others[o];
            expect_refused(&site, buf_bytes(&text), i);
        }
        text.data[i] = kept;
    }
    assert_int_equal(evp_key_decrypts(site.crp.key), 0);
    site_free(&site);
}

RUN(T(each_octet_of_it_counts), T(each_character_of_it_counts))

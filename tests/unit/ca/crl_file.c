/* SPDX-License-Identifier: Apache-2.0 */
/* Published files: from a draft or not, they are the CRL to the last octet. */
#include "tests/unit/test.h"

#include "ca/crl_file.h"
#include <stdlib.h>

static char folder[64];
static struct ca ca;
static struct issuer issuer;
static const struct crl_scope scope = { &issuer, CRL_FULL, 0 };

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/chancery-crl-XXXXXX");
    ca.crl_dir = mkdtemp(folder);
    issuer.name = "issuing";
    return ca.crl_dir ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    AUTO_STR command = xasprintf("rm -rf %s", folder);
    return system(command);
}

/* SEQUENCE { tbs, BIT STRING }: of a CRL no more matters here. */
static struct buf tbs_of(size_t len)
{
    struct buf tbs = { 0 }, content = { 0 };
    while (content.len < len)
        buf_append_byte(&content, (uint8_t)(content.len * 7));
    der_put(&tbs, DER_SEQUENCE, buf_bytes(&content));
    buf_free(&content);
    return tbs;
}

static struct buf crl_of(const struct buf *tbs, size_t signature_len)
{
    struct buf content = buf_dup(buf_bytes(tbs)), der = { 0 };
    AUTO_BUF signature = tbs_of(signature_len);
    der_put(&content, DER_BIT_STRING, buf_bytes(&signature));
    der_put(&der, DER_SEQUENCE, buf_bytes(&content));
    buf_free(&content);
    return der;
}

static void assert_published(const struct buf *der)
{
    struct why why = { 0 };
    AUTO_STR path = xasprintf("%s/issuing.crl", folder);
    AUTO_BUF text = { 0 };
    ASSERT_OK(file_read(path, 1 << 20, &text, &why), &why);
    ASSERT_BYTES(buf_bytes(&text), buf_bytes(der));
    AUTO_STR lone = xasprintf("[ \"$(ls %s)\" = issuing.crl ]", folder);
    assert_int_equal(0, system(lone));
}

/* Around each place where the length in front of the whole takes another octet: there the draft has guessed wrong. */
TEST(a_file_is_its_crl_wherever_the_draft_put_the_tbs)
{
    static const size_t edges[] = { 127, 256, 65536 };
    struct why why = { 0 };
    for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
        for (size_t less = 0; less < 320 && less < edges[i]; less += 3) {
            AUTO_BUF tbs = tbs_of(edges[i] - less);
            AUTO_BUF der = crl_of(&tbs, less % 2 ? 70 : 260);
            AUTO_VAL(crl_draft) draft = CRL_DRAFT_NONE;
            crl_draft_make(&ca, &scope, buf_bytes(&tbs), &draft);
            assert_int_equal(tbs.len, draft.tbs.len);
            ASSERT_OK(crl_file_put(&ca, &issuer, &scope, &draft, buf_bytes(&der), &why), &why);
            assert_published(&der);
        }
    }
}

TEST(a_draft_of_another_length_is_not_used)
{
    struct why why = { 0 };
    AUTO_BUF tbs = tbs_of(5000), other = tbs_of(5001), der = crl_of(&other, 70);
    AUTO_VAL(crl_draft) draft = CRL_DRAFT_NONE;
    crl_draft_make(&ca, &scope, buf_bytes(&tbs), &draft);
    ASSERT_OK(crl_file_put(&ca, &issuer, &scope, &draft, buf_bytes(&der), &why), &why);
    crl_draft_free(&draft);
    assert_published(&der);
}

TEST(without_a_draft_the_whole_is_written)
{
    struct why why = { 0 };
    AUTO_BUF tbs = tbs_of(5000), der = crl_of(&tbs, 70);
    AUTO_VAL(crl_draft) draft = CRL_DRAFT_NONE;
    ASSERT_OK(crl_file_put(&ca, &issuer, &scope, &draft, buf_bytes(&der), &why), &why);
    assert_published(&der);
    ASSERT_OK(crl_file_put(&ca, &issuer, &scope, NULL, buf_bytes(&der), &why), &why);
    assert_published(&der);
    assert_true(issuer.crl_file_is_last[CRL_FULL][0]);
}

/* An authority whose folder is gone publishes none, says so, and does once it is back. */
TEST(a_folder_that_takes_no_file_is_told_of_when_the_crl_is_there)
{
    struct why why = { 0 };
    AUTO_BUF tbs = tbs_of(5000), der = crl_of(&tbs, 70);
    AUTO_STR block = xasprintf("rm -rf %s && touch %s", folder, folder);
    assert_int_equal(0, system(block));
    issuer.crl_file_is_last[CRL_FULL][0] = false;
    AUTO_VAL(crl_draft) draft = CRL_DRAFT_NONE;
    crl_draft_make(&ca, &scope, buf_bytes(&tbs), &draft);
    assert_int_equal(0, draft.tbs.len);
    ASSERT_ERR(ERR_IO, crl_file_put(&ca, &issuer, &scope, &draft, buf_bytes(&der), &why), &why);
    assert_false(issuer.crl_file_is_last[CRL_FULL][0]);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, begin, end)
RUN(IN_FOLDER(a_file_is_its_crl_wherever_the_draft_put_the_tbs),
    IN_FOLDER(a_draft_of_another_length_is_not_used), IN_FOLDER(without_a_draft_the_whole_is_written),
    IN_FOLDER(a_folder_that_takes_no_file_is_told_of_when_the_crl_is_there))

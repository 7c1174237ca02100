/* SPDX-License-Identifier: Apache-2.0 */
/* No decryption oracle (spec security.md B1 to B3, S15): whatever was wrong with an envelope, one answer in
   bytes, held to a fixed time; and a budget for those who keep trying. */
#include "tests/support/rsa_encode.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"

#define OPTIONS(...) (&(struct site_options){ __VA_ARGS__ })
#define BLOCK        256 /* RSA-2048 */

/* An answer with what differs each time put to zero: our nonce and our signature. */
static void masked_answer(struct site *site, const struct device_message *from, const char *peer,
                          struct buf *ret)
{
    AUTO_BUF message = { 0 };
    device_write(site, from, &message);
    struct pki_request request = { site->scep, site->endpoint, buf_bytes(&message), peer };
    struct pki_answer answer;
    pki_operation_run(&request, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.held);
    struct reply reply;
    reply_read(site, &site->device, buf_bytes(&answer.message), &reply);
    assert_string_equal(reply.status, "2");
    assert_string_equal(reply.fail_info, "1");
    uint8_t *nonce = memmem(answer.message.data, answer.message.len, reply.sender_nonce.data, 16);
    uint8_t *signature = memmem(answer.message.data, answer.message.len, reply.cms.signature.data, BLOCK);
    assert_non_null(nonce);
    assert_non_null(signature);
    memset(nonce, 0, 16);
    memset(signature, 0, BLOCK);
    buf_append(ret, buf_bytes(&answer.message));
    reply_free(&reply);
    pki_answer_free(&answer);
}

/* What a message encrypted to nobody of ours gets, without any RSA. */
static void reference_answer(struct site *site, struct buf *ret)
{
    masked_answer(site, &(struct device_message){ .recipient = &site->signature }, SITE_PEER, ret);
}

static void expect_same(struct site *site, const struct buf *reference, const struct device_message *from)
{
    AUTO_BUF answer = { 0 };
    unsigned calls = atomic_load(&site->fake.calls);
    masked_answer(site, from, SITE_PEER, &answer);
    ASSERT_BYTES(buf_bytes(&answer), buf_bytes(reference));
    assert_int_equal(atomic_load(&site->fake.calls), calls);
}

/* The device's envelope with another block in place of the encrypted key. */
static void envelope_to_with_block(struct site *site, const struct identity *recipient, struct bytes block,
                                   struct buf *ret)
{
    device_seal(site, &(struct device_message){ .recipient = recipient }, ret);
    struct cms_enveloped parsed;
    struct why why = { 0 };
    ASSERT_OK(cms_enveloped_decode(buf_bytes(ret), &recipient->cert, 1, &parsed, &why), &why);
    uint8_t *at = memmem(ret->data, ret->len, parsed.encrypted_key.data, parsed.encrypted_key.len);
    assert_non_null(at);
    struct buf raw = openssl_raw_encrypt(recipient->cert.spki, block);
    assert_int_equal(raw.len, parsed.encrypted_key.len);
    memcpy(at, raw.data, raw.len);
    buf_free(&raw);
    cms_enveloped_free(&parsed);
}

static void envelope_with_block(struct site *site, struct bytes block, struct buf *ret)
{
    envelope_to_with_block(site, &site->encryption[1], block, ret);
}

/* 00 02 PS 00 key, with key_len octets of key. */
static void block_fill(uint8_t block[static BLOCK], size_t key_len)
{
    memset(block, 0x55, BLOCK);
    block[0] = 0;
    block[1] = 2;
    block[BLOCK - 1 - key_len] = 0;
}

static void expect_block_refused(struct site *site, const struct buf *reference, const uint8_t *block)
{
    AUTO_BUF envelope = { 0 };
    envelope_with_block(site, bytes_of(block, BLOCK), &envelope);
    unsigned spent = budget_spent(site->scep->budget, clock_mono_ms());
    expect_same(site, reference, &(struct device_message){ .envelope = buf_bytes(&envelope) });
    assert_int_equal(budget_spent(site->scep->budget, clock_mono_ms()), spent + 1);
}

TEST(bad_padding_wrong_length_and_wrong_key_are_one_answer)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF reference = { 0 };
    reference_answer(site, &reference);
    uint8_t block[BLOCK];
    block_fill(block, 16);
    expect_block_refused(site, &reference, block); /* right padding and length, wrong key */
    block[1] = 1;
    expect_block_refused(site, &reference, block); /* block type 1 */
    block[1] = 2, block[0] = 1;
    expect_block_refused(site, &reference, block); /* first octet not 0 */
    static const size_t lengths[] = { 0, 1, 15, 17, 24, 32, 245 };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        block_fill(block, lengths[i]);
        expect_block_refused(site, &reference, block);
    }
    memset(block, 0x55, BLOCK);
    block[0] = 0, block[1] = 2;
    expect_block_refused(site, &reference, block); /* no separator */
    block_fill(block, 16);
    block[5] = 0;
    expect_block_refused(site, &reference, block); /* separator inside the first eight */
}

/* S15: each kind of wrong block of Wycheproof's vectors, for each size of RA key. One answer to all, after one private
   operation each; and the same to who asks without any. */
static void expect_all_breaks_refused(int rsa_bits)
{
    struct identity encryption;
    struct site *site = site_get();
    identity_make(&(struct identity_params){ .subject = "CN=CEP Encryption",
                                             .issuer = &site->ca,
                                             .rsa_bits = rsa_bits,
                                             .key_usage = KU_KEY_ENCIPHERMENT },
                  &encryption);
    site_new(OPTIONS(.encryption = &encryption));
    struct prng prng = prng_seeded("blocks");
    AUTO_BUF reference = { 0 };
    unsigned before = site_decrypts(), first = before;
    reference_answer(site, &reference);
    assert_int_equal(site_decrypts(), before);
    for (size_t way = 0; way < rsa_breaks; way++) {
        AUTO_BUF envelope = { 0 }, answer = { 0 };
        AUTO_BUF block = rsa_pad_pkcs1(&prng, (size_t)rsa_bits / 8, BYTES_LIT("0123456789abcdef"));
        char peer[32];
        rsa_break_pkcs1(&block, 16, way);
        if (block.data[0] & 0x80) /* not below the modulus: no such number can be sent */
            continue;
        snprintf(peer, sizeof(peer), "203.0.113.%zu", way + 1);
        envelope_to_with_block(site, &encryption, buf_bytes(&block), &envelope);
        masked_answer(site, &(struct device_message){ .envelope = buf_bytes(&envelope) }, peer, &answer);
        ASSERT_BYTES(buf_bytes(&answer), buf_bytes(&reference));
        assert_int_equal(site_decrypts(), ++before);
    }
    assert_true(before - first >= 25); /* as many as Wycheproof has */
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    site_new(OPTIONS(0));
    identity_free(&encryption);
}

TEST(every_wrong_block_has_one_answer_for_each_size_of_key)
{
    expect_all_breaks_refused(2048);
    expect_all_breaks_refused(3072);
    expect_all_breaks_refused(4096);
}

TEST(bad_content_and_bad_csr_are_the_same_answer)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF reference = { 0 }, csr = { 0 };
    reference_answer(site, &reference);
    expect_same(site, &reference, &(struct device_message){ .content = BYTES_LIT("not DER at all") });
    expect_same(site, &reference, &(struct device_message){ .content = BYTES_LIT("\x30\x00") });
    device_csr(&site->device, "secret", &csr);
    struct bytes cut = bytes_of(csr.data, csr.len - 1);
    expect_same(site, &reference, &(struct device_message){ .content = cut });
    buf_append_byte(&csr, 0);
    expect_same(site, &reference, &(struct device_message){ .content = buf_bytes(&csr) });
    struct buf large = { 0 };
    buf_reserve(&large, LIMIT_CSR_BYTES + 1);
    memset(large.data, 0x30, LIMIT_CSR_BYTES + 1);
    expect_same(site, &reference,
                &(struct device_message){ .content = bytes_of(large.data, LIMIT_CSR_BYTES + 1) });
    buf_free(&large);
    static const char *const types[] = { "20", "21", "22" };
    for (size_t i = 0; i < 3; i++)
        expect_same(site, &reference,
                    &(struct device_message){ .type = types[i], .content = BYTES_LIT("rubbish") });
}

TEST(a_csr_signature_that_ca_finds_wrong_is_the_same_answer)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF reference = { 0 }, csr = { 0 }, answer = { 0 };
    reference_answer(site, &reference);
    device_csr(&site->device, "secret", &csr);
    csr.data[csr.len - 1] ^= 1;
    masked_answer(site, &(struct device_message){ .content = buf_bytes(&csr) }, SITE_PEER, &answer);
    ASSERT_BYTES(buf_bytes(&answer), buf_bytes(&reference));
    assert_int_equal(atomic_load(&site->fake.calls), 1);
}

TEST(somebody_elses_envelope_wrapped_again_tells_nothing_whole_or_altered)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF envelope = { 0 }, reference = { 0 };
    device_seal(site, &(struct device_message){ 0 }, &envelope);
    struct device_message captured = { .signer = &site->stranger, .envelope = buf_bytes(&envelope) };
    masked_answer(site, &captured, "198.51.100.1", &reference);
    for (size_t back = 1; back <= 32; back++) {
        for (int bit = 0; bit < 8; bit++) {
            AUTO_BUF answer = { 0 };
            char peer[32];
            snprintf(peer, sizeof(peer), "203.0.113.%zu", back * 7 % 250 + 1);
            envelope.data[envelope.len - back] ^= (uint8_t)(1 << bit);
            masked_answer(site, &captured, peer, &answer);
            envelope.data[envelope.len - back] ^= (uint8_t)(1 << bit);
            ASSERT_BYTES(buf_bytes(&answer), buf_bytes(&reference));
        }
    }
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    assert_int_equal(budget_spent(site->scep->budget, clock_mono_ms()), 1 + 32 * 8);
}

/* The first block is the attacker's through the IV; the rest of the name is not. */
TEST(a_query_is_no_padding_oracle)
{
    struct site *site = site_new(OPTIONS(0));
    AUTO_BUF other = { 0 }, reference = { 0 };
    reference_answer(site, &reference);
    device_issuer_and(&site->other_ca, false, BYTES_LIT("\x01"), &other);
    expect_same(site, &reference, &(struct device_message){ .type = "21", .content = buf_bytes(&other) });
    expect_same(site, &reference, &(struct device_message){ .type = "22", .content = buf_bytes(&other) });
}

TEST(what_ca_says_of_a_renewal_is_not_told)
{
    struct site *site = site_new(OPTIONS(.fail_info_text = true));
    AUTO_BUF reference = { 0 }, csr = { 0 }, answer = { 0 };
    reference_answer(site, &reference);
    device_csr(&site->device, NULL, &csr);
    site->fake.mode = FAKE_FAIL;
    site->fake.err = ERR_DENIED;
    struct device_message renewal = { .type = "17", .signer = &site->enrolled, .content = buf_bytes(&csr) };
    masked_answer(site, &renewal, SITE_PEER, &answer);
    ASSERT_BYTES(buf_bytes(&answer), buf_bytes(&reference));
    assert_int_equal(atomic_load(&site->fake.calls), 1);
}

TEST(an_address_that_used_up_its_budget_is_refused_unread_and_others_enrol)
{
    struct site *site = site_new(OPTIONS(0));
    for (int i = 0; i < BUDGET_PER_ADDRESS; i++)
        budget_spend(site->scep->budget, SITE_PEER, clock_mono_ms());
    AUTO_BUF message = { 0 };
    device_write(site, &(struct device_message){ 0 }, &message);
    struct pki_request spent = { site->scep, site->endpoint, buf_bytes(&message), SITE_PEER };
    struct pki_answer later;
    pki_operation_run(&spent, &later);
    assert_int_equal(later.status, 429); /* later, not never: this device may be innocent */
    assert_int_equal(later.message.len, 0);
    pki_answer_free(&later);
    assert_int_equal(atomic_load(&site->fake.calls), 0);
    assert_int_equal(budget_spent(site->scep->budget, clock_mono_ms()), BUDGET_PER_ADDRESS);
    struct pki_request request = { site->scep, site->endpoint, buf_bytes(&message), "198.51.100.9" };
    struct pki_answer other;
    pki_operation_run(&request, &other);
    assert_false(other.held);
    assert_int_equal(atomic_load(&site->scep->counters.issued), 1);
    pki_answer_free(&other);
}

TEST(a_good_message_costs_nothing_of_the_budget)
{
    struct site *site = site_new(OPTIONS(0));
    char verdict[16];
    for (int i = 0; i < 3; i++)
        assert_string_equal(site_verdict(site, &(struct device_message){ 0 }, verdict), "0/");
    site->fake.mode = FAKE_FAIL;
    site->fake.err = ERR_CHALLENGE_WRONG;
    assert_string_equal(site_verdict(site, &(struct device_message){ 0 }, verdict), "2/2");
    assert_int_equal(budget_spent(site->scep->budget, clock_mono_ms()), 0);
}

TEST(a_refusal_is_given_at_a_multiple_of_the_hold_after_arrival)
{
    assert_int_equal(refusal_time(1000, 1000), 1000 + REFUSAL_HOLD_US);
    assert_int_equal(refusal_time(1000, 1000 + REFUSAL_HOLD_US - 1), 1000 + REFUSAL_HOLD_US);
    assert_int_equal(refusal_time(1000, 1000 + REFUSAL_HOLD_US), 1000 + 2 * REFUSAL_HOLD_US);
}

TEST(the_end)
{
    site_end();
}

RUN(T(bad_padding_wrong_length_and_wrong_key_are_one_answer),
    T(every_wrong_block_has_one_answer_for_each_size_of_key), T(bad_content_and_bad_csr_are_the_same_answer),
    T(a_csr_signature_that_ca_finds_wrong_is_the_same_answer),
    T(somebody_elses_envelope_wrapped_again_tells_nothing_whole_or_altered), T(a_query_is_no_padding_oracle),
    T(what_ca_says_of_a_renewal_is_not_told),
    T(an_address_that_used_up_its_budget_is_refused_unread_and_others_enrol),
    T(a_good_message_costs_nothing_of_the_budget),
    T(a_refusal_is_given_at_a_multiple_of_the_hold_after_arrival), T(the_end))

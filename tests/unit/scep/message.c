/* SPDX-License-Identifier: Apache-2.0 */
/* The pkiMessage codec: each attribute rule of a request with its negative twin, and the attributes of an
 * answer. */
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"

static enum err decode(const struct device_message *from, struct scep_message *message, enum scep_type *type,
                       struct why *why)
{
    AUTO_BUF der = { 0 };
    device_write(site_get(), from, &der);
    TRY(scep_message_decode(buf_bytes(&der), message, why));
    return scep_message_check(message, type, why);
}

static void expect(const struct device_message *from, enum err expected)
{
    struct why why = { 0 };
    struct scep_message message = { 0 };
    enum scep_type type = SCEP_CERT_REP;
    ASSERT_ERR(expected, decode(from, &message, &type, &why), &why);
    if (expected != OK)
        assert_true(why.text[0]);
    scep_message_free(&message);
}

TEST(each_client_message_type_is_understood)
{
    static const struct {
        const char *digits;
        enum scep_type type;
    } rows[] = {
        { "17", SCEP_RENEWAL_REQ }, { "19", SCEP_PKCS_REQ }, { "20", SCEP_CERT_POLL },
        { "21", SCEP_GET_CERT },    { "22", SCEP_GET_CRL },
    };
    for (size_t i = 0; i < 5; i++) {
        struct why why = { 0 };
        struct scep_message message = { 0 };
        enum scep_type type = SCEP_CERT_REP;
        ASSERT_OK(decode(&(struct device_message){ .type = rows[i].digits, .no_content = true }, &message,
                         &type, &why),
                  &why);
        assert_int_equal(type, rows[i].type);
        ASSERT_BYTES(message.transaction_id, BYTES_LIT("transaction-1"));
        assert_int_equal(message.sender_nonce.len, 16);
        scep_message_free(&message);
    }
}

TEST(every_other_decimal_message_type_is_refused)
{
    for (int number = 0; number < 256; number++) {
        char digits[8];
        snprintf(digits, sizeof(digits), "%d", number);
        bool known = number == 17 || (number >= 19 && number <= 22);
        expect(&(struct device_message){ .type = digits, .no_content = true }, known ? OK : ERR_BAD_REQUEST);
    }
}

TEST(message_types_that_only_look_right_are_refused)
{
    static const char *const texts[] = { "",  "019", "19 ", " 19",  "+19",  "19.0",
                                         "1", "9",   "-19", "0x13", "1919", "XIX" };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        expect(&(struct device_message){ .type = texts[i], .no_content = true }, ERR_BAD_REQUEST);
    static const uint8_t tags[] = { DER_UTF8_STRING, DER_IA5_STRING, DER_BMP_STRING, DER_INTEGER,
                                    DER_OCTET_STRING };
    for (size_t i = 0; i < sizeof(tags); i++)
        expect(&(struct device_message){ .type_tag = tags[i], .no_content = true }, ERR_BAD_REQUEST);
    expect(&(struct device_message){ .no_type = true, .no_content = true }, ERR_BAD_REQUEST);
}

TEST(a_message_type_of_many_bytes_is_refused_without_showing_them_all)
{
    struct why why = { 0 };
    struct scep_message message = { 0 };
    enum scep_type type;
    char text[30001];
    memset(text, '1', 30000);
    text[30000] = '\0';
    ASSERT_ERR(ERR_BAD_REQUEST,
               decode(&(struct device_message){ .type = text, .no_content = true }, &message, &type, &why),
               &why);
    assert_non_null(strstr(why.text, "30000 bytes"));
    scep_message_free(&message);
}

TEST(a_message_type_given_twice_or_with_two_values_is_refused)
{
    AUTO_BUF again = { 0 };
    cms_attribute_put(&again, OID_SCEP_MESSAGE_TYPE, DER_PRINTABLE_STRING, BYTES_LIT("17"));
    expect(&(struct device_message){ .more_attributes = buf_bytes(&again), .no_content = true },
           ERR_MALFORMED);
    AUTO_BUF two = { 0 };
    size_t mark = der_begin(&two, DER_SEQUENCE);
    der_put_oid(&two, oid_bytes(OID_SCEP_MESSAGE_TYPE));
    size_t values = der_begin(&two, DER_SET);
    der_put(&two, DER_PRINTABLE_STRING, BYTES_LIT("17"));
    der_put(&two, DER_PRINTABLE_STRING, BYTES_LIT("19"));
    der_end(&two, values);
    der_end(&two, mark);
    expect(
        &(struct device_message){ .no_type = true, .more_attributes = buf_bytes(&two), .no_content = true },
        ERR_MALFORMED);
}

TEST(the_transaction_id_has_its_type_and_limits)
{
    char longest[LIMIT_TRANSACTION_ID_BYTES + 2];
    memset(longest, 'a', sizeof(longest));
    longest[LIMIT_TRANSACTION_ID_BYTES + 1] = '\0';
    expect(&(struct device_message){ .transaction = longest, .no_content = true }, ERR_MALFORMED);
    longest[LIMIT_TRANSACTION_ID_BYTES] = '\0';
    expect(&(struct device_message){ .transaction = longest, .no_content = true }, OK);
    expect(&(struct device_message){ .transaction = "x", .no_content = true }, OK);
    expect(&(struct device_message){ .transaction = "", .no_content = true }, ERR_MALFORMED);
    expect(&(struct device_message){ .no_transaction = true, .no_content = true }, ERR_MALFORMED);
    expect(&(struct device_message){ .transaction_tag = DER_UTF8_STRING, .no_content = true }, ERR_MALFORMED);
    expect(&(struct device_message){ .transaction = "a\nb", .no_content = true }, ERR_MALFORMED);
    expect(&(struct device_message){ .transaction = "a\x7F", .no_content = true }, ERR_MALFORMED);
    expect(&(struct device_message){ .transaction = "a~*_@", .no_content = true }, OK);
}

TEST(the_sender_nonce_may_be_short_or_missing_but_not_something_else)
{
    expect(&(struct device_message){ .no_nonce = true, .no_content = true }, OK);
    expect(&(struct device_message){ .nonce_len = 8, .no_content = true }, OK);
    expect(&(struct device_message){ .nonce_len = LIMIT_NONCE_BYTES, .no_content = true }, OK);
    expect(&(struct device_message){ .nonce_len = LIMIT_NONCE_BYTES + 1, .no_content = true },
           ERR_BAD_REQUEST);
    expect(&(struct device_message){ .nonce_tag = DER_PRINTABLE_STRING, .no_content = true },
           ERR_BAD_REQUEST);
}

TEST(attributes_of_an_answer_are_refused_in_a_request)
{
    static const enum oid types[] = { OID_SCEP_PKI_STATUS, OID_SCEP_FAIL_INFO };
    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF more = { 0 };
        cms_attribute_put(&more, types[i], DER_PRINTABLE_STRING, BYTES_LIT("0"));
        expect(&(struct device_message){ .more_attributes = buf_bytes(&more), .no_content = true },
               ERR_BAD_REQUEST);
    }
    AUTO_BUF time = { 0 };
    cms_attribute_put(&time, OID_ATTR_SIGNING_TIME, DER_UTC_TIME, BYTES_LIT("260921000000Z"));
    expect(&(struct device_message){ .more_attributes = buf_bytes(&time), .no_content = true }, OK);
}

TEST(a_message_cut_or_continued_anywhere_is_refused)
{
    AUTO_BUF der = { 0 };
    device_write(site_get(), &(struct device_message){ .no_content = true }, &der);
    for (size_t len = 0; len < der.len; len += 7) {
        struct scep_message message = { 0 };
        assert_int_not_equal(scep_message_decode(bytes_of(der.data, len), &message, NULL), OK);
    }
    buf_append_byte(&der, 0);
    struct scep_message message = { 0 };
    assert_int_not_equal(scep_message_decode(buf_bytes(&der), &message, NULL), OK);
}

TEST(a_message_one_past_the_limit_is_refused_for_its_length)
{
    struct buf big = { 0 };
    buf_reserve(&big, LIMIT_PKI_MESSAGE_BYTES + 1);
    memset(big.data, 0x30, LIMIT_PKI_MESSAGE_BYTES + 1);
    struct scep_message message = { 0 };
    struct why why = { 0 };
    ASSERT_ERR(ERR_LIMIT,
               scep_message_decode(bytes_of(big.data, LIMIT_PKI_MESSAGE_BYTES + 1), &message, &why), &why);
    ASSERT_ERR(ERR_MALFORMED,
               scep_message_decode(bytes_of(big.data, LIMIT_PKI_MESSAGE_BYTES), &message, &why), &why);
    buf_free(&big);
}

TEST(an_answer_has_the_attributes_of_its_status)
{
    struct site *site = site_new(&(struct site_options){ 0 });
    static const struct {
        enum scep_status status;
        const char *text, *fail_info;
        bool content;
    } rows[] = { { SCEP_SUCCESS, "0", "", true },
                 { SCEP_FAILURE, "2", "2", false },
                 { SCEP_PENDING, "3", "", false } };
    AUTO_BUF envelope = { 0 };
    device_seal(site, &(struct device_message){ .recipient = &site->device }, &envelope);
    for (size_t i = 0; i < 3; i++) {
        struct why why = { 0 };
        AUTO_BUF der = { 0 };
        struct scep_reply reply = { .status = rows[i].status,
                                    .fail_info = FAIL_BAD_REQUEST,
                                    .fail_info_text = "reason",
                                    .transaction_id = BYTES_LIT("tx"),
                                    .has_recipient_nonce = i != 2,
                                    .recipient_nonce = BYTES_LIT("12345678"),
                                    .digest = DIGEST_SHA384,
                                    .envelope = buf_bytes(&envelope) };
        ASSERT_OK(scep_reply_encode(&reply, &site->signature.cert, site->signature.key, &der, &why), &why);
        struct reply read;
        reply_read(site, &site->device, buf_bytes(&der), &read);
        assert_string_equal(read.status, rows[i].text);
        assert_string_equal(read.fail_info, rows[i].fail_info);
        assert_int_equal(read.cms.has_content, rows[i].content);
        assert_int_equal(read.cms.digest, DIGEST_SHA384);
        assert_int_equal(read.has_recipient_nonce, i != 2);
        assert_int_equal(read.has_fail_text, rows[i].status == SCEP_FAILURE);
        ASSERT_BYTES(read.transaction_id, BYTES_LIT("tx"));
        assert_int_equal(read.sender_nonce.len, 16);
        reply_free(&read);
    }
}

TEST(the_end)
{
    site_end();
}

RUN(T(each_client_message_type_is_understood), T(every_other_decimal_message_type_is_refused),
    T(message_types_that_only_look_right_are_refused),
    T(a_message_type_of_many_bytes_is_refused_without_showing_them_all),
    T(a_message_type_given_twice_or_with_two_values_is_refused),
    T(the_transaction_id_has_its_type_and_limits),
    T(the_sender_nonce_may_be_short_or_missing_but_not_something_else),
    T(attributes_of_an_answer_are_refused_in_a_request), T(a_message_cut_or_continued_anywhere_is_refused),
    T(a_message_one_past_the_limit_is_refused_for_its_length), T(an_answer_has_the_attributes_of_its_status),
    T(the_end))

/* SPDX-License-Identifier: Apache-2.0 */
/* The two bodies: what is taken, and that nothing else is. */
#include "scep/crs_body.h"

#include "base/auto.h"
#include "base/limits.h"
#include "tests/unit/test.h"

static void refused(enum err (*read)(struct bytes, struct crs_body *, struct why *), const char *text,
                    const char *reason)
{
    struct why why = { 0 };
    AUTO_VAL(crs_body) body = { 0 };
    ASSERT_ERR(ERR_HTTP_BAD, read(bytes_str(text), &body, &why), &why);
    if (!strstr(why.text, reason))
        fail_msg("\"%s\" lacks \"%s\"", why.text, reason);
}

TEST(a_verify_request_is_read_whole)
{
    struct why why = { 0 };
    AUTO_VAL(crs_body) body = { 0 }, least = { 0 };
    ASSERT_OK(crs_body_verify(
                  bytes_str("{\"template\":\"Users\",\"pkcs10\":\"AQ\\r\\nID\",\"signingCert\":\"AQID\","
                            "\"transactionId\":\"\\u0032 x\"}"),
                  &body, &why),
              &why);
    ASSERT_BYTES(BYTES_LIT("\1\2\3"), buf_bytes(&body.claim.csr));
    ASSERT_BYTES(BYTES_LIT("Users"), body.claim.template_name);
    ASSERT_BYTES(BYTES_LIT("2 x"), body.claim.of.transaction_id);
    ASSERT_OK(crs_body_verify(bytes_str("{\"pkcs10\":\"AQID\",\"signingCert\":null,\"transactionId\":\"1\"}"),
                              &least, &why),
              &why);
    assert_int_equal(0, least.claim.template_name.len);
}

TEST(what_is_no_verify_request_is_refused_by_name)
{
    refused(crs_body_verify, "", "no JSON");
    refused(crs_body_verify, "null", "no JSON object");
    refused(crs_body_verify, "[]", "no JSON object");
    refused(crs_body_verify, "{}", "the member pkcs10 is missing");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"1\"}x", "no JSON");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"pkcs10\":\"AQID\",\"transactionId\":\"1\"}", "no JSON");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"1\",\"x\":1}", "no member x");
    refused(crs_body_verify, "{\"pkcs10\":null,\"transactionId\":\"1\"}", "pkcs10 is not a text");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":1}", "transactionId is not a text");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"\"}", "transactionId has 0 octets");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"\\u00e4\"}", "printable");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"a\\nb\"}", "printable");
    refused(crs_body_verify, "{\"pkcs10\":\"\",\"transactionId\":\"1\"}", "pkcs10 has 0 octets");
    refused(crs_body_verify, "{\"pkcs10\":\"A*\",\"transactionId\":\"1\"}", "pkcs10 is not base64");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"1\",\"signingCert\":\"-\"}",
            "signingCert");
    refused(crs_body_verify, "{\"pkcs10\":\"AQID\",\"transactionId\":\"\\u0000\"}", "no JSON");
    refused(crs_body_verify, "{\"a\":[[[[[[[[[[1]]]]]]]]]]}", "no JSON");
}

TEST(each_text_has_its_limit)
{
    AUTO_STR most =
        xasprintf("{\"pkcs10\":\"AQID\",\"transactionId\":\"%0*d\"}", LIMIT_TRANSACTION_ID_BYTES, 1);
    AUTO_STR more =
        xasprintf("{\"pkcs10\":\"AQID\",\"transactionId\":\"%0*d\"}", LIMIT_TRANSACTION_ID_BYTES + 1, 1);
    AUTO_STR template = xasprintf("{\"pkcs10\":\"AQID\",\"transactionId\":\"1\",\"template\":\"%0*d\"}",
                                  REGISTRATION_TEMPLATE_BYTES + 1, 1);
    AUTO_STR challenge =
        xasprintf("{\"challenge\":\"%0*d\",\"transactionId\":\"1\",\"disposition\":3,\"hResult\":0}",
                  LIMIT_CHALLENGE_BYTES + 1, 1);
    struct why why = { 0 };
    AUTO_VAL(crs_body) body = { 0 };
    ASSERT_OK(crs_body_verify(bytes_str(most), &body, &why), &why);
    refused(crs_body_verify, more, "limit 255");
    refused(crs_body_verify, template, "limit 256");
    refused(crs_body_notify, challenge, "limit 16384");
}

static void notice(const char *tail, enum registration_disposition disposition, uint32_t hresult,
                   size_t certificate)
{
    struct why why = { 0 };
    AUTO_VAL(crs_body) body = { 0 };
    AUTO_STR text = xasprintf("{\"challenge\":\"MIIB\",\"transactionId\":\"1\",%s}", tail);
    ASSERT_OK(crs_body_notify(bytes_str(text), &body, &why), &why);
    assert_int_equal(disposition, body.notice.disposition);
    assert_true(hresult == body.notice.hresult);
    assert_int_equal(certificate, body.notice.certificate.len);
    ASSERT_BYTES(BYTES_LIT("MIIB"), body.notice.challenge);
}

TEST(a_notice_is_read_with_its_numbers_as_windows_writes_them)
{
    notice("\"disposition\":0,\"hResult\":0,\"certificate\":\"AQID\"", REGISTRATION_ISSUED, 0, 3);
    notice("\"disposition\":2,\"hResult\":-2146875375,\"certificate\":null", REGISTRATION_FAILED, 0x80094811,
           0);
    notice("\"disposition\":2,\"hResult\":2148091921", REGISTRATION_FAILED, 0x80094811, 0);
    notice("\"disposition\":3,\"hResult\":0", REGISTRATION_PENDING, 0, 0);
    notice("\"disposition\":-1,\"hResult\":0", REGISTRATION_UNKNOWN, 0, 0);
}

TEST(what_is_no_notice_is_refused_by_name)
{
#define NOTICE(tail) "{\"challenge\":\"x\",\"transactionId\":\"1\"," tail "}"
    refused(crs_body_notify, NOTICE("\"disposition\":0,\"hResult\":0"), "comes without a certificate");
    refused(crs_body_notify, NOTICE("\"disposition\":2,\"hResult\":0,\"certificate\":\"AQID\""),
            "comes with a certificate");
    refused(crs_body_notify, NOTICE("\"disposition\":1,\"hResult\":0"), "disposition is 1");
    refused(crs_body_notify, NOTICE("\"disposition\":4294967296,\"hResult\":0"), "disposition is 4294967296");
    refused(crs_body_notify, NOTICE("\"disposition\":2.0,\"hResult\":0"),
            "disposition is not a whole number");
    refused(crs_body_notify, NOTICE("\"disposition\":\"2\",\"hResult\":0"),
            "disposition is not a whole number");
    refused(crs_body_notify, NOTICE("\"disposition\":2,\"hResult\":4294967296"), "more than 32 bits");
    refused(crs_body_notify, NOTICE("\"disposition\":2,\"hResult\":-2147483649"), "more than 32 bits");
    refused(crs_body_notify, NOTICE("\"disposition\":2"), "hResult is missing");
    refused(crs_body_notify, "{\"challenge\":\"\",\"transactionId\":\"1\",\"disposition\":3,\"hResult\":0}",
            "empty");
}

RUN(T(a_verify_request_is_read_whole), T(what_is_no_verify_request_is_refused_by_name),
    T(each_text_has_its_limit), T(a_notice_is_read_with_its_numbers_as_windows_writes_them),
    T(what_is_no_notice_is_refused_by_name))

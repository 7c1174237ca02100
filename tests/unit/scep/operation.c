/* SPDX-License-Identifier: Apache-2.0 */
/* What the loop thread answers by itself: GetCACaps, GetCACert, pages, statuses; and the pkiMessage of a GET or POST. */
#include "scep/pages.h"
#include "tests/unit/scep/support.h"
#include "tests/unit/test.h"
#include <ctype.h>

#define OPTIONS(...) (&(struct site_options){ __VA_ARGS__ })

static struct http_request request_of(enum http_method method, const char *target, struct bytes body)
{
    const char *mark = strchr(target, '?');
    size_t path = mark ? (size_t)(mark - target) : strlen(target);
    return (struct http_request){ .method = method,
                                  .target = bytes_str(target),
                                  .path = bytes_of(target, path),
                                  .query = mark ? bytes_str(mark + 1) : BYTES_NONE,
                                  .has_query = mark != NULL,
                                  .body = body,
                                  .peer = SITE_PEER };
}

static struct operation ask(enum http_method method, const char *target)
{
    struct site *site = site_get();
    struct endpoint_set *set = scep_endpoints(site->scep);
    struct http_request request = request_of(method, target, BYTES_NONE);
    struct operation operation;
    operation_decide(site->scep, set, &request, &operation);
    endpoint_set_unref(set);
    return operation;
}

static int status_of(enum http_method method, const char *target)
{
    struct operation operation = ask(method, target);
    return operation.kind == OPERATION_PKI ? 0 : operation.answer.status;
}

static void expect_caps(const struct site_options *options, const char *expected)
{
    site_new(options);
    struct operation operation = ask(HTTP_GET, "/scep?operation=GetCACaps");
    assert_int_equal(operation.answer.status, 200);
    assert_string_equal(operation.answer.content_type, "text/plain");
    ASSERT_BYTES(operation.answer.body, bytes_str(expected));
}

TEST(get_ca_caps_says_what_is_true_of_the_endpoint)
{
    expect_caps(OPTIONS(0), "POSTPKIOperation\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n");
    expect_caps(OPTIONS(.allow_3des = true),
                "POSTPKIOperation\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\nDES3\n");
    expect_caps(OPTIONS(.allow_sha1 = true),
                "POSTPKIOperation\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\nSHA-1\n");
    expect_caps(OPTIONS(.allow_sha1 = true, .allow_3des = true),
                "POSTPKIOperation\nAES\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\nDES3\nSHA-1\n");
}

TEST(get_ca_caps_and_get_ca_cert_ignore_message)
{
    site_new(OPTIONS(0));
    static const char *const queries[] = { "operation=GetCACaps",
                                           "operation=GetCACaps&message=default",
                                           "message=ca&operation=GetCACaps",
                                           "operation=GetCACaps&message=SCEP%20Authority",
                                           "operation=GetCACaps&message=%zz",
                                           "operation=GetCACaps&",
                                           "operation=GetCACert&message=CAIdentifier",
                                           "operation=getcacert" };
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        char target[128];
        snprintf(target, sizeof(target), "/certsrv/mscep/mscep.dll/pkiclient.exe?%s", queries[i]);
        assert_int_equal(status_of(HTTP_GET, target), 200);
        assert_int_equal(status_of(HTTP_HEAD, target), 200);
    }
}

static void expect_certs(const struct site_options *options, const struct identity *const *expected,
                         size_t count)
{
    site_new(options);
    struct operation operation = ask(HTTP_GET, "/scep?operation=GetCACert");
    assert_int_equal(operation.answer.status, 200);
    assert_string_equal(operation.answer.content_type, "application/x-x509-ca-ra-cert");
    assert_int_equal(openssl_cert_count(operation.answer.body), count);
    for (size_t i = 0; i < count; i++) {
        struct buf found = openssl_cert_at(operation.answer.body, i);
        ASSERT_BYTES(buf_bytes(&found), buf_bytes(&expected[i]->der));
        buf_free(&found);
    }
}

TEST(get_ca_cert_has_the_shape_the_endpoint_chose)
{
    struct site *site = site_get();
    const struct identity *separate[] = { &site->encryption[1], &site->signature, &site->ca, &site->root };
    const struct identity *combined[] = { &site->combined, &site->ca, &site->root };
    expect_certs(OPTIONS(.get_ca_cert = GET_CA_CERT_RA_AND_CA), separate, 3);
    expect_certs(OPTIONS(.get_ca_cert = GET_CA_CERT_RA), separate, 2);
    expect_certs(OPTIONS(.get_ca_cert = GET_CA_CERT_CHAIN), separate, 4);
    expect_certs(OPTIONS(.get_ca_cert = GET_CA_CERT_RA_AND_CA, .combined = true), combined, 2);
    expect_certs(OPTIONS(.get_ca_cert = GET_CA_CERT_RA, .combined = true), combined, 1);
    expect_certs(OPTIONS(.get_ca_cert = GET_CA_CERT_CHAIN, .combined = true), combined, 3);
    site_new(OPTIONS(.get_ca_cert = GET_CA_CERT_CA));
    struct operation operation = ask(HTTP_GET, "/scep?operation=GetCACert");
    assert_string_equal(operation.answer.content_type, "application/x-x509-ca-cert");
    ASSERT_BYTES(operation.answer.body, buf_bytes(&site->ca.der));
}

TEST(without_operation_the_policy_module_decides_the_page)
{
    site_new(OPTIONS(.validator = "managed"));
    struct operation guarded = ask(HTTP_GET, "/certsrv/mscep/mscep.dll");
    assert_int_equal(guarded.answer.status, 403);
    ASSERT_BYTES(guarded.answer.body, bytes_str(page_forbidden));
    static const char *const others[] = { "static", "one-time", "manual" };
    for (size_t i = 0; i < 3; i++) {
        site_new(OPTIONS(.validator = others[i]));
        struct operation open = ask(HTTP_GET, "/certsrv/mscep/mscep.dll?x=y");
        assert_int_equal(open.answer.status, 200);
        assert_string_equal(open.answer.content_type, "text/html");
        ASSERT_BYTES(open.answer.body, bytes_str(page_information));
    }
}

TEST(the_pages_say_what_the_guides_look_for)
{
    assert_non_null(strstr(page_forbidden, "<title>HTTP Error 403.0 - Forbidden</title>"));
    assert_non_null(strstr(page_forbidden, "<h1>HTTP Error 403.0 - Forbidden</h1>"));
    assert_non_null(strstr(page_information, "<title>Network Device Enrollment Service</title>"));
    assert_non_null(strstr(page_information, "href=\"/certsrv/mscep_admin/\""));
}

TEST(each_wrong_request_has_its_status)
{
    site_new(OPTIONS(0));
    assert_int_equal(status_of(HTTP_GET, "/nothing"), 404);
    assert_int_equal(status_of(HTTP_GET, "/certsrv/mscep_admin/"), 404);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation="), 400);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation"), 400);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation=Nothing"), 400);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation=GetCACapsX"), 400);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation=%zz"), 400);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation=GetNextCACert"), 404);
    assert_int_equal(status_of(HTTP_POST, "/scep?operation=GetCACaps"), 405);
    assert_int_equal(status_of(HTTP_POST, "/scep?operation=GetCACert"), 405);
    assert_int_equal(status_of(HTTP_HEAD, "/scep?operation=PKIOperation&message=AA"), 405);
}

TEST(pki_operation_goes_to_a_worker_by_get_and_post)
{
    site_new(OPTIONS(0));
    assert_int_equal(ask(HTTP_GET, "/scep?operation=PKIOperation&message=AA").kind, OPERATION_PKI);
    assert_int_equal(ask(HTTP_POST, "/scep/pkiclient.exe?operation=PKIOperation").kind, OPERATION_PKI);
}

TEST(an_expired_ra_certificate_is_503_but_get_ca_caps_still_answers)
{
    site_new(OPTIONS(.expired = true));
    struct operation operation = ask(HTTP_GET, "/scep?operation=GetCACert");
    assert_int_equal(operation.answer.status, 503);
    assert_non_null(strstr(operation.answer.extra_headers, "Retry-After:"));
    assert_int_equal(status_of(HTTP_POST, "/scep?operation=PKIOperation"), 503);
    assert_int_equal(status_of(HTTP_GET, "/scep?operation=GetCACaps"), 200);
    site_new(OPTIONS(0));
    assert_int_equal(status_of(HTTP_GET, "/scep?operation=GetCACert"), 200);
}

/* --- base64 ------------------------------------------------------------------------------------------------------ */

static enum err get_message(const char *text, struct buf *ret)
{
    AUTO_STR target = xasprintf("/scep?operation=PKIOperation&message=%s", text);
    struct http_request request = request_of(HTTP_GET, target, BYTES_NONE);
    struct why why = { 0 };
    enum err err = operation_message(&request, ret, &why);
    assert_int_equal(err == OK, why.text[0] == '\0');
    return err;
}

static void expect_base64(const char *text, struct bytes expected)
{
    AUTO_BUF message = { 0 };
    assert_int_equal(get_message(text, &message), OK);
    ASSERT_BYTES(buf_bytes(&message), expected);
}

TEST(every_spelling_of_base64_in_a_url_is_read)
{
    struct bytes all = BYTES_LIT("\xFB\xEF\xBE\xFF\xFF"); /* ++++//8= is full of both odd characters */
    expect_base64("++++//8=", all);
    expect_base64("%2B%2B%2B%2B%2F%2F8%3D", all);
    expect_base64("++++//8%3D", all);
    expect_base64("%20%20%20%20//8=", all); /* a form encoder's blank for + */
    expect_base64("++++//8", all);          /* padding lost */
    expect_base64("++++%0A//8=%0A", all);   /* Cisco's line ends */
    expect_base64("++++%0D%0A//8=", all);
    expect_base64("+%2b %2B//8=", all);
}

TEST(what_is_not_base64_is_refused)
{
    static const char *const bad[] = { "",         "----__8=",    "++++__8=",    "++++//8=x",
                                       "+",        "++++//9=",    "++++//8=%00", "++++//8%",
                                       "++++*//8", "++++%09//8=", "=",           "%0A" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        AUTO_BUF message = { 0 };
        assert_int_equal(get_message(bad[i], &message), ERR_HTTP_BAD);
        assert_int_equal(message.len, 0);
    }
    struct http_request request = request_of(HTTP_GET, "/scep?operation=PKIOperation", BYTES_NONE);
    AUTO_BUF message = { 0 };
    assert_int_equal(operation_message(&request, &message, NULL), ERR_HTTP_BAD);
}

TEST(a_body_is_taken_as_it_is_up_to_the_limit)
{
    struct buf body = { 0 };
    buf_reserve(&body, LIMIT_PKI_MESSAGE_BYTES + 1);
    memset(body.data, 0x2B, LIMIT_PKI_MESSAGE_BYTES + 1);
    static const struct {
        size_t len;
        enum err err;
    } rows[] = { { 0, ERR_HTTP_BAD },
                 { 1, OK },
                 { LIMIT_PKI_MESSAGE_BYTES, OK },
                 { LIMIT_PKI_MESSAGE_BYTES + 1, ERR_HTTP_BODY } };
    for (size_t i = 0; i < 4; i++) {
        struct http_request request = request_of(HTTP_POST, "/scep?operation=PKIOperation&message=AA",
                                                 bytes_of(body.data, rows[i].len));
        AUTO_BUF message = { 0 };
        struct why why = { 0 };
        ASSERT_ERR(rows[i].err, operation_message(&request, &message, &why), &why);
        assert_int_equal(message.len, rows[i].err == OK ? rows[i].len : 0);
    }
    buf_free(&body);
}

TEST(the_end)
{
    site_end();
}

RUN(T(get_ca_caps_says_what_is_true_of_the_endpoint), T(get_ca_caps_and_get_ca_cert_ignore_message),
    T(get_ca_cert_has_the_shape_the_endpoint_chose), T(without_operation_the_policy_module_decides_the_page),
    T(the_pages_say_what_the_guides_look_for), T(each_wrong_request_has_its_status),
    T(pki_operation_goes_to_a_worker_by_get_and_post),
    T(an_expired_ra_certificate_is_503_but_get_ca_caps_still_answers),
    T(every_spelling_of_base64_in_a_url_is_read), T(what_is_not_base64_is_refused),
    T(a_body_is_taken_as_it_is_up_to_the_limit), T(the_end))

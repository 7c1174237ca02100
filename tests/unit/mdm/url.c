/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of servers. */
#include "mdm/url.h"
#include "tests/unit/mdm/fixture.h"

TEST(absolute_urls_of_http_are_good)
{
    static const char *const rows[] = {
        "https://ndes.contoso.com/certsrv/mscep/mscep.dll",
        "http://scep",
        "HTTPS://a.b",
        "https://a.b:1",
        "https://a.b:65535/",
        "http://192.0.2.7:8080/scep",
        "http://[2001:db8::1]/scep",
        "http://[::1]:80",
        "https://a.b/x%20y/@z:1",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (url_rule_broken(bytes_str(rows[i])))
            fail_msg("%s %s", rows[i], url_rule_broken(bytes_str(rows[i])));
}

TEST(other_urls_break_a_rule_that_is_said)
{
    static const char *const rows[][2] = {
        { "", "absolute" },
        { "ftp://a.b/", "absolute" },
        { "//a.b/", "absolute" },
        { "/certsrv", "absolute" },
        { "a.b/certsrv", "absolute" },
        { "http:/a.b", "absolute" },
        { "httpss://a.b", "absolute" },
        { " http://a.b", "absolute" },
        { "http://a.b/x y", "characters" },
        { "http://a.b/x\"", "characters" },
        { "http://a.b/%zz", "characters" },
        { "http://\xc3\xbc.b/", "characters" },
        { "http://a.b/?x=1", "query" },
        { "http://a.b?", "query" },
        { "http://a.b/#x", "query" },
        { "http://a.b/x;http://c.d/y", "';'" },
        { "http://u@a.b/", "user" },
        { "http://u:p@a.b/", "user" },
        { "http://", "host" },
        { "http:///x", "host" },
        { "http://:80/", "host" },
        { "http://a.b:/", "host" },
        { "http://a.b:0/", "host" },
        { "http://a.b:65536/", "host" },
        { "http://a.b:080000/", "host" },
        { "http://a.b:8x/", "host" },
        { "http://-a.b/", "host" },
        { "http://a..b/", "host" },
        { "http://*.b/", "host" },
        { "http://[::1/", "host" },
        { "http://[::1]x/", "host" },
        { "http://[a.b]/", "host" },
        { "http://[1.2.3.4]/", "host" },
        { "http://[]/", "host" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *broken = url_rule_broken(bytes_str(rows[i][0]));
        if (!broken || !strstr(broken, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], broken ? broken : "good");
    }
}

TEST(a_qualified_host_is_labels_and_nothing_more)
{
    static const char *const bad[] = { "",
                                       "ca",
                                       "ca.example.",
                                       ".ca.example",
                                       "https://ca.example",
                                       "ca.example/",
                                       "ca.ex:80",
                                       "*.ca.example",
                                       "192.0.2.7",
                                       "ca_1.example",
                                       "a..b",
                                       "::1" };
    assert_true(host_is_qualified(BYTES_LIT("pki-ws.symauth.com")));
    assert_true(host_is_qualified(BYTES_LIT("a.b")));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (host_is_qualified(bytes_str(bad[i])))
            fail_msg("%s is good", bad[i]);
}

RUN(T(absolute_urls_of_http_are_good), T(other_urls_break_a_rule_that_is_said),
    T(a_qualified_host_is_labels_and_nothing_more))

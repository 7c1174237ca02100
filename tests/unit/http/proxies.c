/* SPDX-License-Identifier: Apache-2.0 */
/* Who asked, when a proxy says so; and who did not, when anybody else does. */
#include "http/proxies.h"
#include "tests/unit/test.h"

static const char *const trusted[] = { "127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48" };

static struct proxies *proxies_make(enum proxy_header header)
{
    struct proxies *proxies = NULL;
    struct why why;
    ASSERT_OK(proxies_new(trusted, sizeof(trusted) / sizeof(*trusted), header, &proxies, &why), &why);
    return proxies;
}

static struct address address_from(const char *text)
{
    struct address address;
    assert_true(address_parse(bytes_str(text), &address));
    return address;
}

static void assert_client(enum proxy_header header, const char *peer_text, const char *list,
                          const char *expected_text)
{
    AUTO(proxies) proxies = proxies_make(header);
    struct address peer = address_from(peer_text), expected = address_from(expected_text);
    struct address got = proxies_client(proxies, &peer, bytes_str(list));
    if (!address_equal(&got, &expected))
        fail_msg("%s from %s is not %s", list, peer_text, expected_text);
}

#define X(list, expected) assert_client(PROXY_X_FORWARDED_FOR, "127.0.0.1", list, expected)
#define F(list, expected) assert_client(PROXY_FORWARDED, "127.0.0.1", list, expected)

TEST(the_last_entry_that_is_no_proxy_of_ours_is_the_client)
{
    X("192.0.2.7", "192.0.2.7");
    X("6.6.6.6, 192.0.2.7", "192.0.2.7");
    X("6.6.6.6,192.0.2.7,10.1.2.3", "192.0.2.7");
    X("2001:db8:9::7", "2001:db8:9::7");
    X("192.0.2.7, 2001:db8:1::5", "192.0.2.7");
    X("10.1.2.3", "10.1.2.3"); /* proxies all the way: the first of them */
}

TEST(ports_and_brackets_are_taken_off)
{
    X("192.0.2.7:4711", "192.0.2.7");
    X("[2001:db8:9::7]", "2001:db8:9::7");
    X("[2001:db8:9::7]:4711", "2001:db8:9::7");
}

TEST(without_an_address_the_proxy_itself_is_the_client)
{
    X("", "127.0.0.1");
    X("unknown", "127.0.0.1");
    X("6.6.6.6, ", "127.0.0.1");
    X("6.6.6.6, garbage", "127.0.0.1");
    X("6.6.6.6, [::1", "127.0.0.1");
    X("6.6.6.6, unknown, 10.1.2.3", "10.1.2.3");
}

TEST(whoever_is_not_trusted_is_not_believed)
{
    assert_client(PROXY_X_FORWARDED_FOR, "192.0.2.1", "6.6.6.6", "192.0.2.1");
    assert_client(PROXY_X_FORWARDED_FOR, "127.0.0.2", "6.6.6.6", "127.0.0.2");
    assert_client(PROXY_FORWARDED, "11.0.0.1", "for=6.6.6.6", "11.0.0.1");
    struct address peer = address_from("127.0.0.1");
    assert_false(proxies_trust(NULL, &peer));
}

TEST(forwarded_is_read_as_rfc_7239_writes_it)
{
    F("for=192.0.2.7", "192.0.2.7");
    F("For=\"[2001:db8:9::7]:4711\"", "2001:db8:9::7");
    F("by=10.0.0.1;proto=https; FOR=192.0.2.7;host=x", "192.0.2.7");
    F("for=6.6.6.6, for=192.0.2.7;by=127.0.0.1, for=\"10.9.9.9:80\"", "192.0.2.7");
    F("for=unknown", "127.0.0.1");
    F("for=_hidden, for=_secret", "127.0.0.1");
    F("proto=https", "127.0.0.1");
    F("192.0.2.7", "127.0.0.1"); /* X-Forwarded-For's form */
}

/* What a client writes to the left of the proxy's entry, or has the proxy quote, changes nothing. */
TEST(clients_cannot_forge_their_address)
{
    F("for=\", for=192.0.2.7", "192.0.2.7");
    F("for=\"6.6.6.6, for=192.0.2.7", "192.0.2.7");
    F("for=192.0.2.7;host=\"a,for=6.6.6.6\"", "192.0.2.7");
    F("for=192.0.2.7;host=\"a\\\",for=6.6.6.6;x=\\\"\"", "192.0.2.7");
    F("for=6.6.6.6;x=\", for=192.0.2.7;host=\"a\\\\\"", "192.0.2.7");
    X("\", 192.0.2.7", "192.0.2.7");
    X("6.6.6.6\", \"192.0.2.7", "127.0.0.1");
    X("10.0.0.1, 127.0.0.1, 192.0.2.7", "192.0.2.7");
}

TEST(a_loop_of_proxies_ends)
{
    AUTO_BUF list = { 0 };
    buf_append_str(&list, "192.0.2.7");
    for (int i = 0; i < 16; i++)
        buf_append_str(&list, ",10.0.0.1");
    X(buf_text(&list), "10.0.0.1");
    list.len -= strlen(",10.0.0.1");
    X(buf_text(&list), "192.0.2.7");
}

TEST(a_list_with_something_else_is_refused_by_name)
{
    static const char *const bad[] = { "127.0.0.1", "proxy.example" };
    struct proxies *proxies = NULL;
    struct why why;
    ASSERT_ERR(ERR_CONFIG, proxies_new(bad, 2, PROXY_FORWARDED, &proxies, &why), &why);
    assert_non_null(strstr(why.text, "proxy.example"));
    assert_null(proxies);
}

RUN(T(the_last_entry_that_is_no_proxy_of_ours_is_the_client), T(ports_and_brackets_are_taken_off),
    T(without_an_address_the_proxy_itself_is_the_client), T(whoever_is_not_trusted_is_not_believed),
    T(forwarded_is_read_as_rfc_7239_writes_it), T(clients_cannot_forge_their_address),
    T(a_loop_of_proxies_ends), T(a_list_with_something_else_is_refused_by_name))

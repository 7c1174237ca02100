/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks: every form that is taken, and those that are not. */
#include "base/network.h"
#include "tests/unit/test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static struct address address_from(const char *text)
{
    struct address address;
    if (!address_parse(bytes_str(text), &address))
        fail_msg("%s is not taken", text);
    return address;
}

TEST(both_families_parse_and_a_mapped_address_is_its_ipv4)
{
    struct address four = address_from("192.0.2.7"), mapped = address_from("::ffff:192.0.2.7");
    assert_true(address_equal(&four, &mapped));
    assert_int_equal(7, four.octets[15]);
    assert_int_equal(13, address_from("fe80::1%13").scope);
    assert_int_equal(0x20, address_from("2001:db8::1").octets[0]);
}

TEST(what_is_no_address_is_refused)
{
    static const char *const bad[] = { "",
                                       "1.2.3",
                                       "1.2.3.4.5",
                                       "1.2.3.256",
                                       "01.2.3.4x",
                                       "localhost",
                                       "[::1]",
                                       "1.2.3.4:5",
                                       "fe80::1%eth0",
                                       "fe80::1%",
                                       "1.2.3.4%1",
                                       "::1%99999999999",
                                       " 192.0.2.7",
                                       "_hidden",
                                       "unknown",
                                       "2001:db8::1::2",
                                       "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:0000:1111:2222" };
    struct address address;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (address_parse(bytes_str(bad[i]), &address))
            fail_msg("\"%s\" is taken", bad[i]);
    }
    assert_false(address_parse(BYTES_LIT("1.2.3.4\0"), &address));
}

TEST(sockets_give_the_same_values_as_text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    inet_pton(AF_INET, "192.0.2.7", &in.sin_addr);
    struct address expected = address_from("192.0.2.7"), got = address_of((struct sockaddr *)&in);
    assert_true(address_equal(&expected, &got));
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_scope_id = 13 };
    inet_pton(AF_INET6, "fe80::1", &in6.sin6_addr);
    expected = address_from("fe80::1%13");
    got = address_of((struct sockaddr *)&in6);
    assert_true(address_equal(&expected, &got));
    struct sockaddr local = { .sa_family = AF_UNIX };
    got = address_of(&local);
    expected = (struct address){ 0 };
    assert_true(address_equal(&expected, &got));
}

static bool same_holder(const char *a, const char *b)
{
    struct address one = address_holder(address_from(a)), other = address_holder(address_from(b));
    return address_equal(&one, &other);
}

TEST(an_ipv6_network_of_64_bits_is_one_holder)
{
    assert_true(same_holder("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(same_holder("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(same_holder("192.0.2.1", "192.0.2.2"));
    assert_true(same_holder("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(same_holder("fe80::1%2", "fe80::2%2"));
    assert_false(same_holder("fe80::1%2", "fe80::1%3"));
    assert_false(same_holder("::1", "::2"));
}

static bool contains(const char *network_text, const char *address_text)
{
    struct network network;
    if (!network_parse(network_text, &network))
        fail_msg("%s is not taken", network_text);
    struct address address = address_from(address_text);
    return network_contains(&network, &address);
}

TEST(networks_contain_what_lies_in_them_and_not_one_past)
{
    assert_true(contains("192.0.2.7", "192.0.2.7"));
    assert_false(contains("192.0.2.7", "192.0.2.8"));
    assert_true(contains("192.0.2.0/25", "192.0.2.127"));
    assert_false(contains("192.0.2.0/25", "192.0.2.128"));
    assert_true(contains("0.0.0.0/0", "255.255.255.255"));
    assert_false(contains("0.0.0.0/0", "::1")); /* every IPv4 address, and no other */
    assert_true(contains("::/0", "2001:db8::1"));
    assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(networks_that_say_two_things_are_refused)
{
    static const char *const bad[] = {
        "192.0.2.7/24",   "192.0.2.0/33",   "192.0.2.0/", "192.0.2.0/a", "192.0.2.0/-1",
        "2001:db8::/129", "2001:db8::1/32", "fe80::1%2",  "/8",          "",
        "proxy.example",  "192.0.2.0/024x"
    };
    struct network network;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (network_parse(bad[i], &network))
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

RUN(T(both_families_parse_and_a_mapped_address_is_its_ipv4), T(what_is_no_address_is_refused),
    T(sockets_give_the_same_values_as_text), T(an_ipv6_network_of_64_bits_is_one_holder),
    T(networks_contain_what_lies_in_them_and_not_one_past), T(networks_that_say_two_things_are_refused))

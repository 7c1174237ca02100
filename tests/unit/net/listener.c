/* SPDX-License-Identifier: Apache-2.0 */
/* Listening addresses as written in a configuration, and addresses as logged. */
#include "net/listener.h"

#include "base/auto.h"
#include "base/file.h"
#include "tests/unit/test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void assert_listens(const char *address)
{
    struct why why;
    int fd, port = 0;
    ASSERT_OK(listen_tcp(address, &fd, &why), &why);
    ASSERT_OK(socket_port(fd, &port, &why), &why);
    assert_true(port > 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(0, connect(client, (const struct sockaddr *)&to, sizeof(to)));
    close(client);
    close(fd);
}

TEST(numeric_addresses_listen_on_a_free_port)
{
    assert_listens("127.0.0.1:0");
    assert_listens(":0");
    assert_listens("0.0.0.0:0");
}

TEST(addresses_that_are_none_are_refused_with_their_text)
{
    static const char *const bad[] = {
        "",          "80",         "127.0.0.1",    "127.0.0.1:",   "127.0.0.1:http",
        "::1:80",    "[::1]",      "[::1:80",      "[]:80",        "127.0.0.1:65536",
        "1.2.3:-1",  "a.b:80",     "localhost:80", "127.0.0.1: 1", "127.0.0.1:0x50",
        "[::1]80:1", "1.2.3.4.5:1"
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct why why;
        int fd = -1;
        ASSERT_ERR(ERR_CONFIG, listen_tcp(bad[i], &fd, &why), &why);
        assert_non_null(strstr(why.text, bad[i]));
        assert_int_equal(-1, fd);
    }
}

TEST(a_port_in_use_is_told)
{
    struct why why;
    int first, second = -1, port;
    ASSERT_OK(listen_tcp("127.0.0.1:0", &first, &why), &why);
    ASSERT_OK(socket_port(first, &port, &why), &why);
    AUTO_STR address = xasprintf("127.0.0.1:%d", port);
    ASSERT_ERR(ERR_CONFLICT, listen_tcp(address, &second, &why), &why);
    assert_non_null(strstr(why.text, address));
    close(first);
}

TEST(unix_sockets_listen_and_connect)
{
    struct why why;
    char dir[] = "/tmp/chancery-net-XXXXXX";
    int server, client, again = -1;
    assert_non_null(mkdtemp(dir));
    AUTO_STR path = xasprintf("%s/socket", dir);
    ASSERT_ERR(ERR_UNAVAILABLE, connect_unix(path, &client, &why), &why);
    ASSERT_OK(listen_unix(path, &server, &why), &why);
    ASSERT_OK(connect_unix(path, &client, &why), &why);
    assert_false(fcntl(client, F_GETFL) & O_NONBLOCK);
    ASSERT_ERR(ERR_CONFLICT, listen_unix(path, &again, &why), &why); /* it lives */
    close(client);
    close(server);
    ASSERT_ERR(ERR_UNAVAILABLE, connect_unix(path, &client, &why), &why);
    ASSERT_OK(listen_unix(path, &server, &why), &why); /* the dead one is replaced */
    close(server);
    unlink(path);
    ASSERT_OK(file_write(path, BYTES_LIT("x"), 0600, &why), &why);
    ASSERT_ERR(ERR_CONFLICT, listen_unix(path, &server, &why), &why); /* never another kind of file */
    unlink(path);
    rmdir(dir);
}

TEST(unix_paths_have_a_limit)
{
    struct why why;
    char path[120];
    int fd;
    memset(path, 'x', sizeof(path));
    memcpy(path, "/tmp/", 5);
    path[108] = '\0';
    ASSERT_ERR(ERR_CONFIG, listen_unix(path, &fd, &why), &why);
    ASSERT_ERR(ERR_CONFIG, connect_unix(path, &fd, &why), &why);
    ASSERT_ERR(ERR_CONFIG, listen_unix("", &fd, &why), &why);
    path[107] = '\0';
    ASSERT_OK(listen_unix(path, &fd, &why), &why);
    close(fd);
    unlink(path);
}

static void assert_text6(const char *address, unsigned scope, const char *expected)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_scope_id = scope };
    char text[ADDRESS_TEXT_BYTES];
    int port = 0;
    assert_int_equal(1, inet_pton(AF_INET6, address, &in6.sin6_addr));
    address_text((const struct sockaddr *)&in6, text, &port);
    assert_string_equal(expected, text);
    assert_int_equal(443, port);
}

TEST(addresses_are_shown_as_the_guides_show_them)
{
    assert_text6("2001:db8::1", 0, "2001:db8::1");
    assert_text6("fe80::f53d:89b8:c3e8:5fec", 13, "fe80::f53d:89b8:c3e8:5fec%13");
    assert_text6("::ffff:192.0.2.7", 0, "192.0.2.7");
    struct sockaddr_in in = { .sin_family = AF_INET,
                              .sin_port = htons(80),
                              .sin_addr.s_addr = htonl(0xC0000207) };
    char text[ADDRESS_TEXT_BYTES];
    int port;
    address_text((const struct sockaddr *)&in, text, &port);
    assert_string_equal("192.0.2.7", text);
    assert_int_equal(80, port);
}

RUN(T(numeric_addresses_listen_on_a_free_port), T(addresses_that_are_none_are_refused_with_their_text),
    T(a_port_in_use_is_told), T(unix_sockets_listen_and_connect), T(unix_paths_have_a_limit),
    T(addresses_are_shown_as_the_guides_show_them))

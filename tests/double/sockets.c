/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: none of its own, and nowhere to go with those that were made before. */
#include "tests/double/scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FAMILIES 46 /* AF_MAX of Linux 6 */

static bool any_socket(const struct scene *scene)
{
    static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (socket((int)scene->nth, kinds[i], 0) >= 0)
            return true;
    }
    return false;
}

static bool unix_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool inet_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool inet6_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_INET6, SOCK_DGRAM, 0) >= 0;
}

static bool netlink_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static bool socket_pair(const struct scene *scene)
{
    (void)scene;
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}

static bool connects_unix(const struct scene *scene, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return connect(scene->unix_socket, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool connect_ca_as_cli(const struct scene *scene)
{
    return connects_unix(scene, scene_path("%s/ca-cli/socket", scene->run));
}

static bool connect_ca_as_scep(const struct scene *scene)
{
    return connects_unix(scene, scene_path("%s/ca-scep/socket", scene->run));
}

static bool connect_scep_as_cli(const struct scene *scene)
{
    return connects_unix(scene, scene_path("%s/scep-cli/socket", scene->run));
}

static bool connect_abstract(const struct scene *scene)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(scene->bystander_name);
    memcpy(address.sun_path + 1, scene->bystander_name, len);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
    return connect(scene->unix_socket, (struct sockaddr *)&address, size) == 0;
}

static struct sockaddr_in bystander_address(const struct scene *scene)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons(scene->bystander_port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool connect_tcp(const struct scene *scene)
{
    struct sockaddr_in address = bystander_address(scene);
    return connect(scene->tcp_socket, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool connect_udp(const struct scene *scene)
{
    struct sockaddr_in address = bystander_address(scene);
    return connect(scene->udp_socket, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool send_udp(const struct scene *scene)
{
    struct sockaddr_in address = bystander_address(scene);
    return sendto(scene->udp_socket, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof(address)) == 1;
}

static bool send_many(const struct scene *scene)
{
    struct sockaddr_in address = bystander_address(scene);
    struct iovec data = { "x", 1 };
    struct mmsghdr message = { .msg_hdr = { &address, sizeof(address), &data, 1, NULL, 0, 0 } };
    return sendmmsg(scene->udp_socket, &message, 1, MSG_DONTWAIT) == 1;
}

/* In sendto's and in sendmsg's way. Nothing has arrived yet, but it is on its way. */
static bool fast_opens(const struct scene *scene, int fd, bool by_message)
{
    struct sockaddr_in address = bystander_address(scene);
    struct iovec data = { "x", 1 };
    const struct msghdr message = { &address, sizeof(address), &data, 1, NULL, 0, 0 };
    ssize_t sent = by_message
                       ? sendmsg(fd, &message, MSG_FASTOPEN)
                       : sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof(address));
    return sent == 1 || errno == EINPROGRESS;
}

static bool fast_open(const struct scene *scene)
{
    return fast_opens(scene, scene->tcp_socket, false);
}

static bool fast_open_by_message(const struct scene *scene)
{
    return fast_opens(scene, scene->tcp_socket, true);
}

/* A listening socket that is shut down is an ordinary one again. */
static bool fast_open_listener(const struct scene *scene)
{
    return shutdown(scene->tcp_listener, SHUT_RDWR) == 0 && fast_opens(scene, scene->tcp_listener, false);
}

static bool bind_tcp(const struct scene *scene)
{
    struct sockaddr_in any = { .sin_family = AF_INET };
    return bind(scene->tcp_socket, (struct sockaddr *)&any, sizeof(any)) == 0;
}

static bool listen_tcp_now(const struct scene *scene)
{
    return listen(scene->tcp_socket, 1) == 0;
}

static bool bind_unix(const struct scene *scene)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.socket", scene->out, scene->role->name);
    return bind(scene->unix_socket, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool socket_filter(const struct scene *scene)
{
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = { 1, &nothing };
    return setsockopt(scene->udp_socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

static bool socket_option(const struct scene *scene)
{
    int on = 1;
    return setsockopt(scene->tcp_socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0;
}

static bool terminal_input(const struct scene *scene)
{
    return ioctl(scene->pty, TIOCSTI, "x") == 0;
}

static bool terminal_settings(const struct scene *scene)
{
    struct winsize size = { 25, 80, 0, 0 };
    return ioctl(scene->pty, TIOCSWINSZ, &size) == 0;
}

static const struct try_row rows[] = {
    { "socket of a family", any_socket, .times = FAMILIES },
    { "socket AF_UNIX", unix_socket, .plain = true },
    { "socket AF_INET", inet_socket, .plain = true },
    { "socket AF_INET6", inet6_socket, .plain = true },
    { "socket AF_NETLINK", netlink_socket, .plain = true },
    { "socketpair", socket_pair, .plain = true },
    { "connect to ca as cli", connect_ca_as_cli, .plain = true },
    { "connect to ca as scep", connect_ca_as_scep, .plain = true },
    { "connect to scep as cli", connect_scep_as_cli, .plain = true },
    { "connect to an abstract socket", connect_abstract, .plain = true },
    { "connect by TCP", connect_tcp, .plain = true },
    { "connect by UDP", connect_udp, .plain = true },
    { "send by UDP", send_udp, .plain = true },
    { "send several by UDP", send_many, .plain = true },
    { "connect by TCP Fast Open", fast_open, .plain = true },
    { "connect by TCP Fast Open in a message", fast_open_by_message, .plain = true },
    { "connect from a listening socket", fast_open_listener, .plain = true },
    { "bind TCP", bind_tcp, .plain = true },
    { "listen", listen_tcp_now, .plain = true },
    { "bind a Unix socket", bind_unix, .plain = true },
    { "attach a filter to a socket", socket_filter, .plain = true },
    { "set a socket option", socket_option, .plain = true },
    { "type into a terminal", terminal_input, .expected = FORBIDDEN },
    { "set a terminal", terminal_settings, .plain = true },
};
const struct try_table tries_sockets = { rows, sizeof(rows) / sizeof(*rows) };

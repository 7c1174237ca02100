/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets from addresses as an administrator writes them, and addresses as logs show them. */
#include "net/listener.h"

#include "base/auto.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(fd_close))) int

static void addrinfo_free(struct addrinfo **info)
{
    if (*info)
        freeaddrinfo(*info);
}

struct host_port {
    char host[ADDRESS_TEXT_BYTES]; /* "" for any */
    char port[6];
};

/* The last colon divides; a host with colons of its own must stand in brackets. */
static enum err address_split(const char *address, struct host_port *ret, struct why *why)
{
    const char *colon = strrchr(address, ':');
    if (!colon)
        return fail(why, ERR_CONFIG, "address \"%s\" has no port (HOST:PORT, [IPV6]:PORT or :PORT)", address);
    const char *host = address, *end = colon;
    if (*host == '[') {
        if (end - host < 3 || end[-1] != ']')
            return fail(why, ERR_CONFIG, "address \"%s\": an IPv6 address stands as [ADDRESS]:PORT", address);
        host++;
        end--;
    } else if (memchr(host, ':', (size_t)(end - host))) {
        return fail(why, ERR_CONFIG, "address \"%s\": an IPv6 address needs brackets, [ADDRESS]:PORT",
                    address);
    }
    size_t host_len = (size_t)(end - host), port_len = strlen(colon + 1);
    if (host_len >= sizeof(ret->host))
        return fail(why, ERR_CONFIG, "address \"%s\": host of %zu bytes, limit %zu", address, host_len,
                    sizeof(ret->host) - 1);
    if (port_len == 0 || port_len >= sizeof(ret->port) || strspn(colon + 1, "0123456789") != port_len ||
        atoi(colon + 1) > 65535)
        return fail(why, ERR_CONFIG, "address \"%s\": port \"%s\" is not a number from 0 to 65535", address,
                    colon + 1);
    memcpy(ret->host, host, host_len);
    ret->host[host_len] = '\0';
    memcpy(ret->port, colon + 1, port_len + 1);
    return OK;
}

static enum err listen_on(const struct addrinfo *info, int *ret_fd)
{
    AUTO_FD fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return ERR_IO;
    /* "[::]" means both families, whatever net.ipv6.bindv6only says. */
    if (info->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
        return ERR_IO;
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
        return ERR_IO;
    *ret_fd = fd;
    fd = -1;
    return OK;
}

/* Without a host: both families, or IPv4 alone on a host without IPv6. */
enum err listen_tcp(const char *address, int *ret_fd, struct why *why)
{
    struct host_port at;
    TRY(address_split(address, &at, why));
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    const char *hosts[] = { *at.host ? at.host : "::", *at.host ? NULL : "0.0.0.0" };
    int error = 0;
    for (size_t i = 0; i < 2 && hosts[i]; i++) {
        __attribute__((cleanup(addrinfo_free))) struct addrinfo *info = NULL;
        int lookup = getaddrinfo(hosts[i], at.port, &hints, &info);
        if (lookup != 0)
            return fail(why, ERR_CONFIG, "address \"%s\": %s (numeric addresses only)", address,
                        gai_strerror(lookup));
        if (listen_on(info, ret_fd) == OK)
            return OK;
        error = errno;
        if (error != EAFNOSUPPORT && error != EADDRNOTAVAIL)
            break;
    }
    return fail(why, error == EADDRINUSE ? ERR_CONFLICT : ERR_IO, "cannot listen on \"%s\": %s", address,
                strerror(error));
}

static enum err unix_address(const char *path, struct sockaddr_un *ret, struct why *why)
{
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(ret->sun_path))
        return fail(why, ERR_CONFIG, "socket path of %zu bytes, 1 to %zu fit: %s", len,
                    sizeof(ret->sun_path) - 1, path);
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(ret->sun_path, path, len);
    return OK;
}

/* A socket file that nobody listens on any more may go; a living one, or another kind of file, may not. */
static enum err unix_make_room(const struct sockaddr_un *address, struct why *why)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0)
        return OK; /* bind names every other trouble */
    if (!S_ISSOCK(info.st_mode))
        return fail(why, ERR_CONFLICT, "%s is there and is not a socket", address->sun_path);
    AUTO_FD probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return fail(why, ERR_IO, "cannot make a socket: %s", strerror(errno));
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
        return fail(why, ERR_CONFLICT, "another process listens on %s", address->sun_path);
    if (unlink(address->sun_path) != 0)
        return fail(why, ERR_IO, "cannot remove the dead socket %s: %s", address->sun_path, strerror(errno));
    return OK;
}

enum err listen_unix(const char *path, int *ret_fd, struct why *why)
{
    struct sockaddr_un address;
    TRY(unix_address(path, &address, why));
    TRY(unix_make_room(&address, why));
    AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        return fail(why, ERR_IO, "cannot listen on %s: %s", path, strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return OK;
}

enum err connect_unix(const char *path, int *ret_fd, struct why *why)
{
    struct sockaddr_un address;
    TRY(unix_address(path, &address, why));
    AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(why, ERR_IO, "cannot make a socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return fail(why, ERR_UNAVAILABLE, "nobody answers on %s: %s", path, strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return OK;
}

enum err connect_unix_now(const char *path, int *ret_fd, struct why *why)
{
    struct sockaddr_un address;
    TRY(unix_address(path, &address, why));
    AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(why, ERR_UNAVAILABLE, "cannot make a socket: %s", strerror(errno));
    int failed;
    while ((failed = connect(fd, (const struct sockaddr *)&address, sizeof(address))) != 0 &&
           errno == EINTR) {}
    if (failed)
        return fail(why, errno == EAGAIN ? ERR_BUSY : ERR_UNAVAILABLE, "cannot connect to %s: %s", path,
                    strerror(errno));
    *ret_fd = fd;
    fd = -1;
    return OK;
}

enum err socket_port(int fd, int *ret_port, struct why *why)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return fail(why, ERR_IO, "cannot ask for the socket's address: %s", strerror(errno));
    char text[ADDRESS_TEXT_BYTES];
    int port;
    address_text((const struct sockaddr *)&address, text, &port);
    *ret_port = port;
    return OK;
}

void address_text(const struct sockaddr *address, char ret[static ADDRESS_TEXT_BYTES], int *ret_port)
{
    const struct address value = address_of(address);
    *ret_port = 0;
    if (address->sa_family == AF_INET)
        *ret_port = ntohs(((const struct sockaddr_in *)address)->sin_port);
    else if (address->sa_family == AF_INET6)
        *ret_port = ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    else {
        snprintf(ret, ADDRESS_TEXT_BYTES, "unix");
        return;
    }
    address_format(&value, ret);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets, TCP and Unix; addresses as text. */
#pragma once
#include "base/network.h"

/* "127.0.0.1:8080", "[::1]:8443", "[::]:80" (both families), ":0" picks a free port. Non-blocking, close-on-exec.
   ERR_CONFLICT: somebody listens there. */
NODISCARD enum err listen_tcp(const char *address, int *ret_fd, struct why *why);
NODISCARD enum err listen_unix(const char *path, int *ret_fd, struct why *why);   /* under 108 bytes; replaces a dead one */
NODISCARD enum err connect_unix(const char *path, int *ret_fd, struct why *why);  /* blocking socket */
/* A non-blocking one, and it never waits. ERR_BUSY: the backlog is full, which cannot be waited for; ask again. */
NODISCARD enum err connect_unix_now(const char *path, int *ret_fd, struct why *why);
NODISCARD enum err socket_port(int fd, int *ret_port, struct why *why);
/* "192.0.2.7" and port, an IPv6 zone kept ("fe80::1%13"), an IPv4-mapped address shown as IPv4. */
struct sockaddr;
void address_text(const struct sockaddr *address, char ret[static ADDRESS_TEXT_BYTES], int *ret_port);

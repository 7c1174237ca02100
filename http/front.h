/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP side of a role, made from its section of the configuration and from the listeners that the supervisor gave it: server,
   limits, trusted proxies, TLS certificate, access log. */
#pragma once
#include "http/server.h"

struct role;
struct front;
struct front_config {
    struct role *role;                                       /* must outlive the front; its section has the rows HTTP_LIMIT_ROWS */
    http_handler handler; void *handler_arg;
    bool admin;                                              /* the administrators' listeners instead of the others: their methods, the
                                                                size of their bodies, and an access log of their own */
    bool crp;                                                /* those of CertificateRegistrationSvc, for a few servers; not with admin */
    struct bytes client_anchors;                             /* of HTTPS: whose client certificates are asked for (net/tls.h); copied */
};
NODISCARD enum err front_new(const struct front_config *config, struct front **ret, struct why *why);
void front_free(struct front *front);                        /* as http_server_free */
AUTO_DECLARE(front)
int64_t front_tls_not_after(struct front *front);            /* 0: no HTTPS listener */
/* SIGHUP: TLS certificate and access log. What cannot be read again stays as it was, and is logged. Loop thread only. */
void front_reload(void *front);
/* The newest generation of the TLS certificate, for connections from now on; those that are open go on. Loop thread only. */
void front_tls_renewed(void *front);
/* Other anchors for client certificates, from now on (net/tls.h). Loop thread only. */
NODISCARD enum err front_trust(struct front *front, struct bytes client_anchors, struct why *why);
/* SIGTERM: no new requests, and the loop stops when the last answer is out or stop_timeout is over. */
void front_stop(struct front *front);
/* The same without the end of the loop: done is called instead. */
void front_drain(struct front *front, void (*done)(void *arg), void *arg);

/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.2 and 1.3 server contexts whose certificate can be replaced while they serve. No renegotiation. Clients are asked for a certificate
   only where there is somebody to have issued it, and need none. */
#pragma once
#include "base/secret.h"

struct tls_server;
struct tls_server_config {
    const char *certificate_path;                            /* PEM: leaf first, then intermediates */
    const char *key_path;                                    /* encrypted PKCS#8 PEM; a plain one is refused */
    const struct secret *unlock;                             /* its passphrase; copied */
    struct bytes client_anchors;                             /* DER of the CAs whose client certificates count, one behind the other;
                                                                copied. Empty: nobody is asked for one */
};
NODISCARD enum err tls_server_new(const struct tls_server_config *config, struct tls_server **ret, struct why *why);
/* New connections get the new certificate; on failure the old one stays. */
NODISCARD enum err tls_server_reload(struct tls_server *server, struct why *why);
/* The same with other files from now on. */
struct tls_files { const char *certificate_path, *key_path; };
NODISCARD enum err tls_server_use(struct tls_server *server, const struct tls_files *files, struct why *why);
/* Other anchors from the next handshake on; on failure the old ones stay. No session from before is resumed: it would be known by a
   certificate that was judged by the old ones. Not at the same time as a reload. */
NODISCARD enum err tls_server_trust(struct tls_server *server, struct bytes client_anchors, struct why *why);
int64_t tls_server_not_after(struct tls_server *server);     /* of the certificate that new connections get */
void tls_server_free(struct tls_server *server);
AUTO_DECLARE(tls_server)
struct ssl_st;
struct ssl_st *tls_server_session(struct tls_server *server);   /* for net/ and http/; one new SSL, caller owns */
/* DER of the client's certificate, when it is good for TLS clients, in force, and an anchor's: also of a session that is resumed. false:
   there is none, or one that does not verify; *ret_refusal is then NULL, or why the one that came counts for nothing (a constant). */
bool tls_session_client_cert(const struct ssl_st *session, struct buf *ret_der, const char **ret_refusal);
/* After a failed handshake: the client offered nothing above TLS 1.1. */
bool tls_session_is_outdated(const struct ssl_st *session);

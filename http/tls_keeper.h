/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a role's TLS certificate: looks each minute whether it is time, renews it of ca, and has the listeners serve the new one. */
#pragma once
#include "base/bytes.h"
#include "ipc/ca_client.h"

struct role;
struct tls_keeper;
struct tls_keeper_config {
    struct role *role;                                       /* must outlive the keeper */
    struct ca_client *ca;                                    /* borrowed */
    void (*use)(void *arg); void *arg;                       /* on the loop's thread: there is a new generation */
};
/* Its workers end with the role's pool, which goes first. */
struct tls_keeper *tls_keeper_new(const struct tls_keeper_config *config);
void tls_keeper_free(struct tls_keeper *keeper);
/* For the verbs tls_show and tls_renew; keeper NULL: the role has no HTTPS listener. A list of records, the oldest generation first. */
NODISCARD enum err tls_keeper_show(struct tls_keeper *keeper, struct buf *ret, struct why *why);
/* At once, whether due or not. */
NODISCARD enum err tls_keeper_renew(struct tls_keeper *keeper, struct buf *ret, struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* What the management service has with ca: it fetches the certificates that challenges are encrypted to, and has its next signing key taken.
   Nothing here is waited for by a device. */
#pragma once
#include "ipc/ca_client.h"
#include "mdm/mdm.h"
#include "x509/kept_key.h"

struct ca_link;
struct ca_link_config {
    struct ca_client *client;                                /* taken */
    struct kept_key *signing;                                /* taken */
    const char *const *cas; size_t ca_count;                 /* the CAs whose authority the service is; copied */
};
struct ca_link *ca_link_new(const struct ca_link_config *config);
void ca_link_free(struct ca_link *link);
AUTO_DECLARE(ca_link)
struct ca_client *ca_link_client(struct ca_link *link);       /* borrowed, for who asks ca of other things */
struct kept_key *ca_link_signing(struct ca_link *link);
size_t ca_link_count(const struct ca_link *link);
const char *ca_link_ca(const struct ca_link *link, size_t index);
/* Asks; on a worker. */
NODISCARD enum err ca_link_ask(struct ca_link *link, const char *verb, struct bytes body, struct buf *ret, struct why *why);

/* A challenge was handed out: ca will soon have something to tell. From any thread. */
void ca_link_wake(struct ca_link *link);
bool ca_link_has_crp(const struct ca_link *link);           /* ca has given its certificates since this service began */
bool ca_link_is_awake(const struct ca_link *link);
/* For every minute, each part by itself: what cannot be done now is done in a later one, and why it could not is logged when it is another
   reason than the last time. */
void ca_link_keep(struct mdm *mdm);

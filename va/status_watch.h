/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps va up with ca: what was revoked, new CRLs, and the OCSP certificates that end. */
#pragma once
#include "va/va.h"

struct status_watch;
struct status_watch_config {
    struct va *va;                                           /* must outlive it */
    const char *keys_dir, *certs_dir;                        /* of the OCSP keys; copied */
    const struct secret *unlock; struct key_gate *gate;      /* borrowed */
    struct key_spec ocsp_key;
};
struct status_watch *status_watch_new(const struct status_watch_config *config);
void status_watch_free(struct status_watch *watch);
AUTO_DECLARE(status_watch)
/* One round over all CAs; may wait for ca. One at a time. What ca does not answer stays as it was, and is logged when that begins and
   when it ends. True: ca answered everything. */
bool status_watch_round(struct status_watch *watch);
/* When ca last answered a whole round (UTC seconds); 0: never. From any thread. */
int64_t status_watch_heard(const struct status_watch *watch);

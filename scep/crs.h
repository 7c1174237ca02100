/* SPDX-License-Identifier: Apache-2.0 */
/* CertificateRegistrationSvc: what other SCEP servers ask of our certificate registration point, over HTTPS with a client certificate (spec
   challenge.md; docs/decisions/024). Here it is found out who asks; ca judges what. */
#pragma once
#include "http/server.h"
#include "scep/scep.h"

struct crs;
/* From the role's configuration, where crp_listen has an address. */
NODISCARD enum err crs_new(struct scep *scep, const struct config *config, struct crs **ret, struct why *why);
void crs_free(struct crs *crs);
AUTO_DECLARE(crs)
/* Whose client certificates count, as it is in the files now: DER, one behind the other (net/tls.h). */
NODISCARD enum err crs_anchors(const struct config *config, struct buf *ret, struct why *why);
/* http_handler; arg is a struct crs. */
void crs_handle(struct http_exchange *exchange, void *arg);
struct crs_counters { unsigned long long verified, refused, notified; };
struct crs_counters crs_count(struct crs *crs);

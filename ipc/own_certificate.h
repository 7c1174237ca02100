/* SPDX-License-Identifier: Apache-2.0 */
/* A role asks ca for a certificate of its own: the verb `issue` and its kin. */
#pragma once
#include "ipc/ca_client.h"

struct own_certificate { const char *ca, *template; struct bytes csr; };   /* the ca section that issues; PKCS#10 */
/* *ret_der: the certificate. The same request again brings the same one. */
NODISCARD enum err own_certificate_ask(struct ca_client *client, const struct own_certificate *own, struct buf *ret_der,
                                       struct why *why);

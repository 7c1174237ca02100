/* SPDX-License-Identifier: Apache-2.0 */
/* What ca asks of signer: verb "seal". Never a bare digest: the whole TBS, which signer parses and judges itself. */
#pragma once
#include "ipc/frame.h"

enum seal_kind { SEAL_CERTIFICATE = 1, SEAL_CRL = 2, SEAL_DELTA_CRL = 3 };
struct seal_request { struct bytes ca; enum seal_kind kind; struct bytes tbs; };
void seal_request_put(struct buf *out, const struct seal_request *request);
NODISCARD enum err seal_request_get(struct bytes body, struct seal_request *ret, struct why *why);
/* The answer is an OCTET STRING: the whole Certificate; of a CertificateList only what follows its TBS, which ca has and which
   may have a million entries. der: whole in either case. */
void seal_answer_put(struct buf *out, enum seal_kind kind, struct bytes der);
NODISCARD enum err seal_answer_get(struct bytes body, struct bytes *ret_sealed, struct why *why);
void seal_answer_join(const struct seal_request *request, struct bytes sealed, struct buf *ret_der);   /* whole again */

/* SPDX-License-Identifier: Apache-2.0 */
/* What a request gets that is in the store already. */
#pragma once
#include "ca/enroll.h"
#include "ca/request.h"

struct reservation;
/* *ret_known false: there is no row for this request. Waits for store and signer. ERR_CONFLICT: it was decided meanwhile,
   look again. */
NODISCARD enum err answer_known(struct ca *ca, const struct request *request, bool *ret_known, struct enrolled *ret,
                                struct why *why);
/* What T2 has made durable; takes *der. */
void enrolled_fill(const struct reservation *slot, struct buf *der, struct enrolled *ret);

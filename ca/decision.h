/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator's decisions on a kept request have in common. */
#pragma once
#include "ca/issue.h"

/* ERR_NOT_FOUND names CA and number. */
NODISCARD enum err decision_find(struct ca *ca, const struct issuer *issuer, int64_t request_id, struct request_row *ret,
                                 struct why *why);
/* Who asked for it does not decide on it: ERR_NOT_AUTHORISED. */
NODISCARD enum err decision_not_own(const struct request_row *row, const char *actor, const char *what, struct why *why);
/* It has a serial and waits for its seal: *ret takes the row's TBS. */
bool decision_reserved(struct request_row *row, const struct issuer *issuer, struct reservation *ret);
/* Seal and T2; what the device's own poll sealed first is fine, too. */
NODISCARD enum err decision_seal(struct ca *ca, const struct reservation *slot, const char *decided, struct why *why);

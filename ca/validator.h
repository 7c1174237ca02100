/* SPDX-License-Identifier: Apache-2.0 */
/* The seam "may this request be issued?": one row per kind of endpoint. */
#pragma once
#include "ca/request.h"
#include "ca/template.h"

struct validator {
    const char *name;                                        /* as the option `validator` says it */
    /* At start and on reload: refuses a half-configured endpoint (spec security.md A4). */
    enum err (*open)(struct ca *ca, struct endpoint *endpoint, struct why *why);
    /* Fills waits, claims and challenge_mac; managed, and then authorised as soon as it is known whose request it is. */
    enum err (*check)(struct ca *ca, const struct request *request, struct grant *grant, struct why *why);
};
extern const struct validator validator_static, validator_once, validator_managed, validator_manual;
const struct validator *validator_find(const char *name);    /* NULL for an unknown or empty name */

/* Proof of possession, the signer, the validator's word, and the template that the request falls under. */
NODISCARD enum err authorise(struct ca *ca, struct request *request, struct grant *grant, struct why *why);

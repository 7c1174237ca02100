/* SPDX-License-Identifier: Apache-2.0 */
/* Authorities: who asks `ca` for certificates of others (the management service, connectors), each within limits of its own
   that nobody but the administrator of this host changes. Whoever takes such a service over can mint inside them, and
   nowhere else (design.md section 2). */
#pragma once
#include "ca/template.h"

/* Texts are lists with commas. suffixes: "dns:.example.net,upn:@example.net": a name needs one of its kind, an empty one
   allows all of that kind; of a uri its host counts, and an ip is whole. denied: patterns as of template rules, without case, over subject values and names. */
struct authority_limits {
    char *name, *templates, *suffixes, *denied, *eku;
    int64_t per_device, issues, revocations;                 /* valid certificates of one device; per hour */
};
void authority_limits_free(struct authority_limits *authority);            /* held by value */
const char *authority_of(const char *principal);             /* NAME of "authority/NAME"; NULL: it is none */
/* ERR_USAGE for a list that can't be one. */
NODISCARD enum err authority_check(const struct authority_limits *authority, struct why *why);

/* Inside T1, with the issuer's counter row taken. Outside the limits: ERR_AUTHORITY_LIMIT. Too many: ret_over says which limit
   and both values, and the request waits; otherwise it is empty, and the issue is counted. An hour begins with the first. */
#define AUTHORITY_OVER_BYTES 160
struct authority_ask { const char *issuer, *name; const struct grant *grant; struct bytes identity;
                       struct bytes device;                  /* whose certificates are counted; empty: those of this identity */
                       int64_t now; };
NODISCARD enum err authority_judge(struct store_tx *tx, const struct authority_ask *ask,
                                   char ret_over[static AUTHORITY_OVER_BYTES], struct why *why);
/* The limits that are no numbers; those an administrator's word stands for. */
NODISCARD enum err authority_judge_names(struct store_tx *tx, const struct authority_ask *ask, struct why *why);
/* Of what another CA issues by its challenge: names and purposes (of grant's subject, san and eku; it has no template), and how many per
   hour, all its issues counted together. Nothing can wait: ERR_RATE. How many certificates a device has elsewhere nobody here knows. */
NODISCARD enum err authority_judge_elsewhere(struct store_tx *tx, const struct authority_ask *ask, struct why *why);
/* Inside the unit that revokes: its own certificates alone, also of what changes nothing; and no more per hour than it may
   (ERR_RATE), where something changes. */
struct authority_revoking { const char *issuer, *name, *serial; int64_t now; };
NODISCARD enum err authority_judge_own(struct store_tx *tx, const struct authority_revoking *revoking, struct why *why);
NODISCARD enum err authority_count_revocation(struct store_tx *tx, const struct authority_revoking *revoking, struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the bodies of tbs_lint: what the rules look at, and the two tables of rules. */
#pragma once
#include "x509/cert.h"

struct lint { struct cert cert; struct der_item not_before, not_after; bool self_issued; };
struct lint_rule { const char *name; enum err (*check)(const struct lint *lint, struct why *why); };

extern const struct lint_rule lint_field_rules[];            /* lint.c: RFC 5280 4.1; ends with { NULL, NULL } */
extern const struct lint_rule lint_extension_rules[];        /* lint_extension.c: RFC 5280 4.2; likewise */

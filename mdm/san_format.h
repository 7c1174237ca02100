/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says about subject alternative names: rows as the guides print them, made into GeneralNames.
       of a user:    "email"   "UPN"
       of a device:  "DNS name = {{AzureADDeviceId}}.domain.com"   "email = …"   "UPN = …" */
#pragma once
#include "mdm/variable.h"

enum san_attribute { SAN_ATTRIBUTE_DNS, SAN_ATTRIBUTE_EMAIL, SAN_ATTRIBUTE_UPN, SAN_ATTRIBUTE_COUNT };
struct san_row { enum san_attribute attribute; char *text;   /* owned; NULL where the row is the attribute alone */ };
void san_row_free(struct san_row *row);

/* Blanks round '=' mean nothing. ERR_PROFILE. */
NODISCARD enum err san_row_parse(struct bytes text, const struct scope *scope, struct san_row *ret, struct why *why);
void san_row_append(struct buf *out, const struct san_row *row);
/* GeneralNames of all rows, each judged as a certificate's; empty for none. As subject_make, holder NULL is the check when a profile
   is saved. */
NODISCARD enum err san_make(const struct san_row *rows, size_t count, const struct scope *scope, const struct holder *holder,
                            struct buf *ret_names, struct why *why);

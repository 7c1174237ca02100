/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: what programs of administrators show in their stead. A token has some of its administrator's roles, until a time, and no more of them than the
   administrator has when it is used. */
#pragma once
#include "mdm/bearer.h"
#include "mdm/object.h"

extern const struct object_class apitoken_class;

/* In a unit of work: the token is that of the row from now on. */
NODISCARD enum err apitoken_keep(struct store_tx *tx, const char *id, const char *token, struct why *why);
struct apitoken { char id[UUID_TEXT], administrator[UUID_TEXT];
                  char name[64 + 1], of[64 + 1];             /* its own, and the administrator's */
                  unsigned roles; int64_t expires_at; };
/* The one of a digest, that counts at that time. ERR_SIGN_IN with the reason, which is for the log alone. */
NODISCARD enum err apitoken_find(struct store_tx *tx, const uint8_t digest[static BEARER_DIGEST], int64_t now, struct apitoken *ret,
                                 struct why *why);

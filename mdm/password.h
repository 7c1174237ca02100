/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of administrators: what they have to be, and their hashes (argon2id, 19 MiB, two passes; docs/decisions/023). One hash is computed at
   a time, whoever asks, so that sign-ins take one hash's memory and one core at most. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

#define PASSWORD_KIB     19456
#define PASSWORD_PASSES  2
#define PASSWORD_WAITING 8                                   /* for their turn; who comes then is told to come again (ERR_BUSY) */

struct passwords;
NODISCARD enum err passwords_new(struct passwords **ret, struct why *why);
void passwords_free(struct passwords *passwords);
AUTO_DECLARE(passwords)

/* 12 to 128 characters of UTF-8 without control characters, and not the name of who has it. ERR_VALUE never has the password in it. */
NODISCARD enum err password_judge(struct bytes password, struct bytes name, struct why *why);
/* As the store keeps it: salt, costs and hash in one text, that the caller frees. */
NODISCARD enum err passwords_hash(struct passwords *passwords, struct bytes password, char **ret, struct why *why);
/* hash NULL: of nobody; takes as long as any other, and is never right. */
NODISCARD enum err passwords_check(struct passwords *passwords, const char *hash, struct bytes password, bool *ret_right,
                                   struct why *why);

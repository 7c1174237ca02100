/* SPDX-License-Identifier: Apache-2.0 */
/* What whoever signed in shows with each request: a session's token or an API token, 256 random bits with a prefix that says which of them it is.
   The store has their digests alone. */
#pragma once
#include "base/bytes.h"

enum bearer_kind { BEARER_SESSION, BEARER_API };
#define BEARER_BYTES  32
#define BEARER_TEXT   (4 + 2 * BEARER_BYTES + 1)             /* "chs_…" or "cha_…", and the NUL */
#define BEARER_DIGEST 32
#define CSRF_TEXT     (2 * BEARER_DIGEST + 1)

NODISCARD enum err bearer_make(enum bearer_kind kind, char ret[static BEARER_TEXT], struct why *why);
/* ERR_SIGN_IN: it has not the form of one. */
NODISCARD enum err bearer_read(struct bytes text, enum bearer_kind *ret_kind, uint8_t ret_digest[static BEARER_DIGEST], struct why *why);
/* What a browser's script says beside a session's cookie (docs/decisions/023): whoever has the token can make it, and nobody else. */
NODISCARD enum err bearer_csrf(struct bytes text, char ret[static CSRF_TEXT], struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in with name and password. Whoever tries learns nothing: an unknown name takes as long as a wrong password, and both have one answer. */
#pragma once
#include "mdm/mdm.h"
#include "mdm/session.h"

/* Wrong passwords are counted for a while, by address and by name. Who comes past either number is not heard until it is over: from an address
   nobody; by a name nobody but who comes from an address that this administrator has signed in from. So nobody is kept out for good by a stranger
   who tries their name (docs/decisions/023). */
#define SIGN_IN_WINDOW_MS   600000
#define SIGN_IN_BY_ADDRESS  20
#define SIGN_IN_BY_NAME     10
#define SIGN_IN_AUDITED     5                                /* refusals of one address in it that have a row of the audit trail… */
#define SIGN_IN_AUDITED_ALL 200                              /* … and of all */

struct passwords;
struct sign_in;                                              /* what is kept in memory: hashes' turns, and counts */
NODISCARD enum err sign_in_new(const struct session_times *times, struct sign_in **ret, struct why *why);
void sign_in_free(struct sign_in *sign_in);
AUTO_DECLARE(sign_in)
const struct session_times *sign_in_times(const struct sign_in *sign_in);
struct passwords *sign_in_passwords(struct sign_in *sign_in);

struct signing_in { struct mdm *mdm; struct bytes name, password;
                    const char *peer;                        /* the client's address */
                    int64_t now; };
/* Somebody whose name and password were right a moment ago. ERR_SIGN_IN, ERR_RATE, ERR_BUSY. */
struct signed_in;
NODISCARD enum err sign_in_try(const struct signing_in *asked, struct signed_in **ret, struct why *why);
void signed_in_free(struct signed_in *signed_in);
AUTO_DECLARE(signed_in)
/* *ret_token: of the new session, shown this once. ERR_SIGN_IN: the password has changed meanwhile, or they are disabled. */
NODISCARD enum err sign_in_enter(const struct signed_in *signed_in, struct session *ret, char ret_token[static BEARER_TEXT],
                                 struct why *why);

/* For other ways of signing in: ERR_RATE when this address has been refused too often, and one refusal more. */
NODISCARD enum err sign_in_budget(struct mdm *mdm, const char *peer, struct why *why);
void sign_in_refused(struct mdm *mdm, const char *peer, int64_t now, const char *reason);
/* In a unit of work: a new session of that administrator, with its row of the audit trail. */
struct session_new { struct session session; uint8_t digest[BEARER_DIGEST]; };
NODISCARD enum err session_new_make(struct session_new *made, char ret_token[static BEARER_TEXT], struct why *why);
NODISCARD enum err session_new_keep(struct store_tx *tx, const struct session_new *made, const char *peer, struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in force: rows of the store, and a copy in memory so that nobody who is asked about a right waits for the store.
   Changes through here are in force when they return; changes in the database by hand, within a minute or on SIGHUP. */
#pragma once
#include "ca/ca.h"
#include "ca/right.h"

#define RIGHT_RULES_MAX 1000                                 /* each enrolment looks at all of them */

struct rights *rights_new(void);
void rights_free(struct rights *rights);
/* At start, with issuers, endpoints and templates in place: the rules that a site begins with, each only if there was never
   one for that principal and object; then loads all. */
NODISCARD enum err rights_open(struct ca *ca, struct why *why);
NODISCARD enum err rights_reload(struct ca *ca, struct why *why);   /* on failure those in force stay */
/* ERR_NOT_AUTHORISED names principal, right and object. Does not wait. */
NODISCARD enum err right_check(struct ca *ca, const struct right_question *question, struct why *why);

/* how: grant allows, deny denies, revoke leaves it to less specific rules. ERR_BAD_REQUEST when cli would lose Manage CA. */
struct right_change {
    const struct issuer *issuer;
    const char *object, *principal, *actor;
    unsigned rights;
    enum right_how { RIGHT_HOW_GRANT, RIGHT_HOW_REVOKE, RIGHT_HOW_DENY } how;
};
/* The same inside a unit of work that has the counter "right" of the issuer; in force after rights_reload. */
NODISCARD enum err right_change_in(struct store_tx *tx, const struct ca *ca, const struct right_change *change,
                                   struct why *why);
/* Those on a template that goes: another one of its name later is not theirs. Likewise inside a unit of work. */
NODISCARD enum err rights_forget_template(struct store_tx *tx, const struct ca *ca, const char *template_name,
                                          const char *actor, struct why *why);
NODISCARD enum err right_change(struct ca *ca, const struct right_change *change, struct why *why);

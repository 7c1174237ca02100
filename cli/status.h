/* SPDX-License-Identifier: Apache-2.0 */
/* What the roles on this host say of themselves: for status, remind and metrics. */
#pragma once
#include "cli/command.h"

#define STATUS_ROLES_MAX 8
struct role_status { const char *role; enum err err; struct why why; struct buf answer; };   /* answer: a list of records */
struct statuses { struct role_status of[STATUS_ROLES_MAX]; size_t count, down; const struct role_status *first_down; };
/* Asks each that the configuration names; one that does not answer is counted in `down` and no error. */
NODISCARD enum err statuses_ask(struct cli *cli, struct statuses *ret, struct why *why);
/* err, and the first that does not answer; or who may ask, where this user may not. */
enum err statuses_fail(const struct statuses *statuses, enum err err, struct why *why);
void statuses_free(struct statuses *statuses);

bool role_runs_here(const struct config *config, const char *role);

/* Fields of their records that are the end of a certificate in use, or of a file of another CA (the root's CRL) that nothing
   here renews. */
struct status_end { const char *field, *kind, *name; };      /* name: the field that says whose it is; NULL: the role */
extern const struct status_end status_ends[];                /* ends with a field of NULL */

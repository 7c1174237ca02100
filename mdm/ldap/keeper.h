/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of the configuration: each is read on its interval, or when somebody asks for it, by a worker of the role's pool. */
#pragma once
#include "base/sandbox.h"
#include "mdm/ldap/run.h"

struct role;
struct ldap_keeper;
/* For the sandbox, before it is entered. */
NODISCARD enum err ldap_keeper_reach(const struct config *config, struct sandbox_policy *policy, struct why *why);
/* Reads each at once, and then on its interval. Loop thread; role and store outlive it. */
struct ldap_keeper *ldap_keeper_new(struct role *role, struct store *store);
void ldap_keeper_stop(struct ldap_keeper *keeper);           /* what runs ends soon; NULL is fine */
void ldap_keeper_free(struct ldap_keeper *keeper);           /* when the pool has ended */
/* For tests: it reads nothing by itself. */
struct ldap_keeper *ldap_keeper_of(const struct config *config, struct store *store, const struct clock *clock);

/* --- what may be asked, from any thread; keeper NULL: there are none --- */
size_t ldap_keeper_count(const struct ldap_keeper *keeper);
struct ldap_directory;
struct ldap_directory *ldap_keeper_at(struct ldap_keeper *keeper, size_t index);
NODISCARD enum err ldap_keeper_find(struct ldap_keeper *keeper, struct bytes name, struct ldap_directory **ret, struct why *why);
const struct ldap_settings *ldap_directory_settings(const struct ldap_directory *directory);
struct ldap_standing { bool running; int64_t next_at, asked, done; };   /* done: the last request that a run has answered */
struct ldap_standing ldap_directory_standing(struct ldap_directory *directory);
/* Has it read; gives the request's number. */
int64_t ldap_directory_ask(struct ldap_directory *directory, const struct run_request *request);
/* A record for each, in a list that is open. */
NODISCARD enum err ldap_keeper_status(struct ldap_keeper *keeper, struct buf *list, struct why *why);

/* May that be changed by hand? What a directory of the configuration says of an object is changed there. patch NULL: all of it, as its deletion or
   its members. ERR_CONFLICT names the directory. */
NODISCARD enum err ldap_keeper_allows(struct ldap_keeper *keeper, struct store_tx *tx, const struct object *object, const struct object *patch,
                                      struct why *why);

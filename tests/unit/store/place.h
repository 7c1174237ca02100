/* SPDX-License-Identifier: Apache-2.0 */
/* Where a store test keeps its databases: a folder of its own, and for PostgreSQL a server of its own in it. */
#pragma once
#include "store/store.h"
#include "tests/unit/test.h"
#include <sys/types.h>

struct place {
    enum store_kind kind;
    char folder[64];                     /* /tmp/…, 0700 */
    char conninfo[160];                  /* PostgreSQL: Unix socket in the folder, no TCP */
    pid_t server;
    int stores;                          /* names given so far */
};
/* kind by argv[1]: "sqlite" or "postgres". Ends the process when it cannot. */
void place_make(struct place *place, const char *kind);
/* Runs all of tests with that state, frees place, and returns what main returns. */
int place_run(struct place *place, void *state, struct CMUnitTest *tests, size_t count);
void place_free(struct place *place);                        /* stops the server by its pid, removes the folder */
void place_server_start(struct place *place);
void place_server_kill(struct place *place);                 /* as `pg_ctl stop -m immediate`: no clean end */

/* A fresh, empty database; *ret is valid until the next call of place_config. */
struct store_config place_config(struct place *place, const struct migration *migrations, size_t count);
/* The database of the last place_config, once more. */
struct store_config place_config_again(const struct place *place, const struct migration *migrations, size_t count);

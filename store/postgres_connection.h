/* SPDX-License-Identifier: Apache-2.0 */
/* One PostgreSQL connection: its session, its prepared statements, the savepoint that keeps a conflict from ending the
   transaction, and what its last error means for the unit. */
#pragma once
#include "store/driver.h"

enum postgres_state {
    POSTGRES_USABLE,
    POSTGRES_RERUN,                      /* the server chose this transaction as a victim: the unit may be run again */
    POSTGRES_LOST,                       /* the connection is gone, or on its way */
};
struct postgres_connection;
/* Refuses a conninfo that cannot be read or has a password in it. */
NODISCARD enum err postgres_conninfo_check(const char *conninfo, struct why *why);
NODISCARD enum err postgres_connect(const char *conninfo, const char *schema, struct postgres_connection **ret,
                                    struct why *why);
void postgres_connection_free(struct postgres_connection *connection);
AUTO_DECLARE(postgres_connection)
NODISCARD enum err postgres_run(void *connection, const struct statement *statement, struct result *result,
                                struct why *why);
NODISCARD enum err postgres_script(void *connection, const char *sql, struct why *why);
NODISCARD enum err postgres_begin_write(struct postgres_connection *connection, struct why *why);
NODISCARD enum err postgres_begin_read(struct postgres_connection *connection, struct why *why);
/* *ret_unknown: the connection went away between our COMMIT and its answer. */
NODISCARD enum err postgres_commit(struct postgres_connection *connection, bool *ret_unknown, struct why *why);
void postgres_rollback(struct postgres_connection *connection);
enum postgres_state postgres_state(const struct postgres_connection *connection);

/* SPDX-License-Identifier: Apache-2.0 */
/* One SQLite connection: opened with our pragmas, its prepared statements, and whether it may still be trusted. */
#pragma once
#include "store/driver.h"
#include <sqlite3.h>

struct sqlite_connection;
enum sqlite_access { ACCESS_OWNER, ACCESS_READER };
NODISCARD enum err sqlite_connect(const char *path, enum sqlite_access access, struct sqlite_connection **ret,
                                  struct why *why);
void sqlite_connection_free(struct sqlite_connection *connection);
AUTO_DECLARE(sqlite_connection)
NODISCARD enum err sqlite_run(void *connection, const struct statement *statement, struct result *result,
                              struct why *why);
NODISCARD enum err sqlite_script(void *connection, const char *sql, struct why *why);
/* One of our own transaction statements, prepared once. */
NODISCARD enum err sqlite_do(struct sqlite_connection *connection, const char *sql, struct why *why);
bool sqlite_in_transaction(const struct sqlite_connection *connection);
/* An I/O error was seen: what this connection believes about the file may be wrong. */
bool sqlite_is_poisoned(const struct sqlite_connection *connection);
bool sqlite_is_full(const struct sqlite_connection *connection);           /* no space, and no checkpoint since */
int sqlite_wal_pages(const struct sqlite_connection *connection);          /* after the last commit */
enum sqlite_checkpoint { CHECKPOINT_SOME, CHECKPOINT_WHOLE };
NODISCARD enum err sqlite_checkpoint(struct sqlite_connection *connection, enum sqlite_checkpoint how, struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* The store of one role: SQLite or PostgreSQL behind the same SQL text. A write is a re-runnable function without side
   effects that either commits durably with everything it did, or leaves no trace. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct store;
struct store_tx;                                             /* valid inside one call of the work function */

enum store_kind { STORE_SQLITE, STORE_POSTGRES };
struct migration { int version; const char *sql; };         /* versions 1, 2, … without gaps; sql: several statements;
                                                                BIGINT, TEXT, BYTEA (written as the word BYTEA) */
struct store_config {
    enum store_kind kind;
    const char *path;                                        /* SQLite: file. PostgreSQL: conninfo, without password (refused:
                                                                passfile= or PGPASSFILE name the file that has it) */
    const char *schema;                                      /* PostgreSQL: the role's schema; SQLite: ignored */
    const struct migration *migrations; size_t migration_count;
    int readers;                                             /* connections for store_read; 0 = a sane default */
    int flush_delay_ms;                                      /* tests: every durable flush takes this much longer */
};
/* Opens, migrates up, refuses a newer schema (ERR_STORE_SCHEMA). SQLite: WAL, synchronous=FULL, one writer thread. */
NODISCARD enum err store_open(const struct store_config *config, struct store **ret, struct why *why);
void store_free(struct store *store);                        /* waits for what is queued, closes */
AUTO_DECLARE(store)
bool store_is_remote(const struct store *store);             /* what it does may take as long as a network and a server let it */
uint64_t store_commits(const struct store *store);           /* durable flushes since it was opened: tests, status */

/* May be run more than once, or be run and rolled back: it must only read and write through tx and set *arg's results
   afresh each time. A return other than OK rolls back just this unit and is what store_write returns. */
typedef enum err (*store_work)(struct store_tx *tx, void *arg, struct why *why);
/* OK: done and durable. Group commit: units of many threads share one flush; a unit's failure leaves the others.
   ERR_STORE: not acknowledged, which after a failed or interrupted COMMIT does not mean that it did not happen: ask again
   by the request's key. Not from inside a unit. */
NODISCARD enum err store_write(struct store *store, store_work work, void *arg, struct why *why);
/* As store_write, without waiting: done is called exactly once, on the writer's thread. It is brief, for it holds up every
   other write; store_submit from it is fine, store_write is refused. work and done may be called with arg until then. */
typedef void (*store_done)(void *arg, enum err err, const struct why *why);
void store_submit(struct store *store, store_work work, store_done done, void *arg);
/* A consistent snapshot; writing in it is refused. */
NODISCARD enum err store_read(struct store *store, store_work work, void *arg, struct why *why);

enum store_type { STORE_NULL, STORE_INT, STORE_TEXT, STORE_BYTES };
struct store_value { enum store_type type; int64_t integer; struct bytes bytes; };
#define S_INT(value)   ((struct store_value){ STORE_INT, (value), BYTES_NONE })
#define S_TEXT(value)  store_text(value)                     /* const char *; NULL becomes SQL NULL */
#define S_BYTES(value) ((struct store_value){ STORE_BYTES, 0, (value) })
#define S_NULL         ((struct store_value){ STORE_NULL, 0, BYTES_NONE })
struct store_value store_text(const char *text);
struct store_value store_text_of(struct bytes utf8);         /* also an empty one: never SQL NULL */
struct store_value store_bytes_or_null(struct bytes bytes);  /* empty becomes SQL NULL */

struct store_args { const struct store_value *values; size_t count; };   /* $1, $2, … */
#define S_ARGS(...)                                                                                      \
    ((struct store_args){ (const struct store_value[]){ __VA_ARGS__ },                                   \
                          sizeof((const struct store_value[]){ __VA_ARGS__ }) / sizeof(struct store_value) })
#define S_NO_ARGS ((struct store_args){ NULL, 0 })
/* One statement each, beginning with SELECT, INSERT, UPDATE, DELETE or WITH, with as many parameters as it names.
   Numbers come back as BIGINT only: CAST(SUM(x) AS BIGINT). TEXT is UTF-8 without NUL, else ERR_MALFORMED. */

/* Rows of one statement, all read (above 64 MB ERR_LIMIT: stream them); freed by the caller. */
struct store_rows;
NODISCARD enum err store_query(struct store_tx *tx, const char *sql, struct store_args args, struct store_rows **ret,
                               struct why *why);
void store_rows_free(struct store_rows *rows);
AUTO_DECLARE(store_rows)
size_t store_rows_count(const struct store_rows *rows);
int64_t store_int(const struct store_rows *rows, size_t row, size_t column);          /* NULL: 0 */
struct bytes store_bytes(const struct store_rows *rows, size_t row, size_t column);   /* view into rows; NULL: empty */
const char *store_str(const struct store_rows *rows, size_t row, size_t column);      /* view into rows; NULL: "" */
bool store_is_null(const struct store_rows *rows, size_t row, size_t column);
/* A statement without rows. *ret_changed (may be NULL): rows inserted, updated or deleted. A violated unique constraint
   is ERR_CONFLICT (the statement did nothing, the unit may go on). Anything else of the database is ERR_STORE, and the
   unit can then only fail, whatever it returns. The same holds for store_query and store_for_each. */
NODISCARD enum err store_exec(struct store_tx *tx, const char *sql, struct store_args args, int64_t *ret_changed,
                              struct why *why);
/* Streams rows without keeping them (CRLs of a million entries): each is called with a rows object of one row, and ends
   it by returning something else than OK. It must not use tx. */
typedef enum err (*store_each)(const struct store_rows *row, void *arg, struct why *why);
NODISCARD enum err store_for_each(struct store_tx *tx, const char *sql, struct store_args args, store_each each,
                                  void *arg, struct why *why);

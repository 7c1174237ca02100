/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share: the seam between the front (store.c) and a database, and rows being filled. */
#pragma once
#include "base/batch.h"
#include "store/store.h"

#define STORE_ARGS_MAX       64          /* parameters of one statement; the widest table has about thirty columns */
#define STORE_ROWS_BYTES_MAX (64 << 20)  /* one store_query; whatever may be larger streams through store_for_each */

struct statement { const char *sql; struct store_args args; bool reads; };  /* reads: begins with SELECT */

/* Where the rows of one statement go: all into rows or, with each, one by one through it. */
struct result { struct store_rows *rows; store_each each; void *arg; int64_t changed; };

struct store_unit {                      /* of store_submit */
    struct batch_unit base;
    store_work work;
    store_done done;
    void *arg;
    int64_t since_ms;                    /* it was handed in: what waits longest has the least patience left */
    enum err err;
    struct why why;
};
void unit_finish(struct store_unit *unit);                  /* tells its owner, and frees it */

struct store_ops {
    const char *name;
    bool is_remote;                                          /* store_is_remote */
    enum err (*open)(const struct store_config *config, void **ret_driver, struct why *why);
    void (*close)(void *driver);
    struct batch *(*writers)(void *driver);                  /* takes struct store_unit */
    enum err (*read)(void *driver, store_work work, void *arg, struct why *why);
    uint64_t (*commits)(const void *driver);
    /* On one connection, used by one thread at a time. ERR_CONFLICT leaves the transaction usable. */
    enum err (*run)(void *connection, const struct statement *statement, struct result *result, struct why *why);
    enum err (*script)(void *connection, const char *sql, struct why *why);   /* several statements, no parameters */
};
extern const struct store_ops store_sqlite, store_postgres;

/* Runs one unit on a connection that is inside a transaction. A unit that went on after a database error (not a
   conflict) is not OK, whatever it returned. */
NODISCARD enum err unit_run(const struct store_ops *ops, void *connection, store_work work, void *arg,
                            struct why *why);

/* rows.c */
struct store_rows *rows_new(void);
void rows_start(struct store_rows *rows, size_t columns);   /* of the statement that fills it */
void rows_add_null(struct store_rows *rows);
void rows_add_int(struct store_rows *rows, int64_t value);
void rows_add_bytes(struct store_rows *rows, enum store_type type, struct bytes value);
/* After the last column of a row: hands it to each, or keeps it under STORE_ROWS_BYTES_MAX. */
NODISCARD enum err result_row_done(struct result *result, struct why *why);

/* migrate.c: brings the database behind the connection up to the last migration. begin: the statement that starts a
   transaction which no other process can overlap. */
NODISCARD enum err migrate(const struct store_ops *ops, void *connection, const struct store_config *config,
                           const char *begin, struct why *why);

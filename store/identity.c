/* SPDX-License-Identifier: Apache-2.0 */
/* An empty database in the place of one that was lost would go on as if nothing had been issued, revoked or used. SQLite's file is
   missing then (ca/role.c); of a database of PostgreSQL only its content tells. */
#include "store/identity.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include <unistd.h>

#define NAME_BYTES     16
#define FILE_BYTES_MAX 256

struct identity {
    const struct store_identity *where;
    int64_t now;
    char *given; /* what a store without a name gets; NULL: it gets none */
    char *found; /* result; NULL: it has none */
};

static void identity_free(struct identity *identity)
{
    free(identity->given);
    free(identity->found);
}

static enum err identity_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct identity *identity = arg;
    AUTO(store_rows) rows = NULL;
    free(TAKE(identity->found));
    if (identity->given)
        TRY(store_exec(tx, identity->where->keep, S_ARGS(S_TEXT(identity->given), S_INT(identity->now)), NULL,
                       why));
    TRY(store_query(tx, identity->where->find, S_NO_ARGS, &rows, why));
    if (store_rows_count(rows))
        identity->found = xstrdup(store_str(rows, 0, 0));
    return OK;
}

static enum err name_make(char **ret, struct why *why)
{
    uint8_t raw[NAME_BYTES];
    AUTO_BUF text = { 0 };
    TRY(random_fill(raw, sizeof(raw), why));
    hex_append(&text, BYTES_ARR(raw));
    *ret = xstrdup(buf_text(&text));
    return OK;
}

static enum err first_use(struct store *store, struct identity *identity, const char *path, struct why *why)
{
    TRY(name_make(&identity->given, why));
    TRY(store_write(store, identity_work, identity, why));
    AUTO_BUF line = { 0 };
    buf_printf(&line, "%s\n", identity->found);
    return file_write(path, buf_bytes(&line), 0600, why);
}

enum err store_identity_check(struct store *store, const struct store_identity *where,
                              const struct clock *clock, const char *path, struct why *why)
{
    AUTO_VAL(identity) identity = { .where = where, .now = clock_now(clock) };
    AUTO_BUF text = { 0 };
    if (access(path, F_OK) != 0)
        return first_use(store, &identity, path, why);
    TRY(file_read(path, FILE_BYTES_MAX, &text, why));
    TRY(store_read(store, identity_work, &identity, why));
    AUTO_STR expected = xstrndup(buf_text(&text), strcspn(buf_text(&text), "\n"));
    if (FAULT(store_identity) || (identity.found && strcmp(identity.found, expected) == 0))
        return OK;
    return fail(
        why, ERR_STORE,
        "the database is %s%s, and this site's is %s (%s): restore it from the backup, or name the right "
        "one in option store; a site that is to begin with another database begins with that file removed",
        identity.found ? "the store " : "a new one without a name", identity.found ? identity.found : "",
        expected, path);
}

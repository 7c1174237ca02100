/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that a statement gave: cells in order, their texts and bytes in one buffer. */
#include "store/driver.h"

#include <assert.h>
#include <stdlib.h>

struct cell {
    enum store_type type;
    int64_t integer;
    size_t at, len;
}; /* at: offset in data, which moves as it grows */
struct store_rows {
    size_t columns, count;
    struct cell *cells;
    size_t cell_count, cell_cap;
    struct buf data; /* each value is followed by a NUL for store_str */
};

struct store_rows *rows_new(void)
{
    return xcalloc(1, sizeof(struct store_rows));
}

void store_rows_free(struct store_rows *rows)
{
    if (!rows)
        return;
    free(rows->cells);
    buf_wipe(&rows->data); /* may have held wrapped keys or password hashes */
    free(rows);
}

void rows_start(struct store_rows *rows, size_t columns)
{
    assert(rows->count == 0);
    rows->columns = columns;
}

static struct cell *cell_new(struct store_rows *rows)
{
    if (rows->cell_count == rows->cell_cap) {
        rows->cell_cap = rows->cell_cap ? rows->cell_cap * 2 : 16;
        struct cell *cells = realloc(rows->cells, rows->cell_cap * sizeof(*cells));
        if (!cells)
            die("out of memory: %zu cells of an answer", rows->cell_cap);
        rows->cells = cells;
    }
    struct cell *cell = &rows->cells[rows->cell_count++];
    *cell = (struct cell){ .type = STORE_NULL };
    return cell;
}

void rows_add_null(struct store_rows *rows)
{
    cell_new(rows);
}

void rows_add_int(struct store_rows *rows, int64_t value)
{
    struct cell *cell = cell_new(rows);
    cell->type = STORE_INT;
    cell->integer = value;
}

void rows_add_bytes(struct store_rows *rows, enum store_type type, struct bytes value)
{
    struct cell *cell = cell_new(rows);
    cell->type = type;
    cell->at = rows->data.len;
    cell->len = value.len;
    buf_reserve(&rows->data, value.len + 1); /* at once: a CRL may have 40 MB */
    buf_append(&rows->data, value);
    buf_append_byte(&rows->data, 0);
}

static void rows_clear(struct store_rows *rows)
{
    rows->count = 0;
    rows->cell_count = 0;
    buf_clear(&rows->data);
}

enum err result_row_done(struct result *result, struct why *why)
{
    struct store_rows *rows = result->rows;
    rows->count++;
    assert(rows->cell_count == rows->count * rows->columns);
    if (result->each) {
        enum err err = result->each(rows, result->arg, why);
        rows_clear(rows);
        return err;
    }
    size_t bytes = rows->data.len + rows->cell_count * sizeof(struct cell);
    if (bytes > STORE_ROWS_BYTES_MAX)
        return fail(why, ERR_LIMIT, "the answer has %zu bytes, limit %d", bytes, STORE_ROWS_BYTES_MAX);
    return OK;
}

static const struct cell *cell_at(const struct store_rows *rows, size_t row, size_t column)
{
    assert(row < rows->count && column < rows->columns);
    return &rows->cells[row * rows->columns + column];
}

size_t store_rows_count(const struct store_rows *rows)
{
    return rows->count;
}

int64_t store_int(const struct store_rows *rows, size_t row, size_t column)
{
    const struct cell *cell = cell_at(rows, row, column);
    assert(cell->type == STORE_INT || cell->type == STORE_NULL);
    return cell->integer;
}

struct bytes store_bytes(const struct store_rows *rows, size_t row, size_t column)
{
    const struct cell *cell = cell_at(rows, row, column);
    assert(cell->type != STORE_INT);
    if (cell->type == STORE_NULL)
        return BYTES_NONE;
    return bytes_of(rows->data.data + cell->at, cell->len);
}

const char *store_str(const struct store_rows *rows, size_t row, size_t column)
{
    const struct cell *cell = cell_at(rows, row, column);
    assert(cell->type != STORE_INT);
    return cell->type == STORE_NULL ? "" : (const char *)rows->data.data + cell->at;
}

bool store_is_null(const struct store_rows *rows, size_t row, size_t column)
{
    return cell_at(rows, row, column)->type == STORE_NULL;
}

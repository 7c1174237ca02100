/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/csv.h"

#include "base/fault.h"

struct csv csv_over(struct bytes text)
{
    static const uint8_t mark[] = { 0xEF, 0xBB, 0xBF };
    bool marked = text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0;
    size_t skip = marked ? sizeof(mark) : 0;
    return (struct csv){ bytes_of(text.data + skip, text.len - skip), 1 };
}

void csv_record_free(struct csv_record *record)
{
    for (size_t i = 0; i < CSV_FIELDS_MAX; i++)
        buf_free(&record->fields[i]);
}

static void skip(struct csv *csv, size_t count)
{
    csv->rest = bytes_of(csv->rest.data + count, csv->rest.len - count);
}

/* Octets of the line end at the beginning of what is left; 0: there is none. */
static size_t line_end(const struct csv *csv)
{
    struct bytes rest = csv->rest;
    if (rest.len && rest.data[0] == '\n')
        return 1;
    return rest.len > 1 && rest.data[0] == '\r' && rest.data[1] == '\n' ? 2 : 0;
}

static bool at_field_end(const struct csv *csv)
{
    return csv->rest.len == 0 || csv->rest.data[0] == ',' || line_end(csv);
}

static enum err wrong(const struct csv_record *record, const char *what, struct why *why)
{
    return fail(why, ERR_VALUE, "line %zu, column %zu: %s", record->line, record->count + 1, what);
}

static enum err quoted_take(struct csv *csv, const struct csv_record *record, struct buf *ret,
                            struct why *why)
{
    for (skip(csv, 1);; skip(csv, 1)) {
        if (csv->rest.len == 0)
            return wrong(record, "the quotes do not end", why);
        uint8_t byte = csv->rest.data[0];
        bool doubled = byte == '"' && csv->rest.len > 1 && csv->rest.data[1] == '"';
        if (byte == '"' && !doubled)
            break;
        if (doubled)
            skip(csv, 1);
        csv->line += byte == '\n';
        buf_append_byte(ret, byte);
    }
    skip(csv, 1);
    if (!at_field_end(csv) && !FAULT(csv_quotes))
        return wrong(record, "text goes on behind closing quotes", why);
    return OK;
}

static bool ends_plain(uint8_t byte)
{
    return byte == ',' || byte == '"' || byte == '\r' || byte == '\n';
}

static enum err plain_take(struct csv *csv, const struct csv_record *record, struct buf *ret, struct why *why)
{
    size_t len = 0;
    while (len < csv->rest.len && !ends_plain(csv->rest.data[len]))
        len++;
    buf_append(ret, bytes_of(csv->rest.data, len));
    skip(csv, len);
    if (at_field_end(csv))
        return OK;
    return wrong(record,
                 csv->rest.data[0] == '"' ? "quotes inside a field that does not begin with some"
                                          : "a carriage return that ends no line",
                 why);
}

static enum err field_take(struct csv *csv, struct csv_record *ret, struct why *why)
{
    if (ret->count == CSV_FIELDS_MAX)
        return wrong(ret, "more columns than there are attributes", why);
    struct buf *field = &ret->fields[ret->count];
    bool quoted = csv->rest.len && csv->rest.data[0] == '"';
    buf_clear(field);
    TRY(quoted ? quoted_take(csv, ret, field, why) : plain_take(csv, ret, field, why));
    ret->count++;
    return OK;
}

static void empty_lines_skip(struct csv *csv)
{
    for (size_t len; (len = line_end(csv)) > 0; csv->line++)
        skip(csv, len);
}

enum err csv_next(struct csv *csv, struct csv_record *ret, bool *ret_end, struct why *why)
{
    empty_lines_skip(csv);
    ret->count = 0;
    ret->line = csv->line;
    *ret_end = csv->rest.len == 0;
    if (*ret_end)
        return OK;
    TRY(field_take(csv, ret, why));
    while (csv->rest.len && csv->rest.data[0] == ',') {
        skip(csv, 1);
        TRY(field_take(csv, ret, why));
    }
    size_t end = line_end(csv);
    csv->line += end > 0;
    skip(csv, end);
    return OK;
}

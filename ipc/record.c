/* SPDX-License-Identifier: Apache-2.0 */
/* Named text fields between the command line and the roles. */
#include "ipc/record.h"

#include "base/auto.h"
#include "base/clock.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

size_t record_begin(struct buf *out)
{
    return der_begin(out, DER_SEQUENCE);
}

void record_end(struct buf *out, size_t mark)
{
    der_end(out, mark);
}

size_t records_begin(struct buf *out)
{
    return der_begin(out, DER_SEQUENCE);
}

void records_end(struct buf *out, size_t mark)
{
    der_end(out, mark);
}

void record_put(struct buf *out, const char *name, struct bytes utf8)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_utf8(out, bytes_str(name));
    der_put_utf8(out, utf8);
    der_end(out, mark);
}

void record_put_str(struct buf *out, const char *name, const char *text)
{
    record_put(out, name, bytes_str(text));
}

void record_put_int(struct buf *out, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    record_put_str(out, name, text);
}

void record_put_time(struct buf *out, const char *name, int64_t utc)
{
    char text[21] = "";
    if (utc)
        clock_rfc3339(utc, text);
    record_put_str(out, name, text);
}

static bool field_get(struct der_reader *in, struct record_field *ret)
{
    struct der_reader field;
    return der_get_sequence(in, &field) && der_get_utf8(&field, &ret->name) &&
           der_get_utf8(&field, &ret->value) && der_at_end(&field);
}

static bool record_is_valid(struct bytes fields)
{
    struct der_reader in = der_reader_over(fields);
    struct record_field field;
    while (!der_at_end(&in)) {
        if (!field_get(&in, &field))
            return false;
    }
    return true;
}

enum err record_get(struct bytes body, struct record *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), fields;
    if (!der_get_sequence(&in, &fields) || !der_at_end(&in) || !record_is_valid(fields.rest))
        return fail(why, ERR_MALFORMED, "not a record: %zu bytes", body.len);
    ret->fields = fields.rest;
    return OK;
}

enum err records_get(struct bytes body, struct der_reader *ret, struct why *why)
{
    struct der_reader in = der_reader_over(body), list, each;
    if (!der_get_sequence(&in, &list) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "not a list of records: %zu bytes", body.len);
    struct der_reader all = list;
    while (!der_at_end(&all)) {
        if (!der_get_sequence(&all, &each) || !record_is_valid(each.rest))
            return fail(why, ERR_MALFORMED, "malformed record in a list of %zu bytes", body.len);
    }
    *ret = list;
    return OK;
}

bool records_next(struct der_reader *records, struct record *ret)
{
    struct der_reader fields;
    if (!der_get_sequence(records, &fields))
        return false;
    ret->fields = fields.rest;
    return true;
}

bool record_next_field(struct record *record, struct record_field *ret)
{
    struct der_reader in = der_reader_over(record->fields);
    if (der_at_end(&in) || !field_get(&in, ret))
        return false;
    record->fields = in.rest;
    return true;
}

bool record_find(const struct record *record, const char *name, struct bytes *ret_value)
{
    struct record rest = *record;
    struct record_field field;
    while (record_next_field(&rest, &field)) {
        if (bytes_equal(field.name, bytes_str(name))) {
            *ret_value = field.value;
            return true;
        }
    }
    return false;
}

char *record_str(const struct record *record, const char *name)
{
    struct bytes value;
    return record_find(record, name, &value) ? xstrndup((const char *)value.data, value.len) : NULL;
}

int64_t record_int(const struct record *record, const char *name, int64_t fallback)
{
    AUTO_STR text = record_str(record, name);
    if (!text || !isdigit((unsigned char)text[*text == '-'])) /* no blanks, no plus */
        return fallback;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return *end || errno ? fallback : value;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Named text fields, for what administrators ask and read: a record is SEQUENCE OF SEQUENCE { name, value UTF8String },
   an answer is SEQUENCE OF record. The command line prints it as a table or as JSON without knowing the columns. */
#pragma once
#include "ipc/frame.h"

/* Writing:  size_t m = record_begin(&out); record_put(&out, "serial", text); …; record_end(&out, m); */
size_t record_begin(struct buf *out);
void record_put(struct buf *out, const char *name, struct bytes utf8);
void record_put_str(struct buf *out, const char *name, const char *text);    /* NULL is written as empty */
void record_put_int(struct buf *out, const char *name, int64_t value);
void record_put_time(struct buf *out, const char *name, int64_t utc);        /* RFC 3339; 0 is written as empty */
void record_end(struct buf *out, size_t mark);
size_t records_begin(struct buf *out);                       /* the list around them */
void records_end(struct buf *out, size_t mark);

/* Reading. */
struct record { struct bytes fields; };
struct record_field { struct bytes name, value; };
NODISCARD enum err record_get(struct bytes body, struct record *ret, struct why *why);          /* a lone record */
NODISCARD enum err records_get(struct bytes body, struct der_reader *ret, struct why *why);     /* a list */
bool records_next(struct der_reader *records, struct record *ret);
bool record_next_field(struct record *record, struct record_field *ret);     /* consumes */
bool record_find(const struct record *record, const char *name, struct bytes *ret_value);
char *record_str(const struct record *record, const char *name);             /* NULL when absent; caller frees */
int64_t record_int(const struct record *record, const char *name, int64_t fallback);   /* digits alone, or after a minus */

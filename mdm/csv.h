/* SPDX-License-Identifier: Apache-2.0 */
/* CSV as RFC 4180 has it, and as spreadsheets write it: with or without a byte order mark, lines that end in CR LF or LF alone. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

#define CSV_FIELDS_MAX 64

struct csv { struct bytes rest; size_t line; };              /* the line that rest begins with, from 1 */
struct csv csv_over(struct bytes text);
struct csv_record { struct buf fields[CSV_FIELDS_MAX]; size_t count, line; };   /* starts as { 0 } */
void csv_record_free(struct csv_record *record);
/* The next line that is not empty; its fields are good until the next one. *ret_end: there is none. ERR_VALUE names line and column. */
NODISCARD enum err csv_next(struct csv *csv, struct csv_record *ret, bool *ret_end, struct why *why);

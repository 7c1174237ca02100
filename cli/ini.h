/* SPDX-License-Identifier: Apache-2.0 */
/* The text of Windows' policy files (INF): sections, NAME = VALUE, quotes, comments; one entry at a time, with its line. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct ini_entry {
    int line;
    struct bytes section, name;                              /* views into the text */
    struct buf value;                                        /* unquoted; owned */
};
void ini_entry_free(struct ini_entry *entry);

/* What Notepad saves: UTF-8 with or without its mark, UTF-16 with it ("Unicode"). At most LIMIT_POLICY_BYTES; no NUL. */
NODISCARD enum err ini_decode(struct bytes file, struct buf *ret_utf8, struct why *why);

struct ini_reader { struct bytes rest, section; int line; };
struct ini_reader ini_reader_over(struct bytes utf8);        /* of ini_decode */
/* The next entry; *ret_more is false, and *ret untouched, behind the last one. The caller frees each entry. Comments begin with ';', or
   with "//" at the start of a line or behind a blank, and never in quotes. ERR_MALFORMED names the line. */
NODISCARD enum err ini_next(struct ini_reader *reader, struct ini_entry *ret, bool *ret_more, struct why *why);
bool ini_is(struct bytes text, const char *word);            /* equal without regard to case */

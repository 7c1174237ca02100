/* SPDX-License-Identifier: Apache-2.0 */
/* What writing and reading the journal share. */
#pragma once
#include "signer/journal.h"

#define JOURNAL_HEAD         "chancery signer journal 1\n"
#define JOURNAL_LENGTH_BYTES 4
#define JOURNAL_GUARD_BYTES  8
#define JOURNAL_CHAIN_BYTES  32
#define JOURNAL_PREFIX_BYTES (JOURNAL_LENGTH_BYTES + JOURNAL_GUARD_BYTES)

NODISCARD enum err journal_chain_start(uint8_t ret_chain[static JOURNAL_CHAIN_BYTES], struct why *why);
/* Appends a record's beginning, which entry->der and then the chain have to follow, and moves chain on. */
NODISCARD enum err journal_record_begin(struct buf *out, const struct journal_entry *entry,
                                        uint8_t chain[static JOURNAL_CHAIN_BYTES], struct why *why);
NODISCARD enum err journal_payload_get(struct bytes payload, struct journal_entry *ret, struct why *why);
NODISCARD bool read_at(int fd, uint64_t offset, uint8_t *out, size_t len);   /* all of it, or false with errno */

struct journal_scan {
    int fd;
    const char *path;
    uint64_t size, offset;                                   /* of the file; where the next record begins */
    uint8_t chain[JOURNAL_CHAIN_BYTES];
    int64_t last_time;
};
/* From the start to the end, or to an unfinished last record, where offset then stays. */
NODISCARD enum err journal_scan(struct journal_scan *scan, journal_fn each, void *arg, struct why *why);

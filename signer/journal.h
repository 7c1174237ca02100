/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's journal: everything it sealed, appended and made durable before it leaves. Each record carries a hash over
   the one before, so a record that is changed, moved, left out or added is found when the journal is opened.
       file   = the line "chancery signer journal 1\n", record*
       record = length (4 octets, big endian), guard (8), payload, chain (32)
       payload = SEQUENCE { time INTEGER, ca UTF8String, kind INTEGER, id OCTET STRING, der OCTET STRING }
       guard  = the first octets of SHA-256(chain before ‖ length): tells a damaged length from an unfinished record
       chain  = SHA-256(chain before ‖ length ‖ payload); before the first record, SHA-256(the line) */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct journal_entry {
    int64_t time;                                            /* UTC, when it was sealed */
    struct bytes ca;                                         /* name of the ca section */
    int kind;                                                /* enum seal_kind */
    struct bytes id;                                         /* serial of a certificate; CRL number, 8 octets */
    struct bytes der;                                        /* Certificate or CertificateList */
};
typedef enum err (*journal_fn)(void *arg, uint64_t offset, const struct journal_entry *entry, struct why *why);

struct journal;
/* Makes the file when it is not there; checks all of it and hands each record to `each`, oldest first. An unfinished last
   record, left by a crash, is cut off with a log line; anything else that is wrong refuses and names the offset. One
   process at a time. */
NODISCARD enum err journal_open(const char *path, journal_fn each, void *arg, struct journal **ret, struct why *why);
void journal_free(struct journal *journal);                  /* after what was submitted: each is told */
AUTO_DECLARE(journal)
/* From any thread; durable when it returns OK. Calls that come together share one flush. ERR_IO: nothing of it is kept,
   and a later call may succeed. A flush that fails ends the process: what is on the disk is then unknown. */
NODISCARD enum err journal_append(struct journal *journal, const struct journal_entry *entry, uint64_t *ret_offset,
                                  struct why *why);
/* As journal_append, without waiting: done is called exactly once, by the journal's own thread, and is brief. entry, and
   what it points to, stay until then. */
typedef void (*journal_done)(void *arg, enum err err, uint64_t offset, const struct why *why);
void journal_submit(struct journal *journal, const struct journal_entry *entry, journal_done done, void *arg);
/* The record at an offset that journal_append or journal_open gave. entry's views point into ret_buf. */
NODISCARD enum err journal_read(struct journal *journal, uint64_t offset, struct buf *ret_buf, struct journal_entry *ret_entry,
                                struct why *why);
/* For tools and tests: checks the file as journal_open does, but changes nothing and takes no lock. *ret_torn: octets of an
   unfinished last record. */
NODISCARD enum err journal_each(const char *path, journal_fn each, void *arg, uint64_t *ret_torn, struct why *why);

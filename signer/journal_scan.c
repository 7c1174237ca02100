/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's records, put and got side by side, and the walk over a whole file. */
#include "signer/journal_scan.h"

#include "base/fault.h"
#include "base/limits.h"
#include "x509/algorithm.h"
#include "x509/der.h"

#include <errno.h>
#include <unistd.h>

#define PAYLOAD_MAX ((size_t)LIMIT_CRL_FRAME_BYTES + 4096) /* the largest CRL and what is around it */

enum err journal_chain_start(uint8_t ret_chain[static JOURNAL_CHAIN_BYTES], struct why *why)
{
    const struct bytes head = BYTES_LIT(JOURNAL_HEAD);
    return sha256_parts(&head, 1, ret_chain, why);
}

static void length_put(uint8_t out[static JOURNAL_LENGTH_BYTES], size_t len)
{
    for (size_t i = 0; i < JOURNAL_LENGTH_BYTES; i++)
        out[i] = (uint8_t)(len >> (24 - 8 * i));
}

static size_t length_get(const uint8_t in[static JOURNAL_LENGTH_BYTES])
{
    return (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
}

static enum err guard_make(const uint8_t *chain, const uint8_t *length, uint8_t *ret, struct why *why)
{
    const struct bytes parts[] = { bytes_of(chain, JOURNAL_CHAIN_BYTES),
                                   bytes_of(length, JOURNAL_LENGTH_BYTES) };
    uint8_t hash[32];
    TRY(sha256_parts(parts, 2, hash, why));
    memcpy(ret, hash, JOURNAL_GUARD_BYTES);
    return OK;
}

/* The payload in two parts: a large CRL is copied nowhere. */
static enum err chain_move(uint8_t *chain, const uint8_t *length, struct bytes begin, struct bytes rest,
                           struct why *why)
{
    const struct bytes parts[] = { bytes_of(chain, JOURNAL_CHAIN_BYTES),
                                   bytes_of(length, JOURNAL_LENGTH_BYTES), begin, rest };
    uint8_t next[JOURNAL_CHAIN_BYTES];
    TRY(sha256_parts(parts, 4, next, why));
    memcpy(chain, next, sizeof(next));
    return OK;
}

/* All of it but the octets of entry->der at its end. */
static void payload_begin(struct buf *out, const struct journal_entry *entry)
{
    AUTO_BUF fields = { 0 };
    der_put_int64(&fields, entry->time);
    der_put_utf8(&fields, entry->ca);
    der_put_int64(&fields, entry->kind);
    der_put_octets(&fields, entry->id);
    der_put_header(&fields, DER_OCTET_STRING, entry->der.len);
    der_put_header(out, DER_SEQUENCE, fields.len + entry->der.len);
    buf_append(out, buf_bytes(&fields));
}

enum err journal_payload_get(struct bytes payload, struct journal_entry *ret, struct why *why)
{
    struct der_reader in = der_reader_over(payload), seq;
    struct journal_entry entry;
    int64_t kind;
    if (!der_get_sequence(&in, &seq) || !der_at_end(&in) || !der_get_int64(&seq, &entry.time) ||
        !der_get_utf8(&seq, &entry.ca) || !der_get_int64(&seq, &kind) || !der_get_octets(&seq, &entry.id) ||
        !der_get_octets(&seq, &entry.der) || !der_at_end(&seq) || kind < 0 || kind > 255)
        return fail(why, ERR_MALFORMED, "record of %zu bytes is malformed", payload.len);
    entry.kind = (int)kind;
    *ret = entry;
    return OK;
}

enum err journal_record_begin(struct buf *out, const struct journal_entry *entry,
                              uint8_t chain[static JOURNAL_CHAIN_BYTES], struct why *why)
{
    AUTO_BUF begin = { 0 };
    uint8_t prefix[JOURNAL_PREFIX_BYTES];
    payload_begin(&begin, entry);
    size_t len = begin.len + entry->der.len;
    if (len > PAYLOAD_MAX)
        return fail(why, ERR_LIMIT, "journal record of %zu bytes, limit %zu", len, PAYLOAD_MAX);
    length_put(prefix, len);
    TRY(guard_make(chain, prefix, prefix + JOURNAL_LENGTH_BYTES, why));
    TRY(chain_move(chain, prefix, buf_bytes(&begin), entry->der, why));
    buf_append(out, BYTES_ARR(prefix));
    buf_append(out, buf_bytes(&begin));
    return OK;
}

bool read_at(int fd, uint64_t offset, uint8_t *out, size_t len)
{
    while (len) {
        ssize_t got = pread(fd, out, len, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got ? errno : ENODATA;
            return false;
        }
        out += got;
        offset += (size_t)got;
        len -= (size_t)got;
    }
    return true;
}

static enum err scan_read(const struct journal_scan *scan, uint64_t offset, uint8_t *out, size_t len,
                          struct why *why)
{
    if (read_at(scan->fd, offset, out, len))
        return OK;
    return fail(why, ERR_IO, "cannot read %s at offset %llu: %s", scan->path, (unsigned long long)offset,
                strerror(errno));
}

static enum err damaged(const struct journal_scan *scan, const char *what, struct why *why)
{
    return fail(why, ERR_MALFORMED,
                "journal %s is damaged at offset %llu of %llu: %s; restore it, or find out who changed it",
                scan->path, (unsigned long long)scan->offset, (unsigned long long)scan->size, what);
}

/* Blocks that were allocated but never written before a power failure. */
static enum err rest_is_zero(const struct journal_scan *scan, bool *ret, struct why *why)
{
    uint8_t block[4096];
    *ret = true;
    for (uint64_t at = scan->offset; at < scan->size && *ret;) {
        size_t len = scan->size - at < sizeof(block) ? (size_t)(scan->size - at) : sizeof(block);
        TRY(scan_read(scan, at, block, len, why));
        for (size_t i = 0; i < len; i++)
            *ret = *ret && block[i] == 0;
        at += len;
    }
    return OK;
}

/* *ret_len: octets of the payload; *ret_torn: the rest of the file is less than a record. */
static enum err prefix_read(const struct journal_scan *scan, uint8_t *prefix, size_t *ret_len, bool *ret_torn,
                            struct why *why)
{
    uint64_t left = scan->size - scan->offset;
    uint8_t guard[JOURNAL_GUARD_BYTES];
    *ret_torn = left < JOURNAL_PREFIX_BYTES;
    if (*ret_torn)
        return OK;
    TRY(scan_read(scan, scan->offset, prefix, JOURNAL_PREFIX_BYTES, why));
    TRY(guard_make(scan->chain, prefix, guard, why));
    if (memcmp(guard, prefix + JOURNAL_LENGTH_BYTES, sizeof(guard)) != 0) {
        TRY(rest_is_zero(scan, ret_torn, why));
        return *ret_torn ? OK : damaged(scan, "the length of a record does not fit what is before it", why);
    }
    *ret_len = length_get(prefix);
    if (*ret_len > PAYLOAD_MAX)
        return damaged(scan, "a record is longer than any can be", why);
    *ret_torn = left < JOURNAL_PREFIX_BYTES + *ret_len + JOURNAL_CHAIN_BYTES;
    return OK;
}

static enum err record_scan(struct journal_scan *scan, journal_fn each, void *arg, bool *ret_torn,
                            struct why *why)
{
    uint8_t prefix[JOURNAL_PREFIX_BYTES], chain[JOURNAL_CHAIN_BYTES];
    size_t len = 0;
    TRY(prefix_read(scan, prefix, &len, ret_torn, why));
    if (*ret_torn)
        return OK;
    AUTO_BUF payload = { 0 };
    buf_reserve(&payload, len);
    payload.len = len;
    TRY(scan_read(scan, scan->offset + JOURNAL_PREFIX_BYTES, payload.data, len, why));
    TRY(scan_read(scan, scan->offset + JOURNAL_PREFIX_BYTES + len, chain, sizeof(chain), why));
    TRY(chain_move(scan->chain, prefix, buf_bytes(&payload), BYTES_NONE, why));
    if (!FAULT(journal_chain) && memcmp(chain, scan->chain, sizeof(chain)) != 0)
        return damaged(scan, "a record does not fit its chain value", why);
    struct journal_entry entry;
    struct why inner;
    if (journal_payload_get(buf_bytes(&payload), &entry, &inner) != OK)
        return damaged(scan, inner.text, why);
    scan->last_time = entry.time > scan->last_time ? entry.time : scan->last_time;
    if (each)
        TRY(each(arg, scan->offset, &entry, why));
    scan->offset += JOURNAL_PREFIX_BYTES + len + JOURNAL_CHAIN_BYTES;
    return OK;
}

enum err journal_scan(struct journal_scan *scan, journal_fn each, void *arg, struct why *why)
{
    const size_t head_len = sizeof(JOURNAL_HEAD) - 1;
    uint8_t head[sizeof(JOURNAL_HEAD) - 1];
    size_t have = scan->size < head_len ? (size_t)scan->size : head_len;
    scan->offset = 0;
    TRY(scan_read(scan, 0, head, have, why));
    if (memcmp(head, JOURNAL_HEAD, have) != 0)
        return damaged(scan, "it does not begin as a journal", why);
    TRY(journal_chain_start(scan->chain, why));
    if (have < head_len)
        return OK; /* torn while it was made: nothing was sealed yet */
    scan->offset = head_len;
    bool torn = false;
    while (scan->offset < scan->size && !torn)
        TRY(record_scan(scan, each, arg, &torn, why));
    return OK;
}

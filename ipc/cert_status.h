/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate's status, as ca says it in the records of status_get and status_changes. */
#pragma once
#include "ipc/record.h"
#include "x509/ocsp.h"

struct cert_status { enum ocsp_cert_status status; int64_t revoked_at; enum crl_reason reason; };
/* ERR_PROTOCOL for a word, a time or a reason that is none: it must never be taken for "good". */
NODISCARD enum err status_from_record(const struct record *record, struct cert_status *ret, struct why *why);

/* The octets of a serial, as OCSP requests (magnitude) and records (upper-case hexadecimal) carry it. */
#define STATUS_SERIAL_MAX LIMIT_SERIAL_BYTES_MAX
struct serial { uint8_t octets[STATUS_SERIAL_MAX]; size_t len; };
NODISCARD bool serial_from_bytes(struct bytes magnitude, struct serial *ret);   /* false: longer than any of ours */
NODISCARD enum err serial_from_record(const struct record *record, struct serial *ret, struct why *why);
/* What ca says of one certificate of a CA; may wait. */
struct ca_client;
NODISCARD enum err status_ask(struct ca_client *ca, const char *authority, const struct serial *serial,
                              struct cert_status *ret, struct why *why);
static inline bool serial_equal(const struct serial *a, const struct serial *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}
static inline struct bytes serial_bytes(const struct serial *serial)
{
    return bytes_of(serial->octets, serial->len);
}

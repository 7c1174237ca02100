/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs written entry by entry into one buffer: a million entries in a fraction of a second. */
#include "base/clock.h"
#include "base/limits.h"
#include "x509/crl.h"

#include <assert.h>

#define TYPICAL_ENTRY_BYTES 56 /* serial of 19 octets, UTCTime, a reason */

void crl_begin(struct crl_builder *builder, const struct crl_params *params)
{
    struct buf tbs = { 0 };
    size_t expected = params->expected_entries * TYPICAL_ENTRY_BYTES;
    assert(params->number >= 0 && params->this_update < params->next_update);
    assert(!params->is_delta || (params->base_number >= 0 && params->base_number <= params->number));
    buf_reserve(&tbs, expected + 1024);
    builder->params = params;
    builder->tbs_mark = der_begin_expecting(&tbs, DER_SEQUENCE, expected);
    der_put_int64(&tbs, 1); /* v2 */
    signature_algorithm_put(&tbs, params->algorithm);
    der_put_raw(&tbs, params->issuer);
    der_put_time(&tbs, params->this_update);
    der_put_time(&tbs, params->next_update);
    builder->list_at = tbs.len;
    builder->list_mark = der_begin_expecting(&tbs, DER_SEQUENCE, expected);
    builder->tbs = tbs;
}

static uint8_t *put_two(uint8_t *at, int number)
{
    at[0] = (uint8_t)('0' + number / 10);
    at[1] = (uint8_t)('0' + number % 10);
    return at + 2;
}

/* der_put_time without printf, which would take most of the time of a large CRL. */
static uint8_t *put_time(uint8_t *at, int64_t utc)
{
    struct calendar when = calendar_of(utc);
    bool utc_time = when.year >= 1950 && when.year <= 2049; /* RFC 5280 5.1.2.6 */
    assert(when.year >= 0 && when.year <= 9999);
    *at++ = utc_time ? DER_UTC_TIME : DER_GENERALIZED_TIME;
    *at++ = utc_time ? 13 : 15;
    if (!utc_time)
        at = put_two(at, when.year / 100);
    at = put_two(at, when.year % 100);
    at = put_two(at, when.month);
    at = put_two(at, when.day);
    at = put_two(at, when.hour);
    at = put_two(at, when.minute);
    at = put_two(at, when.second);
    *at++ = 'Z';
    return at;
}

static uint8_t *put_serial(uint8_t *at, struct bytes serial)
{
    while (serial.len > 1 && serial.data[0] == 0)
        serial = bytes_of(serial.data + 1, serial.len - 1);
    assert(serial.len >= 1 && serial.len <= LIMIT_SERIAL_BYTES_MAX);
    bool sign = serial.data[0] & 0x80;
    *at++ = DER_INTEGER;
    *at++ = (uint8_t)(serial.len + sign);
    if (sign)
        *at++ = 0;
    memcpy(at, serial.data, serial.len);
    return at + serial.len;
}

/* crlEntryExtensions with the one reasonCode: fourteen octets, of which the last one differs. */
static uint8_t *put_reason(uint8_t *at, enum crl_reason reason)
{
    static const uint8_t form[] = { 0x30, 0x0C, 0x30, 0x0A, 0x06, 0x03, 0x55,
                                    0x1D, 0x15, 0x04, 0x03, 0x0A, 0x01 };
    assert(crl_reason_name(reason));
    if (reason == CRL_UNSPECIFIED)
        return at; /* RFC 5280 5.3.1: absent rather than unspecified */
    memcpy(at, form, sizeof(form));
    at[sizeof(form)] = (uint8_t)reason;
    return at + sizeof(form) + 1;
}

void crl_add(struct crl_builder *builder, const struct crl_entry *entry)
{
    uint8_t octets[2 + 2 + 1 + LIMIT_SERIAL_BYTES_MAX + 17 + 14], *at = octets + 2;
    assert(entry->reason != CRL_REMOVE_FROM_CRL || builder->params->is_delta); /* RFC 5280 5.3.1 */
    at = put_serial(at, entry->serial);
    at = put_time(at, entry->revoked_at);
    at = put_reason(at, entry->reason);
    octets[0] = DER_SEQUENCE;
    octets[1] = (uint8_t)(at - octets - 2); /* always below 128 */
    buf_append(&builder->tbs, bytes_of(octets, (size_t)(at - octets)));
}

void crl_end(struct crl_builder *builder, struct buf *ret_tbs)
{
    const struct crl_params *params = builder->params;
    struct buf *tbs = &builder->tbs;
    if (tbs->len == builder->list_mark)
        tbs->len = builder->list_at; /* no empty revokedCertificates (RFC 5280 5.1.2.6) */
    else
        der_end(tbs, builder->list_mark);
    size_t tagged = der_begin(tbs, DER_CONTEXT_CONSTRUCTED(0));
    size_t list = der_begin(tbs, DER_SEQUENCE);
    extension_put_aki(tbs, params->issuer_key_id);
    extension_put_crl_number(tbs, params->number);
    if (params->idp_count)
        extension_put_idp(tbs, params->idp, params->idp_count);
    if (params->is_delta)
        extension_put_delta_indicator(tbs, params->base_number);
    else if (params->freshest_count)
        extension_put_freshest_crl(tbs, params->freshest, params->freshest_count);
    der_end(tbs, list);
    der_end(tbs, tagged);
    der_end(tbs, builder->tbs_mark);
    *ret_tbs = *tbs;
    *tbs = (struct buf){ 0 };
}

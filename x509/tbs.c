/* SPDX-License-Identifier: Apache-2.0 */
/* TBSCertificates as spec ca.md wants them, and the serials that go into them. */
#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include "x509/cert.h"
#include "x509/name.h"

enum err serial_make(int64_t now, uint8_t ret[static SERIAL_BYTES], struct why *why)
{
    uint8_t serial[SERIAL_BYTES] = { (uint8_t)(1 + (now >> 32 & 0x3F)), (uint8_t)(now >> 24),
                                     (uint8_t)(now >> 16), (uint8_t)(now >> 8), (uint8_t)now };
    if (!FAULT(serial_random))
        TRY(random_fill(serial + SERIAL_TIME_BYTES, sizeof(serial) - SERIAL_TIME_BYTES, why));
    memcpy(ret, serial, sizeof(serial));
    return OK;
}

static enum err params_check(const struct tbs_params *params, struct why *why)
{
    struct bytes serial = params->serial;
    if (serial.len < LIMIT_SERIAL_BYTES_MIN || serial.len > LIMIT_SERIAL_BYTES_MAX || serial.data[0] == 0)
        return fail(why, ERR_LINT,
                    "serial of %zu octets, must be %d to %d without leading zero (RFC 5280 4.1.2.2)",
                    serial.len, LIMIT_SERIAL_BYTES_MIN, LIMIT_SERIAL_BYTES_MAX);
    if (serial.len == LIMIT_SERIAL_BYTES_MAX && serial.data[0] & 0x80)
        return fail(why, ERR_LINT,
                    "serial begins with %02X: %d octets with its sign, at most %d (RFC 5280 4.1.2.2)",
                    serial.data[0], LIMIT_SERIAL_BYTES_MAX + 1, LIMIT_SERIAL_BYTES_MAX);
    if (params->not_before > params->not_after)
        return fail(why, ERR_LINT, "notBefore %lld is after notAfter %lld (RFC 5280 4.1.2.5)",
                    (long long)params->not_before, (long long)params->not_after);
    if (!params->issuer.len || !params->subject.len || !params->spki.len)
        return fail(why, ERR_LINT, "issuer, subject and public key must be given (RFC 5280 4.1)");
    return OK;
}

static void put_validity(struct buf *out, const struct tbs_params *params)
{
    size_t mark = der_begin(out, DER_SEQUENCE);
    der_put_time(out, params->not_before);
    der_put_time(out, params->not_after);
    der_end(out, mark);
}

static void put_version(struct buf *out)
{
    size_t mark = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    der_put_int64(out, 2);
    der_end(out, mark);
}

static void put_extensions(struct buf *out, const struct tbs_params *params, struct bytes ski)
{
    size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(3));
    size_t list = der_begin(out, DER_SEQUENCE);
    if (params->key_usage)
        extension_put_key_usage(out, params->key_usage);
    if (params->eku_count)
        extension_put_eku(out, params->eku, params->eku_count);
    extension_put_basic_constraints(out, params->is_ca, params->path_len);
    extension_put_ski(out, ski);
    extension_put_aki(out, params->issuer_key_id.len ? params->issuer_key_id : ski);
    if (params->san.len)
        extension_put_san(out, params->san, name_is_empty(params->subject));
    if (params->cdp_count)
        extension_put_cdp(out, params->cdp, params->cdp_count);
    if (params->aia_ocsp_count || params->aia_ca_issuers_count)
        extension_put_aia(out, params->aia_ocsp, params->aia_ocsp_count, params->aia_ca_issuers,
                          params->aia_ca_issuers_count);
    buf_append(out, params->more_extensions);
    der_end(out, list);
    der_end(out, tagged);
}

enum err tbs_build(const struct tbs_params *params, struct buf *ret_tbs, struct why *why)
{
    AUTO_BUF out = { 0 };
    uint8_t ski[20];
    TRY(params_check(params, why));
    TRY(spki_key_identifier(params->spki, ski, why));
    buf_reserve(&out, 2048);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    put_version(&out);
    der_put_unsigned_bytes(&out, params->serial);
    signature_algorithm_put(&out, params->algorithm);
    der_put_raw(&out, params->issuer);
    put_validity(&out, params);
    der_put_raw(&out, params->subject);
    der_put_raw(&out, params->spki);
    put_extensions(&out, params, BYTES_ARR(ski));
    der_end(&out, mark);
    if (!der_is_valid(buf_bytes(&out)))
        return fail(why, ERR_LINT, "the parts of the TBSCertificate are not DER (RFC 5280 4.1)");
    *ret_tbs = TAKE_BUF(out);
    return OK;
}

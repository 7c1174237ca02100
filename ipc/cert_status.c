/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses read strictly: what cannot be understood is an error, never "good". */
#include "ipc/cert_status.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/fault.h"
#include "ipc/ca_client.h"

static enum err revoked_get(const struct record *record, struct cert_status *ret, struct why *why)
{
    int64_t at = record_int(record, "revoked_at", -1), reason = record_int(record, "reason", -1);
    if (at < 0 || reason < 0 || !crl_reason_name((enum crl_reason)reason))
        return fail(why, ERR_PROTOCOL, "ca says revoked at %lld for reason %lld, which is none",
                    (long long)at, (long long)reason);
    *ret = (struct cert_status){ OCSP_REVOKED, at, (enum crl_reason)reason };
    return OK;
}

enum err status_from_record(const struct record *record, struct cert_status *ret, struct why *why)
{
    AUTO_STR word = record_str(record, "status");
    if (word && strcmp(word, "revoked") == 0)
        return revoked_get(record, ret, why);
    bool good = word && strcmp(word, "good") == 0;
    if (!good && (!word || (strcmp(word, "unknown") != 0 && !FAULT(va_status_word))))
        return fail(why, ERR_PROTOCOL, "ca says the status \"%.40s\", known are good, revoked, unknown",
                    word ? word : "");
    *ret = (struct cert_status){ .status = good ? OCSP_GOOD : OCSP_UNKNOWN };
    return OK;
}

bool serial_from_bytes(struct bytes magnitude, struct serial *ret)
{
    if (magnitude.len == 0 || magnitude.len > STATUS_SERIAL_MAX)
        return false;
    memcpy(ret->octets, magnitude.data, magnitude.len);
    ret->len = magnitude.len;
    return true;
}

enum err serial_from_record(const struct record *record, struct serial *ret, struct why *why)
{
    struct bytes text;
    AUTO_BUF octets = { 0 };
    if (!record_find(record, "serial", &text) || !hex_decode(text, &octets) ||
        !serial_from_bytes(buf_bytes(&octets), ret))
        return fail(why, ERR_PROTOCOL, "ca names a serial that is none");
    return OK;
}

enum err status_ask(struct ca_client *ca, const char *authority, const struct serial *serial,
                    struct cert_status *ret, struct why *why)
{
    AUTO_BUF body = { 0 }, answer = { 0 }, text = { 0 };
    struct der_reader records;
    struct record record;
    hex_append_upper(&text, serial_bytes(serial));
    size_t mark = record_begin(&body);
    record_put_str(&body, "ca", authority);
    record_put(&body, "serial", buf_bytes(&text));
    record_end(&body, mark);
    TRY(ca_call(ca, "status_get", buf_bytes(&body), &answer, why));
    if (records_get(buf_bytes(&answer), &records, why) != OK || !records_next(&records, &record))
        return fail(why, ERR_PROTOCOL, "ca answers status_get with something else than a record");
    return status_from_record(&record, ret, why);
}

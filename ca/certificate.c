/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up issued certificates. */
#include "ca/certificate.h"

#include "base/encode.h"
#include "base/limits.h"

enum err serial_from_text(const char *text, char **ret, struct why *why)
{
    AUTO_BUF digits = { 0 }, octets = { 0 }, clean = { 0 };
    if (strlen(text) > 3 * (LIMIT_SERIAL_BYTES_MAX + 1))
        return fail(why, ERR_USAGE, "a serial of %zu characters", strlen(text));
    bool prefixed = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    for (const char *at = text + (prefixed ? 2 : 0); *at; at++) {
        if (*at != ':' && *at != ' ')
            buf_append_byte(&digits, (uint8_t)*at);
    }
    if (!digits.len || digits.len % 2 || !hex_decode(buf_bytes(&digits), &octets))
        return fail(why, ERR_USAGE, "\"%s\" is not a serial in hexadecimal", text);
    struct bytes value = buf_bytes(&octets);
    while (value.len > 1 && value.data[0] == 0)
        value = bytes_of(value.data + 1, value.len - 1);
    hex_append_upper(&clean, value);
    *ret = xstrdup(buf_text(&clean));
    return OK;
}

struct der_arg {
    const struct issuer *issuer;
    const char *serial;
    struct buf der;
};

static enum err der_work(struct store_tx *tx, void *arg, struct why *why)
{
    struct der_arg *want = arg;
    AUTO(store_rows) rows = NULL;
    TRY(store_query(tx,
                    "SELECT der FROM certificate WHERE issuer_id = $1 AND serial = $2 AND der IS NOT NULL",
                    S_ARGS(S_TEXT(want->issuer->name), S_TEXT(want->serial)), &rows, why));
    if (store_rows_count(rows) == 0)
        return fail(why, ERR_NOT_FOUND, "ca %s has issued no certificate %s", want->issuer->name,
                    want->serial);
    buf_clear(&want->der);
    buf_append(&want->der, store_bytes(rows, 0, 0));
    return OK;
}

enum err certificate_der(struct ca *ca, const struct issuer *issuer, const char *serial, struct buf *ret,
                         struct why *why)
{
    AUTO_STR clean = NULL;
    TRY(serial_from_text(serial, &clean, why));
    struct der_arg want = { .issuer = issuer, .serial = clean };
    enum err err = store_read(ca->store, der_work, &want, why);
    AUTO_BUF der = TAKE_BUF(want.der);
    if (err != OK)
        return err;
    *ret = TAKE_BUF(der);
    return OK;
}

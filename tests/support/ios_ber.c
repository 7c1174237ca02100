/* SPDX-License-Identifier: Apache-2.0 */
/* 30 80 06.. A0 80 30 80 …: the very shape of the recorded message, layer by layer. */
#include "tests/support/ios_ber.h"

#include "x509/der.h"

#define IOS_LAST_PART 8 /* a block of 3DES */

static void open_indefinite(struct buf *out, uint8_t tag)
{
    const uint8_t header[2] = { tag, 0x80 };
    buf_append(out, BYTES_ARR(header));
}

static void close_indefinite(struct buf *out, int levels)
{
    static const uint8_t end[2] = { 0, 0 };
    for (int i = 0; i < levels; i++)
        buf_append(out, BYTES_ARR(end));
}

static void put_parts(struct buf *out, struct bytes content, size_t part)
{
    for (size_t at = 0; at < content.len; at += part) {
        size_t len = content.len - at < part ? content.len - at : part;
        der_put_octets(out, bytes_of(content.data + at, len));
    }
}

static struct bytes next(struct der_reader *in, uint8_t tag)
{
    struct bytes content;
    if (!der_get(in, tag, &content))
        die("message to be turned into BER lacks %02x", tag);
    return content;
}

static void copy_next(struct buf *out, struct der_reader *in, uint8_t tag)
{
    der_put(out, tag, next(in, tag));
}

/* ContentInfo and its [0] and SEQUENCE, all indefinite; gives what is inside. */
static struct der_reader open_content(struct buf *out, struct bytes der)
{
    struct der_reader in = der_reader_over(der), info = der_reader_over(next(&in, DER_SEQUENCE));
    open_indefinite(out, DER_SEQUENCE);
    copy_next(out, &info, DER_OID);
    struct der_reader explicit_tag = der_reader_over(next(&info, DER_CONTEXT_CONSTRUCTED(0)));
    open_indefinite(out, DER_CONTEXT_CONSTRUCTED(0));
    open_indefinite(out, DER_SEQUENCE);
    return der_reader_over(next(&explicit_tag, DER_SEQUENCE));
}

static void put_encap(struct buf *out, struct der_reader *in, size_t part)
{
    struct der_reader encap = der_reader_over(next(in, DER_SEQUENCE));
    open_indefinite(out, DER_SEQUENCE);
    copy_next(out, &encap, DER_OID);
    if (!der_at_end(&encap)) {
        struct der_reader content = der_reader_over(next(&encap, DER_CONTEXT_CONSTRUCTED(0)));
        open_indefinite(out, DER_CONTEXT_CONSTRUCTED(0));
        open_indefinite(out, DER_OCTET_STRING | 0x20);
        struct bytes octets = next(&content, DER_OCTET_STRING);
        put_parts(out, octets, part ? part : octets.len);
        close_indefinite(out, 2);
    }
    close_indefinite(out, 1);
}

/* iOS writes the digest's NULL parameters. */
static void put_digests(struct buf *out, struct der_reader *in)
{
    struct der_reader set = der_reader_over(next(in, DER_SET)),
                      algorithm = der_reader_over(next(&set, DER_SEQUENCE));
    size_t outer = der_begin(out, DER_SET), inner = der_begin(out, DER_SEQUENCE);
    copy_next(out, &algorithm, DER_OID);
    der_put_null(out);
    der_end(out, inner);
    der_end(out, outer);
}

struct buf ios_ber_signed(struct bytes der, size_t part)
{
    struct buf out = { 0 };
    struct der_reader in = open_content(&out, der);
    copy_next(&out, &in, DER_INTEGER);
    put_digests(&out, &in);
    put_encap(&out, &in, part);
    if (der_next_is(&in, DER_CONTEXT_CONSTRUCTED(0))) {
        open_indefinite(&out, DER_CONTEXT_CONSTRUCTED(0));
        buf_append(&out, next(&in, DER_CONTEXT_CONSTRUCTED(0)));
        close_indefinite(&out, 1);
    }
    copy_next(&out, &in, DER_SET);
    close_indefinite(&out, 3);
    return out;
}

struct buf ios_ber_enveloped(struct bytes der, size_t part)
{
    struct buf out = { 0 };
    struct der_reader in = open_content(&out, der);
    copy_next(&out, &in, DER_INTEGER);
    copy_next(&out, &in, DER_SET);
    struct der_reader content = der_reader_over(next(&in, DER_SEQUENCE));
    open_indefinite(&out, DER_SEQUENCE);
    copy_next(&out, &content, DER_OID);
    copy_next(&out, &content, DER_SEQUENCE);
    open_indefinite(&out, DER_CONTEXT_CONSTRUCTED(0));
    struct bytes ciphertext = next(&content, DER_CONTEXT(0));
    if (part == 0) /* the last block is a part of its own */
        part = ciphertext.len > IOS_LAST_PART ? ciphertext.len - IOS_LAST_PART : IOS_LAST_PART;
    put_parts(&out, ciphertext, part);
    close_indefinite(&out, 5);
    return out;
}

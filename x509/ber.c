/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the input with a stack of open elements. A definite length is known only when its element
   ends, so der_end moves the content by a few octets: at most once a level, and there are LIMIT_DER_DEPTH of
   them, so the time is linear in the input whatever the nesting. */
#include "x509/ber.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include <assert.h>

#define TAG_CONSTRUCTED     0x20
#define TAG_OCTETS_IN_PARTS (DER_OCTET_STRING | TAG_CONSTRUCTED)
#define LENGTH_INDEFINITE   0x80
#define LENGTH_OCTETS_MAX   8 /* leading zeros included; BER itself allows 126 */

struct level {
    uint8_t tag;
    bool indefinite; /* ends with end-of-contents, not at `end`     */
    bool joins;      /* an OCTET STRING whose parts are put together */
    bool strict;     /* DER is demanded in here                      */
    size_t end;      /* nothing of it lies past this offset          */
    size_t mark;     /* der_begin; 0: a part of the string around it  */
};
struct converter {
    struct bytes in;
    size_t at;
    enum ber_layer layer;
    struct level levels[LIMIT_DER_DEPTH + 1]; /* [0] stands for the whole input */
    size_t depth;
    struct buf out;
    struct why *why;
};
struct header {
    uint8_t tag;
    bool indefinite, minimal;
    size_t length;
};

static enum err malformed(const struct converter *c, const char *rule)
{
    return fail(c->why, ERR_MALFORMED, "BER at offset %zu of %zu: %s (X.690 8.1)", c->at, c->in.len, rule);
}

/* X.690 8.1.3.5: the long form. Leading zeros are legal in BER. */
static enum err read_long_length(struct converter *c, size_t octets, size_t end, struct header *ret)
{
    if (octets > LENGTH_OCTETS_MAX)
        return malformed(c, "length of too many octets");
    if (octets > end - c->at)
        return malformed(c, "cut off inside a length");
    bool leading_zero = c->in.data[c->at] == 0;
    uint64_t length = 0;
    for (size_t i = 0; i < octets; i++)
        length = length << 8 | c->in.data[c->at++];
    if (length > end - c->at)
        return malformed(c, "element longer than what holds it");
    ret->length = (size_t)length;
    ret->minimal = !leading_zero && length >= 0x80;
    return OK;
}

static enum err read_header(struct converter *c, size_t end, struct header *ret)
{
    if (end - c->at < 2)
        return malformed(c, "cut off, or an end-of-contents is missing");
    struct header header = { .tag = c->in.data[c->at], .minimal = true };
    uint8_t length = c->in.data[c->at + 1];
    if ((header.tag & 0x1F) == 0x1F)
        return malformed(c, "high tag number");
    if ((header.tag & ~TAG_CONSTRUCTED) == 0)
        return malformed(c, "end-of-contents where none is due, or not 00 00");
    c->at += 2;
    if (length == LENGTH_INDEFINITE) {
        if (!(header.tag & TAG_CONSTRUCTED))
            return malformed(c, "indefinite length on a primitive element");
        header.indefinite = true;
    } else if (length & 0x80) {
        TRY(read_long_length(c, length & 0x7F, end, &header));
    } else if (length > end - c->at) {
        return malformed(c, "element longer than what holds it");
    } else {
        header.length = length;
    }
    *ret = header;
    return OK;
}

static bool path_is(const struct converter *c, const uint8_t *tags, size_t count)
{
    if (c->depth != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (c->levels[i + 1].tag != tags[i])
            return false;
    }
    return true;
}

/* ContentInfo / [0] / SignedData / signerInfos / SignerInfo: its [0] is signedAttrs (RFC 5652 5.3). */
static bool opens_signed_attrs(const struct converter *c, uint8_t tag)
{
    static const uint8_t path[] = { DER_SEQUENCE, DER_CONTEXT_CONSTRUCTED(0), DER_SEQUENCE, DER_SET,
                                    DER_SEQUENCE };
    return c->layer == BER_SIGNED && tag == DER_CONTEXT_CONSTRUCTED(0) && path_is(c, path, sizeof(path));
}

/* ContentInfo / [0] / EnvelopedData / EncryptedContentInfo: its [0] is encryptedContent (RFC 5652 6.1). */
static bool opens_encrypted_content(const struct converter *c, uint8_t tag)
{
    static const uint8_t path[] = { DER_SEQUENCE, DER_CONTEXT_CONSTRUCTED(0), DER_SEQUENCE, DER_SEQUENCE };
    return c->layer == BER_ENVELOPED && tag == DER_CONTEXT_CONSTRUCTED(0) && path_is(c, path, sizeof(path));
}

static enum err open_level(struct converter *c, const struct header *header)
{
    const struct level *parent = &c->levels[c->depth];
    struct level level = {
        .tag = header->tag,
        .indefinite = header->indefinite,
        .joins = header->tag == TAG_OCTETS_IN_PARTS || opens_encrypted_content(c, header->tag),
        .strict = parent->strict || opens_signed_attrs(c, header->tag),
        .end = header->indefinite ? parent->end : c->at + header->length,
    };
    bool universal = (header->tag & 0xC0) == 0;
    if (universal && !level.joins && header->tag != DER_SEQUENCE && header->tag != DER_SET)
        return malformed(c, "constructed form of a type other than OCTET STRING");
    if (!FAULT(signed_attributes_der) && level.strict &&
        (level.indefinite || !header->minimal || level.joins))
        return malformed(c, "signed attributes that are not DER (RFC 5652 5.3)");
    if (!parent->joins) {
        uint8_t primitive = (uint8_t)(header->tag & ~TAG_CONSTRUCTED);
        level.mark = der_begin(&c->out, level.joins ? primitive : header->tag);
    }
    c->levels[++c->depth] = level;
    return OK;
}

static void close_level(struct converter *c)
{
    const struct level *level = &c->levels[c->depth--];
    if (level->mark)
        der_end(&c->out, level->mark);
}

static enum err convert_element(struct converter *c)
{
    const struct level *around = &c->levels[c->depth];
    struct header header = { 0 };
    if (c->depth == LIMIT_DER_DEPTH) /* what der_is_valid takes is taken here, too */
        return fail(c->why, ERR_MALFORMED, "BER at offset %zu: more than %d levels deep", c->at,
                    LIMIT_DER_DEPTH);
    TRY(read_header(c, around->end, &header));
    if (around->joins && (header.tag & ~TAG_CONSTRUCTED) != DER_OCTET_STRING)
        return malformed(c, "constructed OCTET STRING with a part of another type");
    if (header.tag & TAG_CONSTRUCTED)
        return open_level(c, &header);
    if (header.tag == (DER_SEQUENCE & ~TAG_CONSTRUCTED) || header.tag == (DER_SET & ~TAG_CONSTRUCTED))
        return malformed(c, "SEQUENCE or SET in primitive form");
    if (around->strict && !header.minimal)
        return malformed(c, "signed attributes that are not DER (RFC 5652 5.3)");
    struct bytes content = bytes_of(c->in.data + c->at, header.length);
    c->at += header.length;
    if (around->joins)
        buf_append(&c->out, content);
    else
        der_put(&c->out, header.tag, content);
    return OK;
}

/* Is the innermost open element over? Steps past its end-of-contents. */
static bool level_ends(struct converter *c)
{
    const struct level *level = &c->levels[c->depth];
    if (!level->indefinite)
        return c->at == level->end;
    if (level->end - c->at < 2 || c->in.data[c->at] != 0 || c->in.data[c->at + 1] != 0)
        return false;
    c->at += 2;
    return true;
}

static enum err convert(struct converter *c)
{
    TRY(convert_element(c));
    while (c->depth > 0) {
        if (level_ends(c))
            close_level(c);
        else
            TRY(convert_element(c));
    }
    if (!FAULT(ber_trailing) && c->at != c->in.len)
        return malformed(c, "trailing bytes");
    return OK;
}

enum err ber_to_der(struct bytes ber, enum ber_layer layer, struct buf *ret_der, struct why *why)
{
    if (!FAULT(message_size) && ber.len > LIMIT_PKI_MESSAGE_BYTES)
        return fail(why, ERR_LIMIT, "CMS message of %zu bytes, limit %d", ber.len, LIMIT_PKI_MESSAGE_BYTES);
    struct converter c = { .in = ber, .layer = layer, .levels = { { .end = ber.len } }, .why = why };
    buf_reserve(&c.out, ber.len);
    enum err err = convert(&c);
    if (err != OK) {
        buf_free(&c.out);
        return err;
    }
    /* A definite length takes at most the four octets that an indefinite one and its end-of-contents took. */
    /* An indefinite length costs three octets (80, 00 00), a definite one up to 65,535 no more. */
    _Static_assert(LIMIT_PKI_MESSAGE_BYTES <= 65536,
                   "lengths of DER would need more octets than BER's end does");
    assert(c.out.len <= ber.len);
    *ret_der = c.out;
    return OK;
}

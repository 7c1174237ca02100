/* SPDX-License-Identifier: Apache-2.0 */
/* A strict DER reader and writer (X.690) that cannot run past its end. Everything Chancery parses in ASN.1 goes
   through it: PKI objects, and the frames between roles. */
#pragma once
#include "base/bytes.h"
#include "base/utf8.h"

enum der_tag {
    DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_NULL = 0x05,
    DER_OID = 0x06, DER_ENUMERATED = 0x0A, DER_UTF8_STRING = 0x0C, DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14, DER_IA5_STRING = 0x16, DER_UTC_TIME = 0x17, DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1A, DER_UNIVERSAL_STRING = 0x1C, DER_BMP_STRING = 0x1E,
    DER_SEQUENCE = 0x30, DER_SET = 0x31,
};
#define DER_CONTEXT(n)             (0x80 | (n))      /* [n] IMPLICIT of a primitive type                        */
#define DER_CONTEXT_CONSTRUCTED(n) (0xA0 | (n))      /* [n] EXPLICIT, or [n] IMPLICIT of a constructed type     */

/* A reader is a view that shrinks from the front. Every der_get_* returns false, and leaves the reader where it was,
   when the next element is absent, is of another type, or is not DER (indefinite or non-minimal length, high tag
   number, length past the end). */
struct der_reader { struct bytes rest; };
struct der_item { uint8_t tag; struct bytes content; struct bytes whole; };   /* whole: header and content */

static inline struct der_reader der_reader_over(struct bytes der)
{
    return (struct der_reader){ der };
}
static inline bool der_at_end(const struct der_reader *in)
{
    return in->rest.len == 0;
}
bool der_next_is(const struct der_reader *in, uint8_t tag);
NODISCARD bool der_get_any(struct der_reader *in, struct der_item *ret);
NODISCARD bool der_get(struct der_reader *in, uint8_t tag, struct bytes *ret_content);
NODISCARD bool der_get_whole(struct der_reader *in, uint8_t tag, struct bytes *ret_whole);
NODISCARD bool der_get_constructed(struct der_reader *in, uint8_t tag, struct der_reader *ret_inside);
NODISCARD bool der_get_sequence(struct der_reader *in, struct der_reader *ret_inside);
NODISCARD bool der_get_set(struct der_reader *in, struct der_reader *ret_inside);
/* Content octets of an INTEGER, minimal two's complement checked, sign octet included. */
NODISCARD bool der_get_integer_bytes(struct der_reader *in, struct bytes *ret_content);
/* The magnitude of a non-negative INTEGER without its leading zero octet; zero is one 00 octet. */
NODISCARD bool der_get_unsigned_bytes(struct der_reader *in, struct bytes *ret_magnitude);
NODISCARD bool der_get_int64(struct der_reader *in, int64_t *ret);
NODISCARD bool der_get_boolean(struct der_reader *in, bool *ret);          /* TRUE is FF (X.690 11.1) */
NODISCARD bool der_get_null(struct der_reader *in);
NODISCARD bool der_get_oid(struct der_reader *in, struct bytes *ret_content);  /* well-formed, within LIMIT_OID_* */
NODISCARD bool der_get_octets(struct der_reader *in, struct bytes *ret);
/* BIT STRING of whole octets (unused bits 0), as keys and signatures are. */
NODISCARD bool der_get_bits(struct der_reader *in, struct bytes *ret_octets);
/* Named bit list of up to 16 bits: bit 0 is 1 << 0. Trailing zero bits refused (X.690 11.2.2). */
NODISCARD bool der_get_named_bits(struct der_reader *in, uint16_t *ret_bits);
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 has them: seconds and Z, no fraction. */
NODISCARD bool der_get_time(struct der_reader *in, int64_t *ret_utc);
/* UTF8String whose content is well-formed, without NUL; view into the input. */
NODISCARD bool der_get_utf8(struct der_reader *in, struct bytes *ret_text);
/* Is der exactly one well-formed DER tree, every tag, length and nested element checked, at most LIMIT_DER_DEPTH elements
   deep? */
bool der_is_valid(struct bytes der);
/* The same, and holds for the content of each primitive element as well. */
bool der_is_valid_and(struct bytes der, bool (*holds)(const struct der_item *item));

/* The writer appends to a buf; constructed values nest with begin and end.
       size_t mark = der_begin(&out, DER_SEQUENCE); …; der_end(&out, mark);                                      */
size_t der_begin(struct buf *out, uint8_t tag);
/* With so much expected inside, der_end needs to move nothing: for what is large. */
size_t der_begin_expecting(struct buf *out, uint8_t tag, size_t content_len);
void der_end(struct buf *out, size_t mark);
#define DER_HEADER_BYTES_MAX 10                                              /* tag and length */
void der_put_header(struct buf *out, uint8_t tag, size_t content_len);       /* the content is to follow */
void der_put(struct buf *out, uint8_t tag, struct bytes content);
void der_put_raw(struct buf *out, struct bytes der);                        /* an element that is DER already */
void der_put_unsigned_bytes(struct buf *out, struct bytes magnitude);       /* INTEGER; leading zeros dropped */
void der_put_int64(struct buf *out, int64_t value);
void der_put_boolean(struct buf *out, bool value);
void der_put_null(struct buf *out);
void der_put_oid(struct buf *out, struct bytes oid_content);
void der_put_octets(struct buf *out, struct bytes octets);
void der_put_bits(struct buf *out, struct bytes octets);
void der_put_named_bits(struct buf *out, uint16_t bits);
void der_put_time(struct buf *out, int64_t utc);                            /* UTCTime until 2049 (RFC 5280 4.1.2.5) */
void der_put_generalized_time(struct buf *out, int64_t utc);
void der_put_utf8(struct buf *out, struct bytes text);
/* SET OF: the elements of `elements` (a concatenation of DER) in DER order (X.690 11.6), under tag. */
NODISCARD bool der_put_set_of(struct buf *out, uint8_t tag, struct bytes elements);

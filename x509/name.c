/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names: reading, comparing, and writing again in the string types that Chancery issues. */
#include "x509/name.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include "x509/name_type.h"
#include "x509/text.h"

static bool attribute_get(struct der_reader *rdn, struct name_attribute *ret)
{
    struct der_reader pair;
    struct der_item value;
    if (!der_get_sequence(rdn, &pair) || !der_get_oid(&pair, &ret->oid))
        return false;
    if (!der_get_any(&pair, &value) || !der_at_end(&pair))
        return false;
    ret->tag = value.tag;
    ret->value = value.content;
    return true;
}

struct name_reader name_reader_over(struct bytes name)
{
    struct name_reader reader = { 0 };
    struct der_reader in = der_reader_over(name);
    if (!der_get_sequence(&in, &reader.rdns))
        reader.rdns = der_reader_over(BYTES_NONE);
    return reader;
}

bool name_next(struct name_reader *reader, struct name_attribute *ret)
{
    struct name_attribute attribute = { 0 };
    if (der_at_end(&reader->inside)) {
        if (!der_get_set(&reader->rdns, &reader->inside))
            return false;
        attribute.starts_rdn = true;
    }
    if (!attribute_get(&reader->inside, &attribute))
        return false;
    *ret = attribute;
    return true;
}

bool name_is_empty(struct bytes name)
{
    struct name_reader reader = name_reader_over(name);
    return der_at_end(&reader.rdns);
}

bool name_value_utf8(const struct name_attribute *attribute, struct buf *ret)
{
    struct buf text = { 0 };
    if (!text_to_utf8(attribute->tag, attribute->value, &text)) {
        buf_free(&text);
        return false;
    }
    *ret = text;
    return true;
}

static enum err attribute_check(const struct name_attribute *attribute, struct why *why)
{
    AUTO_BUF text = { 0 }, dotted = { 0 };
    bool fits = attribute->value.len > 0 && attribute->value.len <= LIMIT_STRING_BYTES;
    bool reads = fits && name_value_utf8(attribute, &text);
    if (reads && (FAULT(name_control_characters) || text_is_clean(buf_bytes(&text))))
        return OK;
    oid_append_dotted(&dotted, attribute->oid);
    if (!fits)
        return fail(why, ERR_MALFORMED, "name: value of %s has %zu octets, must be 1 to %d",
                    buf_text(&dotted), attribute->value.len, LIMIT_STRING_BYTES);
    if (!reads)
        return fail(
            why, ERR_MALFORMED,
            "name: value of %s (tag %02X) is no well-formed DirectoryString or IA5String (RFC 5280 4.1.2.4)",
            buf_text(&dotted), attribute->tag);
    return fail(why, ERR_MALFORMED, "name: value of %s contains NUL or a control character",
                buf_text(&dotted));
}

static enum err rdn_check(struct der_reader rdn, struct why *why)
{
    if (der_at_end(&rdn))
        return fail(why, ERR_MALFORMED, "name: an RDN with 0 attributes, at least 1 (RFC 5280 4.1.2.4)");
    while (!der_at_end(&rdn)) {
        struct name_attribute attribute = { 0 };
        if (!attribute_get(&rdn, &attribute))
            return fail(why, ERR_MALFORMED, "name: AttributeTypeAndValue malformed (RFC 5280 4.1.2.4)");
        TRY(attribute_check(&attribute, why));
    }
    return OK;
}

enum err name_check(struct bytes name, struct why *why)
{
    struct der_reader in = der_reader_over(name), rdns, rdn;
    size_t attributes = 0;
    if (!der_get_sequence(&in, &rdns) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "name is not one SEQUENCE (RFC 5280 4.1.2.4)");
    while (!der_at_end(&rdns)) {
        if (!der_get_set(&rdns, &rdn))
            return fail(why, ERR_MALFORMED, "name: RDN is not a SET (RFC 5280 4.1.2.4)");
        TRY(rdn_check(rdn, why));
        while (!der_at_end(&rdn)) { /* a multi-valued RDN counts with all its values */
            struct der_item each;
            if (!der_get_any(&rdn, &each) || ++attributes > LIMIT_RDNS)
                return fail(why, ERR_LIMIT, "name with more than %d attributes", LIMIT_RDNS);
        }
    }
    return OK;
}

void name_value_fold(struct buf *utf8)
{
    size_t to = 0;
    for (size_t i = 0; i < utf8->len; i++) {
        bool space = utf8->data[i] == ' ';
        if (space && (to == 0 || utf8->data[to - 1] == ' '))
            continue;
        utf8->data[to++] = utf8->data[i];
    }
    if (to && utf8->data[to - 1] == ' ')
        to--;
    utf8->len = to;
}

bool name_attribute_equal(const struct name_attribute *a, const struct name_attribute *b)
{
    AUTO_BUF text_a = { 0 }, text_b = { 0 };
    if (!bytes_equal(a->oid, b->oid))
        return false;
    if (a->tag == b->tag && bytes_equal(a->value, b->value))
        return true;
    if (!name_value_utf8(a, &text_a) || !name_value_utf8(b, &text_b))
        return false;
    name_value_fold(&text_a);
    name_value_fold(&text_b);
    return bytes_equal(buf_bytes(&text_a), buf_bytes(&text_b));
}

/* How many attributes of the RDN equal this one; the number of attributes in *ret_count. */
static size_t occurrences(struct der_reader rdn, const struct name_attribute *wanted, size_t *ret_count)
{
    struct name_attribute attribute = { 0 };
    size_t equal = 0, count = 0;
    while (attribute_get(&rdn, &attribute)) {
        count++;
        equal += name_attribute_equal(&attribute, wanted);
    }
    *ret_count = count;
    return equal;
}

/* An RDN is a set: equal when each attribute occurs equally often in both. */
static bool rdn_equal(struct der_reader a, struct der_reader b)
{
    struct der_reader in = a;
    struct name_attribute attribute = { 0 };
    while (!der_at_end(&in)) {
        size_t count_a, count_b;
        if (!attribute_get(&in, &attribute))
            return false;
        if (occurrences(a, &attribute, &count_a) != occurrences(b, &attribute, &count_b) ||
            count_a != count_b)
            return false;
    }
    return true;
}

bool name_equal(struct bytes a, struct bytes b)
{
    if (bytes_equal(a, b))
        return true;
    struct name_reader in_a = name_reader_over(a), in_b = name_reader_over(b);
    if (name_is_empty(a) || name_is_empty(b))
        return false; /* also what is no name at all */
    while (!der_at_end(&in_a.rdns) && !der_at_end(&in_b.rdns)) {
        struct der_reader rdn_a, rdn_b;
        if (!der_get_set(&in_a.rdns, &rdn_a) || !der_get_set(&in_b.rdns, &rdn_b) || !rdn_equal(rdn_a, rdn_b))
            return false;
    }
    return der_at_end(&in_a.rdns) && der_at_end(&in_b.rdns);
}

static enum err attribute_reencode(const struct name_attribute *attribute, struct buf *out, struct why *why)
{
    AUTO_BUF text = { 0 };
    const struct name_type *type = name_type_of(attribute->oid);
    TRY(attribute_check(attribute, why));
    if (!name_value_utf8(attribute, &text) || !name_type_holds(type, buf_bytes(&text)))
        return fail(why, ERR_BAD_REQUEST, "name: %s \"%.80s\" does not fit %s (RFC 5280 A.1)",
                    oid_name(type->oid), buf_text(&text),
                    type->tag == DER_IA5_STRING ? "IA5String" : "PrintableString");
    size_t pair = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, attribute->oid);
    der_put(out, type->tag, buf_bytes(&text));
    der_end(out, pair);
    return OK;
}

static enum err rdn_reencode(struct der_reader rdn, struct buf *out, struct why *why)
{
    AUTO_BUF pairs = { 0 };
    while (!der_at_end(&rdn)) {
        struct name_attribute attribute = { 0 };
        if (!attribute_get(&rdn, &attribute))
            return fail(why, ERR_MALFORMED, "name: AttributeTypeAndValue malformed (RFC 5280 4.1.2.4)");
        TRY(attribute_reencode(&attribute, &pairs, why));
    }
    if (!der_put_set_of(out, DER_SET, buf_bytes(&pairs)))
        return fail(why, ERR_LIMIT, "name: too many attributes in one RDN");
    return OK;
}

enum err name_reencode(struct bytes name, struct buf *ret_name, struct why *why)
{
    AUTO_BUF out = { 0 };
    struct der_reader rdn;
    TRY(name_check(name, why));
    struct name_reader reader = name_reader_over(name);
    size_t mark = der_begin(&out, DER_SEQUENCE);
    while (der_get_set(&reader.rdns, &rdn))
        TRY(rdn_reencode(rdn, &out, why));
    der_end(&out, mark);
    *ret_name = TAKE_BUF(out);
    return OK;
}

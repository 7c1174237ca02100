/* SPDX-License-Identifier: Apache-2.0 */
/* Distinguished names as text: RFC 4514, with the quoting of Windows' CertStrToName, in encoding order. */
#include "base/auto.h"
#include "base/encode.h"
#include "base/limits.h"
#include "x509/name.h"
#include "x509/name_type.h"
#include "x509/text.h"
#include <strings.h>

#define SPECIALS "\"+,;<>\\" /* RFC 4514 2.4 */

static void append_type(struct buf *out, struct bytes oid)
{
    const struct name_type *type = name_type_of(oid);
    if (type->oid == OID_UNKNOWN)
        oid_append_dotted(out, oid);
    else
        buf_append_str(out, oid_name(type->oid));
}

/* RFC 4514 2.4: a leading '#' or space and a trailing space are escaped too. */
static void append_value(struct buf *out, struct bytes utf8)
{
    if (utf8.len && (utf8.data[0] == '#' || utf8.data[0] == ' '))
        buf_append_byte(out, '\\');
    bool trailing = utf8.len > 1 && utf8.data[utf8.len - 1] == ' ';
    text_append_escaped(out, bytes_of(utf8.data, utf8.len - trailing), SPECIALS);
    if (trailing)
        buf_append_str(out, "\\ ");
}

void name_append_text(struct buf *out, struct bytes name)
{
    struct name_reader reader = name_reader_over(name);
    struct name_attribute attribute;
    bool first = true;
    while (name_next(&reader, &attribute)) {
        AUTO_BUF text = { 0 };
        if (!first)
            buf_append_byte(out, attribute.starts_rdn ? ',' : '+');
        first = false;
        append_type(out, attribute.oid);
        buf_append_byte(out, '=');
        if (name_value_utf8(&attribute, &text)) {
            append_value(out, buf_bytes(&text));
            continue;
        }
        buf_append_byte(out, '#'); /* RFC 4514 2.4: no string representation */
        hex_append(out, attribute.value);
    }
}

/* --- from text
 * ---------------------------------------------------------------------------------------------------- */
struct text_in {
    const char *at;
    const char *start;
    const struct name_hook *hook; /* NULL: values are what they say */
};

static void skip_spaces(struct text_in *in)
{
    while (*in->at == ' ' || *in->at == '\t' || *in->at == '\r' || *in->at == '\n')
        in->at++;
}

static bool ends_value(char c)
{
    return c == '\0' || c == ',' || c == ';' || c == '+';
}

static enum err syntax(const struct text_in *in, const char *what, struct why *why)
{
    return fail(why, ERR_BAD_REQUEST, "name \"%.200s\": %s at column %zu (RFC 4514)", in->start, what,
                (size_t)(in->at - in->start) + 1);
}

static enum err take_type(struct text_in *in, struct buf *ret_oid, struct why *why)
{
    const char *label = in->at;
    size_t len = strcspn(label, "=,;+\"\\ \t\r\n");
    in->at += len;
    skip_spaces(in);
    if (*in->at != '=')
        return syntax(in, "TYPE=VALUE expected", why);
    in->at++;
    const struct name_type *type = name_type_by_label(label, len);
    if (type) {
        *ret_oid = buf_dup(oid_bytes(type->oid));
        return OK;
    }
    if (len > 4 && strncasecmp(label, "OID.", 4) == 0) {
        label += 4;
        len -= 4;
    }
    AUTO_STR dotted = xstrndup(label, len);
    if (!oid_from_dotted(dotted, ret_oid))
        return fail(why, ERR_BAD_REQUEST, "name \"%.200s\": unknown attribute type \"%.40s\"", in->start,
                    dotted);
    return OK;
}

/* CertStrToName: inside quotes everything stands for itself, a doubled quote for one. RFC 2253 escapes work
 * too. */
static enum err take_quoted(struct text_in *in, struct buf *value, struct why *why)
{
    for (in->at++; *in->at; in->at++) {
        if (*in->at == '\\' && (in->at[1] == '"' || in->at[1] == '\\')) {
            in->at++;
        } else if (*in->at == '"') {
            if (in->at[1] != '"') {
                in->at++;
                return OK;
            }
            in->at++;
        }
        buf_append_byte(value, (uint8_t)*in->at);
    }
    return syntax(in, "closing quote expected", why);
}

/* A pair behind a backslash: one special, or two hex digits (RFC 4514 3). */
static enum err take_escape(struct text_in *in, struct buf *value, struct why *why)
{
    const char *next = in->at + 1;
    if (*next && strchr(SPECIALS " #=", *next)) {
        buf_append_byte(value, (uint8_t)*next);
        in->at += 2;
        return OK;
    }
    AUTO_BUF octet = { 0 };
    if (!next[0] || !next[1] || !hex_decode(bytes_of(next, 2), &octet))
        return syntax(in, "a special or two hex digits must follow the backslash", why);
    buf_append(value, buf_bytes(&octet));
    in->at += 3;
    return OK;
}

static enum err take_plain(struct text_in *in, struct buf *value, struct why *why)
{
    size_t keep = 0; /* escaped spaces at the end stay, plain ones go */
    while (!ends_value(*in->at)) {
        if (*in->at == '"')
            return syntax(in, "quote inside an unquoted value", why);
        if (*in->at == '\\') {
            TRY(take_escape(in, value, why));
            keep = value->len;
            continue;
        }
        bool space = strchr(" \t\r\n", *in->at) != NULL;
        buf_append_byte(value, (uint8_t)*in->at++);
        if (!space)
            keep = value->len;
    }
    value->len = keep;
    return OK;
}

/* "#" and the hex of the value's DER (RFC 4514 2.4): a string of any type. */
static enum err take_hex(struct text_in *in, struct buf *value, struct why *why)
{
    AUTO_BUF der = { 0 };
    size_t len = strspn(in->at + 1, "0123456789abcdefABCDEF");
    struct der_item item;
    if (!hex_decode(bytes_of(in->at + 1, len), &der))
        return syntax(in, "an even number of hex digits must follow '#'", why);
    struct der_reader reader = der_reader_over(buf_bytes(&der));
    if (!der_get_any(&reader, &item) || !der_at_end(&reader) || !text_to_utf8(item.tag, item.content, value))
        return syntax(in, "the octets behind '#' are no DER string", why);
    in->at += 1 + len;
    return OK;
}

static enum err take_value(struct text_in *in, struct buf *value, struct why *why)
{
    skip_spaces(in);
    if (*in->at == '"')
        TRY(take_quoted(in, value, why));
    else if (*in->at == '#')
        TRY(take_hex(in, value, why));
    else
        TRY(take_plain(in, value, why));
    skip_spaces(in);
    return ends_value(*in->at) ? OK : syntax(in, "',' or '+' expected", why);
}

/* What the hook puts in the value's place: another value, or all of ret_name. */
static enum err fill_value(const struct text_in *in, struct bytes oid, bool first, struct buf *value,
                           struct buf *ret_name, struct why *why)
{
    struct name_filled filled = { 0 };
    struct name_value asked = { .type = oid, .text = buf_bytes(value), .alone = first && *in->at != '+' };
    enum err err = in->hook->fill(in->hook->arg, &asked, &filled, why);
    if (err == OK && filled.name.len && !asked.alone)
        err =
            fail(why, ERR_BAD_REQUEST, "name \"%.200s\": a whole name cannot stand beside a '+'", in->start);
    if (err == OK) {
        buf_free(value);
        *value = TAKE_BUF(filled.text);
        *ret_name = TAKE_BUF(filled.name);
    }
    buf_free(&filled.text);
    buf_free(&filled.name);
    return err;
}

static enum err put_attribute(const struct text_in *in, struct bytes oid, struct buf *value,
                              struct buf *pairs, struct why *why)
{
    if (value->len == 0 || value->len > LIMIT_STRING_BYTES)
        return fail(why, ERR_BAD_REQUEST, "name \"%.200s\": a value of %zu octets, must be 1 to %d",
                    in->start, value->len, LIMIT_STRING_BYTES);
    if (!text_is_clean(buf_bytes(value)))
        return syntax(in, "value is not UTF-8 without control characters", why);
    const struct name_type *type = name_type_of(oid);
    if (!name_type_holds(type, buf_bytes(value)))
        return fail(why, ERR_BAD_REQUEST, "name: %s \"%.80s\" does not fit %s (RFC 5280 A.1)",
                    oid_name(type->oid), buf_text(value),
                    type->tag == DER_IA5_STRING ? "IA5String" : "PrintableString");
    size_t mark = der_begin(pairs, DER_SEQUENCE);
    der_put_oid(pairs, oid);
    der_put(pairs, type->tag, buf_bytes(value));
    der_end(pairs, mark);
    return OK;
}

/* *ret_name has something if a whole name stands for this RDN; nothing is added to pairs then. */
static enum err take_attribute(struct text_in *in, struct buf *pairs, struct buf *ret_name, struct why *why)
{
    AUTO_BUF oid = { 0 }, value = { 0 };
    skip_spaces(in);
    TRY(take_type(in, &oid, why));
    TRY(take_value(in, &value, why));
    if (in->hook)
        TRY(fill_value(in, buf_bytes(&oid), pairs->len == 0, &value, ret_name, why));
    return ret_name->len ? OK : put_attribute(in, buf_bytes(&oid), &value, pairs, why);
}

/* One RDN: attributes joined by '+'. */
static enum err take_rdn(struct text_in *in, struct buf *out, struct why *why)
{
    AUTO_BUF pairs = { 0 }, name = { 0 };
    for (;;) {
        TRY(take_attribute(in, &pairs, &name, why));
        if (*in->at != '+')
            break;
        in->at++;
    }
    if (name.len) {
        der_put_raw(out, name_reader_over(buf_bytes(&name)).rdns.rest);
        return OK;
    }
    if (!der_put_set_of(out, DER_SET, buf_bytes(&pairs)))
        return syntax(in, "too many attributes in one RDN", why);
    return OK;
}

enum err name_from_text(const char *text, struct buf *ret_name, struct why *why)
{
    return name_from_format(text, NULL, ret_name, why);
}

enum err name_from_format(const char *text, const struct name_hook *hook, struct buf *ret_name,
                          struct why *why)
{
    AUTO_BUF out = { 0 };
    struct text_in in = { .at = text, .start = text, .hook = hook };
    size_t mark = der_begin(&out, DER_SEQUENCE);
    skip_spaces(&in);
    while (*in.at) {
        TRY(take_rdn(&in, &out, why));
        if (!*in.at)
            break;
        in.at++; /* ',' or ';' */
        skip_spaces(&in);
        if (!*in.at)
            return syntax(&in, "an attribute must follow the separator", why);
    }
    der_end(&out, mark);
    TRY(name_check(buf_bytes(&out), why));
    *ret_name = TAKE_BUF(out);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Subject alternative names: reading with every rule checked, and their text form. */
#include "x509/san.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/limits.h"
#include "x509/name.h"
#include "x509/san_rule.h"
#include "x509/text.h"
#include <arpa/inet.h>

struct der_reader san_reader_over(struct bytes names)
{
    struct der_reader in = der_reader_over(names), inside;
    return der_get_sequence(&in, &inside) ? inside : der_reader_over(BYTES_NONE);
}

/* OtherName ::= SEQUENCE { type-id OID, value [0] EXPLICIT ANY } */
static bool other_get(struct bytes content, struct san_name *ret)
{
    struct der_reader in = der_reader_over(content), value;
    struct der_item item;
    if (!der_get_oid(&in, &ret->other_type) || !der_get_constructed(&in, DER_CONTEXT_CONSTRUCTED(0), &value))
        return false;
    if (!der_at_end(&in) || !der_get_any(&value, &item) || !der_at_end(&value))
        return false;
    ret->other_tag = item.tag;
    ret->value = item.content;
    return true;
}

/* X.509 has otherName, x400Address, directoryName and ediPartyName constructed, the others primitive. */
static bool tag_fits(uint8_t tag, enum san_kind kind)
{
    bool constructed = kind == SAN_OTHER || kind == SAN_X400 || kind == SAN_DIRECTORY || kind == SAN_EDI;
    return tag == (constructed ? DER_CONTEXT_CONSTRUCTED(kind) : DER_CONTEXT(kind));
}

bool san_next(struct der_reader *reader, struct san_name *ret)
{
    struct der_reader at = *reader;
    struct der_item item;
    struct san_name name = { 0 };
    if (!der_get_any(&at, &item) || (item.tag & 0x1F) > SAN_REGISTERED)
        return false;
    name.kind = (enum san_kind)(item.tag & 0x1F);
    name.value = item.content;
    name.whole = item.whole;
    if (!tag_fits(item.tag, name.kind) || (name.kind == SAN_OTHER && !other_get(item.content, &name)))
        return false;
    *reader = at;
    *ret = name;
    return true;
}

enum err san_check(struct bytes names, struct why *why)
{
    struct der_reader in = der_reader_over(names), inside;
    size_t count = 0;
    if (!der_is_valid(names) || !der_get_sequence(&in, &inside) || !der_at_end(&in))
        return fail(why, ERR_MALFORMED, "subjectAltName is not one SEQUENCE (RFC 5280 4.2.1.6)");
    if (der_at_end(&inside))
        return fail(why, ERR_MALFORMED, "subjectAltName with 0 names, at least 1 (RFC 5280 4.2.1.6)");
    while (!der_at_end(&inside)) {
        struct san_name name;
        if (!san_next(&inside, &name))
            return fail(why, ERR_MALFORMED, "subjectAltName %zu malformed (RFC 5280 4.2.1.6)", count + 1);
        if (++count > LIMIT_SAN_NAMES)
            return fail(why, ERR_LIMIT, "more than %d subject alternative names", LIMIT_SAN_NAMES);
        TRY(san_rule_check(&name, why));
    }
    return OK;
}

bool san_name_equal(const struct san_name *a, const struct san_name *b)
{
    if (bytes_equal(a->whole, b->whole))
        return true;
    /* [4] is EXPLICIT: its value is the whole Name */
    return a->kind == SAN_DIRECTORY && b->kind == SAN_DIRECTORY && name_equal(a->value, b->value);
}

static const char *const kind_names[] = { "other", "email", "dns", "x400", "dir", "edi", "uri", "ip", "rid" };

const char *san_kind_name(enum san_kind kind)
{
    return kind_names[kind];
}

static void append_ip(struct buf *out, struct bytes address)
{
    char text[INET6_ADDRSTRLEN];
    int family = address.len == 4 ? AF_INET : AF_INET6;
    if ((address.len == 4 || address.len == 16) && inet_ntop(family, address.data, text, sizeof(text)))
        buf_append_str(out, text);
    else
        hex_append(out, address);
}

static void append_other(struct buf *out, const struct san_name *name)
{
    if (oid_is(name->other_type, OID_MS_UPN) && name->other_tag == DER_UTF8_STRING) {
        buf_append_str(out, "upn:");
        text_append_escaped(out, name->value, ",\\");
        return;
    }
    buf_append_str(out, "other:");
    oid_append_dotted(out, name->other_type);
    buf_append_byte(out, ':');
    hex_append(out, name->value);
}

static void append_name(struct buf *out, const struct san_name *name)
{
    if (name->kind == SAN_OTHER) {
        append_other(out, name);
        return;
    }
    buf_append_str(out, kind_names[name->kind]);
    buf_append_byte(out, ':');
    switch (name->kind) {
    case SAN_EMAIL:
    case SAN_DNS:
    case SAN_URI:
        text_append_escaped(out, name->value, ",\\");
        break;
    case SAN_IP:
        append_ip(out, name->value);
        break;
    case SAN_DIRECTORY:
        name_append_text(out, name->value);
        break;
    case SAN_REGISTERED:
        oid_append_dotted(out, name->value);
        break;
    default:
        hex_append(out, name->value);
    }
}

void san_append_text(struct buf *out, struct bytes names)
{
    struct der_reader in = san_reader_over(names);
    struct san_name name;
    for (bool first = true; san_next(&in, &name); first = false) {
        if (!first)
            buf_append_str(out, ", ");
        append_name(out, &name);
    }
}

void san_put(struct buf *out, enum san_kind kind, struct bytes value)
{
    der_put(out, kind == SAN_DIRECTORY ? DER_CONTEXT_CONSTRUCTED(kind) : DER_CONTEXT(kind), value);
}

void san_put_upn(struct buf *out, struct bytes utf8)
{
    size_t other = der_begin(out, DER_CONTEXT_CONSTRUCTED(SAN_OTHER));
    der_put_oid(out, oid_bytes(OID_MS_UPN));
    size_t value = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    der_put_utf8(out, utf8);
    der_end(out, value);
    der_end(out, other);
}

void san_put_end(struct buf *out, struct bytes names)
{
    der_put(out, DER_SEQUENCE, names);
}

static bool put_ip_text(struct buf *out, const char *text)
{
    uint8_t address[16];
    if (inet_pton(AF_INET, text, address) == 1)
        san_put(out, SAN_IP, bytes_of(address, 4));
    else if (inet_pton(AF_INET6, text, address) == 1)
        san_put(out, SAN_IP, bytes_of(address, 16));
    else
        return false;
    return true;
}

enum err san_put_text(struct buf *out, const char *text, struct why *why)
{
    static const struct {
        const char *prefix;
        enum san_kind kind;
    } plain[] = {
        { "dns:", SAN_DNS }, { "email:", SAN_EMAIL }, { "uri:", SAN_URI },
        { "ip:", SAN_IP },   { "upn:", SAN_OTHER },
    };
    AUTO_BUF one = { 0 };
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        size_t len = strlen(plain[i].prefix);
        if (strncmp(text, plain[i].prefix, len) != 0)
            continue;
        const char *value = text + len;
        if (plain[i].kind == SAN_OTHER)
            san_put_upn(&one, bytes_str(value));
        else if (plain[i].kind != SAN_IP)
            san_put(&one, plain[i].kind, bytes_str(value));
        else if (!put_ip_text(&one, value))
            return fail(why, ERR_BAD_REQUEST, "\"%.100s\" is no IPv4 or IPv6 address", value);
        struct der_reader in = der_reader_over(buf_bytes(&one));
        struct san_name name;
        if (!san_next(&in, &name))
            return fail(why, ERR_BAD_REQUEST, "subject alternative name \"%.100s\" malformed", text);
        TRY(san_rule_check(&name, why));
        buf_append(out, buf_bytes(&one));
        return OK;
    }
    return fail(why, ERR_BAD_REQUEST, "\"%.100s\" begins with none of dns: email: uri: ip: upn:", text);
}

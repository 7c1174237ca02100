/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for the values of subject alternative names (RFC 5280 4.2.1.6). IDN is not interpreted: an A-label is
 * a label. */
#include "x509/san_rule.h"

#include "base/auto.h"
#include "base/fault.h"
#include "base/limits.h"
#include "x509/name.h"
#include "x509/text.h"

#define DNS_MOST   253 /* RFC 1035 2.3.4, without the root's octet */
#define LABEL_MOST 63
#define LOCAL_MOST 64 /* RFC 5321 4.5.3.1.1 */

static bool is_alphanumeric(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool label_is_good(struct bytes label)
{
    if (label.len == 0 || label.len > LABEL_MOST || label.data[0] == '-' || label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!FAULT(dns_characters) && !is_alphanumeric(label.data[i]) && label.data[i] != '-')
            return false;
    return true;
}

/* Letters, digits, hyphens (RFC 1123 2.1); no final dot, no empty label. */
static bool host_is_good(struct bytes host)
{
    if (host.len == 0 || host.len > DNS_MOST)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= host.len; i++) {
        if (i < host.len && host.data[i] != '.')
            continue;
        if (!label_is_good(bytes_of(host.data + start, i - start)))
            return false;
        start = i + 1;
    }
    return true;
}

/* A wildcard is the whole leftmost label, and something follows it; whether it is wanted is for who issues.
 */
static bool dns_is_good(struct bytes name)
{
    if (name.len > 2 && name.len <= DNS_MOST && name.data[0] == '*' && name.data[1] == '.')
        name = bytes_of(name.data + 2, name.len - 2);
    return host_is_good(name);
}

/* dot-atom of RFC 5321 4.1.2. Quoted local parts and address literals: no device sends them. */
static bool email_is_good(struct bytes text)
{
    size_t at = 0;
    while (at < text.len && text.data[at] != '@')
        at++;
    if (at == 0 || at == text.len || at > LOCAL_MOST || text.data[0] == '.' || text.data[at - 1] == '.')
        return false;
    for (size_t i = 0; i < at; i++) {
        uint8_t c = text.data[i];
        if (!is_alphanumeric(c) && (c == 0 || !strchr(".!#$%&'*+-/=?^_`{|}~", c)))
            return false;
        if (c == '.' && text.data[i - 1] == '.')
            return false;
    }
    return host_is_good(bytes_of(text.data + at + 1, text.len - at - 1));
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool uri_octet_is_good(struct bytes uri, size_t at)
{
    uint8_t c = uri.data[at];
    if (c == '%')
        return uri.len - at > 2 && is_hex(uri.data[at + 1]) && is_hex(uri.data[at + 2]);
    return is_alphanumeric(c) || (c != 0 && strchr("-._~:/?#[]@!$&'()*+,;=", c));
}

bool san_rule_uri(struct bytes uri)
{
    size_t scheme = 0;
    while (scheme < uri.len && uri.data[scheme] != ':') {
        uint8_t c = uri.data[scheme];
        bool digit = c >= '0' && c <= '9';
        if (!is_alphanumeric(c) && (c == 0 || !strchr("+-.", c)))
            return false;
        if (scheme == 0 && (digit || !is_alphanumeric(c)))
            return false;
        scheme++;
    }
    if (scheme == 0 || scheme + 1 >= uri.len)
        return false; /* relative, or nothing behind the scheme */
    for (size_t i = scheme + 1; i < uri.len; i++)
        if (!uri_octet_is_good(uri, i))
            return false;
    return true;
}

static enum err refuse(const struct san_name *name, const char *rule, struct why *why)
{
    AUTO_BUF text = { 0 };
    text_append_escaped(&text, name->value, "\\");
    return fail(why, ERR_MALFORMED, "subjectAltName %s \"%.120s\": %s", san_kind_name(name->kind),
                buf_text(&text), rule);
}

static enum err check_other(const struct san_name *name, struct why *why)
{
    if (!oid_is(name->other_type, OID_MS_UPN))
        return OK; /* shape known good; templates decide on other types */
    if (name->other_tag != DER_UTF8_STRING || name->value.len == 0 || !text_is_clean(name->value))
        return refuse(name, "a UPN must be a non-empty UTF8String without control characters", why);
    return OK;
}

static enum err check_directory(const struct san_name *name, struct why *why)
{
    TRY(name_check(name->value, why));
    if (name_is_empty(name->value))
        return refuse(name, "an empty directoryName (RFC 5280 4.2.1.6)", why);
    return OK;
}

static enum err check_registered(const struct san_name *name, struct why *why)
{
    AUTO_BUF oid = { 0 };
    struct bytes content;
    der_put_oid(&oid, name->value);
    struct der_reader in = der_reader_over(buf_bytes(&oid));
    if (!der_get_oid(&in, &content))
        return refuse(name, "no well-formed OID", why);
    return OK;
}

enum err san_rule_check(const struct san_name *name, struct why *why)
{
    if (name->whole.len > LIMIT_STRING_BYTES)
        return fail(why, ERR_LIMIT, "subjectAltName %s of %zu octets, limit %d", san_kind_name(name->kind),
                    name->whole.len, LIMIT_STRING_BYTES);
    switch (name->kind) {
    case SAN_OTHER:
        return check_other(name, why);
    case SAN_EMAIL:
        return email_is_good(name->value) ? OK
                                          : refuse(name, "must be local-part@host (RFC 5321 4.1.2)", why);
    case SAN_DNS:
        return dns_is_good(name->value)
                   ? OK
                   : refuse(name, "must be labels of letters, digits, hyphens (RFC 1123)", why);
    case SAN_URI:
        return san_rule_uri(name->value) ? OK : refuse(name, "must be an absolute URI (RFC 3986)", why);
    case SAN_IP:
        if (name->value.len == 4 || name->value.len == 16)
            return OK;
        return fail(why, ERR_MALFORMED, "subjectAltName ip of %zu octets, must be 4 or 16 (RFC 5280 4.2.1.6)",
                    name->value.len);
    case SAN_DIRECTORY:
        return check_directory(name, why);
    case SAN_REGISTERED:
        return check_registered(name, why);
    default:
        return refuse(name, "this kind is not supported", why);
    }
}

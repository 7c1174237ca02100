/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/ldap/value.h"

#include "base/encode.h"
#include "base/fault.h"
#include "base/utf8.h"
#include "mdm/fold.h"
#include <ctype.h>
#include <ldap.h>
#include <stdio.h>
#include <strings.h>

/* --- identifiers --- */

#define SID_HEAD  8 /* revision, count, authority of 6 octets in network order */
#define SID_PARTS 15

static uint32_t little_endian(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool sid_to_text(struct bytes binary, char ret[static SID_TEXT])
{
    uint64_t authority = 0;
    if (binary.len < SID_HEAD || binary.data[0] != 1 || binary.data[1] > SID_PARTS)
        return false;
    size_t parts = binary.data[1];
    if (!FAULT(ldap_sid_length) && binary.len != SID_HEAD + 4 * parts)
        return false;
    for (size_t i = 2; i < SID_HEAD; i++)
        authority = authority << 8 | binary.data[i];
    int len = snprintf(ret, SID_TEXT, "S-1-%llu", (unsigned long long)authority);
    for (size_t i = 0; i < parts && SID_HEAD + 4 * i + 4 <= binary.len; i++)
        len += snprintf(ret + len, SID_TEXT - (size_t)len, "-%lu",
                        (unsigned long)little_endian(binary.data + SID_HEAD + 4 * i));
    return true;
}

static bool is_number(struct bytes text, size_t most)
{
    bool good = text.len > 0 && text.len <= most;
    for (size_t i = 0; good && i < text.len; i++)
        good = isdigit(text.data[i]);
    return good;
}

bool sid_sibling(const char *sid, struct bytes rid, char ret[static SID_TEXT])
{
    const char *last = strrchr(sid, '-');
    if (!last || !is_number(rid, 10))
        return false;
    return snprintf(ret, SID_TEXT, "%.*s-%.*s", (int)(last - sid), sid, (int)rid.len,
                    (const char *)rid.data) < SID_TEXT;
}

/* Where the octets of a GUID are in its text. */
static const uint8_t guid_order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

bool guid_to_text(struct bytes binary, char ret[static UUID_TEXT])
{
    AUTO_BUF hex = { 0 };
    uint8_t ordered[16];
    if (binary.len != sizeof(ordered))
        return false;
    for (size_t i = 0; i < sizeof(ordered); i++)
        ordered[i] = binary.data[guid_order[i]];
    hex_append(&hex, BYTES_ARR(ordered));
    const char *digits = buf_text(&hex);
    snprintf(ret, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
             digits + 20);
    return true;
}

bool uuid_to_text(struct bytes text, char ret[static UUID_TEXT])
{
    if (!uuid_is(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        ret[i] = (char)tolower(text.data[i]);
    ret[text.len] = '\0';
    return true;
}

bool extended_dn_guid(struct bytes value, char ret[static UUID_TEXT])
{
    static const char begin[] = "<GUID=";
    size_t len = sizeof(begin) - 1;
    if (value.len < len + UUID_TEXT || strncasecmp((const char *)value.data, begin, len) != 0 ||
        value.data[len + UUID_TEXT - 1] != '>')
        return false;
    return uuid_to_text(bytes_of(value.data + len, UUID_TEXT - 1), ret);
}

struct bytes extended_dn_name(struct bytes value)
{
    while (value.len && value.data[0] == '<') {
        const uint8_t *end = memchr(value.data, '>', value.len);
        if (!end || end + 1 == value.data + value.len || end[1] != ';')
            break;
        size_t len = (size_t)(end + 2 - value.data);
        value = bytes_of(value.data + len, value.len - len);
    }
    return value;
}

/* --- names --- */

bool dn_key(struct bytes dn, struct buf *ret)
{
    LDAPDN parsed = NULL;
    char *text = NULL;
    struct berval value = { dn.len, (char *)dn.data };
    if (!dn.len || !utf8_is_valid(dn))
        return false;
    if (ldap_bv2dn(&value, &parsed, LDAP_DN_FORMAT_LDAP) == LDAP_SUCCESS && parsed)
        (void)ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3 | LDAP_DN_PRETTY);
    ldap_dnfree(parsed);
    if (!text)
        return false;
    fold_append(ret, bytes_str(text));
    ldap_memfree(text);
    return true;
}

/* --- ranges (MS-ADTS 3.1.1.3.1.3.3) --- */

bool range_parse(const char *name, char **ret_base, size_t *ret_next)
{
    static const char mark[] = ";range=";
    const char *semicolon = strchr(name, ';');
    unsigned long first, last;
    int end = 0;
    if (!semicolon || strncasecmp(semicolon, mark, sizeof(mark) - 1) != 0)
        return false;
    const char *numbers = semicolon + sizeof(mark) - 1;
    if (!isdigit((unsigned char)*numbers) || strlen(numbers) > 24)
        return false;
    if (sscanf(numbers, "%lu-%n", &first, &end) != 1 || !end)
        return false;
    const char *rest = numbers + end;
    if (strcmp(rest, "*") == 0) {
        *ret_next = 0;
    } else {
        if (!is_number(bytes_str(rest), 10) || sscanf(rest, "%lu", &last) != 1 || last < first)
            return false;
        *ret_next = last + 1;
    }
    *ret_base = xstrndup(name, (size_t)(semicolon - name));
    return true;
}

/* --- accounts --- */

void disabled_rule_parse(const char *text, struct disabled_rule *ret)
{
    size_t len = strcspn(text, "=&");
    *ret = (struct disabled_rule){ 0 };
    if (strcmp(text, "none") == 0)
        return;
    ret->attribute = xstrndup(text, len);
    if (text[len] == '=')
        ret->value = xstrdup(text + len + 1);
    else if (text[len] == '&')
        ret->bits = strtoll(text + len + 1, NULL, 10);
}

void disabled_rule_free(struct disabled_rule *rule)
{
    free(rule->attribute);
    free(rule->value);
    *rule = (struct disabled_rule){ 0 };
}

bool disabled_by(const struct disabled_rule *rule, const struct entry *entry)
{
    const struct entry_attribute *found = rule->attribute ? entry_find(entry, rule->attribute) : NULL;
    if (FAULT(ldap_disabled))
        return false;
    for (size_t i = 0; found && i < found->count; i++) {
        const char *value = buf_text(&found->values[i]);
        if (rule->bits && strtoll(value, NULL, 10) & rule->bits)
            return true;
        if (!rule->bits && (!rule->value || strcasecmp(value, rule->value) == 0))
            return true;
    }
    return false;
}

/* --- filters --- */

void filter_append_value(struct buf *filter, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t octet = value.data[i];
        bool plain = octet >= 0x20 && octet < 0x7F && !strchr("()*\\", octet);
        if (plain || FAULT(ldap_filter))
            buf_append_byte(filter, octet);
        else
            buf_printf(filter, "\\%02x", octet);
    }
}

void filter_append_guid(struct buf *filter, const char *uuid)
{
    uint8_t octets[16] = { 0 };
    char digits[33];
    size_t count = 0;
    for (const char *at = uuid; *at && count < 32; at++) {
        if (*at != '-')
            digits[count++] = *at;
    }
    if (count != 32 || !hex_decode_into(bytes_of(digits, 32), octets))
        die("\"%.40s\" is no UUID", uuid);
    for (size_t i = 0; i < sizeof(octets); i++)
        buf_printf(filter, "\\%02x", octets[guid_order[i]]);
}

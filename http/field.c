/* SPDX-License-Identifier: Apache-2.0 */
/* Characters, hosts, lengths, lists and targets of a request head. */
#include "http/field.h"

#include <strings.h>

bool field_is_token_char(uint8_t c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c);
}

bool field_is_value_char(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7F);
}

/* RFC 3986 3.2.2 and 3.2.3, without the comma: a list of hosts is two proxies disagreeing. */
bool field_is_host(struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && (!c || !strchr("-._~:[]%!$&'()*+;=", c)))
            return false;
    }
    return value.len > 0 && value.data[0] != ':';
}

bool field_length(struct bytes value, size_t *ret_length)
{
    size_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c < '0' || c > '9')
            return false;
        if (__builtin_mul_overflow(length, (size_t)10, &length) ||
            __builtin_add_overflow(length, (size_t)(c - '0'), &length))
            length = SIZE_MAX; /* stays there: SIZE_MAX × 10 overflows again */
    }
    if (value.len == 0)
        return false;
    *ret_length = length;
    return true;
}

bool field_equals(struct bytes value, const char *text)
{
    return value.len == strlen(text) &&
           (!value.len || strncasecmp((const char *)value.data, text, value.len) == 0);
}

struct bytes field_trim(struct bytes value)
{
    while (value.len && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = bytes_of(value.data + 1, value.len - 1);
    while (value.len && (value.data[value.len - 1] == ' ' || value.data[value.len - 1] == '\t'))
        value.len--;
    return value;
}

bool field_has_member(struct bytes list, const char *member)
{
    while (list.len) {
        const uint8_t *comma = memchr(list.data, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.data) : list.len;
        if (field_equals(field_trim(bytes_of(list.data, len)), member))
            return true;
        size_t used = comma ? len + 1 : len;
        list = bytes_of(list.data + used, list.len - used);
    }
    return false;
}

/* The rest after "http://authority"; false if it is not that, or the authority is no plain host. */
static bool authority_skip(struct bytes text, struct bytes *ret_rest)
{
    size_t scheme = text.len >= 7 && strncasecmp((const char *)text.data, "http://", 7) == 0    ? 7
                    : text.len >= 8 && strncasecmp((const char *)text.data, "https://", 8) == 0 ? 8
                                                                                                : 0;
    size_t end = scheme;
    while (end < text.len && text.data[end] != '/' && text.data[end] != '?')
        end++;
    if (!scheme || !field_is_host(bytes_of(text.data + scheme, end - scheme)))
        return false;
    *ret_rest = bytes_of(text.data + end, text.len - end);
    return true;
}

/* Every visible ASCII character but '#': devices put characters into queries that RFC 3986 wants escaped, and
   none of them can end a line or a log field. */
static bool target_is_clean(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7F || text.data[i] == '#')
            return false;
    }
    return text.len > 0;
}

bool target_split(struct bytes text, struct target *ret)
{
    if (!target_is_clean(text))
        return false;
    struct bytes rest = text;
    if (text.data[0] != '/' && !authority_skip(text, &rest))
        return false;
    const uint8_t *mark = rest.len ? memchr(rest.data, '?', rest.len) : NULL;
    size_t path_len = mark ? (size_t)(mark - rest.data) : rest.len;
    ret->path = path_len ? bytes_of(rest.data, path_len) : BYTES_LIT("/");
    ret->has_query = mark != NULL;
    ret->query = mark ? bytes_of(mark + 1, rest.len - path_len - 1) : BYTES_NONE;
    return true;
}

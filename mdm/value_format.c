/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/value_format.h"

#include "base/fault.h"
#include "base/limits.h"

static enum err refuse_at(const struct value_format *format, size_t at, const char *rule, struct why *why)
{
    return fail(why, ERR_PROFILE, "\"%.*s\": '%c' at column %zu; %s", (int)format->text.len,
                (const char *)format->text.data, format->text.data[at], at + 1, rule);
}

static bool starts_variable(struct bytes text, size_t at)
{
    return text.len - at >= 2 && text.data[at] == '{' && text.data[at + 1] == '{';
}

/* "{{Name}}", and no other brace inside. */
static enum err take_variable(const struct value_format *format, size_t *at, struct value_piece *ret,
                              struct why *why)
{
    struct bytes text = format->text;
    size_t start = *at + 2, end = start;
    while (end < text.len && text.data[end] != '{' && text.data[end] != '}')
        end++;
    if (text.len - end < 2 || text.data[end] != '}' || text.data[end + 1] != '}')
        return refuse_at(format, *at, "braces must enclose a variable, as {{Name}}", why);
    ret->text = bytes_of(text.data + *at, end + 2 - *at);
    TRY(variable_find(bytes_of(text.data + start, end - start), format->scope, &ret->variable, why));
    *at = end + 2;
    return OK;
}

enum err value_format_next(const struct value_format *format, size_t *at, struct value_piece *ret,
                           bool *ret_more, struct why *why)
{
    struct value_piece piece = { 0 };
    struct bytes text = format->text;
    size_t end = *at;
    *ret_more = *at < text.len;
    if (!*ret_more)
        return OK;
    if (starts_variable(text, *at))
        return take_variable(format, at, ret, why);
    for (; end < text.len && !starts_variable(text, end); end++) {
        uint8_t c = text.data[end];
        if ((c == '{' || c == '}') && !FAULT(format_braces))
            return refuse_at(format, end, "braces must enclose a variable, as {{Name}}", why);
        if (c && strchr(format->refused, c) && !FAULT(format_refused))
            return refuse_at(format, end, "not allowed in the static text of a name: { } | ;", why);
    }
    piece.text = bytes_of(text.data + *at, end - *at);
    *at = end;
    *ret = piece;
    return OK;
}

static enum err piece_value(const struct value_piece *piece, const struct holder *holder, struct bytes *ret,
                            struct why *why)
{
    *ret = piece->text;
    if (!piece->variable)
        return OK;
    if (piece->variable->is_name)
        return fail(why, ERR_PROFILE,
                    "{{%s}} is a whole name: it stands in a subject, as CN={{%s}} and no more",
                    piece->variable->name, piece->variable->name);
    if (holder)
        return variable_value(piece->variable, holder, ret, why);
    *ret = bytes_str(piece->variable->sample);
    return OK;
}

enum err value_format_expand(const struct value_format *format, const struct holder *holder, struct buf *ret,
                             struct why *why)
{
    AUTO_BUF out = { 0 };
    size_t at = 0;
    for (;;) {
        struct value_piece piece;
        struct bytes value;
        bool more;
        TRY(value_format_next(format, &at, &piece, &more, why));
        if (!more)
            break;
        TRY(piece_value(&piece, holder, &value, why));
        if (out.len + value.len > LIMIT_STRING_BYTES)
            return fail(why, holder ? ERR_PROFILE_DEVICE : ERR_PROFILE,
                        "\"%.*s\" would be %zu octets or more, limit %d",
                        (int)(format->text.len < 100 ? format->text.len : 100),
                        (const char *)format->text.data, out.len + value.len, LIMIT_STRING_BYTES);
        buf_append(&out, value);
    }
    *ret = TAKE_BUF(out);
    return OK;
}

enum err value_format_only(const struct value_format *format, const struct variable **ret_only,
                           struct why *why)
{
    struct value_piece piece = { 0 };
    size_t at = 0;
    bool more;
    TRY(value_format_next(format, &at, &piece, &more, why));
    *ret_only = more && at == format->text.len ? piece.variable : NULL;
    return OK;
}

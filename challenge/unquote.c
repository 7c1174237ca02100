/* SPDX-License-Identifier: Apache-2.0 */
/* A profile that says CN="Doe, John" or CN=Doe\, John means one name, and some clients put the quotes or backslashes into the
   request as part of the value. Each reading is strict and all or nothing: what it cannot read to the end, it does not
   read. */
#include "challenge/unquote.h"

#include "base/auto.h"
#include "base/fault.h"

/* What either way of quoting is there for (CertStrToName; RFC 4514 2.4 and 3). */
static bool is_special(uint8_t c)
{
    return c != 0 && strchr(",+\"\\<>;=#", c) != NULL;
}

/* RFC 4514 3: without a backslash these end a value; '=' and '#' inside do not. */
static bool must_be_escaped(uint8_t c)
{
    return c != 0 && strchr(",+\"\\<>;", c) != NULL;
}

static bool is_quoted(struct bytes text)
{
    return text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"';
}

static bool has_special(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_special(text.data[i]))
            return true;
    }
    return false;
}

bool unquote_windows(struct bytes text, struct buf *ret)
{
    AUTO_BUF out = { 0 };
    if (!is_quoted(text))
        return false;
    for (size_t i = 1; i < text.len - 1; i++) {
        if (!FAULT(dynamic_unquote_whole) && text.data[i] == '"' &&
            (++i == text.len - 1 || text.data[i] != '"'))
            return false; /* a quote that is not doubled would have ended the value */
        buf_append_byte(&out, text.data[i]);
    }
    if (!FAULT(dynamic_unquote_needed) && !has_special(buf_bytes(&out)))
        return false;
    *ret = TAKE_BUF(out);
    return true;
}

/* Between quotes only quotes and backslashes need a backslash. */
static bool unescape(struct bytes text, bool quoted, struct buf *out, size_t *ret_escapes)
{
    size_t escapes = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '\\') {
            if (++i == text.len || !is_special(text.data[i]))
                return false;
            c = text.data[i];
            escapes++;
        } else if (quoted ? c == '"' : must_be_escaped(c)) {
            return false;
        }
        buf_append_byte(out, c);
    }
    *ret_escapes = escapes;
    return true;
}

bool unquote_rfc4514(struct bytes text, struct buf *ret)
{
    AUTO_BUF out = { 0 };
    size_t escapes;
    bool quoted = is_quoted(text);
    struct bytes inside = quoted ? bytes_of(text.data + 1, text.len - 2) : text;
    if (!unescape(inside, quoted, &out, &escapes))
        return false;
    if (quoted ? !has_special(buf_bytes(&out)) : escapes == 0)
        return false;
    *ret = TAKE_BUF(out);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/san_format.h"

#include "base/fault.h"
#include "mdm/value_format.h"
#include "x509/san.h"
#include <strings.h>

static const struct {
    const char *spellings[3]; /* the first is ours */
    const char *of_user;      /* the text behind the attribute of a user; NULL: users have none */
} attributes[SAN_ATTRIBUTE_COUNT] = {
    [SAN_ATTRIBUTE_DNS] = { { "DNS", "DNS name" }, NULL },
    [SAN_ATTRIBUTE_EMAIL] = { { "email", "email address", "e-mail address" }, "{{EmailAddress}}" },
    [SAN_ATTRIBUTE_UPN] = { { "UPN", "user principal name", "user principal name (UPN)" },
                            "{{UserPrincipalName}}" },
};

void san_row_free(struct san_row *row)
{
    free(row->text);
    *row = (struct san_row){ 0 };
}

static struct bytes trim(struct bytes text)
{
    while (text.len && text.data[0] == ' ')
        text = bytes_of(text.data + 1, text.len - 1);
    while (text.len && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

static int attribute_of(struct bytes name)
{
    for (int i = 0; i < SAN_ATTRIBUTE_COUNT; i++)
        for (int j = 0; j < 3 && attributes[i].spellings[j]; j++)
            if (strlen(attributes[i].spellings[j]) == name.len &&
                strncasecmp(attributes[i].spellings[j], (const char *)name.data, name.len) == 0)
                return i;
    return -1;
}

/* How a row has to look, for the message. */
static enum err refuse_row(struct bytes text, const struct scope *scope, struct why *why)
{
    return fail(why, ERR_PROFILE, "\"%.*s\"; allowed is %s", (int)(text.len < 100 ? text.len : 100),
                (const char *)text.data,
                scope->kind == CERTIFICATE_USER ? "\"email\" or \"UPN\", for certificates of a user"
                                                : "\"DNS = TEXT\", \"email = TEXT\" or \"UPN = TEXT\", for "
                                                  "certificates of a device");
}

enum err san_row_parse(struct bytes text, const struct scope *scope, struct san_row *ret, struct why *why)
{
    const uint8_t *equals = text.len ? memchr(text.data, '=', text.len) : NULL;
    size_t name_len = equals ? (size_t)(equals - text.data) : text.len;
    int attribute = attribute_of(trim(bytes_of(text.data, name_len)));
    bool of_user = scope->kind == CERTIFICATE_USER;
    if (attribute < 0 || of_user != !equals || (of_user && !attributes[attribute].of_user))
        return refuse_row(text, scope, why);
    *ret = (struct san_row){ .attribute = (enum san_attribute)attribute };
    if (equals) {
        struct bytes value = trim(bytes_of(equals + 1, text.len - name_len - 1));
        ret->text = xstrndup((const char *)value.data, value.len);
    }
    return OK;
}

void san_row_append(struct buf *out, const struct san_row *row)
{
    buf_append_str(out, attributes[row->attribute].spellings[0]);
    if (row->text)
        buf_printf(out, " = %s", row->text);
}

static void put_name(struct buf *out, enum san_attribute attribute, struct bytes value)
{
    if (attribute == SAN_ATTRIBUTE_UPN)
        san_put_upn(out, value);
    else
        san_put(out, attribute == SAN_ATTRIBUTE_DNS ? SAN_DNS : SAN_EMAIL, value);
}

/* A device that calls itself "*" would stand for all others: a wildcard is the administrator's to write. */
static bool is_wildcard_of_value(const struct san_row *row, const struct value_format *format,
                                 struct bytes value)
{
    bool written = format->text.len && format->text.data[0] == '*';
    return row->attribute == SAN_ATTRIBUTE_DNS && value.len && value.data[0] == '*' && !written;
}

/* The value is one name of its attribute, whatever characters it has, or none. */
static enum err make_row(const struct san_row *row, const struct scope *scope, const struct holder *holder,
                         struct buf *names, struct why *why)
{
    struct value_format format = {
        .text = bytes_str(row->text ? row->text : attributes[row->attribute].of_user),
        .scope = scope,
        .refused = "|;",
    };
    struct why inner = { 0 };
    AUTO_BUF value = { 0 }, one = { 0 }, whole = { 0 };
    TRY(value_format_expand(&format, holder, &value, why));
    if (is_wildcard_of_value(row, &format, buf_bytes(&value)) && !FAULT(san_wildcard))
        return fail(why, ERR_PROFILE_DEVICE, "\"%s\" would be a wildcard, which %s does not have",
                    buf_text(&value), row->text);
    put_name(&one, row->attribute, buf_bytes(&value));
    san_put_end(&whole, buf_bytes(&one));
    enum err err = FAULT(san_value) ? OK : san_check(buf_bytes(&whole), &inner);
    if (err != OK)
        return fail(why, holder ? ERR_PROFILE_DEVICE : ERR_PROFILE, "%s%s", inner.text,
                    holder ? "" : ", with sample values for its variables");
    buf_append(names, buf_bytes(&one));
    return OK;
}

enum err san_make(const struct san_row *rows, size_t count, const struct scope *scope,
                  const struct holder *holder, struct buf *ret_names, struct why *why)
{
    AUTO_BUF names = { 0 }, whole = { 0 };
    for (size_t i = 0; i < count; i++)
        TRY(make_row(&rows[i], scope, holder, &names, why));
    if (count)
        san_put_end(&whole, buf_bytes(&names));
    *ret_names = TAKE_BUF(whole);
    return OK;
}

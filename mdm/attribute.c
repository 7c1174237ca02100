/* SPDX-License-Identifier: Apache-2.0 */
/* What any attribute takes; the forms of some texts are in attribute_form.c. */
#include "mdm/attribute.h"

#include "base/auto.h"
#include "base/fault.h"
#include "x509/text.h"
#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MOST 80 /* octets of a refused value */

void attribute_value_clear(struct attribute_value *value)
{
    free(value->text);
    *value = (struct attribute_value){ 0 };
}

void attribute_value_set(struct attribute_value *value, struct bytes text)
{
    attribute_value_clear(value);
    value->given = true;
    value->text = text.len ? xstrndup((const char *)text.data, text.len) : NULL;
}

enum err attribute_refuse(const char *name, struct bytes value, struct why *why, const char *rule, ...)
{
    char text[300];
    AUTO_BUF shown = { 0 };
    va_list args;
    va_start(args, rule);
    vsnprintf(text, sizeof(text), rule, args);
    va_end(args);
    bool cut = value.len > SHOWN_MOST;
    size_t len = cut ? SHOWN_MOST : value.len;
    while (cut && len && (value.data[len] & 0xC0) == 0x80) /* never inside a character */
        len--;
    text_append_escaped(&shown, bytes_of(value.data, len), "");
    return fail(why, ERR_VALUE, "%s is \"%s%s\"; allowed %s", name, buf_text(&shown), cut ? "..." : "", text);
}

static enum err text_take(const struct attribute *attribute, struct bytes text, struct attribute_value *ret,
                          struct why *why)
{
    const char *rule = "";
    if (text.len > attribute->most)
        return attribute_refuse(attribute->name, text, why, "are %zu octets, and these are %zu",
                                attribute->most, text.len);
    if (!FAULT(attribute_control) && !text_is_clean(text))
        return attribute_refuse(attribute->name, text, why, "is UTF-8 without control characters");
    attribute_value_set(ret, text);
    if (text.len == 0 || !attribute->takes || FAULT(attribute_form) || attribute->takes(ret, &rule))
        return OK;
    attribute_value_clear(ret);
    return attribute_refuse(attribute->name, text, why, "%s", rule);
}

static enum err word_take(const struct attribute *attribute, struct bytes text, struct attribute_value *ret,
                          struct why *why)
{
    AUTO_BUF allowed = { 0 };
    if (text.len && word_find(attribute->words, text) < 0) {
        words_append(&allowed, attribute->words);
        return attribute_refuse(attribute->name, text, why, "is %s", buf_text(&allowed));
    }
    attribute_value_set(ret, text);
    return OK;
}

static enum err flag_take(const struct attribute *attribute, struct bytes text, struct attribute_value *ret,
                          struct why *why)
{
    bool yes = bytes_equal(text, BYTES_LIT("true")), no = bytes_equal(text, BYTES_LIT("false"));
    if (!yes && !no)
        return attribute_refuse(attribute->name, text, why, "is true or false");
    *ret = (struct attribute_value){ .given = true, .number = yes };
    return OK;
}

enum err attribute_take(const struct attribute *attribute, struct bytes text, struct attribute_value *ret,
                        struct why *why)
{
    if (text.len == 0 && attribute->flags & ATTRIBUTE_REQUIRED)
        return fail(why, ERR_VALUE, "%s has no value, and it needs one", attribute->name);
    switch (attribute->kind) {
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_USER:
        return text_take(attribute, text, ret, why);
    case ATTRIBUTE_WORD:
        return word_take(attribute, text, ret, why);
    case ATTRIBUTE_FLAG:
        return flag_take(attribute, text, ret, why);
    case ATTRIBUTE_TIME:
    case ATTRIBUTE_NUMBER:
        break;
    }
    return fail(why, ERR_VALUE, "%s is set by the service", attribute->name);
}

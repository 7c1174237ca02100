/* SPDX-License-Identifier: Apache-2.0 */
/* A property of a template as text, as a column, and from either. */
#include "ca/template_property.h"

#include "base/limits.h"
#include "x509/extension.h"
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>

#define MINUTE_S 60
#define HOUR_S   3600
#define DAY_S    86400

#define PROPERTY_ROW_(name, column, kind, member, min, max, words)                                           \
    { #name, PROPERTY_##kind, offsetof(struct template, member), min, max, words },
const struct property template_properties[TEMPLATE_PROPERTY_COUNT] = { TEMPLATE_PROPERTIES(PROPERTY_ROW_) };

const struct property *template_property_find(struct bytes name)
{
    for (size_t i = 0; i < TEMPLATE_PROPERTY_COUNT; i++) {
        if (bytes_equal(bytes_str(template_properties[i].name), name))
            return &template_properties[i];
    }
    return NULL;
}

/* The member that a property stands for; which type it has follows from the kind. */
static void *member_of(struct template *template, const struct property *property)
{
    return (char *)template + property->offset;
}

static const void *member_in(const struct template *template, const struct property *property)
{
    return (const char *)template + property->offset;
}

static void number_text(int64_t number, const char *unit, struct buf *out)
{
    AUTO_STR text = xasprintf("%lld%s", (long long)number, unit);
    buf_append_str(out, text);
}

void template_span_text(int64_t span, struct buf *out)
{
    if (span % DAY_S == 0 && span)
        number_text(span / DAY_S, "d", out);
    else if (span % HOUR_S == 0 && span)
        number_text(span / HOUR_S, "h", out);
    else
        number_text(span, "s", out);
}

void template_property_text(const struct template *template, const struct property *property, struct buf *out)
{
    const void *member = member_in(template, property);
    switch (property->kind) {
    case PROPERTY_TEXT:
    case PROPERTY_LINES:
    case PROPERTY_LIST:
    case PROPERTY_WORD:
        buf_append_str(out, *(char *const *)member);
        return;
    case PROPERTY_USAGE:
        key_usage_append_text(out, *(const uint16_t *)member);
        return;
    case PROPERTY_BACKDATE:
        if (*(const int64_t *)member < 0)
            buf_append_str(out, "ca");
        else
            template_span_text(*(const int64_t *)member, out);
        return;
    case PROPERTY_SPAN:
        template_span_text(*(const int64_t *)member, out);
        return;
    case PROPERTY_NUMBER:
        number_text(*(const int64_t *)member, "", out);
        return;
    case PROPERTY_SWITCH:
        buf_append_str(out, *(const bool *)member ? "yes" : "no");
        return;
    }
}

static enum err fail_value(const struct property *property, const char *text, const char *wanted,
                           struct why *why)
{
    return fail(why, ERR_TEMPLATE_PROPERTY, "%s is \"%.160s\", wanted: %s", property->name, text, wanted);
}

static enum err number_get(const struct property *property, const char *text, int64_t *ret, struct why *why)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || number < property->min || number > property->max)
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s is \"%.40s\", allowed: %lld to %lld", property->name,
                    text, (long long)property->min, (long long)property->max);
    *ret = number;
    return OK;
}

static enum err span_get(const struct property *property, const char *text, int64_t *ret, struct why *why)
{
    AUTO_BUF least = { 0 }, most = { 0 };
    char *unit;
    long long count = strtoll(text, &unit, 10);
    int64_t unit_s = strcmp(unit, "d") == 0   ? DAY_S
                     : strcmp(unit, "h") == 0 ? HOUR_S
                     : strcmp(unit, "m") == 0 ? MINUTE_S
                     : strcmp(unit, "s") == 0 ? 1
                                              : 0;
    if (isdigit((unsigned char)*text) && unit_s && count <= property->max / unit_s &&
        count * unit_s >= property->min) {
        *ret = count * unit_s;
        return OK;
    }
    template_span_text(property->min, &least);
    template_span_text(property->max, &most);
    return fail(why, ERR_TEMPLATE_PROPERTY,
                "%s is \"%.40s\", allowed: %s to %s, in days (d), hours (h), minutes (m) or seconds (s)%s",
                property->name, text, buf_text(&least), buf_text(&most),
                property->kind == PROPERTY_BACKDATE ? ", or ca" : "");
}

static enum err usage_get(const struct property *property, char *text, uint16_t *ret, struct why *why)
{
    uint16_t usage = 0, bit;
    char *rest = text;
    for (char *word = strsep(&rest, " ,"); word; word = strsep(&rest, " ,")) {
        if (!*word)
            continue;
        if (!key_usage_by_name(word, &bit))
            return fail_value(property, word, "names of key usages, such as digitalSignature", why);
        usage |= bit;
    }
    *ret = usage;
    return OK;
}

/* One space between two words, none around them. */
static char *list_normal(const char *text)
{
    AUTO_STR words = xstrdup(text);
    AUTO_BUF out = { 0 };
    char *rest = words;
    for (char *word = strsep(&rest, " ,"); word; word = strsep(&rest, " ,")) {
        if (!*word)
            continue;
        if (out.len)
            buf_append_byte(&out, ' ');
        buf_append_str(&out, word);
    }
    return xstrdup(buf_text(&out));
}

static bool is_printable(const char *text, bool lines)
{
    for (const char *at = text; *at; at++) {
        if (((unsigned char)*at < ' ' && !(lines && *at == '\n')) || *at == 0x7F)
            return false;
    }
    return true;
}

static enum err text_get(const struct property *property, const char *text, char **member, struct why *why)
{
    AUTO_STR clean = property->kind == PROPERTY_LIST ? list_normal(text) : xstrdup(text);
    size_t len = strlen(clean);
    if (len < (size_t)property->min || len > (size_t)property->max)
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s has %zu octets, allowed: %lld to %lld", property->name,
                    len, (long long)property->min, (long long)property->max);
    if (!is_printable(clean, property->kind == PROPERTY_LINES))
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s has a control character in it", property->name);
    free(*member);
    *member = TAKE(clean);
    return OK;
}

static enum err word_get(const struct property *property, const char *text, char **member, struct why *why)
{
    AUTO_STR all = xasprintf(" %s ", property->words);
    AUTO_STR wanted = xasprintf(" %s ", text);
    if (!*text || strchr(text, ' ') || !strstr(all, wanted))
        return fail_value(property, text, property->words, why);
    free(*member);
    *member = xstrdup(text);
    return OK;
}

static enum err switch_get(const struct property *property, const char *text, bool *ret, struct why *why)
{
    bool on = strcmp(text, "yes") == 0;
    if (!on && strcmp(text, "no") != 0)
        return fail_value(property, text, "yes or no", why);
    *ret = on;
    return OK;
}

enum err template_property_set(struct template *template, const struct property *property, struct bytes value,
                               struct why *why)
{
    void *member = member_of(template, property);
    AUTO_STR text = xstrndup((const char *)value.data, value.len);
    if (strlen(text) != value.len)
        return fail(why, ERR_TEMPLATE_PROPERTY, "%s has a NUL in it", property->name);
    switch (property->kind) {
    case PROPERTY_TEXT:
    case PROPERTY_LINES:
    case PROPERTY_LIST:
        return text_get(property, text, member, why);
    case PROPERTY_WORD:
        return word_get(property, text, member, why);
    case PROPERTY_USAGE:
        return usage_get(property, text, member, why);
    case PROPERTY_NUMBER:
        return number_get(property, text, member, why);
    case PROPERTY_SWITCH:
        return switch_get(property, text, member, why);
    case PROPERTY_BACKDATE:
        if (strcmp(text, "ca") == 0) {
            *(int64_t *)member = -1;
            return OK;
        }
        break;
    case PROPERTY_SPAN:
        break;
    }
    return span_get(property, text, member, why);
}

struct store_value template_property_value(const struct template *template, const struct property *property)
{
    const void *member = member_in(template, property);
    switch (property->kind) {
    case PROPERTY_USAGE:
        return S_INT(*(const uint16_t *)member);
    case PROPERTY_SWITCH:
        return S_INT(*(const bool *)member);
    case PROPERTY_SPAN:
    case PROPERTY_BACKDATE:
    case PROPERTY_NUMBER:
        return S_INT(*(const int64_t *)member);
    default:
        return S_TEXT(*(char *const *)member);
    }
}

void template_property_read(struct template *template, const struct property *property,
                            const struct store_rows *rows, size_t row, size_t column)
{
    void *member = member_of(template, property);
    switch (property->kind) {
    case PROPERTY_USAGE:
        *(uint16_t *)member = (uint16_t)store_int(rows, row, column);
        return;
    case PROPERTY_SWITCH:
        *(bool *)member = store_int(rows, row, column) != 0;
        return;
    case PROPERTY_SPAN:
    case PROPERTY_BACKDATE:
    case PROPERTY_NUMBER:
        *(int64_t *)member = store_int(rows, row, column);
        return;
    default:
        free(*(char **)member);
        *(char **)member = xstrdup(store_str(rows, row, column));
    }
}

struct template *template_default(const char *name)
{
    struct template *template = xcalloc(1, sizeof(*template));
    template->name = xstrdup(name);
    template->display_name = xstrdup(name);
    template->purpose = xstrdup("signature");
    template->key_usage = KU_DIGITAL_SIGNATURE;
    template->eku_text = xstrdup("clientAuth");
    template->validity_s = 365 * 86400LL;
    template->renewal_s = 42 * 86400LL;
    template->backdate_s = -1;
    template->min_rsa_bits = LIMIT_RSA_BITS_MIN;
    template->key_algorithms = xstrdup("RSA P-256 P-384 P-521");
    template->hashes = xstrdup("SHA-1 SHA-256 SHA-384 SHA-512");
    template->subject_source = xstrdup("request");
    template->subject_rule = xstrdup("CN required");
    template->san_rule = xstrdup("");
    template->oid_text = xstrdup("");
    template->superseded = xstrdup("");
    return template;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A row of the option table judges what the file says for it. */
#include "base/fault.h"
#include "base/limits.h"
#include "config/internal.h"

#include <stdio.h>

/* Room for a list of words in a message; longer lists are cut. */
#define ALLOWED_BYTES 200

bool name_is_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > LIMIT_NAME_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!first && (i == 0 || !strchr("._-", c)))
            return false;
    }
    return true;
}

/* Decimal digits alone: strtoll would take spaces, "0x10" by other bases and a plus sign. */
static bool decimal_parse(const char *text, int64_t *ret)
{
    size_t len = strlen(text), sign = text[0] == '-';
    if (len == sign || len > 18 || strspn(text + sign, "0123456789") != len - sign)
        return false;
    *ret = strtoll(text, NULL, 10);
    return true;
}

static enum err refuse(const char *path, const struct config_value *value, const char *found,
                       const char *allowed, struct why *why)
{
    return fail(why, ERR_CONFIG, "%s:%d: option %s is \"%.80s\"; allowed is %s", path, value->line,
                value->row->name, found, allowed);
}

static enum err judge_int(const char *path, const struct config_value *value, const char *text, int64_t *ret,
                          struct why *why)
{
    const struct option_row *row = value->row;
    char allowed[ALLOWED_BYTES];
    snprintf(allowed, sizeof(allowed), "a whole number from %lld to %lld%s%s", (long long)row->min,
             (long long)row->max, *row->unit ? " " : "", row->unit);
    int64_t number;
    if (!decimal_parse(text, &number) || (!FAULT(config_bounds) && (number < row->min || number > row->max)))
        return refuse(path, value, text, allowed, why);
    *ret = number;
    return OK;
}

static enum err judge_bool(const char *path, const struct config_value *value, const char *text, int64_t *ret,
                           struct why *why)
{
    if (words_contain("true yes on", text))
        *ret = 1;
    else if (words_contain("false no off", text))
        *ret = 0;
    else
        return refuse(path, value, text, "true or false", why);
    return OK;
}

static enum err judge_word(const char *path, const struct config_value *value, const char *text,
                           struct why *why)
{
    char allowed[ALLOWED_BYTES];
    snprintf(allowed, sizeof(allowed), "one of: %s", value->row->words);
    return words_contain(value->row->words, text) ? OK : refuse(path, value, text, allowed, why);
}

/* Texts reach logs, certificates and system calls: no control characters, valid in length. */
static enum err judge_text(const char *path, const struct config_value *value, const char *text, size_t max,
                           struct why *why)
{
    size_t len = strlen(text);
    if (len > max)
        return fail(why, ERR_CONFIG, "%s:%d: option %s has %zu bytes; allowed are %zu", path, value->line,
                    value->row->name, len, max);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return fail(why, ERR_CONFIG,
                        "%s:%d: option %s has the control character 0x%02X; allowed is plain text", path,
                        value->line, value->row->name, (unsigned)(unsigned char)text[i]);
    }
    return OK;
}

#define LIST_ENTRY_BYTES 1024 /* any one value of a list */

static enum err judge_list(const char *path, const struct config_value *value, const char *const *texts,
                           size_t count, struct why *why)
{
    const struct option_row *row = value->row;
    if (count < (size_t)row->min || count > (size_t)row->max)
        return fail(why, ERR_CONFIG, "%s:%d: option %s has %zu values; allowed are %lld to %lld", path,
                    value->line, row->name, count, (long long)row->min, (long long)row->max);
    for (size_t i = 0; i < count; i++) {
        if (*row->words)
            TRY(judge_word(path, value, texts[i], why));
        TRY(judge_text(path, value, texts[i], LIST_ENTRY_BYTES, why));
        if (texts[i][0] == '\0' || strchr(texts[i], ' '))
            return refuse(path, value, texts[i], "a value without spaces", why);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(texts[i], texts[j]) == 0)
                return fail(why, ERR_CONFIG,
                            "%s:%d: option %s has \"%.80s\" twice; allowed is each value once", path,
                            value->line, row->name, texts[i]);
        }
    }
    return OK;
}

static enum err judge(const char *path, struct config_value *value, const char *const *texts, size_t count,
                      struct why *why)
{
    if (value->row->type == OPTION_LIST)
        return judge_list(path, value, texts, count, why);
    if (count != 1)
        return fail(why, ERR_CONFIG, "%s:%d: option %s has %zu values; allowed is one", path, value->line,
                    value->row->name, count);
    switch (value->row->type) {
    case OPTION_INT:
        return judge_int(path, value, texts[0], &value->number, why);
    case OPTION_BOOL:
        return judge_bool(path, value, texts[0], &value->number, why);
    case OPTION_ENUM:
        return judge_word(path, value, texts[0], why);
    default:
        return judge_text(path, value, texts[0], (size_t)value->row->max, why);
    }
}

void value_clear(struct config_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        free(value->texts[i]);
    free(value->texts);
    value->texts = NULL;
    value->count = 0;
}

static void value_keep(struct config_value *value, const char *const *texts, size_t count)
{
    char **copies = xcalloc(count, sizeof(*copies));
    for (size_t i = 0; i < count; i++)
        copies[i] = xstrdup(texts[i]);
    value_clear(value);
    value->texts = copies;
    value->count = count;
}

enum err value_set(const char *path, struct config_value *value, const char *const *texts, size_t count,
                   struct why *why)
{
    TRY(judge(path, value, texts, count, why));
    value_keep(value, texts, count);
    return OK;
}

/* A list's default is split at spaces; anything else is taken whole. */
void value_set_default(struct config_value *value)
{
    AUTO_STR copy = xstrdup(value->row->fallback);
    const char *texts[16] = { copy };
    size_t count = 1;
    if (value->row->type == OPTION_LIST) {
        count = 0;
        char *rest = copy;
        for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
            if (*word && count < sizeof(texts) / sizeof(*texts))
                texts[count++] = word;
        }
    }
    if (value->row->required) { /* has no default: the file must say it (check.c) */
        value_keep(value, texts, 1);
        return;
    }
    struct why why;
    if (value_set("default", value, texts, count, &why) != OK)
        die("option table: %s", why.text);
}

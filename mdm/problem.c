/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/problem.h"

#include "base/limits.h"
#include "x509/text.h"
#include <stdarg.h>
#include <stdio.h>

#define GOT_MOST  120 /* octets of a value that are shown */
#define RULE_MOST 470 /* of a rule, which may tell of values too: a sentence of struct why */

void problems_free(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->list[i].field);
        free(problems->list[i].got);
        free(problems->list[i].rule);
    }
    free(problems->list);
    *problems = (struct problems){ 0 };
}

/* On one line, and at most so much of it; never cut inside a character. */
static char *shown(struct bytes text, size_t most)
{
    AUTO_BUF out = { 0 };
    bool cut = text.len > most;
    if (cut)
        text.len = most;
    while (cut && text.len && (text.data[text.len] & 0xC0) == 0x80)
        text.len--;
    text_append_escaped(&out, text, "");
    if (cut)
        buf_append_str(&out, "...");
    return xstrdup(buf_text(&out));
}

__attribute__((format(printf, 5, 0))) static void add(struct problems *problems, bool warning,
                                                      const char *field, struct bytes got, const char *rule,
                                                      va_list args)
{
    if (problems->count == LIMIT_PROFILE_PROBLEMS) {
        problems->cut = true;
        problems->errors += !warning;
        return;
    }
    if (!problems->list)
        problems->list = xcalloc(LIMIT_PROFILE_PROBLEMS, sizeof(*problems->list));
    AUTO_STR text = NULL;
    if (vasprintf(&text, rule, args) < 0)
        die("out of memory");
    problems->errors += !warning;
    problems->list[problems->count++] = (struct problem){ .warning = warning,
                                                          .field = shown(bytes_str(field), GOT_MOST),
                                                          .got = got.len ? shown(got, GOT_MOST) : NULL,
                                                          .rule = shown(bytes_str(text), RULE_MOST) };
}

void problem_add(struct problems *problems, const char *field, struct bytes got, const char *rule, ...)
{
    va_list args;
    va_start(args, rule);
    add(problems, false, field, got, rule, args);
    va_end(args);
}

void problem_warn(struct problems *problems, const char *field, struct bytes got, const char *rule, ...)
{
    va_list args;
    va_start(args, rule);
    add(problems, true, field, got, rule, args);
    va_end(args);
}

/* The field itself, or a part of it: "eku" has what is said of "eku[0].oid". */
bool problems_have(const struct problems *problems, const char *field)
{
    size_t len = strlen(field);
    for (size_t i = 0; i < problems->count; i++) {
        const char *other = problems->list[i].field;
        if (strncmp(other, field, len) == 0 && (!other[len] || other[len] == '[' || other[len] == '.'))
            return true;
    }
    return false;
}

void problem_absent(struct problems *problems, const char *field, const char *rule, ...)
{
    va_list args;
    if (problems_have(problems, field))
        return;
    va_start(args, rule);
    add(problems, false, field, BYTES_NONE, rule, args);
    va_end(args);
}

void problem_append(struct buf *out, const struct problem *problem)
{
    if (strcmp(problem->field, "$") == 0)
        buf_append_str(out, problem->rule);
    else if (problem->got)
        buf_printf(out, "%s is \"%s\": %s", problem->field, problem->got, problem->rule);
    else
        buf_printf(out, "%s is not there: %s", problem->field, problem->rule);
}

enum err problems_judge(const struct problems *problems, struct why *why)
{
    AUTO_BUF text = { 0 };
    for (size_t i = 0; i < problems->count && !text.len; i++)
        if (!problems->list[i].warning)
            problem_append(&text, &problems->list[i]);
    if (!problems->errors)
        return OK;
    if (problems->errors > 1)
        buf_printf(&text, " (and %zu more)", problems->errors - 1);
    return fail(why, ERR_PROFILE, "%s", buf_text(&text));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a changed file says that roles which are running don't take over from it. */
#include "config/internal.h"

static bool value_equal(const struct config_value *a, const struct config_value *b)
{
    if (a->row->type == OPTION_INT || a->row->type == OPTION_BOOL)
        return a->number == b->number;
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = strcmp(a->texts[i], b->texts[i]) == 0;
    return equal;
}

static void append_section(struct buf *out, const struct config_section *section)
{
    buf_append_str(out, out->len ? ", " : "");
    if (*section->title)
        buf_printf(out, "%s \"%s\"", section->kind, section->title);
    else
        buf_append_str(out, section->kind);
}

static void compare_values(const struct config_section *running, const struct config_section *fresh,
                           struct buf *out)
{
    for (size_t i = 0; i < running->value_count; i++) {
        const struct option_row *row = running->values[i].row;
        if (row->change == OPTION_RELOAD || value_equal(&running->values[i], &fresh->values[i]))
            continue;
        append_section(out, running);
        buf_printf(out, "%s%s", *running->kind ? " " : "", row->name);
    }
}

static const struct config_section *section_like(const struct config *config, const struct config_section *as)
{
    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *section = &config->sections[i];
        if (strcmp(section->kind, as->kind) == 0 && strcmp(section->title, as->title) == 0)
            return section;
    }
    return NULL;
}

void config_restart_wanted(const struct config *running, const struct config *fresh, struct buf *ret_what)
{
    AUTO_BUF out = { 0 };
    compare_values(&running->top, &fresh->top, &out);
    for (size_t i = 0; i < running->section_count; i++) {
        const struct config_section *section = &running->sections[i], *other = section_like(fresh, section);
        if (other) {
            compare_values(section, other, &out);
        } else {
            append_section(&out, section);
            buf_append_str(&out, " (gone)");
        }
    }
    for (size_t i = 0; i < fresh->section_count; i++) {
        if (section_like(running, &fresh->sections[i]))
            continue;
        append_section(&out, &fresh->sections[i]);
        buf_append_str(&out, " (new)");
    }
    *ret_what = TAKE_BUF(out);
}

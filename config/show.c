/* SPDX-License-Identifier: Apache-2.0 */
/* The table in words: `config show`, and the options part of chancery.conf(5). */
#include "config/internal.h"

static void append_quoted(struct buf *out, const char *text)
{
    buf_append_byte(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_append_byte(out, '\\');
        buf_append_byte(out, (uint8_t)*at);
    }
    buf_append_byte(out, '"');
}

static void append_value(struct buf *out, const struct config_value *value)
{
    switch (value->row->type) {
    case OPTION_INT:
        buf_printf(out, "%lld", (long long)value->number);
        break;
    case OPTION_BOOL:
        buf_append_str(out, value->number ? "true" : "false");
        break;
    case OPTION_LIST:
        buf_append_byte(out, '{');
        for (size_t i = 0; i < value->count; i++) {
            buf_append_str(out, i ? ", " : "");
            append_quoted(out, value->texts[i]);
        }
        buf_append_byte(out, '}');
        break;
    default:
        append_quoted(out, value->texts[0]);
    }
}

static void append_origin(struct buf *out, const struct config *config, const struct config_value *value)
{
    if (!value->set) {
        buf_append_str(out, "    # default\n");
        return;
    }
    buf_printf(out, "    # %s:%d", config->path, value->line);
    struct config_value fallback = { .row = value->row };
    if (!value->row->required) {
        value_set_default(&fallback);
        buf_append_str(out, ", default ");
        append_value(out, &fallback);
        value_clear(&fallback);
    }
    buf_append_byte(out, '\n');
}

static void append_section(struct buf *out, const struct config *config, const struct config_section *section)
{
    const char *indent = *section->kind ? "    " : "";
    if (*section->kind) {
        buf_printf(out, "\n%s ", section->kind);
        if (*section->title) {
            append_quoted(out, section->title);
            buf_append_byte(out, ' ');
        }
        buf_append_str(out, "{\n");
    }
    for (size_t i = 0; i < section->value_count; i++) {
        buf_printf(out, "%s%s = ", indent, section->values[i].row->name);
        append_value(out, &section->values[i]);
        append_origin(out, config, &section->values[i]);
    }
    if (*section->kind)
        buf_append_str(out, "}\n");
}

/* The text is itself a configuration that loads to the same values. */
void config_show(const struct config *config, struct buf *ret_text)
{
    AUTO_BUF out = { 0 };
    append_section(&out, config, &config->top);
    for (size_t i = 0; i < config->section_count; i++)
        append_section(&out, config, &config->sections[i]);
    *ret_text = TAKE_BUF(out);
}

/* mdoc: '\' begins an escape, and a sentence begins a line. */
static void append_mdoc(struct buf *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\\')
            buf_append_str(out, "\\e");
        else if (*at == ' ' && at > text && at[-1] == '.')
            buf_append_byte(out, '\n');
        else
            buf_append_byte(out, (uint8_t)*at);
    }
    buf_append_byte(out, '\n');
}

static void append_bounds(struct buf *out, const struct option_row *row)
{
    const char *unit = *row->unit ? row->unit : "";
    switch (row->type) {
    case OPTION_INT:
        buf_printf(out, "Integer, %lld to %lld%s%s", (long long)row->min, (long long)row->max,
                   *unit ? " " : "", unit);
        break;
    case OPTION_BOOL:
        buf_append_str(out, "Boolean, true or false");
        break;
    case OPTION_LIST:
        buf_printf(out, "List of %lld to %lld values%s%s", (long long)row->min, (long long)row->max,
                   *row->words ? " out of: " : "", row->words);
        break;
    case OPTION_ENUM:
        buf_printf(out, "One of: %s", row->words);
        break;
    default:
        buf_printf(out, "Text of at most %lld bytes", (long long)row->max);
    }
}

static void append_option_manual(struct buf *out, const struct option_row *row)
{
    buf_printf(out, ".It Ic %s\n", row->name);
    append_mdoc(out, row->help);
    append_bounds(out, row);
    if (row->required)
        buf_append_str(out, "; required.\n");
    else
        buf_printf(out, "; default %s%s%s.\n", *row->fallback ? "\"" : "none", row->fallback,
                   *row->fallback ? "\"" : "");
    buf_append_str(out, row->change == OPTION_RELOAD ? "A reload applies it.\n" : "A restart applies it.\n");
}

static void append_section_manual(struct buf *out, const char *kind)
{
    buf_append_str(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < option_count(); i++) {
        if (strcmp(option_at(i)->section, kind) == 0)
            append_option_manual(out, option_at(i));
    }
    buf_append_str(out, ".El\n");
}

void options_manual(struct buf *ret_mdoc)
{
    AUTO_BUF out = { 0 };
    buf_append_str(&out, ".Ss Top level\n");
    append_section_manual(&out, "");
    for (size_t i = 0; i < section_row_count(); i++) {
        const struct section_row *row = section_row_at(i);
        buf_printf(&out, ".Ss %s%s\n", row->name, row->titled ? " \"NAME\"" : "");
        append_mdoc(&out, row->help);
        append_section_manual(&out, row->name);
    }
    *ret_mdoc = TAKE_BUF(out);
}

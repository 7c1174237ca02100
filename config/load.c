/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the file with libconfuse, every value as text, and hands the texts to the option table. */
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "config/internal.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_ROWS 128 /* options and sections of one level, and the end mark */

/* libconfuse's own view of the table: everything is text or a list of texts, so that we judge and word
 * errors. */
struct schema {
    cfg_opt_t top[SCHEMA_ROWS];
    cfg_opt_t inner[8][SCHEMA_ROWS];
};

static size_t schema_options(const char *kind, cfg_opt_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < option_count(); i++) {
        const struct option_row *row = option_at(i);
        if (strcmp(row->section, kind) != 0)
            continue;
        if (count + 8 >= SCHEMA_ROWS)
            die("option table: more than %d options in section \"%s\"", SCHEMA_ROWS, kind);
        const cfg_opt_t text = CFG_STR(row->name, NULL, CFGF_NODEFAULT);
        const cfg_opt_t list = CFG_STR_LIST(row->name, NULL, CFGF_NODEFAULT);
        out[count++] = row->type == OPTION_LIST ? list : text;
    }
    return count;
}

static void schema_build(struct schema *schema)
{
    const cfg_opt_t end = CFG_END();
    size_t count = schema_options("", schema->top);
    for (size_t i = 0; i < section_row_count(); i++) {
        const struct section_row *row = section_row_at(i);
        schema->inner[i][schema_options(row->name, schema->inner[i])] = end;
        cfg_flag_t flags = CFGF_MULTI | (row->titled ? CFGF_TITLE | CFGF_NO_TITLE_DUPES : CFGF_NONE);
        const cfg_opt_t section = CFG_SEC(row->name, schema->inner[i], flags);
        schema->top[count++] = section;
    }
    schema->top[count] = end;
}

/* libconfuse hands its error function no argument of ours, so the message rides in the comment of the level
 * at fault. */
__attribute__((format(printf, 2, 0))) static void error_keep(cfg_t *cfg, const char *format, va_list args)
{
    char text[300];
    vsnprintf(text, sizeof(text), format, args);
    if (!cfg->comment)
        cfg->comment = strdup(text);
}

static const cfg_t *error_find(cfg_t *root)
{
    for (size_t i = 0; i < section_row_count() && !root->comment; i++) {
        const char *kind = section_row_at(i)->name;
        for (unsigned nth = 0; nth < cfg_size(root, kind); nth++) {
            const cfg_t *section = cfg_getnsec(root, kind, nth);
            if (section && section->comment)
                return section;
        }
    }
    return root;
}

static enum err parse_failed(const char *path, cfg_t *root, struct why *why)
{
    const cfg_t *at = error_find(root);
    const char *text = at->comment ? at->comment : "syntax error";
    const char *hint =
        strncmp(text, "no such option", 14) == 0 ? "; allowed are the options of chancery.conf(5)" : "";
    return fail(why, ERR_CONFIG, "%s:%d: %s%s", path, at->line, text, hint);
}

static enum err take_values(const char *path, cfg_t *from, const struct line_index *index, size_t at,
                            struct config_section *section, struct why *why)
{
    for (size_t i = 0; i < section->value_count; i++) {
        struct config_value *value = &section->values[i];
        int line = line_index_option(index, at, value->row->name);
        unsigned count = cfg_size(from, value->row->name);
        if ((line == 0) != (count == 0) && value->row->type != OPTION_LIST)
            return fail(why, ERR_CONFIG, "%s:%d: option %s cannot be read; put it on a line of its own", path,
                        section->line, value->row->name);
        if (line == 0)
            continue;
        value->set = true;
        value->line = line;
        const char **texts = xcalloc(count, sizeof(*texts));
        for (unsigned nth = 0; nth < count; nth++)
            texts[nth] = cfg_getnstr(from, value->row->name, nth);
        enum err err = value_set(path, value, texts, count, why);
        free(texts);
        TRY(err);
    }
    return OK;
}

static enum err take_section(struct config *config, cfg_t *from, const struct section_row *row,
                             const struct line_index *index, struct why *why)
{
    /* The nth of its kind here is the nth in the file: libconfuse appends in order. */
    size_t at, nth = config_count(config, row->name);
    const struct line_mark *mark = line_index_section(index, row->name, nth, &at);
    if (!mark)
        return fail(why, ERR_CONFIG, "%s: section %s cannot be read; put it on a line of its own",
                    config->path, row->name);
    const char *title = row->titled ? cfg_title(from) : "";
    if (row->titled && !name_is_valid(title))
        return fail(why, ERR_CONFIG,
                    "%s:%d: %s \"%.80s\": allowed is a name of 1 to %d of a-z, 0-9, '.', '_' and '-', a "
                    "letter or digit first",
                    config->path, mark->line, row->name, title, LIMIT_NAME_BYTES);
    if (!row->titled && nth > 0)
        return fail(why, ERR_CONFIG, "%s:%d: section %s is there twice; allowed is once", config->path,
                    mark->line, row->name);
    struct config_section *section = &config->sections[config->section_count++];
    section_init(section, row->name, title, mark->line);
    return take_values(config->path, from, index, at, section, why);
}

/* An untitled section that the file leaves out has its defaults all the same. */
static void add_missing(struct config *config)
{
    for (size_t i = 0; i < section_row_count(); i++) {
        const struct section_row *row = section_row_at(i);
        if (row->titled || config_count(config, row->name) > 0)
            continue;
        struct config_section *section = &config->sections[config->section_count++];
        section_init(section, row->name, "", 0);
        section->present = false;
    }
}

static enum err take_all(struct config *config, cfg_t *root, const struct line_index *index, struct why *why)
{
    section_init(&config->top, "", "", 0);
    TRY(take_values(config->path, root, index, SIZE_MAX, &config->top, why));
    config->sections = xcalloc(index->section_count + section_row_count(), sizeof(*config->sections));
    for (size_t i = 0; i < section_row_count(); i++) {
        const struct section_row *row = section_row_at(i);
        for (unsigned nth = 0; nth < cfg_size(root, row->name); nth++)
            TRY(take_section(config, cfg_getnsec(root, row->name, nth), row, index, why));
    }
    add_missing(config);
    return OK;
}

static enum err parse(struct config *config, struct buf *text, const struct line_index *index,
                      struct why *why)
{
    struct schema *schema = xcalloc(1, sizeof(*schema));
    schema_build(schema);
    cfg_t *root = cfg_init(schema->top, FAULT(config_unknown_option) ? CFGF_IGNORE_UNKNOWN : CFGF_NONE);
    if (!root)
        die("out of memory: reading the configuration");
    cfg_set_error_function(root, error_keep);
    enum err err = OK;
    /* fmemopen refuses an empty buffer; an empty file is a configuration of defaults. */
    if (text->len && cfg_parse_buf(root, buf_text(text)) != CFG_SUCCESS)
        err = parse_failed(config->path, root, why);
    if (err == OK)
        err = take_all(config, root, index, why);
    cfg_free(root);
    free(schema);
    return err;
}

static enum err text_check(const char *path, struct bytes text, struct why *why)
{
    const uint8_t *nul = text.len ? memchr(text.data, '\0', text.len) : NULL;
    if (nul)
        return fail(why, ERR_CONFIG, "%s: a NUL byte at offset %td; allowed is text", path, nul - text.data);
    return OK;
}

enum err config_load_open(int fd, const char *path, struct config **ret, struct why *why)
{
    struct stat file;
    if (fstat(fd, &file) != 0)
        return fail(why, ERR_IO, "cannot examine %s: %s", path, strerror(errno));
    AUTO_BUF text = { 0 };
    TRY(file_read_open(fd, path, LIMIT_CONFIG_BYTES, &text, why));
    TRY(text_check(path, buf_bytes(&text), why));
    struct line_index index;
    TRY(line_index_build(path, &text, &index, why));
    AUTO(config) config = xcalloc(1, sizeof(*config));
    config->path = xstrdup(path);
    enum err err = parse(config, &text, &index, why);
    line_index_free(&index);
    TRY(err);
    TRY(config_check(config, &file, why));
    *ret = TAKE(config);
    return OK;
}

static enum err fail_config(const char *path, struct why *why)
{
    if (errno == ENOENT)
        return fail_remedy(why,
                           "name the site's configuration with --config FILE or its folder with --dir DIR; "
                           "chancery init makes a site",
                           ERR_NOT_FOUND, "there is no configuration %s", path);
    return fail(why, ERR_IO, "cannot open %s: %s", path, strerror(errno));
}

enum err config_load(const char *path, struct config **ret, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_config(path, why);
    enum err err = config_load_open(fd, path, ret, why);
    close(fd);
    return err;
}

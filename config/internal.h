/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of config/ share: how a configuration lies in memory. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"
#include "config/config.h"
#include "config/options.h"

struct config_value {
    const struct option_row *row;
    bool set;                                                /* written in the file, at line */
    int line;
    char **texts;                                            /* one, but for LIST */
    size_t count;
    int64_t number;                                          /* INT and BOOL */
};
struct config_section {
    const char *kind;                                        /* "endpoint"; "" for the top level */
    char *title;                                             /* "" when it has none */
    int line;
    bool present;                                            /* false: an untitled section the file does not have */
    struct config_value *values;                             /* one per row of that kind, in table order */
    size_t value_count;
};
struct config {
    char *path;
    struct config_section top;
    struct config_section *sections;
    size_t section_count;
};

/* lines.c: where sections and options stand, which libconfuse does not keep. */
struct line_mark { char *name; int line; size_t section; };  /* section: index into sections, SIZE_MAX for the top level */
struct line_index { struct line_mark *sections; size_t section_count; struct line_mark *options; size_t option_count; };
NODISCARD enum err line_index_build(const char *path, struct buf *text, struct line_index *ret, struct why *why);   /* blanks comments */
void line_index_free(struct line_index *index);
/* The nth section of that kind; NULL when there are fewer. *ret_index is what options refer to. */
const struct line_mark *line_index_section(const struct line_index *index, const char *kind, size_t nth, size_t *ret_index);
int line_index_option(const struct line_index *index, size_t section, const char *name);   /* 0: not there */

/* value.c: a row judges what the file says. Takes no ownership of texts. */
NODISCARD enum err value_set(const char *path, struct config_value *value, const char *const *texts, size_t count,
                             struct why *why);
void value_set_default(struct config_value *value);
void value_clear(struct config_value *value);
bool name_is_valid(const char *name);                        /* [a-z0-9][a-z0-9._-]*, at most LIMIT_NAME_BYTES */

/* section.c */
void section_init(struct config_section *section, const char *kind, const char *title, int line);
void section_clear(struct config_section *section);
struct config_value *section_value(const struct config_section *section, const char *option);   /* NULL: kept out or unknown */

/* check.c: what no single row can say. */
struct stat;
NODISCARD enum err config_check(const struct config *config, const struct stat *file, struct why *why);
NODISCARD enum err check_directory(const struct config *config, const struct config_section *directory, struct why *why);   /* check_directory.c */

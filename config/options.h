/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: one row per option carries its type, default, bounds, unit, owners and help. The reader, `config
   show`, the man page and the tests all work from these rows. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type { OPTION_STR, OPTION_INT, OPTION_BOOL, OPTION_LIST, OPTION_ENUM };
enum option_change { OPTION_RESTART, OPTION_RELOAD };        /* when a changed value takes effect */

struct option_row {
    const char *section;                                     /* "" for the top level */
    const char *name;
    enum option_type type;
    const char *fallback;                                    /* as written in the file; LIST: separated by spaces */
    int64_t min, max;                                        /* INT: value; STR: bytes; LIST: number of values */
    const char *unit;                                        /* of INT: "s"; "" when it counts things */
    const char *words;                                       /* ENUM, and LIST of known words: separated by spaces */
    enum option_change change;
    const char *owners;                                      /* roles that keep it, separated by spaces; "" = every role */
    bool required;
    const char *help;
};

struct section_row {
    const char *name;
    bool titled;
    const char *owners;                                      /* as above */
    const char *help;
};

#define CONFIG_ROLES "signer ca scep va mdm"                 /* every role that this release can run */
#define CONFIG_ROLES_DEFAULT "signer ca scep va"             /* mdm is for sites that manage devices */

size_t section_row_count(void);
const struct section_row *section_row_at(size_t index);      /* the top level is not among them */
const struct option_row *option_find(const char *section, const char *name);   /* NULL when the table lacks it */
/* Is `word` one of the space-separated words? */
bool words_contain(const char *words, const char *word);
const char *option_type_name(enum option_type type);         /* "integer" */

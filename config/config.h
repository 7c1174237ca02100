/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: libconfuse reads it, one option table judges it. Lookups by a name that the table lacks are our own
   bug and assert. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

#define CONFIG_LIST_MAX 64                                   /* values of any one list */

struct config;
struct config_section;                                       /* the top level, or one titled section; borrowed */
/* Every error names file, line, option, the value found and what is allowed. */
NODISCARD enum err config_load(const char *path, struct config **ret, struct why *why);
NODISCARD enum err config_load_open(int fd, const char *path, struct config **ret, struct why *why);   /* path: for messages */
void config_free(struct config *config);
AUTO_DECLARE(config)
/* Drops every section and option that `role` does not own (house rule 24: each role keeps only its config slice). */
void config_keep(struct config *config, const char *role);
const char *config_path(const struct config *config);

const struct config_section *config_top(const struct config *config);
size_t config_count(const struct config *config, const char *section);                 /* "endpoint" */
const struct config_section *config_at(const struct config *config, const char *section, size_t index);
const struct config_section *config_find(const struct config *config, const char *section, const char *title);
const char *config_title(const struct config_section *section);                        /* "" for the top level */
/* Borrowed; the table's default where the file says nothing. */
const char *config_str(const struct config_section *section, const char *option);      /* never NULL; "" when unset */
int64_t config_int(const struct config_section *section, const char *option);
bool config_bool(const struct config_section *section, const char *option);
size_t config_list_count(const struct config_section *section, const char *option);
const char *config_list_at(const struct config_section *section, const char *option, size_t index);
bool config_is_set(const struct config_section *section, const char *option);          /* written in the file */
int config_line(const struct config_section *section, const char *option);             /* 0: not in the file */

/* What differs and a reload does not apply: "workers, endpoint \"x\" (new)"; empty when nothing does. */
void config_restart_wanted(const struct config *running, const struct config *fresh, struct buf *ret_what);

/* Where things are (design.md section 8): state_dir, run_dir, log_dir, etc_dir of the file; caller frees. */
char *config_role_path(const struct config *config, const char *role, const char *file);     /* state_dir/ROLE/FILE */
char *config_secret_path(const struct config *config, const char *role, const char *file);   /* etc_dir/secrets/ROLE/FILE */
char *config_log_path(const struct config *config, const char *role, const char *file);
char *config_socket_path(const struct config *config, const char *server, const char *client); /* run_dir/SERVER-CLIENT/socket */

/* For `config show`, the man page and the tests. */
struct option_row;
size_t option_count(void);
const struct option_row *option_at(size_t index);
void config_show(const struct config *config, struct buf *ret_text);   /* every option, value, default, where it is set */
void options_manual(struct buf *ret_mdoc);                             /* the OPTIONS part of chancery.conf(5) */

/* SPDX-License-Identifier: Apache-2.0 */
/* What a command is: one row, in the file that holds the whole of it. */
#pragma once
#include "config/config.h"
#include "ipc/record.h"

struct cli {
    const char *config_path;                    /* of --config or --dir */
    const char *dir;                            /* of --dir; NULL: none */
    bool json;
    const char *command_line;                   /* "cert list", for messages */
    struct config *config;                      /* loaded on demand by cli_config */
};

struct command {
    const char *noun, *verb;                    /* verb "": stands alone (init, status) */
    bool dashed;                                /* the verb may be written as Windows' tool has it: -verb, in any case */
    const char *args, *help;
    /* argv[0] is the command's name; returns OK or prints nothing and gives the error and the sentence. */
    enum err (*run)(struct cli *cli, int argc, char **argv, struct why *why);
};
extern const struct command *const commands[];               /* NULL-terminated, in the order of the help text */

/* The configuration that --config or --dir names. */
NODISCARD enum err cli_config(struct cli *cli, const struct config **ret, struct why *why);
/* Asks a role: body is a record's DER; *ret_answer is the answer's body. */
NODISCARD enum err cli_call(struct cli *cli, const char *role, const char *verb, struct bytes body, struct buf *ret_answer,
                            struct why *why);
/* Exactly `count` operands, or ERR_USAGE. */
NODISCARD enum err cli_operands(int argc, int count, struct why *why);

/* A role answers with a list, also where there can only be one: its only record. */
NODISCARD enum err cli_record(struct bytes answer, struct record *ret, struct why *why);
bool cli_is_record(struct bytes answer);                     /* one, and not several */
/* cli/print.c: a record's fields as strings of a new object (json_t of jansson). */
struct json_t;
struct json_t *cli_record_json(struct record record);
/* Prints and frees it. */
void cli_print_json(struct json_t *value);
/* The rows of a list, or of a page of it; a page that is not the last one ends in what to go on before (ca/verbs.h). */
struct cli_more { bool are; struct bytes before; };
bool cli_row_next(struct der_reader *list, struct record *ret, struct cli_more *more);
/* An answer as an aligned table or as JSON; the columns are the records' own fields. */
NODISCARD enum err cli_print_list(const struct cli *cli, struct bytes answer, struct why *why);
NODISCARD enum err cli_print_record(const struct cli *cli, struct bytes answer, struct why *why);
/* One field as it is (PEM), or {field: value} as JSON. */
NODISCARD enum err cli_print_field(const struct cli *cli, struct bytes answer, const char *field, struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask one role one thing are data: which verb, which operands and options, how the answer is shown. */
#pragma once
#include "cli/command.h"

/* ASK_RECORDS: one as a record, several as a list. ASK_JSON: always as JSON. */
enum ask_show { ASK_LIST, ASK_RECORD, ASK_RECORDS, ASK_FIELD, ASK_JSON };
#define ASK_FIELDS_MAX 10
struct ask {
    const char *role, *verb;
    const char *operands[ASK_FIELDS_MAX];       /* field names, in order; a last one that begins with '?' may be absent */
    const char *options[ASK_FIELDS_MAX];        /* "--limit N" travels as the field "limit"; of "@certificate" FILE the certificate does, in base64 */
    bool pairs;                                 /* further operands are NAME=VALUE, and travel as the field NAME */
    enum ask_show show;
    const char *field;                          /* ASK_FIELD */
};
NODISCARD enum err ask_run(const struct ask *ask, struct cli *cli, int argc, char **argv, struct why *why);

/* One command: its row, its question, and the function that joins them. */
#define ASK_COMMAND(id, noun_, verb_, args_, help_, ...)                                                 \
    extern const struct command command_##id;                                                            \
    static enum err id##_run(struct cli *cli, int argc, char **argv, struct why *why)                    \
    {                                                                                                    \
        const struct ask ask = { __VA_ARGS__ };                                                          \
        return ask_run(&ask, cli, argc, argv, why);                                                      \
    }                                                                                                    \
    const struct command command_##id = {                                                                \
        .noun = noun_, .verb = verb_, .args = args_, .help = help_, .run = id##_run                      \
    };

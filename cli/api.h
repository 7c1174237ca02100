/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the directory are data, too: which route of mdm's administration API, what of the command line goes where, how the answer is
   shown. They go through mdm's socket, which says who asks; so they need no password, and no listener. */
#pragma once
#include "cli/command.h"

/* "--wifi-mac TEXT" is the member or query parameter wifi_mac. */
enum api_kind {
    API_TEXT,
    API_FLAG,                                                /* true or false */
    API_SWITCH,                                              /* "--group" alone: `value` goes to `member` */
    API_NUMBER,                                              /* a whole number */
    API_COUNT,                                               /* of list: how many at most, over all pages */
};
struct api_option { const char *name; enum api_kind kind; const char *member, *value; };   /* without a name: the last one */
enum api_show { API_NOTHING, API_OBJECT, API_LIST, API_IMPORTED,
                API_TOLD,                                    /* its member text */
                API_ITEMS };                                 /* a list that has no pages */
struct api {
    const char *method;
    const char *path;                                        /* {} is an operand, percent-encoded */
    const char *operand;                                     /* a further one is that member of the body; NULL: there is none */
    const struct api_option *options;                        /* NULL: none. Of a body where the method has one, else of the query */
    bool file;                                               /* "-f FILE" is the body, as it is; JSON */
    const char *body;                                        /* JSON of what the command always says; NULL: what operand and options say */
    const char *columns;                                     /* of a list, separated by spaces */
    enum api_show show;                                      /* API_IMPORTED: the operand is a file that is sent as it is */
};
NODISCARD enum err api_run(const struct api *api, struct cli *cli, int argc, char **argv, struct why *why);

/* One command: its row, its request, and the function that joins them. */
#define API_COMMAND(id, noun_, verb_, args_, help_, ...)                                                 \
    extern const struct command command_##id;                                                            \
    static enum err id##_run(struct cli *cli, int argc, char **argv, struct why *why)                    \
    {                                                                                                    \
        const struct api api = { __VA_ARGS__ };                                                          \
        return api_run(&api, cli, argc, argv, why);                                                      \
    }                                                                                                    \
    const struct command command_##id = {                                                                \
        .noun = noun_, .verb = verb_, .args = args_, .help = help_, .run = id##_run                      \
    };

/* cli/api_call.c: one request. An answer that is a problem is its error. *ret_json NULL: no body; the caller owns it. */
struct api_message { const char *method; struct bytes target, content_type, body; };
NODISCARD enum err api_call(struct cli *cli, const struct api_message *message, struct json_t **ret_json, struct why *why);
void api_encode(struct buf *target, const char *text);       /* percent-encodes */
/* cli/api_show.c */
void api_findings_show(const struct json_t *findings, const char *before); /* a line each, on standard error */
void api_warn(const struct json_t *answer);                  /* what it warns of, on standard error; NULL: nothing */
void api_show_object(const struct cli *cli, const struct json_t *object);
void api_show_text(const struct cli *cli, const struct json_t *object);
void api_show_list(const struct cli *cli, const struct json_t *items, const char *columns);

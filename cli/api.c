/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line to a request. */
#include "cli/api.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include <jansson.h>
#include <stdio.h>

#define OPERANDS_MAX 3

/* The request while the command line is read. */
struct request {
    const struct api *api;
    struct buf target, query;
    json_t *body;
    const char *operands[OPERANDS_MAX];
    size_t operand_count;
    const char *file; /* of -f; NULL: none */
    size_t most;      /* of API_COUNT; 0: all */
    bool given;       /* an option was */
};

static void request_free(struct request *request)
{
    buf_free(&request->target);
    buf_free(&request->query);
    json_decref(request->body);
}

static enum err wrong_usage(const char *what, const char *argument, struct why *why)
{
    return fail(why, ERR_USAGE, "%s%s", what, argument);
}

/* --- options --- */

static const struct api_option *option_find_named(const struct api *api, const char *argument)
{
    if (strncmp(argument, "--", 2) != 0)
        return NULL;
    for (const struct api_option *at = api->options; at && at->name; at++) {
        if (strcmp(at->name, argument + 2) == 0)
            return at;
    }
    return NULL;
}

static char *member_name(const struct api_option *option)
{
    char *name = xstrdup(option->member ? option->member : option->name);
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : *at;
    return name;
}

static bool has_body(const struct api *api)
{
    return api->show != API_IMPORTED && !api->file &&
           (strcmp(api->method, "POST") == 0 || strcmp(api->method, "PATCH") == 0);
}

static void query_put(struct request *request, const char *name, const char *value)
{
    buf_append_str(&request->query, request->query.len ? "&" : "?");
    buf_printf(&request->query, "%s=", name);
    api_encode(&request->query, value);
}

static enum err body_put(struct request *request, const struct api_option *option, const char *name,
                         const char *value, struct why *why)
{
    bool yes = strcmp(value, "true") == 0, no = strcmp(value, "false") == 0;
    if (option->kind == API_FLAG && !yes && !no)
        return fail(why, ERR_USAGE, "--%s is \"%s\"; allowed is true or false", option->name, value);
    size_t digits = strspn(value, "0123456789");
    if (option->kind == API_NUMBER && (value[digits] || !digits || digits > 9))
        return fail(why, ERR_USAGE, "--%s is \"%s\"; allowed is a whole number", option->name, value);
    if (option->kind == API_NUMBER) {
        json_object_set_new(request->body, name, json_integer(strtol(value, NULL, 10)));
        return OK;
    }
    json_t *json = option->kind == API_FLAG ? json_boolean(yes) : json_string(value);
    if (!json)
        return fail(why, ERR_USAGE, "--%s is no text in UTF-8", option->name);
    json_object_set_new(request->body, name, json);
    return OK;
}

static enum err count_read(struct request *request, const char *value, struct why *why)
{
    size_t digits = strspn(value, "0123456789");
    request->most = value[digits] || digits > 9 ? 0 : (size_t)strtoul(value, NULL, 10);
    return request->most ? OK : wrong_usage("no number from 1 on: ", value, why);
}

static enum err option_take(struct request *request, const struct api_option *option, const char *value,
                            struct why *why)
{
    AUTO_STR name = member_name(option);
    AUTO_STR parameter = xasprintf("%s=", name);
    bool twice = json_object_get(request->body, name) || strstr(buf_text(&request->query), parameter);
    if (twice && !FAULT(api_given_twice))
        return wrong_usage("given twice: --", option->name, why);
    request->given = true;
    if (option->kind == API_COUNT)
        return count_read(request, value, why);
    if (has_body(request->api))
        return body_put(request, option, name, value, why);
    query_put(request, name, value);
    return OK;
}

/* "-f FILE" */
static enum err file_take(struct request *request, int left, char **argv, struct why *why)
{
    if (request->file || left < 2)
        return wrong_usage(request->file ? "given twice: " : "value missing behind ", "-f", why);
    request->file = argv[1];
    return OK;
}

static enum err arguments_read(struct request *request, int argc, char **argv, struct why *why)
{
    const struct api *api = request->api;
    for (int i = 1; i < argc; i++) {
        const struct api_option *option = option_find_named(api, argv[i]);
        bool alone = option && option->kind == API_SWITCH;
        if (api->file && strcmp(argv[i], "-f") == 0) {
            TRY(file_take(request, argc - i, &argv[i], why));
            i++;
            continue;
        }
        if (option && !alone && i + 1 == argc)
            return wrong_usage("value missing behind ", argv[i], why);
        if (option)
            TRY(option_take(request, option, alone ? option->value : argv[++i], why));
        else if (strncmp(argv[i], "--", 2) == 0 || request->operand_count == OPERANDS_MAX)
            return wrong_usage("unexpected ", argv[i], why);
        else
            request->operands[request->operand_count++] = argv[i];
    }
    return OK;
}

/* --- operands --- */

/* The path with its operands; *ret_used of them. */
static enum err path_make(struct request *request, size_t *ret_used, struct why *why)
{
    size_t used = 0;
    for (const char *at = request->api->path; *at; at++) {
        if (*at != '{') {
            buf_append_byte(&request->target, (uint8_t)*at);
            continue;
        }
        if (used == request->operand_count || !*request->operands[used])
            return wrong_usage("operand missing", "", why);
        api_encode(&request->target, request->operands[used++]);
        at++;
    }
    *ret_used = used;
    return OK;
}

static enum err operands_take(struct request *request, struct why *why)
{
    const struct api *api = request->api;
    size_t used;
    TRY(path_make(request, &used, why));
    if (api->operand || api->show == API_IMPORTED) {
        if (used == request->operand_count)
            return wrong_usage("operand missing", "", why);
        const struct api_option named = { .name = api->operand };
        if (api->operand)
            TRY(body_put(request, &named, api->operand, request->operands[used], why));
        used++;
    }
    if (used < request->operand_count)
        return wrong_usage("unexpected ", request->operands[used], why);
    if (strcmp(api->method, "PATCH") == 0 && !api->body && !request->given)
        return wrong_usage("nothing to change", "", why);
    return api->file && !request->file ? wrong_usage("missing: ", "-f FILE", why) : OK;
}

/* --- sending --- */

static enum err send(struct cli *cli, const struct request *request, struct bytes target, json_t **ret,
                     struct why *why)
{
    const struct api *api = request->api;
    struct api_message message = { .method = api->method, .target = target };
    char *text = has_body(api) && !api->body ? json_dumps(request->body, JSON_COMPACT) : NULL;
    if (text || api->body) {
        message.body = bytes_str(text ? text : api->body);
        message.content_type = BYTES_LIT("application/json");
    }
    enum err err = api_call(cli, &message, ret, why);
    free(text);
    return err;
}

static enum err send_file(struct cli *cli, const struct request *request, json_t **ret, struct why *why)
{
    AUTO_BUF file = { 0 };
    TRY(file_read(request->file, LIMIT_API_BODY_BYTES, &file, why));
    const struct api_message message = { request->api->method, buf_bytes(&request->target),
                                         BYTES_LIT("application/json"), buf_bytes(&file) };
    return api_call(cli, &message, ret, why);
}

static enum err send_once(struct cli *cli, struct request *request, struct why *why)
{
    json_t *answer = NULL;
    buf_append(&request->target, buf_bytes(&request->query));
    TRY(request->file ? send_file(cli, request, &answer, why)
                      : send(cli, request, buf_bytes(&request->target), &answer, why));
    api_warn(answer);
    if (answer && request->api->show == API_OBJECT)
        api_show_object(cli, answer);
    else if (answer && request->api->show == API_TOLD)
        api_show_text(cli, answer);
    else if (answer && request->api->show == API_ITEMS)
        api_show_list(cli, json_object_get(answer, "items"), request->api->columns);
    json_decref(answer);
    return OK;
}

static size_t page_rows(const struct request *request, size_t have)
{
    size_t left = request->most ? request->most - have : LIMIT_PAGE_ROWS;
    return left < LIMIT_PAGE_ROWS ? left : LIMIT_PAGE_ROWS;
}

/* All pages, one after the other. */
static enum err list_fetch(struct cli *cli, struct request *request, json_t *items, struct why *why)
{
    AUTO_STR after = NULL;
    do {
        AUTO_BUF target = buf_dup(buf_bytes(&request->target));
        json_t *answer = NULL;
        buf_append(&target, buf_bytes(&request->query));
        buf_printf(&target, "%slimit=%zu", request->query.len ? "&" : "?",
                   page_rows(request, json_array_size(items)));
        if (after)
            buf_printf(&target, "&after=%s", after);
        TRY(send(cli, request, buf_bytes(&target), &answer, why));
        json_array_extend(items, json_object_get(answer, "items"));
        const char *next = json_string_value(json_object_get(answer, "next"));
        free(after);
        after = next ? xstrdup(next) : NULL;
        json_decref(answer);
    } while (after && (!request->most || json_array_size(items) < request->most));
    if (after)
        fprintf(stderr, "There are more: raise --limit.\n");
    return OK;
}

static enum err list_run(struct cli *cli, struct request *request, struct why *why)
{
    json_t *items = json_array();
    enum err err = list_fetch(cli, request, items, why);
    if (err == OK)
        api_show_list(cli, items, request->api->columns);
    json_decref(items);
    return err;
}

static enum err import_run(struct cli *cli, struct request *request, struct why *why)
{
    const char *path = request->operands[0]; /* operands_take has seen to it */
    const char *dot = path ? strrchr(path, '.') : NULL;
    bool json = dot && strcmp(dot, ".json") == 0;
    AUTO_BUF file = { 0 };
    json_t *answer = NULL;
    TRY(file_read(path, LIMIT_IMPORT_BYTES, &file, why));
    buf_append(&request->target, buf_bytes(&request->query));
    const struct api_message message = { request->api->method, buf_bytes(&request->target),
                                         json ? BYTES_LIT("application/json") : BYTES_LIT("text/csv"),
                                         buf_bytes(&file) };
    TRY(api_call(cli, &message, &answer, why));
    api_show_object(cli, answer);
    json_decref(answer);
    return OK;
}

static enum err request_run(struct cli *cli, struct request *request, int argc, char **argv, struct why *why)
{
    TRY(arguments_read(request, argc, argv, why));
    TRY(operands_take(request, why));
    if (request->api->show == API_LIST)
        return list_run(cli, request, why);
    return request->api->show == API_IMPORTED ? import_run(cli, request, why) : send_once(cli, request, why);
}

enum err api_run(const struct api *api, struct cli *cli, int argc, char **argv, struct why *why)
{
    AUTO_VAL(request) request = { .api = api, .body = json_object() };
    return request_run(cli, &request, argc, argv, why);
}

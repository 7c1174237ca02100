/* SPDX-License-Identifier: Apache-2.0 */
/* A request to mdm's administration API, and what it answers. */
#include "cli/api.h"
#include "cli/call.h"

#include "base/limits.h"
#include <ctype.h>
#include <jansson.h>

#define IMPORT_TIMEOUT_MS 600000 /* a file of 100,000 devices takes seconds; a slow disk some more */

void api_encode(struct buf *target, const char *text)
{
    for (const char *at = text; *at; at++) {
        bool plain = isalnum((unsigned char)*at) || strchr("-._~@", *at);
        if (plain)
            buf_append_byte(target, (uint8_t)*at);
        else
            buf_printf(target, "%%%02X", (unsigned char)*at);
    }
}

static enum err problem(const json_t *json, int64_t status, struct why *why)
{
    const char *code = json_string_value(json_object_get(json, "code"));
    const char *detail = json_string_value(json_object_get(json, "detail"));
    const char *id = json_string_value(json_object_get(json, "id"));
    enum err err = code ? err_by_name(code, strlen(code)) : ERR_PROTOCOL;
    const json_t *problems = json_object_get(json, "problems");
    if (json_array_size(problems) > 1)
        api_findings_show(problems, "");
    if (id)
        return fail(why, err, "mdm's log says more under the id %s", id);
    return detail ? fail(why, err, "%s", detail) : fail(why, err, "status %lld", (long long)status);
}

/* Where a text stops being UTF-8 without NUL, as people count. */
static size_t line_of_wrong(struct bytes text)
{
    size_t line = 1;
    uint32_t point;
    for (size_t at = 0, len; at < text.len; at += len) {
        len = utf8_sequence(bytes_of(text.data + at, text.len - at), &point);
        if (len == 0 || point == 0)
            return line;
        line += text.data[at] == '\n';
    }
    return line;
}

static enum err message_put(const struct api_message *message, struct buf *out, struct why *why)
{
    if (!utf8_is_valid(message->body))
        return fail(why, ERR_VALUE, "line %zu is not UTF-8 without NUL: save the file as UTF-8",
                    line_of_wrong(message->body));
    if (!utf8_is_valid(message->target))
        return fail(why, ERR_USAGE, "an argument is no text in UTF-8");
    size_t mark = record_begin(out);
    record_put_str(out, "method", message->method);
    record_put(out, "target", message->target);
    record_put(out, "content_type", message->content_type);
    record_put(out, "body", message->body);
    record_end(out, mark);
    return OK;
}

static enum err answer_take(struct bytes answer, json_t **ret_json, struct why *why)
{
    struct record record;
    struct bytes body = BYTES_NONE;
    json_error_t error;
    TRY(cli_record(answer, &record, why));
    int64_t status = record_int(&record, "status", 0);
    if (!record_find(&record, "body", &body))
        body = BYTES_NONE;
    json_t *json = body.len ? json_loadb((const char *)body.data, body.len, 0, &error) : NULL;
    if (body.len && !json)
        return fail(why, ERR_PROTOCOL, "the answer is no JSON: %s", error.text);
    enum err err = status >= 200 && status < 300 ? OK : problem(json, status, why);
    if (err != OK)
        json_decref(json);
    else
        *ret_json = json;
    return err;
}

enum err api_call(struct cli *cli, const struct api_message *message, json_t **ret_json, struct why *why)
{
    AUTO_BUF body = { 0 };
    TRY(message_put(message, &body, why));
    struct cli_question question = {
        .role = "mdm", .verb = "api", .body = buf_bytes(&body), .timeout_ms = IMPORT_TIMEOUT_MS
    };
    TRY(cli_ask_one(cli, &question, why));
    AUTO_BUF answer = question.answer;
    return answer_take(buf_bytes(&answer), ret_json, why);
}

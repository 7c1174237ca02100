/* SPDX-License-Identifier: Apache-2.0 */
#include "http/json_text.h"

#include "base/auto.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/limits.h"
#include "config/options.h"

/* jansson goes 2048 deep by recursion, which is more than a worker's stack holds. Brackets inside strings do not count. */
static size_t depth_of(struct bytes text)
{
    size_t depth = 0, deepest = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (inside && c == '\\')
            i++;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == '[' || c == '{'))
            deepest = ++depth > deepest ? depth : deepest;
        else if (!inside && (c == ']' || c == '}') && depth)
            depth--;
    }
    return deepest;
}

enum err json_text_read(struct bytes text, size_t most, json_t **ret, struct why *why)
{
    json_error_t error;
    size_t depth = depth_of(text), flags = FAULT(json_duplicates) ? 0 : JSON_REJECT_DUPLICATES;
    if (text.len > most)
        return fail(why, ERR_LIMIT, "JSON of %zu octets, limit %zu", text.len, most);
    if (depth > LIMIT_JSON_DEPTH && !FAULT(json_depth))
        return fail(why, ERR_LIMIT, "JSON nested %zu deep, limit %d", depth, LIMIT_JSON_DEPTH);
    json_t *value = json_loadb((const char *)text.data, text.len, flags | JSON_DECODE_ANY, &error);
    if (!value)
        return fail(why, ERR_USAGE, "line %d, column %d: %.200s", error.line, error.column, error.text);
    *ret = value;
    return OK;
}

void json_text_append(struct buf *out, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_append_str(out, text ? text : "null");
    free(text);
}

enum err json_members_check(const json_t *json, const char *known, struct why *why)
{
    const char *name;
    json_t *member;
    if (!json_is_object(json))
        return fail(why, ERR_VALUE, "the body is no JSON object with members %s", known);
    json_object_foreach((json_t *)json, name, member)
    {
        if (!words_contain(known, name) && !FAULT(agent_member))
            return fail(why, ERR_VALUE, "there is no member %.80s; allowed are %s", name, known);
    }
    return OK;
}

json_t *json_base64(struct bytes octets)
{
    AUTO_BUF text = { 0 };
    base64_append(&text, octets);
    return json_string(buf_text(&text));
}

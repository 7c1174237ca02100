/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and query parameters. */
#include "mdm/api/route.h"

#include "base/fault.h"
#include "base/utf8.h"
#include "config/options.h"
#include "http/query.h"

static struct bytes segment_take(struct bytes *path)
{
    const uint8_t *slash = path->len > 1 ? memchr(path->data + 1, '/', path->len - 1) : NULL;
    size_t len = slash ? (size_t)(slash - path->data) : path->len;
    struct bytes segment = bytes_of(path->data, len);
    *path = bytes_of(path->data + len, path->len - len);
    return segment;
}

/* Does the path have the shape of the pattern? names: of its {…}, still percent-encoded. */
static bool path_matches(struct bytes path, const char *pattern, struct bytes names[ROUTE_NAMES_MAX],
                         size_t *ret_names)
{
    struct bytes rest = bytes_str(pattern);
    size_t count = 0;
    while (rest.len && path.len) {
        struct bytes want = segment_take(&rest), got = segment_take(&path);
        if (want.data[1] == '{') {
            if (got.len < 2)
                return false;
            names[count++] = bytes_of(got.data + 1, got.len - 1);
        } else if (!bytes_equal(want, got)) {
            return false;
        }
    }
    *ret_names = count;
    return rest.len == 0 && path.len == 0;
}

static enum err names_decode(struct api_call *call, const struct bytes *names, size_t count, struct why *why)
{
    for (size_t i = 0; i < count; i++) {
        if (!percent_decode(names[i], &call->names[i]) || !utf8_is_valid(buf_bytes(&call->names[i])))
            return fail(why, ERR_HTTP_PATH, "the path is not percent-encoded UTF-8 without NUL");
    }
    return OK;
}

enum err route_find(enum http_method method, struct bytes target, struct api_call *call, struct why *why)
{
    const uint8_t *mark = target.len ? memchr(target.data, '?', target.len) : NULL;
    size_t len = mark ? (size_t)(mark - target.data) : target.len;
    struct bytes path = bytes_of(target.data, len), names[ROUTE_NAMES_MAX];
    size_t count;
    bool known = false;
    call->query = mark ? bytes_of(mark + 1, target.len - len - 1) : BYTES_NONE;
    for (size_t i = 0; i < route_count; i++) {
        if (!path_matches(path, routes[i].path, names, &count))
            continue;
        known = true;
        if (routes[i].method != method)
            continue;
        call->route = &routes[i];
        return names_decode(call, names, count, why);
    }
    if (known)
        return fail(why, ERR_HTTP_METHOD, "%s is not among the methods of this path",
                    api_method_name(method));
    return fail(why, ERR_HTTP_PATH, "there is nothing at this path; /api/v1/openapi.json says what there is");
}

struct bytes route_name(const struct api_call *call, size_t index)
{
    return buf_bytes(&call->names[index]);
}

/* --- query --- */

static bool is_filter(const struct object_class *class, struct bytes name)
{
    size_t index;
    const struct attribute *attribute = class ? object_attribute(class, name, &index) : NULL;
    return attribute && attribute->flags & ATTRIBUTE_FILTER;
}

static bool is_parameter(const struct route *route, struct bytes name)
{
    AUTO_STR text = xstrndup((const char *)name.data, name.len);
    if (memchr(name.data ? (const void *)name.data : "", '\0', name.len) || strcmp(text, "filter") == 0)
        return false;
    return words_contain(route->query, text) ||
           (words_contain(route->query, "filter") && is_filter(route->class, name));
}

static bool is_repeated(struct bytes query, struct bytes name)
{
    struct parameter each;
    size_t count = 0;
    while (query_next(&query, &each))
        count += bytes_equal(each.name, name);
    return count > 1;
}

enum err route_query_check(const struct api_call *call, struct why *why)
{
    struct bytes rest = call->query;
    struct parameter each;
    while (query_next(&rest, &each)) {
        if (!FAULT(query_unknown) && !is_parameter(call->route, each.name))
            return attribute_refuse("a query parameter", each.name, why, "are %s%s",
                                    *call->route->query ? call->route->query : "none",
                                    words_contain(call->route->query, "filter")
                                        ? " (attributes that lists can be filtered by)"
                                        : "");
        if (is_repeated(call->query, each.name))
            return attribute_refuse("a query parameter", each.name, why, "is each one once");
    }
    return OK;
}

enum err route_query(const struct api_call *call, const char *name, struct buf *ret, struct why *why)
{
    bool malformed = false;
    AUTO_BUF value = { 0 };
    if (query_get(call->query, name, &value, &malformed) && !utf8_is_valid(buf_bytes(&value)))
        malformed = true;
    if (malformed)
        return fail(why, ERR_USAGE, "query parameter %s is not percent-encoded UTF-8 without NUL", name);
    *ret = TAKE_BUF(value);
    return OK;
}

enum err route_query_flag(const struct api_call *call, const char *name, bool *ret, struct why *why)
{
    AUTO_BUF value = { 0 };
    TRY(route_query(call, name, &value, why));
    *ret = bytes_equal(buf_bytes(&value), BYTES_LIT("true"));
    if (value.len && !*ret && !bytes_equal(buf_bytes(&value), BYTES_LIT("false")))
        return attribute_refuse(name, buf_bytes(&value), why, "is true or false");
    return OK;
}

enum err route_query_count(const struct api_call *call, const char *name, size_t most, size_t *ret,
                           struct why *why)
{
    AUTO_BUF value = { 0 };
    TRY(route_query(call, name, &value, why));
    if (value.len == 0)
        return OK;
    const char *text = buf_text(&value);
    size_t digits = strspn(text, "0123456789");
    size_t count = digits == value.len && digits < 10 ? strtoul(text, NULL, 10) : 0;
    if (count < 1 || count > most)
        return attribute_refuse(name, buf_bytes(&value), why, "is a number from 1 to %zu", most);
    *ret = count;
    return OK;
}

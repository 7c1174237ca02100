/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator's program sends to the administration API: "METHOD target", a line's end, the Content-Type, a line's end, the body. A
   store is behind it. Each request comes once from nobody and once from somebody who may do everything. */
#include "fuzz/mdm_world.h"

#include "mdm/api/route.h"

static int answer_of(const struct api_request *request)
{
    struct api_answer answer = { 0 };
    json_error_t error;
    api_serve(mdm_world(NULL), request, &answer);
    json_t *json =
        json_loadb((const char *)answer.body.data, answer.body.len, JSON_REJECT_DUPLICATES, &error);
    int status = answer.status;
    bool said =
        json_string_value(json_object_get(json, "code")) && json_string_value(json_object_get(json, "title"));
    PROMISE((answer.content_type != NULL) == (answer.body.len > 0));
    PROMISE(!answer.content_type || json);
    PROMISE(status < 400 || said);
    json_decref(json);
    api_answer_free(&answer);
    return status;
}

static bool is_below(const struct api_request *request, const char *path)
{
    size_t len = strlen(path);
    return request->target.len >= len && memcmp(request->target.data, path, len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct api_caller somebody = { "admin/fuzz", ADMIN_ALL };
    struct bytes rest = bytes_of(data, len);
    struct bytes method = mdm_world_take(&rest, ' ');
    struct api_request request = { .target = mdm_world_take(&rest, '\n') };
    request.content_type = mdm_world_take(&rest, '\n');
    request.body = rest;
    if (!api_method_by_name(method, &request.method))
        return 0;
    bool signs_in = is_below(&request, "/api/v1/session") && request.method == HTTP_POST;
    bool open = is_below(&request, "/api/v1/openapi.json") || is_below(&request, "/api/v1/oidc");
    int stranger = answer_of(&request);
    PROMISE(stranger == 401 || signs_in || open);
    request.caller = &somebody;
    int status = answer_of(&request);
    PROMISE((status != 401 || signs_in) && status != 403 && status < 500);
    return 0;
}

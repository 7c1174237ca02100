/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mdm/profile_kept.h"

int profile_send(enum http_method method, const char *target, json_t *document)
{
    char *text = json_dumps(document, 0);
    int status = ask(method, target, text);
    free(text);
    json_decref(document);
    return status;
}

const char *profile_made(const char *which, const char *member, const char *json)
{
    AUTO_JSON document = fixture_json_with(which, member, json);
    char *text = json_dumps(document, 0);
    const char *id = made("/api/v1/profiles", text);
    free(text);
    return id;
}

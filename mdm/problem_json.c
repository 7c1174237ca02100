/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/problem_json.h"

json_t *problems_json(const struct problems *problems, bool warnings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        if (problem->warning != warnings)
            continue;
        json_t *item = json_object();
        json_object_set_new(item, "field", json_string(problem->field));
        json_object_set_new(item, "got", problem->got ? json_string(problem->got) : json_null());
        json_object_set_new(item, "rule", json_string(problem->rule));
        json_array_append_new(list, item);
    }
    return list;
}

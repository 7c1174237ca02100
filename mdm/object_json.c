/* SPDX-License-Identifier: Apache-2.0 */
#include "mdm/object_json.h"

#include "base/clock.h"
#include "base/fault.h"

static json_t *value_json(const struct attribute *attribute, const struct attribute_value *value)
{
    char time[21];
    switch (attribute->kind) {
    case ATTRIBUTE_FLAG:
        return json_boolean(value->number);
    case ATTRIBUTE_NUMBER:
        return json_integer(value->number);
    case ATTRIBUTE_TIME:
        if (!value->number)
            return json_null();
        clock_rfc3339(value->number, time);
        return json_string(time);
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_WORD:
    case ATTRIBUTE_USER:
        break;
    }
    return value->text ? json_string(value->text) : json_null();
}

json_t *object_json(const struct object *object)
{
    json_t *json = json_object();
    for (size_t i = 0; i < object->class->count; i++) {
        const struct attribute *attribute = &object->class->attributes[i];
        json_object_set_new(json, attribute->name, value_json(attribute, &object->values[i]));
    }
    return json;
}

static enum err unknown(const struct object_class *class, const char *name, struct why *why)
{
    AUTO_BUF known = { 0 };
    for (size_t i = 0; i < class->count; i++) {
        if (!(class->attributes[i].flags & ATTRIBUTE_OWN))
            buf_printf(&known, "%s%s", known.len ? ", " : "", class->attributes[i].name);
    }
    return fail(why, ERR_VALUE, "a %s has no member %.80s; allowed are %s", class->name, name,
                buf_text(&known));
}

static enum err type_refuse(const struct attribute *attribute, const json_t *json, struct why *why)
{
    AUTO_BUF got = { 0 };
    json_text_append(&got, json);
    return attribute_refuse(attribute->name, buf_bytes(&got), why, "is a JSON %s",
                            attribute->kind == ATTRIBUTE_FLAG ? "boolean" : "string or null");
}

static enum err member_take(const struct attribute *attribute, const json_t *json,
                            struct attribute_value *ret, struct why *why)
{
    bool flag = attribute->kind == ATTRIBUTE_FLAG;
    if (!FAULT(attribute_own) && attribute->flags & ATTRIBUTE_OWN)
        return fail(why, ERR_VALUE, "%s is set by the service", attribute->name);
    if (json_is_null(json) && !flag)
        return attribute_take(attribute, BYTES_NONE, ret, why);
    if (flag && json_is_boolean(json))
        return attribute_take(attribute, bytes_str(json_is_true(json) ? "true" : "false"), ret, why);
    if (flag || !json_is_string(json))
        return type_refuse(attribute, json, why);
    return attribute_take(attribute, bytes_of(json_string_value(json), json_string_length(json)), ret, why);
}

enum err object_json_take(const json_t *json, struct object *ret, struct why *why)
{
    const char *name;
    json_t *member;
    if (!json_is_object(json))
        return fail(why, ERR_VALUE, "a %s is a JSON object", ret->class->name);
    json_object_foreach((json_t *)json, name, member)
    {
        size_t index;
        const struct attribute *attribute = object_attribute(ret->class, bytes_str(name), &index);
        if (attribute)
            TRY(member_take(attribute, member, &ret->values[index], why));
        else if (!FAULT(member_unknown))
            return unknown(ret->class, name, why);
    }
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An object in memory; object_store.c keeps it. */
#include "mdm/object.h"

#include "base/fault.h"

static const char *const source_names[] = { "local", "import", "directory", "enrolment" };
const struct words source_words = WORDS(source_names);

void object_free(struct object *object)
{
    for (size_t i = 0; object->class && i < object->class->count; i++)
        attribute_value_clear(&object->values[i]);
}

const struct attribute *object_attribute(const struct object_class *class, struct bytes name,
                                         size_t *ret_index)
{
    for (size_t i = 0; i < class->count; i++) {
        if (!bytes_equal(bytes_str(class->attributes[i].name), name))
            continue;
        *ret_index = i;
        return &class->attributes[i];
    }
    return NULL;
}

static size_t index_of(const struct object_class *class, const char *name)
{
    size_t index = 0;
    if (!object_attribute(class, bytes_str(name), &index))
        die("a %s has no attribute %s", class->name, name);
    return index;
}

const char *object_text(const struct object *object, const char *name)
{
    return object->values[index_of(object->class, name)].text;
}

char *object_text_dup(const struct object *object, const char *name)
{
    const char *text = object_text(object, name);
    return text ? xstrdup(text) : NULL;
}

int64_t object_number(const struct object *object, const char *name)
{
    return object->values[index_of(object->class, name)].number;
}

void object_set(struct object *object, const char *name, struct bytes text)
{
    attribute_value_set(&object->values[index_of(object->class, name)], text);
}

void object_set_number(struct object *object, const char *name, int64_t number)
{
    object->values[index_of(object->class, name)] =
        (struct attribute_value){ .given = true, .number = number };
}

static void value_copy(struct attribute_value *to, const struct attribute_value *from)
{
    attribute_value_clear(to);
    *to = (struct attribute_value){ true, from->number, from->text ? xstrdup(from->text) : NULL };
}

void object_copy(struct object *to, const struct object *from)
{
    for (size_t i = 0; i < from->class->count; i++) {
        if (from->values[i].given)
            value_copy(&to->values[i], &from->values[i]);
    }
}

/* Filled in as if it had been given. */
static enum err complete(const struct attribute *attribute, struct attribute_value *value, struct why *why)
{
    if (value->given || attribute->kind == ATTRIBUTE_TIME || attribute->kind == ATTRIBUTE_NUMBER)
        return OK;
    if (attribute->fallback)
        return attribute_take(attribute, bytes_str(attribute->fallback), value, why);
    if (!FAULT(attribute_required) && attribute->flags & ATTRIBUTE_REQUIRED)
        return fail(why, ERR_VALUE, "%s is not there, and it is needed: %s", attribute->name,
                    attribute->help);
    return OK;
}

enum err object_complete(struct object *object, struct why *why)
{
    const struct object_class *class = object->class;
    for (size_t i = 0; i < class->count; i++)
        TRY(complete(&class->attributes[i], &object->values[i], why));
    return class->check ? class->check(object, why) : OK;
}

static bool value_equal(const struct attribute_value *a, const struct attribute_value *b)
{
    return a->number == b->number && strcmp(a->text ? a->text : "", b->text ? b->text : "") == 0;
}

bool object_differs(const struct object *object, const struct object *patch)
{
    for (size_t i = 0; i < object->class->count; i++) {
        if (patch->values[i].given && !value_equal(&patch->values[i], &object->values[i]))
            return true;
    }
    return false;
}

enum err object_merge(struct object *object, const struct object *patch, struct why *why)
{
    const struct object_class *class = object->class;
    for (size_t i = 0; i < class->count; i++) {
        const struct attribute *attribute = &class->attributes[i];
        const struct attribute_value *from = &patch->values[i];
        struct attribute_value *to = &object->values[i];
        if (!from->given || value_equal(from, to))
            continue;
        if (!FAULT(attribute_fixed) && attribute->flags & ATTRIBUTE_ONCE)
            return fail(why, ERR_VALUE, "%s is \"%s\" for ever, and cannot become \"%s\"", attribute->name,
                        to->text ? to->text : "", from->text ? from->text : "");
        value_copy(to, from);
    }
    return class->check ? class->check(object, why) : OK;
}

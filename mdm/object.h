/* SPDX-License-Identifier: Apache-2.0 */
/* What users, groups and devices have in common: an object has an id and the attributes of its class, is kept in the class's table, and is
   never removed from it, only marked. A class is a table of attributes and some words; what is done with objects is here, once. */
#pragma once
#include "base/auto.h"
#include "mdm/attribute.h"
#include "mdm/uuid.h"
#include "store/store.h"

#define OBJECT_ATTRIBUTES_MAX 28

struct object;
struct object_change;
struct object_class {
    const char *name, *plural;                               /* "user", "users" */
    const char *table;
    const char *key;                                         /* the attribute that people name it by; lists are in its order */
    const char *unique;                                      /* the attribute that no two have */
    const char *find;                                        /* SQL: ids of what $1 names; $2 is $1 folded */
    const char *own_group_kind;                              /* the groups that it can be a member of; NULL: it is a group */
    const struct attribute *attributes; size_t count;
    enum err (*check)(const struct object *object, struct why *why);   /* of the whole: one attribute depends on another */
    /* What else a change of one comes to, in the same unit of work, once it is written; NULL: nothing. */
    enum err (*after)(struct store_tx *tx, const struct object_change *change, struct why *why);
};
struct object { const struct object_class *class; struct attribute_value values[OBJECT_ATTRIBUTES_MAX]; };
struct object_change { const struct object *before, *now;
                       bool local;                           /* by the administrator of this host */ };

/* Rows that every class has. */
#define OBJECT_ATTRIBUTE_ID                                                                              \
    { .name = "id", .kind = ATTRIBUTE_TEXT, .flags = ATTRIBUTE_OWN, .help = "UUID of it, for ever" }
#define OBJECT_ATTRIBUTES_OWN                                                                            \
    { .name = "source", .kind = ATTRIBUTE_WORD, .flags = ATTRIBUTE_OWN | ATTRIBUTE_FILTER,               \
      .words = &source_words, .fallback = "local", .help = "where it comes from" },                      \
    { .name = "created_at", .kind = ATTRIBUTE_TIME, .flags = ATTRIBUTE_OWN, .help = "when it was made" }, \
    { .name = "changed_at", .kind = ATTRIBUTE_TIME, .flags = ATTRIBUTE_OWN, .help = "when it was last changed" }, \
    { .name = "deleted_at", .kind = ATTRIBUTE_TIME, .flags = ATTRIBUTE_OWN, .help = "when it was deleted" }, \
    { .name = "change", .kind = ATTRIBUTE_NUMBER, .flags = ATTRIBUTE_OWN,                                \
      .help = "number of the last change that concerns it" }
extern const struct words source_words;                      /* local, import, directory, enrolment */

void object_free(struct object *object);                     /* clears a value; of a class or of none */
const struct attribute *object_attribute(const struct object_class *class, struct bytes name, size_t *ret_index);
/* Attributes by their name, which the class has (else it is our bug). */
const char *object_text(const struct object *object, const char *name);     /* NULL: no value */
char *object_text_dup(const struct object *object, const char *name);       /* the caller frees */
int64_t object_number(const struct object *object, const char *name);
void object_set(struct object *object, const char *name, struct bytes text);
void object_set_number(struct object *object, const char *name, int64_t number);
static inline const char *object_id(const struct object *object)
{
    return object->values[0].text;                           /* every class begins with it */
}

/* The values that are given, dup'ed, in place of what the other one has. */
void object_copy(struct object *to, const struct object *from);
/* What was not given has its fallback; ERR_VALUE where there is none and one is needed. */
NODISCARD enum err object_complete(struct object *object, struct why *why);
/* Is one of those that patch gives another? */
bool object_differs(const struct object *object, const struct object *patch);
/* Attributes of patch that are given take the place of object's. ERR_VALUE: one that is fixed once the object is made. */
NODISCARD enum err object_merge(struct object *object, const struct object *patch, struct why *why);

/* In a unit of work. add and save write all of it; changed_at and change are the caller's to set (mdm/change.h). ERR_CONFLICT names the
   attribute that another object has. */
NODISCARD enum err object_add(struct store_tx *tx, const struct object *object, struct why *why);
NODISCARD enum err object_save(struct store_tx *tx, const struct object *object, struct why *why);
/* By id. ERR_NOT_FOUND; deleted ones are found, too. */
NODISCARD enum err object_load(struct store_tx *tx, const struct object_class *class, const char *id, struct object *ret,
                               struct why *why);
/* By id, or by what people name it by; of those without a mark of deletion. ERR_CONFLICT when several have that name. */
NODISCARD enum err object_find(struct store_tx *tx, const struct object_class *class, struct bytes name, struct object *ret,
                               struct why *why);

NODISCARD enum err object_find_id(struct store_tx *tx, const struct object_class *class, struct bytes name,
                                  char ret_id[static UUID_TEXT], struct why *why);

typedef enum err (*object_each)(const struct object *object, void *arg, struct why *why);
struct object_query {
    size_t limit;                                            /* rows */
    const char *after;                                       /* id of the last one of the page before; NULL: from the beginning */
    const char *starts;                                      /* only those whose key begins so, without regard to case; NULL: all */
    bool deleted;                                            /* those that are marked, too */
    const struct object *filter;                             /* only those with its given values; NULL: all */
    /* Only those of an SQL condition, whose one argument is $1; NULL: all. */
    const char *condition; const char *condition_argument;
    object_each each; void *arg;                             /* told of each one */
};
/* In the order of the key, then of the id: what is added meanwhile neither repeats nor hides another. *ret_more: there are further ones. */
NODISCARD enum err object_list(struct store_tx *tx, const struct object_class *class, const struct object_query *query, bool *ret_more,
                               struct why *why);

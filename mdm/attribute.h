/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of what the directory has: one row each says its name, which is that of the column, of the JSON member, of the CSV column and of
   the command line's option, what values it takes, and who sets it. */
#pragma once
#include "base/bytes.h"
#include "mdm/word.h"

enum attribute_kind {
    ATTRIBUTE_TEXT,
    ATTRIBUTE_WORD,                                          /* a text of a list */
    ATTRIBUTE_FLAG,
    ATTRIBUTE_USER,                                          /* a user's id; given as id or UPN */
    ATTRIBUTE_TIME, ATTRIBUTE_NUMBER,                        /* the service's own */
};
enum attribute_flag {
    ATTRIBUTE_REQUIRED = 1 << 0,                             /* never without a value */
    ATTRIBUTE_ONCE = 1 << 1,                                 /* given when the object is made, and never changed */
    ATTRIBUTE_OWN = 1 << 2,                                  /* set by the service, by nobody else */
    ATTRIBUTE_FILTER = 1 << 3,                               /* lists can be narrowed to one value of it */
};
struct attribute_value { bool given; int64_t number; char *text; };    /* of a text: given without text is no value */
struct attribute {
    const char *name;
    enum attribute_kind kind;
    unsigned flags;
    size_t most;                                             /* octets of a text */
    const struct words *words;
    const char *fallback;                                    /* of what is not given when the object is made; NULL: no value */
    /* Judges a text, and may bring it into its one form. *rule: what is allowed, when it is not that. */
    bool (*takes)(struct attribute_value *value, const char **rule);
    const char *help;
};
void attribute_value_clear(struct attribute_value *value);
void attribute_value_set(struct attribute_value *value, struct bytes text); /* copies; empty: no value */

/* A value as text, from wherever. Empty is no value. ERR_VALUE names attribute, rule and value. */
NODISCARD enum err attribute_take(const struct attribute *attribute, struct bytes text, struct attribute_value *ret, struct why *why);
/* The error of a value, with the value cut and escaped. */
enum err attribute_refuse(const char *name, struct bytes value, struct why *why, const char *rule, ...)
    __attribute__((format(printf, 4, 5)));

/* The forms of some texts; each is a `takes`. */
bool takes_upn(struct attribute_value *value, const char **rule);
bool takes_mail(struct attribute_value *value, const char **rule);
bool takes_group_name(struct attribute_value *value, const char **rule);
bool takes_distinguished_name(struct attribute_value *value, const char **rule);
bool takes_sid(struct attribute_value *value, const char **rule);
bool takes_imei(struct attribute_value *value, const char **rule);
bool takes_meid(struct attribute_value *value, const char **rule);
bool takes_mac(struct attribute_value *value, const char **rule);
bool takes_fqdn(struct attribute_value *value, const char **rule);
bool takes_uuid(struct attribute_value *value, const char **rule);

/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a profile's JSON, one row each: its name, the types of profiles that have it, and both ways. Only profile_json.c
   and profile_field.c include this. */
#pragma once
#include "http/json_text.h"
#include "mdm/profile_json.h"

#define PROFILE_VALIDITY_MOST 36500 /* of any unit: a hundred years of days; the product is judged later */

struct profile_field;
struct profile_reading { struct profile *profile; struct problems *problems; };
struct profile_form {
    void (*take)(struct profile_reading *reading, const struct profile_field *field, const json_t *value);
    json_t *(*give)(const struct profile_field *field, const struct profile *profile);  /* NULL: the profile has none */
};
struct profile_field {
    const char *name;
    unsigned types;                                          /* 1 << enum profile_type */
    const struct profile_form *form;
    size_t at;                                               /* offset in struct profile */
    const struct words *words;
    int64_t least, most;                                     /* of a number; octets of a text */
};
extern const struct profile_form form_text, form_word, form_number, form_flag, form_certificate, form_sans, form_validity,
    form_purposes, form_key_usage, form_urls;

/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from people and programs, read strictly: one value and nothing behind it, no member twice, no NUL, bounded in size and
   depth before the parser sees it. */
#pragma once
#include "base/bytes.h"
#include <jansson.h>

static inline void json_release_(json_t **value)
{
    json_decref(*value);
}
#define AUTO_JSON __attribute__((cleanup(json_release_))) json_t *

/* ERR_LIMIT past `most` octets or LIMIT_JSON_DEPTH; ERR_USAGE names line and column. */
NODISCARD enum err json_text_read(struct bytes text, size_t most, json_t **ret, struct why *why);
/* A value as it would be written, for messages. */
void json_text_append(struct buf *out, const json_t *value);
/* It is an object, with no other members than the known ones, separated by spaces. ERR_VALUE. */
NODISCARD enum err json_members_check(const json_t *json, const char *known, struct why *why);
/* Octets as JSON has them. */
json_t *json_base64(struct bytes octets);

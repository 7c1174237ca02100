/* SPDX-License-Identifier: Apache-2.0 */
/* Single pieces of a request head, judged without knowing the rest (RFC 9110, RFC 9112). */
#pragma once
#include "base/bytes.h"

bool field_is_token_char(uint8_t c);                         /* RFC 9110 5.6.2 */
bool field_is_value_char(uint8_t c);                         /* SP, HTAB, VCHAR, obs-text */
bool field_is_host(struct bytes value);                      /* uri-host [":" port], no userinfo, not empty */
/* 1*DIGIT only. Numbers above what size_t holds come back as SIZE_MAX: larger than any limit. */
bool field_length(struct bytes value, size_t *ret_length);
bool field_has_member(struct bytes list, const char *member); /* #token list, without regard to case */
bool field_equals(struct bytes value, const char *text);      /* without regard to case */
struct bytes field_trim(struct bytes value);                  /* optional whitespace off both ends */

struct target { struct bytes path, query; bool has_query; };
/* origin-form, or absolute-form of http and https, whose authority is checked and dropped (RFC 9112 3.2.2). */
NODISCARD bool target_split(struct bytes text, struct target *ret);

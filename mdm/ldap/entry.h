/* SPDX-License-Identifier: Apache-2.0 */
/* An entry of an LDAP server, as it came: octets that nobody has judged yet. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct entry_attribute { char *name; struct buf *values; size_t count; };
struct entry { char *dn; struct entry_attribute *attributes; size_t count; };   /* starts as { 0 } */
void entry_free(struct entry *entry);
void entry_add(struct entry *entry, const char *attribute, struct bytes value);   /* copies */
/* Whatever the letter case of the name; NULL: it has none. */
const struct entry_attribute *entry_find(const struct entry *entry, const char *attribute);
/* The first value; empty: there is none. */
struct bytes entry_first(const struct entry *entry, const char *attribute);
/* What messages call it: the DN, cut and escaped for one line. The caller frees it. */
char *entry_label(const struct entry *entry);

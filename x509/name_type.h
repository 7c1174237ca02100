/* SPDX-License-Identifier: Apache-2.0 */
/* The attribute types that Chancery knows in names: string type, upper bound and other spellings. */
#pragma once
#include "x509/oid.h"

struct name_type {
    enum oid oid;
    uint8_t tag;                                             /* how it is written (spec ca.md) */
    size_t most;                                             /* characters: RFC 5280 appendix A.1 */
    const char *aliases;                                     /* space-separated, beside the short name of oid.h */
};
/* The row of an attribute type; for an unknown one a row of UTF8String up to LIMIT_STRING_BYTES. */
const struct name_type *name_type_of(struct bytes oid);
/* By short name or alias, any case. NULL when there is none. */
const struct name_type *name_type_by_label(const char *label, size_t len);
/* Does the UTF-8 text fit the row's string type? */
bool name_type_holds(const struct name_type *type, struct bytes utf8);

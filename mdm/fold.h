/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are equal but for letter case: their folded forms are equal octets. The same on every host and in every database, whose
   own ideas of case differ. */
#pragma once
#include "base/bytes.h"

/* Simple case folding (Unicode CaseFolding.txt, statuses C and S), code point by code point. text: well-formed UTF-8. */
void fold_append(struct buf *out, struct bytes text);
char *fold_dup(struct bytes text);                           /* the caller frees */

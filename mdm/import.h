/* SPDX-License-Identifier: Apache-2.0 */
/* A file of objects, one after another: CSV whose first line names attributes, or a JSON array. Read twice, so that a file with something
   wrong is refused before the store hears of it, and again inside the unit of work, so that it is never in memory as objects. */
#pragma once
#include "mdm/csv.h"
#include "mdm/object_json.h"

struct import;
/* type: of HTTP's Content-Type, text/csv or application/json. ERR_VALUE names what the header line or the array must be. file: borrowed. */
NODISCARD enum err import_open(struct bytes file, struct bytes type, const struct object_class *class, struct import **ret,
                               struct why *why);
void import_free(struct import *import);
AUTO_DECLARE(import)
void import_rewind(struct import *import);
/* ret: of the class; emptied first. ERR_VALUE names line and column, or the item's place. */
NODISCARD enum err import_next(struct import *import, struct object *ret, bool *ret_end, struct why *why);
/* What went wrong with the object that import_next gave last, with its place in front. */
enum err import_refuse(const struct import *import, const struct why *inner, struct why *why);

/* SPDX-License-Identifier: Apache-2.0 */
/* Templates and their versions as rows of the store. */
#pragma once
#include "ca/template_property.h"

#define PROPERTY_COLUMN_(name, column, ...) ", " column
#define TEMPLATE_PROPERTY_COLUMNS TEMPLATE_PROPERTIES(PROPERTY_COLUMN_)   /* each with ", " before it */
/* One row of `SELECT TEMPLATE_COLUMNS FROM template`. */
#define TEMPLATE_COLUMNS "name, version, published" TEMPLATE_PROPERTY_COLUMNS
NODISCARD enum err template_from_row(const struct store_rows *rows, size_t row, struct template **ret, struct why *why);

/* ERR_NOT_FOUND when there is none of that name. */
NODISCARD enum err template_row_load(struct store_tx *tx, const char *name, struct template **ret, struct why *why);
/* The version that was in force as number `version`; published says whether the template is, now. */
NODISCARD enum err template_version_load(struct store *store, const char *name, int64_t version, struct template **ret,
                                         struct why *why);
/* The name of the template that is displayed so; ERR_NOT_FOUND. Caller frees. */
NODISCARD enum err template_name_of_display(struct store *store, const char *display_name, char **ret, struct why *why);

struct template_change { const char *actor; int64_t now; };
/* A new one, as the next version of its name; template->version is set. ERR_CONFLICT when the name is taken. */
NODISCARD enum err template_row_insert(struct store_tx *tx, struct template *template, const struct template_change *change,
                                       struct why *why);
/* The next version in place of template->version, which is set: load it in the same
   run of the unit of work. ERR_CONFLICT: somebody else's came first. */
NODISCARD enum err template_row_replace(struct store_tx *tx, struct template *template, const struct template_change *change,
                                        struct why *why);

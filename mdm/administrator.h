/* SPDX-License-Identifier: Apache-2.0 */
/* Administrators who sign in over HTTPS. What they are is an object as others; the hash of their password is kept apart, and shown nowhere. The
   command line's socket is the local administrator, who needs no row and whom no row can lock out. */
#pragma once
#include "mdm/object.h"

extern const struct object_class administrator_class;

/* "ca-manager,auditor" to roles and back, in the order of the table. takes_roles is the form of an attribute. */
unsigned roles_of(const char *text);
void roles_append(struct buf *out, unsigned roles);
bool takes_roles(struct attribute_value *value, const char **rule);
bool takes_administrator_name(struct attribute_value *value, const char **rule);

/* In a unit of work. The hash of an administrator's password, from now on; all their sessions end. */
NODISCARD enum err administrator_password_keep(struct store_tx *tx, const char *id, const char *hash, int64_t now, struct why *why);

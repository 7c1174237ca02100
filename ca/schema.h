/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the ca store, one numbered migration after the other. */
#pragma once
#include "store/identity.h"

extern const struct migration ca_migrations[];
extern const size_t ca_migration_count;
extern const struct store_identity ca_store_identity;

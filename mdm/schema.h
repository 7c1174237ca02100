/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/identity.h"

extern const struct migration mdm_migrations[];
extern const size_t mdm_migration_count;
extern const struct store_identity mdm_store_identity;

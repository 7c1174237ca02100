/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"

extern const struct migration mdm_migrations[];
extern const size_t mdm_migration_count;

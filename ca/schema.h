/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the ca store, one numbered migration after the other. */
#pragma once
#include "store/store.h"

extern const struct migration ca_migrations[];
extern const size_t ca_migration_count;

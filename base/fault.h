/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded faults: FAULT(name) stands beside a safeguard and is the constant false, so that no build has anything of it,
   but those that test the tests: -Dfault=NAME takes one safeguard out (docs/testing.md). Names are rows of tests/faults/table. */
#pragma once
#include <stdbool.h>

#ifdef FAULT_NAMES /* what tests/faults/names.py makes of the table: a FAULT_name for each row, and for no other word */
#include FAULT_NAMES
#define FAULT(name) FAULT_##name
#else
#define FAULT(name) false
#endif

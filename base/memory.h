/* SPDX-License-Identifier: Apache-2.0 */
/* What the allocator keeps for itself. */
#pragma once

/* At the start of a role, before its threads: few arenas, because every worker touches every one in the end. */
void memory_tune(void);
/* Gives pages that nothing lies in any more back to the system: after a flood, not in daily work. */
void memory_release(void);

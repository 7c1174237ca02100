/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an answer that lacks something is believed: a server that has lost its data, a right that was taken away or a filter with a
   mistake in it must not take everybody's certificates. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct guard_counts { size_t known, gone; };
/* Not so many: percent of what is known, or three; and never all of it. */
bool guard_holds(struct guard_counts counts, int percent);

/* Ids that were seen, to be asked for when all are there. */
struct id_set { char (*ids)[37]; size_t count, room; bool sorted; };   /* starts as { 0 } */
void id_set_add(struct id_set *set, const char *id);
bool id_set_has(struct id_set *set, const char *id);
void id_set_free(struct id_set *set);

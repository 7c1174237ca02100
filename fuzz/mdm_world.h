/* SPDX-License-Identifier: Apache-2.0 */
/* A management service with a store behind it, for targets that ask it; and how their input is cut. */
#pragma once
#include "fuzz/target.h"
#include "mdm/mdm.h"

/* Begun anew every some thousand rounds: what requests leave behind must not add up for hours. made (NULL: nothing): called then, with its
   folder, to fill it. */
struct mdm *mdm_world(void (*made)(struct mdm *mdm, const char *folder));
struct bytes mdm_world_take(struct bytes *rest, char mark);  /* up to that mark, which is gone, too */

/* SPDX-License-Identifier: Apache-2.0 */
/* A file system below SQLite that works as the real one until it is told to break. */
#pragma once
#include <stdatomic.h>

extern atomic_int breaking_syncs;                            /* each flush fails, and nobody knows what reached the disk */
extern atomic_int breaking_writes;                           /* the disk is full */
void breaking_install(void);                                 /* for every store that is opened from then on */

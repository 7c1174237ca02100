/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal asks of the kernel, in the hands of a test: each call comes here first (linked with disk_wrap of
   meson.build). Without a wish all of them work as ever. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

extern atomic_bool disk_flush_fails, disk_cut_fails, disk_thread_fails;
extern atomic_long disk_room;                                /* octets that still can be written; -1: as many as you like */
extern atomic_int disk_interrupts;                           /* so many writes are interrupted, or write but one octet */
extern atomic_int disk_flushes;                              /* begun so far */
void disk_hold(void);                                        /* flushes stand still */
void disk_wait_held(int flushes);                            /* until so many have begun since the program did */
void disk_release(void);
extern atomic_bool disk_release_at_join;                     /* as soon as somebody waits for the end of a thread */

/* SPDX-License-Identifier: Apache-2.0 */
/* Independent pieces of work on every core. */
#pragma once
#include <stddef.h>

/* Calls work(arg, 0) … work(arg, count - 1), in any order, on as many threads as the process may use cores. */
void parallel(size_t count, void (*work)(void *arg, size_t index), void *arg);
/* The same on so many threads: for work that waits. */
void parallel_on(size_t threads, size_t count, void (*work)(void *arg, size_t index), void *arg);

/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts of libcrypto that are set up and used again: setting one up costs more than hashing a message with it. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define READY_MAX 8                                          /* as many as are in use at once, on a machine of some cores */
struct ready { pthread_mutex_t lock; void *items[READY_MAX]; size_t count; };
#define READY_NONE { .lock = PTHREAD_MUTEX_INITIALIZER }
void *ready_take(struct ready *ready);                       /* nobody else has it until it is given back; NULL: make one */
bool ready_give(struct ready *ready, void *item);            /* false: enough are kept, and the caller frees it */

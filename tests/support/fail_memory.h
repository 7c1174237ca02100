/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th allocation of the libraries fails, so that their errors are walked through: OpenSSL and SQLite give NULL where
   our own xmalloc ends the process. Counts over all threads. Each hook is called first thing in main. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void memory_hook_openssl(void);
void memory_hook_sqlite(void);                               /* fail_memory_sqlite.c: for programs that link it */
void memory_fail_at(long n);                                 /* counts from now on; 0: counts only */
void memory_fail_from(long n);                               /* that one and all after it */
bool memory_fail_end(void);                                  /* counts no more; whether an allocation failed */
long memory_counted(void);
void memory_hold(bool hold);                                 /* in between: neither counts nor fails */

/* For further hooks. */
bool memory_fails_now(void);

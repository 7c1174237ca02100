/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets have their own type: held in the small locked heap, wiped, compared in constant time, never printable. */
#pragma once
#include "base/auto.h"
#include "base/bytes.h"

struct secret { uint8_t *data; size_t len; };                /* starts as { 0 } */

/* Once per process, before libcrypto is used. False where pages can't be locked (the heap then still works). */
bool secret_heap_open(size_t size);
/* Around whatever makes or first uses a private key: all that libcrypto allocates on this thread meanwhile lies in the locked
   heap, is wiped when it is freed, and is missing when the heap is full. They nest. */
void secret_heap_keep(void);
void secret_heap_keep_end(void);
struct secret secret_new(size_t len);                        /* zeroed; caller frees */
struct secret secret_dup(struct bytes from);
NODISCARD enum err secret_random(size_t len, struct secret *ret, struct why *why);
void secret_free(struct secret *secret);                     /* wiped; {0} afterwards */
bool secret_equal(struct bytes a, struct bytes b);           /* constant time for equal lengths */
void secret_wipe(void *data, size_t len);
static inline struct bytes secret_bytes(const struct secret *secret)
{
    return (struct bytes){ secret->data, secret->len };
}
/* Whole file into the locked heap; refused unless it is a regular file of ours or root's whose mode gives nothing to
   group and others. A single final newline is dropped. */
NODISCARD enum err secret_read_file(const char *path, size_t max, struct secret *ret, struct why *why);

/* CSPRNG; a failing generator refuses (spec security.md E7). */
NODISCARD enum err random_fill(void *out, size_t len, struct why *why);

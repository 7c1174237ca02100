/* SPDX-License-Identifier: Apache-2.0 */
/* Locals that clean themselves up, and the hand-over that keeps them from it. */
#pragma once
#include <stdlib.h>

/* AUTO(cert) cert = ...;   calls cert_free(cert) when the scope ends (cert_free takes NULL).
   AUTO_BUF(buf) der = {0}; calls buf_free(&der): the *_free of types held by value takes their address. */
#define AUTO(type)      __attribute__((cleanup(type##_auto_free_))) struct type *
#define AUTO_VAL(type)  __attribute__((cleanup(type##_free))) struct type
#define AUTO_BUF        __attribute__((cleanup(buf_free))) struct buf
#define AUTO_WIPE       __attribute__((cleanup(buf_wipe))) struct buf
#define AUTO_STR        __attribute__((cleanup(auto_free_str_))) char *

/* One line in the header of each type used with AUTO(). */
#define AUTO_DECLARE(type)                                                                               \
    static inline void type##_auto_free_(struct type **held)                                             \
    {                                                                                                    \
        type##_free(*held);                                                                              \
    }

static inline void auto_free_str_(char **held)
{
    free(*held);
}

#define TAKE(pointer)                                                                                    \
    ({                                                                                                   \
        __typeof__(pointer) taken_ = (pointer);                                                          \
        (pointer) = NULL;                                                                                \
        taken_;                                                                                          \
    })
#define TAKE_BUF(owner)                                                                                  \
    ({                                                                                                   \
        struct buf taken_ = (owner);                                                                     \
        (owner) = (struct buf){ 0 };                                                                     \
        taken_;                                                                                          \
    })

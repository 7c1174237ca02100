/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target has: libFuzzer's entry point, and a way to say that a promise was broken. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PROMISE(condition)                                                                               \
    do {                                                                                                 \
        if (!(condition)) {                                                                              \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                                     \
        }                                                                                                \
    } while (0)

/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by every unit test: cmocka, and the macros house style names. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail     /* cmocka's macro; ours is base/err.h */
#undef fail_msg /* ended in it */
#define fail_msg(format, ...)                                                                            \
    do {                                                                                                 \
        print_error("ERROR: " format "\n", ##__VA_ARGS__);                                               \
        _fail(__FILE__, __LINE__);                                                                       \
    } while (0)
#include <stdio.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "base/err.h"

#define TEST(name)         static void name(void **state_ __attribute__((unused)))
#define RUN(...)                                                                                         \
    int main(void)                                                                                       \
    {                                                                                                    \
        const struct CMUnitTest tests[] = { __VA_ARGS__ };                                               \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                \
    }
#define T(name)            cmocka_unit_test(name)
/* The error and, when it is another one, the sentence that came with it. */
#define ASSERT_ERR(expected, call, why_)                                                                 \
    do {                                                                                                 \
        enum err got_ = (call);                                                                          \
        if (got_ != (expected)) {                                                                        \
            fail_msg("%s gave %s (%s), wanted %s", #call, err_row(got_)->name, (why_)->text,               \
                     err_row(expected)->name);                                                           \
        }                                                                                                \
    } while (0)
#define ASSERT_OK(call, why_) ASSERT_ERR(OK, call, why_)
#define ASSERT_BYTES(a, b)                                                                               \
    do {                                                                                                 \
        struct bytes a_ = (a), b_ = (b);                                                                 \
        assert_int_equal(a_.len, b_.len);                                                                \
        if (a_.len)                                                                                      \
            assert_memory_equal(a_.data, b_.data, a_.len);                                               \
    } while (0)

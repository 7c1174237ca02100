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
#include <stdlib.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "base/err.h"

#define TEST(name)         static void name(void **state_ __attribute__((unused)))
/* Seconds to wait for what must come; fewer where a seeded fault may keep it from coming (tests/faults/run). */
static inline int test_patience_s(void)
{
    const char *seconds = getenv("CHANCERY_PATIENCE");
    return seconds ? atoi(seconds) : 60;
}
/* CHANCERY_TEST=NAME runs the tests of that name alone; * and ? stand for anything. */
#define TEST_FILTER()      cmocka_set_test_filter(getenv("CHANCERY_TEST"))
#define RUN(...)                                                                                         \
    int main(void)                                                                                       \
    {                                                                                                    \
        const struct CMUnitTest tests[] = { __VA_ARGS__ };                                               \
        TEST_FILTER();                                                                                   \
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

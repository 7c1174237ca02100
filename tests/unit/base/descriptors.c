/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: at the hard limit and one past it. */
#include "base/descriptors.h"

#include "tests/unit/test.h"
#include <sys/resource.h>

static void limits_set(rlim_t soft, rlim_t hard)
{
    struct rlimit limit = { soft, hard };
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &limit));
}

static rlim_t soft_limit(void)
{
    struct rlimit limit;
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &limit));
    return limit.rlim_cur;
}

/* In this order: a hard limit goes only down. */
TEST(the_soft_limit_is_raised_to_what_is_needed_and_never_lowered)
{
    struct why why;
    limits_set(64, 256);
    ASSERT_OK(descriptors_reserve(200, "max_connections of 100", &why), &why);
    assert_int_equal(200, soft_limit());
    ASSERT_OK(descriptors_reserve(100, "max_connections of 10", &why), &why);
    assert_int_equal(200, soft_limit());
}

TEST(the_hard_limit_is_enough_and_one_past_it_is_refused_with_both_figures)
{
    struct why why;
    limits_set(64, 256);
    ASSERT_OK(descriptors_reserve(256, "max_connections of 200", &why), &why);
    assert_int_equal(256, soft_limit());
    ASSERT_ERR(ERR_CONFIG, descriptors_reserve(257, "max_connections of 201", &why), &why);
    assert_non_null(strstr(why.text, "max_connections of 201 needs 257"));
    assert_non_null(strstr(why.text, "may have 256"));
}

RUN(T(the_soft_limit_is_raised_to_what_is_needed_and_never_lowered),
    T(the_hard_limit_is_enough_and_one_past_it_is_refused_with_both_figures))

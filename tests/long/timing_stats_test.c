/* SPDX-License-Identifier: Apache-2.0 */
/* The statistics tell a shift of the size that matters from none, in noise far larger than it. */
#include "tests/long/timing_stats.h"
#include "tests/support/prng.h"
#include "tests/unit/test.h"

#include <math.h>

#define BLOCKS  40000
#define CLASSES 4

static uint32_t times[CLASSES][BLOCKS];
static const uint32_t *const views[CLASSES] = { times[0], times[1], times[2], times[3] };

/* 400 us, drifting by a tenth, with 2 us of noise and now and then an interruption; the last class is later. */
static void measure(const char *seed, uint32_t shift)
{
    struct prng prng = prng_seeded(seed);
    for (size_t block = 0; block < BLOCKS; block++) {
        uint32_t base = 400000 + (uint32_t)(20000 * sin((double)block / 5000));
        for (size_t i = 0; i < CLASSES; i++)
            times[i][block] = base + prng_below(&prng, 2000) + (prng_below(&prng, 200) ? 0 : 100000) +
                              (i == CLASSES - 1 ? shift : 0);
    }
}

TEST(no_difference_is_none)
{
    measure("none", 0);
    struct comparison none = compare_paired(times[3], times[0], BLOCKS);
    assert_true(none.low <= 0 && none.high >= 0 && none.high - none.low < 40);
    assert_true(none.p > 0.01);
    assert_true(friedman_p(views, CLASSES, BLOCKS) > 0.01);
}

TEST(a_shift_of_forty_nanoseconds_is_found_and_measured)
{
    measure("shift", 40);
    struct comparison shifted = compare_paired(times[3], times[0], BLOCKS);
    assert_true(shifted.low > 20 && shifted.high < 60 && shifted.median > 25 && shifted.median < 55);
    assert_true(shifted.p < 1e-6);
    assert_true(friedman_p(views, CLASSES, BLOCKS) < 1e-6);
    struct comparison others = compare_paired(times[1], times[0], BLOCKS);
    assert_true(others.low <= 0 && others.high >= 0);
}

TEST(medians_and_tails_are_those_of_the_tables)
{
    static const uint32_t odd[] = { 5, 1, 9 }, even[] = { 4, 1, 2, 100 };
    assert_true(median_of(odd, 3) == 5 && median_of(even, 4) == 3);
    assert_true(fabs(chi_square_p(3.841459, 1) - 0.05) < 1e-6);
    assert_true(fabs(chi_square_p(5.991465, 2) - 0.05) < 1e-6);
    assert_true(fabs(chi_square_p(7.814728, 3) - 0.05) < 1e-6);
    assert_true(fabs(chi_square_p(9.487729, 4) - 0.05) < 1e-6);
}

RUN(T(no_difference_is_none), T(a_shift_of_forty_nanoseconds_is_found_and_measured),
    T(medians_and_tails_are_those_of_the_tables))

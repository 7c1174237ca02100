/* SPDX-License-Identifier: Apache-2.0 */
/* Compares times that were taken side by side. Each block holds one time of each class, in random order, so that whatever else
   the machine does meets all classes alike: what is judged is the differences within blocks. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct comparison {
    double median, low, high;                                /* of the differences, ns; the 95 % confidence interval */
    double p;                                                /* sign test: chance of this, or more, without a difference */
};
/* a - b, block by block. Ends the program when memory is gone. */
struct comparison compare_paired(const uint32_t *a, const uint32_t *b, size_t blocks);
/* Friedman's test over all classes at once: times[class][block]. */
double friedman_p(const uint32_t *const *times, size_t classes, size_t blocks);
double median_of(const uint32_t *times, size_t count);
double chi_square_p(double statistic, size_t freedom);       /* upper tail */

/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics and rank tests. */
#include "tests/long/timing_stats.h"

#include "base/bytes.h"
#include <math.h>
#include <stdlib.h>

#define Z_95        1.959964 /* of the standard normal distribution */
#define CLASSES_MAX 8

static int by_int64(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The order statistics that enclose the median with 95 % confidence, whatever the distribution. */
static size_t lower_rank(size_t count)
{
    double rank = floor((double)count / 2 - Z_95 * sqrt((double)count) / 2);
    return rank < 0 ? 0 : (size_t)rank;
}

static double sign_test(const int64_t *differences, size_t count)
{
    double more = 0, less = 0;
    for (size_t i = 0; i < count; i++) {
        more += differences[i] > 0;
        less += differences[i] < 0;
    }
    return more + less > 0 ? erfc(fabs(more - less) / sqrt(more + less) / sqrt(2)) : 1;
}

static double middle(const int64_t *sorted, size_t count)
{
    return ((double)sorted[(count - 1) / 2] + (double)sorted[count / 2]) / 2;
}

struct comparison compare_paired(const uint32_t *a, const uint32_t *b, size_t blocks)
{
    int64_t *differences = xcalloc(blocks, sizeof(*differences));
    for (size_t i = 0; i < blocks; i++)
        differences[i] = (int64_t)a[i] - b[i];
    double p = sign_test(differences, blocks);
    qsort(differences, blocks, sizeof(*differences), by_int64);
    size_t rank = lower_rank(blocks);
    struct comparison ret = { .median = middle(differences, blocks),
                              .low = (double)differences[rank],
                              .high = (double)differences[blocks - 1 - rank],
                              .p = p };
    free(differences);
    return ret;
}

double median_of(const uint32_t *times, size_t count)
{
    int64_t *sorted = xcalloc(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = times[i];
    qsort(sorted, count, sizeof(*sorted), by_int64);
    double median = middle(sorted, count);
    free(sorted);
    return median;
}

/* Rank of one time among its block, from 1; equal times share the mean of theirs. */
static double rank_of(const uint32_t *const *times, size_t classes, size_t block, size_t which)
{
    double rank = 1;
    for (size_t i = 0; i < classes; i++) {
        if (i == which)
            continue;
        rank += times[i][block] < times[which][block];
        rank += times[i][block] == times[which][block] ? 0.5 : 0;
    }
    return rank;
}

/* For whole degrees of freedom: the recurrence of the incomplete gamma function. */
double chi_square_p(double statistic, size_t freedom)
{
    double half = statistic / 2;
    double p = freedom % 2 ? erfc(sqrt(half)) : exp(-half);
    double term = freedom % 2 ? sqrt(half) * exp(-half) / tgamma(1.5) : half * exp(-half);
    for (size_t at = freedom % 2 ? 1 : 2; at < freedom; at += 2) {
        p += term;
        term *= half / ((double)at / 2 + 1);
    }
    return p;
}

double friedman_p(const uint32_t *const *times, size_t classes, size_t blocks)
{
    double sums[CLASSES_MAX] = { 0 }, squares = 0, k = (double)classes, n = (double)blocks;
    for (size_t block = 0; block < blocks; block++) {
        for (size_t i = 0; i < classes; i++)
            sums[i] += rank_of(times, classes, block, i);
    }
    for (size_t i = 0; i < classes; i++)
        squares += (sums[i] - n * (k + 1) / 2) * (sums[i] - n * (k + 1) / 2);
    return chi_square_p(12 * squares / (n * k * (k + 1)), classes - 1);
}

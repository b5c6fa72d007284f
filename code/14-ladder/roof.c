/* Tangled from chapters/14-ladder.nw: edit there. Sum 1781952715. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o roof code/14-ladder/roof.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fopenmp -lz -lm */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "90-plumbing/cli.h"
#include "nn/product.h"

#define TEMPLATE "14-ladder/peak.h"
#include "nn/widths.h"

enum { ROUNDS = 7, LEVELS = 15 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static int by_size(const void *a, const void *b)
{
    double s = *(const double *)a, t = *(const double *)b;
    return (s > t) - (s < t);
}

static double median(double *t, size_t n)
{
    qsort(t, n, sizeof *t, by_size);
    return t[n / 2];
}
static double multiply_add(int lanes, size_t times)
{
#if defined __x86_64__
    if (lanes == 16)
        return multiply_add_16(times);
    if (lanes == 8)
        return multiply_add_8(times);
#endif
    (void)lanes;
    return multiply_add_4(times);
}

static double read_all(int lanes, const float *p, size_t n,
                       size_t times)
{
#if defined __x86_64__
    if (lanes == 16)
        return read_16(p, n, times);
    if (lanes == 8)
        return read_8(p, n, times);
#endif
    (void)lanes;
    return read_4(p, n, times);
}

static volatile double kept; // so that no loop is left out
/* In 10^9 operations, two for a multiply-add. */
static double peak(int lanes)
{
    double rate[ROUNDS];
    const size_t times = 1000000;
    for (int r = 0; r < ROUNDS; r++) {
        double start = now();
        kept = multiply_add(lanes, times);
        double flops = 2.0 * CHAINS_4 * lanes * (double)times;
        rate[r] = flops / (now() - start) * 1e-9;
    }
    return median(rate, ROUNDS);
}
/* In 10^9 bytes, from an array of n floats read over and over. */
static double bandwidth(const float *p, size_t n)
{
    double rate[ROUNDS];
    size_t times = ((size_t)1 << 24) / n + 1;
    kept = read_all(nn_lanes(), p, n, 1);
    for (int r = 0; r < ROUNDS; r++) {
        double start = now();
        kept = read_all(nn_lanes(), p, n, times);
        double bytes = (double)(n * sizeof *p * times);
        rate[r] = bytes / (now() - start) * 1e-9;
    }
    return median(rate, ROUNDS);
}

int main(int argc, char **argv)
{
    const struct cli cli = {"roof", "",
        "Measures how fast one processor multiplies, and reads.",
        NULL, 0, 0};
    cli_parse(&cli, argc, argv);
    double best = 0;
    puts("lanes  GFLOP/s");
    for (int lanes = 4; lanes <= nn_lanes(); lanes *= 2) {
        double rate = peak(lanes);
        printf("%5d %8.1f\n", lanes, rate);
        best = rate > best ? rate : best;
    }
    printf("\npeak = %.1f\n\n", best);
    size_t most = (size_t)1 << (LEVELS + 11);
    float *p = aligned_alloc(64, most * sizeof *p);
    if (!p)
        cli_fail(&cli, "no memory for %zu bytes", most * sizeof *p);
    memset(p, 0, most * sizeof *p);
    puts("kilobytes     GB/s");
    for (size_t n = (size_t)1 << 12; n <= most; n *= 2)
        printf("%9zu %8.1f\n", n * sizeof *p / 1024, bandwidth(p, n));

    long first = sysconf(_SC_LEVEL1_DCACHE_SIZE);
    long second = sysconf(_SC_LEVEL2_CACHE_SIZE);
    first = first > 0 ? first : 32768;
    second = second > first ? second : 8 * first;
    printf("\nfirst cache = %ld  second cache = %ld\n", first / 1024,
           second / 1024);
    printf("first = %.1f  second = %.1f  memory = %.1f\n",
           bandwidth(p, (size_t)first / 8),
           bandwidth(p, (size_t)second / 8), bandwidth(p, most));
    free(p);
    cli_finish(&cli);
    return 0;
}

/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1326300952. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o roof code/14-ladder/roof.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "90-plumbing/cli.h"
#include "nn/product.h"

#define TEMPLATE "14-ladder/peak.h"
#include "nn/widths.h"

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
    return (t[(n - 1) / 2] + t[n / 2]) / 2;
}
enum { PEAK_ROUNDS = 7 };

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
    double rate[PEAK_ROUNDS];
    const size_t times = 1000000;
    for (int r = 0; r < PEAK_ROUNDS; r++) {
        double start = now();
        kept = multiply_add(lanes, times);
        double flops = 2.0 * CHAINS_4 * lanes * (double)times;
        rate[r] = flops / (now() - start) * 1e-9;
    }
    return median(rate, PEAK_ROUNDS);
}
/* In 10^9 bytes, from an array of n floats read over and over. */
static double bandwidth(const float *p, size_t n)
{
    double rate[PEAK_ROUNDS];
    size_t times = ((size_t)1 << 24) / n + 1;
    kept = read_all(nn_lanes(), p, n, 1);
    for (int r = 0; r < PEAK_ROUNDS; r++) {
        double start = now();
        kept = read_all(nn_lanes(), p, n, times);
        double bytes = (double)(n * sizeof *p * times);
        rate[r] = bytes / (now() - start) * 1e-9;
    }
    return median(rate, PEAK_ROUNDS);
}

/* The floats that fill half of a cache, or of a usual one. */
static size_t half_of_cache(int level)
{
    long bytes = sysconf(level == 1 ? _SC_LEVEL1_DCACHE_SIZE
                                    : _SC_LEVEL2_CACHE_SIZE);
    if (bytes <= 0)
        bytes = (level == 1 ? 32 : 512) * 1024L;
    return (size_t)bytes / sizeof(float) / 2;
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
    const size_t most = (size_t)1 << 26;
    float *p = aligned_alloc(64, most * sizeof *p);
    if (!p)
        cli_fail(&cli, "no memory for %zu bytes", most * sizeof *p);
    memset(p, 0, most * sizeof *p);
    puts("\nkilobytes     GB/s");
    double memory = 0; // the last of these
    for (size_t n = (size_t)1 << 12; n <= most; n *= 4) {
        memory = bandwidth(p, n);
        printf("%9zu %8.1f\n", n * sizeof *p / 1024, memory);
    }

    double first = bandwidth(p, half_of_cache(1));
    double second = bandwidth(p, half_of_cache(2));
    printf("\nhalf of      GB/s\ncache 1  %8.1f\ncache 2  %8.1f\n",
           first, second);
    printf("\n#values:\n# peak = %.1f\n", best);
    printf("# first = %.1f  second = %.1f  memory = %.1f\n", first,
           second, memory);
    printf("# peak over first = %.1f  peak over second = %.1f\n",
           best / first, best / second);
    printf("# peak over memory = %.0f\n", best / memory);
    printf("# side for first = %.0f  side for second = %.0f\n",
           ceil(4 * best / first), ceil(4 * best / second));
    printf("# batch for second = %.0f  batch for memory = %.0f\n",
           ceil(3 * best / second), ceil(3 * best / memory));
    free(p);
    cli_finish(&cli);
    return 0;
}

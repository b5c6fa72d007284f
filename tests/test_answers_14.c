// The answers of chapter 14 are right.
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>

#include "14-ladder/answers.c"
#include "nn/pictures.h"

TestSuite(answers_14, .timeout = 60);

Test(answers_14, a_tile_is_as_large_as_the_memory_is_slow)
{
    // n/4 operations a byte times the bandwidth must reach the peak, and n - 1 must not
    for (double peak = 20; peak < 300; peak += 7)
        for (double bandwidth = 5; bandwidth < 400; bandwidth *= 1.7) {
            double n = tile_side(peak, bandwidth);
            cr_assert(n == floor(n) && n >= 1);
            cr_assert(n / 4 * bandwidth >= peak * (1 - 1e-12), "%g %g: %g", peak, bandwidth, n);
            cr_assert((n - 1) / 4 * bandwidth < peak, "%g %g: %g", peak, bandwidth, n);
        }
}

Test(answers_14, a_batch_is_as_large_as_the_memory_is_slow)
{
    for (double peak = 20; peak < 300; peak += 7)
        for (double bandwidth = 5; bandwidth < 400; bandwidth *= 1.7) {
            double m = batch_side(peak, bandwidth);
            cr_assert(m == floor(m) && m >= 1);
            cr_assert(4 * m / 12 * bandwidth >= peak * (1 - 1e-12));
            cr_assert(4 * (m - 1) / 12 * bandwidth < peak);
        }
}

Test(answers_14, a_power_of_two_uses_few_sets)
{
    cr_assert(sets_used(127 * 8, 784, 64) == 64);
    cr_assert(sets_used(128 * 8, 784, 64) == 4);
    cr_assert(sets_used(129 * 8, 784, 64) == 64);
    cr_assert(sets_used(4096, 784, 64) == 1);
    cr_assert(sets_used(64, 10, 64) == 10);
    cr_assert(sets_used(8, 9, 64) == 2);
}

Test(answers_14, zeros_may_be_skipped)
{
    enum { N = 13, M = 50 };
    float w[M * N], b[N], x[M], z[N], all[N];
    uint32_t seed = 1;
    for (int i = 0; i < M * N; i++) {
        seed = seed * 1664525u + 1013904223u;
        w[i] = (float)(seed >> 8) / 16777216 - 0.5F;
    }
    for (int j = 0; j < N; j++)
        all[j] = b[j] = 0.1F * (float)(j - 6);
    for (int k = 0; k < M; k++)
        x[k] = k % 2 ? 0 : (float)k / M + 0.01F;
    for (int k = 0; k < M; k++)
        for (int j = 0; j < N; j++)
            all[j] += x[k] * w[k * N + j];
    skipping(N, M, w, b, x, z);
    cr_assert(memcmp(z, all, sizeof z) == 0);

    w[1 * N] = INFINITY; // x[1] is 0, and is not looked at
    skipping(N, M, w, b, x, z);
    cr_assert(memcmp(z, all, sizeof z) == 0);
}

/* Of a hundred places of eight training pictures in a row 13 are 0 in all of them. */
Test(answers_14, few_places_are_zero_in_eight_pictures)
{
    struct nn_pictures set;
    struct nn_fault fault;
    size_t zeros = 0, places = 0;
    cr_assert(nn_pictures_load(&set, "/usr/share/datasets/fashion-mnist", "train",
                               &fault) == NN_OK, "%s", fault.path);
    size_t n = set.rows * set.cols;
    for (size_t s = 0; s + 8 <= set.m; s += 8)
        for (size_t k = 0; k < n; k++, places++) {
            int any = 0;
            for (size_t i = s; i < s + 8; i++)
                any |= set.pixel[i * n + k];
            zeros += !any;
        }
    cr_assert(lround(100.0 * (double)zeros / (double)places) == 13, "%zu of %zu",
              zeros, places);
    nn_pictures_free(&set);
}

Test(answers_14, two_bytes_are_the_nearest)
{
    cr_assert(two_bytes(1) == 1 && two_bytes(-0.5F) == -0.5F && two_bytes(0) == 0);
    // between 1 and 2 the numbers lie 2^-7 apart; ties go to the even one
    cr_assert(two_bytes(1 + 0x1p-8F) == 1);
    cr_assert(two_bytes(1 + 0x3p-8F) == 1 + 0x2p-7F);
    cr_assert(two_bytes(1 + 0x1.01p-8F) == 1 + 0x1p-7F);
    cr_assert(two_bytes(1.999F) == 2);
    cr_assert(two_bytes(1 - 0.001F) == 1);

    double worst = 0;
    for (float x = 1e-3F; x < 1e4F; x *= 1.0001F) {
        double off = fabs((double)two_bytes(x) - (double)x) / (double)x;
        worst = fmax(worst, off);
        cr_assert(two_bytes(-x) == -two_bytes(x));
    }
    cr_assert(worst < 0x1p-8 && worst > 0.99 * 0x1p-8, "%g", worst);
}

Test(answers_14, the_exponential_function)
{
    double worst = 0;
    for (double x = -87; x <= 88; x += 0.00037) {
        float f = (float)x;
        double e = exp((double)f);
        worst = fmax(worst, fabs((double)fast_exp(f) - e) / e);
    }
    cr_assert(worst < 1e-6, "%g", worst);
    cr_assert(fast_exp(0) == 1);
}

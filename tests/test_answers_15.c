// The answers of chapter 15 are right.
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "15-spread/answers.c"

TestSuite(answers_15, .timeout = 60);

static uint32_t state = 1;

static float uniform(void) // in [-1, 1)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608 - 1;
}

Test(answers_15, a_tree_sends_more_from_four_ranks_on)
{
    cr_assert(bytes_sent(1, 8) == 0 && bytes_of_tree(1, 8) == 0);
    cr_assert(bytes_sent(2, 8) == 8 && bytes_of_tree(2, 8) == 8);
    cr_assert(bytes_sent(4, 8) == 12 && bytes_of_tree(4, 8) == 16);
    for (double n = 4; n < 5000; n *= 2)
        cr_assert(bytes_sent(n, 1) < bytes_of_tree(n, 1) && bytes_sent(n, 1) < 2);
}

Test(answers_15, no_other_interval_loses_less)
{
    for (double save = 1; save < 100; save *= 3)
        for (double failure = 1e4; failure < 1e7; failure *= 7) {
            double best = best_interval(save, failure);
            double least = save / best + best / (2 * failure);
            cr_assert(best > 0);
            for (double t = best / 4; t < best * 4; t *= 1.01)
                cr_assert(save / t + t / (2 * failure) >= least * (1 - 1e-12));
        }
}

Test(answers_15, a_ring_adds)
{
    for (size_t ranks = 1; ranks <= 9; ranks++) {
        size_t n = ranks * 7;
        float *g = calloc(ranks * n, sizeof *g);
        double *sum = calloc(n, sizeof *sum);
        for (size_t r = 0; r < ranks; r++)
            for (size_t i = 0; i < n; i++)
                sum[i] += (double)(g[r * n + i] = uniform());
        size_t sent = ring(ranks, n, g);
        cr_assert(sent == 2 * (ranks - 1) * 7, "%zu ranks sent %zu", ranks, sent);
        for (size_t r = 0; r < ranks; r++)
            for (size_t i = 0; i < n; i++) {
                cr_assert(fabs((double)g[r * n + i] - sum[i]) < 1e-5, "%zu ranks", ranks);
                cr_assert(g[r * n + i] <= g[i] && g[r * n + i] >= g[i]); // the same for all
            }
        free(g);
        free(sum);
    }
}

Test(answers_15, a_sum_of_whole_numbers_has_no_order)
{
    enum { N = 5000 };
    static float x[N];
    double sum = 0;
    for (int i = 0; i < N; i++) {
        x[i] = uniform() * powf(2, -(float)(i % 30));
        sum += (double)x[i];
    }
    double first = whole_sum(N, x);
    cr_assert(fabs(first - sum) < N * 0x1p-41 + 1e-12, "%g", first - sum);
    for (int times = 0; times < 20; times++) {
        for (int i = N - 1; i > 0; i--) {
            int k = (int)((double)(uniform() + 1) / 2 * (i + 1));
            float t = x[i];
            x[i] = x[k];
            x[k] = t;
        }
        double again = whole_sum(N, x);
        cr_assert(memcmp(&first, &again, sizeof first) == 0);
    }
    cr_assert(whole_sum(1, (const float[]){-1}) + 1 == 0);
    cr_assert(whole_sum(0, x) * 1 == 0);
}

Test(answers_15, nothing_of_a_gradient_is_lost)
{
    enum { N = 300 };
    for (size_t k = 0; k <= N + 1; k += 7) {
        float g[N], rest[N], was[N];
        for (int i = 0; i < N; i++) {
            g[i] = (float)(int)(uniform() * 20); // many are as large as others
            rest[i] = (float)(int)(uniform() * 3);
            was[i] = g[i] + rest[i];
        }
        cr_assert(largest(N, g, rest, k) == 0);

        float least = INFINITY, most = 0;
        size_t sent = 0;
        for (int i = 0; i < N; i++) {
            int goes = memcmp(&g[i], &(float){0}, sizeof *g) != 0 && fabsf(g[i]) > 0;
            cr_assert(fabsf(g[i] + rest[i] - was[i]) < 1e-6F);
            cr_assert(!(fabsf(g[i]) > 0 && fabsf(rest[i]) > 0));
            sent += goes ? 1 : 0;
            least = goes ? fminf(least, fabsf(g[i])) : least;
            most = fmaxf(most, fabsf(rest[i]));
        }
        cr_assert(sent <= k);
        cr_assert(most <= least);
        cr_assert(sent == k || most <= 0, "%zu of %zu", sent, k); // fewer if the others are 0
    }
    cr_assert(largest(0, NULL, NULL, 3) == 0);
}

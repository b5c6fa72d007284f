/* The answers of chapter 13 do what they say. */

#include "check.h"

#include "13-stall/answers.c"
#include "nn/init.h"

TestSuite(answers_13, .timeout = 20);

Test(answers_13, deepest)
{
    cr_assert(deepest(sqrt(1.0 / 3), 0.01) == 9);
    cr_assert(deepest(0.5, 0.2) == 3);
    for (int i = 1; i < 100; i++) {
        double f = i / 101.0;
        int n = deepest(f, 1e-5);
        cr_assert(pow(f, n - 1) >= 1e-5 && pow(f, n) < 1e-5);
    }
}

/* The mean over seeds stays near 1 with the right variance, and a variance
   that forgets c would give (1 + c^2)^depth. */
Test(answers_13, leaky)
{
    const double c[] = {0, 0.1, 0.5, 1};
    check_close(leaky_variance(50, 0), 0.04, 1e-14);
    check_close(leaky_variance(50, 1), 0.02, 1e-14);
    for (int i = 0; i < 4; i++) {
        double sum = 0;
        for (uint64_t seed = 0; seed < 60; seed++)
            sum += leaky_size(100, 10, c[i], seed) / 60;
        cr_assert(sum > 0.75 && sum < 1.35, "c = %g: %g", c[i], sum);
    }
}

/* Random directions: each step adds a part of relative size f to a vector. */
Test(answers_13, skip)
{
    enum { N = 200, TIMES = 100 };
    struct nn_rng rng = nn_rng_seeded(2);
    double v[N], mean = 0;
    for (int t = 0; t < TIMES; t++) {
        double size = 0, first = 0;
        for (int i = 0; i < N; i++) {
            v[i] = nn_rng_uniform(&rng, -1, 1);
            first += v[i] * v[i];
        }
        size = first;
        for (int l = 0; l < 20; l++) {
            double part = 0.5 * sqrt(3 * size / N);
            size = 0;
            for (int i = 0; i < N; i++) {
                v[i] += part * nn_rng_uniform(&rng, -1, 1);
                size += v[i] * v[i];
            }
        }
        mean += size / first / TIMES;
    }
    double want = left_after_residual(0.5, 20);
    cr_assert(fabs(mean / (want * want) - 1) < 0.15, "%g", mean);
    check_close(left_after(0.25, 3), 1.0 / 64, 1e-14);
    cr_assert(left_after_residual(0.01, 20) > 1);
}

static double slopes(struct nn *nn, const double *x, const double *y, double *g, int l)
{
    double cost, sum = 0;
    struct nn_layer at = nn_layer_at(nn, l);
    cr_assert(nn_gradient(nn, 1, x, y, g, &cost) == NN_OK);
    for (size_t j = at.unit; j < at.unit + at.n; j++)
        sum += nn->dz[j] * nn->dz[j];
    return sqrt(sum / (double)at.n);
}

Test(answers_13, level)
{
    enum { L = 20, M = 30 };
    size_t size[L + 1];
    enum nn_activation sigma[L];
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(3);
    static double x[M * 40], y[10] = {1};
    for (int l = 0; l <= L; l++)
        size[l] = l == L ? 10 : 40;
    for (int l = 0; l < L; l++)
        sigma[l] = l == L - 1 ? NN_IDENTITY : NN_TANH;
    cr_assert(nn_create(&nn, L, size, sigma) == NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    nn_initialize(&nn, NN_SMALL, &rng);
    double *g = malloc(nn.params * sizeof *g);
    for (int i = 0; i < M * 40; i++)
        x[i] = nn_rng_uniform(&rng, -1, 1);
    double before = slopes(&nn, x, y, g, 1) / slopes(&nn, x, y, g, L - 1);
    level(&nn, M, x);
    double after = slopes(&nn, x, y, g, 1) / slopes(&nn, x, y, g, L - 1);
    cr_assert(before < 1e-3);
    cr_assert(after > 0.02 && after < 50, "%g", after);
    for (int l = 1; l <= L; l++) {
        struct nn_layer at = nn_layer_at(&nn, l);
        double sum = 0;
        for (int s = 0; s < M; s++) {
            nn_forward(&nn, x + 40 * s);
            for (size_t j = at.unit; j < at.unit + at.n; j++)
                sum += nn.z[j] * nn.z[j];
        }
        check_close(sum / (M * (double)at.n), 1, 1e-10);
    }
    free(g);
    nn_destroy(&nn);
}

/* The numbers of the last answer: for z spread like the normal distribution, with
   mean square 1, by the sum over a fine grid. */
Test(answers_13, level_keeps_tanh_level)
{
    double a2 = 0, bend2 = 0, h = 1e-3;
    for (int i = -9000; i <= 9000; i++) {
        double z = i * h, a = tanh(z);
        double share = exp(-z * z / 2) / sqrt(2 * 3.14159265358979) * h;
        a2 += share * a * a;
        bend2 += share * (1 - a * a) * (1 - a * a);
    }
    cr_assert(fabs(a2 - 0.394) < 5e-4 && fabs(1 / a2 - 2.54) < 0.005);
    cr_assert(fabs(bend2 - 0.464) < 5e-4);
    cr_assert(fabs(sqrt(bend2 / a2) - 1.085) < 5e-4);
    cr_assert(fabs(pow(sqrt(bend2 / a2), 18) - 4.4) < 0.05);
}

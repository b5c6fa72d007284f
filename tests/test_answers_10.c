/* The answers of chapter 10 do what they say. */

#include "check.h"

#include "10-race/answers.c"

TestSuite(answers_10, .timeout = 30);

Test(answers_10, bearable)
{
    check_close(bearable(3600, 1e-9), sqrt(3.6e12) / 3, 1e-12);
    double p = sqrt(3600 / 1e-9);
    cr_assert(p > 1.8e6 && p < 2e6);
    cr_assert(p * bearable(3600, 1e-9) > 1e12);
    check_close(bearable(3600, 1e-9), 630e3, 0.01);
}

Test(answers_10, cost_of)
{
    cr_assert(cost_of(2, (size_t[]){100, 200, 10}) == 46000);
    cr_assert(cost_of(3, (size_t[]){100, 100, 100, 10}) == 53000);
    cr_assert(cost_of(2, (size_t[]){784, 30, 10}) == 47940);
}

enum { P = 5 * 4 + 5 + 3 * 5 + 3 };

static double x[4], y[3];

static void make(struct nn *nn, struct nn_rng *rng)
{
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    cr_assert(nn_create(nn, 2, (size_t[]){4, 5, 3}, sigma) == NN_OK);
    cr_assert(nn->params == P);
    for (size_t i = 0; i < P; i++)
        nn->p[i] = nn_rng_uniform(rng, -1, 1);
    for (int k = 0; k < 4; k++)
        x[k] = nn_rng_uniform(rng, -1, 1);
    for (int j = 0; j < 3; j++)
        y[j] = nn_rng_uniform(rng, 0, 1);
}

static double dot(const double *u, const double *v)
{
    double sum = 0;
    for (int i = 0; i < P; i++)
        sum += u[i] * v[i];
    return sum;
}

Test(answers_10, numbers_held)
{
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(1);
    make(&nn, &rng);
    cr_assert(numbers_held(&nn) == 4 * (4 + 5 + 3) + P);
    nn_destroy(&nn);
}

Test(answers_10, forward_mode_is_the_gradient_along_v)
{
    struct nn_rng rng = nn_rng_seeded(2);
    for (int i = 0; i < 50; i++) {
        struct nn nn;
        double g[P], v[P], cost;
        make(&nn, &rng);
        for (int k = 0; k < P; k++)
            v[k] = nn_rng_uniform(&rng, -1, 1);
        nn_gradient(&nn, 1, x, y, g, &cost);
        cr_assert(fabs(along(&nn, x, y, v) - dot(g, v)) < 1e-14);
        nn_destroy(&nn);
    }
}

/* More inputs than a small array has places. */
Test(answers_10, forward_mode_in_a_wide_net)
{
    const size_t n[] = {784, 30, 10};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(4);
    struct nn nn;
    double cost, want = 0, in[784], target[10] = {1};
    cr_assert(nn_create(&nn, 2, n, sigma) == NN_OK);
    double *g = calloc(nn.params, sizeof *g), *v = calloc(nn.params, sizeof *v);
    nn_randomize(&nn, &rng);
    for (int k = 0; k < 784; k++)
        in[k] = nn_rng_uniform(&rng, -1, 1);
    for (size_t i = 0; i < nn.params; i++)
        v[i] = nn_rng_uniform(&rng, -1, 1);
    nn_gradient(&nn, 1, in, target, g, &cost);
    for (size_t i = 0; i < nn.params; i++)
        want += g[i] * v[i];
    cr_assert(fabs(along(&nn, in, target, v) - want) < 1e-12);
    free(g);
    free(v);
    nn_destroy(&nn);
}

Test(answers_10, hessian_is_symmetric_and_the_slope_of_the_gradient)
{
    struct nn_rng rng = nn_rng_seeded(3);
    for (int i = 0; i < 50; i++) {
        struct nn nn;
        double u[P], v[P], hu[P], hv[P], g[P], moved[P], before[P], cost;
        make(&nn, &rng);
        for (int k = 0; k < P; k++) {
            u[k] = nn_rng_uniform(&rng, -1, 1);
            v[k] = nn_rng_uniform(&rng, -1, 1);
        }
        memcpy(before, nn.p, sizeof before);
        hessian_times(&nn, x, y, u, hu);
        hessian_times(&nn, x, y, v, hv);
        cr_assert(fabs(dot(u, hv) - dot(v, hu)) < 1e-9);
        cr_assert(fabs(asymmetry(&nn, x, y, u, v)) < 1e-9);
        cr_assert(memcmp(nn.p, before, sizeof before) == 0, "p has moved");
        cr_assert(fabs(dot(v, hv)) > 1e-6);
        nn_gradient(&nn, 1, x, y, g, &cost);
        nn.p[0] += 1e-4;
        nn_gradient(&nn, 1, x, y, moved, &cost);
        double first = 0;
        for (int k = 0; k < P; k++)
            first += v[k] * (moved[k] - g[k]) / 1e-4;
        cr_assert(fabs(first - hv[0]) < 1e-3);
        nn_destroy(&nn);
    }
}

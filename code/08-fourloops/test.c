/* Tangled from chapters/08-fourloops.nw: edit there. Sum 4202568145. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "nn/nn.h"

#define main xor_main
#include "07-xor/xor.c"
#undef main

TestSuite(fourloops, .timeout = 30);

Test(fourloops, nine_slopes_are_those_of_chapter_7)
{
    const enum nn_activation sigma[] = {NN_SIGMOID, NN_SIGMOID};
    const double x[] = {1, 0.5}, y[] = {0};
    struct net p = {0.5, -0.3, 0.1, 0.2, 0.4, -0.2,
                    0.6, -0.5, 0.2}, want = {0};
    double got[9], cost;
    struct nn nn;

    cr_assert(nn_create(&nn, 2, (size_t[]){2, 2, 1}, sigma)
              == NN_OK);
    const double *at[9] = {&p.w11, &p.w12, &p.w21, &p.w22, &p.b1,
                           &p.b2, &p.v1, &p.v2, &p.c};
    for (int i = 0; i < 9; i++)
        nn.p[i] = *at[i];
    cr_assert(nn_gradient(&nn, 1, x, y, got, &cost) == NN_OK);
    one_example(&p, 1, 0.5, 0, &want);
    for (int i = 0; i < 9; i++) {
        double by_hand = ((double *)&want)[at[i] - (double *)&p];
        cr_assert(fabs(got[i] - by_hand) < 1e-16, "%d", i);
    }
    cr_assert(fabs(got[0] - 0.019984927084136) < 5e-16);
    nn_destroy(&nn);
}
Test(fourloops, gradient_is_the_slope_of_the_cost)
{
    enum { M = 5 };
    const size_t size[] = {3, 4, 3, 5, 2};
    const enum nn_activation sigma[] = {
        NN_TANH, NN_RELU, NN_SIGMOID, NN_IDENTITY};
    const double h = 1e-5;
    struct nn_rng rng = nn_rng_seeded(8);
    struct nn nn;
    double x[M * 3], y[M * 2], g[63], cost, norm = 0;
    cr_assert(nn_create(&nn, 4, size, sigma) == NN_OK);
    cr_assert(nn.params == 63);
    nn_randomize(&nn, &rng);
    for (size_t i = 0; i < M * 3; i++)
        x[i] = nn_rng_uniform(&rng, -1, 1);
    for (size_t i = 0; i < M * 2; i++)
        y[i] = nn_rng_uniform(&rng, -1, 1);

    cr_assert(nn_gradient(&nn, M, x, y, g, &cost) == NN_OK);
    for (size_t i = 0; i < nn.params; i++)
        norm += g[i] * g[i];
    cr_assert(norm > 1e-4, "the gradient is nothing: %g", norm);
    for (size_t i = 0; i < nn.params; i++) {
        double p = nn.p[i];
        nn.p[i] = p + h;
        double above = nn_cost(&nn, M, x, y);
        nn.p[i] = p - h;
        double below = nn_cost(&nn, M, x, y);
        nn.p[i] = p;
        double d = (above - below) / (2 * h);
        cr_assert(fabs(g[i] - d) <= 1e-8 * (1 + fabs(d)),
                  "parameter %zu: %.10f, by h %.10f", i, g[i], d);
    }
    nn_destroy(&nn);
}
static double learned(int random)
{
    const double x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    const double y[] = {0, 1, 1, 0};
    const size_t size[] = {2, 3, 1};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(1);
    struct nn nn;
    double g[13], cost;

    cr_assert(nn_create(&nn, 2, size, sigma) == NN_OK);
    if (random)
        nn_randomize(&nn, &rng);
    for (int i = 0; i < 2000; i++) {
        cr_assert(nn_gradient(&nn, 4, x, y, g, &cost) == NN_OK);
        nn_step(&nn, g, 2);
    }
    nn_destroy(&nn);
    return cost;
}

Test(fourloops, zeros_stay_where_they_are)
{
    cr_assert(learned(0) == 0.125);
}

Test(fourloops, random_weights_learn_xor)
{
    cr_assert(learned(1) < 0.001);
}

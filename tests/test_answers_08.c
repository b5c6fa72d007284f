// The answers to the exercises of chapter 8.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "08-fourloops/answers.c"

TestSuite(answers_08, .timeout = 30);

static struct nn random_net(void)
{
    const size_t size[] = {3, 5, 4, 2};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID, NN_IDENTITY};
    struct nn_rng rng = nn_rng_seeded(3);
    struct nn nn;
    cr_assert(nn_create(&nn, 3, size, sigma) == NN_OK);
    nn_randomize(&nn, &rng);
    return nn;
}

static const double x[] = {0.3, -0.7, 1.1}, y[] = {0.5, -2};

Test(answers_08, body_is_run_once_a_weight_and_sample)
{
    const size_t size[] = {784, 30, 10};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    struct nn nn;
    cr_assert(nn_create(&nn, 2, size, sigma) == NN_OK);
    cr_assert(body_count(&nn, 1) == 23820);
    cr_assert(body_count(&nn, 7) == 7 * 23820);
    nn_destroy(&nn);
}

Test(answers_08, equal_units_stay_equal_until_nudged)
{
    int parted = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        double stuck = equal_start(seed, 0);
        cr_assert(stuck > 1.0 / 12 && stuck < 0.1251, "%g", stuck);
        parted += equal_start(seed, 0.001) < 0.001;
    }
    cr_assert(equal_start(1, 0) < 0.085 && equal_start(1, 0.001) < 0.001);
    cr_assert(parted > 5 && parted < 18, "%d", parted);
}

Test(answers_08, k_outside_gives_the_same_bits)
{
    struct nn nn = random_net();
    double g[64], swapped[64], cost;
    cr_assert(nn.params <= 64);
    cr_assert(nn_gradient(&nn, 1, x, y, g, &cost) == NN_OK);
    gradient_k_outside(&nn, x, y, swapped);
    cr_assert(memcmp(g, swapped, nn.params * sizeof *g) == 0);
    nn_destroy(&nn);
}

Test(answers_08, input_moves_until_the_output_is_right)
{
    const double xs[] = {0, 0, 0, 1, 1, 0, 1, 1}, ys[] = {0, 1, 1, 0};
    const size_t size[] = {2, 3, 1};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(1);
    struct nn nn;
    double g[13], before[13], cost;
    cr_assert(nn_create(&nn, 2, size, sigma) == NN_OK);
    nn_randomize(&nn, &rng);
    for (int i = 0; i < 5000; i++) {
        cr_assert(nn_gradient(&nn, 4, xs, ys, g, &cost) == NN_OK);
        nn_step(&nn, g, 2);
    }
    memcpy(before, nn.p, sizeof before);
    for (int wanted = 0; wanted <= 1; wanted++) {
        double point[] = {0.5, 0.5};
        cr_assert(sharpen(&nn, point, wanted, g) <= 1e-4);
        cr_assert(fabs(*nn_forward(&nn, point) - wanted) < 0.05);
    }
    cr_assert(memcmp(before, nn.p, sizeof before) == 0);
    nn_destroy(&nn);
}

Test(answers_08, other_cost_has_the_slope_of_its_cost)
{
    const double xs[] = {0.3, -0.7, 1.1, 0.2, -0.4, -1};
    const double ys[] = {0.5, -2, 1, 1};
    struct nn nn = random_net();
    double g[64], unused[64], one, two, both, norm = 0, want = 0;
    cr_assert(log_cosh_off(&nn, 1, x, y, g, unused) < 1e-9);
    cr_assert(log_cosh_off(&nn, 2, xs, ys, g, unused) < 1e-9);
    for (size_t i = 0; i < nn.params; i++)
        norm += g[i] * g[i];
    cr_assert(norm > 1e-3);
    log_cosh_gradient(&nn, 1, xs, ys, g, &one);
    log_cosh_gradient(&nn, 1, xs + 3, ys + 2, g, &two);
    log_cosh_gradient(&nn, 2, xs, ys, g, &both);
    cr_assert(fabs(both - (one + two) / 2) < 1e-15);
    const double *a = nn_forward(&nn, xs);
    for (int j = 0; j < 2; j++)
        want += log(cosh(a[j] - ys[j])) / 2;
    cr_assert(fabs(one - want) < 1e-14, "%g, not %g", one, want);
    cr_assert(fabs(log_cosh(1000) - (1000 - log(2))) < 1e-9);
    nn_destroy(&nn);
}

/* The gradient check, from outside: what it must find, what it must
   refuse, and that it leaves the net as it was. */

#include "check.h"

#include <string.h>

#include "nn/check.h"

TestSuite(check, .timeout = 30);

enum { M = 3, N_IN = 3, N_OUT = 2, P = 3 * 4 + 4 + 4 * 2 + 2 };

static double x[M * N_IN], y[M * N_OUT];

static void make(struct nn *nn, enum nn_activation sigma, uint64_t seed)
{
    const size_t size[] = {N_IN, 4, N_OUT};
    const enum nn_activation s[] = {sigma, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(seed);
    cr_assert(nn_create(nn, 2, size, s) == NN_OK && nn->params == P);
    for (size_t i = 0; i < P; i++)
        nn->p[i] = nn_rng_uniform(&rng, -1, 1);
    for (size_t i = 0; i < M * N_IN; i++)
        x[i] = nn_rng_uniform(&rng, -1, 1);
    for (size_t i = 0; i < M * N_OUT; i++)
        y[i] = nn_rng_uniform(&rng, 0, 1);
}

static void right(struct nn *nn, double *g)
{
    double cost;
    cr_assert(nn_gradient(nn, M, x, y, g, &cost) == NN_OK);
}

static size_t largest(const double *g)
{
    size_t at = 0;
    for (size_t i = 1; i < P; i++)
        if (fabs(g[i]) > fabs(g[at]))
            at = i;
    return at;
}

Test(check, right_gradients_pass)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        for (int s = 0; s < 3; s++) {
            struct nn nn;
            double g[P];
            make(&nn, (enum nn_activation)s, seed);
            right(&nn, g);
            struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
            cr_assert(nn_check_passed(&c));
            cr_assert(c.worst < 1e-7 && c.checked == P && !c.skipped);
            check_close(c.largest, fabs(g[largest(g)]), 1e-6);
            nn_destroy(&nn);
        }
}

/* One slope that is wrong by one part in ten thousand, anywhere. */
Test(check, one_wrong_slope_is_named)
{
    struct nn nn;
    double g[P];
    make(&nn, NN_TANH, 1);
    right(&nn, g);
    for (size_t i = 0; i < P; i++) {
        double old = g[i];
        g[i] += 1e-4 * (fabs(old) + 1e-3);
        struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
        cr_assert(!nn_check_passed(&c) && c.at == i);
        cr_assert(c.got == g[i]);
        check_close(c.want, old, 1e-5);
        g[i] = old;
    }
    nn_destroy(&nn);
}

Test(check, both_values_keep_their_signs)
{
    struct nn nn;
    double g[P];
    make(&nn, NN_TANH, 2);
    right(&nn, g);
    size_t i = largest(g);
    g[i] = -g[i];
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(c.at == i && c.worst > 0.9 && !nn_check_passed(&c));
    cr_assert(c.got == g[i] && c.got * c.want < 0);
    nn_destroy(&nn);
}

Test(check, no_number_fails)
{
    const double bad[] = {CHECK_NAN, CHECK_INFINITY, -CHECK_INFINITY};
    struct nn nn;
    double g[P];
    make(&nn, NN_SIGMOID, 3);
    for (int b = 0; b < 3; b++)
        for (size_t i = 0; i < P; i++) {
            right(&nn, g);
            g[i] = bad[b];
            g[(i + 7) % P] += 0.1; // another mistake must not hide it
            struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
            cr_assert(!nn_check_passed(&c) && c.at == i);
            cr_assert(isinf(c.worst));
        }
    right(&nn, g);
    x[0] = CHECK_NAN;
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(!nn_check_passed(&c));
    nn_destroy(&nn);
}

Test(check, nothing_to_see_fails)
{
    struct nn nn;
    double g[P] = {0};
    make(&nn, NN_TANH, 4);
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(!nn_check_passed(&c)); // zeros where there are slopes
    for (size_t i = 0; i < P; i++)
        nn.p[i] = i >= P - N_OUT ? -800 : 0; // sigmoids that are off
    right(&nn, g);
    c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(c.worst <= NN_CHECK_BOUND && c.largest == 0);
    cr_assert(!nn_check_passed(&c));
    nn_destroy(&nn);
}

/* A ReLU that stands on its corner: its bias and, where the input is
   not 0, its weights cannot be judged. */
Test(check, corners_are_skipped_and_counted)
{
    struct nn nn;
    double g[P];
    make(&nn, NN_RELU, 5);
    nn.p[0] = nn.p[1] = nn.p[2] = nn.p[12] = 0; // z of unit 1 is 0
    x[1] = x[4] = x[7] = 0;                     // and does not feel w1_1,2
    right(&nn, g);
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(c.skipped == 3 && c.checked == P - 3);
    cr_assert(c.worst < 1e-7 && !nn_check_passed(&c), "3 of 26 are too many");
    nn_destroy(&nn);
}

Test(check, verdict_at_its_bounds)
{
    struct nn_check c = {.worst = 1e-6, .largest = 1, .checked = 99, .skipped = 1};
    cr_assert(nn_check_passed(&c));
    c.checked = 98;
    cr_assert(!nn_check_passed(&c));
    c = (struct nn_check){.worst = 1.0001e-6, .largest = 1, .checked = 9};
    cr_assert(!nn_check_passed(&c));
    c.worst = CHECK_NAN;
    cr_assert(!nn_check_passed(&c));
    c = (struct nn_check){.worst = 0, .largest = 1e-6, .checked = 9};
    cr_assert(!nn_check_passed(&c));
    c.largest = CHECK_NAN;
    cr_assert(!nn_check_passed(&c));
}

Test(check, leaves_the_parameters)
{
    struct nn nn;
    double g[P], kept[P], p[P];
    make(&nn, NN_RELU, 6);
    right(&nn, g);
    memcpy(kept, g, sizeof g);
    memcpy(p, nn.p, sizeof p);
    nn_check_gradient(&nn, M, x, y, g);
    cr_assert(memcmp(p, nn.p, sizeof p) == 0);
    cr_assert(memcmp(kept, g, sizeof g) == 0);
    nn_destroy(&nn);
}

/* A step of 1e-5 would be lost beside a weight of 1e13, and the noise
   of a cost of 1e6 beside slopes of 1. */
Test(check, large_numbers)
{
    struct nn nn;
    double g[2], cost, one = 1e-13, target = -1;
    const enum nn_activation linear[] = {NN_IDENTITY};
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 1}, linear) == NN_OK);
    nn.p[0] = 1e13;
    cr_assert(nn_gradient(&nn, 1, &one, &target, g, &cost) == NN_OK);
    struct nn_check c = nn_check_gradient(&nn, 1, &one, &target, g);
    cr_assert(nn_check_passed(&c), "%g", c.worst);
    target = -2000;
    cr_assert(nn_gradient(&nn, 1, &one, &target, g, &cost) == NN_OK);
    cr_assert(cost > 1e6);
    c = nn_check_gradient(&nn, 1, &one, &target, g);
    cr_assert(nn_check_passed(&c), "%g", c.worst);
    nn_destroy(&nn);
}

Test(check, names)
{
    struct nn nn;
    char name[NN_NAME];
    make(&nn, NN_TANH, 7);
    const struct {
        size_t i;
        const char *name;
    } want[] = {{0, "w1_1,1"}, {2, "w1_1,3"}, {3, "w1_2,1"}, {11, "w1_4,3"},
                {12, "b1_1"}, {15, "b1_4"}, {16, "w2_1,1"}, {23, "w2_2,4"},
                {24, "b2_1"}, {25, "b2_2"}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        nn_name(&nn, want[i].i, name);
        cr_assert(strcmp(name, want[i].name) == 0, "%s", name);
    }
    nn_destroy(&nn);
}

/* Where the third derivative is large, the error of a plain central
   difference is too; the extrapolated one has none of it. */
Test(check, extrapolation)
{
    struct nn nn;
    double g[2], cost, in = 1000, target = 1;
    const enum nn_activation s[] = {NN_SIGMOID};
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 1}, s) == NN_OK);
    nn.p[0] = 0.001;
    cr_assert(nn_gradient(&nn, 1, &in, &target, g, &cost) == NN_OK);
    struct nn_check c = nn_check_gradient(&nn, 1, &in, &target, g);
    cr_assert(c.worst < 1e-8, "%g", c.worst);
    double h = 1e-5, d;
    nn.p[0] += h;
    d = nn_cost(&nn, 1, &in, &target);
    nn.p[0] -= 2 * h;
    d = (d - nn_cost(&nn, 1, &in, &target)) / (2 * h);
    cr_assert(fabs(d - g[0]) > NN_CHECK_BOUND * (fabs(d) + fabs(g[0])));
    nn_destroy(&nn);
}

/* A cost of 2.5e7 is rounded at 4e-9: a difference cannot know a slope
   of 1e-3 beside it, and the right gradient must not fail for that. */
Test(check, large_cost_and_small_slope)
{
    struct nn nn;
    double g[4], cost, in = 1;
    const double target[] = {1e4, 1e-3};
    const enum nn_activation s[] = {NN_IDENTITY};
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 2}, s) == NN_OK);
    cr_assert(nn_gradient(&nn, 1, &in, target, g, &cost) == NN_OK);
    struct nn_check c = nn_check_gradient(&nn, 1, &in, target, g);
    cr_assert(nn_check_passed(&c), "%g", c.worst);
    g[0] *= 1.001;
    c = nn_check_gradient(&nn, 1, &in, target, g);
    cr_assert(!nn_check_passed(&c) && c.at == 0);
    nn_destroy(&nn);
}

Test(check, error_is_at_most_one)
{
    struct nn nn;
    double g[P];
    make(&nn, NN_TANH, 8);
    right(&nn, g);
    g[largest(g)] *= 1000;
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(c.worst > 0.99 && c.worst < 1);
    nn_destroy(&nn);
}

/* A corner counts in every layer and every unit of it. */
Test(check, corners_everywhere)
{
    const enum nn_activation s[] = {NN_RELU, NN_RELU};
    const double in[] = {1, 1}, target[] = {1, 1};
    for (size_t unit = 0; unit < 4; unit++) {
        struct nn nn;
        double g[12], cost;
        struct nn_rng rng = nn_rng_seeded(9);
        cr_assert(nn_create(&nn, 2, (size_t[]){2, 2, 2}, s) == NN_OK);
        for (size_t i = 0; i < 12; i++)
            nn.p[i] = nn_rng_uniform(&rng, 0.5, 1);
        nn_forward(&nn, in);
        nn.p[unit < 2 ? 4 + unit : 8 + unit] -= nn.z[2 + unit];
        nn_gradient(&nn, 1, in, target, g, &cost);
        struct nn_check c = nn_check_gradient(&nn, 1, in, target, g);
        cr_assert(c.skipped == (unit < 2 ? 3 : 9), "%zu: %zu", unit,
                  c.skipped);
        cr_assert(c.worst < 1e-7);
        nn_destroy(&nn);
    }
}

/* The parameters of a small net, checked against no slopes at all. */
static struct nn_check check_small(int layers, const size_t *n, const enum nn_activation *s,
                                   const double *p)
{
    const double ones[] = {1, 1}, y2[] = {0, 0, 0, 0}, none[8] = {0};
    struct nn nn;
    cr_assert(nn_create(&nn, layers, n, s) == NN_OK && nn.params <= 8);
    memcpy(nn.p, p, nn.params * sizeof *p);
    struct nn_check c = nn_check_gradient(&nn, 2, ones, y2, none);
    nn_destroy(&nn);
    return c;
}

/* Only ReLUs have corners: a tanh that passes 0, before one or behind it, has none. */
Test(check, corners_are_those_of_relus)
{
    const size_t n[] = {1, 1, 1};
    const enum nn_activation last[] = {NN_TANH, NN_RELU}, first[] = {NN_RELU, NN_TANH};
    struct nn_check c = check_small(2, n, last, (const double[]){0.5, -0.5, 1, 1});
    cr_assert(c.skipped == 0 && c.checked == 4);
    c = check_small(2, n, first, (const double[]){0.5, 0.5, 1, -1});
    cr_assert(c.skipped == 0 && c.checked == 4);
}

Test(check, corners_of_the_second_unit)
{
    const enum nn_activation s[] = {NN_RELU};
    struct nn_check c = check_small(1, (const size_t[]){1, 2}, s,
                                    (const double[]){0.5, 0.25, 0.5, -0.25});
    cr_assert(c.skipped == 2 && c.checked == 2);
}

/* All ReLUs silent: every error is 0. */
Test(check, of_equal_errors_the_first_is_named)
{
    const enum nn_activation s[] = {NN_RELU};
    struct nn_check c = check_small(1, (const size_t[]){1, 2}, s,
                                    (const double[]){-1, -1, -1, -1});
    cr_assert(c.worst == 0 && c.at == 0 && c.got == 0 && c.want == 0 && c.checked == 4);
}

/* Where a layer begins is no multiple of the units before it. */
Test(check, names_in_a_net_of_unequal_layers)
{
    struct nn nn;
    char name[NN_NAME];
    const enum nn_activation s[] = {NN_TANH, NN_TANH, NN_TANH};
    cr_assert(nn_create(&nn, 3, (const size_t[]){2, 2, 5, 2}, s) == NN_OK);
    nn_name(&nn, 22, name);
    cr_assert(strcmp(name, "w3_1,2") == 0, "%s", name);
    nn_name(&nn, 30, name);
    cr_assert(strcmp(name, "w3_2,5") == 0, "%s", name);
    nn_destroy(&nn);
}

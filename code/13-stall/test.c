/* Tangled from chapters/13-stall.nw: edit there. Sum 488369751. */
#include <criterion/criterion.h>

#include "nn/watch.h"

#define main stall_main
#include "13-stall/stall.c"
#undef main

TestSuite(stall, .timeout = 30);
static const struct cli test_cli = {"test", "", "", NULL, 0, 0};

Test(stall, the_factor_is_as_derived)
{
    for (int i = 0; i < 9; i++) {
        struct kind kind = {12, bends[i / 3], inits[i % 3], 1};
        struct sizes size;
        double logs = 0;
        probe(&test_cli, &kind, &size);
        for (int l = 1; l < 11; l++)
            logs += log(size.bend[l]) / 10;
        double formula = sqrt(n_variance[i % 3] * exp(logs));
        double is = pow(size.slope[1] / size.slope[11], 0.05);
        cr_assert(fabs(is / formula - 1) < 0.05, "%s %s: %g, %g",
                  bend_names[i / 3], init_names[i % 3], is,
                  formula);
        if (i == 4 || i == 5 || i == 8)
            cr_assert(is > 0.85 && is < 1.15, "%g", is);
        if (bends[i / 3] == NN_SIGMOID)
            cr_assert(is < 0.35);
    }
}
Test(stall, saturated_nets_explode)
{
    struct kind kind = {20, NN_TANH, NN_GLOROT, 1};
    struct sizes one, eight;
    probe(&test_cli, &kind, &one);
    kind.scale = 8;
    probe(&test_cli, &kind, &eight);
    cr_assert(eight.bend[10] < one.bend[10] / 4);
    cr_assert(eight.slope[1] / eight.slope[20] >
              1e6 * one.slope[1] / one.slope[20]);
}
Test(stall, what_is_not_finite_is_named)
{
    const size_t size[] = {3, 4, 4, 2};
    const enum nn_activation sigma[] = {NN_RELU, NN_RELU,
                                        NN_IDENTITY};
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(4);
    double x[] = {1, 2, 3}, y[] = {0, 1}, g[100];
    char name[NN_NAME] = "";
    cr_assert(nn_create(&nn, 3, size, sigma) == NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    nn_initialize(&nn, NN_HE, &rng);
    cr_assert(!nn_find_not_finite(&nn, x, y, g, name));
    struct nn_layer at = nn_layer_at(&nn, 2);
    double old = nn.p[at.w + 5];
    nn.p[at.w + 5] = (double)INFINITY;
    cr_assert(nn_find_not_finite(&nn, x, y, g, name));
    cr_assert_str_eq(name, "w2_2,2");
    nn.p[at.w + 5] = old;
    for (size_t i = 0; i < nn.params; i++)
        nn.p[i] = i < at.b ? 1e120 : 0;
    at = nn_layer_at(&nn, 3);
    nn.p[at.w + 4] = 1e120;
    cr_assert(nn_find_not_finite(&nn, x, y, g, name));
    cr_assert_str_eq(name, "z3_2");
    nn_destroy(&nn);
}

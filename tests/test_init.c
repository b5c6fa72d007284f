/* The first weights: their bound, their variance, and what becomes of a
   signal that passes ten layers of them. */

#include "check.h"

#include <string.h>

#include "nn/init.h"

TestSuite(init, .timeout = 30);

enum { KINDS = 3, DEPTH = 10, WIDE = 200, SIGNALS = 10 };

static double variance(enum nn_init init, size_t n, size_t n_here)
{
    double before = (double)n, here = (double)n_here;
    return init == NN_SMALL    ? 1 / (3 * before)
           : init == NN_GLOROT ? 2 / (before + here)
                               : 2 / before;
}

static void create(struct nn *nn, int layers, const size_t *size,
                   enum nn_activation sigma)
{
    enum nn_activation s[DEPTH];
    for (int l = 0; l < layers; l++)
        s[l] = sigma;
    cr_assert(nn_create(nn, layers, size, s) == NN_OK);
}

static void initialize(struct nn *nn, enum nn_init init, uint64_t seed)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] = CHECK_NAN;
    nn_initialize(nn, init, &rng);
}

/* Uniform weights in +-sqrt(3 v): the mean of w^2 / v is 1, and deviates
   from it by sqrt(0.8 / count); four deviations are allowed. */
static void expect_layer(const struct nn *nn, enum nn_init init, int l)
{
    struct nn_layer at = nn_layer_at(nn, l);
    double v = variance(init, at.n_before, at.n), bound = sqrt(3 * v);
    double count = (double)(at.b - at.w), most = 0, sum = 0, squares = 0;
    for (size_t i = at.w; i < at.b; i++) {
        most = check_worst(most, fabs(nn->p[i]));
        sum += nn->p[i];
        squares += nn->p[i] * nn->p[i];
    }
    cr_assert(most <= bound * (1 + 1e-15) && most > bound * (1 - 20 / count));
    cr_assert(fabs(sum / count) < 4 * sqrt(v / count));
    cr_assert(fabs(squares / count / v - 1) < 4 * sqrt(0.8 / count),
              "kind %d, layer %d: %g", (int)init, l, squares / count / v);
    for (size_t j = 0; j < at.n; j++)
        cr_assert(nn->p[at.b + j] == 0);
}

Test(init, weights_have_their_variance)
{
    const size_t size[] = {300, 20, 150, 40, 90};
    struct nn nn;
    create(&nn, 4, size, NN_TANH);
    for (int init = 0; init < KINDS; init++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            initialize(&nn, (enum nn_init)init, seed);
            for (int l = 1; l <= 4; l++)
                expect_layer(&nn, (enum nn_init)init, l);
        }
    nn_destroy(&nn);
}

/* Both signs, both halves: 1/4 of the weights in each quarter. */
Test(init, kind_that_is_none_has_no_variance)
{
    struct nn nn;
    create(&nn, 1, (size_t[]){3, 2}, NN_TANH);
    initialize(&nn, (enum nn_init)9, 1);
    for (size_t i = 0; i < nn.params; i++)
        cr_assert(nn.p[i] == 0);
    nn_destroy(&nn);
}

Test(init, weights_are_uniform)
{
    const size_t size[] = {100, 80};
    struct nn nn;
    create(&nn, 1, size, NN_TANH);
    for (int init = 0; init < KINDS; init++) {
        enum { CELLS = 20 };
        double bound = sqrt(3 * variance((enum nn_init)init, 100, 80));
        size_t count[CELLS] = {0};
        initialize(&nn, (enum nn_init)init, 1);
        for (size_t i = 0; i < 8000; i++) {
            double cell = (nn.p[i] / bound + 1) / 2 * CELLS;
            cr_assert(cell >= -1e-12 && cell < CELLS + 1e-12);
            count[(size_t)fmin(fmax(cell, 0), CELLS - 1)]++;
        }
        double chi = check_chi_square(count, CELLS, 8000);
        cr_assert(chi < 43.8, "%g", chi); // 19 degrees of freedom: 0.1 %
    }
    nn_destroy(&nn);
}

Test(init, same_seed_same_weights)
{
    const size_t size[] = {7, 5, 4};
    struct nn one, two;
    create(&one, 2, size, NN_RELU);
    create(&two, 2, size, NN_RELU);
    for (int init = 0; init < KINDS; init++) {
        initialize(&one, (enum nn_init)init, 3);
        initialize(&two, (enum nn_init)init, 3);
        cr_assert(memcmp(one.p, two.p, one.params * sizeof *one.p) == 0);
        initialize(&two, (enum nn_init)init, 4);
        cr_assert(memcmp(one.p, two.p, one.params * sizeof *one.p) != 0);
        initialize(&two, (enum nn_init)((init + 1) % KINDS), 3);
        cr_assert(memcmp(one.p, two.p, one.params * sizeof *one.p) != 0);
    }
    nn_destroy(&one);
    nn_destroy(&two);
}

/* One draw for each weight, none for a bias; all kinds draw alike. */
Test(init, kinds_differ_by_a_factor)
{
    const size_t size[] = {7, 50, 20, 30};
    struct nn nn, small;
    create(&nn, 3, size, NN_RELU);
    create(&small, 3, size, NN_RELU);
    for (int init = 0; init < KINDS; init++) {
        struct nn_rng a = nn_rng_seeded(5), b = nn_rng_seeded(5);
        nn_initialize(&nn, (enum nn_init)init, &a);
        nn_randomize(&small, &b);
        cr_assert(a.state == b.state);
        for (int l = 1; l <= 3; l++) {
            struct nn_layer at = nn_layer_at(&nn, l);
            double v = variance((enum nn_init)init, at.n_before, at.n);
            double factor = sqrt(3 * v * (double)at.n_before);
            for (size_t i = at.w; i < at.b; i++)
                cr_assert(fabs(nn.p[i] - factor * small.p[i]) < 1e-15);
        }
    }
    nn_destroy(&nn);
    nn_destroy(&small);
}

/* ------------------------------------------------- a signal in a deep net */

static double mean_square(const double *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * a[i];
    return sum / (double)n;
}

/* The mean square of the last layer, in parts of the input's, as the
   geometric mean over several nets of DEPTH layers. */
static double passes(enum nn_init init, enum nn_activation sigma, double input)
{
    size_t size[DEPTH + 1];
    struct nn_rng rng = nn_rng_seeded(6);
    struct nn nn;
    double sum = 0;
    for (int l = 0; l <= DEPTH; l++)
        size[l] = WIDE;
    create(&nn, DEPTH, size, sigma);
    for (int i = 0; i < SIGNALS; i++) {
        double x[WIDE];
        nn_initialize(&nn, init, &rng);
        for (int k = 0; k < WIDE; k++)
            x[k] = nn_rng_uniform(&rng, -input, input);
        sum += log(mean_square(nn_forward(&nn, x), WIDE) / mean_square(x, WIDE));
    }
    nn_destroy(&nn);
    return exp(sum / SIGNALS);
}

Test(init, he_keeps_a_signal_through_relu)
{
    double he = passes(NN_HE, NN_RELU, 1);
    cr_assert(he > 1 / 2.5 && he < 2.5, "%g", he);
    double glorot = passes(NN_GLOROT, NN_RELU, 1); // halves it in each layer
    cr_assert(glorot > 0x1p-10 / 2.5 && glorot < 0x1p-10 * 2.5, "%g", glorot);
    double small = passes(NN_SMALL, NN_RELU, 1); // one sixth is left
    double sixth = pow(6, -DEPTH);
    cr_assert(small > sixth / 2.5 && small < sixth * 2.5, "%g", small);
}

Test(init, glorot_keeps_a_small_signal_through_tanh)
{
    double glorot = passes(NN_GLOROT, NN_TANH, 0.01);
    cr_assert(glorot > 1 / 2.5 && glorot < 2.5, "%g", glorot);
    double small = passes(NN_SMALL, NN_TANH, 0.01), third = pow(3, -DEPTH);
    cr_assert(small > third / 2.5 && small < third * 2.5, "%g", small);
    double he = passes(NN_HE, NN_TANH, 0.001); // twice as much in each
    cr_assert(he > 0x1p10 / 2.5 && he < 0x1p10 * 2.5, "%g", he);
}

/* Tangled from chapters/12-well.nw: edit there. Sum 2918277009. */
#include <criterion/criterion.h>

#define main learn_main
#include "12-well/learn.c"
#undef main
#define main logits_main
#include "12-well/logits.c"
#undef main
#define main valley_main
#include "12-well/valley.c"
#undef main

TestSuite(well, .timeout = 30);

Test(well, long_and_short_way_agree)
{
    struct nn_rng rng = nn_rng_seeded(12);
    for (int i = 0; i < 1000; i++) {
        double z[4], p[4], dz[4], y[4] = {0};
        for (int j = 0; j < 4; j++)
            z[j] = nn_rng_uniform(&rng, -5, 5);
        y[i % 4] = 1;
        nn_softmax(4, z, p);
        long_way(4, p, y, dz);
        for (int j = 0; j < 4; j++)
            cr_assert(fabs(dz[j] - (p[j] - y[j])) < 1e-14);
    }
}

Test(well, large_logits_need_the_shift)
{
    double z[] = {1e4, -1e4}, y[] = {0, 1}, p[2];
    cr_assert(isnan(exp(z[0]) / (exp(z[0]) + exp(z[1]))));
    nn_softmax(2, z, p);
    cr_assert(nn_cross_entropy(2, z, y) == 2e4);
    cr_assert(p[0] == 1 && p[1] == 0);
}
static void point(const void *data, size_t s, double *x,
                  double *y)
{
    const double *at = data;
    x[0] = at[2 * s];
    x[1] = at[2 * s + 1];
    for (size_t c = 0; c < 3; c++)
        y[c] = c == s % 3;
}

Test(well, first_cost_and_learning_by_heart)
{
    enum { M = 15 };
    const double rate[] = {[NN_DESCENT] = 2,
                           [NN_MOMENTUM] = 0.2,
                           [NN_ADAM] = 0.05};
    for (int method = NN_DESCENT; method <= NN_ADAM; method++) {
        struct nn nn;
        struct nn_optimizer o;
        struct nn_now now;
        struct nn_rng rng = nn_rng_seeded(7);
        double at[2 * M], x[2 * M], y[3 * M];
        for (int i = 0; i < 2 * M; i++)
            at[i] = nn_rng_uniform(&rng, -1, 1);
        struct nn_samples samples = {M, point, at};
        struct nn_training how = {.epochs = 3000, .batch = M,
                                  .rate = rate[method],
                                  .schedule = NN_COSINE, .rng = &rng};
        cr_assert(nn_create(&nn, 2, (size_t[]){2, 30, 3},
                            (enum nn_activation[]){
                                NN_TANH, NN_IDENTITY}) == NN_OK);
        cr_assert(nn_optimizer_create(&o, (enum nn_method)method,
                                      nn.params) == NN_OK);
        nn.loss = NN_CROSS_ENTROPY;
        for (size_t s = 0; s < M; s++)
            point(at, s, x + 2 * s, y + 3 * s);
        cr_assert(fabs(nn_cost(&nn, M, x, y) - log(3)) < 1e-12);
        nn_initialize(&nn, NN_GLOROT, &rng);
        cr_assert(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
        cr_assert(nn_cost(&nn, M, x, y) < 0.01,
                  "method %d: %g", method, nn_cost(&nn, M, x, y));
        nn_optimizer_destroy(&o);
        nn_destroy(&nn);
    }
}
Test(well, momentum_is_faster_in_a_valley)
{
    long plain = walk(NN_DESCENT, 0.019, 0);
    long pushed = walk(NN_MOMENTUM, 0.003, 0);
    cr_assert(pushed > 0 && 2 * pushed < plain);
    cr_assert(walk(NN_DESCENT, 0.021, 0) == MOST);
}

Test(well, the_spread_divides_by_one_less)
{
    double c[] = {1, 2, 3, 4, 5}, spread;
    cr_assert(fabs(mean_of(c, 5, &spread) - 3) < 1e-15);
    cr_assert(fabs(spread - sqrt(2.5)) < 1e-15);
}

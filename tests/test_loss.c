/* The losses, from outside: softmax and cross-entropy against long double
   and at the ends of the numbers; the slopes of every kind of net. */

#include "check.h"

#include <float.h>
#include <string.h>

#include "nn/check.h"

TestSuite(loss, .timeout = 30);

enum { MOST = 12, ROUNDS = 3000 };

static const double SCALE[] = {0.01, 1, 10, 300};

/* Logits in a range of round I; returns how many. */
static size_t random_logits(struct nn_rng *rng, size_t i, double *z)
{
    size_t n = 1 + (size_t)nn_rng_below(rng, MOST);
    double scale = SCALE[i % 4];
    for (size_t j = 0; j < n; j++)
        z[j] = nn_rng_uniform(rng, -scale, scale);
    return n;
}

/* A target that sums to 1: one-hot for even I, soft for odd. */
static size_t random_target(struct nn_rng *rng, size_t i, size_t n, double *y)
{
    size_t c = (size_t)nn_rng_below(rng, n);
    double sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += y[j] = i % 2 ? nn_rng_uniform(rng, 0, 1) : j == c;
    for (size_t j = 0; j < n; j++)
        y[j] /= sum;
    return c;
}

/* Needs no shift: a long double reaches to exp(11356). */
static long double ref_sum_exp(size_t n, const double *z)
{
    long double sum = 0;
    for (size_t j = n; j-- > 0;)
        sum += expl((long double)z[j]);
    return sum;
}

static long double ref_cross_entropy(size_t n, const double *z, const double *y)
{
    long double sum = 0, all = ref_sum_exp(n, z);
    for (size_t j = n; j-- > 0;)
        sum -= (long double)y[j] * logl(expl((long double)z[j]) / all);
    return sum;
}

/* ------------------------------------------------------------- softmax */

Test(loss, softmax_agrees_with_long_double)
{
    struct nn_rng rng = nn_rng_seeded(1);
    for (size_t i = 0; i < ROUNDS; i++) {
        double z[MOST], kept[MOST], p[MOST], sum = 0;
        size_t n = random_logits(&rng, i, z);
        memcpy(kept, z, sizeof z);
        nn_softmax(n, z, p);
        cr_assert(memcmp(kept, z, n * sizeof *z) == 0);
        long double all = ref_sum_exp(n, z);
        for (size_t j = 0; j < n; j++) {
            cr_assert(p[j] > 0 && p[j] <= 1);
            check_close(p[j], (double)(expl((long double)z[j]) / all),
                        1e-15 * (4 + SCALE[i % 4]));
            sum += p[j];
        }
        check_close(sum, 1, 1e-15);
        nn_softmax(n, z, z);
        cr_assert(memcmp(z, p, n * sizeof *z) == 0, "in place");
    }
}

Test(loss, softmax_keeps_the_order)
{
    struct nn_rng rng = nn_rng_seeded(2);
    for (size_t i = 0; i < ROUNDS; i++) {
        double z[MOST], p[MOST];
        size_t n = random_logits(&rng, i, z);
        if (n > 2)
            z[n - 1] = z[0];
        nn_softmax(n, z, p);
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                cr_assert((z[j] < z[k]) == (p[j] < p[k]));
    }
}

Test(loss, softmax_knows_no_common_constant)
{
    struct nn_rng rng = nn_rng_seeded(3);
    for (size_t i = 0; i < ROUNDS; i++) {
        double z[MOST], p[MOST], q[MOST], c = nn_rng_uniform(&rng, -1e3, 1e3);
        size_t n = random_logits(&rng, i, z);
        double before = nn_log_sum_exp(n, z);
        nn_softmax(n, z, p);
        for (size_t j = 0; j < n; j++)
            z[j] += c;
        nn_softmax(n, z, q);
        for (size_t j = 0; j < n; j++)
            check_close(q[j], p[j], 1e-12);
        double shifted = nn_log_sum_exp(n, z) - c;
        cr_assert(fabs(shifted - before) < 1e-12);
    }
}

static void expect_softmax(size_t n, const double *z, const double *want)
{
    double p[MOST];
    nn_softmax(n, z, p);
    for (size_t j = 0; j < n; j++)
        cr_assert(p[j] == want[j], "%zu: %.17g, not %.17g", j, p[j], want[j]);
}

static const double ENDS[] = {0, 1, -1, 1e4, -1e4, 1e300, -1e300, DBL_MAX, -DBL_MAX};
enum { END_COUNT = sizeof ENDS / sizeof *ENDS };

Test(loss, one_logit)
{
    const double one = 1;
    for (size_t i = 0; i < END_COUNT; i++) {
        expect_softmax(1, &ENDS[i], &one);
        cr_assert(nn_log_sum_exp(1, &ENDS[i]) == ENDS[i]);
        cr_assert(nn_cross_entropy(1, &ENDS[i], &one) == 0);
    }
}

Test(loss, no_finite_logit_is_too_large)
{
    for (size_t i = 0; i < END_COUNT; i++)
        for (size_t k = 0; k < END_COUNT; k++) {
            double u = ENDS[i], v = ENDS[k], z[] = {u, v, u, v};
            double most = fmax(u, v), lse = nn_log_sum_exp(4, z);
            double p = u == v ? 0.25 : 1 / (2 + 2 * exp(v - u)), q = 0.5 - p;
            if (fabs(u - v) > 100) // else the sum is rounded
                expect_softmax(4, z, (double[]){p, q, p, q});
            else if (u == v)
                expect_softmax(4, z, (double[]){p, p, p, p});
            check_close(lse, most + log(u == v ? 4 : 2 + 2 * exp(-fabs(u - v))), 1e-15);
            cr_assert(lse >= most);
        }
    expect_softmax(3, (double[]){1e300, 1e4, -1e300}, (double[]){1, 0, 0});
    expect_softmax(3, (double[]){-1e300, -1e4, -1e300}, (double[]){0, 1, 0});
    expect_softmax(2, (double[]){-1e4, 1e4}, (double[]){0, 1});
}

/* ------------------------------------------------- log-sum-exp, the loss */

Test(loss, log_sum_exp_agrees_with_long_double)
{
    struct nn_rng rng = nn_rng_seeded(4);
    for (size_t i = 0; i < ROUNDS; i++) {
        double z[MOST], most = -DBL_MAX;
        size_t n = random_logits(&rng, i, z);
        double got = nn_log_sum_exp(n, z);
        double want = (double)logl(ref_sum_exp(n, z));
        cr_assert(!check_fails(check_error(got, want, 1), 1e-15));
        for (size_t j = 0; j < n; j++)
            most = fmax(most, z[j]);
        cr_assert(most <= got && got <= most + log((double)n) + 1e-15 * fabs(most));
    }
}

Test(loss, cross_entropy_agrees_with_long_double)
{
    struct nn_rng rng = nn_rng_seeded(5);
    for (size_t i = 0; i < ROUNDS; i++) {
        double z[MOST], y[MOST], p[MOST];
        size_t n = random_logits(&rng, i / 2, z);
        size_t c = random_target(&rng, i, n, y);
        double got = nn_cross_entropy(n, z, y);
        double want = (double)ref_cross_entropy(n, z, y);
        cr_assert(got >= 0 && fabs(got - want) < 1e-15 * (10 + 2 * SCALE[i / 2 % 4]));
        nn_softmax(n, z, p);
        if (i % 2 == 0)
            cr_assert(!check_fails(check_error(got, -log(p[c]), 1), 1e-12));
    }
}

Test(loss, cross_entropy_by_hand)
{
    const double z[] = {log(1), log(2), log(5)}; // p = 1/8, 2/8, 5/8
    check_close(nn_cross_entropy(3, z, (double[]){1, 0, 0}), log(8), 1e-15);
    check_close(nn_cross_entropy(3, z, (double[]){0, 0, 1}), log(1.6), 1e-15);
    check_close(nn_cross_entropy(3, z, (double[]){0.5, 0.25, 0.25}),
                log(8) / 2 + log(4) / 4 + log(1.6) / 4, 1e-15);
}

Test(loss, cross_entropy_far_out)
{
    const double far[] = {1e4, 1e300};
    for (size_t i = 0; i < 2; i++) {
        double f = far[i], z[] = {f, -f, f / 2};
        cr_assert(nn_cross_entropy(3, z, (double[]){1, 0, 0}) == 0);
        cr_assert(nn_cross_entropy(3, z, (double[]){0, 1, 0}) == 2 * f);
        cr_assert(nn_cross_entropy(3, z, (double[]){0, 0, 1}) == f / 2);
        cr_assert(nn_cross_entropy(3, z, (double[]){0.25, 0.5, 0.25}) == f + f / 8);
    }
    double same[] = {-1e4, -1e4};
    cr_assert(fabs(nn_cross_entropy(2, same, (double[]){0, 1}) - log(2)) < 1e-11);
}

static double shifted(size_t n, double *z, const double *y, size_t k, double h)
{
    double old = z[k];
    z[k] += h;
    double cost = nn_cross_entropy(n, z, y);
    z[k] = old;
    return cost;
}

Test(loss, slope_is_p_minus_y)
{
    struct nn_rng rng = nn_rng_seeded(6);
    const double h = 1e-3;
    size_t checked = 0;
    for (size_t i = 0; i < 500; i++) {
        double z[MOST], y[MOST], p[MOST];
        size_t n = random_logits(&rng, 1 + i % 2, z);
        random_target(&rng, i / 2, n, y);
        nn_softmax(n, z, p);
        for (size_t k = 0; k < n; k++, checked++) {
            double wide = shifted(n, z, y, k, h) - shifted(n, z, y, k, -h);
            double near = shifted(n, z, y, k, h / 2) - shifted(n, z, y, k, -h / 2);
            double d = (8 * near - wide) / (6 * h);
            cr_assert(fabs(p[k] - y[k] - d) < 1e-10, "%g", p[k] - y[k] - d);
        }
    }
    cr_assert(checked > 2000);
}

Test(loss, nan_is_not_silent)
{
    for (size_t n = 1; n <= MOST; n++)
        for (size_t at = 0; at < n; at++) {
            double z[MOST] = {3, -1, 2}, y[MOST] = {0}, p[MOST] = {0};
            y[n - 1 - at] = 1; // mostly not where the NaN is
            z[at] = CHECK_NAN;
            nn_softmax(n, z, p);
            for (size_t j = 0; j < n; j++)
                cr_assert(isnan(p[j]));
            cr_assert(isnan(nn_log_sum_exp(n, z)));
            cr_assert(isnan(nn_cross_entropy(n, z, y)));
            z[at] = 0;
            y[at] = CHECK_NAN;
            cr_assert(isnan(nn_cross_entropy(n, z, y)));
        }
}

/* --------------------------------------------------------------- in a net */

enum { MOST_LAYERS = 4, WIDTH = 4, SAMPLES = 4 };
enum { UNITS = (MOST_LAYERS + 1) * WIDTH, PARAMS = MOST_LAYERS * WIDTH * (WIDTH + 1) };

struct data {
    size_t m;
    double x[SAMPLES * MOST], y[SAMPLES * MOST], r[UNITS];
};

Test(loss, a_net_of_zeros_costs_log_n)
{
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID, NN_IDENTITY};
    struct nn_rng rng = nn_rng_seeded(7);
    for (size_t n = 1; n <= MOST; n++)
        for (int layers = 1; layers <= 3; layers++) {
            size_t size[] = {3, 3, 3, 3}, m = 1 + n % SAMPLES;
            struct data d = {.m = m};
            struct nn nn;
            double g[200], cost;
            size[layers] = n;
            cr_assert(nn_create(&nn, layers, size, sigma + 3 - layers) == NN_OK);
            cr_assert(nn.loss == NN_SQUARED && nn.params <= 200);
            nn.loss = NN_CROSS_ENTROPY;
            for (size_t i = 0; i < 3 * m; i++)
                d.x[i] = nn_rng_uniform(&rng, -1, 1);
            for (size_t s = 0; s < m; s++)
                random_target(&rng, s, n, d.y + s * n);
            cr_assert(fabs(nn_cost(&nn, m, d.x, d.y) - log((double)n)) < 1e-14);
            cr_assert(nn_gradient(&nn, m, d.x, d.y, g, &cost) == NN_OK);
            for (size_t j = 0; j < n; j++) {
                double mean = 0;
                for (size_t s = 0; s < m; s++)
                    mean += (1 / (double)n - d.y[s * n + j]) / (double)m;
                cr_assert(fabs(g[nn.params - n + j] - mean) < 1e-15);
            }
            nn_destroy(&nn);
        }
}

Test(loss, a_net_does_not_hide_nan)
{
    const enum nn_activation sigma[] = {NN_RELU, NN_IDENTITY};
    const double bad[] = {CHECK_NAN, CHECK_INFINITY, -CHECK_INFINITY};
    for (int i = 0; i < 12; i++) {
        double x[] = {1, 2}, y[] = {1, 0, 0}, g[21], cost;
        struct nn nn;
        cr_assert(nn_create(&nn, 2, (size_t[]){2, 3, 3}, sigma) == NN_OK);
        nn.loss = NN_CROSS_ENTROPY;
        double *place[] = {&x[1], &y[2], &nn.p[18], &nn.p[20]};
        cr_assert(nn_gradient(&nn, 1, x, y, g, &cost) == NN_OK);
        *place[i / 3] = bad[i % 3];
        cr_assert(nn_gradient(&nn, 1, x, y, g, &cost) == NN_NOT_FINITE, "%d", i);
        nn_destroy(&nn);
    }
}

/* The cost is small; w1_1,1 has the slope 1e300 * 1e10. */
Test(loss, a_net_does_not_hide_an_infinite_slope)
{
    const enum nn_activation sigma[] = {NN_TANH, NN_IDENTITY};
    for (int loss = 0; loss < 2; loss++) {
        const double y[] = {1, 0};
        double x = 1, g[6], cost;
        struct nn nn;
        cr_assert(nn_create(&nn, 2, (size_t[]){1, 1, 2}, sigma) == NN_OK);
        nn.loss = (enum nn_loss)loss;
        nn.p[2] = 1e300; // w2_1,1, from a unit that is at 0
        cr_assert(nn_gradient(&nn, 1, &x, y, g, &cost) == NN_OK);
        x = 1e10;
        cr_assert(nn_gradient(&nn, 1, &x, y, g, &cost) == NN_NOT_FINITE);
        cr_assert(cost > 0 && cost < 1 && isinf(g[0]));
        nn_destroy(&nn);
    }
}

/* The cost in long double, with loss, mask and decay of its own. */
static long double ref_cost(const struct nn *nn, const struct data *d)
{
    static const double none = 1;
    size_t n_out = nn->size[nn->layers];
    long double sum = 0, squares = 0;
    for (size_t s = 0; s < d->m; s++) {
        long double a[MOST] = {0}, z[MOST] = {0}, all = 0;
        const double *p = nn->p, *y = d->y + s * n_out, *r = d->r + nn->size[0];
        for (size_t k = 0; k < nn->size[0]; k++)
            a[k] = (long double)d->x[s * nn->size[0] + k];
        for (int l = 1; l <= nn->layers; l++) {
            size_t n = nn->size[l], before = nn->size[l - 1];
            for (size_t j = 0; j < n; j++) {
                z[j] = (long double)p[n * before + j];
                for (size_t k = 0; k < before; k++) {
                    long double w = (long double)p[j * before + k];
                    z[j] += w * a[k];
                    squares += s == 0 ? w * w : 0;
                }
            }
            for (size_t j = 0; j < n; j++) {
                int mask = nn->keep && l < nn->layers;
                long double t = tanhl(z[j] / (nn->sigma[l] == NN_SIGMOID ? 2 : 1));
                a[j] = nn->sigma[l] == NN_IDENTITY ? z[j]
                       : nn->sigma[l] == NN_RELU   ? fmaxl(0, z[j])
                       : nn->sigma[l] == NN_TANH   ? t
                                                   : (1 + t) / 2;
                a[j] *= (long double)(mask ? r[j] : none);
            }
            p += n * (before + 1);
            r += n;
        }
        for (size_t j = 0; j < n_out; j++)
            all += expl(a[j]);
        for (size_t j = 0; j < n_out; j++) {
            long double off = a[j] - (long double)y[j];
            sum += nn->loss == NN_SQUARED ? off * off / (2 * (long double)n_out)
                                          : (long double)y[j] * (logl(all) - a[j]);
        }
    }
    return sum / (long double)d->m + (long double)nn->decay * squares / 2;
}

/* Bit U of *side is set if, somewhere, unit U is a ReLU that is on. */
static double cost_and_side(struct nn *nn, const struct data *d, uint64_t *side)
{
    size_t bit = 0, n_out = nn->size[nn->layers];
    *side = 0;
    for (size_t s = 0; s < d->m; s++) {
        nn_forward(nn, d->x + s * nn->size[0]);
        for (int l = 1; l <= nn->layers; l++)
            for (size_t j = 0; j < nn->size[l]; j++, bit++)
                if (nn->sigma[l] == NN_RELU && nn->z[nn_layer_at(nn, l).unit + j] > 0)
                    *side |= (uint64_t)1 << bit;
    }
    cr_assert(bit <= 64 && n_out > 0);
    return nn_cost(nn, d->m, d->x, d->y);
}

/* The central difference of nn_cost by p[i]; *kink if a ReLU turns. */
static double difference(struct nn *nn, const struct data *d, size_t i, int *kink)
{
    double old = nn->p[i], cost[4];
    uint64_t side[4];
    for (int k = 0; k < 4; k++) {
        nn->p[i] = old + (k % 2 ? -1e-4 : 1e-4) / (k < 2 ? 1 : 2);
        cost[k] = cost_and_side(nn, d, &side[k]);
    }
    nn->p[i] = old;
    *kink |= side[0] != side[1] || side[1] != side[2] || side[2] != side[3];
    return (8 * (cost[2] - cost[3]) - (cost[0] - cost[1])) / 6e-4;
}

struct sum {
    size_t nets, alive, params, checked, skipped, kinks;
    double worst, own; // by nn_check_gradient; by difference
};

static void judge(struct nn *nn, const struct data *d, struct sum *sum)
{
    double g[PARAMS], cost, own = 0;
    cr_assert(nn_gradient(nn, d->m, d->x, d->y, g, &cost) == NN_OK);
    cr_assert(cost == nn_cost(nn, d->m, d->x, d->y));
    check_close(cost, (double)ref_cost(nn, d), 1e-13);
    struct nn_check c = nn_check_gradient(nn, d->m, d->x, d->y, g);
    for (size_t i = 0; i < nn->params; i++) {
        int kink = 0;
        double want = difference(nn, d, i, &kink);
        if (!kink)
            own = check_worst(own, check_error(g[i], want, 1e-3 * fmax(1, cost)));
        sum->kinks += (size_t)kink;
    }
    cr_assert(c.worst < 1e-6 && own < 1e-6, "net %zu: %g and %g", sum->nets, c.worst,
              own);
    sum->worst = check_worst(sum->worst, c.worst);
    sum->own = check_worst(sum->own, own);
    sum->nets++;
    sum->alive += c.largest > 1e-3;
    sum->params += nn->params;
    sum->checked += c.checked;
    sum->skipped += c.skipped;
}

/* Net I of a kind: 1 to 3 hidden layers with SIGMA, the last with LAST. */
static void make(struct nn *nn, struct data *d, struct nn_rng *rng, size_t i,
                 enum nn_activation sigma, enum nn_activation last, enum nn_loss loss)
{
    enum nn_activation s[MOST_LAYERS];
    size_t size[MOST_LAYERS + 1], hidden = 1 + i % 3, n_out;
    for (size_t l = 0; l <= hidden + 1; l++)
        size[l] = 1 + (size_t)nn_rng_below(rng, WIDTH);
    n_out = size[hidden + 1] += loss == NN_CROSS_ENTROPY && size[hidden + 1] == 1;
    for (size_t l = 0; l <= hidden; l++)
        s[l] = l < hidden ? sigma : last;
    cr_assert(nn_create(nn, (int)hidden + 1, size, s) == NN_OK && nn->params <= PARAMS);
    nn->loss = loss;
    for (size_t k = 0; k < nn->params; k++)
        nn->p[k] = nn_rng_uniform(rng, -1.5, 1.5);
    d->m = 1 + i % SAMPLES;
    for (size_t k = 0; k < d->m * size[0]; k++)
        d->x[k] = nn_rng_uniform(rng, -1, 1);
    for (size_t s_ = 0; s_ < d->m; s_++)
        random_target(rng, i + s_, n_out, d->y + s_ * n_out);
    for (size_t u = 0; u < UNITS; u++) // the r of inputs and outputs is not used
        d->r[u] = CHECK_NAN;
    struct nn_layer end = nn_layer_at(nn, nn->layers);
    for (size_t u = size[0]; u < end.unit; u++)
        d->r[u] = nn_rng_uniform(rng, 0, 1) < 0.3 ? 0 : 1 / (1 - 0.3);
}

Test(loss, slopes_of_every_kind_of_net)
{
    enum { NETS = 8 };
    struct nn_rng rng = nn_rng_seeded(8);
    struct sum sum = {0};
    for (int sigma = 0; sigma < 4; sigma++)
        for (int end = 0; end < 5; end++)
            for (int rule = 0; rule < 4; rule++)
                for (size_t i = 0; i < NETS; i++) {
                    struct nn nn;
                    struct data d;
                    make(&nn, &d, &rng, i, (enum nn_activation)sigma,
                         end < 4 ? (enum nn_activation)end : NN_IDENTITY,
                         end < 4 ? NN_SQUARED : NN_CROSS_ENTROPY);
                    nn.decay = rule & 1 ? 0.01 : 0;
                    nn.keep = rule & 2 ? d.r : NULL;
                    judge(&nn, &d, &sum);
                    nn_destroy(&nn);
                }
    cr_log_info("%zu slopes, %zu and %zu at kinks, worst %.1e and %.1e", sum.params,
                sum.skipped, sum.kinks, sum.worst, sum.own);
    cr_assert(sum.nets == 4 * 5 * 4 * NETS && sum.alive * 10 > sum.nets * 9, "%zu",
              sum.alive);
    cr_assert(sum.checked + sum.skipped == sum.params && sum.params > 15000);
    cr_assert(100 * sum.skipped <= sum.params && 100 * sum.kinks <= sum.params);
}

/* What decay adds: half lambda times the squares of weights, no bias. */
Test(loss, decay_by_hand)
{
    const enum nn_activation sigma[] = {NN_IDENTITY, NN_IDENTITY};
    const double p[] = {1, 2, 3, 4, 5}; // w 1, 2, b 3; w 4, b 5
    const double want[] = {0.25, 0.5, 0, 1, 0};
    struct nn nn;
    double g[5] = {0};
    cr_assert(nn_create(&nn, 2, (size_t[]){2, 1, 1}, sigma) == NN_OK);
    cr_assert(nn.decay == 0 && nn.params == 5);
    memcpy(nn.p, p, sizeof p);
    cr_assert(nn_decay(&nn, g) == 0 && g[0] == 0);
    nn.decay = 0.25;
    cr_assert(nn_decay(&nn, NULL) == 0.125 * (1 + 4 + 16));
    for (int round = 1; round <= 2; round++) { // adds to g
        cr_assert(nn_decay(&nn, g) == 0.125 * 21);
        for (int i = 0; i < 5; i++)
            cr_assert(g[i] == round * want[i]);
    }
    nn_destroy(&nn);
}

/* The net, from outside. The reference below shares nothing with the
   library: it works in long double, recursively, unit by unit from the
   output, with indices and activation functions of its own. Slopes are
   compared with finite differences of the reference's cost. */

#define CHECK_MEMORY
#include "check.h"

#include <limits.h>
#include <string.h>

#include "nn/nn.h"

/* One timeout for all: with two, Criterion 2.4.1 leaks in its runner. */
TestSuite(nn, .timeout = 30);
TestSuite(nn_control, .timeout = 30);

enum {
    MOST_LAYERS = 5,
    MOST_WIDTH = 8,
    MOST_SAMPLES = 5,
    MOST_PARAMS = MOST_LAYERS * MOST_WIDTH * (MOST_WIDTH + 1),
    MOST_UNITS = (MOST_LAYERS + 1) * MOST_WIDTH,
    NETS = 260
};

static const double TOLERANCE = 1e-6;
static const long double H = 1e-5L;

/* ------------------------------------------------------- the reference */

struct ref {
    int layers;
    size_t size[MOST_LAYERS + 1];
    enum nn_activation sigma[MOST_LAYERS]; // of layer l: sigma[l - 1]
    long double p[MOST_PARAMS];
    size_t params, m;
    double x[MOST_SAMPLES * MOST_WIDTH], y[MOST_SAMPLES * MOST_WIDTH];
    long double z[MOST_LAYERS + 1][MOST_WIDTH]; // of the last sample
    long double a[MOST_LAYERS + 1][MOST_WIDTH];
    int known[MOST_LAYERS + 1][MOST_WIDTH];
};

static long double ref_sigma(enum nn_activation sigma, long double z)
{
    if (sigma == NN_SIGMOID)
        return (1 + tanhl(z / 2)) / 2;
    if (sigma == NN_TANH)
        return -expm1l(-2 * z) / (1 + expl(-2 * z));
    return sigma == NN_RELU ? (z + fabsl(z)) / 2 : z;
}

static long double ref_slope(enum nn_activation sigma, long double z)
{
    if (sigma == NN_SIGMOID)
        return 1 / (2 + 2 * coshl(z));
    if (sigma == NN_TANH)
        return 1 / (coshl(z) * coshl(z));
    return sigma == NN_RELU ? (z > 0 ? 1 : 0) : 1;
}

/* Where the weights into layer l begin. */
static size_t ref_begin(const struct ref *r, int l)
{
    return l == 1 ? 0
                  : ref_begin(r, l - 1) +
                        r->size[l - 1] * (1 + r->size[l - 2]);
}

static size_t ref_bias(const struct ref *r, int l, size_t j)
{
    return ref_begin(r, l) + r->size[l] * r->size[l - 1] + j;
}

static long double ref_unit(struct ref *r, size_t s, int l, size_t j)
{
    if (l == 0)
        return (long double)r->x[s * r->size[0] + j];
    if (!r->known[l][j]) {
        size_t row = ref_begin(r, l) + j * r->size[l - 1];
        long double z = r->p[ref_bias(r, l, j)];
        for (size_t k = r->size[l - 1]; k-- > 0;)
            z += ref_unit(r, s, l - 1, k) * r->p[row + k];
        r->z[l][j] = z;
        r->a[l][j] = ref_sigma(r->sigma[l - 1], z);
        r->known[l][j] = 1;
    }
    return r->a[l][j];
}

static long double ref_cost_of(struct ref *r, size_t s)
{
    size_t n = r->size[r->layers];
    long double sum = 0;
    memset(r->known, 0, sizeof r->known);
    for (size_t j = n; j-- > 0;) {
        long double off = ref_unit(r, s, r->layers, j) -
                          (long double)r->y[s * n + j];
        sum += off * off / 2;
    }
    return sum / (long double)n;
}

/* The cost; into SIDE [m * units], unless NULL, on which side of its
   corner each ReLU is. */
static long double ref_cost(struct ref *r, char *side)
{
    long double sum = 0;
    for (size_t s = 0; s < r->m; s++) {
        sum += ref_cost_of(r, s);
        for (int l = 1; side && l <= r->layers; l++)
            for (size_t j = 0; j < r->size[l]; j++)
                *side++ = r->sigma[l - 1] == NN_RELU && r->z[l][j] > 0;
    }
    return sum / (long double)r->m;
}

/* ----------------------------------------------- finite differences */

static long double difference(struct ref *r, size_t i, long double h,
                              int *kink)
{
    char above[MOST_SAMPLES * MOST_UNITS] = {0};
    char below[MOST_SAMPLES * MOST_UNITS] = {0};
    long double p = r->p[i];
    r->p[i] = p + h;
    long double up = ref_cost(r, above);
    r->p[i] = p - h;
    long double down = ref_cost(r, below);
    r->p[i] = p;
    *kink |= memcmp(above, below, sizeof above) != 0;
    return (up - down) / (2 * h);
}

/* The slope of the cost by parameter i; *kink is set where a ReLU
   passes its corner between the points used. */
static double ref_gradient(struct ref *r, size_t i, int *kink)
{
    *kink = 0;
    long double wide = difference(r, i, H, kink);
    long double narrow = difference(r, i, H / 2, kink);
    return (double)(narrow + (narrow - wide) / 3);
}

struct verdict {
    double worst;            // of all parameters without a kink
    size_t checked, skipped; // parameters
};

/* How well G [r->params] agrees with the finite differences. */
static struct verdict judge(struct ref *r, const double *g)
{
    struct verdict v = {0};
    for (size_t i = 0; i < r->params; i++) {
        int kink;
        double want = ref_gradient(r, i, &kink);
        if (kink) {
            v.skipped++;
            continue;
        }
        v.checked++;
        v.worst = check_worst(v.worst, check_error(g[i], want, 1e-3));
    }
    return v;
}

/* ------------------------------------------------------- random nets */

static size_t below(struct nn_rng *rng, size_t n)
{
    return (size_t)nn_rng_below(rng, n);
}

static void random_data(struct ref *r, struct nn_rng *rng, size_t m)
{
    r->m = m;
    for (size_t i = 0; i < m * r->size[0]; i++)
        r->x[i] = nn_rng_uniform(rng, -1, 1);
    for (size_t i = 0; i < m * r->size[r->layers]; i++)
        r->y[i] = nn_rng_uniform(rng, -1, 1);
}

/* Builds net and reference with the same random parameters. */
static void both(struct ref *r, struct nn *nn, struct nn_rng *rng)
{
    cr_assert(nn_create(nn, r->layers, r->size, r->sigma) == NN_OK);
    r->params = nn->params;
    cr_assert(r->params == ref_bias(r, r->layers, r->size[r->layers]));
    for (size_t i = 0; i < r->params; i++) {
        nn->p[i] = nn_rng_uniform(rng, -1, 1);
        r->p[i] = (long double)nn->p[i];
    }
}

/* Net number i of a series: 0 to 4 hidden layers in turn; four of
   eight have one activation function in all layers, four a mixture. */
static void random_net(struct ref *r, struct nn *nn, struct nn_rng *rng,
                       size_t i)
{
    *r = (struct ref){.layers = 1 + (int)(i % MOST_LAYERS)};
    for (int l = 0; l <= r->layers; l++)
        r->size[l] = 1 + below(rng, MOST_WIDTH);
    for (int l = 0; l < r->layers; l++)
        r->sigma[l] = (enum nn_activation)(i % 8 < 4 ? i % 4
                                                     : below(rng, 4));
    random_data(r, rng, 1 + below(rng, MOST_SAMPLES));
    both(r, nn, rng);
}

/* A net with layers of SIZE, all with SIGMA. */
static void chosen_net(struct ref *r, struct nn *nn, int layers,
                       const size_t size[], enum nn_activation sigma,
                       size_t m)
{
    struct nn_rng rng = nn_rng_seeded(m);
    *r = (struct ref){.layers = layers};
    for (int l = 0; l <= layers; l++)
        r->size[l] = size[l];
    for (int l = 0; l < layers; l++)
        r->sigma[l] = sigma;
    random_data(r, &rng, m);
    both(r, nn, &rng);
}

static void gradient(struct nn *nn, const struct ref *r, double *g)
{
    double cost;
    cr_assert(nn_gradient(nn, r->m, r->x, r->y, g, &cost) == NN_OK);
}

static double norm(const double *g, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += g[i] * g[i];
    return sqrt(sum);
}

/* ----------------------------------------------- forward and its cost */

static void compare_units(struct nn *nn, struct ref *r, size_t s)
{
    size_t at = r->size[0];
    ref_cost_of(r, s);
    for (int l = 1; l <= r->layers; l++)
        for (size_t j = 0; j < r->size[l]; j++, at++) {
            ref_unit(r, s, l, j);
            cr_assert(!check_fails(check_error(nn->z[at],
                      (double)r->z[l][j], 1e-2), 1e-13));
            cr_assert(!check_fails(check_error(nn->a[at],
                      (double)r->a[l][j], 1e-2), 1e-13));
        }
}

Test(nn, forward_agrees_with_the_reference)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(11);
    for (size_t i = 0; i < NETS; i++) {
        struct nn nn;
        random_net(&r, &nn, &rng, i);
        for (size_t s = 0; s < r.m; s++) {
            const double *a = nn_forward(&nn, r.x + s * r.size[0]);
            cr_assert(memcmp(nn.a, r.x + s * r.size[0],
                             r.size[0] * sizeof *a) == 0);
            cr_assert(a == nn.a + nn_layer_at(&nn, r.layers).unit);
            compare_units(&nn, &r, s);
        }
        nn_destroy(&nn);
    }
}

Test(nn, cost_agrees_with_the_reference)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(12);
    for (size_t i = 0; i < NETS; i++) {
        struct nn nn;
        double g[MOST_PARAMS], cost = CHECK_NAN;
        random_net(&r, &nn, &rng, i);
        double got = nn_cost(&nn, r.m, r.x, r.y);
        check_close(got, (double)ref_cost(&r, NULL), 1e-12);
        cr_assert(nn_gradient(&nn, r.m, r.x, r.y, g, &cost) == NN_OK);
        cr_assert(cost == got, "%.17g and %.17g", cost, got);
        nn_destroy(&nn);
    }
}

/* Numbers small enough to be worked out by hand. */
Test(nn, cost_by_hand)
{
    struct nn nn;
    enum nn_activation sigma[] = {NN_IDENTITY};
    double x[] = {1, 2, 3, 4}, y[] = {0, 0, 1, 1}, g[6], cost;
    double p[] = {1, 2, 3, 4, 10, 20};
    double off[] = {15, 31, 20, 44}; // a - y, two samples
    cr_assert(nn_create(&nn, 1, (size_t[]){2, 2}, sigma) == NN_OK);
    cr_assert(nn.params == 6);
    memcpy(nn.p, p, sizeof p);
    check_close(nn_cost(&nn, 1, x, y), (225 + 961) / 4., 1e-15);
    check_close(nn_cost(&nn, 2, x, y), (1186 + 400 + 1936) / 8., 1e-15);
    cr_assert(nn_gradient(&nn, 2, x, y, g, &cost) == NN_OK);
    double want[] = {(off[0] * x[0] + off[2] * x[2]) / 4,
                     (off[0] * x[1] + off[2] * x[3]) / 4,
                     (off[1] * x[0] + off[3] * x[2]) / 4,
                     (off[1] * x[1] + off[3] * x[3]) / 4,
                     (off[0] + off[2]) / 4, (off[1] + off[3]) / 4};
    for (int i = 0; i < 6; i++)
        check_close(g[i], want[i], 1e-15);
    nn_destroy(&nn);
}

/* ------------------------------------------------------------- layout */

static void expect_layout(const struct nn *nn, const struct ref *r)
{
    int used[MOST_PARAMS] = {0};
    size_t unit = 0;
    for (int l = 1; l <= r->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        cr_assert(at.n == r->size[l] && at.n_before == r->size[l - 1]);
        cr_assert(at.w == ref_begin(r, l) && at.b == ref_bias(r, l, 0));
        cr_assert(at.unit_before == unit);
        cr_assert(at.unit == (unit += r->size[l - 1]));
        for (size_t i = 0; i < at.n * at.n_before; i++)
            used[at.w + i]++;
        for (size_t j = 0; j < at.n; j++)
            used[at.b + j]++;
    }
    for (size_t i = 0; i < nn->params; i++)
        cr_assert(used[i] == 1);
}

Test(nn, layers_lie_one_after_the_other)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(13);
    for (size_t i = 0; i < NETS; i++) {
        struct nn nn;
        random_net(&r, &nn, &rng, i);
        expect_layout(&nn, &r);
        nn_destroy(&nn);
    }
}

/* ------------------------------------------------------- the gradient */

Test(nn, gradient_agrees_with_finite_differences)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(14);
    struct verdict all = {0};
    size_t alive = 0;
    for (size_t i = 0; i < NETS; i++) {
        struct nn nn;
        double g[MOST_PARAMS];
        random_net(&r, &nn, &rng, i);
        gradient(&nn, &r, g);
        struct verdict v = judge(&r, g);
        cr_assert(!check_fails(v.worst, TOLERANCE), "net %zu, %d layers: %g",
                  i, r.layers, v.worst);
        all.worst = check_worst(all.worst, v.worst);
        all.checked += v.checked;
        all.skipped += v.skipped;
        alive += norm(g, r.params) > 0;
        nn_destroy(&nn);
    }
    cr_log_info("%zu slopes, %zu at kinks, worst error %.1e", all.checked,
                all.skipped, all.worst);
    cr_assert(alive >= 200, "only %zu gradients are not zero", alive);
    cr_assert(all.checked > 10000);
    cr_assert(100 * all.skipped <= all.checked + all.skipped);
}

/* A ReLU whose z changes its sign within h has no slope to compare. */
Test(nn, kinks_are_skipped)
{
    static struct ref r;
    struct nn nn;
    double g[2] = {CHECK_NAN, CHECK_NAN};
    const long double near[] = {0, 1e-6L, -1e-6L}, far[] = {1e-4L, -1e-4L};
    chosen_net(&r, &nn, 1, (size_t[]){1, 1}, NN_RELU, 1);
    r.x[0] = 1;
    r.p[0] = 0;
    for (size_t i = 0; i < 3; i++) {
        r.p[1] = near[i];
        struct verdict v = judge(&r, g);
        cr_assert(v.skipped == 2 && v.checked == 0);
    }
    for (size_t i = 0; i < 2; i++) {
        r.p[1] = far[i];
        struct verdict v = judge(&r, g);
        cr_assert(v.skipped == 0 && check_fails(v.worst, TOLERANCE));
    }
    nn_destroy(&nn);
}

/* One net for each activation function and every wrong gradient. */
static const size_t CONTROL[] = {4, 5, 6, 3};

static void control(struct ref *r, struct nn *nn, double *g, size_t i)
{
    chosen_net(r, nn, 3, CONTROL, (enum nn_activation)i, 4);
    gradient(nn, r, g);
    struct verdict v = judge(r, g);
    cr_assert(!check_fails(v.worst, TOLERANCE));
    cr_assert(norm(g, r->params) > 0.01);
    cr_assert(v.skipped <= 2);
}

static void expect_rejected(struct ref *r, const double *g, const char *what)
{
    struct verdict v = judge(r, g);
    cr_assert(check_fails(v.worst, TOLERANCE), "not noticed: %s", what);
}

static size_t largest(const double *g, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (fabs(g[i]) > fabs(g[best]))
            best = i;
    return best;
}

static void each_activation(void (*spoil)(struct ref *, struct nn *,
                                          double *))
{
    static struct ref r;
    for (size_t i = 0; i < 4; i++) {
        struct nn nn;
        double g[MOST_PARAMS];
        control(&r, &nn, g, i);
        spoil(&r, &nn, g);
        nn_destroy(&nn);
    }
}

static void flipped_sign(struct ref *r, struct nn *nn, double *g)
{
    size_t i = largest(g, nn->params);
    g[i] = -g[i];
    expect_rejected(r, g, "a sign of one slope");
    g[i] = -g[i];
    for (i = 0; i < nn->params; i++)
        g[i] = -g[i];
    expect_rejected(r, g, "all signs");
}

Test(nn_control, flipped_sign)
{
    each_activation(flipped_sign);
}

static void factor_in_one_layer(struct ref *r, struct nn *nn, double *g)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double twice[MOST_PARAMS];
        memcpy(twice, g, nn->params * sizeof *g);
        for (size_t i = at.w; i < at.b + at.n; i++)
            twice[i] *= 2;
        expect_rejected(r, twice, "a factor 2");
    }
}

Test(nn_control, factor_in_one_layer)
{
    each_activation(factor_in_one_layer);
}

static void not_a_number(struct ref *r, struct nn *nn, double *g)
{
    double right = g[7];
    g[7] = CHECK_NAN;
    expect_rejected(r, g, "NaN");
    g[7] = CHECK_INFINITY;
    expect_rejected(r, g, "infinity");
    g[7] = right;
    g[nn->params - 1] = CHECK_NAN;
    expect_rejected(r, g, "NaN at the end");
}

Test(nn_control, not_a_number)
{
    each_activation(not_a_number);
}

static void zero_gradient(struct ref *r, struct nn *nn, double *g)
{
    memset(g, 0, nn->params * sizeof *g);
    expect_rejected(r, g, "a gradient of zeros");
}

Test(nn_control, zero_gradient)
{
    each_activation(zero_gradient);
}

static void last_sample_only(struct ref *r, struct nn *nn, double *g)
{
    size_t last = r->m - 1;
    double cost;
    nn_gradient(nn, 1, r->x + last * r->size[0],
                r->y + last * r->size[nn->layers], g, &cost);
    expect_rejected(r, g, "the last sample's gradient");
    for (size_t i = 0; i < nn->params; i++)
        g[i] /= (double)r->m;
    expect_rejected(r, g, "= in place of += over samples");
}

Test(nn_control, last_sample_only)
{
    each_activation(last_sample_only);
}

static void forgotten_bias_slopes(struct ref *r, struct nn *nn, double *g)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double without[MOST_PARAMS];
        memcpy(without, g, nn->params * sizeof *g);
        memset(without + at.b, 0, at.n * sizeof *g);
        expect_rejected(r, without, "biases without slopes");
    }
}

Test(nn_control, forgotten_bias_slopes)
{
    each_activation(forgotten_bias_slopes);
}

static void forgotten_means(struct ref *r, struct nn *nn, double *g)
{
    double n = (double)r->size[nn->layers], m = (double)r->m;
    double wrong[MOST_PARAMS];
    for (size_t i = 0; i < nn->params; i++)
        wrong[i] = g[i] * n;
    expect_rejected(r, wrong, "1/n dropped");
    for (size_t i = 0; i < nn->params; i++)
        wrong[i] = g[i] * m;
    expect_rejected(r, wrong, "1/m dropped");
}

Test(nn_control, forgotten_means)
{
    each_activation(forgotten_means);
}

static void transposed_weights(struct ref *r, struct nn *nn, double *g)
{
    struct nn_layer at = nn_layer_at(nn, 2);
    double wrong[MOST_PARAMS];
    memcpy(wrong, g, nn->params * sizeof *g);
    for (size_t j = 0; j < at.n; j++)
        for (size_t k = 0; k < at.n_before; k++)
            wrong[at.w + k * at.n + j] = g[at.w + j * at.n_before + k];
    expect_rejected(r, wrong, "weights transposed");
}

Test(nn_control, transposed_weights)
{
    each_activation(transposed_weights);
}

/* A small mistake too: one part in a hundred thousand. */
static void small_mistake(struct ref *r, struct nn *nn, double *g)
{
    size_t i = largest(g, nn->params);
    cr_assert(fabs(g[i]) > 0.01);
    g[i] *= 1.00001;
    expect_rejected(r, g, "1e-5 of one slope");
}

Test(nn_control, small_mistake)
{
    each_activation(small_mistake);
}

Test(nn, gradient_is_the_mean_over_samples)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(15);
    for (size_t i = 0; i < NETS; i++) {
        struct nn nn;
        double g[MOST_PARAMS], one[MOST_PARAMS], mean[MOST_PARAMS] = {0};
        double cost;
        random_net(&r, &nn, &rng, i);
        gradient(&nn, &r, g);
        for (size_t s = 0; s < r.m; s++) {
            nn_gradient(&nn, 1, r.x + s * r.size[0],
                        r.y + s * r.size[r.layers], one, &cost);
            for (size_t k = 0; k < r.params; k++)
                mean[k] += one[k] / (double)r.m;
        }
        for (size_t k = 0; k < r.params; k++)
            cr_assert(!check_fails(check_error(g[k], mean[k], 1e-3), 1e-12));
        nn_destroy(&nn);
    }
}

/* What g held before, and what the net did before, does not matter;
   neither p nor the places around g are written. */
Test(nn, gradient_depends_on_nothing_else)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(16);
    for (size_t i = 0; i < NETS; i++) {
        struct nn nn;
        double g[MOST_PARAMS + 2], again[MOST_PARAMS], p[MOST_PARAMS];
        random_net(&r, &nn, &rng, i);
        memcpy(p, nn.p, r.params * sizeof *p);
        for (size_t k = 0; k < MOST_PARAMS + 2; k++)
            g[k] = CHECK_NAN;
        gradient(&nn, &r, g + 1);
        cr_assert(isnan(g[0]) && isnan(g[r.params + 1]));
        double far[MOST_WIDTH] = {9, -9, 9, -9, 9, -9, 9, -9};
        nn_forward(&nn, far);
        gradient(&nn, &r, again);
        cr_assert(memcmp(g + 1, again, r.params * sizeof *g) == 0);
        cr_assert(memcmp(p, nn.p, r.params * sizeof *p) == 0);
        nn_destroy(&nn);
    }
}

/* The slopes of the last sample stay in the net, each in its place: with dropout
   those of a hidden unit by what it passed on, those of the output untouched. */
Test(nn, gradient_leaves_the_slopes_in_their_places)
{
    struct nn nn;
    const double p[] = {1, 2, -1, 1, 0.5, -2, 0.5, -1, 0, 3, -1, 2, 0.25};
    const double x[] = {2, -0.5}, y[] = {4}; // a2 = 8.75
    const double da[] = {4.75 * 4, 4.75 * 2, 4.75 * 3, -4.75, 4.75 * 2, 4.75};
    const double dz[] = {4.75 * 3, 0, 4.75 * 2, 4.75};
    double keep[6] = {7, 7, 1, 1, 1, 7}, g[13], cost;
    cr_assert(nn_create(&nn, 2, (size_t[]){2, 3, 1},
                        (enum nn_activation[]){NN_RELU, NN_IDENTITY}) == NN_OK);
    memcpy(nn.p, p, sizeof p);
    nn.keep = keep;
    cr_assert(nn_gradient(&nn, 1, x, y, g, &cost) == NN_OK);
    for (size_t i = 0; i < 6; i++) {
        cr_assert(nn.da[i] == da[i], "da %zu is %g", i, nn.da[i]);
        cr_assert(i < 2 || nn.dz[i] == dz[i - 2], "dz %zu is %g", i, nn.dz[i]);
    }
    nn_destroy(&nn);
}

Test(nn, step_is_exact)
{
    static struct ref r;
    struct nn_rng rng = nn_rng_seeded(17);
    const double rates[] = {0, 1, 0.1, -3.7, 1e-9, 1e9};
    for (size_t i = 0; i < 60; i++) {
        struct nn nn;
        double g[MOST_PARAMS], kept[MOST_PARAMS], rate = rates[i % 6];
        random_net(&r, &nn, &rng, i);
        gradient(&nn, &r, g);
        memcpy(kept, g, sizeof g);
        nn_step(&nn, g, rate);
        for (size_t k = 0; k < r.params; k++) {
            volatile double move = rate * g[k];
            cr_assert(nn.p[k] == (double)r.p[k] - move);
        }
        cr_assert(memcmp(g, kept, r.params * sizeof *g) == 0);
        nn_destroy(&nn);
    }
}

/* A small step downhill lowers the cost by rate * |g|^2. */
Test(nn, step_goes_downhill)
{
    static struct ref r;
    struct nn nn;
    double g[MOST_PARAMS], rate = 1e-6;
    chosen_net(&r, &nn, 3, CONTROL, NN_TANH, 5);
    gradient(&nn, &r, g);
    double before = nn_cost(&nn, r.m, r.x, r.y), n = norm(g, r.params);
    nn_step(&nn, g, rate);
    double fall = before - nn_cost(&nn, r.m, r.x, r.y);
    check_close(fall, rate * n * n, 1e-4);
    nn_destroy(&nn);
}

/* --------------------------------------------- numbers without an end */

static enum nn_status status_with(double x0, double y0, double p0,
                                  double *cost)
{
    struct nn nn;
    enum nn_activation sigma[] = {NN_TANH, NN_IDENTITY};
    double x[] = {0.5, x0}, y[] = {y0}, g[13];
    struct nn_rng rng = nn_rng_seeded(1);
    cr_assert(nn_create(&nn, 2, (size_t[]){2, 3, 1}, sigma) == NN_OK);
    cr_assert(nn.params == 13);
    nn_randomize(&nn, &rng);
    nn.p[12] = p0;
    enum nn_status status = nn_gradient(&nn, 1, x, y, g, cost);
    nn_destroy(&nn);
    return status;
}

Test(nn, not_finite)
{
    double cost;
    const double bad[] = {CHECK_NAN, CHECK_INFINITY, -CHECK_INFINITY,
                          1e200, -1e200};
    cr_assert(status_with(1, 1, 1, &cost) == NN_OK && isfinite(cost));
    cr_assert(status_with(CHECK_NAN, 1, 1, &cost) == NN_NOT_FINITE);
    for (size_t i = 0; i < 5; i++) {
        cr_assert(status_with(1, bad[i], 1, &cost) == NN_NOT_FINITE);
        cr_assert(!isfinite(cost));
        cr_assert(status_with(1, 1, bad[i], &cost) == NN_NOT_FINITE);
        cr_assert(!isfinite(cost));
    }
}

static enum nn_status one_unit(enum nn_activation sigma, double x)
{
    struct nn nn;
    double y = 0, g[2], cost;
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 1}, &sigma) == NN_OK);
    nn.p[0] = 1;
    enum nn_status status = nn_gradient(&nn, 1, &x, &y, g, &cost);
    nn_destroy(&nn);
    return status;
}

Test(nn, not_finite_through_each_activation)
{
    for (int i = 0; i < 4; i++) {
        enum nn_activation sigma = (enum nn_activation)i;
        cr_assert(one_unit(sigma, 1) == NN_OK);
        cr_assert(one_unit(sigma, CHECK_NAN) == NN_NOT_FINITE);
    }
    cr_assert(one_unit(NN_IDENTITY, CHECK_INFINITY) == NN_NOT_FINITE);
    cr_assert(one_unit(NN_IDENTITY, -CHECK_INFINITY) == NN_NOT_FINITE);
    cr_assert(one_unit(NN_RELU, CHECK_INFINITY) == NN_NOT_FINITE);
}

/* ------------------------------------------------ activation functions */

Test(nn, sigma_and_slope_agree_with_the_reference)
{
    for (int i = 0; i < 4; i++)
        for (double z = -12; z <= 12; z += 0.0625) {
            enum nn_activation sigma = (enum nn_activation)i;
            double a = (double)ref_sigma(sigma, (long double)z);
            double slope = (double)ref_slope(sigma, (long double)z);
            cr_assert(!check_fails(
                check_error(nn_sigma(sigma, z), a, 1e-3), 1e-13));
            cr_assert(!check_fails(
                check_error(nn_slope(sigma, z), slope, 1e-3), 1e-12));
        }
}

static void expect_sigma(enum nn_activation sigma, double z, double a,
                         double slope)
{
    cr_assert(nn_sigma(sigma, z) == a, "%d at %g", (int)sigma, z);
    cr_assert(nn_slope(sigma, z) == slope, "%d at %g", (int)sigma, z);
}

Test(nn, sigma_far_out_and_at_0)
{
    expect_sigma(NN_IDENTITY, -1000, -1000, 1);
    expect_sigma(NN_IDENTITY, 0, 0, 1);
    expect_sigma(NN_IDENTITY, 1000, 1000, 1);
    expect_sigma(NN_SIGMOID, -1000, 0, 0);
    expect_sigma(NN_SIGMOID, 0, 0.5, 0.25);
    expect_sigma(NN_SIGMOID, 1000, 1, 0);
    expect_sigma(NN_TANH, -1000, -1, 0);
    expect_sigma(NN_TANH, 0, 0, 1);
    expect_sigma(NN_TANH, 1000, 1, 0);
    expect_sigma(NN_RELU, -1000, 0, 0);
    expect_sigma(NN_RELU, 0, 0, 0);
    expect_sigma(NN_RELU, -0.0, 0, 0);
    expect_sigma(NN_RELU, 0x1p-1074, 0x1p-1074, 1);
    expect_sigma(NN_RELU, 1000, 1000, 1);
}

Test(nn, sigma_of_nan)
{
    for (int i = 0; i < 4; i++)
        cr_assert(isnan(nn_sigma((enum nn_activation)i, CHECK_NAN)));
    cr_assert(nn_slope(NN_IDENTITY, CHECK_NAN) == 1);
    cr_assert(isnan(nn_slope(NN_SIGMOID, CHECK_NAN)));
    cr_assert(isnan(nn_slope(NN_TANH, CHECK_NAN)));
    cr_assert(nn_slope(NN_RELU, CHECK_NAN) == 0);
}

Test(nn, sigma_of_no_known_kind)
{
    cr_assert(isnan(nn_sigma((enum nn_activation)4, 1)));
    cr_assert(isnan(nn_slope((enum nn_activation)4, 1)));
}

/* ------------------------------------------------ creating, destroying */

static void expect_empty(const struct nn *nn)
{
    cr_assert(!nn->size && !nn->sigma && !nn->p);
    cr_assert(!nn->z && !nn->a && !nn->dz && !nn->da);
}

/* Refuses with WANT, and leaves nothing behind. */
static void refuses(enum nn_status want, int layers, const size_t size[])
{
    const enum nn_activation sigma[4] = {NN_TANH};
    struct nn nn;
    memset(&nn, 0x5a, sizeof nn);
    long held = check_memory.live;
    enum nn_status got = nn_create(&nn, layers, size, sigma);
    cr_assert(got == want, "%s, not %s", nn_status_text(got),
              nn_status_text(want));
    cr_assert(check_memory.live == held);
    expect_empty(&nn);
    nn_destroy(&nn);
}

Test(nn, create_refuses_no_layers)
{
    const size_t size[] = {1, 1};
    const int layers[] = {0, -1, -2, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        refuses(NN_BAD_SIZE, layers[i], size);
}

Test(nn, create_refuses_empty_layers)
{
    for (int layers = 1; layers <= 3; layers++)
        for (int l = 0; l <= layers; l++) {
            size_t size[] = {2, 2, 2, 2};
            size[l] = 0;
            refuses(NN_BAD_SIZE, layers, size);
        }
}

Test(nn, create_refuses_sizes_that_do_not_fit)
{
    const size_t big = (size_t)1 << 40, half = SIZE_MAX / 2 + 1;
    const size_t most = PTRDIFF_MAX / sizeof(double);
    refuses(NN_BAD_SIZE, 1, (size_t[]){big, big});
    refuses(NN_BAD_SIZE, 1, (size_t[]){SIZE_MAX, 1});
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, SIZE_MAX});
    refuses(NN_BAD_SIZE, 1, (size_t[]){SIZE_MAX, SIZE_MAX});
    refuses(NN_BAD_SIZE, 1, (size_t[]){half, 2});
    refuses(NN_BAD_SIZE, 1, (size_t[]){2, half});
    refuses(NN_BAD_SIZE, 1, (size_t[]){most, 1});
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, most});
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, most / 2 + 1});
    refuses(NN_BAD_SIZE, 2, (size_t[]){2, big, big});
    refuses(NN_BAD_SIZE, 2, (size_t[]){big, 1 << 20, 1 << 19});
    refuses(NN_BAD_SIZE, 3, (size_t[]){1, SIZE_MAX / 8, 1, 1});
}

/* Sizes that fit the address space, and that no machine has. */
Test(nn, create_without_memory)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    check_memory_wrapped();
    refuses(NN_NO_MEMORY, 1, (size_t[]){(size_t)1 << 40, 1 << 10});
    refuses(NN_NO_MEMORY, 1, (size_t[]){1 << 28, 1 << 28});
    refuses(NN_NO_MEMORY, 1, (size_t[]){most - 1, 1});
    refuses(NN_NO_MEMORY, 1, (size_t[]){1, most / 2});
    refuses(NN_NO_MEMORY, 2, (size_t[]){1, 1 << 29, 1 << 29});
}

static enum nn_status create_small(void *nn)
{
    const size_t size[] = {2, 3, 1};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    memset(nn, 0x5a, sizeof(struct nn));
    return nn_create(nn, 2, size, sigma);
}

static void look_at_small(void *nn, enum nn_status status)
{
    if (status == NN_OK)
        nn_destroy(nn);
    expect_empty(nn);
}

Test(nn, create_when_memory_runs_out)
{
    struct nn nn;
    cr_assert(check_refusals(create_small, look_at_small, &nn) >= 3);
}

Test(nn, create_copies_and_zeroes)
{
    size_t size[] = {3, 4, 2};
    enum nn_activation sigma[] = {NN_RELU, NN_SIGMOID};
    struct nn nn;
    cr_assert(nn_create(&nn, 2, size, sigma) == NN_OK);
    size[0] = size[1] = size[2] = 9;
    sigma[0] = sigma[1] = NN_IDENTITY;
    cr_assert(nn.layers == 2 && nn.params == 4 * 3 + 4 + 2 * 4 + 2);
    cr_assert(nn.size[0] == 3 && nn.size[1] == 4 && nn.size[2] == 2);
    cr_assert(nn.sigma[1] == NN_RELU && nn.sigma[2] == NN_SIGMOID);
    for (size_t i = 0; i < nn.params; i++)
        cr_assert(nn.p[i] == 0);
    const double *a = nn_forward(&nn, (double[]){1, 2, 3});
    cr_assert(a[0] == 0.5 && a[1] == 0.5);
    nn_destroy(&nn);
}

Test(nn, destroy_leaves_nothing)
{
    check_memory_wrapped();
    struct nn nn;
    enum nn_activation sigma[] = {NN_TANH};
    long held = check_memory.live;
    cr_assert(nn_create(&nn, 1, (size_t[]){5, 5}, sigma) == NN_OK);
    cr_assert(check_memory.live > held);
    nn_destroy(&nn);
    cr_assert(check_memory.live == held);
    expect_empty(&nn);
    nn_destroy(&nn);
    cr_assert(check_memory.live == held);
}

/* ---------------------------------------------------------- randomize */

static void expect_random(const struct nn *nn)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double bound = 1 / sqrt((double)at.n_before);
        double most = 0, sum = 0, n = (double)(at.b - at.w);
        for (size_t i = at.w; i < at.b; i++) {
            most = check_worst(most, fabs(nn->p[i]));
            sum += nn->p[i] / bound;
        }
        cr_assert(most <= bound && most > 0.95 * bound);
        cr_assert(fabs(sum / n) < 3 / sqrt(n));
        for (size_t j = 0; j < at.n; j++)
            cr_assert(nn->p[at.b + j] == 0);
    }
}

Test(nn, randomize)
{
    const size_t size[] = {7, 50, 20, 30};
    const enum nn_activation sigma[] = {NN_TANH, NN_RELU, NN_SIGMOID};
    struct nn one, two;
    cr_assert(nn_create(&one, 3, size, sigma) == NN_OK);
    cr_assert(nn_create(&two, 3, size, sigma) == NN_OK);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct nn_rng a = nn_rng_seeded(seed), b = nn_rng_seeded(seed);
        for (size_t i = 0; i < one.params; i++)
            one.p[i] = CHECK_NAN;
        nn_randomize(&one, &a);
        nn_randomize(&two, &b);
        expect_random(&one);
        cr_assert(memcmp(one.p, two.p, one.params * sizeof *one.p) == 0);
        cr_assert(a.state == b.state);
        nn_randomize(&two, &b);
        cr_assert(memcmp(one.p, two.p, one.params * sizeof *one.p) != 0);
    }
    nn_destroy(&one);
    nn_destroy(&two);
}

/* -------------------------------------------------------- the statuses */

Test(nn, status_texts)
{
    const char *unknown = nn_status_text(NN_STATUSES);
    cr_assert(NN_OK == 0 && unknown != NULL);
    for (int i = 0; i < NN_STATUSES; i++) {
        const char *text = nn_status_text((enum nn_status)i);
        cr_assert(text && *text && text[strlen(text) - 1] != '.', "%d", i);
        cr_assert(strcmp(text, unknown) != 0, "%d", i);
        for (int k = 0; k < i; k++)
            cr_assert(strcmp(text, nn_status_text((enum nn_status)k)) != 0);
    }
}

Test(nn, status_out_of_range)
{
    const int bad[] = {NN_STATUSES, NN_STATUSES + 1, -1, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(nn_status_text((enum nn_status)bad[i]) != NULL);
}

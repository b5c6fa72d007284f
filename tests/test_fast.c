/* The fast engine, from outside: against the four loops in double, and, bit
   for bit, against loops in float written here, which take the same sums in
   the same order, one number at a time. */

#define CHECK_MEMORY
#include "check.h"

#include <float.h>
#include <omp.h>
#include <signal.h>
#include <string.h>

#include "nn/fast.h"

TestSuite(fast, .timeout = 30);
TestSuite(product, .timeout = 30);

enum {
    LAYERS = 4,
    BATCH = 40,
    UNITS = 1100,    // of a net, inputs and all
    PARAMS = 240000, // of a net, or its room
    METHODS = 3
};

/* The widths of this processor. */
static int widths(int lanes[3])
{
    int n = 0;
    for (int l = 4; l <= nn_lanes(); l *= 2)
        lanes[n++] = l;
    cr_assert(1 <= n && n <= 3);
    return n;
}

static size_t below(struct nn_rng *rng, size_t n)
{
    return (size_t)nn_rng_below(rng, n);
}

static float uniform(struct nn_rng *rng, double low, double high)
{
    return (float)nn_rng_uniform(rng, low, high);
}

static int same(const float *a, const float *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

/* ------------------------------------------------- one rounding, or two */

/* a b + c, rounded once, by a fused multiply-add, or twice. */
static float madd(int fused, float a, float b, float c)
{
    if (fused)
        return fmaf(a, b, c);
    float ab = a * b;
    return ab + c;
}

/* Whether products by LANES are fused here. What is left of a b - a b is 0
   unless they are. */
static int is_fused(int lanes)
{
    const float a = 1.0001f, ab = a * a;
    float b[NN_PANEL], start[NN_PANEL], c[NN_PANEL];
    for (int j = 0; j < NN_PANEL; j++) {
        b[j] = a;
        start[j] = -ab;
    }
    nn_product(lanes, &(struct nn_product){
        .rows = 1, .depth = 1, .panels = 1, .a = &a, .b = b, .start = start, .c = c});
    cr_assert(c[0] == 0 || c[0] == fmaf(a, a, -ab));
    for (int j = 1; j < NN_PANEL; j++)
        cr_assert(c[j] == c[0]);
    return c[0] != 0;
}

/* Without optimisation a compiler fuses nothing. */
Test(product, wide_vectors_are_fused_and_narrow_ones_are_not)
{
    int lanes[3], n = widths(lanes);
    cr_assert(fmaf(1.0001f, 1.0001f, -(1.0001f * 1.0001f)) != 0);
#if defined __OPTIMIZE__ && defined __x86_64__
#if defined __FMA__
    cr_assert(is_fused(4));
#else
    cr_assert(!is_fused(4));
#endif
    for (int i = 1; i < n; i++)
        cr_assert(is_fused(lanes[i]), "lanes %d", lanes[i]);
#else
    for (int i = 0; i < n; i++)
        is_fused(lanes[i]);
#endif
}

Test(product, lanes_are_what_the_processor_has)
{
#if defined __x86_64__
    int wide = __builtin_cpu_supports("avx512f") != 0;
    int fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    cr_assert(nn_lanes() == (wide ? 16 : fma ? 8 : 4));
#else
    cr_assert(nn_lanes() == 4);
#endif
}

/* ------------------------------------------------------ the product alone */

enum { ROWS_MOST = 20, DEPTH_MOST = 20, PANELS_MOST = 5, FLOATS = 8000 };

/* A product with its memory; what c holds beyond [rows][panels][16], and
   before, is not its own. */
struct alone {
    struct nn_product p;
    float a[FLOATS], b[FLOATS], start[PANELS_MOST * NN_PANEL];
    float before[FLOATS], want[FLOATS], c[FLOATS];
};

enum { AT = 37 }; // where c begins

static size_t place(const struct nn_product *p, size_t r, size_t j)
{
    return AT + r * p->c_row + j / NN_PANEL * p->c_panel + j % NN_PANEL;
}

static void plain_product(struct alone *t, int fused)
{
    const struct nn_product *p = &t->p;
    memcpy(t->want, t->before, sizeof t->want);
    for (size_t r = 0; r < p->rows; r++)
        for (size_t j = 0; j < p->panels * NN_PANEL; j++) {
            const float *b = p->b + j / NN_PANEL * p->b_panel + j % NN_PANEL;
            float sum = p->start ? p->start[j] : 0;
            for (size_t d = 0; d < p->depth; d++)
                sum = madd(fused, p->a[r * p->a_row + d * p->a_step],
                           b[d * p->b_step], sum);
            float *c = &t->want[place(p, r, j)];
            *c = p->rate != 0 ? madd(fused, -p->rate, sum, *c) : sum;
        }
}

/* The strides of round ROUND: rows of a one after the other or side by side;
   panels of b and c in one piece or in turn. */
static void set_strides(struct nn_product *p, struct nn_rng *rng, size_t round)
{
    size_t gap = below(rng, 4), wide = p->panels * NN_PANEL;
    p->a_row = round & 1 ? 1 : p->depth + gap;
    p->a_step = round & 1 ? p->rows + gap : 1;
    p->b_step = round & 2 ? wide + gap : NN_PANEL;
    p->b_panel = round & 2 ? NN_PANEL : p->depth * NN_PANEL + gap;
    p->c_row = round & 4 ? wide + gap : NN_PANEL;
    p->c_panel = round & 4 ? NN_PANEL : p->rows * NN_PANEL + gap;
}

static void random_numbers(float *x, size_t n, struct nn_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        x[i] = uniform(rng, -1, 1);
}

/* The numbers of T->p are in T, at odd addresses. */
static void compare_products(struct alone *t, int threads)
{
    int lanes[3], n = widths(lanes);
    for (int i = 0; i < n; i++) {
        plain_product(t, is_fused(lanes[i]));
        memcpy(t->c, t->before, sizeof t->c);
        if (threads) {
            #pragma omp parallel num_threads(threads)
            nn_product(lanes[i], &t->p);
        } else {
            nn_product(lanes[i], &t->p);
        }
        cr_assert(same(t->c, t->want, FLOATS),
                  "lanes %d, rows %zu, depth %zu, panels %zu, %s, rate %g, %d threads",
                  lanes[i], t->p.rows, t->p.depth, t->p.panels,
                  t->p.start ? "start" : "no start", (double)t->p.rate, threads);
    }
}

static void fill(struct alone *t, struct nn_rng *rng)
{
    random_numbers(t->a, FLOATS, rng);
    random_numbers(t->b, FLOATS, rng);
    random_numbers(t->before, FLOATS, rng);
    random_numbers(t->start, PANELS_MOST * NN_PANEL, rng);
}

Test(product, is_the_plain_loop_bit_for_bit)
{
    static struct alone t;
    static const size_t depth[] = {0, 1, 2, 7, DEPTH_MOST};
    struct nn_rng rng = nn_rng_seeded(1);
    size_t round = 0;
    fill(&t, &rng);
    for (size_t rows = 0; rows <= ROWS_MOST; rows++)
        for (size_t panels = 0; panels <= PANELS_MOST; panels++)
            for (size_t d = 0; d < 5; d++)
                for (int kind = 0; kind < 4; kind++, round++) {
                    t.p = (struct nn_product){
                        .rows = rows, .depth = depth[d], .panels = panels,
                        .a = t.a + 1, .b = t.b + 1, .c = t.c + AT,
                        .start = kind & 1 ? t.start : NULL,
                        .rate = kind & 2 ? 0.3f : 0};
                    set_strides(&t.p, &rng, round + round / 8);
                    compare_products(&t, 0);
                }
}

/* Blocks of many sizes, so that some thread begins in the middle. */
Test(product, does_not_depend_on_threads)
{
    static struct alone t;
    struct nn_rng rng = nn_rng_seeded(2);
    fill(&t, &rng);
    for (size_t round = 0; round < 16; round++) {
        t.p = (struct nn_product){
            .rows = 1 + below(&rng, 90), .depth = 1 + below(&rng, 10),
            .panels = 1 + below(&rng, PANELS_MOST),
            .a = t.a + 1, .b = t.b + 1, .c = t.c + AT,
            .rate = round % 2 ? 0.3f : 0};
        set_strides(&t.p, &rng, round);
        for (int threads = 1; threads <= 3; threads++)
            compare_products(&t, threads);
    }
}

/* One number times the mean of rows: a and c without strides. */
Test(product, rows_and_columns_may_be_single)
{
    static struct alone t;
    struct nn_rng rng = nn_rng_seeded(3);
    fill(&t, &rng);
    for (size_t depth = 0; depth < 9; depth++) {
        t.p = (struct nn_product){
            .rows = 1, .depth = depth, .panels = 3, .a = t.a, .b = t.b,
            .b_step = 48, .b_panel = NN_PANEL, .c = t.c + AT, .c_panel = NN_PANEL};
        compare_products(&t, 0);
    }
}

/* ---------------------------------------------- a net in double and in float */

struct pair {
    struct nn nn;
    struct nn_fast fast;
    struct nn_rng draw, draw_fast; // the same at first
    double keep[UNITS];
    size_t m, n_in, n_out;
    float x[BATCH * 785], y[BATCH * 80]; // from [1] on: at odd addresses
    double xd[BATCH * 785], yd[BATCH * 80];
};

static void random_samples(struct pair *c, struct nn_rng *rng)
{
    for (size_t i = 0; i < c->m * c->n_in; i++)
        c->xd[i] = (double)(c->x[i] = below(rng, 4) ? uniform(rng, -1, 1) : 0);
    for (size_t s = 0; s < c->m; s++) {
        float *y = c->y + s * c->n_out, all = 0;
        for (size_t j = 0; j < c->n_out; j++)
            all += y[j] = uniform(rng, 0, 1);
        for (size_t j = 0; j < c->n_out; j++) {
            y[j] = c->nn.loss == NN_SQUARED ? 2 * y[j] - 1 : y[j] / all;
            c->yd[s * c->n_out + j] = (double)y[j];
        }
    }
}

/* Weights and biases that a float holds. */
static void random_parameters(struct nn *nn, struct nn_rng *rng)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double bound = 2 / sqrt((double)at.n_before);
        for (size_t i = at.w; i < at.b; i++)
            nn->p[i] = (double)uniform(rng, -bound, bound);
        for (size_t j = 0; j < at.n; j++)
            nn->p[at.b + j] = (double)uniform(rng, -0.5, 0.5);
    }
}

struct shape {
    int layers;
    size_t size[LAYERS + 1];
    enum nn_activation sigma[LAYERS];
    enum nn_loss loss;
    double decay, drop; // drop 0: no dropout
    size_t m;           // samples, and the batch
};

static void set_dropout(struct pair *c, double drop, uint64_t seed)
{
    c->nn.drop = c->fast.drop = drop;
    c->draw = c->draw_fast = nn_rng_seeded(seed);
    c->nn.keep = c->keep;
    c->nn.draw = &c->draw;
    c->fast.draw = &c->draw_fast;
}

/* One thread, unless a test says otherwise. */
static void create(struct pair *c, const struct shape *shape, struct nn_rng *rng)
{
    omp_set_num_threads(1);
    cr_assert(nn_create(&c->nn, shape->layers, shape->size, shape->sigma) == NN_OK);
    c->nn.loss = shape->loss;
    c->nn.decay = shape->decay;
    c->m = shape->m;
    c->n_in = shape->size[0];
    c->n_out = shape->size[shape->layers];
    cr_assert(c->m <= BATCH && c->n_in <= 784 && c->n_out <= 80);
    random_parameters(&c->nn, rng);
    random_samples(c, rng);
    cr_assert(nn_fast_create(&c->fast, &c->nn, c->m) == NN_OK);
    cr_assert(c->nn.params <= PARAMS && c->fast.room <= PARAMS);
    if (shape->drop > 0)
        set_dropout(c, shape->drop, nn_rng_next(rng));
}

static void destroy(struct pair *c)
{
    nn_fast_destroy(&c->fast);
    nn_destroy(&c->nn);
    *c = (struct pair){0};
}

static size_t random_size(struct nn_rng *rng)
{
    static const size_t round[] = {1, 15, 16, 17, 32, 33};
    return below(rng, 3) ? 1 + below(rng, 70) : round[below(rng, 6)];
}

/* Shape number I of a series: every activation before and at the end, every
   loss; half of them with decay, a third with dropout; one as wide as
   pictures are. */
static struct shape random_shape(struct nn_rng *rng, size_t i)
{
    struct shape shape = {.layers = 1 + (int)below(rng, LAYERS),
                          .loss = i / 16 % 2 ? NN_CROSS_ENTROPY : NN_SQUARED,
                          .decay = i % 2 ? 0.01 : 0,
                          .drop = i % 3 ? 0 : nn_rng_uniform(rng, 0.1, 0.6),
                          .m = 1 + below(rng, i % 5 ? 12 : BATCH)};
    for (int l = 0; l <= shape.layers; l++)
        shape.size[l] = random_size(rng);
    if (i == 40)
        shape.size[0] = 784;
    for (int l = 0; l < shape.layers; l++)
        shape.sigma[l] = (enum nn_activation)(
            l == shape.layers - 1 ? i % 4 : i % 7 ? i / 4 % 4 : below(rng, 4));
    return shape;
}

/* A net for pictures, large enough to be worth more than one thread. */
static struct shape large_shape(size_t hidden, size_t m)
{
    return (struct shape){2, {784, hidden, 10}, {NN_TANH, NN_IDENTITY},
                          NN_CROSS_ENTROPY, 0, 0, m};
}

/* --------------------------------------------------- against double */

/* Whether some ReLU is so near its corner that float may see it on the other
   side. */
static int near_a_corner(struct pair *c)
{
    struct nn_rng again = c->draw;
    int near = 0;
    for (size_t s = 0; s < c->m; s++) {
        nn_forward(&c->nn, c->xd + s * c->n_in);
        for (int l = 1; l <= c->nn.layers; l++) {
            struct nn_layer at = nn_layer_at(&c->nn, l);
            for (size_t j = 0; j < at.n; j++)
                near |= c->nn.sigma[l] == NN_RELU &&
                        fabs(c->nn.z[at.unit + j]) < 2e-5;
        }
    }
    c->draw = again;
    return near;
}

static double g_double[PARAMS], g_unpacked[PARAMS];

/* G [P] against g_double: all together, and each for itself, the largest
   being the measure. */
static void compare_slopes(const double *g, size_t n, size_t i, int lanes)
{
    double off = 0, all = 0, most = 0;
    for (size_t k = 0; k < n; k++) {
        off += (g[k] - g_double[k]) * (g[k] - g_double[k]);
        all += g_double[k] * g_double[k];
        most = fmax(most, fabs(g_double[k]));
    }
    cr_assert(sqrt(off) <= 1e-5 * sqrt(all), "net %zu, lanes %d: off by %g of %g", i,
              lanes, sqrt(off), sqrt(all));
    for (size_t k = 0; k < n; k++)
        cr_assert(fabs(g[k] - g_double[k]) <= 1e-5 * (fabs(g_double[k]) + most),
                  "net %zu, lanes %d, slope %zu: %.9g, not %.9g", i, lanes, k, g[k],
                  g_double[k]);
}

static float g_fast[PARAMS];

Test(fast, gradient_is_that_of_the_four_loops)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(11);
    int lanes[3], n = widths(lanes);
    size_t skipped = 0;
    for (size_t i = 0; i < 96; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        double cost, cost_fast;
        if (near_a_corner(&c)) {
            skipped++;
            destroy(&c);
            continue;
        }
        struct nn_rng first = c.draw;
        cr_assert(nn_gradient(&c.nn, c.m, c.xd, c.yd, g_double, &cost) == NN_OK);
        for (int w = 0; w < n; w++) {
            c.fast.lanes = lanes[w];
            c.draw_fast = first;
            cr_assert(nn_fast_gradient(&c.fast, c.m, c.x, c.y, g_fast, &cost_fast) ==
                      NN_OK);
            cr_assert(c.draw.state == c.draw_fast.state);
            check_close(cost_fast, cost, 1e-5);
            nn_fast_unpack(&c.fast, g_fast, g_unpacked);
            compare_slopes(g_unpacked, c.nn.params, i, lanes[w]);
        }
        destroy(&c);
    }
    cr_assert(skipped < 9, "%zu skipped", skipped);
}

/* ------------------------------------------------------- plain loops in float */

/* What the engine does, with weights as nn.h has them. */
struct plain {
    const struct nn *nn;
    int fused;
    float p[PARAMS], g[PARAMS];
    float a[BATCH][UNITS], dz[BATCH][UNITS], keep[BATCH][UNITS];
};

static float plain_sigma(enum nn_activation sigma, float z)
{
    float e = expf(-fabsf(z));
    if (sigma == NN_SIGMOID)
        return z >= 0 ? 1 / (1 + e) : e / (1 + e);
    if (sigma == NN_TANH)
        return tanhf(z);
    return sigma == NN_RELU && !(z > 0) ? 0 : z;
}

/* DZ, so far the slope at a, times the slope of sigma. */
static float plain_slope(enum nn_activation sigma, float a, float dz)
{
    if (sigma == NN_SIGMOID)
        return dz * (a * (1 - a));
    if (sigma == NN_TANH)
        return dz * (1 - a * a);
    return sigma == NN_RELU && !(a > 0) ? 0 : dz;
}

static void plain_forward(struct plain *t, size_t s, const float *x, int dropout)
{
    const struct nn *nn = t->nn;
    memcpy(t->a[s], x, nn->size[0] * sizeof *x);
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        for (size_t j = 0; j < at.n; j++) {
            float z = t->p[at.b + j];
            for (size_t k = 0; k < at.n_before; k++)
                z = madd(t->fused, t->a[s][at.unit_before + k],
                         t->p[at.w + j * at.n_before + k], z);
            z = plain_sigma(nn->sigma[l], z);
            if (dropout && l < nn->layers)
                z *= t->keep[s][at.unit + j];
            t->a[s][at.unit + j] = z;
        }
    }
}

/* The slopes at z of the output of sample S of M; returns its cost. */
static double plain_output(struct plain *t, size_t m, size_t s, const float *y)
{
    struct nn_layer at = nn_layer_at(t->nn, t->nn->layers);
    const float *a = t->a[s] + at.unit;
    float *dz = t->dz[s] + at.unit, most = a[0], all = 0, cost = 0;
    double sum = 0;
    for (size_t j = 0; j < at.n; j++) {
        double off = (double)a[j] - (double)y[j];
        sum += off * off;
        dz[j] = (a[j] - y[j]) / (float)(at.n * m);
        most = fmaxf(most, a[j]);
    }
    sum /= 2 * (double)at.n;
    if (t->nn->loss == NN_CROSS_ENTROPY) {
        for (size_t j = 0; j < at.n; j++)
            all += expf(a[j] - most);
        for (size_t j = 0; j < at.n; j++) {
            cost += y[j] * (logf(all) - (a[j] - most));
            dz[j] = (expf(a[j] - most) / all - y[j]) / (float)m;
        }
        sum = (double)cost;
    }
    for (size_t j = 0; j < at.n; j++)
        dz[j] = plain_slope(t->nn->sigma[t->nn->layers], a[j], dz[j]);
    return sum;
}

/* The slopes at z of the layer before layer L, for sample S. */
static void plain_before(struct plain *t, int l, size_t s, int dropout)
{
    const struct nn *nn = t->nn;
    struct nn_layer at = nn_layer_at(nn, l);
    for (size_t k = 0; k < at.n_before; k++) {
        float da = 0, a = t->a[s][at.unit_before + k];
        for (size_t j = 0; j < at.n; j++)
            da = madd(t->fused, t->dz[s][at.unit + j],
                      t->p[at.w + j * at.n_before + k], da);
        if (dropout) {
            da *= t->keep[s][at.unit_before + k];
            a *= 1 - (float)nn->drop;
        }
        t->dz[s][at.unit_before + k] = plain_slope(nn->sigma[l - 1], a, da);
    }
}

static void plain_sums(struct plain *t, int l, size_t m)
{
    struct nn_layer at = nn_layer_at(t->nn, l);
    for (size_t j = 0; j < at.n; j++) {
        for (size_t k = 0; k < at.n_before; k++) {
            float sum = 0;
            for (size_t s = 0; s < m; s++)
                sum = madd(t->fused, t->a[s][at.unit_before + k], t->dz[s][at.unit + j],
                           sum);
            t->g[at.w + j * at.n_before + k] = sum;
        }
        float sum = 0;
        for (size_t s = 0; s < m; s++)
            sum += t->dz[s][at.unit + j];
        t->g[at.b + j] = sum;
    }
}

static void plain_draw(struct plain *t, size_t m, struct nn_rng *draw)
{
    const struct nn *nn = t->nn;
    size_t last = nn_layer_at(nn, nn->layers).unit;
    for (size_t s = 0; s < m; s++)
        for (size_t u = nn->size[0]; u < last; u++)
            t->keep[s][u] = nn_rng_uniform(draw, 0, 1) < nn->drop
                                ? 0 : (float)(1 / (1 - nn->drop));
}

/* t->g, and the cost; DRAW: NULL without dropout. */
static double plain_gradient(struct plain *t, size_t m, const float *x, const float *y,
                             struct nn_rng *draw)
{
    const struct nn *nn = t->nn;
    double sum = 0, decay = 0;
    if (draw)
        plain_draw(t, m, draw);
    for (size_t s = 0; s < m; s++) {
        plain_forward(t, s, x + s * nn->size[0], draw != NULL);
        sum += plain_output(t, m, s, y + s * nn->size[nn->layers]);
        for (int l = nn->layers; l > 1; l--)
            plain_before(t, l, s, draw != NULL);
    }
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        plain_sums(t, l, m);
        for (size_t i = at.w; i < at.b && nn->decay != 0; i++) {
            decay += (double)t->p[i] * (double)t->p[i];
            t->g[i] += (float)nn->decay * t->p[i];
        }
    }
    sum /= (double)m;
    return sum + nn->decay / 2 * decay;
}

/* Loops with the parameters of C, fused as LANES are. */
static void plain_begin(struct plain *t, const struct pair *c, int lanes)
{
    t->nn = &c->nn;
    t->fused = is_fused(lanes);
    for (size_t i = 0; i < c->nn.params; i++)
        t->p[i] = (float)c->nn.p[i];
}

/* Whether PANELS holds the numbers P [P] bit for bit. */
static int holds(const struct pair *c, const float *panels, const float *p)
{
    static double unpacked[PARAMS];
    nn_fast_unpack(&c->fast, panels, unpacked);
    for (size_t i = 0; i < c->nn.params; i++)
        if ((double)p[i] != unpacked[i] || !signbit(p[i]) != !signbit(unpacked[i]))
            return 0;
    return 1;
}

static struct plain plain;

/* The sum of costs with decay is taken in another order. */
static void compare_costs(const struct pair *c, double got, double want)
{
    if (c->nn.decay == 0)
        cr_assert(got == want, "%.17g, not %.17g", got, want);
    else
        check_close(got, want, 1e-14);
}

/* All widths, on the whole batch, on less, and on the whole again: nothing is
   left behind by the samples before. */
static void compare_bits(struct pair *c, size_t i)
{
    int lanes[3], n = widths(lanes);
    const size_t some[] = {c->m, 1 + c->m / 2, c->m};
    for (int w = 0; w < n; w++) {
        plain_begin(&plain, c, lanes[w]);
        c->fast.lanes = lanes[w];
        for (int k = 0; k < (i % 4 ? 1 : 3); k++) {
            struct nn_rng draw = c->draw_fast;
            double cost, want = plain_gradient(&plain, some[k], c->x, c->y,
                                               c->fast.draw ? &draw : NULL);
            cr_assert(nn_fast_gradient(&c->fast, some[k], c->x, c->y, g_fast, &cost) ==
                      NN_OK);
            cr_assert(holds(c, g_fast, plain.g), "net %zu, lanes %d, m %zu", i, lanes[w],
                      some[k]);
            compare_costs(c, cost, want);
            cr_assert(draw.state == c->draw_fast.state);
        }
    }
}

Test(fast, gradient_is_the_plain_loops_bit_for_bit)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(12);
    for (size_t i = 0; i < 64; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        compare_bits(&c, i);
        destroy(&c);
    }
}

/* The first draw is d itself: nn_forward keeps such a unit. */
Test(fast, a_draw_of_d_keeps_the_unit)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(25);
    for (size_t i = 0; i < 4; i++) {
        struct shape shape = {2, {3, 2, 2}, {NN_SIGMOID, NN_IDENTITY}, NN_SQUARED, 0, 0, 1};
        create(&c, &shape, &rng);
        uint64_t seed = nn_rng_next(&rng);
        struct nn_rng first = nn_rng_seeded(seed);
        set_dropout(&c, nn_rng_uniform(&first, 0, 1), seed);
        compare_bits(&c, i);
        destroy(&c);
    }
}

/* ------------------------------------------------------------------- steps */

/* The parameters, slopes and moments of a run of plain loops. */
static struct {
    float v[PARAMS], s[PARAMS];
    size_t t;
} moments;

static void plain_step(struct plain *t, const struct nn_fast *f, double rate)
{
    const float b1 = (float)f->beta1, b2 = (float)f->beta2, r = (float)rate;
    const double whole = (double)++moments.t;
    const float c1 = (float)(1 - pow(f->beta1, whole));
    const float c2 = (float)(1 - pow(f->beta2, whole));
    for (size_t i = 0; i < t->nn->params; i++) {
        float g = t->g[i], *v = &moments.v[i], *s = &moments.s[i];
        if (f->method == NN_ADAM) {
            *v = b1 * *v + (1 - b1) * g;
            *s = b2 * *s + (1 - b2) * g * g;
            t->p[i] -= r * (*v / c1) / (sqrtf(*s / c2) + (float)f->epsilon);
        } else if (f->method == NN_MOMENTUM) {
            *v = b1 * *v + g;
            t->p[i] -= r * *v;
        } else if (f->decay == 0) { // a product with a rate
            t->p[i] = madd(t->fused, -r, g, t->p[i]);
        } else {
            t->p[i] -= r * g;
        }
    }
}

static void random_constants(struct nn_fast *f, struct nn_rng *rng, size_t i)
{
    f->method = (enum nn_method)(i % METHODS);
    if (i % 2)
        return;
    f->beta1 = nn_rng_uniform(rng, 0.3, 0.95);
    f->beta2 = nn_rng_uniform(rng, 0.5, 0.999);
    f->epsilon = nn_rng_uniform(rng, 1e-3, 1e-2);
}

/* p, v, s and t after each of some steps: descent, momentum and Adam. */
Test(fast, learn_is_the_plain_loops_bit_for_bit)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(13);
    int lanes[3], n = widths(lanes);
    for (size_t i = 0; i < 48; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        random_constants(&c.fast, &rng, i);
        c.fast.lanes = lanes[i / METHODS % (size_t)n];
        plain_begin(&plain, &c, c.fast.lanes);
        memset(&moments, 0, sizeof moments);
        for (int t = 0; t < 4; t++) {
            double cost, rate = nn_rng_uniform(&rng, 0.01, 0.3);
            struct nn_rng draw = c.draw_fast;
            size_t m = 1 + below(&rng, c.m);
            double want = plain_gradient(&plain, m, c.x, c.y, c.fast.draw ? &draw : NULL);
            plain_step(&plain, &c.fast, rate);
            cr_assert(nn_fast_learn(&c.fast, m, c.x, c.y, rate, &cost) == NN_OK);
            cr_assert(holds(&c, c.fast.p, plain.p), "net %zu, step %d", i, t);
            cr_assert(holds(&c, c.fast.v, moments.v) && holds(&c, c.fast.s, moments.s));
            cr_assert(c.fast.t == moments.t && draw.state == c.draw_fast.state);
            compare_costs(&c, cost, want);
        }
        destroy(&c);
    }
}

/* Where products are fused, so is the step by descent without decay: it rounds
   rate times slope and the difference once. With decay it is not. At lanes 4
   both round twice. */
Test(fast, learn_is_gradient_and_a_step)
{
    static struct pair c;
    static float want[PARAMS];
    struct nn_rng rng = nn_rng_seeded(14);
    int lanes[3], n = widths(lanes);
    for (size_t i = 0; i < 24; i++) {
        struct shape shape = random_shape(&rng, 1 + 3 * i);
        create(&c, &shape, &rng);
        c.fast.lanes = lanes[i / 2 % (size_t)n];
        int fused = shape.decay == 0 && is_fused(c.fast.lanes);
        double cost, cost_learn;
        const float rate = 0.1f;
        cr_assert(nn_fast_gradient(&c.fast, c.m, c.x, c.y, g_fast, &cost) == NN_OK);
        for (size_t k = 0; k < c.fast.room; k++)
            want[k] = madd(fused, -rate, g_fast[k], c.fast.p[k]);
        cr_assert(c.fast.t == 0);
        cr_assert(nn_fast_learn(&c.fast, c.m, c.x, c.y, (double)rate, &cost_learn) ==
                  NN_OK);
        cr_assert(same(c.fast.p, want, c.fast.room), "net %zu", i);
        cr_assert(c.fast.t == 1 && cost == cost_learn);
        destroy(&c);
    }
}

Test(fast, a_rate_of_zero_moves_nothing)
{
    static struct pair c;
    static float before[PARAMS];
    struct nn_rng rng = nn_rng_seeded(15);
    for (size_t i = 0; i < 6; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        c.fast.method = (enum nn_method)(i % METHODS);
        memcpy(before, c.fast.p, c.fast.room * sizeof *before);
        double cost;
        cr_assert(nn_fast_learn(&c.fast, c.m, c.x, c.y, 0, &cost) == NN_OK);
        cr_assert(same(c.fast.p, before, c.fast.room) && c.fast.t == 1);
        destroy(&c);
    }
}

/* How far GOT [P], in panels, is from WANT, in parts of the length of WANT. */
static double apart(const struct pair *c, const float *got, const double *want)
{
    double off = 0, all = 0;
    nn_fast_unpack(&c->fast, got, g_unpacked);
    for (size_t i = 0; i < c->nn.params; i++) {
        off += (g_unpacked[i] - want[i]) * (g_unpacked[i] - want[i]);
        all += want[i] * want[i];
    }
    return sqrt(off) / (sqrt(all) + 1e-30);
}

/* Twenty steps beside nn_optimizer. Adam's quotient makes the most of slopes
   that are all but 0, hence the larger epsilon. */
Test(fast, twenty_steps_are_those_of_the_optimizer)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(16);
    for (size_t i = 0; i < 9; i++) {
        struct shape shape = {
            2, {20, 33, 10}, {i % 2 ? NN_TANH : NN_SIGMOID, NN_IDENTITY},
            i / 3 == 1 ? NN_CROSS_ENTROPY : NN_SQUARED, i / 3 == 2 ? 0.01 : 0,
            i / 3 ? 0.3 : 0, 10};
        struct nn_optimizer o;
        create(&c, &shape, &rng);
        c.fast.method = (enum nn_method)(i % METHODS);
        cr_assert(nn_optimizer_create(&o, c.fast.method, c.nn.params) == NN_OK);
        cr_assert(c.fast.beta1 == o.beta1 && c.fast.beta2 == o.beta2 &&
                  c.fast.epsilon == o.epsilon);
        o.epsilon = c.fast.epsilon = 1e-4;
        for (int t = 0; t < 20; t++) {
            double rate = t < 10 ? 0.02 : 0.01, cost, cost_fast;
            cr_assert(nn_gradient(&c.nn, c.m, c.xd, c.yd, g_double, &cost) == NN_OK);
            nn_optimizer_step(&o, c.nn.p, g_double, rate);
            cr_assert(nn_fast_learn(&c.fast, c.m, c.x, c.y, rate, &cost_fast) == NN_OK);
            check_close(cost_fast, cost, 1e-5);
        }
        double p = apart(&c, c.fast.p, c.nn.p), v = apart(&c, c.fast.v, o.v);
        double s = apart(&c, c.fast.s, o.s);
        cr_assert(p < 1e-5 && v < 1e-4 && s < 1e-4 && c.fast.t == o.t,
                  "net %zu: %g, %g and %g", i, p, v, s);
        nn_optimizer_destroy(&o);
        destroy(&c);
    }
}

/* ------------------------------------------------ the same bits, another way */

static float kept_p[PARAMS], kept_v[PARAMS], kept_s[PARAMS];

static void keep(const struct nn_fast *f)
{
    memcpy(kept_p, f->p, f->room * sizeof *f->p);
    memcpy(kept_v, f->v, f->room * sizeof *f->v);
    memcpy(kept_s, f->s, f->room * sizeof *f->s);
}

static int as_kept(const struct nn_fast *f)
{
    return same(f->p, kept_p, f->room) && same(f->v, kept_v, f->room) &&
           same(f->s, kept_s, f->room);
}

static void learn(struct pair *c, int steps)
{
    for (int t = 0; t < steps; t++) {
        double cost;
        cr_assert(nn_fast_learn(&c->fast, c->m, c->x, c->y, 0.05, &cost) == NN_OK);
    }
}

/* Begins anew, from the parameters of c->nn. */
static void again(struct pair *c, size_t batch)
{
    struct nn_fast old = c->fast;
    cr_assert(nn_fast_create(&c->fast, &c->nn, batch) == NN_OK);
    c->fast.method = old.method;
    c->fast.lanes = old.lanes;
    c->fast.drop = old.drop;
    c->fast.draw = old.draw;
    nn_fast_destroy(&old);
}

/* The second time, all goes through double and into another net after half of
   the steps, one with room for more samples. */
Test(fast, runs_are_repeated_and_carried_on)
{
    static struct pair c;
    static double p[PARAMS], v[PARAMS], s[PARAMS];
    struct nn_rng rng = nn_rng_seeded(17);
    for (size_t i = 0; i < 12; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        struct nn_rng first = c.draw_fast;
        c.fast.method = (enum nn_method)(i % METHODS);
        learn(&c, 6);
        keep(&c.fast);

        again(&c, c.m);
        c.draw_fast = first;
        learn(&c, 6);
        cr_assert(as_kept(&c.fast), "net %zu: not repeated", i);

        again(&c, c.m);
        c.draw_fast = first;
        learn(&c, 3);
        size_t t = c.fast.t;
        nn_fast_unpack(&c.fast, c.fast.p, p);
        nn_fast_unpack(&c.fast, c.fast.v, v);
        nn_fast_unpack(&c.fast, c.fast.s, s);
        memcpy(c.nn.p, p, c.nn.params * sizeof *p);
        again(&c, c.m + 3);
        nn_fast_pack(&c.fast, v, c.fast.v);
        nn_fast_pack(&c.fast, s, c.fast.s);
        c.fast.t = t;
        learn(&c, 3);
        cr_assert(as_kept(&c.fast), "net %zu: not carried on", i);
        destroy(&c);
    }
}

/* What is heard from the engine between the layers. */
struct heard {
    struct pair *c;
    const double *cost;
    int calls, layer[LAYERS], thread;
    double said;     // the cost, when the first layer was said to be done
    float g[PARAMS]; // each layer's slopes when it was
};

static void hear(void *context, int l)
{
    struct heard *h = context;
    const struct nn_fast *f = &h->c->fast;
    size_t end = l < f->layers ? f->at[l + 1].w : f->room;
    cr_assert(h->calls < LAYERS);
    if (h->calls == 0)
        h->said = *h->cost;
    h->layer[h->calls++] = l;
    h->thread |= omp_get_thread_num();
    for (size_t i = f->at[l].w; i < end; i++) {
        h->g[i] = g_fast[i];
        g_fast[i] = CHECK_NAN; // they are ours from now on
    }
}

Test(fast, a_layer_is_said_to_be_done_when_it_is)
{
    static struct pair c;
    static struct heard h;
    static float want[PARAMS];
    struct nn_rng rng = nn_rng_seeded(77);
    for (size_t i = 0; i < 40; i++) {
        struct shape shape = random_shape(&rng, i);
        if (i % 4 == 0)
            shape = large_shape(128, 32);
        shape.decay = shape.drop = 0;
        create(&c, &shape, &rng);
        omp_set_num_threads(1 + (int)(i % 3));
        double cost, again;
        enum nn_status status = nn_fast_gradient(&c.fast, c.m, c.x, c.y, want, &cost);
        cr_assert(status == NN_OK);
        h = (struct heard){.c = &c, .cost = &again};
        c.fast.layer_done = hear;
        c.fast.context = &h;
        status = nn_fast_gradient(&c.fast, c.m, c.x, c.y, g_fast, &again);
        cr_assert(status == NN_OK, "what became of the slopes is not looked at");
        cr_assert(h.calls == c.nn.layers && h.thread == 0);
        for (int k = 0; k < h.calls; k++)
            cr_assert(h.layer[k] == c.nn.layers - k);
        cr_assert(same(h.g, want, c.fast.room), "net %zu", i);
        cr_assert(!(h.said < cost) && !(h.said > cost) && !(again < cost) && !(again > cost));

        h.calls = 0; // a step says nothing
        cr_assert(nn_fast_learn(&c.fast, c.m, c.x, c.y, 0.01, &again) == NN_OK);
        cr_assert(h.calls == 0);
        destroy(&c);
    }
    create(&c, &(struct shape){1, {2, 1}, {NN_IDENTITY}, NN_SQUARED, 0, 0, 1}, &rng);
    h = (struct heard){.c = &c, .cost = &h.said};
    c.fast.layer_done = hear;
    c.fast.context = &h;
    c.x[0] = (float)CHECK_INFINITY;
    double cost;
    cr_assert(nn_fast_gradient(&c.fast, 1, c.x, c.y, g_fast, &cost) == NN_NOT_FINITE);
    destroy(&c);
}

Test(fast, eight_lanes_and_sixteen_are_the_same_bits)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(18);
    if (nn_lanes() < 16)
        return;
    for (size_t i = 0; i < 12; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        struct nn_rng first = c.draw_fast;
        c.fast.method = (enum nn_method)(i % METHODS);
        c.fast.lanes = 8;
        learn(&c, 3);
        keep(&c.fast);
        again(&c, c.m);
        c.draw_fast = first;
        c.fast.lanes = 16;
        learn(&c, 3);
        cr_assert(as_kept(&c.fast), "net %zu", i);
        destroy(&c);
    }
}

/* Nets for which the engine asks for threads: for a gradient more than
   200000/m parameters, for a step more than 200000. */
Test(fast, threads_change_no_bit)
{
    static struct pair c;
    static float a[3][BATCH * 10];
    struct nn_rng rng = nn_rng_seeded(19);
    for (size_t i = 0; i < METHODS; i++) {
        struct shape shape = large_shape(i == NN_ADAM ? 256 : 70, 4);
        if (i == NN_MOMENTUM)
            shape.drop = 0.2;
        create(&c, &shape, &rng);
        struct nn_rng first = c.draw_fast;
        c.fast.method = (enum nn_method)i;
        cr_assert(c.fast.room > 200000 / (i == NN_ADAM ? 1 : 4));
        for (int threads = 1; threads <= 3; threads++) {
            again(&c, c.m);
            c.draw_fast = first;
            omp_set_num_threads(threads);
            learn(&c, 3);
            nn_fast_forward(&c.fast, c.m, c.x, a[threads - 1]);
            if (threads == 1)
                keep(&c.fast);
            cr_assert(as_kept(&c.fast), "method %zu, %d threads", i, threads);
            cr_assert(same(a[0], a[threads - 1], c.m * 10));
        }
        destroy(&c);
    }
}

/* ---------------------------------------------------------------- forward */

/* For more samples than the batch, fewer, and none; dropout stays out of it,
   and draws nothing. */
Test(fast, forward_takes_any_number_of_samples)
{
    static struct pair c;
    static float a[BATCH * 80 + 2];
    struct nn_rng rng = nn_rng_seeded(20);
    int lanes[3], n = widths(lanes);
    for (size_t i = 0; i < 24; i++) {
        struct shape shape = random_shape(&rng, i);
        shape.m = 1 + below(&rng, BATCH);
        create(&c, &shape, &rng);
        again(&c, 1 + below(&rng, i % 2 ? c.m : 2 * c.m));
        c.fast.lanes = lanes[i % (size_t)n];
        plain_begin(&plain, &c, c.fast.lanes);
        struct nn_rng draw = c.draw_fast;
        size_t all = c.m * c.n_out;
        for (size_t k = 0; k < all + 2; k++)
            a[k] = 42;
        nn_fast_forward(&c.fast, 0, c.x, a + 1);
        cr_assert(a[0] == 42 && a[1] == 42);
        nn_fast_forward(&c.fast, c.m, c.x, a + 1);
        cr_assert(a[0] == 42 && a[all + 1] == 42 && draw.state == c.draw_fast.state);

        c.nn.keep = NULL;
        for (size_t s = 0; s < c.m; s++) {
            plain_forward(&plain, s, c.x + s * c.n_in, 0);
            const float *want = plain.a[s] + nn_layer_at(&c.nn, c.nn.layers).unit;
            const double *slow = nn_forward(&c.nn, c.xd + s * c.n_in);
            const float *got = a + 1 + s * c.n_out;
            cr_assert(same(got, want, c.n_out), "net %zu, sample %zu", i, s);
            for (size_t j = 0; j < c.n_out; j++)
                cr_assert(fabs((double)got[j] - slow[j]) < 1e-4);
        }
        destroy(&c);
    }
}

/* N numbers of X at the very end of a block, where the sanitizers see it. */
static float *copied(const float *x, size_t n)
{
    float *copy = malloc(n * sizeof *copy);
    cr_assert(copy);
    return memcpy(copy, x, n * sizeof *x);
}

/* With fewer samples than the batch has room for, nothing beyond them is read. */
Test(fast, fewer_samples_are_all_that_is_read)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(26);
    int lanes[3], n = widths(lanes);
    for (size_t i = 0; i < 24; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        again(&c, c.m + 1 + below(&rng, 9));
        c.fast.lanes = lanes[i % (size_t)n];
        float *x = copied(c.x, c.m * c.n_in), *y = copied(c.y, c.m * c.n_out);
        float *g = malloc(c.fast.room * sizeof *g);
        float *a = malloc(c.m * c.n_out * sizeof *a);
        double cost;
        cr_assert(g && a);
        cr_assert(nn_fast_gradient(&c.fast, c.m, x, y, g, &cost) == NN_OK);
        cr_assert(nn_fast_learn(&c.fast, c.m, x, y, 0.1, &cost) == NN_OK);
        nn_fast_forward(&c.fast, c.m, x, a);
        free(x);
        free(y);
        free(g);
        free(a);
        destroy(&c);
    }
}

/* ------------------------------------------------------ NaN and infinity */

/* As the four loops, which see the same numbers in double. */
static void plant(struct pair *c, struct nn_rng *rng, size_t i)
{
    const double bad[] = {CHECK_NAN, CHECK_INFINITY, -CHECK_INFINITY};
    double value = bad[i % 3];
    size_t where;
    switch (i / 3 % 3) {
    case 0:
        where = below(rng, c->nn.params);
        c->nn.p[where] = value;
        nn_fast_pack(&c->fast, c->nn.p, c->fast.p);
        break;
    case 1:
        where = below(rng, c->m * c->n_in);
        c->x[where] = (float)(c->xd[where] = value);
        break;
    default:
        where = below(rng, c->m * c->n_out);
        c->y[where] = (float)(c->yd[where] = value);
    }
}

static int unmoved(const struct nn_fast *f)
{
    return as_kept(f) && f->t == 0;
}

Test(fast, what_is_not_finite_is_said_and_moves_nothing)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(21);
    size_t said = 0, missed = 0;
    for (size_t i = 0; i < 180; i++) {
        struct shape shape = random_shape(&rng, i % 36);
        shape.drop = 0;
        for (int l = 0; l <= shape.layers; l++)
            shape.size[l] = 1 + below(&rng, 20);
        create(&c, &shape, &rng);
        c.fast.method = (enum nn_method)(i / 9 % METHODS);
        plant(&c, &rng, i);
        keep(&c.fast);
        double cost, cost_fast;
        enum nn_status want = nn_gradient(&c.nn, c.m, c.xd, c.yd, g_double, &cost);
        cr_assert(nn_fast_gradient(&c.fast, c.m, c.x, c.y, g_fast, &cost_fast) == want,
                  "net %zu: not %d", i, want);
        cr_assert(unmoved(&c.fast) && !isfinite(cost) == !isfinite(cost_fast));

        enum nn_status status = nn_fast_learn(&c.fast, c.m, c.x, c.y, 0.1, &cost_fast);
        int fused = c.fast.method == NN_DESCENT && c.nn.decay == 0;
        if (fused && isfinite(cost)) // it knows only the cost
            want = NN_OK;
        cr_assert(status == want && (status == NN_OK || unmoved(&c.fast)), "net %zu", i);
        cr_assert(!isfinite(cost) == !isfinite(cost_fast));
        said += status == NN_NOT_FINITE;
        missed += fused && isfinite(cost);
        destroy(&c);
    }
    cr_assert(said > 120 && missed > 0, "%zu said, %zu missed", said, missed);
}

/* A slope of -10 * 3e38 and a cost of 50. Descent sees only the cost, moves,
   and says so at the next step, which moves nothing. */
Test(fast, a_slope_may_overflow_alone)
{
    struct nn nn;
    struct nn_fast f;
    const float x = 3e38f, y = 10;
    double cost;
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_IDENTITY}) ==
              NN_OK);
    for (int method = 0; method < METHODS; method++) {
        cr_assert(nn_fast_create(&f, &nn, 1) == NN_OK);
        f.method = (enum nn_method)method;
        keep(&f);
        cr_assert(nn_fast_gradient(&f, 1, &x, &y, g_fast, &cost) == NN_NOT_FINITE);
        cr_assert(cost == 50 && unmoved(&f));
        if (method == NN_DESCENT) {
            cr_assert(nn_fast_learn(&f, 1, &x, &y, 1, &cost) == NN_OK);
            cr_assert(!same(f.p, kept_p, f.room) && f.t == 1);
            keep(&f);
        }
        cr_assert(nn_fast_learn(&f, 1, &x, &y, 1, &cost) == NN_NOT_FINITE);
        cr_assert(as_kept(&f) && f.t == (method == NN_DESCENT));
        nn_fast_destroy(&f);
    }
    nn_destroy(&nn);
}

/* The difference of two outputs is infinite in float; the slopes are 1 and -1. */
Test(fast, a_cost_may_overflow_alone)
{
    struct nn nn;
    struct nn_fast f;
    const float x = 1, y[] = {0, 1};
    double cost;
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 2}, (enum nn_activation[]){NN_IDENTITY}) ==
              NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    nn.p[0] = 3e38;
    nn.p[1] = -3e38;
    for (int method = 0; method < METHODS; method++) {
        cr_assert(nn_fast_create(&f, &nn, 1) == NN_OK);
        f.method = (enum nn_method)method;
        keep(&f);
        cr_assert(nn_fast_gradient(&f, 1, &x, y, g_fast, &cost) == NN_NOT_FINITE);
        nn_fast_unpack(&f, g_fast, g_unpacked);
        cr_assert(g_unpacked[0] == 1 && g_unpacked[1] == -1);
        cr_assert(nn_fast_learn(&f, 1, &x, y, 1, &cost) == NN_NOT_FINITE);
        cr_assert(cost == CHECK_INFINITY && unmoved(&f));
        nn_fast_destroy(&f);
    }
    nn_destroy(&nn);
}

/* m shares of the largest float, each rounded, may come to more than it: then
   the slope of the bias is infinite, and that of the weight, half of it, is not. */
Test(fast, the_last_bias_may_overflow_alone)
{
    struct nn nn;
    struct nn_fast f;
    float x[BATCH], y[BATCH];
    size_t over = 0;
    for (size_t s = 0; s < BATCH; s++) {
        x[s] = 0.5f;
        y[s] = -FLT_MAX;
    }
    cr_assert(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_IDENTITY}) ==
              NN_OK);
    cr_assert(nn_fast_create(&f, &nn, BATCH) == NN_OK);
    for (size_t m = 1; m <= BATCH; m++) {
        double cost;
        float sum = 0;
        for (size_t s = 0; s < m; s++)
            sum += FLT_MAX / (float)m;
        enum nn_status status = nn_fast_gradient(&f, m, x, y, g_fast, &cost);
        nn_fast_unpack(&f, g_fast, g_unpacked);
        cr_assert(isfinite(cost) && isfinite(g_unpacked[0]));
        cr_assert(g_unpacked[1] == (double)sum);
        cr_assert(status == (isinf(sum) ? NN_NOT_FINITE : NN_OK), "m %zu", m);
        over += isinf(sum) != 0;
    }
    cr_assert(over > 0 && over < BATCH, "%zu", over);
    nn_fast_destroy(&f);
    nn_destroy(&nn);
}

/* ---------------------------------------------------------------- the layout */

/* Where weight w_jk of layer l is, as the header says. */
static size_t weight_place(const struct nn_fast_layer *at, size_t j, size_t k)
{
    return at->w + j / 16 * at->n_before * 16 + k * 16 + j % 16;
}

/* Marks in USED the places that hold a parameter, in the order of nn.h. */
static void walk_places(const struct nn_fast *f, const double *p, const float *panels,
                        char *used)
{
    for (int l = 1; l <= f->layers; l++) {
        const struct nn_fast_layer *at = &f->at[l];
        cr_assert(at->n == f->size[l] && at->n_before == f->size[l - 1]);
        cr_assert(at->panels == (at->n + 15) / 16 && at->row >= at->panels * 16);
        for (size_t i = 0; i < at->n * at->n_before; i++) {
            size_t place = weight_place(at, i / at->n_before, i % at->n_before);
            cr_assert(place < f->room && !used[place]++);
            cr_assert((double)panels[place] == *p++);
        }
        for (size_t j = 0; j < at->n; j++) {
            cr_assert(at->b + j < f->room && !used[at->b + j]++);
            cr_assert((double)panels[at->b + j] == *p++);
        }
    }
}

Test(fast, parameters_are_where_the_header_says)
{
    static struct pair c;
    static float panels[PARAMS];
    static double back[PARAMS + 1];
    static char used[PARAMS];
    struct nn_rng rng = nn_rng_seeded(22);
    for (size_t i = 0; i < 40; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        memset(used, 0, sizeof used);
        walk_places(&c.fast, c.nn.p, c.fast.p, used);
        for (size_t k = 0; k < c.fast.room; k++) {
            cr_assert(used[k] || c.fast.p[k] == 0);
            panels[k] = 42;
        }
        nn_fast_pack(&c.fast, c.nn.p, panels);
        for (size_t k = 0; k < c.fast.room; k++)
            cr_assert(panels[k] == (used[k] ? c.fast.p[k] : 42));
        back[c.nn.params] = 42;
        nn_fast_unpack(&c.fast, panels, back);
        cr_assert(memcmp(back, c.nn.p, c.nn.params * sizeof *back) == 0);
        cr_assert(back[c.nn.params] == 42);
        destroy(&c);
    }
}

/* What fills up p, g, v and s is 0 whatever is learned. */
static void expect_zeros(const struct nn_fast *f, const float *panels, size_t i)
{
    static char used[PARAMS];
    memset(used, 0, f->room);
    for (int l = 1; l <= f->layers; l++) {
        const struct nn_fast_layer *at = &f->at[l];
        for (size_t k = 0; k < at->n * at->n_before; k++)
            used[weight_place(at, k / at->n_before, k % at->n_before)] = 1;
        for (size_t j = 0; j < at->n; j++)
            used[at->b + j] = 1;
    }
    for (size_t k = 0; k < f->room; k++)
        cr_assert(used[k] || panels[k] == 0, "net %zu: %g at %zu", i, (double)panels[k],
                  k);
}

Test(fast, what_fills_up_the_panels_stays_zero)
{
    static struct pair c;
    static float g[PARAMS + 2];
    struct nn_rng rng = nn_rng_seeded(23);
    for (size_t i = 0; i < 96; i++) {
        struct shape shape = random_shape(&rng, i / 3);
        for (int l = 0; l <= shape.layers; l++)
            shape.size[l] = 1 + below(&rng, 36);
        shape.m = 1 + below(&rng, 9);
        create(&c, &shape, &rng);
        c.fast.method = (enum nn_method)(i % METHODS);
        learn(&c, 12);

        size_t room = c.fast.room;
        for (size_t k = 0; k < room + 2; k++)
            g[k] = 42;
        double cost;
        cr_assert(nn_fast_gradient(&c.fast, c.m, c.x, c.y, g + 1, &cost) == NN_OK);
        cr_assert(g[0] == 42 && g[room + 1] == 42, "net %zu: outside of g", i);
        expect_zeros(&c.fast, g + 1, i);
        expect_zeros(&c.fast, c.fast.p, i);
        expect_zeros(&c.fast, c.fast.v, i);
        expect_zeros(&c.fast, c.fast.s, i);
        destroy(&c);
    }
}

/* A gradient asks for nothing but its arguments. */
Test(fast, a_gradient_leaves_the_net_as_it_is)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(24);
    for (size_t i = 0; i < 8; i++) {
        struct shape shape = random_shape(&rng, i);
        create(&c, &shape, &rng);
        keep(&c.fast);
        double cost;
        cr_assert(nn_fast_gradient(&c.fast, c.m, c.x, c.y, g_fast, &cost) == NN_OK);
        cr_assert(unmoved(&c.fast));
        destroy(&c);
    }
}

/* ---------------------------------------------------- creating, destroying */

static const size_t small_size[] = {5, 17, 32, 3};
static const enum nn_activation small_sigma[] = {NN_TANH, NN_RELU, NN_SIGMOID};

static int is_gone(const struct nn_fast *f)
{
    return !f->size && !f->sigma && !f->p && !f->g && !f->v && !f->s && !f->at &&
           !f->turned && !f->costs;
}

struct creation {
    struct nn nn;
    struct nn_fast fast;
};

static enum nn_status create_small(void *job)
{
    struct creation *c = job;
    memset(&c->fast, 0x5a, sizeof c->fast);
    return nn_fast_create(&c->fast, &c->nn, 3);
}

static void look_at_small(void *job, enum nn_status status)
{
    struct creation *c = job;
    if (status == NN_OK)
        nn_fast_destroy(&c->fast);
    cr_assert(is_gone(&c->fast));
    nn_fast_destroy(&c->fast);
}

Test(fast, create_when_memory_runs_out)
{
    struct creation c;
    cr_assert(nn_create(&c.nn, 3, small_size, small_sigma) == NN_OK);
    cr_assert(check_refusals(create_small, look_at_small, &c) >= 10);
    nn_destroy(&c.nn);
}

static void refuses(enum nn_status want, int layers, const size_t *size, size_t batch)
{
    enum nn_activation sigma[LAYERS + 1] = {NN_IDENTITY};
    size_t copy[LAYERS + 1];
    struct nn nn = {.layers = layers, .size = copy, .sigma = sigma};
    struct nn_fast f;
    memcpy(copy, size, ((size_t)layers + 1) * sizeof *size);
    long held = check_memory.live;
    memset(&f, 0x5a, sizeof f);
    enum nn_status status = nn_fast_create(&f, &nn, batch);
    cr_assert(status == want, "status %d", status);
    cr_assert(is_gone(&f) && check_memory.live == held);
}

/* Nets whose numbers fit as nn.h lays them out, and here do not, or not with
   so large a batch. The limit for most things is 2^60 - 1. */
Test(fast, create_refuses)
{
    const size_t one = 1, most = PTRDIFF_MAX / sizeof(double);
    check_memory_wrapped();
    refuses(NN_BAD_SIZE, 1, (size_t[]){2, 3}, 0);
    refuses(NN_BAD_SIZE, 1, (size_t[]){2, 3}, SIZE_MAX);
    refuses(NN_BAD_SIZE, 1, (size_t[]){2, 3}, most / 16 + 1);
    refuses(NN_NO_MEMORY, 1, (size_t[]){2, 3}, most / 16);
    refuses(NN_BAD_SIZE, 1, (size_t[]){2, 17}, most / 32); // a row of 48
    refuses(NN_BAD_SIZE, 1, (size_t[]){one << 57, 1}, 1);
    refuses(NN_NO_MEMORY, 1, (size_t[]){one << 55, 1}, 1);
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, most}, 1);
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, most / 2}, 1);
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, SIZE_MAX}, 1);
    refuses(NN_NO_MEMORY, 1, (size_t[]){1, one << 54}, 1);
    refuses(NN_BAD_SIZE, 1, (size_t[]){1, one << 54}, 1 << 10);
    refuses(NN_BAD_SIZE, 2, (size_t[]){(one << 56) - 17, 16, 1}, 1);
    refuses(NN_BAD_SIZE, 2, (size_t[]){1, one << 55, one << 6}, 1);
    refuses(NN_BAD_SIZE, 3, (size_t[]){one << 54, 40, one << 54, 40}, 1);
}

/* Leaves blocks behind that are free and not zero. */
static void litter(void)
{
    static const size_t size[] = {64, 128, 192, 256, 512, 1024, 2048, 4096, 8192};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        volatile char *block[6];
        for (int b = 0; b < 6; b++) {
            block[b] = aligned_alloc(64, size[i]);
            for (size_t k = 0; block[b] && k < size[i]; k++)
                block[b][k] = 0x5a;
        }
        for (int b = 0; b < 6; b++)
            free((void *)block[b]);
    }
}

Test(fast, create_copies_and_begins_at_zero)
{
    struct nn nn;
    struct nn_fast f;
    cr_assert(nn_create(&nn, 3, small_size, small_sigma) == NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    nn.decay = 0.25;
    for (size_t i = 0; i < nn.params; i++)
        nn.p[i] = 1 + (double)i;
    litter();
    cr_assert(nn_fast_create(&f, &nn, 7) == NN_OK);
    size_t params = nn.params;
    nn_destroy(&nn);

    cr_assert(f.layers == 3 && f.loss == NN_CROSS_ENTROPY && f.decay == 0.25);
    cr_assert(memcmp(f.size, small_size, sizeof small_size) == 0);
    cr_assert(memcmp(f.sigma + 1, small_sigma, sizeof small_sigma) == 0);
    cr_assert(f.drop == 0 && !f.draw && f.method == NN_DESCENT && f.t == 0);
    cr_assert(f.beta1 == 0.9 && f.beta2 == 0.999 && f.epsilon == 1e-8);
    cr_assert(f.params == params && f.batch == 7 && f.lanes == nn_lanes());
    for (size_t i = 0; i < f.room; i++)
        cr_assert(f.v[i] == 0 && f.s[i] == 0 && f.g[i] == 0);
    expect_zeros(&f, f.p, 0);
    double p[17 * 6 + 32 * 18 + 3 * 33];
    cr_assert(sizeof p / sizeof *p == params);
    nn_fast_unpack(&f, f.p, p);
    for (size_t i = 0; i < params; i++)
        cr_assert(p[i] == 1 + (double)i);
    nn_fast_destroy(&f);
}

static void no_hook(void *context, int l)
{
    (void)context;
    (void)l;
}

/* A caller's mistake is an assert: no sample, more than a batch of them, or a hook
   where there is decay. */
static void call_wrongly(size_t m, int learn, int hook, double decay)
{
    static struct pair c;
    struct nn_rng rng = nn_rng_seeded(30);
    struct shape shape = {1, {3, 2}, {NN_TANH}, NN_SQUARED, decay, 0, 3};
    double cost;
    create(&c, &shape, &rng);
    c.fast.layer_done = hook ? no_hook : NULL;
    if (learn)
        nn_fast_learn(&c.fast, m, c.x, c.y, 0.1, &cost);
    else
        nn_fast_gradient(&c.fast, m, c.x, c.y, g_fast, &cost);
}

Test(fast, gradient_of_nothing_aborts, .signal = SIGABRT) { call_wrongly(0, 0, 0, 0); }
Test(fast, gradient_of_too_many_aborts, .signal = SIGABRT) { call_wrongly(4, 0, 0, 0); }
Test(fast, learning_nothing_aborts, .signal = SIGABRT) { call_wrongly(0, 1, 0, 0); }
Test(fast, learning_too_many_aborts, .signal = SIGABRT) { call_wrongly(4, 1, 0, 0); }
Test(fast, a_hook_beside_decay_aborts, .signal = SIGABRT) { call_wrongly(3, 0, 1, 0.1); }

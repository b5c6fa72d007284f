/* Whether the library is right, asked quickly: says which line found it wrong, and
   returns 1. Made for tests/mutate.sh, which lets it run once for each mistake that
   it makes in the library. It knows the answers from literal numbers, from sums
   written out anew here, and from differences of a cost that is written anew too. */

#define _GNU_SOURCE
#include <float.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nn/fast.h"
#include "nn/init.h"
#include "nn/train.h"
#include "nn/watch.h"

static void wrong(int line, const char *what)
{
    printf("kill.c:%d: %s\n", line, what);
    fflush(stdout);
    _exit(1);
}
#define ok(x) ((x) ? (void)0 : wrong(__LINE__, #x))

/* NaN is not close to anything. */
static int close_to(double got, double want, double by)
{
    return got == want || fabs(got - want) <= by * (1 + fabs(want));
}
#define is(got, want) ok(close_to((got), (want), 1e-12))

static const double nan_ = (double)NAN, inf = (double)INFINITY;
static const float inf_ = INFINITY;

/* ---------------------------------------------------------------- memory
   Each block ends where a page begins that nobody may touch, and begins behind numbers
   that are none; what is not set to zero is no number; requests can be refused; blocks
   are counted. */

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);

enum { PAGE = 4096, GUARD = 64 };
static long live, requests, refused;
static size_t held; // bytes in all blocks

/* The pages of a block, but for the last. */
static size_t pages(size_t bytes)
{
    return (GUARD + bytes + PAGE - 1) / PAGE * PAGE;
}

static void *block(size_t n, size_t size, int fill)
{
    if (++requests == refused || (size && n > ((size_t)1 << 26) / size))
        return NULL;
    size_t bytes = n * size, all = pages(bytes);
    char *p = mmap(NULL, all + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ok(p != MAP_FAILED && mprotect(p + all, PAGE, PROT_NONE) == 0);
    p += all - bytes;
    memset(p - GUARD, 0x77, GUARD);
    memcpy(p - GUARD, &bytes, sizeof bytes);
    memset(p, fill, bytes);
    held += bytes;
    live++;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return block(1, size, 0xff);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return block(n, size, 0);
}

void *__wrap_realloc(void *old, size_t size)
{
    (void)old;
    (void)size;
    wrong(__LINE__, "realloc");
    return NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    ok(alignment == 64 && size > 0 && size % alignment == 0);
    return block(1, size, 0xff);
}

void __wrap_free(void *freed)
{
    if (!freed)
        return;
    unsigned char *p = (unsigned char *)freed - GUARD;
    size_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    for (size_t i = sizeof bytes; i < GUARD; i++)
        ok(p[i] == 0x77);
    held -= bytes;
    live--;
    ok(munmap(p + GUARD + bytes - pages(bytes), pages(bytes) + PAGE) == 0);
}

static double *doubles(size_t n)
{
    double *p = calloc(n, sizeof *p);
    ok(p != NULL);
    return p;
}

static float *floats(size_t n)
{
    float *p = calloc(n, sizeof *p);
    ok(p != NULL);
    return p;
}

/* --------------------------------------------------------- random numbers
   Not those of the library. */

static uint64_t seed_;
static double uniform(double low, double high)
{
    seed_ = seed_ * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(seed_ >> 11) * 0x1p-53;
}

static void fill(double *v, size_t n, double low, double high)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (double)(float)uniform(low, high);
}

/* ------------------------------------------------------- random numbers, rng */

static void check_rng(void)
{
    struct nn_rng r = nn_rng_seeded(0);
    ok(nn_rng_next(&r) == 0xe220a8397b1dcdaf);
    ok(nn_rng_next(&r) == 0x6e789e6aa1b965f4);
    ok(nn_rng_next(&r) == 0x06c45d188009454f);
    r = nn_rng_seeded(0);
    ok(nn_rng_uniform(&r, 0, 1) == (double)(0xe220a8397b1dcdaf >> 11) * 0x1p-53);
    ok(nn_rng_uniform(&r, 3, 5) == 3 + 2 * ((double)(0x6e789e6aa1b965f4 >> 11) * 0x1p-53));
    const double next = 1 + 0x1p-52;
    for (int i = 0; i < 20; i++)
        ok(nn_rng_uniform(&r, 1, next) == 1);

    /* the state whose number is 0 */
    const struct nn_rng zero = {0x61c8864680b583eb};
    r = zero;
    ok(nn_rng_below(&r, 4) == 0 && r.state == 0);
    r = zero; // 2^64 is 1 modulo 3: a zero is drawn again
    ok(nn_rng_below(&r, 3) == 0xe220a8397b1dcdaf % 3);
    r = nn_rng_seeded(0);
    const uint64_t three = (uint64_t)3 << 62, quarter = (uint64_t)1 << 62;
    ok(nn_rng_below(&r, three) == 0xe220a8397b1dcdaf % three);
    ok(nn_rng_below(&r, three) == 0x6e789e6aa1b965f4 % three);
    for (int i = 0; i < 50; i++) {
        struct nn_rng old = r;
        uint64_t v;
        do
            v = nn_rng_next(&old);
        while (v < quarter);
        ok(nn_rng_below(&r, three) == v % three && r.state == old.state);
    }
    ok(nn_rng_below(&r, 1) == 0);

    size_t *order = malloc(5 * sizeof *order), want[5];
    for (size_t n = 0; n <= 5; n++) {
        struct nn_rng again = r;
        for (size_t i = 0; i < n; i++)
            want[i] = order[i] = i;
        for (size_t i = n; i > 1; i--) {
            size_t k = nn_rng_next(&again) % i, last = want[i - 1];
            want[i - 1] = want[k];
            want[k] = last;
        }
        nn_rng_shuffle(&r, order, n);
        ok(memcmp(order, want, n * sizeof *order) == 0 && r.state == again.state);
    }
    free(order);
}

/* --------------------------------------------------------------- the losses */

static void check_losses(void)
{
    double *z = doubles(3), *y = doubles(3), *p = doubles(3);
    memcpy(z, (double[]){0, log(2), log(5)}, 3 * sizeof *z);
    memcpy(y, (double[]){0.25, 0.25, 0.5}, 3 * sizeof *y);
    nn_softmax(3, z, p);
    is(p[0], 1 / 8.0);
    is(p[1], 2 / 8.0);
    is(p[2], 5 / 8.0);
    is(nn_log_sum_exp(3, z), log(8));
    is(nn_cross_entropy(3, z, y), log(8) - log(2) / 4 - log(5) / 2);
    is(nn_log_sum_exp(1, z + 2), log(5));
    is(nn_cross_entropy(1, z + 2, y), 0);
    nn_softmax(1, z + 2, p);
    is(p[0], 1);
    nn_softmax(3, z, z); // p may be z
    is(z[0], 1 / 8.0);
    is(z[2], 5 / 8.0);

    /* the largest in each place, beyond what exp can do */
    for (size_t at = 0; at < 3; at++) {
        for (size_t j = 0; j < 3; j++)
            z[j] = -1000 - 2000 * (double)((j + 3 - at) % 3);
        for (double far = 0; far < 5e4; far += 1e4) {
            nn_softmax(3, z, p);
            for (size_t j = 0; j < 3; j++)
                ok(p[j] == (j == at));
            is(nn_log_sum_exp(3, z), z[at]);
            is(nn_cross_entropy(3, z, y), z[at] - z[0] / 4 - z[1] / 4 - z[2] / 2);
            for (size_t j = 0; j < 3; j++)
                z[j] += 1e4;
        }
    }
    /* a cost of 1e-9 beside logits of 1e9 */
    memcpy(z, (double[]){1e9, 1e9 + 1, 0}, 3 * sizeof *z);
    memcpy(y, (double[]){0, 1, 0}, 3 * sizeof *y);
    ok(fabs(nn_cross_entropy(3, z, y) - log1p(exp(-1))) < 1e-15);
    free(z);
    free(y);
    free(p);
}

/* ---------------------------------------------------------- the optimisers */

static void check_optimizers(void)
{
    struct nn_optimizer o;
    long had = live;
    double *p = doubles(3), *g = doubles(3);
    ok(nn_optimizer_create(&o, NN_ADAM, 0) == NN_BAD_SIZE && !o.v && !o.s);
    ok(nn_optimizer_create(&o, NN_ADAM, PTRDIFF_MAX / sizeof(double) + 1) == NN_BAD_SIZE);
    ok(nn_optimizer_create(&o, NN_ADAM, SIZE_MAX) == NN_BAD_SIZE && !o.v);
    ok(nn_optimizer_create(&o, NN_ADAM, PTRDIFF_MAX / sizeof(double)) == NN_NO_MEMORY);
    for (long nth = 1; nth <= 2; nth++) {
        refused = requests + nth;
        ok(nn_optimizer_create(&o, NN_ADAM, 3) == NN_NO_MEMORY && !o.v && !o.s);
        ok(live == had + 2);
    }
    refused = 0;
    ok(nn_optimizer_create(&o, NN_ADAM, 1) == NN_OK);
    nn_optimizer_destroy(&o);
    for (int method = NN_DESCENT; method <= NN_ADAM; method++) {
        double v[3] = {0}, s[3] = {0}, want[3];
        memset(&o, 0x5a, sizeof o);
        ok(nn_optimizer_create(&o, (enum nn_method)method, 3) == NN_OK);
        ok(o.method == (enum nn_method)method && o.n == 3 && o.t == 0);
        ok(o.beta1 == 0.9 && o.beta2 == 0.999 && o.epsilon == 1e-8);
        o.epsilon = 0.125;
        for (int i = 0; i < 3; i++)
            want[i] = p[i] = 1 + i;
        for (int t = 1; t <= 4; t++) {
            for (int i = 0; i < 3; i++) {
                double d = g[i] = (i + 1) * (t == 3 ? -2 : 0.5 * t);
                if (method == NN_MOMENTUM)
                    d = v[i] = 0.9 * v[i] + g[i];
                if (method == NN_ADAM) {
                    v[i] = 0.9 * v[i] + 0.1 * g[i];
                    s[i] = 0.999 * s[i] + 0.001 * g[i] * g[i];
                    d = v[i] / (1 - pow(0.9, t)) / (0.125 + sqrt(s[i] / (1 - pow(0.999, t))));
                }
                want[i] -= 0.1 * d;
            }
            nn_optimizer_step(&o, p, g, 0.1);
            ok(o.t == (size_t)t);
            for (int i = 0; i < 3; i++) {
                is(p[i], want[i]);
                is(o.v[i], v[i]);
                is(o.s[i], s[i]);
            }
        }
        nn_optimizer_destroy(&o);
        ok(!o.v && !o.s && o.n == 0 && (int)o.method == 0 && live == had + 2);
    }
    free(p);
    free(g);
}

/* ------------------------------------------------- a net, and its cost anew */

static long double bent(enum nn_activation sigma, long double z)
{
    switch (sigma) {
    case NN_IDENTITY:
        return z;
    case NN_SIGMOID:
        return 1 / (1 + expl(-z));
    case NN_TANH:
        return 1 - 2 / (1 + expl(2 * z));
    case NN_RELU:
        return z > 0 ? z : 0;
    }
    return 0;
}

enum { WIDE = 128 };

/* The activations of the last layer, in a. */
static void anew(const struct nn *nn, const double *x, long double a[WIDE])
{
    const double *p = nn->p, *keep = nn->keep;
    long double b[WIDE];
    for (size_t k = 0; k < nn->size[0]; k++)
        a[k] = x[k];
    if (keep)
        keep += nn->size[0];
    for (int l = 1; l <= nn->layers; l++) {
        size_t n = nn->size[l], before = nn->size[l - 1];
        ok(n <= WIDE && before <= WIDE);
        for (size_t j = 0; j < n; j++) {
            long double z = p[before * n + j];
            for (size_t k = 0; k < before; k++)
                z += a[k] * p[j * before + k];
            b[j] = bent(nn->sigma[l], z);
            if (keep && l < nn->layers)
                b[j] *= keep[j];
        }
        if (keep)
            keep += n;
        memcpy(a, b, n * sizeof *a);
        p += n * before + n;
    }
}

static long double cost_anew(const struct nn *nn, size_t m, const double *x, const double *y)
{
    size_t n = nn->size[nn->layers];
    long double sum = 0, squares = 0, a[WIDE];
    for (size_t s = 0; s < m; s++) {
        long double of = 0, all = 0;
        anew(nn, x + s * nn->size[0], a);
        for (size_t j = 0; j < n; j++)
            all += expl(a[j]);
        for (size_t j = 0; j < n; j++) {
            long double off = a[j] - y[s * n + j];
            of += nn->loss == NN_SQUARED ? off * off / (2 * n) : y[s * n + j] * (logl(all) - a[j]);
        }
        sum += of / m;
    }
    const double *p = nn->p;
    for (int l = 1; l <= nn->layers; l++) {
        size_t weights = nn->size[l] * nn->size[l - 1];
        for (size_t i = 0; i < weights; i++)
            squares += (long double)p[i] * p[i];
        p += weights + nn->size[l];
    }
    return sum + nn->decay * squares / 2;
}

static double slope_anew(struct nn *nn, size_t m, const double *x, const double *y, size_t i)
{
    const double h = 0x1p-17, old = nn->p[i];
    nn->p[i] = old + h;
    long double up = cost_anew(nn, m, x, y);
    nn->p[i] = old - h;
    long double down = cost_anew(nn, m, x, y);
    nn->p[i] = old;
    return (double)((up - down) / (2 * h));
}

static void check_sigma(void)
{
    const double z[] = {-40, -1.5, -1e-3, -0.0, 0, 1e-9, 0.75, 2, 40};
    for (size_t i = 0; i < sizeof z / sizeof *z; i++)
        for (int s = NN_IDENTITY; s <= NN_RELU; s++) {
            enum nn_activation sigma = (enum nn_activation)s;
            double a = (double)bent(sigma, z[i]);
            ok(fabs(nn_sigma(sigma, z[i]) - a) <= 1e-15 * fabs(a) + 1e-19);
            double slope = sigma == NN_SIGMOID ? a * (1 - a) : sigma == NN_TANH ? 1 - a * a
                           : sigma == NN_RELU ? z[i] > 0 : 1;
            is(nn_slope(sigma, z[i]), slope);
        }
    ok(nn_sigma(NN_SIGMOID, 1000) == 1 && nn_sigma(NN_SIGMOID, -1000) == 0);
    ok(nn_sigma(NN_SIGMOID, inf) == 1 && nn_sigma(NN_SIGMOID, -inf) == 0);
    ok(nn_sigma(NN_TANH, inf) == 1 && nn_sigma(NN_RELU, inf) == inf);
    ok(nn_sigma(NN_RELU, -inf) == 0);
    for (int s = NN_IDENTITY; s <= NN_RELU; s++)
        ok(isnan(nn_sigma((enum nn_activation)s, nan_)));
    ok(isnan(nn_sigma((enum nn_activation)99, 1)) && isnan(nn_slope((enum nn_activation)99, 1)));
}

static int gone(const struct nn *nn)
{
    return !nn->size && !nn->sigma && !nn->p && !nn->z && !nn->a && !nn->dz && !nn->da;
}

static const size_t four[] = {4, 3, 5, 2}; // P = 15 + 20 + 12
static const enum nn_activation bends[] = {NN_TANH, NN_RELU, NN_SIGMOID};

static void check_create(void)
{
    struct nn nn;
    long had = live;
    const size_t one = 1, most = PTRDIFF_MAX / sizeof(double);
    static const enum nn_activation s[4] = {NN_IDENTITY};
    struct {
        enum nn_status status;
        int layers;
        size_t size[4];
    } bad[] = {
        {NN_BAD_SIZE, 0, {1, 1}},
        {NN_BAD_SIZE, -1, {1, 1}},
        {NN_BAD_SIZE, INT32_MAX, {1, 1}},
        {NN_BAD_SIZE, 1, {0, 1}},
        {NN_BAD_SIZE, 1, {1, 0}},
        {NN_BAD_SIZE, 2, {1, 2, 0}},
        {NN_BAD_SIZE, 1, {one << 31, one << 31}},
        {NN_BAD_SIZE, 2, {1, one << 59, 1}},
        {NN_BAD_SIZE, 1, {most, 1}},
        {NN_NO_MEMORY, 1, {most - 1, 1}},
        {NN_BAD_SIZE, 1, {1, most}},
        {NN_BAD_SIZE, 1, {1, SIZE_MAX}},
        {NN_BAD_SIZE, 1, {SIZE_MAX, 1}},
        {NN_NO_MEMORY, 1, {one << 40, 1}},
        {NN_BAD_SIZE, 2, {most / 4, 2, most / 2}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&nn, 0x5a, sizeof nn);
        ok(nn_create(&nn, bad[i].layers, bad[i].size, s) == bad[i].status);
        ok(live == had);
        if (bad[i].status == NN_NO_MEMORY)
            ok(gone(&nn));
    }
    long before = requests;
    for (long nth = 1; nth <= 7; nth++) {
        memset(&nn, 0x5a, sizeof nn);
        refused = requests + nth;
        ok(nn_create(&nn, 3, four, bends) == NN_NO_MEMORY && gone(&nn) && live == had);
    }
    ok(requests - before == 7 * 7);
    refused = 0;
    memset(&nn, 0x5a, sizeof nn);
    enum nn_activation *heap = malloc(sizeof bends);
    memcpy(heap, bends, sizeof bends);
    size_t bytes = held;
    ok(nn_create(&nn, 3, four, heap) == NN_OK && live == had + 8);
    ok(held == bytes + 4 * sizeof(size_t) + 4 * sizeof *heap + (47 + 4 * 14) * sizeof(double));
    free(heap);
    ok(nn.layers == 3 && nn.params == 47 && memcmp(nn.size, four, sizeof four) == 0);
    ok(memcmp(nn.sigma + 1, bends, sizeof bends) == 0 && nn.sigma[0] == 0);
    ok(nn.loss == NN_SQUARED && nn.decay == 0 && !nn.keep && !nn.draw && nn.drop == 0);
    for (size_t i = 0; i < 47; i++)
        ok(nn.p[i] == 0);
    for (size_t i = 0; i < 14; i++)
        ok(nn.z[i] == 0 && nn.a[i] == 0 && nn.dz[i] == 0 && nn.da[i] == 0);
    const struct nn_layer want[] = {
        {3, 4, 0, 12, 4, 0}, {5, 3, 15, 30, 7, 4}, {2, 5, 35, 45, 12, 7}};
    for (int l = 1; l <= 3; l++) {
        struct nn_layer at = nn_layer_at(&nn, l);
        ok(memcmp(&at, &want[l - 1], sizeof at) == 0);
    }

    /* random parameters, drawn in order; biases zero */
    for (int way = 0; way < 4; way++) {
        struct nn_rng rng = nn_rng_seeded(5), again = rng;
        for (size_t i = 0; i < 47; i++)
            nn.p[i] = 9;
        if (way == 3)
            nn_randomize(&nn, &rng);
        else
            nn_initialize(&nn, (enum nn_init)way, &rng);
        for (int l = 1; l <= 3; l++) {
            size_t n = four[l], k = four[l - 1];
            double v = way == NN_GLOROT ? 2 / (double)(n + k) : way == NN_HE ? 2 / (double)k
                                                                : 1 / (3 * (double)k);
            for (size_t i = 0; i < n * k; i++) {
                double u = (double)(nn_rng_next(&again) >> 11) * 0x1p-53;
                is(nn.p[want[l - 1].w + i], sqrt(3 * v) * (2 * u - 1));
            }
            for (size_t j = 0; j < n; j++)
                ok(nn.p[want[l - 1].b + j] == 0);
        }
        ok(rng.state == again.state);
    }
    nn_initialize(&nn, (enum nn_init)99, &(struct nn_rng){0});
    for (size_t i = 0; i < 47; i++)
        ok(nn.p[i] == 0);
    nn_destroy(&nn);
    ok(gone(&nn) && nn.layers == 0 && live == had);
}

/* -------------------------------------------------------- forward, literally */

static void check_forward(void)
{
    struct nn nn;
    double *x = doubles(2), *y = doubles(2), *g = doubles(13), cost;
    static const size_t size[] = {2, 3, 1};
    static const double p[] = {1, 2, -1, 1, 0.5, -2, 0.5, -1, 0, 3, -1, 2, 0.25};
    ok(nn_create(&nn, 2, size, (enum nn_activation[]){NN_RELU, NN_IDENTITY}) == NN_OK);
    memcpy(nn.p, p, sizeof p);
    x[0] = 2;
    x[1] = -0.5;
    y[0] = 4;
    /* z1 = (1.5, -3.5, 2), a1 = (1.5, 0, 2), a2 = 4.5 + 0 + 4 + 0.25 = 8.75 */
    const double *a = nn_forward(&nn, x);
    const double z[] = {0, 0, 1.5, -3.5, 2, 8.75}, is_a[] = {2, -0.5, 1.5, 0, 2, 8.75};
    ok(memcmp(nn.z, z, sizeof z) == 0 && memcmp(nn.a, is_a, sizeof is_a) == 0);
    ok(a == nn.a + 5);
    ok(nn_cost(&nn, 1, x, y) == 4.75 * 4.75 / 2);
    const double want[] = {28.5, -7.125, 0, 0, 19, -4.75, 14.25, 0, 9.5, 7.125, 0, 9.5, 4.75};
    for (size_t i = 0; i < 13; i++)
        g[i] = 7;
    ok(nn_gradient(&nn, 1, x, y, g, &cost) == NN_OK && cost == 4.75 * 4.75 / 2);
    for (size_t i = 0; i < 13; i++)
        ok(g[i] == want[i]);
    ok(nn.da[5] == 4.75 && nn.dz[5] == 4.75);
    ok(nn.da[2] == 4.75 * 3 && nn.da[3] == -4.75 && nn.da[4] == 9.5);
    ok(nn.dz[2] == 4.75 * 3 && nn.dz[3] == 0 && nn.dz[4] == 9.5);
    ok(nn.da[0] == 4.75 * (3 * 1 + 2 * 0.5) && nn.da[1] == 4.75 * (3 * 2 + 2 * -2));

    /* decay is of weights alone */
    ok(nn_decay(&nn, NULL) == 0);
    nn.decay = 0.5;
    const double squares = 1 + 4 + 1 + 1 + 0.25 + 4 + 9 + 1 + 4;
    ok(nn_decay(&nn, NULL) == squares / 4);
    for (size_t i = 0; i < 13; i++)
        g[i] = 1;
    ok(nn_decay(&nn, g) == squares / 4);
    for (size_t i = 0; i < 13; i++)
        ok(g[i] == 1 + (i < 6 || (i > 8 && i < 12) ? p[i] / 2 : 0));
    is(nn_cost(&nn, 1, x, y), 4.75 * 4.75 / 2 + squares / 4);
    nn.decay = 1;
    is(nn_cost(&nn, 1, x, y), 4.75 * 4.75 / 2 + squares / 2);
    nn.decay = 0;

    nn_step(&nn, g, 0.5);
    for (size_t i = 0; i < 13; i++)
        ok(nn.p[i] == p[i] - 0.5 * g[i]);

    /* what is not finite is said: a cost, and each slope alone */
    memcpy(nn.p, p, sizeof p);
    nn.p[12] = nan_;
    ok(nn_gradient(&nn, 1, x, y, g, &cost) == NN_NOT_FINITE && isnan(cost));
    memset(nn.p, 0, sizeof p);
    nn.p[12] = 1e200;
    ok(nn_gradient(&nn, 1, x, y, g, &cost) == NN_NOT_FINITE && cost == inf);
    memset(nn.p, 0, sizeof p);
    x[0] = 1e308;
    y[0] = -1000;
    nn.p[1] = 1;
    x[1] = 1;
    nn.p[9] = 1;
    ok(nn_gradient(&nn, 1, x, y, g, &cost) == NN_NOT_FINITE);
    ok(isfinite(cost) && g[0] == inf && isfinite(g[12]));
    nn_destroy(&nn);

    /* the last slope alone: a hundred equal shares of a bias */
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_IDENTITY}) == NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    x[0] = 0;
    y[0] = 0;
    y[1] = 0;
    nn.decay = 0;
    ok(nn_gradient(&nn, 2, x, y, g, &cost) == NN_OK);
    ok(cost == 0 && g[1] == 1);
    nn_destroy(&nn);
    free(x);
    free(y);
    free(g);
}

/* ------------------------------------------------------------- the gradient */

/* One neuron and one sample, in closed form. */
static void check_one_neuron(void)
{
    struct nn nn;
    const double x = 2, y = 0.3, w = 0.5, b = -0.25, z = 0.75;
    double g[2], cost;
    for (int s = NN_IDENTITY; s <= NN_RELU; s++) {
        ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){(enum nn_activation)s}) ==
           NN_OK);
        nn.p[0] = w;
        nn.p[1] = b;
        double a = z, slope = 1;
        if (s == NN_SIGMOID) {
            a = 1 / (1 + exp(-z));
            slope = exp(-z) / ((1 + exp(-z)) * (1 + exp(-z)));
        } else if (s == NN_TANH) {
            a = (exp(z) - exp(-z)) / (exp(z) + exp(-z));
            slope = 4 / ((exp(z) + exp(-z)) * (exp(z) + exp(-z)));
        }
        ok(nn_gradient(&nn, 1, &x, &y, g, &cost) == NN_OK);
        is(cost, (a - y) * (a - y) / 2);
        is(g[0], (a - y) * slope * x);
        is(g[1], (a - y) * slope);
        nn_destroy(&nn);
    }
}

enum { SAMPLES = 3 };

static void random_net(struct nn *nn, const size_t *size, int layers, int hidden, int end,
                       enum nn_loss loss)
{
    enum nn_activation s[4];
    for (int l = 0; l < layers; l++)
        s[l] = (enum nn_activation)(l < layers - 1 ? (hidden + l) % 4 : end);
    ok(nn_create(nn, layers, size, s) == NN_OK);
    nn->loss = loss;
    fill(nn->p, nn->params, -1, 1);
}

/* Targets that sum to 1. */
static void targets(double *y, size_t m, size_t n)
{
    for (size_t s = 0; s < m; s++, y += n) {
        double all = 0;
        fill(y, n, 0.1, 1);
        for (size_t j = 0; j < n; j++)
            all += y[j];
        for (size_t j = 0; j < n; j++)
            y[j] /= all;
    }
}

static void check_gradients(void)
{
    double *x = doubles(SAMPLES * 4), *y = doubles(SAMPLES * 2), *g = doubles(47), cost;
    double *keep = doubles(14);
    int seen = 0;
    seed_ = 1;
    for (int kind = 0; kind < 64; kind++) {
        struct nn nn;
        int cross = kind / 16 % 2;
        random_net(&nn, four, 3, kind % 4, kind / 4 % 4,
                   cross ? NN_CROSS_ENTROPY : NN_SQUARED);
        nn.decay = kind % 3 ? 0 : 0.1;
        fill(x, SAMPLES * 4, -2, 2);
        targets(y, SAMPLES, 2);
        if (kind >= 32) {
            for (size_t i = 0; i < 14; i++)
                keep[i] = i % 5 ? 0.5 + (double)i / 8 : 0;
            nn.keep = keep;
        }
        for (size_t s = 0; s < SAMPLES; s++) {
            long double a[WIDE];
            const double *got = nn_forward(&nn, x + 4 * s);
            anew(&nn, x + 4 * s, a);
            is(got[0], (double)a[0]);
            is(got[1], (double)a[1]);
        }
        is(nn_cost(&nn, SAMPLES, x, y), (double)cost_anew(&nn, SAMPLES, x, y));
        for (int twice = 0; twice < 2; twice++)
            ok(nn_gradient(&nn, SAMPLES, x, y, g, &cost) == NN_OK);
        is(cost, (double)cost_anew(&nn, SAMPLES, x, y));
        if (!cross) // of the last sample
            is(nn.da[12], (nn.a[12] - y[4]) / (2 * SAMPLES));
        for (size_t i = 0; i < 47; i++)
            ok(close_to(g[i], slope_anew(&nn, SAMPLES, x, y, i), 2e-9));
        struct nn_check c = nn_check_gradient(&nn, SAMPLES, x, y, g);
        ok(c.checked == 47 && c.skipped == 0 && c.worst < 1e-7);
        ok(nn_check_passed(&c) == (c.largest > 0)); // ReLUs may all be silent
        seen += c.largest > 0;
        nn_destroy(&nn);
    }
    ok(seen > 60);
    free(keep);

    /* dropout draws anew at each pass: unit for unit, not for the last layer */
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(3), again = rng;
    random_net(&nn, four, 3, NN_TANH, NN_IDENTITY, NN_SQUARED);
    nn.keep = keep = doubles(14);
    for (size_t i = 0; i < 14; i++)
        keep[i] = 7;
    nn.draw = &rng;
    nn.drop = 0.75;
    int dropped = 0;
    for (int round = 0; round < 3; round++) {
        double want[14];
        for (size_t i = 0; i < 14; i++)
            want[i] = i < 4 || i > 11 ? 7 : nn_rng_uniform(&again, 0, 1) < 0.75 ? 0 : 4;
        const double *a = nn_forward(&nn, x);
        ok(memcmp(keep, want, sizeof want) == 0 && rng.state == again.state);
        long double out[WIDE];
        anew(&nn, x, out);
        is(a[0], (double)out[0]);
        for (size_t i = 4; i < 12; i++)
            dropped += keep[i] == 0;
    }
    ok(dropped > 8 && dropped < 24);
    /* the number drawn first is exactly drop: kept */
    rng = again = nn_rng_seeded(0);
    nn.drop = nn_rng_uniform(&again, 0, 1);
    nn_forward(&nn, x);
    is(keep[4], 1 / (1 - nn.drop));
    nn_destroy(&nn);
    free(keep);
    free(x);
    free(y);
    free(g);
}

/* ---------------------------------------------------------------- the check */

static void check_check(void)
{
    struct nn nn;
    char name[NN_NAME];
    double *x = doubles(8), *y = doubles(4), *g = doubles(47), cost;
    static const char *const names[] = {
        "w1_1,1", "w1_1,2", "w1_1,3", "w1_1,4", "w1_2,1", "w1_2,2", "w1_2,3", "w1_2,4",
        "w1_3,1", "w1_3,2", "w1_3,3", "w1_3,4", "b1_1", "b1_2", "b1_3", "w2_1,1",
        "w2_1,2", "w2_1,3", "w2_2,1", "w2_2,2", "w2_2,3", "w2_3,1", "w2_3,2", "w2_3,3",
        "w2_4,1", "w2_4,2", "w2_4,3", "w2_5,1", "w2_5,2", "w2_5,3", "b2_1", "b2_2",
        "b2_3", "b2_4", "b2_5", "w3_1,1", "w3_1,2", "w3_1,3", "w3_1,4", "w3_1,5",
        "w3_2,1", "w3_2,2", "w3_2,3", "w3_2,4", "w3_2,5", "b3_1", "b3_2"};
    seed_ = 2;
    random_net(&nn, four, 3, NN_TANH, NN_TANH, NN_SQUARED);
    nn.p[7] = -30; // its step is 30 times as large
    fill(x, 8, -1, 1);
    fill(y, 4, -1, 1);
    double p[47];
    memcpy(p, nn.p, sizeof p);
    ok(nn_gradient(&nn, 2, x, y, g, &cost) == NN_OK);
    for (size_t i = 0; i < 47; i++) {
        nn_name(&nn, i, name);
        ok(strcmp(name, names[i]) == 0);
        double old = g[i], by = i % 2 ? 1e-4 : -1e-4;
        g[i] += by;
        struct nn_check c = nn_check_gradient(&nn, 2, x, y, g);
        ok(c.at == i && c.got == g[i] && close_to(c.want, old, 1e-9));
        double e = 1e-4 / (fabs(g[i]) + fabs(old) + 1e-3 * fmax(1, cost));
        ok(close_to(c.worst / e, 1, 1e-4) && !nn_check_passed(&c));
        g[i] = i % 3 ? nan_ : inf;
        c = nn_check_gradient(&nn, 2, x, y, g);
        ok(c.at == i && c.worst == inf && !nn_check_passed(&c) && c.checked == 47);
        g[i] = old;
        double most = 0;
        for (size_t k = 0; k < 47; k++)
            most = fmax(most, fabs(g[k]));
        ok(close_to(c.largest, most, 1e-9));
        i += i > 16 && i < 40 ? 2 : 0;
    }
    ok(memcmp(p, nn.p, sizeof p) == 0);

    /* a large cost makes f larger */
    for (size_t i = 0; i < 4; i++)
        y[i] += 1000;
    ok(nn_gradient(&nn, 2, x, y, g, &cost) == NN_OK && cost > 4e5);
    double old = g[46];
    g[46] += 1;
    struct nn_check c = nn_check_gradient(&nn, 2, x, y, g);
    ok(close_to(c.worst * (fabs(g[46]) + fabs(old) + 1e-3 * cost), 1, 1e-2) && c.at == 46);
    nn_destroy(&nn);

    /* a ReLU that is 1.005 steps from its corner, on either side, and one that is
       0.9975 steps away; the inputs are 1 */
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_RELU}) == NN_OK);
    x[0] = x[1] = 1;
    for (int far = 0; far < 2; far++)
        for (int side = -1; side <= 1; side += 2) {
            nn.p[0] = 0.25;
            nn.p[1] = -0.25 + side * (far ? 1.005e-5 : 0.9975e-5);
            ok(nn_gradient(&nn, 2, x, y, g, &cost) == NN_OK);
            c = nn_check_gradient(&nn, 2, x, y, g);
            ok(c.checked == (far ? 2 : 0) && c.skipped == (far ? 0 : 2));
            ok(nn_check_passed(&c) == (far && side > 0));
            if (far && side < 0) // of equals the first is named
                ok(c.worst == 0 && c.at == 0 && c.got == 0 && c.want == 0);
        }
    x[1] = 5; // the first sample alone is near
    nn.p[0] = 0.25;
    nn.p[1] = -0.25;
    c = nn_check_gradient(&nn, 2, x, y, g);
    ok(c.checked == 0 && c.skipped == 2);
    x[1] = 1;
    x[0] = 5; // the second
    c = nn_check_gradient(&nn, 2, x, y, g);
    ok(c.checked == 0 && c.skipped == 2);
    nn_destroy(&nn);

    /* a step that ends on the corner: from above it counts as passed */
    for (int side = -1; side <= 1; side += 2) {
        x[0] = x[1] = 1;
        ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_RELU}) == NN_OK);
        nn.p[1] = side * 1e-5;
        c = nn_check_gradient(&nn, 2, x, y, g);
        ok(c.skipped == (side > 0 ? 2 : 0) && c.checked == (side > 0 ? 0 : 2));
        nn_destroy(&nn);
    }
    /* the step of a parameter of 100 is 1e-3 */
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_RELU}) == NN_OK);
    nn.p[0] = 100;
    nn.p[1] = -100 + 0.9e-3;
    c = nn_check_gradient(&nn, 2, x, y, g);
    ok(c.skipped == 2 && c.checked == 0);
    nn_destroy(&nn);
    /* the second of two units is near */
    ok(nn_create(&nn, 1, (size_t[]){1, 2}, (enum nn_activation[]){NN_RELU}) == NN_OK);
    memcpy(nn.p, (double[]){0.5, 0.25, 0.5, -0.25}, 4 * sizeof *nn.p);
    c = nn_check_gradient(&nn, 2, x, y, g);
    ok(c.skipped == 2 && c.checked == 2);
    nn_destroy(&nn);
    /* a unit without a corner passes 0, before a ReLU or behind it */
    for (int relu = 0; relu < 2; relu++) {
        enum nn_activation s[] = {NN_TANH, NN_TANH};
        s[relu] = NN_RELU;
        ok(nn_create(&nn, 2, (size_t[]){1, 1, 1}, s) == NN_OK);
        memcpy(nn.p, relu ? (double[]){0.5, -0.5, 1, 1} : (double[]){0.5, 0.5, 1, -1},
               4 * sizeof *nn.p);
        c = nn_check_gradient(&nn, 2, x, y, g);
        ok(c.skipped == 0 && c.checked == 4);
        nn_destroy(&nn);
    }
    ok(nn_create(&nn, 3, (size_t[]){2, 2, 5, 2}, (enum nn_activation[]){NN_TANH, NN_TANH, NN_TANH}) ==
       NN_OK);
    nn_name(&nn, 22, name);
    ok(strcmp(name, "w3_1,2") == 0);
    nn_destroy(&nn);

    /* an error that h^2 alone would leave, were it not extrapolated */
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_SIGMOID}) == NN_OK);
    x[0] = 1000;
    y[0] = 0;
    nn.p[0] = 1e-3;
    ok(nn_gradient(&nn, 1, x, y, g, &cost) == NN_OK);
    c = nn_check_gradient(&nn, 1, x, y, g);
    ok(c.worst < 2e-9 && nn_check_passed(&c));
    nn_destroy(&nn);

    /* the verdict */
    const struct nn_check good = {.worst = NN_CHECK_BOUND, .largest = 1.1e-6, .checked = 99,
                                  .skipped = 1};
    c = good;
    ok(nn_check_passed(&c));
    c.worst = 1.001e-6;
    ok(!nn_check_passed(&c));
    c = good;
    c.worst = nan_;
    ok(!nn_check_passed(&c));
    c = good;
    c.largest = NN_CHECK_BOUND;
    ok(!nn_check_passed(&c));
    c = good;
    c.checked = 98;
    ok(!nn_check_passed(&c));
    free(x);
    free(y);
    free(g);
}

/* ----------------------------------------------------------------- the watch */

/* Plants VALUE at P and asks for its name. */
static void planted(struct nn *nn, double *p, double value, const double *x, const double *y,
                    const char *want)
{
    char name[NN_NAME] = "";
    double old = *p, *g = doubles(nn->params);
    *p = value;
    ok(nn_find_not_finite(nn, x, y, g, name) == 1 && strcmp(name, want) == 0);
    *p = old;
    ok(nn_find_not_finite(nn, x, y, g, name) == 0);
    free(g);
}

static void check_watch(void)
{
    double *g = doubles(3);
    memcpy(g, (double[]){3, -4, 12}, 3 * sizeof *g);
    is(nn_clip(3, g, 13), 13);
    ok(g[0] == 3 && g[1] == -4 && g[2] == 12);
    is(nn_clip(3, g, 6.5), 13);
    is(g[0], 1.5);
    is(g[1], -2);
    is(g[2], 6);
    is(nn_clip(2, g, 0.25), 2.5);
    is(g[0], 0.15);
    is(g[2], 6);
    memcpy(g, (double[]){3e300, -4e300, 0}, 3 * sizeof *g);
    is(nn_clip(3, g, 10) / 1e300, 5);
    is(g[0], 6);
    is(g[1], -8);
    g[0] = g[1] = g[2] = 0;
    ok(nn_clip(3, g, 1) == 0 && g[0] == 0);
    ok(nn_clip(3, g, 0) == 0 && g[0] == 0);
    g[0] = 1e-300;
    is(nn_clip(3, g, 1) * 1e300, 1);
    memcpy(g, (double[]){0, 3e200, 4e200}, 3 * sizeof *g);
    is(nn_clip(3, g, 10) / 1e200, 5);
    is(g[1], 6);
    is(g[2], 8);
    free(g);

    struct nn nn;
    double *x = doubles(8), *y = doubles(4);
    seed_ = 3;
    random_net(&nn, four, 3, NN_IDENTITY, NN_IDENTITY, NN_SQUARED);
    nn.sigma[2] = NN_IDENTITY;
    fill(x, 8, -1, 1);
    fill(y, 4, -1, 1);
    planted(&nn, nn.p, nan_, x, y, "w1_1,1");
    planted(&nn, nn.p + 46, inf, x, y, "b3_2");
    planted(&nn, nn.p + 20, -inf, x, y, "w2_2,3");
    planted(&nn, x + 3, nan_, x, y, "x_4");
    planted(&nn, x, inf, x, y, "x_1");
    planted(&nn, y, inf, x, y, "y_1");
    planted(&nn, y + 1, nan_, x, y, "y_2");
    x[1] = 2;
    nn.p[5] = 0;
    planted(&nn, nn.p + 5, 1e308, x, y, "z1_2"); // 1e308 times 2
    double keep[14];
    for (size_t i = 0; i < 14; i++)
        keep[i] = 1;
    nn.keep = keep;
    planted(&nn, keep + 5, nan_, x, y, "a1_2");
    planted(&nn, keep + 11, nan_, x, y, "a2_5");
    nn.keep = NULL;
    planted(&nn, nn.p + 46, 1e200, x, y, "J");
    planted(&nn, nn.p + 45, -1e200, x, y, "J");
    /* slopes that overflow, the cost being small */
    memset(nn.p, 0, 47 * sizeof *nn.p);
    y[0] = 1e10;
    nn.p[35] = 1; // w3_1,1
    planted(&nn, nn.p + 36, 1e300, x, y, "da2_2");
    nn.p[18] = 1e300; // w2_2,1
    planted(&nn, nn.p + 36, 1e50, x, y, "da1_1");
    nn.p[18] = 0;
    planted(&nn, nn.p + 31, 1e300, x, y, "dw3_1,2");
    planted(&nn, nn.p + 12, 1e300, x, y, "dw2_1,1"); // da2_1 is 1e10
    nn.p[15] = 1;
    planted(&nn, x + 2, 1.5e308, x, y, "dw1_1,3");
    y[0] = 0;
    y[1] = 1e10;
    planted(&nn, nn.p + 34, 1e300, x, y, "dw3_2,5"); // the last of all weights
    nn_destroy(&nn);

    /* da that is finite and dz that is not: a slope of NaN */
    ok(nn_create(&nn, 2, (size_t[]){1, 2, 1}, (enum nn_activation[]){NN_IDENTITY, NN_IDENTITY}) ==
       NN_OK);
    nn.sigma[2] = (enum nn_activation)99;
    char name[NN_NAME] = "";
    double room[7];
    x[0] = 1;
    y[0] = 0;
    ok(nn_find_not_finite(&nn, x, y, room, name) == 1 && strcmp(name, "a2_1") == 0);
    nn_destroy(&nn);

    /* active units, added to what is there */
    size_t *active = calloc(3, sizeof *active);
    memcpy(active, (size_t[]){10, 20, 30}, 3 * sizeof *active);
    ok(nn_create(&nn, 2, (size_t[]){2, 3, 1}, (enum nn_activation[]){NN_RELU, NN_IDENTITY}) ==
       NN_OK);
    memcpy(nn.p, (double[]){1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1}, 13 * sizeof(double));
    memcpy(x, (double[]){1, 1, -1, 1, -1, 1, 0, 1}, 8 * sizeof *x);
    nn_count_active(&nn, 1, 4, x, active);
    ok(active[0] == 11 && active[1] == 24 && active[2] == 34);
    nn_count_active(&nn, 2, 4, x, active);
    ok(active[0] == 15 && active[1] == 24 && active[2] == 34);
    free(active);
    nn_destroy(&nn);
    free(x);
    free(y);
}

/* --------------------------------------------------------------- the product */

/* Of small whole numbers, which have one result; what is around c stays. */
static void one_product(size_t rows, size_t depth, size_t panels, int kind, int lanes)
{
    size_t gap = (size_t)kind & 3, wide = 16 * panels;
    struct nn_product p = {.rows = rows, .depth = depth, .panels = panels};
    p.a_row = kind & 1 ? 1 : depth + gap;
    p.a_step = kind & 1 ? rows + gap : 1;
    p.b_step = kind & 2 ? wide + gap : 16;
    p.b_panel = kind & 2 ? 16 : depth * 16 + gap;
    p.c_row = kind & 4 ? wide + gap : 16;
    p.c_panel = kind & 4 ? 16 : rows * 16 + gap;
    size_t n_a = rows + depth ? (rows ? rows - 1 : 0) * p.a_row + (depth ? depth - 1 : 0) * p.a_step + 1 : 1;
    size_t n_b = (depth ? depth - 1 : 0) * p.b_step + (panels - 1) * p.b_panel + 16;
    size_t n_c = (rows ? rows - 1 : 0) * p.c_row + (panels - 1) * p.c_panel + 16;
    float *a = floats(n_a), *b = floats(n_b), *start = floats(wide), *c = floats(n_c);
    float *want = floats(n_c);
    for (size_t i = 0; i < n_a; i++)
        a[i] = (float)(i * i % 7) - 3;
    for (size_t i = 0; i < n_b; i++)
        b[i] = (float)(i * i % 11) - 5;
    for (size_t i = 0; i < wide; i++)
        start[i] = (float)(i * i % 13) - 6;
    for (size_t i = 0; i < n_c; i++)
        c[i] = want[i] = (float)(i % 5) + 100;
    p.a = a;
    p.b = b;
    p.c = c;
    p.start = kind & 8 ? start : NULL;
    p.rate = kind & 16 ? 0.5f : 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < wide; j++) {
            float sum = p.start ? start[j] : 0;
            float *to = want + r * p.c_row + j / 16 * p.c_panel + j % 16;
            for (size_t d = 0; d < depth; d++)
                sum += a[r * p.a_row + d * p.a_step] * b[d * p.b_step + j / 16 * p.b_panel + j % 16];
            *to = p.rate != 0 ? *to - 0.5f * sum : sum;
        }
    nn_product(lanes, &p);
    ok(memcmp(c, want, n_c * sizeof *c) == 0);
    free(a);
    free(b);
    free(start);
    free(c);
    free(want);
}

static void check_product(void)
{
    int kind = 0;
    ok(nn_lanes() == (__builtin_cpu_supports("avx512f") ? 16
                      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 8 : 4));
    for (int lanes = 4; lanes <= nn_lanes(); lanes *= 2)
        for (size_t rows = 0; rows <= 32; rows++)
            for (size_t panels = 1; panels <= 5; panels++, kind += 11) {
                one_product(rows, 1 + rows % 3, panels, kind, lanes);
                one_product(rows, 1 + rows % 2, panels, kind + 16, lanes);
            }
    for (kind = 0; kind < 32; kind++)
        for (int lanes = 4; lanes <= nn_lanes(); lanes *= 2) {
            one_product(1 + (size_t)kind % 7, (size_t)kind % 5, 3, kind, lanes);
            one_product(61, 2, 3, kind, lanes);
        }
}

/* ---------------------------------------------------------------- the engine */

static int fast_gone(const struct nn_fast *f)
{
    return !f->size && !f->sigma && !f->p && !f->g && !f->v && !f->s && !f->at && !f->turned &&
           !f->costs;
}

static void check_fast_create(void)
{
    struct nn nn;
    struct nn_fast f;
    long had = live;
    static const size_t size[] = {5, 17, 32, 3};
    const size_t one = 1, most = PTRDIFF_MAX / sizeof(double);
    ok(nn_create(&nn, 3, size, bends) == NN_OK);
    for (long nth = 1; nth <= 18; nth++) {
        memset(&f, 0x5a, sizeof f);
        refused = requests + nth;
        ok(nn_fast_create(&f, &nn, 3) == NN_NO_MEMORY && fast_gone(&f) && live == had + 7);
    }
    refused = 0;
    struct {
        enum nn_status status;
        int layers;
        size_t size[4], batch;
    } bad[] = {
        {NN_BAD_SIZE, 1, {2, 3}, 0},
        {NN_BAD_SIZE, 1, {2, 3}, SIZE_MAX},
        {NN_BAD_SIZE, 1, {2, 3}, most / 16 + 1},
        {NN_NO_MEMORY, 1, {2, 3}, most / 16},
        {NN_BAD_SIZE, 1, {2, 17}, most / 32}, // a row of 48
        {NN_NO_MEMORY, 1, {2, 17}, most / 48},
        {NN_BAD_SIZE, 1, {one << 57, 1}, 1},
        {NN_NO_MEMORY, 1, {one << 55, 1}, 1},
        {NN_BAD_SIZE, 1, {1, most}, 1},
        {NN_BAD_SIZE, 1, {1, most / 2}, 1},
        {NN_BAD_SIZE, 1, {1, SIZE_MAX}, 1},
        {NN_NO_MEMORY, 1, {1, one << 54}, 1},
        {NN_BAD_SIZE, 1, {1, one << 54}, 1 << 10},
        {NN_BAD_SIZE, 2, {(one << 56) - 17, 16, 1}, 1},
        {NN_BAD_SIZE, 2, {1, one << 55, one << 6}, 1},
        {NN_BAD_SIZE, 3, {one << 54, 40, one << 54, 40}, 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum nn_activation s[4] = {NN_IDENTITY};
        struct nn large = {.layers = bad[i].layers, .size = bad[i].size, .sigma = s};
        memset(&f, 0x5a, sizeof f);
        ok(nn_fast_create(&f, &large, bad[i].batch) == bad[i].status);
        ok(fast_gone(&f) && live == had + 7);
    }

    nn.loss = NN_CROSS_ENTROPY;
    nn.decay = 0.25;
    for (size_t i = 0; i < nn.params; i++)
        nn.p[i] = 1 + (double)i;
    size_t params = nn.params;
    memset(&f, 0x5a, sizeof f);
    size_t bytes = held;
    ok(nn_fast_create(&f, &nn, 7) == NN_OK && live == had + 7 + 18);
    ok(held == bytes + 4 * (sizeof *f.size + sizeof *f.sigma + sizeof *f.at) + 7 * sizeof *f.costs +
                   (4 * 1296 + 32 * 32 + 3 * 7 * (48 + 48 + 16)) * sizeof(float));
    nn_destroy(&nn);
    ok(f.layers == 3 && f.loss == NN_CROSS_ENTROPY && f.decay == 0.25 && f.params == params);
    ok(memcmp(f.size, size, sizeof size) == 0 && f.batch == 7 && f.lanes == nn_lanes());
    ok(memcmp(f.sigma + 1, bends, sizeof bends) == 0 && f.method == NN_DESCENT && f.t == 0);
    ok(f.drop == 0 && !f.draw && !f.layer_done && !f.context);
    ok(f.beta1 == 0.9 && f.beta2 == 0.999 && f.epsilon == 1e-8);
    const size_t w[] = {0, 192, 768}, b[] = {160, 736, 1280};
    const size_t row[] = {48, 48, 16}, panels[] = {2, 2, 1};
    ok(f.room == 1296);
    double p = 0;
    char used[1296] = {0};
    for (int l = 1; l <= 3; l++) {
        const struct nn_fast_layer *at = &f.at[l];
        ok(at->n == size[l] && at->n_before == size[l - 1] && at->panels == panels[l - 1]);
        ok(at->w == w[l - 1] && at->b == b[l - 1] && at->row == row[l - 1]);
        for (size_t j = 0; j < at->n; j++)
            for (size_t k = 0; k < at->n_before; k++) {
                size_t i = at->w + j / 16 * at->n_before * 16 + k * 16 + j % 16;
                ok((double)f.p[i] == ++p);
                used[i] = 1;
            }
        for (size_t j = 0; j < at->n; j++) {
            ok((double)f.p[at->b + j] == ++p);
            used[at->b + j] = 1;
        }
        for (size_t i = 0; i < 7 * at->row; i++)
            ok(at->a[i] == 0 && at->dz[i] == 0 && at->keep[i] == 0);
    }
    for (size_t i = 0; i < f.room; i++)
        ok((used[i] || f.p[i] == 0) && f.g[i] == 0 && f.v[i] == 0 && f.s[i] == 0);
    for (size_t i = 0; i < 7; i++)
        ok(f.costs[i] == 0);
    double *back = doubles(params);
    nn_fast_unpack(&f, f.p, back);
    for (size_t i = 0; i < params; i++)
        ok(back[i] == 1 + (double)i);
    nn_fast_destroy(&f);
    ok(fast_gone(&f) && f.layers == 0 && live == had + 1);
    nn_fast_destroy(&f);
    free(back);
    ok(live == had);

    /* the weights of the first layer are not turned */
    ok(nn_create(&nn, 2, (size_t[]){40, 33, 3}, bends) == NN_OK);
    bytes = held;
    ok(nn_fast_create(&f, &nn, 1) == NN_OK);
    ok(held == bytes + 3 * (sizeof *f.size + sizeof *f.sigma + sizeof *f.at) + sizeof *f.costs +
                   (4 * f.room + 48 * 3 + 3 * (48 + 16)) * sizeof(float));
    nn_fast_destroy(&f);
    nn_destroy(&nn);
}

/* A net and its engine, with M samples for both. */
struct pair {
    struct nn nn;
    struct nn_fast fast;
    struct nn_rng draw, draw_fast;
    size_t m;
    double *x, *y, *g, *g_fast, *keep;
    float *fx, *fy;
};

static void make_pair(struct pair *c, const size_t *size, int layers, int hidden, int end,
                      enum nn_loss loss, size_t m, size_t batch)
{
    size_t n_in = size[0], n_out = size[layers], units = 0;
    random_net(&c->nn, size, layers, hidden, end, loss);
    for (int l = 0; l <= layers; l++)
        units += size[l];
    c->m = m;
    c->x = doubles(m * n_in);
    c->y = doubles(m * n_out);
    c->g = doubles(c->nn.params);
    c->g_fast = doubles(c->nn.params);
    c->keep = doubles(units);
    c->fx = floats(m * n_in);
    c->fy = floats(m * n_out);
    fill(c->x, m * n_in, -1, 1);
    targets(c->y, m, n_out);
    for (size_t i = 0; i < m * n_in; i++)
        c->fx[i] = (float)c->x[i];
    for (size_t i = 0; i < m * n_out; i++)
        c->fy[i] = (float)c->y[i];
    ok(nn_fast_create(&c->fast, &c->nn, batch) == NN_OK);
}

static void drop(struct pair *c, double d)
{
    c->draw = c->draw_fast = nn_rng_seeded(11);
    c->nn.keep = c->keep;
    c->nn.draw = &c->draw;
    c->fast.draw = &c->draw_fast;
    c->nn.drop = c->fast.drop = d;
}

static void free_pair(struct pair *c)
{
    nn_fast_destroy(&c->fast);
    nn_destroy(&c->nn);
    free(c->x);
    free(c->y);
    free(c->g);
    free(c->g_fast);
    free(c->keep);
    free(c->fx);
    free(c->fy);
}

/* What fills up the panels is 0. */
static int padded(const struct nn_fast *f, const float *panels)
{
    double *p = doubles(f->params);
    float *again = floats(f->room);
    nn_fast_unpack(f, panels, p);
    nn_fast_pack(f, p, again);
    int same = memcmp(again, panels, f->room * sizeof *again) == 0;
    for (size_t i = 0; !same && i < f->room; i++)
        same = again[i] != panels[i] ? 0 : i + 1 == f->room; // -0 is 0
    free(p);
    free(again);
    return same;
}

/* Both gradients of the same samples. */
static void compare(struct pair *c)
{
    double cost, cost_fast, most = 0;
    float *g = floats(c->fast.room);
    for (size_t i = 0; i < c->fast.room; i++)
        g[i] = 42;
    ok(nn_gradient(&c->nn, c->m, c->x, c->y, c->g, &cost) == NN_OK);
    ok(nn_fast_gradient(&c->fast, c->m, c->fx, c->fy, g, &cost_fast) == NN_OK);
    ok(close_to(cost_fast, cost, 1e-5) && padded(&c->fast, g) && padded(&c->fast, c->fast.p));
    nn_fast_unpack(&c->fast, g, c->g_fast);
    for (size_t i = 0; i < c->nn.params; i++)
        most = fmax(most, fabs(c->g[i]));
    for (size_t i = 0; i < c->nn.params; i++)
        ok(fabs(c->g[i] - c->g_fast[i]) <= 2e-5 * (most + fabs(c->g[i])));
    free(g);
}

static const size_t odd[] = {19, 33, 16, 5};

static void check_fast_gradient(void)
{
    seed_ = 4;
    for (int kind = 0; kind < 48; kind++) {
        struct pair c = {0};
        static const size_t sizes[][5] = {
            {19, 33, 16, 5}, {1, 17, 3, 1}, {40, 1, 50, 17}, {7, 15, 49, 2, 33}};
        int which = kind % 3 + (kind % 9 == 8), layers = which == 3 ? 4 : 3;
        make_pair(&c, sizes[which], layers, kind % 4, kind / 4 % 4,
                  kind / 16 % 2 ? NN_CROSS_ENTROPY : NN_SQUARED, 1 + (size_t)kind % 19,
                  1 + (size_t)kind % 19);
        c.nn.decay = c.fast.decay = kind % 2 ? 0.05 : 0;
        for (c.fast.lanes = 4; c.fast.lanes <= nn_lanes(); c.fast.lanes *= 2) {
            if (kind % 5 == 0 || kind % 5 == 3)
                drop(&c, kind % 5 ? 0.3 : 0.5);
            compare(&c);
            ok(c.fast.t == 0);
            if (c.fast.draw)
                ok(c.draw.state == c.draw_fast.state);
        }
        free_pair(&c);
    }

    /* forward alone, more samples than a batch, nothing dropped, nothing drawn */
    for (size_t m = 0; m <= 9; m++) {
        struct pair c = {0};
        make_pair(&c, odd, 3, NN_TANH, NN_TANH, NN_SQUARED, m ? m : 1, 4);
        float *a = floats(m * 5);
        c.fast.lanes = m % 2 ? 4 : nn_lanes();
        drop(&c, 0.5);
        c.nn.keep = NULL;
        nn_fast_forward(&c.fast, m, c.fx, a);
        ok(c.draw_fast.state == nn_rng_seeded(11).state);
        for (size_t s = 0; s < m; s++) {
            const double *want = nn_forward(&c.nn, c.x + 19 * s);
            for (size_t j = 0; j < 5; j++)
                ok(close_to((double)a[5 * s + j], want[j], 1e-5));
        }
        free(a);
        free_pair(&c);
    }

    /* several threads, and the same bits */
    static const size_t large[] = {100, 80, 40, 10};
    struct pair c = {0};
    make_pair(&c, large, 3, NN_TANH, NN_IDENTITY, NN_CROSS_ENTROPY, 40, 40);
    float *g = floats(c.fast.room), *two = floats(c.fast.room), *a = floats(400), *b = floats(400);
    double cost, cost_two;
    compare(&c);
    ok(nn_fast_gradient(&c.fast, 40, c.fx, c.fy, g, &cost) == NN_OK);
    nn_fast_forward(&c.fast, 40, c.fx, a);
    omp_set_num_threads(2);
    ok(nn_fast_gradient(&c.fast, 40, c.fx, c.fy, two, &cost_two) == NN_OK && cost == cost_two);
    nn_fast_forward(&c.fast, 40, c.fx, b);
    ok(memcmp(g, two, c.fast.room * sizeof *g) == 0 && memcmp(a, b, 400 * sizeof *a) == 0);
    omp_set_num_threads(1);
    free(g);
    free(two);
    free(a);
    free(b);
    free_pair(&c);
}

/* A unit whose draw is exactly the share that is dropped is kept. */
static void check_fast_draw(void)
{
    struct pair c = {0};
    struct nn_rng rng = nn_rng_seeded(11);
    double d = nn_rng_uniform(&rng, 0, 1), cost;
    make_pair(&c, odd, 3, NN_TANH, NN_TANH, NN_SQUARED, 2, 2);
    drop(&c, d);
    ok(nn_fast_gradient(&c.fast, c.m, c.fx, c.fy, c.fast.g, &cost) == NN_OK);
    ok(c.fast.at[1].keep[0] == (float)(1 / (1 - d)));
    free_pair(&c);
}

/* A caller's mistake is an assert. */
static int aborts(void (*call)(void *), void *with)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        call(with);
        _exit(0);
    }
    ok(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void gradient_of_pair(void *with)
{
    struct pair *c = with;
    double cost;
    nn_fast_gradient(&c->fast, c->m, c->fx, c->fy, c->fast.g, &cost);
}

static void learn_of_pair(void *with)
{
    struct pair *c = with;
    double cost;
    nn_fast_learn(&c->fast, c->m, c->fx, c->fy, 0.5, &cost);
}

static void no_hook(void *context, int l)
{
    (void)context;
    (void)l;
}

static void check_fast_asserts(void)
{
    struct pair c = {0};
    make_pair(&c, odd, 3, NN_TANH, NN_TANH, NN_SQUARED, 4, 3);
    for (c.m = 0; c.m <= 4; c.m++) {
        ok(aborts(gradient_of_pair, &c) == (c.m == 0 || c.m == 4));
        ok(aborts(learn_of_pair, &c) == (c.m == 0 || c.m == 4));
    }
    c.m = 3;
    c.fast.layer_done = no_hook;
    ok(!aborts(gradient_of_pair, &c));
    c.fast.decay = 0.5;
    ok(aborts(gradient_of_pair, &c));
    free_pair(&c);
}

/* The engine's numbers where they have one result: the net of check_forward. */
static void check_fast_literally(void)
{
    struct nn nn;
    struct nn_fast f;
    static const size_t size[] = {2, 3, 1};
    static const double p[] = {1, 2, -1, 1, 0.5, -2, 0.5, -1, 0, 3, -1, 2, 0.25};
    static const double want[] = {28.5, -7.125, 0, 0, 19, -4.75, 14.25, 0, 9.5, 7.125, 0, 9.5, 4.75};
    float *x = floats(2), *y = floats(1), *a = floats(1);
    double cost, g[13];
    x[0] = 2;
    x[1] = -0.5f;
    y[0] = 4;
    ok(nn_create(&nn, 2, size, (enum nn_activation[]){NN_RELU, NN_IDENTITY}) == NN_OK);
    memcpy(nn.p, p, sizeof p);
    ok(nn_fast_create(&f, &nn, 1) == NN_OK);
    nn_fast_forward(&f, 1, x, a);
    ok(a[0] == 8.75f);
    ok(nn_fast_gradient(&f, 1, x, y, f.g, &cost) == NN_OK && cost == 4.75 * 4.75 / 2);
    nn_fast_unpack(&f, f.g, g);
    for (size_t i = 0; i < 13; i++)
        ok(g[i] == want[i]);
    ok(nn_fast_learn(&f, 1, x, y, 0.5, &cost) == NN_OK && cost == 4.75 * 4.75 / 2 && f.t == 1);
    nn_fast_unpack(&f, f.p, g);
    for (size_t i = 0; i < 13; i++)
        ok(g[i] == p[i] - 0.5 * want[i]);
    f.decay = 0.5;
    nn_fast_pack(&f, nn.p, f.p);
    const double squares = 1 + 4 + 1 + 1 + 0.25 + 4 + 9 + 1 + 4;
    ok(nn_fast_gradient(&f, 1, x, y, f.g, &cost) == NN_OK && cost == 4.75 * 4.75 / 2 + squares / 4);
    nn_fast_unpack(&f, f.g, g);
    for (size_t i = 0; i < 13; i++)
        ok(g[i] == want[i] + (i < 6 || (i > 8 && i < 12) ? p[i] / 2 : 0));
    f.decay = 1;
    ok(nn_fast_gradient(&f, 1, x, y, f.g, &cost) == NN_OK && cost == 4.75 * 4.75 / 2 + squares / 2);
    nn_fast_destroy(&f);
    nn_destroy(&nn);
    free(x);
    free(y);
    free(a);
}

static void check_fast_learn(void)
{
    seed_ = 5;
    for (int kind = 0; kind < 12; kind++) {
        struct pair c = {0};
        struct nn_optimizer o;
        double cost, cost_fast;
        enum nn_method method = (enum nn_method)(kind % 3);
        make_pair(&c, odd, 3, NN_TANH, NN_SIGMOID, NN_SQUARED, 6, 6);
        ok(nn_optimizer_create(&o, method, c.nn.params) == NN_OK);
        c.fast.method = method;
        c.fast.beta1 = o.beta1 = 0.75;
        c.fast.beta2 = o.beta2 = 0.875;
        c.fast.epsilon = o.epsilon = 0.125;
        c.nn.decay = c.fast.decay = kind / 3 % 2 ? 0.05 : 0;
        if (kind / 6)
            drop(&c, 0.25);
        for (size_t t = 1; t <= 4; t++) {
            ok(nn_gradient(&c.nn, c.m, c.x, c.y, c.g, &cost) == NN_OK);
            nn_optimizer_step(&o, c.nn.p, c.g, 0.5);
            ok(nn_fast_learn(&c.fast, c.m, c.fx, c.fy, 0.5, &cost_fast) == NN_OK);
            ok(close_to(cost_fast, cost, 1e-5) && c.fast.t == t && c.draw.state == c.draw_fast.state);
        }
        const float *parts[] = {c.fast.p, c.fast.v, c.fast.s};
        const double *wants[] = {c.nn.p, o.v, o.s};
        for (int part = 0; part < 3; part++) {
            double most = 0, *want = doubles(c.nn.params);
            memcpy(want, wants[part], c.nn.params * sizeof *want);
            ok(padded(&c.fast, parts[part]));
            nn_fast_unpack(&c.fast, parts[part], c.g_fast);
            for (size_t i = 0; i < c.nn.params; i++)
                most = fmax(most, fabs(want[i]));
            for (size_t i = 0; i < c.nn.params; i++)
                ok(fabs(c.g_fast[i] - want[i]) <= 3e-5 * (fabs(want[i]) + most));
            free(want);
        }
        /* at the rate 0 nothing moves, and the step counts */
        float *old = floats(c.fast.room);
        memcpy(old, c.fast.p, c.fast.room * sizeof *old);
        ok(nn_fast_learn(&c.fast, c.m, c.fx, c.fy, 0, &cost) == NN_OK && c.fast.t == 5);
        ok(memcmp(old, c.fast.p, c.fast.room * sizeof *old) == 0);
        /* nor with what is not finite */
        c.fx[3] = (float)NAN;
        ok(nn_fast_learn(&c.fast, c.m, c.fx, c.fy, 0.5, &cost) == NN_NOT_FINITE && isnan(cost));
        ok(memcmp(old, c.fast.p, c.fast.room * sizeof *old) == 0 && c.fast.t == 5);
        ok(nn_fast_gradient(&c.fast, c.m, c.fx, c.fy, c.fast.g, &cost) == NN_NOT_FINITE);
        free(old);
        nn_optimizer_destroy(&o);
        free_pair(&c);
    }

    /* a slope that overflows alone: of -10 * 3e38, or the last, a bias */
    struct nn nn;
    struct nn_fast f;
    float x[2] = {3e38f, 0.5f}, y[3] = {10, -FLT_MAX, -FLT_MAX}, one[2] = {0.5f, 0.5f};
    double cost;
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_IDENTITY}) == NN_OK);
    ok(nn_fast_create(&f, &nn, 2) == NN_OK);
    for (int method = NN_DESCENT; method <= NN_ADAM; method++) {
        f.method = (enum nn_method)method;
        ok(nn_fast_gradient(&f, 1, x, y, f.g, &cost) == NN_NOT_FINITE && cost == 50);
    }
    ok(nn_fast_learn(&f, 1, x, y, 1, &cost) == NN_NOT_FINITE && f.t == 0 && f.p[0] == 0);
    ok(nn_fast_gradient(&f, 1, one, y + 1, f.g, &cost) == NN_OK);
    ok(f.g[0] == FLT_MAX / 2 && f.g[f.at[1].b] == FLT_MAX);
    nn_fast_destroy(&f);
    nn_destroy(&nn);
    /* a cost that overflows alone */
    ok(nn_create(&nn, 1, (size_t[]){1, 2}, (enum nn_activation[]){NN_IDENTITY}) == NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    nn.p[0] = 3e38;
    nn.p[1] = -3e38;
    ok(nn_fast_create(&f, &nn, 1) == NN_OK);
    x[0] = 1;
    y[0] = 0;
    y[1] = 1;
    ok(nn_fast_gradient(&f, 1, x, y, f.g, &cost) == NN_NOT_FINITE && cost == inf);
    ok(f.g[0] == 1 && f.g[1] == -1);
    nn_fast_destroy(&f);
    nn_destroy(&nn);

    /* logits beyond what expf can do, the largest in each place */
    ok(nn_create(&nn, 1, (size_t[]){1, 3}, (enum nn_activation[]){NN_IDENTITY}) == NN_OK);
    nn.loss = NN_CROSS_ENTROPY;
    for (size_t at = 0; at < 6; at++) {
        double most = at < 3 ? 1000 : -1000;
        for (size_t j = 0; j < 3; j++)
            nn.p[3 + j] = j == at % 3 ? most : most - 500 - 100 * (double)j;
        ok(nn_fast_create(&f, &nn, 1) == NN_OK);
        float t[3] = {0.25f, 0.25f, 0.5f};
        ok(nn_fast_gradient(&f, 1, x, t, f.g, &cost) == NN_OK);
        double want = 0;
        for (size_t j = 0; j < 3; j++) {
            want += (double)t[j] * (most - nn.p[3 + j]);
            ok(f.g[j] == (float)(j == at % 3) - t[j]);
        }
        ok(close_to(cost, want, 1e-6));
        nn_fast_destroy(&f);
    }
    nn_destroy(&nn);
}

/* The hook of nn_fast_gradient: who is told what. */
struct told {
    struct pair *c;
    const float *g;
    const double *cost;
    float *whole;
    double want;
    int calls;
};

static void told(void *context, int l)
{
    struct told *t = context;
    const struct nn_fast_layer *at = &t->c->fast.at[l];
    ok(l == 3 - t->calls++ && *t->cost == t->want);
    size_t n = at->b + at->panels * 16 - at->w;
    ok(memcmp(t->g + at->w, t->whole + at->w, n * sizeof(float)) == 0);
}

static void check_hook(void)
{
    struct pair c = {0};
    double cost, want;
    make_pair(&c, odd, 3, NN_TANH, NN_TANH, NN_SQUARED, 5, 8);
    float *whole = floats(c.fast.room), *g = floats(c.fast.room);
    ok(nn_fast_gradient(&c.fast, c.m, c.fx, c.fy, whole, &want) == NN_OK);
    struct told t = {&c, g, &cost, whole, want, 0};
    c.fast.layer_done = told;
    c.fast.context = &t;
    ok(nn_fast_gradient(&c.fast, c.m, c.fx, c.fy, g, &cost) == NN_OK && t.calls == 3);
    ok(nn_fast_learn(&c.fast, c.m, c.fx, c.fy, 0.5, &cost) == NN_OK && t.calls == 3);
    free(whole);
    free(g);
    free_pair(&c);

    /* with it a slope that overflows is not seen, a cost is */
    struct nn nn;
    struct nn_fast f;
    float x = 3e38f, y = 10;
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, (enum nn_activation[]){NN_IDENTITY}) == NN_OK);
    ok(nn_fast_create(&f, &nn, 1) == NN_OK);
    ok(nn_fast_gradient(&f, 1, &x, &y, f.g, &cost) == NN_NOT_FINITE);
    f.layer_done = no_hook;
    ok(nn_fast_gradient(&f, 1, &x, &y, f.g, &cost) == NN_OK && cost == 50);
    y = inf_;
    ok(nn_fast_gradient(&f, 1, &x, &y, f.g, &cost) == NN_NOT_FINITE);
    nn_fast_destroy(&f);
    nn_destroy(&nn);
}

/* -------------------------------------------------------------- the training */

static void check_rates(void)
{
    const double pi = acos(-1);
    for (size_t step = 0; step < 20; step++) {
        double way = (double)step / 20, up = way / 0.3, down = (way - 0.3) / 0.7;
        ok(nn_rate_at(NN_CONSTANT, 3, step, 20) == 3);
        is(nn_rate_at(NN_COSINE, 3, step, 20), 1.5 * (1 + cos(pi * way)));
        is(nn_rate_at(NN_ONE_CYCLE, 3, step, 20),
           step < 6 ? 3 * (0.04 + 0.96 * up) : 1.5 * (1 + cos(pi * down)));
    }
    ok(nn_rate_at((enum nn_schedule)99, 3, 1, 20) == 3);

    double *kept = doubles(2), p[2] = {1, 2};
    struct nn_best best = {.n = 2, .p = kept};
    ok(nn_best_offer(&best, -5, p) == 0 && kept[0] == 1 && kept[1] == 2 && best.score == -5);
    p[0] = 3;
    ok(nn_best_offer(&best, -5, p) == 1 && kept[0] == 1);
    ok(nn_best_offer(&best, -6, p) == 2 && best.score == -5 && best.offers == 3);
    ok(nn_best_offer(&best, -4, p) == 0 && kept[0] == 3 && best.since == 0 && best.score == -4);
    ok(nn_best_offer(&best, -4.5, p) == 1);
    free(kept);
}

enum { MANY = 7, SOME = 3, IN = 4, OUT = 2 };

struct set {
    double x[MANY * IN], y[MANY * OUT];
};

static void fetch(const void *data, size_t s, double *x, double *y)
{
    const struct set *set = data;
    ok(s < MANY);
    memcpy(x, set->x + IN * s, IN * sizeof *x);
    memcpy(y, set->y + OUT * s, OUT * sizeof *y);
}

/* What was told after each step, and when to stop. */
struct log {
    size_t calls, stop;
    struct nn_now now[32];
    const struct nn *nn; // is up to date with fast where an epoch ends, and only there
    const struct nn_fast *fast;
    const struct nn_optimizer *o;
    size_t t; // of o, when nn was up to date
};

static int after(void *context, const struct nn_now *now)
{
    struct log *log = context;
    ok(log->calls < 32);
    log->now[log->calls++] = *now;
    if (log->fast && !now->epoch_ends)
        ok(log->o->t == log->t);
    if (log->fast && now->epoch_ends) {
        log->t = log->o->t;
        double *p = doubles(log->nn->params);
        nn_fast_unpack(log->fast, log->fast->p, p);
        ok(memcmp(p, log->nn->p, log->nn->params * sizeof *p) == 0);
        free(p);
    }
    return log->calls == log->stop;
}

/* The same training written out: two epochs, batches of 3, 3 and 1. */
struct written {
    struct nn nn;
    struct nn_optimizer o;
    struct nn_fast fast;
    struct nn_rng rng;
    size_t steps;
    double rate[32], cost[32];
};

static void write_out(struct written *w, const struct set *set, const struct nn_training *how,
                      size_t epochs, size_t batch)
{
    size_t order[MANY], steps = epochs * ((MANY + batch - 1) / batch);
    double *x = doubles(batch * IN), *y = doubles(batch * OUT), *g = doubles(47), keep[14] = {0};
    float *fx = floats(batch * IN), *fy = floats(batch * OUT);
    for (size_t s = 0; s < MANY; s++)
        order[s] = s;
    w->steps = 0;
    if (how->drop > 0) {
        w->nn.keep = keep;
        w->nn.draw = &w->rng;
        w->nn.drop = how->drop;
        w->fast.draw = &w->rng;
        w->fast.drop = how->drop;
    }
    for (size_t e = 0; e < epochs; e++) {
        double sum = 0, cost;
        nn_rng_shuffle(&w->rng, order, MANY);
        for (size_t first = 0; first < MANY; first += batch) {
            size_t b = MANY - first < batch ? MANY - first : batch;
            double rate = nn_rate_at(how->schedule, how->rate, w->steps, steps);
            for (size_t i = 0; i < b; i++)
                fetch(set, order[first + i], x + IN * i, y + OUT * i);
            if (how->fast) {
                for (size_t i = 0; i < b * IN; i++)
                    fx[i] = (float)x[i];
                for (size_t i = 0; i < b * OUT; i++)
                    fy[i] = (float)y[i];
                ok(nn_fast_learn(&w->fast, b, fx, fy, rate, &cost) == NN_OK);
            } else {
                ok(nn_gradient(&w->nn, b, x, y, g, &cost) == NN_OK);
                if (how->clip > 0)
                    nn_clip(47, g, how->clip);
                nn_optimizer_step(&w->o, w->nn.p, g, rate);
            }
            sum += cost * (double)b;
            w->rate[w->steps] = rate;
            w->cost[w->steps++] = sum / (double)(first + b);
        }
    }
    w->nn.keep = NULL;
    w->nn.draw = NULL;
    w->fast.draw = NULL;
    free(x);
    free(y);
    free(g);
    free(fx);
    free(fy);
}

static void same_training(const struct written *w, const struct nn *nn,
                          const struct nn_optimizer *o, const struct nn_rng *rng, int fast)
{
    double p[47], v[47], s[47];
    memcpy(p, w->nn.p, sizeof p);
    memcpy(v, w->o.v, sizeof v);
    memcpy(s, w->o.s, sizeof s);
    if (fast) {
        nn_fast_unpack(&w->fast, w->fast.p, p);
        nn_fast_unpack(&w->fast, w->fast.v, v);
        nn_fast_unpack(&w->fast, w->fast.s, s);
    }
    ok(memcmp(p, nn->p, sizeof p) == 0 && memcmp(v, o->v, sizeof v) == 0);
    ok(memcmp(s, o->s, sizeof s) == 0 && o->t == w->steps && rng->state == w->rng.state);
    ok(!nn->keep && !nn->draw);
}

static void check_train(void)
{
    static struct set set;
    long had = live;
    seed_ = 6;
    fill(set.x, MANY * IN, -1, 1);
    targets(set.y, MANY, OUT);
    const struct nn_samples samples = {MANY, fetch, &set};
    for (int kind = 0; kind < 24; kind++) {
        struct written w = {0};
        struct nn nn;
        struct nn_optimizer o;
        struct nn_fast fast;
        struct nn_rng rng = nn_rng_seeded((uint64_t)kind);
        struct log log = {0};
        struct nn_now now;
        int is_fast = kind % 4 == 3;
        size_t batch = kind % 5 == 4 ? 7 : kind % 5 == 3 ? 100 : SOME;
        size_t per_epoch = batch == SOME ? 3 : 1, epochs = 3;
        enum nn_method method = (enum nn_method)(kind / 4 % 3);
        struct nn_training how = {.epochs = epochs, .batch = batch, .rate = 0.5,
            .schedule = (enum nn_schedule)(kind % 3), .drop = kind / 12 ? 0.25 : 0, .rng = &rng,
            .after = after, .context = &log, .fast = is_fast ? &fast : NULL,
            .clip = kind % 4 == 2 ? 0.05 : 0};
        random_net(&nn, four, 3, NN_TANH, NN_SIGMOID, NN_SQUARED);
        ok(nn_create(&w.nn, 3, four, nn.sigma + 1) == NN_OK);
        memcpy(w.nn.p, nn.p, 47 * sizeof *nn.p);
        nn.decay = w.nn.decay = kind % 2 ? 0.01 : 0;
        ok(nn_optimizer_create(&o, method, 47) == NN_OK);
        ok(nn_optimizer_create(&w.o, method, 47) == NN_OK);
        o.beta1 = w.o.beta1 = 0.75;
        o.beta2 = w.o.beta2 = 0.875;
        o.epsilon = w.o.epsilon = 0.01;
        o.t = w.o.t = is_fast ? 2 : 0;
        if (is_fast)
            for (size_t i = 0; i < 47; i++) {
                o.v[i] = w.o.v[i] = (double)i / 64;
                o.s[i] = w.o.s[i] = (double)(47 - i) / 64;
            }
        size_t room = batch < MANY ? batch : MANY;
        ok(nn_fast_create(&fast, &nn, room) == NN_OK && nn_fast_create(&w.fast, &nn, room) == NN_OK);
        fast.p[0] = 77; // nn_train takes p, v, s and the rest from nn and o
        fast.method = NN_MOMENTUM;
        fast.decay = 9;
        w.fast.method = method;
        w.fast.beta1 = 0.75;
        w.fast.beta2 = 0.875;
        w.fast.epsilon = 0.01;
        w.fast.t = o.t;
        nn_fast_pack(&w.fast, o.v, w.fast.v);
        nn_fast_pack(&w.fast, o.s, w.fast.s);
        w.rng = rng;
        write_out(&w, &set, &how, epochs, batch);

        /* in one go; what was set for dropout does not count */
        double silent[14] = {0};
        nn.keep = silent;
        log.nn = &nn;
        log.fast = how.fast;
        log.o = &o;
        log.t = o.t;
        double p[47], v[47], s[47];
        struct nn_rng begin = rng;
        memcpy(p, nn.p, sizeof p);
        memcpy(v, o.v, sizeof v);
        memcpy(s, o.s, sizeof s);
        size_t t = o.t;
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
        o.t -= t;
        same_training(&w, &nn, &o, &rng, is_fast);
        ok(log.calls == w.steps && now.steps == w.steps && now.step == w.steps);
        ok(!fast.draw && now.epoch == epochs && now.epoch_ends);
        ok(memcmp(&now, &log.now[log.calls - 1], sizeof now) == 0);
        for (size_t i = 0; i < log.calls; i++) {
            ok(log.now[i].step == i + 1 && log.now[i].epoch == i / per_epoch + 1);
            ok(log.now[i].epoch_ends == ((i + 1) % per_epoch == 0));
            ok(log.now[i].rate == w.rate[i] && log.now[i].steps == w.steps);
            is(log.now[i].cost, w.cost[i]);
            ok(log.now[i].born[0] == 0);
        }

        /* in three pieces: stopped, and taken up from the place */
        size_t order[MANY + 1] = {[MANY] = 99};
        struct nn_place place = {.order = order};
        how.place = &place;
        memcpy(nn.p, p, sizeof p);
        memcpy(o.v, v, sizeof v);
        memcpy(o.s, s, sizeof s);
        o.t = t;
        rng = begin;
        size_t stop = 1 + (size_t)kind % 2;
        log = (struct log){.stop = stop, .nn = &nn, .fast = how.fast, .o = &o, .t = o.t};
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && log.calls == stop && now.step == stop);
        ok(place.step == stop);
        is(place.sum / (double)(per_epoch == 3 ? 3 * stop : 7), w.cost[stop - 1]);
        log.stop = 3;
        log.t = o.t;
        memset(&fast.p[1], 0, sizeof *fast.p);
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && log.calls == 3 && now.step == 3);
        log.stop = 0;
        log.t = o.t;
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && log.calls == w.steps);
        o.t -= t;
        same_training(&w, &nn, &o, &rng, is_fast);
        for (size_t i = 0; i < log.calls; i++) {
            ok(log.now[i].step == i + 1 && log.now[i].epoch == i / per_epoch + 1);
            ok(log.now[i].rate == w.rate[i] && log.now[i].steps == w.steps);
            is(log.now[i].cost, w.cost[i]);
        }
        /* at the end there is nothing left to do; beyond it is no place */
        size_t calls = log.calls;
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && log.calls == calls);
        ok(now.step == w.steps && order[MANY] == 99);
        place.step++;
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_BAD_SIZE && log.calls == calls);

        nn_fast_destroy(&w.fast);
        nn_fast_destroy(&fast);
        nn_optimizer_destroy(&w.o);
        nn_optimizer_destroy(&o);
        nn_destroy(&w.nn);
        nn_destroy(&nn);
        ok(live == had);
    }
}

static size_t bad_sample, held_then;
static double bad_value;
static int bad_target;

static void fetch_bad(const void *data, size_t s, double *x, double *y)
{
    fetch(data, s, x, y);
    if (s == bad_sample)
        *(bad_target ? y + 1 : x + 2) = bad_value;
    held_then = held;
}

/* For nets with one input and one output: all samples are the same, or two. */
static const double *of_all, *of_second;

static void fetch_one(const void *data, size_t s, double *x, double *y)
{
    const double *from = s % 2 && of_second ? of_second : of_all;
    (void)data;
    *x = from[0];
    *y = from[1];
}

/* Whether a net of two parameters, from zeros, stops at that step, and blames BORN. */
static int stops(struct nn *nn, struct nn_optimizer *o, const struct nn_training *how, size_t step, const char *born)
{
    struct nn_now now;
    struct nn_samples samples = {6, fetch_one, NULL};
    memset(nn->p, 0, 2 * sizeof *nn->p);
    memset(o->v, 0, 2 * sizeof *o->v);
    return nn_train(nn, &samples, o, how, &now) == NN_NOT_FINITE && now.step == step &&
           strcmp(now.born, born) == 0;
}

/* What the training of a net of single units says that cannot go on. */
static void check_single(void)
{
    struct nn nn;
    struct nn_optimizer o;
    struct nn_fast fast;
    struct nn_rng rng = nn_rng_seeded(1);
    struct nn_now now;
    struct nn_samples samples = {6, fetch_one, NULL};
    struct nn_training how = {.epochs = 1, .batch = 3, .rate = 1, .rng = &rng};
    static const enum nn_activation s[] = {NN_IDENTITY, NN_IDENTITY};

    /* costs that are finite each, and whose sum is not */
    ok(nn_create(&nn, 1, (size_t[]){1, 1}, s) == NN_OK);
    ok(nn_optimizer_create(&o, NN_MOMENTUM, 2) == NN_OK);
    of_all = (const double[]){1, 1.3e154};
    ok(stops(&nn, &o, &how, 1, "sum") && nn.p[0] == 0 && nn.p[1] == 0);
    /* the weight alone overflows, or the bias */
    of_all = (const double[]){1e200, 1};
    how.rate = 1e200;
    ok(stops(&nn, &o, &how, 1, "w1_1,1"));
    of_all = (const double[]){0, 1e10};
    how.rate = 1e305;
    ok(stops(&nn, &o, &how, 1, "b1_1"));
    /* the engine's parameters are taken back before anybody looks for a name */
    ok(nn_fast_create(&fast, &nn, 1) == NN_OK);
    of_all = (const double[]){1, -1e15};
    how = (struct nn_training){.epochs = 1, .batch = 1, .rate = 1e30, .rng = &rng, .fast = &fast};
    ok(stops(&nn, &o, &how, 2, "w1_1,1") && isinf(nn.p[0]));
    nn_fast_destroy(&fast);
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);

    /* a hidden unit that overflows where it is not dropped: the first such sample */
    ok(nn_create(&nn, 2, (size_t[]){1, 1, 1}, s) == NN_OK);
    ok(nn_optimizer_create(&o, NN_DESCENT, 4) == NN_OK);
    of_all = (const double[]){1e300, 0};
    for (uint64_t seed = 0; seed < 8; seed++)
        for (int dropped = 0; dropped < 2; dropped++) {
            struct nn_rng again = rng = nn_rng_seeded(seed);
            size_t order[6] = {0, 1, 2, 3, 4, 5}, at = 0;
            nn_rng_shuffle(&again, order, 6);
            while (dropped && at < 6 && nn_rng_uniform(&again, 0, 1) < 0.75)
                at++;
            memcpy(nn.p, (double[]){1, 0, 1e10, 0}, 4 * sizeof *nn.p);
            nn.drop = 0.75; // if dropout is off, of no importance
            how = (struct nn_training){.epochs = 1, .batch = 3, .rate = 1, .rng = &rng,
                                       .drop = dropped ? 0.75 : 0};
            ok(nn_train(&nn, &samples, &o, &how, &now) == (at < 6 ? NN_NOT_FINITE : NN_OK));
            if (at < 6)
                ok(strcmp(now.born, "z2_1") == 0 && now.sample == order[at] && now.step == at / 3 + 1);
        }
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
}

struct call {
    struct nn *nn;
    const struct nn_samples *samples;
    struct nn_optimizer *o;
    const struct nn_training *how;
};

static void train_of_call(void *with)
{
    struct call *c = with;
    struct nn_now now;
    nn_train(c->nn, c->samples, c->o, c->how, &now);
}

static void check_train_fails(void)
{
    static struct set set;
    long had = live;
    const size_t most = PTRDIFF_MAX / sizeof(double);
    struct nn nn;
    struct nn_optimizer o;
    struct nn_fast fast;
    struct nn_rng rng = nn_rng_seeded(1);
    struct nn_now now;
    seed_ = 7;
    fill(set.x, MANY * IN, -1, 1);
    targets(set.y, MANY, OUT);
    struct nn_samples samples = {MANY, fetch_bad, &set};
    struct nn_training how = {.epochs = 2, .batch = SOME, .rate = 0.5, .rng = &rng};
    random_net(&nn, four, 3, NN_TANH, NN_SIGMOID, NN_SQUARED);
    ok(nn_optimizer_create(&o, NN_MOMENTUM, 47) == NN_OK && nn_fast_create(&fast, &nn, SOME) == NN_OK);
    long ours = live;
    double p[47];
    memcpy(p, nn.p, sizeof p);

    fast.p[0] = 77;
    for (int is_fast = 0; is_fast < 2; is_fast++) {
        how.fast = is_fast ? &fast : NULL;
        for (long nth = 1; nth <= (is_fast ? 7 : 5); nth++) {
            refused = requests + nth;
            ok(nn_train(&nn, &samples, &o, &how, &now) == NN_NO_MEMORY && live == ours);
            ok(now.step == 0 && memcmp(p, nn.p, sizeof p) == 0);
        }
        refused = 0;
    }
    how.fast = NULL;
    struct {
        size_t m, batch, epochs;
    } bad[] = {{0, 3, 2}, {7, 0, 2}, {most + 1, 3, 2}, {SIZE_MAX, 3, 2}, {most, most, 1},
               {most, most / 4 + 1, 1}, {7, 3, most / 2}, {7, 3, SIZE_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        samples.m = bad[i].m;
        how.batch = bad[i].batch;
        how.epochs = bad[i].epochs;
        ok(nn_train(&nn, &samples, &o, &how, &now) == NN_BAD_SIZE && live == ours);
    }
    samples.m = most;
    how.batch = most / 4;
    how.epochs = 1;
    ok(nn_train(&nn, &samples, &o, &how, &now) == NN_NO_MEMORY && live == ours);
    samples.m = 1;
    how.batch = 1;
    how.epochs = 1;
    ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && now.step == 1);
    memcpy(nn.p, p, sizeof p);
    /* an engine that is not of the net, that clips, or is too small */
    struct call call = {&nn, &samples, &o, &how};
    how.fast = &fast;
    samples.m = MANY;
    how.batch = SOME;
    ok(!aborts(train_of_call, &call));
    fast.params = 46;
    ok(aborts(train_of_call, &call));
    fast.params = 47;
    how.clip = 1;
    ok(aborts(train_of_call, &call));
    how.clip = 0;
    how.batch = SOME + 1;
    ok(aborts(train_of_call, &call));
    samples.m = SOME;
    ok(!aborts(train_of_call, &call));
    samples.m = SOME + 1;
    ok(aborts(train_of_call, &call));
    how.fast = NULL;
    /* the room that is taken */
    size_t bytes;
    for (int is_fast = 0; is_fast < 2; is_fast++)
        for (size_t b = 3; b <= 8; b += 5) {
            struct nn_fast wide;
            size_t one = b < MANY ? b : MANY;
            samples.m = MANY;
            how.batch = b;
            ok(nn_fast_create(&wide, &nn, b) == NN_OK);
            how.fast = is_fast ? &wide : NULL;
            bytes = held;
            ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
            bytes += MANY * sizeof(size_t) + (one * 6 + 47 + 14) * sizeof(double);
            ok(held_then == bytes + (is_fast ? one * 6 * sizeof(float) : 0));
            nn_fast_destroy(&wide);
            how.fast = NULL;
            memcpy(nn.p, p, sizeof p);
        }
    /* more outputs than inputs */
    struct nn wide;
    ok(nn_create(&wide, 1, (size_t[]){1, 2}, (enum nn_activation[]){NN_TANH}) == NN_OK);
    samples.m = most;
    how.batch = most / 2 + 1;
    ok(nn_train(&wide, &samples, &o, &how, &now) == NN_BAD_SIZE && live == ours + 7);
    how.batch = most / 2;
    ok(nn_train(&wide, &samples, &o, &how, &now) == NN_NO_MEMORY && live == ours + 7);
    nn_destroy(&wide);
    /* the most epochs that can be counted; one step is enough */
    struct log log = {.stop = 1};
    samples.m = MANY;
    how = (struct nn_training){.epochs = most / 3, .batch = SOME, .rate = 0.5, .rng = &rng,
                               .after = after, .context = &log};
    ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && now.steps == most / 3 * 3);
    memcpy(nn.p, p, sizeof p);
    how = (struct nn_training){.batch = SOME, .rate = 0.5, .rng = &rng};
    samples.m = MANY;
    how.batch = SOME;
    how.epochs = 0;
    ok(nn_train(&nn, &samples, &o, &how, &now) == NN_OK && now.steps == 0 && now.step == 0);
    how.epochs = 2;

    /* an input that is not finite: its sample, its name, and nothing moved */
    for (bad_sample = 0; bad_sample < MANY; bad_sample++)
        for (int is_fast = 0; is_fast < 2; is_fast++) {
            bad_target = bad_sample > 3;
            struct nn_rng again = rng;
            size_t order[MANY], at = 0;
            for (size_t s = 0; s < MANY; s++)
                order[s] = s;
            nn_rng_shuffle(&again, order, MANY);
            while (order[at] != bad_sample)
                at++;
            bad_value = bad_sample % 2 ? nan_ : inf;
            how.fast = is_fast ? &fast : NULL;
            how.drop = bad_sample < 3 ? 0.25 : 0;
            ok(nn_train(&nn, &samples, &o, &how, &now) == NN_NOT_FINITE);
            ok(strcmp(now.born, bad_target ? "y_2" : "x_3") == 0 && now.sample == bad_sample);
            ok(now.step == at / SOME + 1 && !nn.keep && !nn.draw && live == ours);
            ok(isfinite(nn.p[0]) && isfinite(nn.p[46]) && !fast.draw);
            if (at < SOME)
                ok(memcmp(p, nn.p, sizeof p) == 0);
            memcpy(nn.p, p, sizeof p);
        }
    bad_sample = MANY;

    /* a parameter that a step makes infinite */
    how = (struct nn_training){.epochs = 2, .batch = SOME, .rate = inf, .rng = &rng};
    ok(nn_train(&nn, &samples, &o, &how, &now) == NN_NOT_FINITE && now.step == 1);
    ok(now.born[0] == 'w' && live == ours);
    memcpy(nn.p, p, sizeof p);
    how.fast = &fast;
    ok(nn_train(&nn, &samples, &o, &how, &now) == NN_NOT_FINITE);

    nn_fast_destroy(&fast);
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
    ok(live == had);
}

/* `kill learn' asks what one sees who only trains: whether the net of chapter 9 learns
   XOR from nine starts of ten. */
static int learns(void)
{
    static const double x[] = {0, 0, 0, 1, 1, 0, 1, 1}, y[] = {1, 0, 0, 1, 0, 1, 1, 0};
    int solved = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct nn nn;
        struct nn_rng rng = nn_rng_seeded(seed);
        double g[64], cost;
        if (nn_create(&nn, 3, (size_t[]){2, 3, 3, 2},
                      (enum nn_activation[]){NN_TANH, NN_TANH, NN_SIGMOID}) != NN_OK)
            return 0;
        nn_randomize(&nn, &rng);
        for (int step = 0, off = 1; off && step <= 5000; step++) {
            off = 0;
            for (int s = 0; s < 4; s++) {
                const double *a = nn_forward(&nn, x + 2 * s);
                off |= !(fabs(a[0] - y[2 * s]) < 0.1 && fabs(a[1] - y[2 * s + 1]) < 0.1);
            }
            solved += !off;
            if (nn_gradient(&nn, 4, x, y, g, &cost) != NN_OK)
                return 0;
            nn_step(&nn, g, 1);
        }
    }
    return solved >= 9;
}

int main(int argc, char **argv)
{
    static char out[256];
    setvbuf(stdout, out, _IOFBF, sizeof out);
    setrlimit(RLIMIT_CPU, &(struct rlimit){3, 3});
    setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)1 << 30, (rlim_t)1 << 30});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    alarm(15); // the time of a busy machine, or of threads that wait for each other
    omp_set_num_threads(1);
    if (argc > 1 && strcmp(argv[1], "learn") == 0)
        return !learns();
    check_losses();
    check_optimizers();
    check_rng();
    check_sigma();
    check_create();
    check_forward();
    check_one_neuron();
    check_watch();
    check_rates();
    check_gradients();
    check_check();
    check_fast_create();
    check_fast_literally();
    check_fast_draw();
    check_fast_asserts();
    check_product();
    check_fast_gradient();
    check_fast_learn();
    check_hook();
    check_train();
    check_train_fails();
    check_single();
    ok(live == 0);
    return 0;
}

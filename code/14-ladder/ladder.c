/* Tangled from chapters/14-ladder.nw: edit there. Sum 3115624437. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o ladder code/14-ladder/ladder.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/fast.h"
#include "nn/init.h"
#include "nn/pictures.h"

#define TEMPLATE "14-ladder/peak.h"
#include "nn/widths.h"

static size_t multiply_adds;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static int by_size(const void *a, const void *b)
{
    double s = *(const double *)a, t = *(const double *)b;
    return (s > t) - (s < t);
}

static double median(double *t, size_t n)
{
    qsort(t, n, sizeof *t, by_size);
    return (t[(n - 1) / 2] + t[n / 2]) / 2;
}
enum { PEAK_ROUNDS = 7 };

static double multiply_add(int lanes, size_t times)
{
#if defined __x86_64__
    if (lanes == 16)
        return multiply_add_16(times);
    if (lanes == 8)
        return multiply_add_8(times);
#endif
    (void)lanes;
    return multiply_add_4(times);
}

static double read_all(int lanes, const float *p, size_t n,
                       size_t times)
{
#if defined __x86_64__
    if (lanes == 16)
        return read_16(p, n, times);
    if (lanes == 8)
        return read_8(p, n, times);
#endif
    (void)lanes;
    return read_4(p, n, times);
}

static volatile double kept; // so that no loop is left out
/* In 10^9 operations, two for a multiply-add. */
static double peak(int lanes)
{
    double rate[PEAK_ROUNDS];
    const size_t times = 1000000;
    for (int r = 0; r < PEAK_ROUNDS; r++) {
        double start = now();
        kept = multiply_add(lanes, times);
        double flops = 2.0 * CHAINS_4 * lanes * (double)times;
        rate[r] = flops / (now() - start) * 1e-9;
    }
    return median(rate, PEAK_ROUNDS);
}
/* In 10^9 bytes, from an array of n floats read over and over. */
static double bandwidth(const float *p, size_t n)
{
    double rate[PEAK_ROUNDS];
    size_t times = ((size_t)1 << 24) / n + 1;
    kept = read_all(nn_lanes(), p, n, 1);
    for (int r = 0; r < PEAK_ROUNDS; r++) {
        double start = now();
        kept = read_all(nn_lanes(), p, n, times);
        double bytes = (double)(n * sizeof *p * times);
        rate[r] = bytes / (now() - start) * 1e-9;
    }
    return median(rate, PEAK_ROUNDS);
}

/* The floats that fill half of a cache, or of a usual one. */
static size_t half_of_cache(int level)
{
    long bytes = sysconf(level == 1 ? _SC_LEVEL1_DCACHE_SIZE
                                    : _SC_LEVEL2_CACHE_SIZE);
    if (bytes <= 0)
        bytes = (level == 1 ? 32 : 512) * 1024L;
    return (size_t)bytes / sizeof(float) / 2;
}
/* What a product sees of a layer. Units lie row apart from one
   sample to the next; weights as the rung wants them. */
struct part {
    size_t n, n_before, row, row_before;
    float *w, *b, *dw, *db;      // in job->p and job->slopes
    const float *a_before;       // [m][row_before]
    float *a, *dz, *dz_before;   // [m][row], [m][row_before]
};

struct job {
    struct nn start;       // the net as it begins: 784, H, 10
    size_t m;              // pictures
    float *x, *y;          // [m][784], [m][10]
    struct nn nn;          // the rungs in double learn in this,
    double *xd, *yd, *g;   // from x and y in double, with slopes
    struct part part[3];   // those in float in these; [0] unused
    float *p, *slopes;     // all their parameters and slopes,
    size_t room;           // so many floats
    struct nn_fast fast;   // ... and those of the library in this
};

struct rung {
    const char *name, *idea;
    void (*load)(struct job *, const struct rung *);
    void (*learn)(struct job *, const struct rung *, size_t s,
                  size_t m, float rate);
    void (*read)(struct job *, const struct rung *, double *p);
    int turned; // w[k][j] in place of w[j][k]
    int alone;  // one sample at a time
    void (*forward)(size_t m, const struct part *);
    void (*back)(size_t m, const struct part *);
    void (*weights)(size_t m, const struct part *);
    int bytes;    // of a number; then numbers read and written:
    double ahead; // for a multiply-add, forward
    double behind; // ... of the slopes of the weights
    double step;  // for a parameter, once a batch
    int vectors;  // a tile of nn_product, so many lanes; -1: widest
    int threads;  // as many as there are
};
static double sample_cost(const struct nn *nn, const double *a,
                          const double *y)
{
    size_t n = nn->size[nn->layers];
    double sum = 0;
    if (nn->loss == NN_CROSS_ENTROPY)
        return nn_cross_entropy(n, a, y);
    for (size_t j = 0; j < n; j++)
        sum += (a[j] - y[j]) * (a[j] - y[j]);
    return sum / (2 * (double)n);
}
static const double *strided_forward(struct nn *nn,
                                     const double *x)
{
    for (size_t k = 0; k < nn->size[0]; k++)
        nn->a[k] = x[k];
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        const double *w_j = nn->p + at.w, *b = nn->p + at.b;
        const double *a_before = nn->a + at.unit_before;
        double *z = nn->z + at.unit, *a = nn->a + at.unit;
        for (size_t j = 0; j < at.n; j++) {
            z[j] = b[j];
            for (size_t k = 0; k < at.n_before; k++)
                z[j] += w_j[k * at.n + j] * a_before[k];
            a[j] = nn_sigma(nn->sigma[l], z[j]);
        }
    }
    return nn->a + nn_layer_at(nn, nn->layers).unit;
}

static enum nn_status strided_gradient(struct nn *nn, size_t m,
        const double *x, const double *y, double *g, double *cost)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    size_t n_in = nn->size[0], n_out = last.n;
    double *da_out = nn->da + last.unit, sum = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t s = 0; s < m; s++) {
        const double *a = strided_forward(nn, x + s * n_in);
        for (size_t j = 0; j < n_out; j++)
            da_out[j] = (a[j] - y[s * n_out + j]) / (double)(n_out * m);
        sum += sample_cost(nn, a, y + s * n_out);
        if (nn->loss == NN_CROSS_ENTROPY) {
            nn_softmax(n_out, a, da_out);
            for (size_t j = 0; j < n_out; j++)
                da_out[j] = (da_out[j] - y[s * n_out + j]) / (double)m;
        }

        for (int l = nn->layers; l >= 1; l--) {
            struct nn_layer at = nn_layer_at(nn, l);
            enum nn_activation sigma = nn->sigma[l];
            size_t n = at.n, n_before = at.n_before;
            const double *w = nn->p + at.w, *z = nn->z + at.unit;
            const double *a_before = nn->a + at.unit_before;
            double *da = nn->da + at.unit, *dz = nn->dz + at.unit;
            double *dw = g + at.w, *db = g + at.b;
            double *da_before = nn->da + at.unit_before;
            if (nn->keep && l < nn->layers)
                for (size_t j = 0; j < n; j++)
                    da[j] *= nn->keep[at.unit + j];
            for (size_t k = 0; k < n_before; k++)
                da_before[k] = 0;
            for (size_t j = 0; j < n; j++) {
                dz[j] = da[j] * nn_slope(sigma, z[j]);
                db[j] += dz[j];
                for (size_t k = 0; k < n_before; k++) {
                    dw[k * n + j] += dz[j] * a_before[k];
                    da_before[k] += dz[j] * w[k * n + j];
                }
            }
        }
    }
    *cost = sum / (double)m;
    *cost += nn_decay(nn, g);
    int finite = isfinite(*cost);
    for (size_t i = 0; finite && i < nn->params; i++)
        finite = isfinite(g[i]);
    return finite ? NN_OK : NN_NOT_FINITE;
}
static enum nn_status lean_gradient(struct nn *nn, size_t m,
        const double *x, const double *y, double *g, double *cost)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    size_t n_in = nn->size[0], n_out = last.n;
    double *da_out = nn->da + last.unit, sum = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t s = 0; s < m; s++) {
        const double *a = nn_forward(nn, x + s * n_in);
        for (size_t j = 0; j < n_out; j++)
            da_out[j] = (a[j] - y[s * n_out + j]) / (double)(n_out * m);
        sum += sample_cost(nn, a, y + s * n_out);
        if (nn->loss == NN_CROSS_ENTROPY) {
            nn_softmax(n_out, a, da_out);
            for (size_t j = 0; j < n_out; j++)
                da_out[j] = (da_out[j] - y[s * n_out + j]) / (double)m;
        }

        for (int l = nn->layers; l >= 1; l--) {
            struct nn_layer at = nn_layer_at(nn, l);
            enum nn_activation sigma = nn->sigma[l];
            size_t n = at.n, n_before = at.n_before;
            const double *w = nn->p + at.w, *z = nn->z + at.unit;
            const double *a_before = nn->a + at.unit_before;
            double *da = nn->da + at.unit, *dz = nn->dz + at.unit;
            double *dw = g + at.w, *db = g + at.b;
            double *da_before = nn->da + at.unit_before;
            if (nn->keep && l < nn->layers)
                for (size_t j = 0; j < n; j++)
                    da[j] *= nn->keep[at.unit + j];
            for (size_t k = 0; k < n_before; k++)
                da_before[k] = 0;
            for (size_t j = 0; j < n; j++) {
                dz[j] = da[j] * nn_slope(sigma, z[j]);
                db[j] += dz[j];
                const double *w_j = w + j * n_before;
                double *dw_j = dw + j * n_before;
                for (size_t k = 0; k < n_before && l > 1; k++) {
                    dw_j[k] += dz[j] * a_before[k];
                    da_before[k] += dz[j] * w_j[k];
                }
                for (size_t k = 0; k < n_before && l == 1; k++)
                    dw_j[k] += dz[j] * a_before[k];
                multiply_adds += (l > 1 ? 2 : 1) * n_before;
            }
        }
    }
    *cost = sum / (double)m;
    *cost += nn_decay(nn, g);
    int finite = isfinite(*cost);
    for (size_t i = 0; finite && i < nn->params; i++)
        finite = isfinite(g[i]);
    return finite ? NN_OK : NN_NOT_FINITE;
}

typedef enum nn_status slopes(struct nn *nn, size_t m,
                              const double *x, const double *y,
                              double *g, double *cost);

static void learn_double(struct job *job, size_t s, size_t m,
                         float rate, slopes *gradient)
{
    double cost;
    gradient(&job->nn, m, job->xd + s * job->nn.size[0],
             job->yd + s * 10, job->g, &cost);
    nn_step(&job->nn, job->g, (double)rate);
}

static void learn_stride(struct job *job, const struct rung *rung,
                         size_t s, size_t m, float rate)
{
    (void)rung;
    learn_double(job, s, m, rate, strided_gradient);
}

static void learn_loops(struct job *job, const struct rung *rung,
                        size_t s, size_t m, float rate)
{
    (void)rung;
    learn_double(job, s, m, rate, nn_gradient);
}

static void learn_lean(struct job *job, const struct rung *rung,
                       size_t s, size_t m, float rate)
{
    (void)rung;
    learn_double(job, s, m, rate, lean_gradient);
}
static void bend(size_t m, const struct part *at)
{
    #pragma omp simd
    for (size_t i = 0; i < m * at->row; i++)
        at->a[i] = at->a[i] > 0 ? at->a[i] : 0;
}

static void unbend(size_t m, const struct part *at)
{
    #pragma omp simd
    for (size_t i = 0; i < m * at->row; i++)
        at->dz[i] = at->a[i] > 0 ? at->dz[i] : 0;
}

static void biases(size_t m, const struct part *at)
{
    for (size_t s = 0; s < m; s++)
        #pragma omp simd
        for (size_t j = 0; j < at->n; j++)
            at->db[j] += at->dz[s * at->row + j];
}

static void start_slopes(size_t some, size_t m,
                         const struct part *at, const float *y)
{
    for (size_t s = 0; s < some; s++) {
        const float *a = at->a + s * at->row;
        float *dz = at->dz + s * at->row, most = a[0], all = 0;
        for (size_t j = 1; j < at->n; j++)
            most = fmaxf(most, a[j]);
        for (size_t j = 0; j < at->n; j++)
            all += dz[j] = expf(a[j] - most);
        for (size_t j = 0; j < at->n; j++)
            dz[j] = (dz[j] / all - y[s * at->n + j]) / (float)m;
    }
}
static void learn_float(struct job *job, const struct rung *rung,
                        size_t s, size_t m, float rate)
{
    size_t some = rung->alone ? 1 : m;
    for (size_t i = 0; i < job->room; i++)
        job->slopes[i] = 0;
    for (size_t end = s + m; s < end; s += some) {
        job->part[1].a_before =
            job->x + s * job->part[1].row_before;
        rung->forward(some, &job->part[1]);
        bend(some, &job->part[1]);
        rung->forward(some, &job->part[2]);

        start_slopes(some, m, &job->part[2], job->y + s * 10);
        rung->back(some, &job->part[2]);
        unbend(some, &job->part[1]);
        for (int l = 2; l >= 1; l--) {
            rung->weights(some, &job->part[l]);
            biases(some, &job->part[l]);
        }
    }
    for (size_t i = 0; i < job->room; i++)
        job->p[i] -= rate * job->slopes[i];
}
static void float_forward(size_t m, const struct part *at)
{
    (void)m;
    for (size_t j = 0; j < at->n; j++) {
        const float *w_j = at->w + j * at->row_before;
        float z = at->b[j];
        for (size_t k = 0; k < at->n_before; k++)
            z += w_j[k] * at->a_before[k];
        at->a[j] = z;
    }
}

static void float_back(size_t m, const struct part *at)
{
    (void)m;
    for (size_t k = 0; k < at->n_before; k++)
        at->dz_before[k] = 0;
    for (size_t j = 0; j < at->n; j++)
        for (size_t k = 0; k < at->n_before; k++)
            at->dz_before[k] += at->dz[j] *
                                at->w[j * at->row_before + k];
}

static void float_weights(size_t m, const struct part *at)
{
    (void)m;
    for (size_t j = 0; j < at->n; j++)
        for (size_t k = 0; k < at->n_before; k++)
            at->dw[j * at->row_before + k] +=
                at->dz[j] * at->a_before[k];
}
static void simd_forward(size_t m, const struct part *at)
{
    (void)m;
    for (size_t j = 0; j < at->n; j++) {
        const float *w_j = at->w + j * at->row_before;
        float z = at->b[j];
        #pragma omp simd reduction(+: z)
        for (size_t k = 0; k < at->n_before; k++)
            z += w_j[k] * at->a_before[k];
        at->a[j] = z;
    }
}

static void simd_weights(size_t m, const struct part *at)
{
    (void)m;
    for (size_t j = 0; j < at->n; j++)
        #pragma omp simd
        for (size_t k = 0; k < at->n_before; k++)
            at->dw[j * at->row_before + k] +=
                at->dz[j] * at->a_before[k];
}
static void turned_forward(size_t m, const struct part *at)
{
    (void)m;
    for (size_t j = 0; j < at->n; j++)
        at->a[j] = at->b[j];
    for (size_t k = 0; k < at->n_before; k++)
        #pragma omp simd
        for (size_t j = 0; j < at->row; j++)
            at->a[j] += at->a_before[k] * at->w[k * at->row + j];
}
static void turned_back(size_t m, const struct part *at)
{
    for (size_t s = 0; s < m; s++) {
        const float *dz = at->dz + s * at->row;
        for (size_t k = 0; k < at->n_before; k++) {
            float da = 0;
            #pragma omp simd reduction(+: da)
            for (size_t j = 0; j < at->row; j++)
                da += dz[j] * at->w[k * at->row + j];
            at->dz_before[s * at->row_before + k] = da;
        }
    }
}

static void turned_weights(size_t m, const struct part *at)
{
    (void)m;
    for (size_t k = 0; k < at->n_before; k++)
        #pragma omp simd
        for (size_t j = 0; j < at->row; j++)
            at->dw[k * at->row + j] +=
                at->a_before[k] * at->dz[j];
}
static void batch_forward(size_t m, const struct part *at)
{
    size_t row = at->row;
    for (size_t s = 0; s < m; s++)
        for (size_t j = 0; j < row; j++)
            at->a[s * row + j] = at->b[j];
    for (size_t k = 0; k < at->n_before; k++)
        for (size_t s = 0; s < m; s++) {
            float a = at->a_before[s * at->row_before + k];
            #pragma omp simd
            for (size_t j = 0; j < row; j++)
                at->a[s * row + j] += a * at->w[k * row + j];
        }
}
static void batch_weights(size_t m, const struct part *at)
{
    size_t row = at->row;
    for (size_t k = 0; k < at->n_before; k++)
        for (size_t s = 0; s < m; s++) {
            float a = at->a_before[s * at->row_before + k];
            #pragma omp simd
            for (size_t j = 0; j < row; j++)
                at->dw[k * row + j] += a * at->dz[s * row + j];
        }
}
static void tile(size_t depth, const float *a, size_t a_row,
                 size_t a_step, const float *b, size_t row,
                 float *c)
{
    enum { N = 16 };
    float c0[N], c1[N], c2[N], c3[N];
    for (size_t j = 0; j < N; j++) {
        c0[j] = c[j];
        c1[j] = c[row + j];
        c2[j] = c[2 * row + j];
        c3[j] = c[3 * row + j];
    }

    for (size_t d = 0; d < depth; d++, a += a_step, b += row) {
        float a0 = a[0], a1 = a[a_row];
        float a2 = a[2 * a_row], a3 = a[3 * a_row];
        for (int j = 0; j < N; j++) {
            c0[j] += a0 * b[j];
            c1[j] += a1 * b[j];
            c2[j] += a2 * b[j];
            c3[j] += a3 * b[j];
        }
    }
    for (size_t j = 0; j < N; j++) {
        c[j] = c0[j];
        c[row + j] = c1[j];
        c[2 * row + j] = c2[j];
        c[3 * row + j] = c3[j];
    }
}
static void tile_forward(size_t m, const struct part *at)
{
    size_t row = at->row, before = at->row_before;
    for (size_t s = 0; s < m; s += 4)
        for (size_t j = 0; j < row; j += 16) {
            float *a = at->a + s * row + j;
            for (size_t i = 0; i < 4; i++)
                memcpy(a + i * row, at->b + j, 16 * sizeof *a);
            tile(at->n_before, at->a_before + s * before, before,
                 1, at->w + j, row, a);
        }
}

static void tile_weights(size_t m, const struct part *at)
{
    size_t row = at->row;
    for (size_t k = 0; k < at->row_before; k += 4)
        for (size_t j = 0; j < row; j += 16)
            tile(m, at->a_before + k, 1, at->row_before,
                 at->dz + j, row, at->dw + k * row + j);
}
static void forward_by(int lanes, size_t m, const struct part *at)
{
    nn_product(lanes, &(struct nn_product){
        .rows = m, .depth = at->n_before, .panels = at->row / 16,
        .a = at->a_before, .a_row = at->row_before, .a_step = 1,
        .b = at->w, .b_step = at->row, .b_panel = 16,
        .start = at->b,
        .c = at->a, .c_row = at->row, .c_panel = 16});
}

static void weights_by(int lanes, size_t m, const struct part *at)
{
    nn_product(lanes, &(struct nn_product){
        .rows = at->n_before, .depth = m, .panels = at->row / 16,
        .a = at->a_before, .a_row = 1, .a_step = at->row_before,
        .b = at->dz, .b_step = at->row, .b_panel = 16,
        .c = at->dw, .c_row = at->row, .c_panel = 16});
}

static void narrow_forward(size_t m, const struct part *at)
{
    forward_by(4, m, at);
}

static void narrow_weights(size_t m, const struct part *at)
{
    weights_by(4, m, at);
}

static void wide_forward(size_t m, const struct part *at)
{
    forward_by(nn_lanes(), m, at);
}

static void wide_weights(size_t m, const struct part *at)
{
    weights_by(nn_lanes(), m, at);
}
static void learn_panels(struct job *job, const struct rung *rung,
                         size_t s, size_t m, float rate)
{
    struct nn_fast *fast = &job->fast;
    double cost;
    (void)rung;
    nn_fast_gradient(fast, m, job->x + s * job->start.size[0],
                     job->y + s * 10, fast->g, &cost);
    #pragma omp simd
    for (size_t i = 0; i < fast->room; i++)
        fast->p[i] -= rate * fast->g[i];
}

static void learn_fused(struct job *job, const struct rung *rung,
                        size_t s, size_t m, float rate)
{
    double cost;
    (void)rung;
    nn_fast_learn(&job->fast, m, job->x + s * job->start.size[0],
                  job->y + s * 10, (double)rate, &cost);
}
typedef void sgemm(int order, int turn_a, int turn_b, int m,
                   int n, int k, float alpha,
                   const float *a, int a_row,
                   const float *b, int b_row,
                   float beta, float *c, int c_row);
static sgemm *blas;
enum { ROW_MAJOR = 101, AS_IT_IS = 111, TURNED = 112 };

static void blas_step(const struct part *at, int m, float rate)
{
    blas(ROW_MAJOR, TURNED, AS_IT_IS, (int)at->n_before,
         (int)at->row, m, -rate, at->a_before,
         (int)at->row_before, at->dz, (int)at->row, 1, at->w,
         (int)at->row);
    for (size_t s = 0; s < (size_t)m; s++)
        #pragma omp simd
        for (size_t j = 0; j < at->row; j++)
            at->b[j] -= rate * at->dz[s * at->row + j];
}

static void blas_forward(const struct part *at, int m)
{
    for (size_t s = 0; s < (size_t)m; s++)
        memcpy(at->a + s * at->row, at->b,
               at->row * sizeof *at->a);
    blas(ROW_MAJOR, AS_IT_IS, AS_IT_IS, m, (int)at->row,
         (int)at->n_before, 1, at->a_before, (int)at->row_before,
         at->w, (int)at->row, 1, at->a, (int)at->row);
}

static void learn_blas(struct job *job, const struct rung *rung,
                       size_t s, size_t m, float rate)
{
    struct part *first = &job->part[1], *last = &job->part[2];
    (void)rung;
    first->a_before = job->x + s * first->row_before;
    blas_forward(first, (int)m);
    bend(m, first);
    blas_forward(last, (int)m);
    start_slopes(m, m, last, job->y + s * 10);

    blas(ROW_MAJOR, AS_IT_IS, TURNED, (int)m,
         (int)last->row_before, (int)last->row, 1, last->dz,
         (int)last->row, last->w, (int)last->row, 0, first->dz,
         (int)first->row);
    unbend(m, first);
    blas_step(last, (int)m, rate);
    blas_step(first, (int)m, rate);
}
static void load_double(struct job *job, const struct rung *rung)
{
    const struct nn *start = &job->start;
    for (int l = 1; l <= start->layers; l++) {
        struct nn_layer at = nn_layer_at(start, l);
        for (size_t j = 0; j < at.n; j++)
            for (size_t k = 0; k < at.n_before; k++)
                job->nn.p[at.w + (rung->turned ? k * at.n + j :
                                  j * at.n_before + k)] =
                    start->p[at.w + j * at.n_before + k];
        for (size_t j = 0; j < at.n; j++)
            job->nn.p[at.b + j] = start->p[at.b + j];
    }
}

static void read_double(struct job *job, const struct rung *rung,
                        double *p)
{
    for (int l = 1; l <= job->nn.layers; l++) {
        struct nn_layer at = nn_layer_at(&job->nn, l);
        for (size_t j = 0; j < at.n; j++)
            for (size_t k = 0; k < at.n_before; k++)
                p[at.w + j * at.n_before + k] =
                    job->nn.p[at.w + (rung->turned ?
                        k * at.n + j : j * at.n_before + k)];
        for (size_t j = 0; j < at.n; j++)
            p[at.b + j] = job->nn.p[at.b + j];
    }
}

static float *weight(const struct part *at, int turned, size_t j,
                     size_t k)
{
    return at->w + (turned ? k * at->row + j :
                    j * at->row_before + k);
}

static void load_float(struct job *job, const struct rung *rung)
{
    for (size_t i = 0; i < job->room; i++)
        job->p[i] = 0;
    for (int l = 1; l <= 2; l++) {
        struct nn_layer in = nn_layer_at(&job->start, l);
        const struct part *at = &job->part[l];
        const double *w = job->start.p + in.w;
        for (size_t j = 0; j < in.n; j++)
            for (size_t k = 0; k < in.n_before; k++)
                *weight(at, rung->turned, j, k) = (float)*w++;
        for (size_t j = 0; j < in.n; j++)
            at->b[j] = (float)job->start.p[in.b + j];
    }
}

static void read_float(struct job *job, const struct rung *rung,
                       double *p)
{
    for (int l = 1; l <= 2; l++) {
        const struct part *at = &job->part[l];
        for (size_t j = 0; j < at->n; j++)
            for (size_t k = 0; k < at->n_before; k++)
                *p++ = (double)*weight(at, rung->turned, j, k);
        for (size_t j = 0; j < at->n; j++)
            *p++ = (double)at->b[j];
    }
}

static void load_fast(struct job *job, const struct rung *rung)
{
    (void)rung;
    nn_fast_pack(&job->fast, job->start.p, job->fast.p);
}

static void read_fast(struct job *job, const struct rung *rung,
                      double *p)
{
    (void)rung;
    nn_fast_unpack(&job->fast, job->fast.p, p);
}
static const struct cli *who;

static _Noreturn void give_up(enum nn_status status)
{
    cli_fail(who, "%s", nn_status_text(status));
}

static void *room(size_t n, size_t size)
{
    size_t bytes = (n * size + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    if (!p)
        give_up(NN_NO_MEMORY);
    return memset(p, 0, bytes);
}

static float *numbers(size_t n)
{
    return room(n, sizeof(float));
}
static void make_parts(struct job *job, size_t batch)
{
    size_t row[3], at = 0;
    for (int l = 0; l <= 2; l++)
        row[l] = (job->start.size[l] + 15) / 16 * 16;
    for (int l = 1; l <= 2; l++)
        job->room += row[l] * (row[l - 1] + 1);
    job->p = numbers(job->room);
    job->slopes = numbers(job->room);

    for (int l = 1; l <= 2; l++) {
        struct part *part = &job->part[l];
        *part = (struct part){.n = job->start.size[l],
            .n_before = job->start.size[l - 1], .row = row[l],
            .row_before = row[l - 1], .w = job->p + at,
            .dw = job->slopes + at};
        at += row[l] * row[l - 1];
        part->b = job->p + at;
        part->db = job->slopes + at;
        at += row[l];
        part->a = numbers(batch * row[l]);
        part->dz = numbers(batch * row[l]);
        part->a_before = l > 1 ? job->part[1].a : NULL;
        part->dz_before = l > 1 ? job->part[1].dz : NULL;
    }
}

static void make_job(struct job *job, size_t hidden, size_t batch)
{
    const size_t size[] = {784, hidden, 10};
    const enum nn_activation sigma[] = {NN_RELU, NN_IDENTITY};
    struct nn_rng rng = nn_rng_seeded(1);
    enum nn_status status;
    if ((status = nn_create(&job->start, 2, size, sigma)) ||
        (status = nn_create(&job->nn, 2, size, sigma)))
        give_up(status);
    job->start.loss = job->nn.loss = NN_CROSS_ENTROPY;
    nn_initialize(&job->start, NN_HE, &rng);
    if ((status = nn_fast_create(&job->fast, &job->start, batch)))
        give_up(status);
    job->g = room(job->nn.params, sizeof *job->g);
    make_parts(job, batch);
}

static void end_job(struct job *job)
{
    nn_destroy(&job->start);
    nn_destroy(&job->nn);
    nn_fast_destroy(&job->fast);
    free(job->g);
    free(job->p);
    free(job->slopes);
    for (int l = 1; l <= 2; l++) {
        free(job->part[l].a);
        free(job->part[l].dz);
    }
    free(job->x);
    free(job->y);
    free(job->xd);
    free(job->yd);
}
/* Pictures that no one took: half of the pixels black. */
static void random_pictures(struct job *job, size_t m)
{
    struct nn_rng rng = nn_rng_seeded(2);
    job->m = m;
    job->x = numbers(m * 784);
    job->y = numbers(m * 10);
    for (size_t i = 0; i < m * 784; i++) {
        double pixel = nn_rng_uniform(&rng, -1, 1);
        job->x[i] = pixel > 0 ? (float)pixel : 0;
    }
    for (size_t s = 0; s < m; s++)
        job->y[s * 10 + nn_rng_below(&rng, 10)] = 1;
}

/* The rungs in double get theirs once they are asked. */
static void in_double(struct job *job)
{
    if (job->xd)
        return;
    job->xd = room(job->m * 784, sizeof *job->xd);
    job->yd = room(job->m * 10, sizeof *job->yd);
    for (size_t i = 0; i < job->m * 784; i++)
        job->xd[i] = (double)job->x[i];
    for (size_t i = 0; i < job->m * 10; i++)
        job->yd[i] = (double)job->y[i];
}

static void load(struct job *job, const struct rung *rung)
{
    if (rung->bytes == 8)
        in_double(job);
    rung->load(job, rung);
}

#define IN_DOUBLE .load = load_double, .read = read_double
#define IN_FLOAT .load = load_float, .read = read_float
#define IN_PANELS .load = load_fast, .read = read_fast

static const struct rung rungs[] = {
    {"stride", "w[k][j], and k inside", IN_DOUBLE,
     .learn = learn_stride, .turned = 1,
     .bytes = 8, .ahead = 4, .behind = 6, .step = 5},
    {"loops", "chapter 8", IN_DOUBLE, .learn = learn_loops,
     .bytes = 8, .ahead = 4, .behind = 6, .step = 5},
    {"lean", "no slopes of the input", IN_DOUBLE,
     .learn = learn_lean,
     .bytes = 8, .ahead = 4, .behind = 3, .step = 5},
    {"float", "numbers of four bytes", IN_FLOAT, .alone = 1,
     .learn = learn_float, .forward = float_forward,
     .back = float_back,
     .weights = float_weights,
     .bytes = 4, .ahead = 2, .behind = 3, .step = 4},
    {"simd", "omp simd", IN_FLOAT, .alone = 1,
     .learn = learn_float, .forward = simd_forward,
     .back = float_back,
     .weights = simd_weights,
     .bytes = 4, .ahead = 2, .behind = 3, .step = 4},
    {"turned", "w[k][j], and j inside", IN_FLOAT, .alone = 1,
     .learn = learn_float, .forward = turned_forward,
     .back = turned_back,
     .weights = turned_weights, .turned = 1,
     .bytes = 4, .ahead = 3, .behind = 3, .step = 4},
    {"batch", "a weight serves all samples", IN_FLOAT,
     .learn = learn_float, .forward = batch_forward,
     .back = turned_back,
     .weights = batch_weights, .turned = 1,
     .bytes = 4, .ahead = 3, .behind = 3, .step = 4},
    {"tile", "4 x 16 sums in registers", IN_FLOAT,
     .learn = learn_float, .forward = tile_forward,
     .back = turned_back,
     .weights = tile_weights, .turned = 1,
     .bytes = 4, .ahead = 1 / 16. + 1 / 4.,
     .behind = 1 / 16. + 1 / 4., .step = 6},
    {"vectors", "the tile in vector types", IN_FLOAT,
     .learn = learn_float, .forward = narrow_forward,
     .back = turned_back,
     .weights = narrow_weights, .turned = 1,
     .bytes = 4, .step = 5, .vectors = 4},
    {"wide", "the widest vectors there are", IN_FLOAT,
     .learn = learn_float, .forward = wide_forward,
     .back = turned_back,
     .weights = wide_weights, .turned = 1,
     .bytes = 4, .step = 5, .vectors = -1},
    {"panels", "weights in the order of use", IN_PANELS,
     .learn = learn_panels, .bytes = 4, .step = 5, .vectors = -1},
    {"fused", "the step taken in registers", IN_PANELS,
     .learn = learn_fused, .bytes = 4, .step = 2, .vectors = -1},
    {"threads", "all processors", IN_PANELS, .learn = learn_fused,
     .bytes = 4, .step = 2, .vectors = -1, .threads = 1},
    {"blas", "OpenBLAS, fused", IN_FLOAT, .learn = learn_blas,
     .turned = 1, .bytes = 4, .step = 2, .vectors = -1},
};
enum { RUNGS = sizeof rungs / sizeof *rungs };
/* In 10^9 operations, for the product of two matrices of 1024. */
static double sgemm_rate(void)
{
    enum { N = 1024, TURNS = 7 };
    float *a = numbers(3 * N * N), *b = a + N * N, *c = b + N * N;
    double rate[TURNS];
    for (size_t i = 0; i < 2 * N * N; i++)
        a[i] = 1;
    for (int r = -1; r < TURNS; r++) {
        double start = now();
        blas(ROW_MAJOR, AS_IT_IS, AS_IT_IS, N, N, N, 1, a, N,
             b, N, 0, c, N);
        if (r >= 0)
            rate[r] = 2.0 * N * N * N / (now() - start) * 1e-9;
    }
    free(a);
    return median(rate, TURNS);
}
enum { MOST_ROUNDS = 99 };

/* The median of a[i] / by[i], or of a[i]; n <= MOST_ROUNDS. */
static double median_of(const double *a, const double *by,
                        size_t n)
{
    double of[MOST_ROUNDS];
    for (size_t i = 0; i < n; i++)
        of[i] = by ? a[i] / by[i] : a[i];
    return median(of, n);
}

static int rung_named(const char *name)
{
    for (int i = 0; i < RUNGS; i++)
        if (strcmp(rungs[i].name, name) == 0)
            return i;
    return -1;
}
static int most_threads = 1;

static void set_threads(const struct rung *rung)
{
    #ifdef _OPENMP
    omp_set_num_threads(rung->threads ? most_threads : 1);
    #else
    (void)rung;
    #endif
}
/* |p - p' - g| / |g|, p' after a step at the rate 1 along the
   slopes of m samples, and g those of nn_gradient. */
static double error_of(struct job *job, const struct rung *rung,
                       size_t m)
{
    size_t n = job->start.params;
    double *p = room(n, sizeof *p), cost, off = 0, all = 0;
    in_double(job);
    nn_gradient(&job->start, m, job->xd, job->yd, job->g, &cost);
    double *g = room(n, sizeof *g);
    memcpy(g, job->g, n * sizeof *g);
    load(job, rung);
    set_threads(rung);
    rung->learn(job, rung, 0, m, 1);
    rung->read(job, rung, p);
    for (size_t i = 0; i < n; i++) {
        double d = job->start.p[i] - p[i] - g[i];
        off += d * d;
        all += g[i] * g[i];
    }
    free(p);
    free(g);
    return sqrt(off / all);
}
/* Seconds for STEPS batches of m, from sample *s on. */
static double seconds_of(struct job *job, const struct rung *rung,
                         size_t m, size_t steps, size_t *s)
{
    double start = now();
    for (size_t i = 0; i < steps; i++) {
        if (*s + m > job->m)
            *s = 0;
        rung->learn(job, rung, *s, m, 0.1F);
        *s += m;
    }
    return now() - start;
}

static double samples_a_second(struct job *job,
                               const struct rung *rung, size_t m)
{
    size_t at = 0;
    load(job, rung);
    set_threads(rung);
    seconds_of(job, rung, m, 1, &at);
    for (size_t n = 1;; n *= 2) {
        double took = seconds_of(job, rung, m, n, &at);
        if (took > 0.02)
            return (double)(n * m) / took;
    }
}
static double weights_of(const struct part *at)
{
    return (double)(at->n * at->n_before);
}

static double multiply_adds_of(const struct job *job)
{
    double first = weights_of(&job->part[1]);
    double last = weights_of(&job->part[2]);
    return 3 * (first + last) - first;
}
static double bytes_of(const struct job *job,
                       const struct rung *rung, size_t m)
{
    double weights = weights_of(&job->part[1]) +
                     weights_of(&job->part[2]);
    double ahead = rung->ahead, behind = rung->behind;
    if (rung->vectors) {
        int lanes = rung->vectors;
        if (lanes < 0)
            lanes = nn_lanes();
        double rows = lanes == 4 ? 2 : lanes == 8 ? 6 : 14;
        ahead = behind = 1 / rows + 1 / (lanes == 16 ? 32. : 16.);
    }
    return rung->bytes * weights *
           (ahead + behind + rung->step / (double)m);
}
#if defined __GNUC__ && !defined __clang__
#define CARELESS __attribute__((noinline, optimize("fast-math")))
enum { CARELESSLY = 1 };
#else
#define CARELESS __attribute__((noinline))
enum { CARELESSLY = 0 }; // such a function is not to be had
#endif
#define CAREFUL __attribute__((noinline))

CARELESS static int finite_carelessly(double x)
{
    return isfinite(x);
}

CAREFUL static int finite_carefully(double x)
{
    return isfinite(x);
}

#define CAREFUL_SUM                                             \
    double lost = 0;                                            \
    for (int i = 0; i < n; i++) {                               \
        double s = y - lost, t = sum + s;                       \
        lost = (t - sum) - s;                                   \
        sum = t;                                                \
    }                                                           \
    return sum;
CARELESS static double sum_carelessly(double sum, double y, int n)
{
    CAREFUL_SUM
}

CAREFUL static double sum_carefully(double sum, double y, int n)
{
    CAREFUL_SUM
}
static void take_pictures(struct job *job, const char *dir,
                          const char *part)
{
    struct nn_pictures set;
    load_pictures(who, &set, dir, part);
    if (set.rows * set.cols != 784 || set.classes > 10)
        cli_fail(who, "%s: these are not 28 x 28 in ten classes",
                 dir);
    free(job->x);
    free(job->y);
    job->m = set.m;
    job->x = numbers((set.m + 3) * 784); // a tile reads fours
    job->y = numbers(set.m * 10);
    for (size_t i = 0; i < set.m * 784; i++)
        job->x[i] = (float)set.pixel[i] / 255;
    for (size_t s = 0; s < set.m; s++)
        job->y[s * 10 + set.label[s]] = 1;
    nn_pictures_free(&set);
}
static double score(struct job *job, const struct rung *rung,
                    const struct job *test)
{
    struct nn_fast judge;
    size_t right = 0;
    float *a = numbers(test->m * 10);
    rung->read(job, rung, job->g);
    enum nn_status status =
        nn_fast_create(&judge, &job->start, 64);
    if (status != NN_OK)
        give_up(status);
    nn_fast_pack(&judge, job->g, judge.p);
    nn_fast_forward(&judge, test->m, test->x, a);
    for (size_t s = 0; s < test->m; s++) {
        size_t best = 0;
        for (size_t j = 1; j < 10; j++)
            if (a[s * 10 + j] > a[s * 10 + best])
                best = j;
        right += test->y[s * 10 + best] == 1;
    }
    nn_fast_destroy(&judge);
    free(a);
    return (double)right / (double)test->m;
}

static void serve(struct job *job, const struct rung *rung,
                  const char *dir, size_t most)
{
    struct job test = {0};
    char line[80];
    size_t m, steps, at = 0;
    take_pictures(job, dir, "train");
    take_pictures(&test, dir, "t10k");
    load(job, rung);
    #ifdef _OPENMP
    omp_set_num_threads(most_threads);
    #endif
    printf("ready %s\n", rung->idea);
    fflush(stdout);

    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "time %zu %zu", &m, &steps) == 2 &&
            m >= 4 && m <= most && m % 4 == 0) {
            printf("%.9f\n",
                   seconds_of(job, rung, m, steps, &at));
        } else if (sscanf(line, "epoch %zu", &m) == 1 && m >= 4 &&
                   m <= most && m % 4 == 0) {
            load(job, rung);
            for (size_t s = 0; s < job->m; s += m)
                rung->learn(job, rung, s,
                            job->m - s < m ? job->m - s : m,
                            0.1F);
            printf("%.4f\n", score(job, rung, &test));
        } else {
            line[strcspn(line, "\n")] = '\0';
            cli_fail(who, "cannot do this: %s", line);
        }
        fflush(stdout);
    }
    free(test.x);
    free(test.y);
}

int main(int argc, char **argv)
{
    long hidden = 128, batch = 32, steps = 0, rounds = 9;
    int check = 0, names = 0, careless = 0, strides = 0;
    const char *only = NULL, *data = NULL;
    const struct cli_option options[] = {
        {"batch", "M", "samples that learn at a time, in fours",
         CLI_WHOLE, &batch, 4, 4096},
        {"hidden", "H", "hidden units", CLI_WHOLE, &hidden, 1, 4096},
        {"rounds", "R", "rounds of timing",
         CLI_WHOLE, &rounds, 1, MOST_ROUNDS},
        {"check", "", "hold every rung against chapter 8",
         CLI_FLAG, &check, 0, 0},
        {"careless", "", "what -ffast-math breaks",
         CLI_FLAG, &careless, 0, 0},
        {"strides", "", "the wrong stride, near a power of two",
         CLI_FLAG, &strides, 0, 0},
        {"rungs", "", "the names of the rungs",
         CLI_FLAG, &names, 0, 0},
        {"rung", "NAME", "one of them, for --steps or --serve",
         CLI_TEXT, &only, 0, 0},
        {"steps", "N", "with --rung: N steps, and nothing else",
         CLI_WHOLE, &steps, 0, 1e9},
        {"serve", "DIR", "with --rung: answer bench, on the pictures"
         " in DIR", CLI_TEXT, &data, 0, 0},
    };
    const struct cli cli = {"ladder", "",
        "Times a step of learning, from four loops to the limit.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    who = &cli;
    if (batch % 4)
        cli_usage(&cli, "--batch %ld: not a multiple of four", batch);
    if (!only && (data || steps))
        cli_usage(&cli, "--steps and --serve want --rung");
    if (only && !data && !steps)
        cli_usage(&cli, "--rung wants --steps or --serve");
    struct job job = {0};
    size_t m = (size_t)batch;
    void *library = dlopen("libopenblas.so.0", RTLD_NOW);
    void (*blas_threads)(int) = NULL;
    if (library) {
        *(void **)&blas = dlsym(library, "cblas_sgemm");
        *(void **)&blas_threads =
            dlsym(library, "openblas_set_num_threads");
    }
    if (blas_threads && !getenv("OPENBLAS_NUM_THREADS"))
        blas_threads(1);
    #ifdef _OPENMP
    most_threads = omp_get_max_threads();
    #endif
    make_job(&job, (size_t)hidden, data ? 1024 : m);
    if (!data)
        random_pictures(&job, m > 1024 ? m : 1024 / m * m);

    if (names) {
        for (int i = 0; i < RUNGS; i++)
            puts(rungs[i].name);
    } else if (careless) {
        volatile double large = 1e308;
        const char *word[] = {"no", "yes"};
        printf("                       without   with -ffast-math%s\n",
               CARELESSLY ? "" : " (only by gcc)");
        printf("is 10 * 1e308 finite?  %-8s",
               word[finite_carefully(10 * large)]);
        if (CARELESSLY)
            printf("  %s", word[finite_carelessly(10 * large)]);
        printf("\nsum - 1                %-8.1e",
               sum_carefully(1, 1e-16, 1000000) - 1);
        if (CARELESSLY)
            printf("  %.1e", sum_carelessly(1, 1e-16, 1000000) - 1);
        putchar('\n');
    } else if (strides) {
        puts("hidden units  samples/s");
        for (size_t n = 126; n <= 130; n++) {
            struct job beside = {0};
            double speed[5];
            make_job(&beside, n, m);
            random_pictures(&beside, 1024);
            for (int r = 0; r < 5; r++)
                speed[r] = samples_a_second(&beside, &rungs[0], m);
            printf("%12zu %10.0f\n", n, median(speed, 5));
            end_job(&beside);
        }
    } else if (only) {
        const struct rung *rung = NULL;
        for (int i = 0; i < RUNGS; i++)
            if (strcmp(rungs[i].name, only) == 0)
                rung = &rungs[i];
        if (!rung)
            cli_misuse(&cli, "rung", only, "see --rungs");
        if (rung->learn == learn_blas && !blas)
            cli_fail(&cli, "libopenblas.so.0 is not here");

        if (data) {
            serve(&job, rung, data, 1024);
        } else {
            size_t at = 0;
            load(&job, rung);
            set_threads(rung);
            double took = seconds_of(&job, rung, m, (size_t)steps, &at);
            printf("samples = %zu  seconds = %.4f\n", m * (size_t)steps,
                   took);
        }
    } else if (check) {
        puts("rung       error");
        for (int i = 0; i < RUNGS; i++)
            if (rungs[i].learn != learn_blas || blas)
                printf("%-8s %.1e\n", rungs[i].name,
                       error_of(&job, &rungs[i], m));
    } else {
        double *rate[RUNGS];
        for (int i = 0; i < RUNGS; i++)
            rate[i] = room((size_t)rounds, sizeof *rate[i]);
        for (long r = 0; r < rounds; r++)
            for (int i = 0; i < RUNGS; i++)
                if (rungs[i].learn != learn_blas || blas)
                    rate[i][r] = samples_a_second(&job, &rungs[i], m);
        const double flops = 2 * multiply_adds_of(&job);
        puts("rung      samples/s  times  GFLOP/s  flop/byte");
        for (int i = 0; i < RUNGS; i++) {
            double speed = median_of(rate[i], NULL, (size_t)rounds);
            if (rungs[i].learn == learn_blas && !blas)
                continue;
            printf("%-8s %10.0f %6.2f %8.2f %10.3f\n", rungs[i].name,
                   speed, median_of(rate[i], rate[1], (size_t)rounds),
                   speed * flops * 1e-9,
                   flops / bytes_of(&job, &rungs[i], m));
        }
        const double top = peak(nn_lanes());
        const double best = median_of(rate[rung_named("fused")], NULL,
                                      (size_t)rounds) * flops * 1e-9;
        printf("\n# peak = %.1f  fused of peak = %.2f\n", top,
               best / top);
        static const char *pairs[][2] = {
            {"stride", "loops"}, {"lean", "loops"}, {"float", "lean"},
            {"simd", "float"}, {"turned", "simd"}, {"batch", "turned"},
            {"tile", "batch"}, {"vectors", "tile"}, {"wide", "vectors"},
            {"panels", "wide"}, {"fused", "panels"}, {"fused", "loops"},
            {"threads", "fused"},
        };
        puts("#values:");
        printf("# batch = %zu  rounds = %ld\n", m, rounds);
        printf("# operations a sample = %.0f\n", flops);
        printf("# lanes = %d  threads = %d\n", nn_lanes(), most_threads);
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
            printf("# %s over %s = %.2f\n", pairs[i][0], pairs[i][1],
                   median_of(rate[rung_named(pairs[i][0])],
                             rate[rung_named(pairs[i][1])],
                             (size_t)rounds));
        const size_t near = half_of_cache(1);
        float *array = numbers(near);
        int batched = rung_named("batch");
        double speed = median_of(rate[batched], NULL, (size_t)rounds);
        double slope = flops / bytes_of(&job, &rungs[batched], m) *
                       bandwidth(array, near);
        free(array);
        printf("# roof of batch = %.2f  batch of slope = %.2f\n",
               fmin(1, slope / top), speed * flops * 1e-9 / slope);
        if (blas) {
            double theirs = sgemm_rate();
            printf("# sgemm = %.1f  fused of sgemm = %.2f\n", theirs,
                   best / theirs);
        }
        for (int i = 0; i < RUNGS; i++)
            free(rate[i]);
    }
    end_job(&job);
    cli_finish(&cli);
    return 0;
}

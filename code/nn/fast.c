/* Tangled from chapters/90-plumbing.nw: edit there. Sum 4141975230. */
#include "nn/fast.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t rounded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static float *floats(size_t n)
{
    size_t bytes = rounded(n * sizeof(float), 64);
    float *p = aligned_alloc(64, bytes ? bytes : 64);
    if (p)
        memset(p, 0, bytes);
    return p;
}

void nn_fast_destroy(struct nn_fast *f)
{
    for (int l = 1; f->at && l <= f->layers; l++) {
        free(f->at[l].a);
        free(f->at[l].dz);
        free(f->at[l].keep);
    }
    free(f->at);
    free(f->size);
    free(f->sigma);
    free(f->p);
    free(f->g);
    free(f->v);
    free(f->s);
    free(f->turned);
    free(f->costs);
    *f = (struct nn_fast){0};
}

static int place_layers(struct nn_fast *f, size_t *turned)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    if (f->batch < 1)
        return 0;

    for (int l = 1; l <= f->layers; l++) {
        struct nn_fast_layer *at = &f->at[l];
        at->n = f->size[l];
        at->n_before = f->size[l - 1];
        if (at->n > most / 2)
            return 0;
        size_t all = rounded(at->n, NN_PANEL);
        size_t before = rounded(at->n_before, NN_PANEL);
        at->panels = all / NN_PANEL;
        at->row = all + (at->panels % 2 ? 0 : NN_PANEL);
        if (before + 1 > (most - f->room) / all ||
            at->row > most / f->batch)
            return 0;

        at->w = f->room;
        at->b = at->w + at->n_before * all;
        f->room = at->b + all;
        if (l > 1 && before * at->n > *turned)
            *turned = before * at->n;
    }
    return 1;
}
static size_t weight_at(const struct nn_fast_layer *at, size_t j,
                        size_t k)
{
    return at->w + j / NN_PANEL * at->n_before * NN_PANEL +
           k * NN_PANEL + j % NN_PANEL;
}

enum nn_status nn_fast_create(struct nn_fast *f,
                              const struct nn *nn, size_t batch)
{
    size_t places = (size_t)nn->layers + 1, turned = 0;
    *f = (struct nn_fast){
        .layers = nn->layers, .loss = nn->loss,
        .decay = nn->decay, .params = nn->params,
        .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8,
        .batch = batch, .lanes = nn_lanes()};
    f->size = calloc(places, sizeof *f->size);
    f->sigma = calloc(places, sizeof *f->sigma);
    f->at = calloc(places, sizeof *f->at);
    if (!f->size || !f->sigma || !f->at) {
        nn_fast_destroy(f);
        return NN_NO_MEMORY;
    }
    memcpy(f->size, nn->size, places * sizeof *f->size);
    memcpy(f->sigma, nn->sigma, places * sizeof *f->sigma);
    if (!place_layers(f, &turned)) {
        nn_fast_destroy(f);
        return NN_BAD_SIZE;
    }
    int there = (f->p = floats(f->room)) &&
                (f->g = floats(f->room)) &&
                (f->v = floats(f->room)) &&
                (f->s = floats(f->room)) &&
                (f->turned = floats(turned)) &&
                (f->costs = calloc(batch, sizeof *f->costs));
    for (int l = 1; there && l <= f->layers; l++) {
        struct nn_fast_layer *at = &f->at[l];
        there = (at->a = floats(batch * at->row)) &&
                (at->dz = floats(batch * at->row)) &&
                (at->keep = floats(batch * at->row));
    }
    if (!there) {
        nn_fast_destroy(f);
        return NN_NO_MEMORY;
    }
    nn_fast_pack(f, nn->p, f->p);
    return NN_OK;
}
void nn_fast_pack(const struct nn_fast *f, const double *p,
                  float *panels)
{
    for (int l = 1; l <= f->layers; l++) {
        const struct nn_fast_layer *at = &f->at[l];
        for (size_t j = 0; j < at->n; j++)
            for (size_t k = 0; k < at->n_before; k++)
                panels[weight_at(at, j, k)] = (float)*p++;
        for (size_t j = 0; j < at->n; j++)
            panels[at->b + j] = (float)*p++;
    }
}

void nn_fast_unpack(const struct nn_fast *f, const float *panels,
                    double *p)
{
    for (int l = 1; l <= f->layers; l++) {
        const struct nn_fast_layer *at = &f->at[l];
        for (size_t j = 0; j < at->n; j++)
            for (size_t k = 0; k < at->n_before; k++)
                *p++ = (double)panels[weight_at(at, j, k)];
        for (size_t j = 0; j < at->n; j++)
            *p++ = (double)panels[at->b + j];
    }
}
static void bend(enum nn_activation sigma, size_t n, float *a)
{
    switch (sigma) {
    case NN_IDENTITY:
        break;
    case NN_SIGMOID:
        for (size_t j = 0; j < n; j++) {
            float e = expf(-fabsf(a[j]));
            a[j] = (a[j] >= 0 ? 1 : e) / (1 + e);
        }
        break;
    case NN_TANH:
        for (size_t j = 0; j < n; j++)
            a[j] = tanhf(a[j]);
        break;
    case NN_RELU:
        #pragma omp simd
        for (size_t j = 0; j < n; j++)
            a[j] = a[j] <= 0 ? 0 : a[j];
        break;
    }
}

static void unbend(enum nn_activation sigma, size_t n,
                   const float *a, float *dz)
{
    switch (sigma) {
    case NN_IDENTITY:
        break;
    case NN_SIGMOID:
        #pragma omp simd
        for (size_t j = 0; j < n; j++)
            dz[j] *= a[j] * (1 - a[j]);
        break;
    case NN_TANH:
        #pragma omp simd
        for (size_t j = 0; j < n; j++)
            dz[j] *= 1 - a[j] * a[j];
        break;
    case NN_RELU:
        #pragma omp simd
        for (size_t j = 0; j < n; j++)
            dz[j] = a[j] > 0 ? dz[j] : 0;
        break;
    }
}
static int worth_threads(const struct nn_fast *f, size_t m)
{
    return f->room > 200000 / m;
}
static void forward(const struct nn_fast *f, size_t m,
                    const float *x, int dropout)
{
    for (int l = 1; l <= f->layers; l++) {
        const struct nn_fast_layer *at = &f->at[l];
        nn_product(f->lanes, &(struct nn_product){
            .rows = m, .depth = at->n_before, .panels = at->panels,
            .a = l > 1 ? at[-1].a : x,
            .a_row = l > 1 ? at[-1].row : at->n_before, .a_step = 1,
            .b = f->p + at->w, .b_step = NN_PANEL,
            .b_panel = at->n_before * NN_PANEL,
            .start = f->p + at->b,
            .c = at->a, .c_row = at->row, .c_panel = NN_PANEL});

        #pragma omp for schedule(static)
        for (size_t s = 0; s < m; s++) {
            float *a = at->a + s * at->row;
            bend(f->sigma[l], at->n, a);
            if (dropout && l < f->layers)
                for (size_t j = 0; j < at->n; j++)
                    a[j] *= at->keep[s * at->row + j];
        }
    }
}
void nn_fast_forward(struct nn_fast *f, size_t m, const float *x,
                     float *a)
{
    const struct nn_fast_layer *last = &f->at[f->layers];
    for (size_t first = 0; first < m; first += f->batch) {
        size_t some = m - first < f->batch ? m - first : f->batch;
        #pragma omp parallel if (worth_threads(f, some))
        forward(f, some, x + first * f->size[0], 0);
        for (size_t s = 0; s < some; s++)
            memcpy(a + (first + s) * last->n,
                   last->a + s * last->row, last->n * sizeof *a);
    }
}
static double slopes_at_output(const struct nn_fast *f, size_t m,
                               const float *a, const float *y,
                               float *dz)
{
    size_t n = f->size[f->layers];
    if (f->loss == NN_SQUARED) {
        double sum = 0;
        for (size_t j = 0; j < n; j++) {
            double off = (double)a[j] - (double)y[j];
            sum += off * off;
            dz[j] = (a[j] - y[j]) / (float)(n * m);
        }
        unbend(f->sigma[f->layers], n, a, dz);
        return sum / (2 * (double)n);
    }
    float most = a[0], all = 0, cost = 0;
    for (size_t j = 1; j < n; j++)
        most = a[j] > most ? a[j] : most;
    for (size_t j = 0; j < n; j++)
        all += dz[j] = expf(a[j] - most);
    for (size_t j = 0; j < n; j++) {
        cost += y[j] * (logf(all) - (a[j] - most));
        dz[j] = (dz[j] / all - y[j]) / (float)m;
    }
    unbend(f->sigma[f->layers], n, a, dz);
    return (double)cost;
}
static void turn(const struct nn_fast *f, int l)
{
    const struct nn_fast_layer *at = &f->at[l];
    size_t before = rounded(at->n_before, NN_PANEL);
    #pragma omp for schedule(static)
    for (size_t k = 0; k < before; k += NN_PANEL)
        for (size_t j = 0; j < at->n; j++) {
            float *to = f->turned + k * at->n + j * NN_PANEL;
            for (size_t i = 0; i < NN_PANEL; i++)
                to[i] = k + i < at->n_before ?
                    f->p[weight_at(at, j, k + i)] : 0;
        }
}
static void backward(const struct nn_fast *f, size_t m,
                     const float *x, float *to, float rate)
{
    for (int l = f->layers; l >= 1; l--) {
        const struct nn_fast_layer *at = &f->at[l];
        if (l > 1)
            {
                turn(f, l);
                nn_product(f->lanes, &(struct nn_product){
                    .rows = m, .depth = at->n, .panels = at[-1].panels,
                    .a = at->dz, .a_row = at->row, .a_step = 1,
                    .b = f->turned, .b_step = NN_PANEL,
                    .b_panel = at->n * NN_PANEL,
                    .c = at[-1].dz, .c_row = at[-1].row,
                    .c_panel = NN_PANEL});
            }
        nn_product(f->lanes, &(struct nn_product){
            .rows = at->n_before, .depth = m, .panels = at->panels,
            .a = l > 1 ? at[-1].a : x, .a_row = 1,
            .a_step = l > 1 ? at[-1].row : at->n_before,
            .b = at->dz, .b_step = at->row, .b_panel = NN_PANEL,
            .c = to + at->w, .c_row = NN_PANEL,
            .c_panel = at->n_before * NN_PANEL, .rate = rate});
        static const float one = 1;
        nn_product(f->lanes, &(struct nn_product){
            .rows = 1, .depth = m, .panels = at->panels, .a = &one,
            .b = at->dz, .b_step = at->row, .b_panel = NN_PANEL,
            .c = to + at->b, .c_panel = NN_PANEL, .rate = rate});
        if (f->layer_done && rate == 0) {
            #pragma omp master
            f->layer_done(f->context, l);
        }
        if (l > 1)
            {
                #pragma omp for schedule(static)
                for (size_t s = 0; s < m; s++) {
                    float *a = at[-1].a + s * at[-1].row;
                    float *dz = at[-1].dz + s * at[-1].row;
                    if (f->draw)
                        for (size_t j = 0; j < at[-1].n; j++) {
                            dz[j] *= at[-1].keep[s * at[-1].row + j];
                            a[j] *= 1 - (float)f->drop;
                        }
                    unbend(f->sigma[l - 1], at[-1].n, a, dz);
                }
            }
    }
}
static void step(struct nn_fast *f, const float *g, double rate)
{
    float *p = f->p, *v = f->v, *s = f->s;
    const size_t n = f->room;
    const int many = worth_threads(f, 1);
    const float b1 = (float)f->beta1, b2 = (float)f->beta2;
    const float epsilon = (float)f->epsilon;
    const float c1 = (float)(1 - pow(f->beta1, (double)f->t));
    const float c2 = (float)(1 - pow(f->beta2, (double)f->t));
    const float r = (float)rate;

    switch (f->method) {
    case NN_DESCENT:
        #pragma omp parallel for simd if (many)
        for (size_t i = 0; i < n; i++)
            p[i] -= r * g[i];
        break;
    case NN_MOMENTUM:
        #pragma omp parallel for simd if (many)
        for (size_t i = 0; i < n; i++) {
            v[i] = b1 * v[i] + g[i];
            p[i] -= r * v[i];
        }
        break;
    case NN_ADAM:
        #pragma omp parallel for simd if (many)
        for (size_t i = 0; i < n; i++) {
            v[i] = b1 * v[i] + (1 - b1) * g[i];
            s[i] = b2 * s[i] + (1 - b2) * g[i] * g[i];
            p[i] -= r * (v[i] / c1) /
                    (sqrtf(s[i] / c2) + epsilon);
        }
        break;
    }
}
static void draw(const struct nn_fast *f, size_t m)
{
    const float kept = (float)(1 / (1 - f->drop));
    for (size_t s = 0; s < m; s++)
        for (int l = 1; l < f->layers; l++) {
            const struct nn_fast_layer *at = &f->at[l];
            float *keep = at->keep + s * at->row;
            for (size_t j = 0; j < at->n; j++)
                keep[j] = nn_rng_uniform(f->draw, 0, 1) <
                          f->drop ? 0 : kept;
        }
}
static double decay(const struct nn_fast *f, float *g)
{
    double sum = 0;
    if (f->decay == 0)
        return 0;
    for (int l = 1; l <= f->layers; l++)
        for (size_t i = f->at[l].w; i < f->at[l].b; i++) {
            double w = (double)f->p[i];
            sum += w * w;
            g[i] += (float)f->decay * f->p[i];
        }
    return f->decay / 2 * sum;
}

static double begin(struct nn_fast *f, size_t m, const float *x,
                    const float *y)
{
    const struct nn_fast_layer *last = &f->at[f->layers];
    double sum = 0;
    if (f->draw)
        draw(f, m);
    #pragma omp parallel if (worth_threads(f, m))
    {
        forward(f, m, x, f->draw != NULL);
        #pragma omp for schedule(static)
        for (size_t s = 0; s < m; s++)
            f->costs[s] = slopes_at_output(f, m,
                last->a + s * last->row, y + s * last->n,
                last->dz + s * last->row);
    }
    for (size_t s = 0; s < m; s++)
        sum += f->costs[s];
    return sum / (double)m;
}
enum nn_status nn_fast_gradient(struct nn_fast *f, size_t m,
                                const float *x, const float *y,
                                float *g, double *cost)
{
    assert(1 <= m && m <= f->batch);
    *cost = begin(f, m, x, y);
    #pragma omp parallel if (worth_threads(f, m))
    backward(f, m, x, g, 0);
    assert(!f->layer_done || f->decay == 0);
    if (f->layer_done)
        return isfinite(*cost) ? NN_OK : NN_NOT_FINITE;
    *cost += decay(f, g);

    unsigned finite = isfinite(*cost) ? 1 : 0;
    #pragma omp simd reduction(&: finite)
    for (size_t i = 0; i < f->room; i++)
        finite &= fabsf(g[i]) <= FLT_MAX;
    return finite ? NN_OK : NN_NOT_FINITE;
}
enum nn_status nn_fast_learn(struct nn_fast *f, size_t m,
                             const float *x, const float *y,
                             double rate, double *cost)
{
    assert(1 <= m && m <= f->batch);
    if (f->method == NN_DESCENT && f->decay == 0 && rate != 0) {
        *cost = begin(f, m, x, y);
        if (!isfinite(*cost))
            return NN_NOT_FINITE;
        f->t++;
        #pragma omp parallel if (worth_threads(f, m))
        backward(f, m, x, f->p, (float)rate);
        return NN_OK;
    }
    enum nn_status status = nn_fast_gradient(f, m, x, y, f->g,
                                             cost);
    if (status == NN_OK) {
        f->t++;
        step(f, f->g, rate);
    }
    return status;
}

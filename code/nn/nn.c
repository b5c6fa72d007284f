/* Tangled from chapters/08-fourloops.nw: edit there. Sum 2378666493. */
#include "nn/nn.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}

double nn_sigma(enum nn_activation sigma, double z)
{
    switch (sigma) {
    case NN_IDENTITY:
        return z;
    case NN_SIGMOID:
        return sigmoid(z);
    case NN_TANH:
        return tanh(z);
    case NN_RELU:
        return z > 0 || isnan(z) ? z : 0;
    }
    return (double)NAN;
}
double nn_slope(enum nn_activation sigma, double z)
{
    double a = nn_sigma(sigma, z);
    switch (sigma) {
    case NN_IDENTITY:
        return 1;
    case NN_SIGMOID:
        return a * (1 - a);
    case NN_TANH:
        return 1 - a * a;
    case NN_RELU:
        return z > 0;
    }
    return (double)NAN;
}
struct nn_layer nn_layer_at(const struct nn *nn, int l)
{
    struct nn_layer at = {0};
    for (int i = 1; i <= l; i++) {
        at.n = nn->size[i];
        at.n_before = nn->size[i - 1];
        at.w = i == 1 ? 0 : at.b + at.n_before;
        at.b = at.w + at.n * at.n_before;
        at.unit_before = at.unit;
        at.unit += at.n_before;
    }
    return at;
}
static int count(int layers, const size_t size[], size_t *units,
                 size_t *params)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    *units = *params = 0;
    if (layers < 1 || layers == INT_MAX)
        return 0;
    for (int l = 0; l <= layers; l++) {
        if (size[l] < 1)
            return 0;
        size_t n = size[l], before = l ? size[l - 1] : 0;
        if (before >= (most - *params) / n)
            return 0;
        *units += n;
        *params += l ? n * (before + 1) : 0;
    }
    return 1;
}
enum nn_status nn_create(struct nn *nn, int layers,
                         const size_t size[],
                         const enum nn_activation sigma[])
{
    size_t units;
    *nn = (struct nn){.layers = layers};
    if (!count(layers, size, &units, &nn->params))
        return NN_BAD_SIZE;
    size_t places = (size_t)layers + 1;
    nn->size = calloc(places, sizeof *nn->size);
    nn->sigma = calloc(places, sizeof *nn->sigma);
    nn->p = calloc(nn->params, sizeof *nn->p);
    nn->z = calloc(units, sizeof *nn->z);
    nn->a = calloc(units, sizeof *nn->a);
    nn->dz = calloc(units, sizeof *nn->dz);
    nn->da = calloc(units, sizeof *nn->da);
    if (!nn->size || !nn->sigma || !nn->p || !nn->z || !nn->a ||
        !nn->dz || !nn->da) {
        nn_destroy(nn);
        return NN_NO_MEMORY;
    }
    for (int l = 0; l <= layers; l++)
        nn->size[l] = size[l];
    for (int l = 1; l <= layers; l++)
        nn->sigma[l] = sigma[l - 1];
    return NN_OK;
}
void nn_destroy(struct nn *nn)
{
    free(nn->size);
    free(nn->sigma);
    free(nn->p);
    free(nn->z);
    free(nn->a);
    free(nn->dz);
    free(nn->da);
    *nn = (struct nn){0};
}
void nn_randomize(struct nn *nn, struct nn_rng *rng)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double bound = 1 / sqrt((double)at.n_before);
        for (size_t i = at.w; i < at.b; i++)
            nn->p[i] = nn_rng_uniform(rng, -bound, bound);
        for (size_t j = 0; j < at.n; j++)
            nn->p[at.b + j] = 0;
    }
}
const double *nn_forward(struct nn *nn, const double *x)
{
    for (size_t k = 0; k < nn->size[0]; k++)
        nn->a[k] = x[k];
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        const double *w_j = nn->p + at.w, *b = nn->p + at.b;
        const double *a_before = nn->a + at.unit_before;
        double *z = nn->z + at.unit, *a = nn->a + at.unit;
        for (size_t j = 0; j < at.n; j++, w_j += at.n_before) {
            z[j] = b[j];
            for (size_t k = 0; k < at.n_before; k++) {
                z[j] += w_j[k] * a_before[k];
            }
            a[j] = nn_sigma(nn->sigma[l], z[j]);
        }
        if (nn->keep && l < nn->layers)
            for (size_t j = 0; j < at.n; j++) {
                double *r = &nn->keep[at.unit + j];
                if (nn->draw) {
                    double u = nn_rng_uniform(nn->draw, 0, 1);
                    *r = u < nn->drop ? 0 : 1 / (1 - nn->drop);
                }
                a[j] *= *r;
            }
    }
    return nn->a + nn_layer_at(nn, nn->layers).unit;
}
double nn_decay(const struct nn *nn, double *g)
{
    double sum = 0;
    if (nn->decay == 0)
        return 0;

    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        for (size_t i = at.w; i < at.b; i++) {
            sum += nn->p[i] * nn->p[i];
            if (g)
                g[i] += nn->decay * nn->p[i];
        }
    }
    return nn->decay / 2 * sum;
}
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
double nn_cost(struct nn *nn, size_t m, const double *x,
               const double *y)
{
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    double sum = 0;
    for (size_t s = 0; s < m; s++)
        sum += sample_cost(nn, nn_forward(nn, x + s * n_in),
                           y + s * n_out);
    double cost = sum / (double)m;
    cost += nn_decay(nn, NULL);
    return cost;
}
enum nn_status nn_gradient(struct nn *nn, size_t m,
                           const double *x, const double *y,
                           double *g, double *cost)
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
                for (size_t k = 0; k < n_before; k++) {
                    dw_j[k] += dz[j] * a_before[k];
                    da_before[k] += dz[j] * w_j[k];
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
void nn_step(struct nn *nn, const double *g, double rate)
{
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] -= rate * g[i];
}

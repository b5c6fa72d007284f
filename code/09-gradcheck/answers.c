/* Tangled from chapters/09-gradcheck.nw: edit there. Sum 898925925. */
#include <assert.h>
#include <math.h>

#include "nn/check.h"

static double sample_cost(const struct nn *nn, const double *a,
                          const double *y);
enum nn_status piled(struct nn *nn, size_t m, const double *x,
                     const double *y, double *g, double *cost)
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

#define main gradcheck_main
#include "09-gradcheck/gradcheck.c"
#undef main

double error_of_factor(double t)
{
    return fabs(t - 1) / (fabs(t) + 1);
}
int passes(gradient *of, int layers, const size_t *n, size_t m)
{
    enum nn_activation s[] = {
        NN_TANH, layers == 3 ? NN_TANH : NN_SIGMOID, NN_SIGMOID};
    double xs[32], ys[32], g[64], cost_of;
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(9);
    assert(layers == 2 || layers == 3);
    assert(m * n[0] <= 32 && m * n[layers] <= 32);
    if (nn_create(&nn, layers, n, s) != NN_OK)
        return 0;
    assert(nn.params <= 64);
    for (size_t i = 0; i < nn.params; i++)
        nn.p[i] = nn_rng_uniform(&rng, -1, 1);
    for (size_t i = 0; i < 32; i++) {
        xs[i] = nn_rng_uniform(&rng, -1, 1);
        ys[i] = nn_rng_uniform(&rng, 0, 1);
    }
    of(&nn, m, xs, ys, g, &cost_of);
    struct nn_check c = nn_check_gradient(&nn, m, xs, ys, g);
    nn_destroy(&nn);
    return nn_check_passed(&c);
}
double check_direction(struct nn *nn, size_t m, const double *xs,
                       const double *ys, const double *g,
                       struct nn_rng *rng)
{
    size_t n = nn->params;
    double length = 0, gv = 0, h = 1e-5;
    double *v = malloc(n * sizeof *v), *p = malloc(n * sizeof *p);
    double e = (double)INFINITY;
    if (v && p) {
        for (size_t i = 0; i < n; i++) {
            v[i] = nn_rng_uniform(rng, -1, 1);
            length += v[i] * v[i];
        }
        for (size_t i = 0; i < n; i++) {
            v[i] /= sqrt(length);
            gv += g[i] * v[i];
        }
        memcpy(p, nn->p, n * sizeof *p);
        for (size_t i = 0; i < n; i++)
            nn->p[i] = p[i] + h * v[i];
        double up = nn_cost(nn, m, xs, ys);
        for (size_t i = 0; i < n; i++)
            nn->p[i] = p[i] - h * v[i];
        double d = (up - nn_cost(nn, m, xs, ys)) / (2 * h);
        memcpy(nn->p, p, n * sizeof *p);
        double f = 1e-3 * fmax(1, up);
        e = fabs(gv - d) / (fabs(gv) + fabs(d) + f);
    }
    free(v);
    free(p);
    return e;
}
enum nn_status kept(struct nn *nn, size_t m, const double *xs,
                    const double *ys, double *g, double *cost_of)
{
    double fresh[64];
    assert(nn->params <= 64);
    enum nn_status status =
        nn_gradient(nn, m, xs, ys, fresh, cost_of);
    for (size_t i = 0; i < nn->params; i++)
        g[i] += fresh[i];
    return status;
}

int passes_twice(gradient *of)
{
    struct nn nn;
    double g[P] = {0}, cost_of;
    make(&(struct cli){.program = "answers"}, &nn, 1);
    of(&nn, M, x, y, g, &cost_of);
    of(&nn, M, x, y, g, &cost_of);
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    nn_destroy(&nn);
    return nn_check_passed(&c);
}

/* Tangled from chapters/08-fourloops.nw: edit there. Sum 2845270036. */
#include <math.h>

#include "nn/nn.h"

size_t body_count(const struct nn *nn, size_t m)
{
    size_t count = 0;
    for (int l = 1; l <= nn->layers; l++)
        count += nn->size[l] * nn->size[l - 1];
    return m * count;
}
static enum nn_status make_xor_net(struct nn *nn, uint64_t seed)
{
    const size_t size[] = {2, 3, 1};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(seed);
    enum nn_status status = nn_create(nn, 2, size, sigma);
    if (status == NN_OK)
        nn_randomize(nn, &rng);
    return status;
}

static double train_xor_net(struct nn *nn)
{
    const double x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    const double y[] = {0, 1, 1, 0};
    double g[13], cost = (double)NAN;
    for (int i = 0; i < 10000; i++) {
        nn_gradient(nn, 4, x, y, g, &cost);
        nn_step(nn, g, 2);
    }
    return cost;
}
double equal_start(uint64_t seed, double nudge)
{
    struct nn nn;
    if (make_xor_net(&nn, seed) != NN_OK)
        return (double)NAN;
    double *out = nn.p + nn_layer_at(&nn, 2).w;
    for (size_t j = 1; j < 3; j++) {
        nn.p[2 * j] = nn.p[0];
        nn.p[2 * j + 1] = nn.p[1];
        out[j] = out[0];
    }
    nn.p[2] += nudge;
    double cost = train_xor_net(&nn);
    nn_destroy(&nn);
    return cost;
}
void gradient_k_outside(struct nn *nn, const double *x,
                        const double *y, double *g)
{
    const double *a = nn_forward(nn, x);
    size_t n_out = nn->size[nn->layers];
    double *da_out = nn->da + nn_layer_at(nn, nn->layers).unit;
    for (size_t j = 0; j < n_out; j++)
        da_out[j] = (a[j] - y[j]) / (double)n_out;
    for (int l = nn->layers; l >= 1; l--) {
        struct nn_layer at = nn_layer_at(nn, l);
        double *dz = nn->dz + at.unit;
        for (size_t j = 0; j < at.n; j++)
            g[at.b + j] = dz[j] = nn->da[at.unit + j] *
                nn_slope(nn->sigma[l], nn->z[at.unit + j]);
        for (size_t k = 0; k < at.n_before; k++) {
            double sum = 0;
            for (size_t j = 0; j < at.n; j++) {
                size_t jk = at.w + j * at.n_before + k;
                g[jk] = dz[j] * nn->a[at.unit_before + k];
                sum += dz[j] * nn->p[jk];
            }
            nn->da[at.unit_before + k] = sum;
        }
    }
}
double sharpen(struct nn *nn, double x[2], double wanted,
               double *g)
{
    double cost;
    for (int i = 0;; i++) {
        if (nn_gradient(nn, 1, x, &wanted, g, &cost) != NN_OK)
            return (double)NAN;
        if (cost <= 1e-4 || i == 5000)
            return cost;
        for (int k = 0; k < 2; k++)
            x[k] -= 0.5 * nn->da[k];
    }
}
static double log_cosh(double e)
{
    return fabs(e) + log1p(exp(-2 * fabs(e))) - log(2);
}

enum nn_status log_cosh_gradient(
    struct nn *nn, size_t m, const double *x, const double *y,
    double *g, double *cost)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    size_t n_in = nn->size[0], n_out = last.n;
    double *da_out = nn->da + last.unit, sum = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t s = 0; s < m; s++) {
        const double *a = nn_forward(nn, x + s * n_in);
        for (size_t j = 0; j < n_out; j++) {
            double e = a[j] - y[s * n_out + j];
            sum += log_cosh(e) / (double)n_out;
            da_out[j] = tanh(e) / (double)(n_out * m);
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
double log_cosh_off(struct nn *nn, size_t m, const double *x,
                    const double *y, double *g, double *unused)
{
    double cost, above, below, off = 0, h = 1e-5;
    log_cosh_gradient(nn, m, x, y, g, &cost);
    for (size_t i = 0; i < nn->params; i++) {
        double p = nn->p[i];
        nn->p[i] = p + h;
        log_cosh_gradient(nn, m, x, y, unused, &above);
        nn->p[i] = p - h;
        log_cosh_gradient(nn, m, x, y, unused, &below);
        nn->p[i] = p;
        off = fmax(off, fabs(g[i] - (above - below) / (2 * h)));
    }
    return off;
}

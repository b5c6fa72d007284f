/* Tangled from chapters/09-gradcheck.nw: edit there. Sum 3664072297. */
#include <assert.h>

#define main gradcheck_main
#include "09-gradcheck/gradcheck.c"
#undef main

double error_of_factor(double t)
{
    return fabs(t - 1) / (fabs(t) + 1);
}
int passes(gradient *of, int layers, const size_t *n, size_t m)
{
    enum nn_activation s[] = {NN_TANH, NN_SIGMOID, NN_SIGMOID};
    double xs[32], ys[32], g[64], cost_of;
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(9);
    if (nn_create(&nn, layers, n, s + 3 - layers) != NN_OK)
        return 0;
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
    double v[64], length = 0, gv = 0, h = 1e-5;
    assert(nn->params <= 64);
    for (size_t i = 0; i < nn->params; i++) {
        v[i] = nn_rng_uniform(rng, -1, 1);
        length += v[i] * v[i];
    }
    for (size_t i = 0; i < nn->params; i++) {
        v[i] /= sqrt(length);
        gv += g[i] * v[i];
    }
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] += h * v[i];
    double up = nn_cost(nn, m, xs, ys);
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] -= 2 * h * v[i];
    double d = (up - nn_cost(nn, m, xs, ys)) / (2 * h);
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] += h * v[i];
    return fabs(gv - d) / (fabs(gv) + fabs(d));
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
    make(NULL, &nn, 1);
    of(&nn, M, x, y, g, &cost_of);
    of(&nn, M, x, y, g, &cost_of);
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    nn_destroy(&nn);
    return nn_check_passed(&c);
}
enum nn_status piled(struct nn *nn, size_t m, const double *xs,
                     const double *ys, double *g, double *cost_of)
{
    double keep[16];
    size_t hidden = nn_layer_at(nn, nn->layers).unit;
    assert(hidden <= 16);
    *cost_of = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t i = 0; i < hidden; i++)
        keep[i] = 0;
    for (size_t s = 0; s < m; s++) {
        double cost_s;
        const double *a = nn_forward(nn, xs + s * nn->size[0]);
        struct nn_layer last_at = nn_layer_at(nn, nn->layers);
        for (size_t j = 0; j < last_at.n; j++)
            nn->da[last_at.unit + j] =
                (a[j] - ys[s * last_at.n + j]) / (double)(last_at.n * m);
        for (int l = nn->layers; l >= 1; l--) {
            struct nn_layer at = nn_layer_at(nn, l);
            for (size_t j = 0; j < at.n; j++) {
                size_t u = at.unit + j;
                nn->dz[u] = nn->da[u] * nn_slope(nn->sigma[l], nn->z[u]);
                g[at.b + j] += nn->dz[u];
            }
            for (size_t k = 0; k < at.n_before; k++) {
                for (size_t j = 0; j < at.n; j++) {
                    size_t i = at.w + j * at.n_before + k;
                    double dz = nn->dz[at.unit + j];
                    g[i] += dz * nn->a[at.unit_before + k];
                    keep[at.unit_before + k] += dz * nn->p[i];
                }
                nn->da[at.unit_before + k] = keep[at.unit_before + k];
            }
        }
        cost_s = sample_cost(nn, a, ys + s * last_at.n);
        *cost_of += cost_s / (double)m;
    }
    return isfinite(*cost_of) ? NN_OK : NN_NOT_FINITE;
}

/* Tangled from chapters/10-race.nw: edit there. Sum 1786576234. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/nn.h"

enum { MOST = 64 };

double bearable(double T, double t)
{
    return sqrt(T / t) / 3;
}
size_t cost_of(int layers, const size_t *n)
{
    size_t w = 0;
    for (int l = 1; l <= layers; l++)
        w += n[l] * n[l - 1];
    return 3 * w - n[1] * n[0];
}
size_t numbers_held(const struct nn *nn)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    return 4 * (last.unit + last.n) + nn->params;
}
double along(struct nn *nn, const double *x, const double *y,
             const double *v)
{
    double dot[MOST], before[MOST] = {0}, slope = 0;
    const double *out = nn_forward(nn, x);
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        for (size_t j = 0; j < at.n; j++) {
            double z_dot = v[at.b + j];
            for (size_t k = 0; k < at.n_before; k++) {
                size_t jk = at.w + j * at.n_before + k;
                z_dot += v[jk] * nn->a[at.unit_before + k] +
                         nn->p[jk] * before[k];
            }
            dot[j] = z_dot *
                     nn_slope(nn->sigma[l], nn->z[at.unit + j]);
        }
        memcpy(before, dot, at.n * sizeof *dot);
    }
    size_t n = nn->size[nn->layers];
    for (size_t j = 0; j < n; j++)
        slope += (out[j] - y[j]) * dot[j] / (double)n;
    return slope;
}
void hessian_times(struct nn *nn, const double *x,
                   const double *y, const double *v, double *hv)
{
    const double h = 1e-5;
    double up[256], down[256], cost;
    size_t n = nn->params;
    assert(n <= 256);
    for (size_t i = 0; i < n; i++)
        nn->p[i] += h * v[i];
    nn_gradient(nn, 1, x, y, up, &cost);
    for (size_t i = 0; i < n; i++)
        nn->p[i] -= 2 * h * v[i];
    nn_gradient(nn, 1, x, y, down, &cost);
    for (size_t i = 0; i < n; i++) {
        nn->p[i] += h * v[i];
        hv[i] = (up[i] - down[i]) / (2 * h);
    }
}

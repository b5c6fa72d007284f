/* Tangled from chapters/10-race.nw: edit there. Sum 1261616818. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/nn.h"

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
    double slope = 0, *dot = nn->da;
    const double *out = nn_forward(nn, x);
    struct nn_layer at = {0};
    for (size_t k = 0; k < nn->size[0]; k++)
        dot[k] = 0;
    for (int l = 1; l <= nn->layers; l++) {
        at = nn_layer_at(nn, l);
        for (size_t j = 0; j < at.n; j++) {
            double z_dot = v[at.b + j];
            for (size_t k = 0; k < at.n_before; k++) {
                size_t jk = at.w + j * at.n_before + k;
                z_dot += v[jk] * nn->a[at.unit_before + k] +
                         nn->p[jk] * dot[at.unit_before + k];
            }
            dot[at.unit + j] =
                z_dot * nn_slope(nn->sigma[l], nn->z[at.unit + j]);
        }
    }
    for (size_t j = 0; j < at.n; j++)
        slope += (out[j] - y[j]) * dot[at.unit + j];
    return slope / (double)at.n;
}
enum { SMALL = 256 };

void hessian_times(struct nn *nn, const double *x,
                   const double *y, const double *v, double *hv)
{
    const double h = 1e-5;
    double p[SMALL], up[SMALL], down[SMALL], cost;
    size_t n = nn->params;
    assert(n <= SMALL);
    memcpy(p, nn->p, n * sizeof *p);
    for (size_t i = 0; i < n; i++)
        nn->p[i] = p[i] + h * v[i];
    nn_gradient(nn, 1, x, y, up, &cost);
    for (size_t i = 0; i < n; i++)
        nn->p[i] = p[i] - h * v[i];
    nn_gradient(nn, 1, x, y, down, &cost);
    for (size_t i = 0; i < n; i++)
        hv[i] = (up[i] - down[i]) / (2 * h);
    memcpy(nn->p, p, n * sizeof *p);
}
double asymmetry(struct nn *nn, const double *x, const double *y,
                 const double *u, const double *v)
{
    double hu[SMALL] = {0}, hv[SMALL] = {0}, sum = 0;
    hessian_times(nn, x, y, u, hu);
    hessian_times(nn, x, y, v, hv);
    for (size_t i = 0; i < nn->params; i++)
        sum += u[i] * hv[i] - v[i] * hu[i];
    return sum;
}

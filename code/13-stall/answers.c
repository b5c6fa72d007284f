/* Tangled from chapters/13-stall.nw: edit there. Sum 1424507035. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/nn.h"

enum { MOST = 256 };

int deepest(double factor, double least)
{
    return 1 + (int)floor(log(least) / log(factor));
}
double leaky_variance(double n, double c)
{
    return 2 / (n * (1 + c * c));
}

double leaky_size(size_t n, int depth, double c, uint64_t seed)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    double bound = sqrt(3 * leaky_variance((double)n, c));
    double a[MOST], z[MOST], first = 0, last = 0;
    assert(n <= MOST);
    for (size_t k = 0; k < n; k++) {
        a[k] = nn_rng_uniform(&rng, -1, 1);
        first += a[k] * a[k];
    }
    for (int l = 0; l < depth; l++) {
        for (size_t j = 0; j < n; j++) {
            z[j] = 0;
            for (size_t k = 0; k < n; k++)
                z[j] += a[k] *
                        nn_rng_uniform(&rng, -bound, bound);
        }
        for (size_t j = 0; j < n; j++)
            a[j] = z[j] > 0 ? z[j] : c * z[j];
    }
    for (size_t j = 0; j < n; j++)
        last += a[j] * a[j];
    return last / first;
}
double left_after(double f, int depth)
{
    return pow(f, depth);
}

double left_after_residual(double f, int depth)
{
    return pow(1 + f * f, 0.5 * depth);
}
void level(struct nn *nn, size_t m, const double *x)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double sum = 0;
        for (size_t s = 0; s < m; s++) {
            nn_forward(nn, x + s * nn->size[0]);
            for (size_t j = at.unit; j < at.unit + at.n; j++)
                sum += nn->z[j] * nn->z[j];
        }
        double size = sqrt(sum / (double)(m * at.n));
        for (size_t i = at.w; size > 0 && i < at.b; i++)
            nn->p[i] /= size;
    }
}

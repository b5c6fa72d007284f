/* Tangled from chapters/12-well.nw: edit there. Sum 2085412700. */
#include "nn/init.h"

#include <math.h>

static double variance(enum nn_init init, double n, double n_here)
{
    switch (init) {
    case NN_SMALL:
        return 1 / (3 * n);
    case NN_GLOROT:
        return 2 / (n + n_here);
    case NN_HE:
        return 2 / n;
    }
    return 0;
}

void nn_initialize(struct nn *nn, enum nn_init init,
                   struct nn_rng *rng)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double v = variance(init, (double)at.n_before,
                            (double)at.n);
        double bound = sqrt(3 * v);
        for (size_t i = at.w; i < at.b; i++)
            nn->p[i] = nn_rng_uniform(rng, -bound, bound);
        for (size_t j = 0; j < at.n; j++)
            nn->p[at.b + j] = 0;
    }
}

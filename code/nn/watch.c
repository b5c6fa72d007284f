/* Tangled from chapters/13-stall.nw: edit there. Sum 4207067216. */
#include "nn/watch.h"

#include <math.h>
#include <stdio.h>

double nn_clip(size_t n, double *g, double most)
{
    double largest = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(g[i]));
    for (size_t i = 0; largest > 0 && i < n; i++)
        sum += g[i] / largest * (g[i] / largest);

    double length = largest * sqrt(sum);
    if (length > most)
        for (size_t i = 0; i < n; i++)
            g[i] = g[i] / largest * (most / sqrt(sum));
    return length;
}
static int among(size_t n, const double *v, const char *letter,
                 int l, char name[NN_NAME])
{
    for (size_t j = 0; j < n; j++) {
        if (isfinite(v[j]))
            continue;

        if (l > 0)
            snprintf(name, NN_NAME, "%s%d_%zu", letter, l, j + 1);
        else if (l < 0)
            snprintf(name, NN_NAME, "%s_%zu", letter, j + 1);
        else
            snprintf(name, NN_NAME, "%s", letter);
        return 1;
    }
    return 0;
}

static int found(const struct nn *nn, const char *before,
                 const double *v, size_t from, size_t end,
                 char name[NN_NAME])
{
    for (size_t i = from; i < end; i++) {
        if (isfinite(v[i]))
            continue;

        char bare[NN_NAME];
        nn_name(nn, i, bare);
        snprintf(name, NN_NAME, "%s%.70s", before, bare);
        return 1;
    }
    return 0;
}
int nn_find_not_finite(struct nn *nn, const double *x,
                       const double *y, double *g,
                       char name[NN_NAME])
{
    int L = nn->layers;
    double cost;
    if (found(nn, "", nn->p, 0, nn->params, name) ||
        among(nn->size[0], x, "x", -1, name) ||
        among(nn->size[L], y, "y", -1, name))
        return 1;

    nn_gradient(nn, 1, x, y, g, &cost);
    for (int l = 1; l <= L; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        if (among(at.n, nn->z + at.unit, "z", l, name) ||
            among(at.n, nn->a + at.unit, "a", l, name))
            return 1;
    }
    if (among(1, &cost, "J", 0, name))
        return 1;
    for (int l = L; l >= 1; l--) {
        struct nn_layer at = nn_layer_at(nn, l);
        if (among(at.n, nn->da + at.unit, "da", l, name) ||
            among(at.n, nn->dz + at.unit, "dz", l, name) ||
            found(nn, "d", g, at.w, at.b + at.n, name))
            return 1;
    }
    return 0;
}
void nn_count_active(struct nn *nn, int l, size_t m,
                     const double *x, size_t *active)
{
    struct nn_layer at = nn_layer_at(nn, l);
    for (size_t s = 0; s < m; s++) {
        nn_forward(nn, x + s * nn->size[0]);
        for (size_t j = 0; j < at.n; j++)
            active[j] += nn->a[at.unit + j] > 0;
    }
}

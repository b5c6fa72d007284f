/* Tangled from chapters/09-gradcheck.nw: edit there. Sum 149458977. */
#include "nn/check.h"

#include <math.h>
#include <stdio.h>

static int passed_a_corner(const struct nn *nn)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        if (nn->sigma[l] != NN_RELU)
            continue;
        for (size_t u = at.unit; u < at.unit + at.n; u++)
            if ((nn->z[u] > 0) != (nn->dz[u] > 0))
                return 1;
    }
    return 0;
}
static double difference(struct nn *nn, size_t m,
                         const double *x, const double *y,
                         double *p, double h, int *kink)
{
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    double old = *p, up = old + h, down = old - h, sum = 0;
    for (size_t s = 0; s < m; s++) {
        *p = up;
        sum += nn_cost(nn, 1, x + s * n_in, y + s * n_out);
        struct nn_layer last = nn_layer_at(nn, nn->layers);
        for (size_t u = 0; u < last.unit + last.n; u++)
            nn->dz[u] = nn->z[u];
        *p = down;
        sum -= nn_cost(nn, 1, x + s * n_in, y + s * n_out);
        *kink |= passed_a_corner(nn);
    }
    *p = old;
    return sum / (up - down) / (double)m;
}
static double apart(double g, double d, double f)
{
    double e = fabs(g - d) / (fabs(g) + fabs(d) + f);
    return isnan(e) ? (double)INFINITY : e;
}
struct nn_check nn_check_gradient(struct nn *nn, size_t m,
        const double *x, const double *y, const double *g)
{
    struct nn_check c = {0};
    double f = 1e-3 * fmax(1, nn_cost(nn, m, x, y));
    for (size_t i = 0; i < nn->params; i++) {
        double *p = &nn->p[i], h = 1e-5 * fmax(1, fabs(*p));
        int kink = 0;
        double wide = difference(nn, m, x, y, p, h, &kink);
        double narrow = difference(nn, m, x, y, p, h / 2, &kink);
        double d = narrow + (narrow - wide) / 3;
        if (kink) {
            c.skipped++;
            continue;
        }
        c.checked++;
        c.largest = fmax(c.largest, fabs(d));
        double e = apart(g[i], d, f);
        if (e > c.worst) {
            c.worst = e;
            c.at = i;
            c.got = g[i];
            c.want = d;
        }
    }
    return c;
}
int nn_check_passed(const struct nn_check *check)
{
    size_t all = check->checked + check->skipped;
    return check->worst <= NN_CHECK_BOUND &&
           check->largest > NN_CHECK_BOUND &&
           100 * check->skipped <= all;
}
void nn_name(const struct nn *nn, size_t i, char name[NN_NAME])
{
    int l = 1;
    while (i >= nn_layer_at(nn, l).b + nn_layer_at(nn, l).n)
        l++;
    struct nn_layer at = nn_layer_at(nn, l);
    if (i >= at.b)
        snprintf(name, NN_NAME, "b%d_%zu", l, i - at.b + 1);
    else
        snprintf(name, NN_NAME, "w%d_%zu,%zu", l,
                 (i - at.w) / at.n_before + 1,
                 (i - at.w) % at.n_before + 1);
}

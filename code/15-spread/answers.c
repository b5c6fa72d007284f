/* Tangled from chapters/15-spread.nw: edit there. Sum 2063090738. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

double bytes_sent(double ranks, double bytes)
{
    return 2 * (ranks - 1) / ranks * bytes;
}

double bytes_of_tree(double ranks, double bytes)
{
    return log2(ranks) * bytes;
}
double best_interval(double save, double failure)
{
    return sqrt(2 * save * failure);
}
size_t ring(size_t ranks, size_t n, float *g)
{
    size_t piece = n / ranks, sent = 0;
    for (size_t t = 0; t < 2 * (ranks - 1); t++)
        for (size_t r = 0; r < ranks; r++) {
            size_t to = (r + 1) % ranks;
            size_t which = (r + 2 * ranks - t) % ranks;
            if (t >= ranks - 1) // complete pieces go around
                which = (r + 1 + 2 * ranks - (t + 1 - ranks)) %
                        ranks;
            const float *from = g + r * n + which * piece;
            float *at = g + to * n + which * piece;
            for (size_t i = 0; i < piece; i++)
                at[i] = t < ranks - 1 ? at[i] + from[i] : from[i];
            sent += r == 0 ? piece : 0;
        }
    return sent;
}
double whole_sum(size_t n, const float *x)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += llrint((double)x[i] * 0x1p40);
    return (double)sum * 0x1p-40;
}
static int by_size(const void *a, const void *b)
{
    float s = *(const float *)a, t = *(const float *)b;
    return (s < t) - (s > t);
}

int largest(size_t n, float *g, float *rest, size_t k)
{
    float *size = malloc((n + 1) * sizeof *size);
    if (!size)
        return -1;
    for (size_t i = 0; i < n; i++) {
        g[i] += rest[i];
        size[i] = fabsf(g[i]);
    }

    qsort(size, n, sizeof *size, by_size);
    float least = k && n ? size[k < n ? k - 1 : n - 1] : INFINITY;
    size_t ties = 0; // how many of size LEAST may go
    for (size_t i = 0; i < k && i < n; i++)
        ties += size[i] <= least;
    free(size);

    for (size_t i = 0; i < n; i++) {
        float a = fabsf(g[i]);
        int goes = a > least || (a >= least && ties > 0);
        if (goes && a <= least)
            ties--;
        rest[i] = goes ? 0 : g[i];
        g[i] = goes ? g[i] : 0;
    }
    return 0;
}

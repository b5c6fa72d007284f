/* Tangled from chapters/12-well.nw: edit there. Sum 1763991752. */
#include "nn/loss.h"

#include <math.h>

static double largest(size_t n, const double *z)
{
    double most = z[0];
    for (size_t j = 1; j < n; j++)
        if (z[j] > most)
            most = z[j];
    return most;
}

double nn_log_sum_exp(size_t n, const double *z)
{
    double most = largest(n, z), sum = 0;
    for (size_t j = 0; j < n; j++)
        sum += exp(z[j] - most);
    return most + log(sum);
}
void nn_softmax(size_t n, const double *z, double *p)
{
    double most = largest(n, z), sum = 0;
    for (size_t j = 0; j < n; j++) {
        p[j] = exp(z[j] - most);
        sum += p[j];
    }
    for (size_t j = 0; j < n; j++)
        p[j] /= sum;
}
double nn_cross_entropy(size_t n, const double *z,
                        const double *y)
{
    double most = largest(n, z), all = 0, sum = 0;
    for (size_t j = 0; j < n; j++)
        all += exp(z[j] - most);
    all = log(all);
    for (size_t j = 0; j < n; j++)
        sum += y[j] * (all - (z[j] - most));
    return sum;
}

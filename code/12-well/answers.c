/* Tangled from chapters/12-well.nw: edit there. Sum 167378361. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/nn.h"
#include "nn/optimizer.h"

double first_cost(size_t classes)
{
    return log((double)classes);
}
double spread_of_five(long fives, uint64_t seed)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    double all = 0;
    for (long i = 0; i < fives; i++) {
        double c[5], mean = 0, sum = 0;
        for (int j = 0; j < 5; j++) {
            c[j] = nn_rng_uniform(&rng, 0, 1);
            mean += c[j] / 5;
        }
        for (int j = 0; j < 5; j++)
            sum += (c[j] - mean) * (c[j] - mean);
        all += sum / 4;
    }
    return all / (double)fives;
}
void smooth(size_t n, size_t c, double u, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = u / (double)n + (i == c ? 1 - u : 0);
}

double least_cost(size_t n, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (y[i] > 0)
            sum -= y[i] * log(y[i]);
    return sum;
}
void decoupled_step(struct nn_optimizer *o, double *p,
                    const double *g, double rate, double decay)
{
    for (size_t i = 0; i < o->n; i++)
        p[i] *= 1 - rate * decay;
    nn_optimizer_step(o, p, g, rate);
}
void ensemble(struct nn *nets, size_t k, const double *x,
              double *p)
{
    size_t n = nets->size[nets->layers];
    for (size_t j = 0; j < n; j++)
        p[j] = 0;
    for (size_t i = 0; i < k; i++) {
        const double *a = nn_forward(&nets[i], x);
        double all = nn_log_sum_exp(n, a);
        for (size_t j = 0; j < n; j++)
            p[j] += exp(a[j] - all) / (double)k;
    }
}
void best_beta(double kappa, double *rate, double *beta)
{
    double root = (sqrt(kappa) - 1) / (sqrt(kappa) + 1);
    *beta = root * root;
    *rate = (1 - root) * (1 - root);
}
uint32_t crc(const uint8_t *bytes, size_t n)
{
    uint32_t rest = 0xFFFFFFFF;
    for (size_t i = 0; i < n; i++) {
        rest ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            rest = rest >> 1 ^ (rest & 1 ? 0xEDB88320 : 0);
    }
    return ~rest;
}
void epoch_order(uint64_t seed, uint64_t epoch, size_t m,
                 size_t *order)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    rng = nn_rng_seeded(nn_rng_next(&rng) ^ epoch);
    for (size_t s = 0; s < m; s++)
        order[s] = s;
    nn_rng_shuffle(&rng, order, m);
}

/* Tangled from chapters/08-fourloops.nw: edit there. Sum 1072251273. */
#include "nn/rng.h"

struct nn_rng nn_rng_seeded(uint64_t seed)
{
    return (struct nn_rng){seed};
}

uint64_t nn_rng_next(struct nn_rng *rng)
{
    uint64_t v = rng->state += 0x9e3779b97f4a7c15;
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9;
    v = (v ^ (v >> 27)) * 0x94d049bb133111eb;
    return v ^ (v >> 31);
}

double nn_rng_uniform(struct nn_rng *rng, double low, double high)
{
    double u = (double)(nn_rng_next(rng) >> 11) * 0x1p-53;
    double v = low + (high - low) * u;
    return v < high ? v : low; // rounding may have reached high
}

uint64_t nn_rng_below(struct nn_rng *rng, uint64_t n)
{
    uint64_t over = (UINT64_MAX - n + 1) % n; // 2^64 mod n
    uint64_t v;
    do
        v = nn_rng_next(rng);
    while (v < over);
    return v % n;
}

void nn_rng_shuffle(struct nn_rng *rng, size_t *order, size_t n)
{
    for (; n > 1; n--) {
        size_t i = nn_rng_below(rng, n), last = order[n - 1];
        order[n - 1] = order[i];
        order[i] = last;
    }
}

/* Tangled from chapters/08-fourloops.nw: edit there. Sum 1926047717. */
#ifndef NN_RNG_H
#define NN_RNG_H
#include <stddef.h>
#include <stdint.h>

/* SplitMix64: Steele, Lea and Flood, OOPSLA 2014. The same seed
   gives the same numbers on every machine. Example:

     struct nn_rng rng = nn_rng_seeded(1);
     double u = nn_rng_uniform(&rng, -1, 1); */
struct nn_rng {
    uint64_t state;
};

struct nn_rng nn_rng_seeded(uint64_t seed);

/* 64 random bits. */
uint64_t nn_rng_next(struct nn_rng *rng);

/* A number in [low, high), in steps of (high - low) / 2^53, but
   for rounding. */
double nn_rng_uniform(struct nn_rng *rng, double low,
                      double high);

/* One of 0 .. n - 1, each as likely as the others; n >= 1. */
uint64_t nn_rng_below(struct nn_rng *rng, uint64_t n);

/* Puts order[0 .. n-1] into random order (Fisher and Yates). */
void nn_rng_shuffle(struct nn_rng *rng, size_t *order, size_t n);

#endif

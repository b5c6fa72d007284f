/* Tangled from chapters/12-well.nw: edit there. Sum 3554908736. */
#ifndef NN_INIT_H
#define NN_INIT_H
#include "nn/nn.h"

/* How large the first weights are, n units before, n' here:
   NN_SMALL   variance 1/(3n), as nn_randomize
   NN_GLOROT  2/(n + n'), for tanh: Glorot and Bengio (2010)
   NN_HE      2/n, for ReLU: He et al. (2015) */
enum nn_init { NN_SMALL, NN_GLOROT, NN_HE };

/* Biases zero, weights uniform in +-sqrt(3 variance). */
void nn_initialize(struct nn *nn, enum nn_init init,
                   struct nn_rng *rng);
#endif

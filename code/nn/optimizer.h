/* Tangled from chapters/12-well.nw: edit there. Sum 4066139983. */
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H
#include <stddef.h>

#include "nn/status.h"

/* A rule that makes steps of gradients. Example:

     struct nn_optimizer o;
     if (nn_optimizer_create(&o, NN_ADAM, nn.params) != NN_OK) ...
     nn_gradient(&nn, m, x, y, g, &cost);
     nn_optimizer_step(&o, nn.p, g, rate);
     nn_optimizer_destroy(&o); */

/* NN_DESCENT   p -= rate g
   NN_MOMENTUM  v = beta1 v + g, p -= rate v: Polyak (1964)
   NN_ADAM      v = beta1 v + (1 - beta1) g,
                s = beta2 s + (1 - beta2) g^2,
                p -= rate v' / (sqrt(s') + epsilon), where
                v' = v / (1 - beta1^t), s' = s / (1 - beta2^t)
                at step t: Kingma and Ba (2015) */
enum nn_method { NN_DESCENT, NN_MOMENTUM, NN_ADAM };

struct nn_optimizer {
    enum nn_method method;
    size_t n, t;                  // numbers; steps so far
    double beta1, beta2, epsilon; // 0.9, 0.999, 1e-8 at first
    double *v, *s;                // [n] each, zero at first
};

/* NN_BAD_SIZE: n is 0 or does not fit; NN_NO_MEMORY. On failure
   there is nothing to destroy. */
enum nn_status nn_optimizer_create(struct nn_optimizer *o,
                                   enum nn_method method,
                                   size_t n);
void nn_optimizer_destroy(struct nn_optimizer *o);

/* Moves p [n] by one step against its slopes g [n]. */
void nn_optimizer_step(struct nn_optimizer *o, double *p,
                       const double *g, double rate);
#endif

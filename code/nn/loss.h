/* Tangled from chapters/12-well.nw: edit there. Sum 3375896959. */
#ifndef NN_LOSS_H
#define NN_LOSS_H
#include <stddef.h>

/* What a sample costs a net whose outputs are a [n], when they
   should be y [n]:
   NN_SQUARED        1/(2n) sum_j (a_j - y_j)^2
   NN_CROSS_ENTROPY  - sum_j y_j log p_j, p the softmax of a; for
                     a last layer of NN_IDENTITY, and y_j >= 0
                     that sum to 1.
   A net has the squared cost unless nn.loss says otherwise. */
enum nn_loss { NN_SQUARED, NN_CROSS_ENTROPY };

/* p_i = exp(z_i) / sum_k exp(z_k), n >= 1. No finite z is too
   large. p may be z. Source: Bridle (1990). */
void nn_softmax(size_t n, const double *z, double *p);

/* log(sum_k exp(z_k)), n >= 1. No finite z is too large. */
double nn_log_sum_exp(size_t n, const double *z);

/* sum_j y_j (log(sum_k exp(z_k)) - z_j), the cross-entropy of the
   logits z [n] and the target y [n]. Its slope by z_j, if y sums
   to 1, is p_j - y_j, p the softmax of z. */
double nn_cross_entropy(size_t n, const double *z,
                        const double *y);
#endif

/* Tangled from chapters/08-fourloops.nw: edit there. Sum 3224169189. */
#ifndef NN_NN_H
#define NN_NN_H
#include <stddef.h>

#include "nn/loss.h"
#include "nn/rng.h"
#include "nn/status.h"

/* A net of layers, its cost and the slopes of the cost. Example:

     struct nn nn;
     struct nn_rng rng = nn_rng_seeded(1);
     size_t size[] = {2, 3, 1};
     enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
     if (nn_create(&nn, 2, size, sigma) != NN_OK) ...
     double *g = malloc(nn.params * sizeof *g);
     nn_randomize(&nn, &rng);
     for (int i = 0; i < 1000; i++) {
         if (nn_gradient(&nn, m, x, y, g, &cost) != NN_OK) ...
         nn_step(&nn, g, rate);
     }
     nn_destroy(&nn); */

enum nn_activation { NN_IDENTITY, NN_SIGMOID, NN_TANH, NN_RELU };

/* sigma(z), NaN for NaN, and its slope sigma'(z), that of ReLU at
   0 being 0. */
double nn_sigma(enum nn_activation sigma, double z);
double nn_slope(enum nn_activation sigma, double z);
struct nn {
    int layers;                // L
    size_t *size;              // [L+1]: n_l; size[0] inputs
    enum nn_activation *sigma; // [L+1]: of layer l; [0] unused
    size_t params;             // P, weights and biases together
    double *p;                 // [P]: layer by layer, w then b
    double *z, *a, *dz, *da;   // [n_0 + ... + n_L], by layer
    enum nn_loss loss; // NN_SQUARED, unless set
    double decay; // lambda of 1/2 lambda sum w^2, in the cost
    double *keep;        // r, placed like a; NULL: no dropout
    double drop;         // d, if draw is not NULL
    struct nn_rng *draw; // draws r anew at each forward pass
};
/* A net with L layers, size[0] inputs and size[l] units of
   activation sigma[l - 1] in layer l; all parameters are zero.
   Copies both arrays. NN_BAD_SIZE: L or a size is below 1, or the
   sum of the sizes or P does not fit; NN_NO_MEMORY. On failure
   there is nothing to destroy. */
enum nn_status nn_create(struct nn *nn, int layers,
                         const size_t size[],
                         const enum nn_activation sigma[]);
void nn_destroy(struct nn *nn);

/* Biases zero, weights uniform in +-1/sqrt(number of inputs). */
void nn_randomize(struct nn *nn, struct nn_rng *rng);

/* z_j = sum_k w_jk a_k + b_j, a_j = sigma(z_j), layer by layer,
   from x [size[0]]. Returns a of the last layer, [size[L]], which
   is the net's own and holds until the next call. */
const double *nn_forward(struct nn *nn, const double *x);

/* J = 1/m sum_s 1/(2n) sum_j (a_j - y_j)^2 over m >= 1 samples,
   x [m][size[0]], y [m][size[L]]. */
double nn_cost(struct nn *nn, size_t m, const double *x,
               const double *y);

/* g [P] = the slopes of J by all parameters, in the order of p,
   and *cost = J. NN_NOT_FINITE: J or a slope is NaN or infinite;
   g is not to be used.
   Method: Rumelhart, Hinton and Williams (1986). */
enum nn_status nn_gradient(struct nn *nn, size_t m,
                           const double *x, const double *y,
                           double *g, double *cost);

/* p -= rate * g. */
void nn_step(struct nn *nn, const double *g, double rate);

/* Returns 1/2 lambda sum w^2 over all weights, lambda being
   nn->decay, and adds its slopes to g [P] unless that is NULL. */
double nn_decay(const struct nn *nn, double *g);
/* Where layer l, 1 <= l <= L, has its numbers:
   w[j * n_before + k] leads to unit j from unit k, at p + w;
   b[j] at p + b; its units at z + unit, and the units of the
   layer before at z + unit_before. */
struct nn_layer {
    size_t n, n_before;
    size_t w, b, unit, unit_before;
};
struct nn_layer nn_layer_at(const struct nn *nn, int l);
#endif

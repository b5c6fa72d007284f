/* Tangled from chapters/09-gradcheck.nw: edit there. Sum 2233184240. */
#ifndef NN_CHECK_H
#define NN_CHECK_H
#include "nn/nn.h"

/* Is g the gradient of the cost of a net? Example:

     nn_gradient(&nn, m, x, y, g, &cost);
     struct nn_check c = nn_check_gradient(&nn, m, x, y, g);
     if (!nn_check_passed(&c)) {
         char name[NN_NAME];
         nn_name(&nn, c.at, name);
         printf("%s: %g, not %g\n", name, c.got, c.want);
     } */

struct nn_check {
    double worst;            // largest relative error
    size_t at;               // the parameter that has it
    double got, want;        // there: g, and the difference
    double largest;          // of all differences, |want|
    size_t checked, skipped; // parameters; those at a kink
};
/* Compares g [P] with differences of the cost over m >= 1
   samples, x [m][size[0]], y [m][size[L]]: the central
   difference at h = 1e-5 max(1, |p|) and at h/2, extrapolated.
   The error is |g-d| / (|g|+|d|+f), f = 1e-3 max(1, J), infinite
   if g or d is NaN. Skips parameters for which a ReLU is on
   different sides of its corner at the two ends of a step.
   4P + 1 costs. Leaves p as it was, and z, a, dz, da as they
   come.
   Method: Richardson (1911). */
struct nn_check nn_check_gradient(struct nn *nn, size_t m,
        const double *x, const double *y, const double *g);

/* True if the worst error is at most NN_CHECK_BOUND, the largest
   slope is above it, and at most 1 % were skipped. */
int nn_check_passed(const struct nn_check *check);
#define NN_CHECK_BOUND 1e-6

/* The name of parameter i < P in the way of the book, counted
   from 1: "w2_3,1" leads to unit 3 of layer 2 from unit 1 of
   layer 1, "b2_3" is its bias. */
enum { NN_NAME = 80 };
void nn_name(const struct nn *nn, size_t i, char name[NN_NAME]);
#endif

/* Tangled from chapters/13-stall.nw: edit there. Sum 926400613. */
#ifndef NN_WATCH_H
#define NN_WATCH_H
#include "nn/check.h"

/* What becomes of the numbers of a net while it learns. */

/* Scales g [n] to the length MOST if it is longer: g *= MOST /
   |g|. Returns |g| as it was. Source: Pascanu et al. (2013). */
double nn_clip(size_t n, double *g, double most);

/* Looks for the first number that is not finite, in the order in
   which they arise: parameters, x [size[0]], y [size[L]], then
   z and a from layer to layer, J, and da, dz, dw, db back again.
   Its name goes to NAME in the way of nn_name: "z2_3" is z of
   unit 3 of layer 2, "dw1_2,5" the slope by w1_2,5. Returns 0 if
   all are finite. g [P] is room to work in. */
int nn_find_not_finite(struct nn *nn, const double *x,
                       const double *y, double *g,
                       char name[NN_NAME]);

/* Adds to ACTIVE [n_l] how often each unit of layer l is above 0
   over m samples x [m][size[0]]. With 0 a ReLU is dead there. */
void nn_count_active(struct nn *nn, int l, size_t m,
                     const double *x, size_t *active);
#endif

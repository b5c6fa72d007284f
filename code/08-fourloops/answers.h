/* Tangled from chapters/08-fourloops.nw: edit there. Sum 496982047. */
/* The answers to the exercises of chapter 8; see there. */
#include "nn/nn.h"

size_t body_count(const struct nn *nn, size_t m);
double apart(double nudge);
void gradient_k_outside(struct nn *nn, const double *x,
                        const double *y, double *g);
double sharpen(struct nn *nn, double x[2], double wanted,
               double *g);
double log_cosh(double e);
enum nn_status log_cosh_gradient(struct nn *nn, const double *x,
                                 const double *y, double *g,
                                 double *cost);

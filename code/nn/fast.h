/* Tangled from chapters/14-ladder.nw: edit there. Sum 885902871. */
#ifndef NN_FAST_H
#define NN_FAST_H
#include "nn/nn.h"
#include "nn/optimizer.h"
#include "nn/product.h"

/* The net of nn.h in float, made for speed: the same sums in the
   same order, by vectors, on as many threads as OpenMP has. The
   results do not depend on their number. Example:

     struct nn_fast fast;
     if (nn_fast_create(&fast, &nn, 32) != NN_OK) ...
     while (...)
         if (nn_fast_learn(&fast, 32, x, y, rate, &cost) != NN_OK)
             ...
     nn_fast_unpack(&fast, fast.p, nn.p);
     nn_fast_destroy(&fast); */

/* Layer l >= 1. Weight w_jk is p[w + j / 16 * n_before * 16 +
   k * 16 + j % 16], bias b_j is p[b + j]. What fills up the last
   panel is 0. */
struct nn_fast_layer {
    size_t n, n_before;
    size_t panels;       // n / 16, rounded up
    size_t w, b;         // where they begin in p
    size_t row;          // floats from one sample to the next
    float *a, *dz, *keep; // [batch][row]
};
struct nn_fast {
    int layers;                // L
    size_t *size;              // [L+1], as in struct nn
    enum nn_activation *sigma; // [L+1]
    enum nn_loss loss;
    double decay;        // lambda, as in struct nn
    double drop;         // d; used if draw is not NULL
    struct nn_rng *draw; // NULL: no dropout
    enum nn_method method;
    double beta1, beta2, epsilon; // as in struct nn_optimizer
    size_t t;                     // steps so far
    size_t params, room; // P; floats in each of the next four
    float *p, *g;        // [room]: parameters, slopes
    float *v, *s;        // [room]: as in nn_optimizer; 0 at first
    size_t batch;        // most samples that learn at a time
    int lanes;           // nn_lanes(), or fewer
    struct nn_fast_layer *at;  // [L+1]; [0] unused
    float *turned;       // room for the weights of a layer
    double *costs;       // [batch]
    /* Unless NULL: called by nn_fast_gradient with context when the
       slopes of layer l are complete, from L down to 1, *cost being
       known, by the thread that called. From then on those slopes
       are not looked at: decay must be 0, and NN_NOT_FINITE is said
       of the cost alone. */
    void (*layer_done)(void *context, int l);
    void *context;
};
/* A copy of NN with its parameters, loss and decay, rounded to
   float, that learns from at most BATCH >= 1 samples at a time by
   plain descent unless method is set. NN_BAD_SIZE: something does
   not fit; NN_NO_MEMORY. On failure there is nothing to
   destroy. */
enum nn_status nn_fast_create(struct nn_fast *f,
                              const struct nn *nn, size_t batch);
void nn_fast_destroy(struct nn_fast *f);

/* Between the order of nn.h, [P], and that of panels, [room]. For
   p, g, v and s alike. */
void nn_fast_pack(const struct nn_fast *f, const double *p,
                  float *panels);
void nn_fast_unpack(const struct nn_fast *f, const float *panels,
                    double *p);

/* a [m][n_L] = the activations of the last layer for the inputs x
   [m][n_0], any m, without dropout. */
void nn_fast_forward(struct nn_fast *f, size_t m, const float *x,
                     float *a);

/* g [room] = the slopes of the cost of m <= batch samples, and
   *cost, as nn_gradient does. NN_NOT_FINITE: the cost or a slope
   is NaN or infinite. Calls layer_done, see there. */
enum nn_status nn_fast_gradient(struct nn_fast *f, size_t m,
                                const float *x, const float *y,
                                float *g, double *cost);

/* A step of f->method along the gradient of m <= batch samples.
   *cost is that before the step. NN_NOT_FINITE: it is NaN or
   infinite or, but for plain descent without decay, a slope is;
   then p is as before. */
enum nn_status nn_fast_learn(struct nn_fast *f, size_t m,
                             const float *x, const float *y,
                             double rate, double *cost);
#endif

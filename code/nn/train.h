/* Tangled from chapters/12-well.nw: edit there. Sum 3043619966. */
#ifndef NN_TRAIN_H
#define NN_TRAIN_H
#include "nn/check.h"
#include "nn/nn.h"
#include "nn/optimizer.h"

/* Training by batches. Example:

     struct nn_samples samples = {m, fetch, &pictures};
     struct nn_training how = {.epochs = 5, .batch = 32,
                               .rate = 0.1, .rng = &rng};
     struct nn_now now;
     status = nn_train(&nn, &samples, &optimizer, &how, &now);
     if (status == NN_NOT_FINITE) ... now.step ... */

/* m samples; fetch writes the input x [n_0] and the target
   y [n_L] of sample s < m. */
struct nn_samples {
    size_t m;
    void (*fetch)(const void *data, size_t s, double *x,
                  double *y);
    const void *data;
};
/* The rate at a step: always the same; half a wave of the cosine
   down to 0 (Loshchilov and Hutter 2017); up for 3/10 of the
   steps, then that wave (after Smith and Topin 2019). */
enum nn_schedule { NN_CONSTANT, NN_COSINE, NN_ONE_CYCLE };
double nn_rate_at(enum nn_schedule schedule, double rate,
                  size_t step, size_t steps);
/* A place in a training: after so many steps, with the order of
   the samples in their epoch, and the sum of cost times samples
   over it so far. nn_train begins there, and notes after each
   step where it is. At step 0 the order need not be set. */
struct nn_place {
    size_t step;
    size_t *order; // [m], the caller's
    double sum;
};
struct nn_fast; // nn/fast.h

/* Where a training is: after a step, and in the end. */
struct nn_now {
    size_t epoch;        // from 1
    size_t step, steps;  // done, of all; from 1
    int epoch_ends;      // whether this step is its last
    double rate;         // of this step
    double cost;         // mean over the epoch so far
    char born[NN_NAME]; // on NN_NOT_FINITE: what was not finite,
    size_t sample;      // and of which, if it was in one sample
};

struct nn_training {
    size_t epochs, batch;
    double rate;
    enum nn_schedule schedule;
    double drop; // of hidden units, 0 <= drop < 1
    struct nn_rng *rng;
    int (*after)(void *context, const struct nn_now *now);
    void *context;
    struct nn_place *place; // NULL: from the start
    struct nn_fast *fast;   // NULL: by the four loops
    double clip; // the longest gradient; 0: any length
};
/* Trains nn with o on all samples, epochs times, in an order
   drawn anew for each epoch; nn.keep is set and NULL in the end.
   Calls how->after, unless NULL, after each step, and stops when
   that does not return 0; nn.p may be read and changed there.
   With how->fast, a net like nn with room for a batch, the steps
   are taken there: nn.p and o change, and nn.p may be read, at
   the end of each epoch and of the training only; no clip.
   NN_NOT_FINITE: at step now->step the cost or a slope was not
   finite, and nn.p is as before that step; or a parameter was
   not finite after it.
   NN_BAD_SIZE: no sample, no batch, or too many to count, or a
   place beyond the end; NN_NO_MEMORY. */
enum nn_status nn_train(struct nn *nn,
                        const struct nn_samples *samples,
                        struct nn_optimizer *o,
                        const struct nn_training *how,
                        struct nn_now *now);
/* The best parameters so far. */
struct nn_best {
    size_t n, offers, since; // numbers; offers; since the best
    double score, *p;        // p [n] is the caller's
};

/* Takes p [n] if score is above all before, or the first. Returns
   how many offers have gone by since the best. */
size_t nn_best_offer(struct nn_best *best, double score,
                     const double *p);
#endif

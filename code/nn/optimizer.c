/* Tangled from chapters/12-well.nw: edit there. Sum 992772522. */
#include "nn/optimizer.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum nn_status nn_optimizer_create(struct nn_optimizer *o,
                                   enum nn_method method,
                                   size_t n)
{
    *o = (struct nn_optimizer){method, n, 0, 0.9, 0.999, 1e-8,
                               NULL, NULL};
    if (n < 1 || n > PTRDIFF_MAX / sizeof(double))
        return NN_BAD_SIZE;

    o->v = calloc(n, sizeof *o->v);
    o->s = calloc(n, sizeof *o->s);
    if (!o->v || !o->s) {
        nn_optimizer_destroy(o);
        return NN_NO_MEMORY;
    }
    return NN_OK;
}

void nn_optimizer_destroy(struct nn_optimizer *o)
{
    free(o->v);
    free(o->s);
    *o = (struct nn_optimizer){0};
}

void nn_optimizer_step(struct nn_optimizer *o, double *p,
                       const double *g, double rate)
{
    o->t++;
    switch (o->method) {
    case NN_DESCENT:
        for (size_t i = 0; i < o->n; i++)
            p[i] -= rate * g[i];
        break;
    case NN_MOMENTUM:
        for (size_t i = 0; i < o->n; i++) {
            o->v[i] = o->beta1 * o->v[i] + g[i];
            p[i] -= rate * o->v[i];
        }
        break;
    case NN_ADAM: {
        const double whole_v = 1 - pow(o->beta1, (double)o->t);
        const double whole_s = 1 - pow(o->beta2, (double)o->t);
        for (size_t i = 0; i < o->n; i++) {
            o->v[i] = o->beta1 * o->v[i] + (1 - o->beta1) * g[i];
            o->s[i] = o->beta2 * o->s[i] + (1 - o->beta2) * g[i] * g[i];
            p[i] -= rate * (o->v[i] / whole_v) /
                    (sqrt(o->s[i] / whole_s) + o->epsilon);
        }
        break;
    }
    }
}

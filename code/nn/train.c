/* Tangled from chapters/12-well.nw: edit there. Sum 3107722851. */
#include "nn/train.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/fast.h"
#include "nn/watch.h"

double nn_rate_at(enum nn_schedule schedule, double rate,
                  size_t step, size_t steps)
{
    const double pi = 3.14159265358979323846;
    double way = (double)step / (double)steps, climb = 0.3;

    switch (schedule) {
    case NN_CONSTANT:
        return rate;
    case NN_COSINE:
        return rate / 2 * (1 + cos(pi * way));
    case NN_ONE_CYCLE:
        if (way < climb)
            return rate * (0.04 + 0.96 * way / climb);
        way = (way - climb) / (1 - climb);
        return rate / 2 * (1 + cos(pi * way));
    }
    return rate;
}
size_t nn_best_offer(struct nn_best *best, double score,
                     const double *p)
{
    best->since++;
    if (best->offers++ == 0 || score > best->score) {
        best->score = score;
        best->since = 0;
        for (size_t i = 0; i < best->n; i++)
            best->p[i] = p[i];
    }
    return best->since;
}
struct room {
    size_t *order;         // [m]
    double *x, *y, *g;     // [batch][n_0], [batch][n_L], [P]
    float *fx, *fy;        // x and y for the fast engine
    double *keep;          // [n_0 + ... + n_L]
    size_t per_epoch, steps; // steps: of the whole training
};

static void free_room(struct room *room)
{
    free(room->order);
    free(room->x);
    free(room->y);
    free(room->g);
    free(room->fx);
    free(room->fy);
    free(room->keep);
}

static enum nn_status make_room(struct room *room,
                                const struct nn *nn,
                                const struct nn_samples *samples,
                                const struct nn_training *how)
{
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    size_t m = samples->m, batch = how->batch;
    *room = (struct room){0};
    if (m < 1 || batch < 1)
        return NN_BAD_SIZE;
    batch = batch < m ? batch : m;
    const size_t most = PTRDIFF_MAX / sizeof(double);
    room->per_epoch = m / batch + (m % batch != 0);
    if (m > most || batch > most / n_in || batch > most / n_out ||
        (how->epochs && room->per_epoch > most / how->epochs))
        return NN_BAD_SIZE;
    room->steps = room->per_epoch * how->epochs;
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    room->order = calloc(m, sizeof *room->order);
    room->x = calloc(batch * n_in, sizeof *room->x);
    room->y = calloc(batch * n_out, sizeof *room->y);
    room->g = calloc(nn->params, sizeof *room->g);
    room->keep = calloc(last.unit + last.n, sizeof *room->keep);
    if (how->fast) {
        room->fx = calloc(batch * n_in, sizeof *room->fx);
        room->fy = calloc(batch * n_out, sizeof *room->fy);
    }
    if (room->order && room->x && room->y && room->g &&
        room->keep && (!how->fast || (room->fx && room->fy)))
        return NN_OK;
    free_room(room);
    *room = (struct room){0};
    return NN_NO_MEMORY;
}
static void take_back(struct nn *nn, struct nn_optimizer *o,
                      const struct nn_fast *f)
{
    nn_fast_unpack(f, f->p, nn->p);
    nn_fast_unpack(f, f->v, o->v);
    nn_fast_unpack(f, f->s, o->s);
    o->t = f->t;
}

static enum nn_status fast_step(struct nn *nn,
                                struct nn_optimizer *o,
                                const struct nn_training *how,
                                const struct nn_now *now,
                                struct room *room, size_t b,
                                double *cost)
{
    struct nn_fast *f = how->fast;
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    for (size_t i = 0; i < b * n_in; i++)
        room->fx[i] = (float)room->x[i];
    for (size_t i = 0; i < b * n_out; i++)
        room->fy[i] = (float)room->y[i];
    enum nn_status status = nn_fast_learn(
        f, b, room->fx, room->fy, now->rate, cost);
    if (status != NN_OK)
        take_back(nn, o, f);
    return status;
}
static enum nn_status epoch(struct nn *nn,
                            const struct nn_samples *samples,
                            struct nn_optimizer *o,
                            const struct nn_training *how,
                            struct nn_now *now,
                            struct room *room, int *enough)
{
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    double sum = 0, cost;
    size_t b, first = now->step % room->per_epoch * how->batch;
    now->epoch++;
    if (first == 0)
        nn_rng_shuffle(how->rng, room->order, samples->m);
    if (how->place && first == 0)
        memcpy(how->place->order, room->order,
               samples->m * sizeof *room->order);
    else if (how->place)
        sum = how->place->sum;
    for (; first < samples->m && !*enough; first += b) {
        b = samples->m - first;
        b = b < how->batch ? b : how->batch;
        for (size_t i = 0; i < b; i++)
            samples->fetch(samples->data, room->order[first + i],
                           room->x + i * n_in, room->y + i * n_out);
        nn->keep = NULL;
        struct nn_rng draws = *how->rng;
        if (how->drop > 0) {
            nn->keep = room->keep;
            nn->drop = how->drop;
            nn->draw = how->rng;
        }
        now->rate = nn_rate_at(how->schedule, how->rate, now->step,
                               now->steps);
        enum nn_status status =
            how->fast ? fast_step(nn, o, how, now, room, b, &cost)
                      : nn_gradient(nn, b, room->x, room->y, room->g,
                                    &cost);
        nn->keep = NULL;
        nn->draw = NULL;
        now->step++;
        now->epoch_ends = first + b == samples->m;
        if (status != NN_OK) {
            if (how->drop > 0) {
                nn->keep = room->keep;
                nn->draw = &draws;
            }
            snprintf(now->born, sizeof now->born, "sum");
            for (size_t i = 0; i < b; i++)
                if (nn_find_not_finite(nn, room->x + i * n_in,
                                       room->y + i * n_out, room->g,
                                       now->born)) {
                    now->sample = room->order[first + i];
                    break;
                }
            nn->keep = NULL;
            nn->draw = NULL;
            return status;
        }
        if (how->clip > 0)
            nn_clip(nn->params, room->g, how->clip);
        if (!how->fast)
            nn_optimizer_step(o, nn->p, room->g, now->rate);
        int here = !how->fast || now->epoch_ends; // p is in nn
        if (how->fast && here)
            take_back(nn, o, how->fast);
        for (size_t i = 0; here && i < nn->params; i++)
            if (!isfinite(nn->p[i])) {
                nn_name(nn, i, now->born);
                return NN_NOT_FINITE;
            }
        sum += cost * (double)b;
        now->cost = sum / (double)(first + b);
        if (how->place) {
            how->place->step = now->step;
            how->place->sum = sum;
        }
        if (how->after)
            *enough = how->after(how->context, now);
    }
    return NN_OK;
}
enum nn_status nn_train(struct nn *nn,
                        const struct nn_samples *samples,
                        struct nn_optimizer *o,
                        const struct nn_training *how,
                        struct nn_now *now)
{
    struct room room;
    enum nn_status status = make_room(&room, nn, samples, how);
    *now = (struct nn_now){.steps = room.steps};
    for (size_t s = 0; s < samples->m && room.order; s++)
        room.order[s] = s;
    if (status == NN_OK && how->place &&
        how->place->step > room.steps)
        status = NN_BAD_SIZE;
    if (how->place && how->place->step > 0 && status == NN_OK) {
        now->step = how->place->step;
        now->epoch = now->step / room.per_epoch;
        memcpy(room.order, how->place->order,
               samples->m * sizeof *room.order);
    }
    if (how->fast && status == NN_OK) {
        struct nn_fast *f = how->fast;
        assert(f->params == nn->params && how->clip == 0 &&
               (f->batch >= how->batch || f->batch >= samples->m));
        nn_fast_pack(f, nn->p, f->p);
        nn_fast_pack(f, o->v, f->v);
        nn_fast_pack(f, o->s, f->s);
        f->method = o->method;
        f->beta1 = o->beta1;
        f->beta2 = o->beta2;
        f->epsilon = o->epsilon;
        f->t = o->t;
        f->decay = nn->decay;
        f->drop = how->drop;
        f->draw = how->drop > 0 ? how->rng : NULL;
    }
    int enough = 0;
    while (status == NN_OK && !enough && now->epoch < how->epochs)
        status = epoch(nn, samples, o, how, now, &room, &enough);
    if (how->fast && now->step > 0) {
        take_back(nn, o, how->fast);
        how->fast->draw = NULL;
    }
    free_room(&room);
    return status;
}

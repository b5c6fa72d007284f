/* Tangled from chapters/12-well.nw: edit there. Sum 4100454535. */
#include "nn/train.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    double *keep;          // [n_0 + ... + n_L]
    size_t per_epoch, steps; // steps: of the whole training
};

static void free_room(struct room *room)
{
    free(room->order);
    free(room->x);
    free(room->y);
    free(room->g);
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
    if (room->order && room->x && room->y && room->g &&
        room->keep)
        return NN_OK;
    free_room(room);
    *room = (struct room){0};
    return NN_NO_MEMORY;
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
        enum nn_status status = nn_gradient(nn, b, room->x, room->y,
                                            room->g, &cost);
        nn->keep = NULL;
        nn->draw = NULL;
        now->rate = nn_rate_at(how->schedule, how->rate, now->step,
                               now->steps);
        now->step++;
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
        nn_optimizer_step(o, nn->p, room->g, now->rate);
        for (size_t i = 0; i < nn->params; i++)
            if (!isfinite(nn->p[i])) {
                nn_name(nn, i, now->born);
                return NN_NOT_FINITE;
            }
        sum += cost * (double)b;
        now->cost = sum / (double)(first + b);
        now->epoch_ends = first + b == samples->m;
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
    if (how->place && how->place->step > room.steps)
        status = NN_BAD_SIZE;
    if (how->place && how->place->step > 0 && status == NN_OK) {
        now->step = how->place->step;
        now->epoch = now->step / room.per_epoch;
        memcpy(room.order, how->place->order,
               samples->m * sizeof *room.order);
    }
    int enough = 0;
    while (status == NN_OK && !enough && now->epoch < how->epochs)
        status = epoch(nn, samples, o, how, now, &room, &enough);
    free_room(&room);
    return status;
}

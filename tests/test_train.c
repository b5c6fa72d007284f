/* Training by batches, from outside: against a loop written out by hand, to
   the bit; its order, its reports, its refusals, dropout, and that it learns. */

#define CHECK_MEMORY
#include "check.h"

#include <string.h>

#include "nn/fast.h"
#include "nn/train.h"

TestSuite(train, .timeout = 30);

enum {
    N_IN = 3,
    N_OUT = 3,
    M = 23, // samples in a set
    METHODS = 3,
    SCHEDULES = 3,
    MOST_STEPS = 300,
    MOST_PARAMS = 100
};

/* Samples, and a list of those that were fetched. */
struct set {
    size_t m;
    double x[M * N_IN], y[M * N_OUT];
    size_t *log, *logged;
};

static size_t fetched[M * 100], fetches;

static void fetch(const void *data, size_t s, double *x, double *y)
{
    const struct set *set = data;
    cr_assert(s < set->m && *set->logged < sizeof fetched / sizeof *fetched);
    memcpy(x, set->x + s * N_IN, N_IN * sizeof *x);
    memcpy(y, set->y + s * N_OUT, N_OUT * sizeof *y);
    set->log[(*set->logged)++] = s;
}

static void make_set(struct set *set, size_t m, uint64_t seed)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    *set = (struct set){.m = m, .log = fetched, .logged = &fetches};
    fetches = 0;
    for (size_t i = 0; i < m * N_IN; i++)
        set->x[i] = nn_rng_uniform(&rng, -1, 1);
    for (size_t s = 0; s < m; s++)
        set->y[s * N_OUT + nn_rng_below(&rng, N_OUT)] = 1;
}

static struct nn_samples samples_of(const struct set *set)
{
    return (struct nn_samples){set->m, fetch, set};
}

/* A net of two hidden layers with a last layer that suits both losses. */
static void make_net(struct nn *nn, enum nn_loss loss, double decay)
{
    const size_t size[] = {N_IN, 5, 4, N_OUT};
    const enum nn_activation sigma[] = {NN_TANH, NN_RELU, NN_IDENTITY};
    struct nn_rng rng = nn_rng_seeded(99);
    cr_assert(nn_create(nn, 3, size, sigma) == NN_OK && nn->params <= MOST_PARAMS);
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] = nn_rng_uniform(&rng, -1, 1);
    nn->loss = loss;
    nn->decay = decay;
}

static struct nn_optimizer make_optimizer(enum nn_method method, size_t n)
{
    struct nn_optimizer o;
    cr_assert(nn_optimizer_create(&o, method, n) == NN_OK);
    return o;
}

/* ------------------------------------------------------------- the rate */

Test(train, rate_is_constant)
{
    for (size_t steps = 1; steps < 20; steps++)
        for (size_t step = 0; step <= steps; step++)
            cr_assert(nn_rate_at(NN_CONSTANT, 0.3, step, steps) == 0.3);
}

Test(train, schedule_that_is_none_is_constant)
{
    cr_assert(nn_rate_at((enum nn_schedule)9, 0.3, 7, 10) == 0.3);
}

Test(train, rate_falls_as_a_cosine)
{
    for (size_t steps = 1; steps <= 1000; steps = 3 * steps + 1) {
        double n = (double)steps, before = 2;
        cr_assert(nn_rate_at(NN_COSINE, 0.3, 0, steps) == 0.3);
        cr_assert(fabs(nn_rate_at(NN_COSINE, 0.3, steps, steps)) < 1e-16);
        for (size_t step = 0; step < steps; step++) {
            double rate = nn_rate_at(NN_COSINE, 2, step, steps);
            double half = cos(acos(-1) / 2 * (double)step / n);
            check_close(rate, 2 * half * half, 1e-10);
            cr_assert(rate > 0 && rate <= before);
            cr_assert(step == 0 || rate < before);
            double mirror = nn_rate_at(NN_COSINE, 2, steps - step, steps);
            check_close(rate + mirror, 2, 1e-14);
            before = rate;
        }
    }
    check_close(nn_rate_at(NN_COSINE, 0.3, 50, 100), 0.15, 1e-15);
}

Test(train, rate_of_one_cycle)
{
    for (size_t steps = 10; steps <= 1000; steps *= 10) {
        size_t peak = steps * 3 / 10;
        double climb = 0.96 * 2 / (double)peak;
        cr_assert(nn_rate_at(NN_ONE_CYCLE, 2, 0, steps) == 0.08); // a 25th
        check_close(nn_rate_at(NN_ONE_CYCLE, 2, peak, steps), 2, 1e-15);
        cr_assert(fabs(nn_rate_at(NN_ONE_CYCLE, 2, steps, steps)) < 1e-15);
        for (size_t step = 0; step < steps; step++) {
            double here = nn_rate_at(NN_ONE_CYCLE, 2, step, steps);
            double next = nn_rate_at(NN_ONE_CYCLE, 2, step + 1, steps);
            cr_assert(here > 0 && here <= 2);
            cr_assert((step < peak) == (next > here) && next != here);
            if (step < peak)
                cr_assert(fabs(next - here - climb) < 1e-14);
            else
                cr_assert(fabs(here - nn_rate_at(NN_COSINE, 2, step - peak,
                                                 steps - peak)) < 1e-14);
        }
    }
    cr_assert(nn_rate_at(NN_ONE_CYCLE, 1, 0, 1) == 0.04);
}

/* -------------------------------------------------------------- the best */

Test(train, best_offer)
{
    const struct {
        double score;
        size_t since; // 0: taken
    } offer[] = {{-5, 0},        {-5, 1}, {-6, 2}, {CHECK_NAN, 3}, {-4, 0},
                 {CHECK_NAN, 1}, {-4, 2}, {3, 0},  {2.999, 1},     {CHECK_INFINITY, 0}};
    double p[3], kept[3] = {0, 0, 42};
    struct nn_best best = {.n = 2, .p = kept};
    size_t taken = 0;
    for (size_t i = 0; i < sizeof offer / sizeof *offer; i++) {
        for (int k = 0; k < 3; k++)
            p[k] = (double)i + 0.25 * k;
        size_t since = nn_best_offer(&best, offer[i].score, p);
        cr_assert(since == offer[i].since && best.since == since, "offer %zu", i);
        cr_assert(best.offers == i + 1);
        if (since == 0)
            taken = i;
        cr_assert(best.score == offer[taken].score);
        cr_assert(kept[0] == (double)taken && kept[1] == (double)taken + 0.25);
        cr_assert(kept[2] == 42); // beyond n
    }
    best = (struct nn_best){.n = 2, .p = kept}; // the first, whatever it is
    cr_assert(nn_best_offer(&best, -CHECK_INFINITY, p) == 0 && kept[0] == p[0]);
    cr_assert(nn_best_offer(&best, -CHECK_INFINITY, p) == 1);
    best = (struct nn_best){.n = 2, .p = kept, .score = 7}; // old score, no offer
    cr_assert(nn_best_offer(&best, 1, p) == 0 && best.score == 1);
}

/* ------------------------------------------------------------- a training */

/* What was seen after each step. */
struct seen {
    const struct nn *nn;
    size_t calls, stop, fetches[MOST_STEPS]; // stop: after so many; 0: never
    int answer, dropping;                    // keep or draw was not NULL
    struct nn_now now[MOST_STEPS];
    double p[MOST_STEPS][MOST_PARAMS];
};

static struct seen seen;

static int look(void *context, const struct nn_now *now)
{
    struct seen *s = context;
    cr_assert(s == &seen && s->calls < MOST_STEPS);
    s->dropping |= s->nn->keep != NULL || s->nn->draw != NULL;
    s->fetches[s->calls] = fetches;
    s->now[s->calls] = *now;
    memcpy(s->p[s->calls], s->nn->p, s->nn->params * sizeof *s->nn->p);
    s->calls++;
    return s->calls == s->stop ? s->answer : 0;
}

static size_t steps_of(size_t m, size_t batch)
{
    size_t steps = 0;
    for (size_t first = 0; first < m; first += batch < m ? batch : m)
        steps++;
    return steps;
}

static uint64_t rng_left; // the state of the generator after train

/* Trains NN on SET with all that is told, and looks at each step. */
static enum nn_status train(struct nn *nn, const struct set *set, struct nn_optimizer *o,
                            struct nn_training how, uint64_t seed, struct nn_now *now)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    struct nn_samples samples = samples_of(set);
    how.rng = &rng;
    how.after = look;
    how.context = &seen;
    memset(&seen, 0, offsetof(struct seen, p));
    seen.nn = nn;
    fetches = 0;
    memset(now, 0x5a, sizeof *now);
    enum nn_status status = nn_train(nn, &samples, o, &how, now);
    rng_left = rng.state;
    return status;
}

static int is_permutation(const size_t *order, size_t m)
{
    int found[M] = {0};
    for (size_t i = 0; i < m; i++)
        if (order[i] >= m || found[order[i]]++)
            return 0;
    return 1;
}

static void expect_orders(const size_t *order, size_t m, size_t epochs)
{
    for (size_t e = 0; e < epochs; e++) {
        cr_assert(is_permutation(order + e * m, m));
        size_t still = 0;
        for (size_t i = 0; i < m; i++)
            still += order[e * m + i] == i;
        cr_assert(still < m / 2);
        for (size_t f = 0; f < e; f++)
            cr_assert(memcmp(order + e * m, order + f * m, m * sizeof *order) != 0);
    }
}

Test(train, visits_every_sample_once_in_an_epoch)
{
    enum { EPOCHS = 6 };
    const size_t batch[] = {1, 5, M - 1, M, M + 1, SIZE_MAX};
    static struct set set;
    static size_t first[M * EPOCHS];
    make_set(&set, M, 1);
    for (size_t b = 0; b < 6; b++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct nn nn;
            struct nn_now now;
            make_net(&nn, NN_SQUARED, 0);
            struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
            struct nn_training how = {.epochs = EPOCHS, .batch = batch[b], .rate = 0.01};
            cr_assert(train(&nn, &set, &o, how, seed, &now) == NN_OK);
            cr_assert(fetches == M * EPOCHS);
            expect_orders(fetched, M, EPOCHS);
            if (seed == 0 && b == 0)
                memcpy(first, fetched, sizeof first);
            int same = memcmp(first, fetched, sizeof first) == 0;
            cr_assert(same == (seed == 0));
            nn_optimizer_destroy(&o);
            nn_destroy(&nn);
        }
}

/* Each of five samples comes first, and comes last, equally often. */
Test(train, orders_are_fair)
{
    enum { FEW = 5, EPOCHS = 200 };
    static struct set set;
    struct nn nn;
    struct nn_now now;
    size_t count[2][FEW] = {{0}};
    make_set(&set, FEW, 1);
    make_net(&nn, NN_SQUARED, 0);
    struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
    struct nn_training how = {.epochs = EPOCHS, .batch = FEW};
    cr_assert(train(&nn, &set, &o, how, 2, &now) == NN_OK);
    for (size_t e = 0; e < EPOCHS; e++) {
        count[0][fetched[e * FEW]]++;
        count[1][fetched[e * FEW + FEW - 1]]++;
    }
    for (int i = 0; i < 2; i++) // 4 degrees of freedom: 0.1 %
        cr_assert(check_chi_square(count[i], FEW, EPOCHS) < 18.5);
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
}

Test(train, reports_each_step)
{
    enum { EPOCHS = 4 };
    const size_t batch[] = {1, 5, M - 1, M, M + 7};
    static struct set set;
    make_set(&set, M, 2);
    for (size_t b = 0; b < 5; b++)
        for (int schedule = 0; schedule < SCHEDULES; schedule++) {
            struct nn nn;
            struct nn_now now;
            make_net(&nn, NN_SQUARED, 0);
            struct nn_optimizer o = make_optimizer(NN_ADAM, nn.params);
            struct nn_training how = {.epochs = EPOCHS, .batch = batch[b], .rate = 0.01,
                                      .schedule = (enum nn_schedule)schedule};
            cr_assert(train(&nn, &set, &o, how, 1, &now) == NN_OK);
            size_t per_epoch = steps_of(M, batch[b]), steps = EPOCHS * per_epoch;
            cr_assert(seen.calls == steps && o.t == steps);
            for (size_t i = 0; i < steps; i++) {
                const struct nn_now *at = &seen.now[i];
                size_t done = (i % per_epoch + 1) * batch[b];
                int ends = (i + 1) % per_epoch == 0;
                cr_assert(at->step == i + 1 && at->steps == steps);
                cr_assert(at->epoch == i / per_epoch + 1);
                cr_assert((at->epoch_ends != 0) == ends);
                cr_assert(at->rate == nn_rate_at(how.schedule, 0.01, i, steps));
                cr_assert(seen.fetches[i] == i / per_epoch * M + (ends ? M : done));
            }
            const struct nn_now *end = &seen.now[steps - 1];
            cr_assert(now.step == steps && now.steps == steps && now.epoch == EPOCHS);
            cr_assert(now.epoch_ends && now.rate == end->rate && now.cost == end->cost);
            nn_optimizer_destroy(&o);
            nn_destroy(&nn);
        }
}

/* The mean cost of the samples LOG [n], and decay. */
static double cost_of(struct nn *nn, const struct set *set, const size_t *log, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += nn_cost(nn, 1, set->x + log[i] * N_IN, set->y + log[i] * N_OUT);
    return sum / (double)n;
}

Test(train, cost_is_the_mean_over_the_epoch_so_far)
{
    const size_t batch[] = {1, 3, 5, M, M + 7};
    static struct set set;
    make_set(&set, M, 3);
    for (size_t b = 0; b < 5; b++)
        for (int kind = 0; kind < 4; kind++) {
            struct nn nn;
            struct nn_now now;
            double p[MOST_PARAMS];
            make_net(&nn, kind & 1 ? NN_CROSS_ENTROPY : NN_SQUARED, kind & 2 ? 0.1 : 0);
            memcpy(p, nn.p, nn.params * sizeof *p);
            struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
            struct nn_training how = {.epochs = 2, .batch = batch[b], .rate = 0};
            cr_assert(train(&nn, &set, &o, how, 1, &now) == NN_OK);
            cr_assert(memcmp(p, nn.p, nn.params * sizeof *p) == 0);
            for (size_t i = 0; i < seen.calls; i++) {
                size_t first = (seen.now[i].epoch - 1) * M;
                check_close(seen.now[i].cost,
                            cost_of(&nn, &set, fetched + first, seen.fetches[i] - first),
                            1e-14);
            }
            check_close(now.cost, nn_cost(&nn, M, set.x, set.y), 1e-14);
            nn_optimizer_destroy(&o);
            nn_destroy(&nn);
        }
}

/* ------------------------------------------------- the loop, by hand */

/* Trains NN again on the samples that were FETCHED, and compares with
   what was SEEN after each step. */
static void replay(struct nn *nn, const struct set *set, struct nn_optimizer *o,
                   const struct nn_training *how, uint64_t seed)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    double x[M * N_IN], y[M * N_OUT], g[MOST_PARAMS], cost, keep[30];
    size_t per_epoch = steps_of(set->m, how->batch), step = 0, order[M] = {0};
    const size_t *next = fetched;
    for (size_t e = 0; e < how->epochs; e++) {
        size_t left = set->m;
        nn_rng_shuffle(&rng, order, set->m); // draws as the training's does
        for (; left > 0; step++) {
            size_t n = how->batch < left ? how->batch : left;
            for (size_t i = 0; i < n; i++, next++) {
                memcpy(x + i * N_IN, set->x + *next * N_IN, N_IN * sizeof *x);
                memcpy(y + i * N_OUT, set->y + *next * N_OUT, N_OUT * sizeof *y);
            }
            nn->keep = how->drop > 0 ? keep : NULL;
            nn->draw = how->drop > 0 ? &rng : NULL;
            nn->drop = how->drop;
            cr_assert(nn_gradient(nn, n, x, y, g, &cost) == NN_OK);
            nn->keep = NULL;
            nn->draw = NULL;
            nn_optimizer_step(o, nn->p, g, nn_rate_at(how->schedule, how->rate, step,
                                                      per_epoch * how->epochs));
            cr_assert(memcmp(nn->p, seen.p[step], nn->params * sizeof *nn->p) == 0,
                      "step %zu", step + 1);
            left -= n;
        }
    }
    cr_assert(step == seen.calls && next == fetched + fetches);
    cr_assert(rng.state == rng_left, "draws without dropout, or too few with it");
}

Test(train, does_what_the_loop_by_hand_does)
{
    const size_t batch[] = {1, 3, M, M + 7};
    static struct set set;
    make_set(&set, M, 4);
    for (int method = 0; method < METHODS; method++)
        for (int schedule = 0; schedule < SCHEDULES; schedule++)
            for (int kind = 0; kind < 8; kind++)
                for (size_t b = 0; b < 4; b++) {
                    struct nn nn, again;
                    struct nn_now now;
                    enum nn_loss loss = kind & 1 ? NN_CROSS_ENTROPY : NN_SQUARED;
                    struct nn_training how = {.epochs = 3,
                                              .batch = batch[b],
                                              .rate = 0.03,
                                              .schedule = (enum nn_schedule)schedule,
                                              .drop = kind & 4 ? 0.3 : 0};
                    make_net(&nn, loss, kind & 2 ? 0.01 : 0);
                    make_net(&again, loss, kind & 2 ? 0.01 : 0);
                    struct nn_optimizer o =
                        make_optimizer((enum nn_method)method, nn.params);
                    struct nn_optimizer u =
                        make_optimizer((enum nn_method)method, nn.params);
                    cr_assert(train(&nn, &set, &o, how, 5, &now) == NN_OK);
                    replay(&again, &set, &u, &how, 5);
                    cr_assert(memcmp(nn.p, again.p, nn.params * sizeof *nn.p) == 0);
                    cr_assert(o.t == u.t);
                    nn_optimizer_destroy(&o);
                    nn_optimizer_destroy(&u);
                    nn_destroy(&nn);
                    nn_destroy(&again);
                }
}

Test(train, gradient_of_a_batch_is_the_mean_of_its_samples)
{
    static struct set set;
    for (int kind = 0; kind < 4; kind++)
        for (size_t m = 1; m <= M; m++) {
            struct nn nn;
            double g[MOST_PARAMS], one[MOST_PARAMS], mean[MOST_PARAMS] = {0}, cost;
            make_set(&set, m, m);
            make_net(&nn, kind & 1 ? NN_CROSS_ENTROPY : NN_SQUARED, 0);
            for (size_t s = 0; s < m; s++) {
                const double *x = set.x + s * N_IN, *y = set.y + s * N_OUT;
                cr_assert(nn_gradient(&nn, 1, x, y, one, &cost) == NN_OK);
                for (size_t i = 0; i < nn.params; i++)
                    mean[i] += one[i] / (double)m;
            }
            nn.decay = kind & 2 ? 0.25 : 0;
            for (int l = 1; l <= nn.layers; l++) // once, and not for biases
                for (size_t i = nn_layer_at(&nn, l).w; i < nn_layer_at(&nn, l).b; i++)
                    mean[i] += nn.decay * nn.p[i];
            cr_assert(nn_gradient(&nn, m, set.x, set.y, g, &cost) == NN_OK);
            for (size_t i = 0; i < nn.params; i++)
                cr_assert(fabs(g[i] - mean[i]) < 1e-14);
            nn_destroy(&nn);
        }
}

/* -------------------------------------------------- stopping, and failing */

Test(train, stops_when_it_is_told)
{
    const int answer[] = {1, -1, 100};
    static struct set set;
    static double p[MOST_STEPS][MOST_PARAMS];
    make_set(&set, M, 6);
    for (size_t stop = 0; stop <= 15; stop++) {
        struct nn nn;
        struct nn_now now;
        make_net(&nn, NN_CROSS_ENTROPY, 0);
        struct nn_optimizer o = make_optimizer(NN_MOMENTUM, nn.params);
        struct nn_rng rng = nn_rng_seeded(1);
        struct nn_samples samples = samples_of(&set);
        struct nn_training how = {.epochs = 3, .batch = 5, .rate = 0.1, .rng = &rng,
                                  .drop = 0.2, .after = look, .context = &seen};
        memset(&seen, 0, offsetof(struct seen, p));
        seen.nn = &nn;
        seen.stop = stop;
        seen.answer = answer[stop % 3];
        fetches = 0;
        cr_assert(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
        if (stop == 0)
            memcpy(p, seen.p, sizeof p);
        size_t steps = stop ? stop : 15;
        cr_assert(seen.calls == steps && now.step == steps && now.steps == 15);
        cr_assert(!nn.keep && !nn.draw);
        cr_assert(now.epoch == (steps + 4) / 5 && fetches == seen.fetches[steps - 1]);
        cr_assert(memcmp(nn.p, p[steps - 1], nn.params * sizeof *p[0]) == 0);
        nn_optimizer_destroy(&o);
        nn_destroy(&nn);
    }
}

/* Stopped after any step, and taken up by another net and another optimizer
   that know no more than was kept, a training goes on to the same bits. */
struct kept {
    double p[MOST_PARAMS], v[MOST_PARAMS], s[MOST_PARAMS];
    size_t t, order[M];
    struct nn_rng rng;
    struct nn_place place;
};

static void keep(struct kept *kept, const struct nn *nn, const struct nn_optimizer *o,
                 const struct nn_rng *rng, const struct nn_place *place)
{
    memcpy(kept->p, nn->p, nn->params * sizeof *nn->p);
    memcpy(kept->v, o->v, o->n * sizeof *o->v);
    memcpy(kept->s, o->s, o->n * sizeof *o->s);
    memcpy(kept->order, place->order, sizeof kept->order);
    kept->t = o->t;
    kept->rng = *rng;
    kept->place = *place;
    kept->place.order = kept->order;
}

static void take_up(const struct kept *kept, struct nn *nn, struct nn_optimizer *o)
{
    memcpy(nn->p, kept->p, nn->params * sizeof *nn->p);
    memcpy(o->v, kept->v, o->n * sizeof *o->v);
    memcpy(o->s, kept->s, o->n * sizeof *o->s);
    o->t = kept->t;
}

static void goes_on(struct nn_training how, enum nn_method method, size_t stop, int fast)
{
    static struct set set;
    static struct nn_now all[MOST_STEPS];
    static size_t visited[M * 10];
    static struct kept kept, first, second;
    size_t order[M], steps = how.epochs * steps_of(M, how.batch);
    struct nn_place place = {.order = order};
    struct nn nn;
    struct nn_fast engine;
    struct nn_now now;
    struct nn_rng rng = nn_rng_seeded(6);
    make_set(&set, M, 22);
    struct nn_samples samples = samples_of(&set);
    how.rng = &rng;
    how.after = look;
    how.context = &seen;
    how.place = &place;

    for (int part = 0; part < 3; part++) { // the whole; to the stop; from there
        struct nn_optimizer o;
        make_net(&nn, NN_CROSS_ENTROPY, 0.01);
        o = make_optimizer(method, nn.params);
        memset(&seen, 0, offsetof(struct seen, p));
        seen.nn = &nn;
        seen.stop = part == 1 ? stop : 0;
        seen.answer = 1;
        fetches = 0;
        if (part < 2) {
            rng = nn_rng_seeded(6);
            place.step = 0;
            memset(order, 0xff, sizeof order);
        } else {
            memset(nn.p, 0, nn.params * sizeof *nn.p);
            take_up(&kept, &nn, &o);
            rng = kept.rng;
            place = kept.place;
        }
        if (fast) {
            cr_assert(nn_fast_create(&engine, &nn, how.batch < M ? how.batch : M) == NN_OK);
            how.fast = &engine;
        }
        cr_assert(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
        cr_assert(place.step == (part == 1 ? stop : steps) && now.step == place.step);
        keep(part == 0 ? &first : part == 1 ? &kept : &second, &nn, &o, &rng, &place);
        if (part == 0) {
            memcpy(all, seen.now, sizeof all);
            memcpy(visited, fetched, fetches * sizeof *fetched);
        }
        cr_assert(!fast || (engine.draw == NULL && engine.t == o.t && o.t == place.step));
        if (fast)
            nn_fast_destroy(&engine);
        nn_optimizer_destroy(&o);
        nn_destroy(&nn);
    }
    cr_assert(seen.calls == steps - stop);
    for (size_t i = 0; i < seen.calls; i++) {
        const struct nn_now *a = &all[stop + i], *b = &seen.now[i];
        cr_assert(a->step == b->step && a->steps == b->steps && a->epoch == b->epoch);
        cr_assert(a->rate == b->rate && a->cost == b->cost);
        cr_assert(a->epoch_ends == b->epoch_ends);
    }
    size_t done = how.epochs * M - fetches;
    cr_assert(memcmp(visited + done, fetched, fetches * sizeof *fetched) == 0);
    second.place.order = first.place.order;
    cr_assert(memcmp(&first, &second, sizeof first) == 0, "stopped after step %zu", stop);
}

Test(train, goes_on_where_it_was_left)
{
    const size_t batch[] = {1, 5, M - 1, M, M + 7};
    for (size_t b = 0; b < 5; b++)
        for (int method = 0; method < METHODS; method++)
            for (int dropping = 0; dropping < 2; dropping++) {
                struct nn_training how = {.epochs = 3, .batch = batch[b], .rate = 0.03,
                                          .schedule = NN_ONE_CYCLE, .drop = 0.3 * dropping};
                for (size_t stop = 1; stop <= 3 * steps_of(M, batch[b]); stop++)
                    for (int fast = 0; fast < 2; fast++)
                        goes_on(how, (enum nn_method)method, stop, fast);
            }
}

/* The fast engine goes the same way but for the rounding to float, and gives back what
   it has at the end of each epoch. */
Test(train, fast_engine_goes_the_same_way)
{
    static struct set set;
    static struct seen plain;
    make_set(&set, M, 24);
    for (int method = 0; method < METHODS; method++)
        for (int kind = 0; kind < 4; kind++) {
            struct nn nn[2];
            struct nn_now now;
            struct nn_fast fast;
            struct nn_optimizer o[2];
            struct nn_training how = {.epochs = 3, .batch = 5, .rate = 0.01,
                                      .schedule = NN_COSINE, .drop = kind & 1 ? 0.3 : 0};
            for (int i = 0; i < 2; i++) {
                make_net(&nn[i], kind & 2 ? NN_SQUARED : NN_CROSS_ENTROPY, 0.01);
                o[i] = make_optimizer((enum nn_method)method, nn[i].params);
                if (i == 1) {
                    cr_assert(nn_fast_create(&fast, &nn[1], 5) == NN_OK);
                    how.fast = &fast;
                }
                cr_assert(train(&nn[i], &set, &o[i], how, 7, &now) == NN_OK);
                if (i == 0)
                    plain = seen;
            }
            for (size_t i = 0; i < seen.calls; i++) {
                const struct nn_now *a = &plain.now[i], *b = &seen.now[i];
                cr_assert(a->rate == b->rate && a->step == b->step);
                check_close(a->cost, b->cost, 1e-4);
                for (size_t k = 0; b->epoch_ends && k < nn[0].params; k++)
                    cr_assert(fabs(plain.p[i][k] - seen.p[i][k]) < 1e-4);
            }
            cr_assert(seen.calls == 15 && o[0].t == o[1].t);
            for (size_t k = 0; k < nn[0].params; k++) {
                cr_assert(fabs(o[0].v[k] - o[1].v[k]) < 1e-4);
                cr_assert(fabs(o[0].s[k] - o[1].s[k]) < 1e-4);
                cr_assert(nn[1].p[k] == (double)(float)nn[1].p[k]);
                cr_assert(nn[1].p[k] != 0);
            }
            nn_fast_destroy(&fast);
            for (int i = 0; i < 2; i++) {
                nn_optimizer_destroy(&o[i]);
                nn_destroy(&nn[i]);
            }
        }
}

/* What is not finite is named as the four loops would. */
Test(train, fast_engine_names_what_is_not_finite)
{
    static struct set set;
    struct nn nn;
    struct nn_now now;
    struct nn_fast fast;
    struct nn_training how = {.epochs = 2, .batch = 5, .rate = 0.01, .fast = &fast};
    make_set(&set, M, 9);
    set.x[7 * N_IN + 1] = CHECK_NAN;
    make_net(&nn, NN_CROSS_ENTROPY, 0);
    struct nn_optimizer o = make_optimizer(NN_ADAM, nn.params);
    cr_assert(nn_fast_create(&fast, &nn, 5) == NN_OK);
    cr_assert(train(&nn, &set, &o, how, 3, &now) == NN_NOT_FINITE);
    cr_assert(strcmp(now.born, "x_2") == 0 && now.sample == 7, "%s", now.born);
    cr_assert(o.t == now.step - 1 && now.step <= 5);
    for (size_t k = 0; k < nn.params; k++)
        cr_assert(isfinite(nn.p[k]));
    nn_fast_destroy(&fast);
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
}

/* A place changes nothing; one at the end is left as it is, one beyond refused. */
Test(train, places_at_both_ends)
{
    static struct set set;
    struct nn nn;
    struct nn_now now;
    double p[MOST_PARAMS];
    size_t order[M];
    make_set(&set, M, 23);
    for (int with = 0; with < 2; with++) {
        struct nn_place place = {.order = order};
        struct nn_training how = {.epochs = 2, .batch = 5, .rate = 0.1,
                                  .place = with ? &place : NULL};
        make_net(&nn, NN_CROSS_ENTROPY, 0);
        struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
        cr_assert(train(&nn, &set, &o, how, 1, &now) == NN_OK);
        if (!with)
            memcpy(p, nn.p, nn.params * sizeof *p);
        cr_assert(memcmp(p, nn.p, nn.params * sizeof *p) == 0);
        for (size_t beyond = 0; with && beyond < 2; beyond++) {
            place.step = 10 + beyond;
            cr_assert(train(&nn, &set, &o, how, 1, &now) == (beyond ? NN_BAD_SIZE : NN_OK));
            cr_assert(seen.calls == 0 && place.step == 10 + beyond);
            cr_assert(memcmp(p, nn.p, nn.params * sizeof *p) == 0);
        }
        cr_assert(!with || is_permutation(order, M));
        nn_optimizer_destroy(&o);
        nn_destroy(&nn);
    }
}

static int to_zero(void *context, const struct nn_now *now)
{
    struct nn *nn = context;
    cr_assert(now->epoch == 1 || now->cost == 0);
    memset(nn->p, 0, nn->params * sizeof *nn->p);
    return 0;
}

/* Parameters set by the callback stay set; targets of 0 keep them at 0. */
Test(train, callback_may_change_the_parameters)
{
    static struct set set;
    struct nn nn;
    struct nn_now now;
    make_set(&set, M, 7);
    memset(set.y, 0, sizeof set.y);
    make_net(&nn, NN_SQUARED, 0);
    struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
    struct nn_rng rng = nn_rng_seeded(1);
    struct nn_samples samples = samples_of(&set);
    struct nn_training how = {.epochs = 3, .batch = M, .rate = 0.1, .rng = &rng,
                              .after = to_zero, .context = &nn};
    cr_assert(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
    cr_assert(now.epoch == 3 && now.cost == 0 && now.epoch_ends);
    for (size_t i = 0; i < nn.params; i++)
        cr_assert(nn.p[i] == 0);
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
}

/* No callback, and no epoch: neither is an error. */
Test(train, nothing_to_do)
{
    static struct set set;
    make_set(&set, M, 8);
    for (size_t epochs = 0; epochs < 3; epochs++) {
        struct nn nn;
        struct nn_now now;
        make_net(&nn, NN_SQUARED, 0);
        double p0 = nn.p[0];
        struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
        struct nn_rng rng = nn_rng_seeded(1);
        struct nn_samples samples = samples_of(&set);
        struct nn_training how = {.epochs = epochs, .batch = 5, .rate = 0.1, .rng = &rng};
        memset(&now, 0x5a, sizeof now);
        fetches = 0;
        cr_assert(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
        cr_assert(now.step == 5 * epochs && now.steps == 5 * epochs);
        cr_assert(now.epoch == epochs && fetches == M * epochs && o.t == now.step);
        cr_assert((nn.p[0] == p0) == (epochs == 0));
        nn_optimizer_destroy(&o);
        nn_destroy(&nn);
    }
}

/* Trains with what is in SET, and expects that step WANT fails, after
   the callback was called for all steps before and for no other. */
static void fails_at(const struct set *set, struct nn *nn, struct nn_training how,
                     size_t want)
{
    struct nn_now now;
    double p[MOST_PARAMS];
    long held = check_memory.live;
    memcpy(p, nn->p, nn->params * sizeof *p);
    struct nn_optimizer o = make_optimizer(NN_ADAM, nn->params);
    if (how.rate > 1e3)
        o.method = NN_DESCENT;
    cr_assert(train(nn, set, &o, how, 3, &now) == NN_NOT_FINITE);
    cr_assert(now.step == want && seen.calls == want - 1, "at %zu, not %zu", now.step,
              want);
    cr_assert(now.epoch == (want - 1) / steps_of(set->m, how.batch) + 1);
    const double *before = want > 1 ? seen.p[want - 2] : p;
    cr_assert(memcmp(nn->p, before, nn->params * sizeof *p) == 0);
    cr_assert(o.t == want - 1 && !nn->keep && !nn->draw);
    nn_optimizer_destroy(&o);
    cr_assert(check_memory.live == held);
}

Test(train, not_finite_samples)
{
    static struct set set;
    const double bad[] = {CHECK_NAN, CHECK_INFINITY, -CHECK_INFINITY};
    for (size_t s = 0; s < M; s++)
        for (int kind = 0; kind < 4; kind++) {
            struct nn nn;
            struct nn_now now;
            struct nn_training how = {.epochs = 2, .batch = 5, .rate = 0.01,
                                      .drop = kind & 2 ? 0.01 : 0};
            make_set(&set, M, 9);
            make_net(&nn, kind & 1 ? NN_CROSS_ENTROPY : NN_SQUARED, 0);
            struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
            cr_assert(train(&nn, &set, &o, how, 3, &now) == NN_OK);
            nn_optimizer_destroy(&o);
            size_t at = 0; // where sample s comes
            while (fetched[at] != s)
                at++;
            if (kind & 1)
                set.x[s * N_IN + 1] = CHECK_NAN;
            else
                set.y[s * N_OUT + 2] = bad[s % 3];
            nn_destroy(&nn);
            make_net(&nn, kind & 1 ? NN_CROSS_ENTROPY : NN_SQUARED, 0);
            fails_at(&set, &nn, how, at / 5 + 1);
            nn_destroy(&nn);
        }
}

/* One step of 1e200, and the next cost is too large for a double. */
/* Each sample has a cost, but all together have none. */
Test(train, sum_that_is_not_finite)
{
    enum { MANY = 2 * N_OUT + 2 };
    const enum nn_activation sigma = NN_IDENTITY;
    static struct set set;
    struct nn nn;
    struct nn_now now;
    cr_assert(nn_create(&nn, 1, (size_t[]){N_IN, N_OUT}, &sigma) == NN_OK);
    struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
    make_set(&set, MANY, 12);
    memset(set.y, 0, sizeof set.y);
    for (size_t s = 0; s < MANY; s++)
        set.y[s * N_OUT] = 1.3e154; // whose square is just a double
    struct nn_training how = {.epochs = 1, .batch = MANY, .rate = 0.01};
    cr_assert(train(&nn, &set, &o, how, 1, &now) == NN_NOT_FINITE);
    cr_assert_str_eq(now.born, "sum");
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
}

Test(train, not_finite_rate)
{
    static struct set set;
    make_set(&set, M, 10);
    for (size_t batch = 1; batch <= M; batch++) {
        struct nn nn;
        struct nn_training how = {.epochs = 3, .batch = batch, .rate = 1e200};
        make_net(&nn, NN_SQUARED, 0);
        fails_at(&set, &nn, how, 2);
        nn_destroy(&nn);
    }
}

static void refuses(enum nn_status want, size_t n_in, size_t n_out, size_t m,
                    size_t batch, size_t epochs)
{
    const enum nn_activation sigma = NN_IDENTITY;
    struct nn nn;
    struct nn_now now;
    static struct set set;
    cr_assert(nn_create(&nn, 1, (size_t[]){n_in, n_out}, &sigma) == NN_OK);
    struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
    long held = check_memory.live;
    make_set(&set, 0, 1);
    set.m = m;
    struct nn_training how = {.epochs = epochs, .batch = batch, .rate = 0.1};
    enum nn_status got = train(&nn, &set, &o, how, 1, &now);
    cr_assert(got == want, "%s: %zu %zu %zu", nn_status_text(got), m, batch, epochs);
    cr_assert(check_memory.live == held && fetches == 0 && seen.calls == 0);
    cr_assert(now.step == 0 && now.epoch == 0 && o.t == 0 && nn.p[0] == 0);
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
}

Test(train, refuses_sizes)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    check_memory_wrapped();
    refuses(NN_BAD_SIZE, 1, 1, 0, 1, 1);
    refuses(NN_BAD_SIZE, 1, 1, 0, 1, 0);
    refuses(NN_BAD_SIZE, 1, 1, 1, 0, 1);
    refuses(NN_BAD_SIZE, 1, 1, 0, 0, 1);
    refuses(NN_BAD_SIZE, 1, 1, SIZE_MAX, 1, 0);
    refuses(NN_BAD_SIZE, 1, 1, most + 1, 1, 0);
    refuses(NN_BAD_SIZE, 1, 1, SIZE_MAX, SIZE_MAX, 1);
    refuses(NN_BAD_SIZE, 3, 1, most / 2, most / 2, 1);
    refuses(NN_BAD_SIZE, 1, 3, most / 2, most / 2, 1);
    refuses(NN_BAD_SIZE, 1, 3, most / 2, SIZE_MAX, 1);
    refuses(NN_BAD_SIZE, 1, 1, 1, 1, SIZE_MAX);
    refuses(NN_BAD_SIZE, 1, 1, 5, 2, SIZE_MAX / 3 + 1);
    refuses(NN_NO_MEMORY, 1, 1, most, 1, 1);
    refuses(NN_NO_MEMORY, 1, 1, most, most, 1);
    refuses(NN_NO_MEMORY, 1, 1, 1 << 29, 1, 1 << 20);
}

struct refused_training {
    struct set set;
    struct nn nn;
    struct nn_fast fast;
    struct nn_optimizer o;
    struct nn_training how;
    struct nn_now now;
    struct nn_rng rng;
    double p[MOST_PARAMS];
    size_t steps; // done when it begins
};

/* From the same net each time. */
static enum nn_status train_again(void *job)
{
    struct refused_training *t = job;
    t->o.t = 0;
    for (size_t i = 0; i < t->nn.params; i++)
        t->nn.p[i] = t->p[i], t->o.v[i] = t->o.s[i] = 0;
    t->how.place->step = t->steps;
    for (size_t s = 0; s < M; s++)
        t->how.place->order[s] = M - 1 - s;
    return train(&t->nn, &t->set, &t->o, t->how, 1, &t->now);
}

static void look_at_training(void *job, enum nn_status status)
{
    struct refused_training *t = job;
    if (status == NN_OK) {
        cr_assert(t->now.step == 10 && fetches == 2 * M - 5 * t->steps);
        return;
    }
    cr_assert(t->now.step == 0 && t->now.epoch == 0 && fetches == 0 && seen.calls == 0);
    cr_assert(t->o.t == 0 && t->how.place->step == t->steps && t->how.place->order[0] == M - 1);
    cr_assert(memcmp(t->p, t->nn.p, t->nn.params * sizeof *t->p) == 0);
    for (size_t i = 0; i < t->nn.params; i++)
        cr_assert(t->o.v[i] == 0 && t->o.s[i] == 0);
    cr_assert(!t->nn.keep && !t->nn.draw);
}

static void runs_out(int with_fast, size_t steps)
{
    static struct refused_training t;
    size_t order[M];
    struct nn_place place = {.order = order};
    t.steps = steps;
    make_set(&t.set, M, 11);
    make_net(&t.nn, NN_CROSS_ENTROPY, 0);
    memcpy(t.p, t.nn.p, t.nn.params * sizeof *t.p);
    t.o = make_optimizer(NN_ADAM, t.nn.params);
    t.how = (struct nn_training){.epochs = 2, .batch = 5, .rate = 0.01, .drop = 0.5,
                                 .place = &place};
    if (with_fast) {
        cr_assert(nn_fast_create(&t.fast, &t.nn, 5) == NN_OK);
        t.how.fast = &t.fast;
    }
    cr_assert(check_refusals(train_again, look_at_training, &t) == (with_fast ? 7 : 5));
    if (with_fast)
        nn_fast_destroy(&t.fast);
    nn_optimizer_destroy(&t.o);
    nn_destroy(&t.nn);
}

Test(train, when_memory_runs_out)
{
    for (size_t steps = 0; steps < 4; steps += 3) {
        runs_out(0, steps);
        runs_out(1, steps);
    }
}

/* ------------------------------------------------------------- dropout */

enum { HIDDEN = 200, PASSES = 100 };

/* Two hidden layers of HIDDEN sigmoids: all activations are positive. */
static void make_wide(struct nn *nn, uint64_t seed)
{
    const size_t size[] = {2, HIDDEN, HIDDEN, 3};
    const enum nn_activation sigma[] = {NN_SIGMOID, NN_SIGMOID, NN_IDENTITY};
    struct nn_rng rng = nn_rng_seeded(seed);
    cr_assert(nn_create(nn, 3, size, sigma) == NN_OK);
    nn_randomize(nn, &rng);
}

/* Four deviations of a share among N, either way. */
static void expect_share(size_t count, size_t n, double share)
{
    double off = (double)count - share * (double)n;
    cr_assert(fabs(off) < 4 * sqrt(share * (1 - share) * (double)n),
              "%zu of %zu, for %g", count, n, share);
}

/* Checks one pass; counts zeros and adds what the first layer has. */
static void expect_mask(const struct nn *nn, size_t *zeros, double *sum)
{
    size_t first = 2, last = 2 + 2 * HIDDEN;
    for (size_t u = first; u < last; u++) {
        double r = nn->keep[u], a = nn_sigma(NN_SIGMOID, nn->z[u]);
        cr_assert(r == 0 || r == 1 / (1 - nn->drop));
        cr_assert(nn->a[u] == a * r);
        *zeros += r == 0;
        *sum += u < first + HIDDEN ? nn->a[u] : 0;
    }
    for (size_t j = 0; j < 3; j++) // neither inputs nor outputs
        cr_assert(nn->keep[last + j] == 77 && nn->a[last + j] == nn->z[last + j]);
    cr_assert(nn->keep[0] == 77 && nn->keep[1] == 77);
    cr_assert(nn->a[0] == 0.5 && nn->a[1] == -0.25);
}

Test(train, dropout_draws_its_share)
{
    const double drop[] = {0, 0.1, 0.5, 0.8}, x[] = {0.5, -0.25};
    for (int d = 0; d < 4; d++) {
        static double keep[5 + 2 * HIDDEN], old[5 + 2 * HIDDEN];
        struct nn nn;
        struct nn_rng rng = nn_rng_seeded(12);
        double full = 0, sum = 0;
        size_t zeros = 0;
        make_wide(&nn, 1);
        nn_forward(&nn, x);
        for (size_t u = 2; u < 2 + HIDDEN; u++)
            full += nn.a[u] / HIDDEN;
        for (size_t u = 0; u < 5 + 2 * HIDDEN; u++)
            keep[u] = 77;
        nn.keep = keep;
        nn.draw = &rng;
        nn.drop = drop[d];
        for (int i = 0; i < PASSES; i++) {
            nn_forward(&nn, x);
            expect_mask(&nn, &zeros, &sum);
            int same = memcmp(keep, old, sizeof keep) == 0; // drawn anew
            cr_assert(i == 0 || same == (drop[d] == 0));
            memcpy(old, keep, sizeof keep);
        }
        if (drop[d] == 0)
            cr_assert(zeros == 0);
        else
            expect_share(zeros, (size_t)PASSES * 2 * HIDDEN, drop[d]);
        double n = PASSES * HIDDEN, sd = sqrt(drop[d] / (1 - drop[d]) / n);
        cr_assert(fabs(sum / n / full - 1) < 5 * sd + 1e-12, "%g", sum / n / full);
        nn_destroy(&nn);
    }
}

/* What dropout leaves of the second layer's inputs is drawn before it. */
Test(train, dropout_reaches_the_next_layer)
{
    const double x[] = {0.5, -0.25};
    static double keep[5 + 2 * HIDDEN];
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(13);
    make_wide(&nn, 2);
    nn.keep = keep;
    nn.draw = &rng;
    nn.drop = 0.5;
    nn_forward(&nn, x);
    struct nn_layer at = nn_layer_at(&nn, 2);
    for (size_t j = 0; j < at.n; j++) {
        double z = 0;
        for (size_t k = 0; k < at.n_before; k++) {
            size_t u = at.unit_before + k;
            double a = keep[u] * nn_sigma(NN_SIGMOID, nn.z[u]);
            z += nn.p[at.w + j * at.n_before + k] * a;
        }
        cr_assert(fabs(nn.z[at.unit + j] - z) < 1e-12);
    }
    nn_destroy(&nn);
}

/* A batch has a draw for each of its samples. */
Test(train, dropout_of_a_batch)
{
    static struct set set;
    for (int kind = 0; kind < 2; kind++) {
        struct nn nn;
        struct nn_rng a = nn_rng_seeded(14), b = a;
        double g[MOST_PARAMS], one[MOST_PARAMS], mean[MOST_PARAMS] = {0};
        double keep[30], cost, sum = 0;
        make_set(&set, M, 14);
        make_net(&nn, kind ? NN_CROSS_ENTROPY : NN_SQUARED, 0);
        nn.keep = keep;
        nn.drop = 0.4;
        nn.draw = &a;
        for (size_t s = 0; s < M; s++) {
            double *x = set.x + s * N_IN, *y = set.y + s * N_OUT;
            cr_assert(nn_gradient(&nn, 1, x, y, one, &cost) == NN_OK);
            sum += cost / M;
            for (size_t i = 0; i < nn.params; i++)
                mean[i] += one[i] / M;
        }
        nn.draw = &b;
        cr_assert(nn_gradient(&nn, M, set.x, set.y, g, &cost) == NN_OK);
        cr_assert(a.state == b.state && fabs(cost - sum) < 1e-14);
        for (size_t i = 0; i < nn.params; i++)
            cr_assert(fabs(g[i] - mean[i]) < 1e-14);
        nn_destroy(&nn);
    }
}

Test(train, dropout_ends_with_the_training)
{
    static struct set set;
    make_set(&set, M, 15);
    struct nn nn, with;
    struct nn_now now;
    struct nn_training how = {.epochs = 2, .batch = 5, .rate = 0.1};
    make_net(&nn, NN_CROSS_ENTROPY, 0);
    make_net(&with, NN_CROSS_ENTROPY, 0);
    struct nn_optimizer o = make_optimizer(NN_DESCENT, nn.params);
    cr_assert(train(&nn, &set, &o, how, 1, &now) == NN_OK);
    how.drop = 0.5;
    cr_assert(train(&with, &set, &o, how, 1, &now) == NN_OK);
    cr_assert(!with.keep && !with.draw && !seen.dropping);
    cr_assert(memcmp(nn.p, with.p, nn.params * sizeof *nn.p) != 0);
    memcpy(nn.p, with.p, nn.params * sizeof *nn.p);
    for (size_t s = 0; s < M; s++) {
        const double *a = nn_forward(&nn, set.x + s * N_IN);
        const double *b = nn_forward(&with, set.x + s * N_IN);
        cr_assert(memcmp(a, b, N_OUT * sizeof *a) == 0);
    }
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
    nn_destroy(&with);
}

/* A net without hidden units has nothing to drop. */
Test(train, dropout_spares_a_single_layer)
{
    const enum nn_activation sigma = NN_IDENTITY;
    static struct set set;
    struct nn nn[2];
    make_set(&set, M, 16);
    for (int i = 0; i < 2; i++) {
        struct nn_now now;
        struct nn_training how = {.epochs = 2, .batch = 5, .rate = 0.1, .drop = 0.9 * i};
        cr_assert(nn_create(&nn[i], 1, (size_t[]){N_IN, N_OUT}, &sigma) == NN_OK);
        struct nn_optimizer o = make_optimizer(NN_DESCENT, nn[i].params);
        cr_assert(train(&nn[i], &set, &o, how, 1, &now) == NN_OK);
        nn_optimizer_destroy(&o);
    }
    cr_assert(nn[0].p[0] != 0);
    cr_assert(memcmp(nn[0].p, nn[1].p, nn[0].params * sizeof *nn[0].p) == 0);
    nn_destroy(&nn[0]);
    nn_destroy(&nn[1]);
}

/* A mask that the caller has set: for every step or, as nn_train leaves
   keep NULL, for none; not for the first alone. */
Test(train, mask_of_the_caller)
{
    enum { EPOCHS = 3 };
    static struct set set;
    struct nn nn[3]; // trained; by hand without the mask, and with it
    struct nn_now now;
    double keep[N_IN + 5 + 4 + N_OUT] = {0}, g[MOST_PARAMS], cost;
    struct nn_training how = {.epochs = EPOCHS, .batch = 1, .rate = 0.1};
    make_set(&set, 1, 21); // one sample: no order
    keep[N_IN + 1] = keep[N_IN + 4] = keep[N_IN + 7] = 1.5;
    for (int i = 0; i < 3; i++)
        make_net(&nn[i], NN_CROSS_ENTROPY, 0);
    struct nn_optimizer o = make_optimizer(NN_DESCENT, nn[0].params);
    nn[0].keep = nn[2].keep = keep;
    cr_assert(train(&nn[0], &set, &o, how, 1, &now) == NN_OK);
    int same = 0;
    for (int i = 1; i < 3; i++) {
        for (int step = 0; step < EPOCHS; step++) {
            cr_assert(nn_gradient(&nn[i], 1, set.x, set.y, g, &cost) == NN_OK);
            nn_step(&nn[i], g, 0.1);
        }
        same |= memcmp(nn[0].p, nn[i].p, nn[0].params * sizeof *g) == 0;
    }
    cr_assert(same, "the first step has a mask that the others have not");
    nn_optimizer_destroy(&o);
    for (int i = 0; i < 3; i++)
        nn_destroy(&nn[i]);
}

/* ---------------------------------------------------------- permutations */

/* Where each parameter comes from when the hidden units change places. */
static void random_places(const struct nn *nn, struct nn_rng *rng, size_t *from)
{
    size_t unit[4][8];
    for (int l = 0; l <= nn->layers; l++) {
        for (size_t j = 0; j < nn->size[l]; j++)
            unit[l][j] = j;
        if (l > 0 && l < nn->layers)
            nn_rng_shuffle(rng, unit[l], nn->size[l]);
        if (l == 0)
            continue;
        struct nn_layer at = nn_layer_at(nn, l);
        for (size_t j = 0; j < at.n; j++) {
            from[at.b + j] = at.b + unit[l][j];
            for (size_t k = 0; k < at.n_before; k++)
                from[at.w + j * at.n_before + k] =
                    at.w + unit[l][j] * at.n_before + unit[l - 1][k];
        }
    }
}

Test(train, hidden_units_may_change_places)
{
    static struct set set;
    struct nn_rng rng = nn_rng_seeded(17);
    size_t moved = 0;
    for (int i = 0; i < 100; i++) {
        enum nn_loss loss = i % 2 ? NN_CROSS_ENTROPY : NN_SQUARED;
        struct nn nn, other;
        size_t from[MOST_PARAMS];
        double g[MOST_PARAMS], h[MOST_PARAMS], cost, same;
        make_set(&set, M, (uint64_t)i);
        make_net(&nn, loss, 0.01);
        make_net(&other, loss, 0.01);
        for (size_t k = 0; k < nn.params; k++)
            nn.p[k] = nn_rng_uniform(&rng, -1, 1);
        random_places(&nn, &rng, from);
        for (size_t k = 0; k < nn.params; k++) {
            other.p[k] = nn.p[from[k]];
            moved += from[k] != k;
        }
        for (size_t s = 0; s < M; s++) {
            const double *a = nn_forward(&nn, set.x + s * N_IN);
            const double *b = nn_forward(&other, set.x + s * N_IN);
            for (size_t j = 0; j < N_OUT; j++)
                cr_assert(fabs(a[j] - b[j]) < 1e-12);
        }
        cr_assert(nn_gradient(&nn, M, set.x, set.y, g, &cost) == NN_OK);
        cr_assert(nn_gradient(&other, M, set.x, set.y, h, &same) == NN_OK);
        cr_assert(fabs(cost - same) < 1e-12);
        cr_assert(fabs(nn_cost(&other, M, set.x, set.y) - cost) < 1e-12);
        for (size_t k = 0; k < nn.params; k++)
            cr_assert(fabs(h[k] - g[from[k]]) < 1e-12);
        nn_destroy(&nn);
        nn_destroy(&other);
    }
    cr_assert(moved > 3000);
}

/* -------------------------------------------------------------- learning */

enum { POINTS = 300 };

struct plane {
    double x[POINTS][2];
    size_t class[POINTS];
};

/* Three arms of a spiral around 0, with a little noise. */
static void make_plane(struct plane *plane, uint64_t seed)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    const double turn = 2 * acos(-1) / 3;
    for (size_t s = 0; s < POINTS; s++) {
        double r = nn_rng_uniform(&rng, 0.2, 1);
        double angle = turn * (double)(s % 3) + 2 * r + nn_rng_uniform(&rng, -0.6, 0.6);
        plane->class[s] = s % 3;
        plane->x[s][0] = r * cos(angle);
        plane->x[s][1] = r * sin(angle);
    }
}

static void fetch_point(const void *data, size_t s, double *x, double *y)
{
    const struct plane *plane = data;
    memcpy(x, plane->x[s], sizeof plane->x[s]);
    for (size_t j = 0; j < 3; j++)
        y[j] = j == plane->class[s];
}

static double accuracy(struct nn *nn, const struct plane *plane)
{
    size_t right = 0;
    for (size_t s = 0; s < POINTS; s++) {
        const double *a = nn_forward(nn, plane->x[s]);
        size_t best = a[1] > a[0];
        right += (a[2] > a[best] ? 2 : best) == plane->class[s];
    }
    return (double)right / POINTS;
}

Test(train, learns_three_classes)
{
    const enum nn_activation sigma[] = {NN_TANH, NN_IDENTITY};
    const double rate[METHODS] = {0.5, 0.1, 0.02};
    static struct plane old, new;
    make_plane(&old, 18);
    make_plane(&new, 19);
    for (int method = 0; method < METHODS; method++)
        for (int schedule = 0; schedule < SCHEDULES; schedule++) {
            struct nn nn;
            struct nn_now now;
            struct nn_rng rng = nn_rng_seeded(20);
            struct nn_samples samples = {POINTS, fetch_point, &old};
            struct nn_training how = {.epochs = 60, .batch = 10, .rate = rate[method],
                                      .schedule = (enum nn_schedule)schedule,
                                      .rng = &rng};
            cr_assert(nn_create(&nn, 2, (size_t[]){2, 12, 3}, sigma) == NN_OK);
            nn.loss = NN_CROSS_ENTROPY;
            nn_randomize(&nn, &rng);
            struct nn_optimizer o = make_optimizer((enum nn_method)method, nn.params);
            cr_assert(accuracy(&nn, &new) < 0.7);
            cr_assert(nn_train(&nn, &samples, &o, &how, &now) == NN_OK);
            double first = accuracy(&nn, &old), second = accuracy(&nn, &new);
            cr_assert(first >= 0.95 && second >= 0.95 && now.cost < 0.2,
                      "%d %d: %g and %g, cost %g", method, schedule, first, second,
                      now.cost);
            nn_optimizer_destroy(&o);
            nn_destroy(&nn);
        }
}

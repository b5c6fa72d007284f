/* Clipping keeps the direction, what is not finite is named where it arises, and
   a training says so at its step. */

#include "check.h"

#include "nn/init.h"
#include "nn/train.h"
#include "nn/watch.h"

#include <string.h>

TestSuite(watch, .timeout = 20);

Test(watch, clip_scales_to_the_length)
{
    struct nn_rng rng = nn_rng_seeded(1);
    for (int i = 0; i < 1000; i++) {
        double g[7], old[7], sum = 0, after = 0;
        double size = pow(10, nn_rng_uniform(&rng, -200, 200));
        for (int k = 0; k < 7; k++) {
            old[k] = g[k] = size * nn_rng_uniform(&rng, -1, 1);
            sum += old[k] / size * (old[k] / size);
        }
        double length = size * sqrt(sum);
        double most = length * nn_rng_uniform(&rng, 0.1, 2);
        check_close(nn_clip(7, g, most), length, 1e-14);
        for (int k = 0; k < 7; k++)
            after += g[k] / size * (g[k] / size);
        if (length <= most)
            cr_assert(memcmp(g, old, sizeof g) == 0);
        else
            check_close(size * sqrt(after), most, 1e-14);
        for (int k = 1; k < 7; k++)
            check_close(g[k] / g[0], old[k] / old[0], 1e-12);
    }
}

Test(watch, clip_leaves_zeros_and_exact_lengths)
{
    double zero[3] = {0}, exact[2] = {3, -4};
    cr_assert(nn_clip(3, zero, 0.1) == 0);
    cr_assert(zero[0] == 0 && zero[1] == 0 && zero[2] == 0);
    cr_assert(nn_clip(2, exact, 5) == 5);
    cr_assert(exact[0] == 3 && exact[1] == -4);
    cr_assert(nn_clip(2, exact, 1) == 5);
    cr_assert(fabs(exact[0] - 0.6) < 1e-15 && fabs(exact[1] + 0.8) < 1e-15);
}

static struct nn nn;
static enum nn_activation bend = NN_RELU;
static double x[3], y[2], g[3 * 4 + 4 + 4 * 4 + 4 + 4 * 2 + 2];
static char name[NN_NAME];

/* 3-4-4-2, all weights 0.1, all inputs 1. */
static void make(void)
{
    const enum nn_activation sigma[] = {bend, bend, NN_IDENTITY};
    cr_assert(nn_create(&nn, 3, (size_t[]){3, 4, 4, 2}, sigma) == NN_OK);
    for (size_t i = 0; i < nn.params; i++)
        nn.p[i] = 0.1;
    for (int k = 0; k < 3; k++)
        x[k] = 1;
    y[0] = y[1] = 0.5;
    name[0] = 0;
}

#define FINDS(what)                                                          \
    do {                                                                     \
        cr_assert(nn_find_not_finite(&nn, x, y, g, name));                   \
        cr_assert_str_eq(name, what);                                        \
        nn_destroy(&nn);                                                     \
        make();                                                              \
    } while (0)

Test(watch, each_kind_is_named)
{
    make();
    cr_assert(!nn_find_not_finite(&nn, x, y, g, name));
    nn.p[nn_layer_at(&nn, 3).b + 1] = CHECK_NAN;
    FINDS("b3_2");
    x[2] = CHECK_INFINITY;
    FINDS("x_3");
    y[0] = CHECK_NAN;
    FINDS("y_1");
    nn.p[nn_layer_at(&nn, 1).w + 3] = 1e308; /* w1_2,1 */
    nn.p[nn_layer_at(&nn, 1).w + 4] = 1e308;
    FINDS("z1_2");
    for (size_t k = 0; k < 4; k++)
        nn.p[nn_layer_at(&nn, 3).w + k] = 1e200; /* (1e200)^2 is no double */
    FINDS("J");
    nn.loss = NN_CROSS_ENTROPY;
    for (size_t k = 0; k < 4; k++)
        nn.p[nn_layer_at(&nn, 3).w + k] = 1e308;
    nn.p[nn_layer_at(&nn, 2).b] = 10;
    FINDS("z3_1");
    nn_destroy(&nn);
    bend = NN_IDENTITY;
    make();
    nn.p[nn_layer_at(&nn, 1).w + 3] = 1e308;
    double keep[3 + 4 + 4 + 2];
    for (size_t u = 0; u < sizeof keep / sizeof *keep; u++)
        keep[u] = 2; /* as when half are dropped */
    nn.keep = keep;
    FINDS("a1_2");
    nn_destroy(&nn);
    bend = NN_SIGMOID; /* which hides that z is infinite */
    make();
    nn.p[nn_layer_at(&nn, 1).w + 3] = 1e308;
    nn.p[nn_layer_at(&nn, 1).w + 4] = 1e308;
    FINDS("z1_2");
    nn_destroy(&nn);
}

/* Forward finite, slopes not: the last layer's weights are huge and cancel in z. */
Test(watch, slopes_are_looked_at_in_their_order)
{
    make();
    struct nn_layer at = nn_layer_at(&nn, 3);
    for (size_t k = 0; k < 4; k++)
        nn.p[at.w + k] = k % 2 ? -1e154 : 1e154;
    for (size_t k = 0; k < 4; k++)
        nn.p[at.w + 4 + k] = 0;
    struct nn_layer two = nn_layer_at(&nn, 2);
    for (size_t i = two.w; i < two.b; i++)
        nn.p[i] = 1e154;
    for (size_t i = nn_layer_at(&nn, 1).w; i < nn_layer_at(&nn, 1).b; i++)
        nn.p[i] = 0;
    for (size_t j = 0; j < 4; j++) {
        nn.p[nn_layer_at(&nn, 1).b + j] = 1e-154;
        nn.p[two.b + j] = 0;
    }
    y[0] = 1e10;
    cr_assert(nn_find_not_finite(&nn, x, y, g, name));
    cr_assert_str_eq(name, "da1_1");
    nn_destroy(&nn);
}

/* The last layer's slopes by its weights overflow, and so does what goes on from it. */
Test(watch, the_last_layer_comes_first)
{
    make();
    struct nn_layer two = nn_layer_at(&nn, 2), three = nn_layer_at(&nn, 3);
    for (size_t j = 0; j < 4; j++)
        for (size_t k = 0; k < 4; k++)
            nn.p[two.w + 4 * j + k] = 1e160;
    for (size_t k = 0; k < 4; k++) {
        nn.p[three.w + k] = k % 2 ? -1e140 : 1e140;
        nn.p[three.w + 4 + k] = 0;
    }
    y[0] = 1e154;
    cr_assert(nn_find_not_finite(&nn, x, y, g, name));
    cr_assert_str_eq(name, "dw3_1,1");
    nn_destroy(&nn);
}

Test(watch, counts_who_is_active)
{
    size_t active[4] = {0};
    double xs[6] = {1, 1, 1, -1, -1, -1};
    make();
    struct nn_layer at = nn_layer_at(&nn, 1);
    nn.p[at.b + 0] = 1;  /* both */
    nn.p[at.b + 1] = 0;  /* the first */
    nn.p[at.b + 2] = -1; /* none */
    nn.p[at.b + 3] = 0;
    nn_count_active(&nn, 1, 2, xs, active);
    cr_assert(active[0] == 2 && active[1] == 1 && active[2] == 0 && active[3] == 1);
    nn_count_active(&nn, 1, 1, xs, active);
    cr_assert(active[0] == 3 && active[2] == 0);
    nn_destroy(&nn);
}

/* ------------------------------------------------------------- in a training */

enum { M = 20 };
static size_t bad = M;
static double gain = 1;

static void fetch(const void *data, size_t s, double *to_x, double *to_y)
{
    (void)data;
    for (size_t k = 0; k < 3; k++)
        to_x[k] = s == bad && k == 1 ? CHECK_NAN : gain * (double)(s % 5 + k);
    to_y[0] = (double)(s % 2);
    to_y[1] = 1 - to_y[0];
}

static enum nn_status train(struct nn_training *how, struct nn_now *now)
{
    struct nn_optimizer o;
    struct nn_rng rng = nn_rng_seeded(3);
    struct nn_samples samples = {M, fetch, NULL};
    make();
    nn.loss = NN_CROSS_ENTROPY;
    nn_initialize(&nn, NN_HE, &rng);
    how->rng = &rng;
    how->epochs = 30;
    how->batch = 4;
    cr_assert(nn_optimizer_create(&o, NN_DESCENT, nn.params) == NN_OK);
    enum nn_status status = nn_train(&nn, &samples, &o, how, now);
    nn_optimizer_destroy(&o);
    return status;
}

Test(watch, a_training_names_the_sample)
{
    const double drops[] = {0, 0.5};
    for (int d = 0; d < 2; d++) {
        struct nn_training how = {.rate = 0.01, .drop = drops[d]};
        struct nn_now now;
        bad = 13;
        cr_assert(train(&how, &now) == NN_NOT_FINITE);
        cr_assert_str_eq(now.born, "x_2");
        cr_assert(now.sample == 13 && now.step >= 1 && now.step <= 5);
        cr_assert(nn.keep == NULL && nn.draw == NULL);
        for (size_t i = 0; i < nn.params; i++)
            cr_assert(isfinite(nn.p[i]));
        bad = M;
        nn_destroy(&nn);
    }
}

/* The net is as it was before the step at which something overflows, so that the
   same gradient shows the same number; with clipping nothing overflows. */
Test(watch, a_training_names_the_number_and_clipping_prevents_it)
{
    struct nn_training how = {.rate = 1e200};
    struct nn_now now;
    bend = NN_IDENTITY;
    cr_assert(train(&how, &now) == NN_NOT_FINITE);
    cr_assert(now.step >= 2 && strchr("zaJdw", now.born[0]) != NULL, "%s", now.born);
    double xs[3], ys[2];
    fetch(NULL, now.sample, xs, ys);
    cr_assert(nn_find_not_finite(&nn, xs, ys, g, name));
    cr_assert_str_eq(name, now.born);
    nn_destroy(&nn);
    how.rate = 0.1;
    how.clip = 1e-3;
    cr_assert(train(&how, &now) == NN_OK);
    nn_destroy(&nn);
}

Test(watch, a_step_too_long_names_the_parameter)
{
    struct nn_training how = {.rate = 1e308};
    struct nn_now now;
    gain = 1000;
    cr_assert(train(&how, &now) == NN_NOT_FINITE);
    cr_assert(now.step == 1 && (now.born[0] == 'w' || now.born[0] == 'b'), "%s",
              now.born);
    nn_destroy(&nn);
}

/* Clipped descent never moves farther than rate times the length. */
static double before[64];
static double farthest;

static int measure(void *context, const struct nn_now *now)
{
    double sum = 0;
    (void)context;
    for (size_t i = 0; i < nn.params; i++)
        sum += (nn.p[i] - before[i]) * (nn.p[i] - before[i]);
    if (now->step > 1)
        farthest = fmax(farthest, sqrt(sum));
    memcpy(before, nn.p, nn.params * sizeof *before);
    return 0;
}

Test(watch, a_clipped_step_is_short)
{
    struct nn_training how = {.rate = 0.5, .clip = 0.01, .after = measure};
    struct nn_now now;
    cr_assert(train(&how, &now) == NN_OK);
    cr_assert(farthest > 0.004 && farthest < 0.005 + 1e-12, "%g", farthest);
    nn_destroy(&nn);
}

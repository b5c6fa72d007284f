/* Tangled from chapters/15-spread.nw: edit there. Sum 2160585642. */
#define _GNU_SOURCE
#include <criterion/criterion.h>

#define main spread_main
#include "15-spread/spread.c"
#undef main

TestSuite(spread, .timeout = 60);

static struct job some_job(size_t m)
{
    static uint8_t pixel[100 * 64], label[100];
    struct job job = {.hidden = "19,33", .batch = (long)m,
                      .seed = 1, .rate = 0.1};
    struct nn_rng rng = nn_rng_seeded(2);
    cr_assert(m <= 100);
    for (size_t i = 0; i < m * 64; i++)
        pixel[i] = (uint8_t)nn_rng_below(&rng, 256);
    for (size_t s = 0; s < m; s++)
        label[s] = (uint8_t)nn_rng_below(&rng, CLASSES);
    job.train = (struct nn_pictures){
        .m = m, .rows = 8, .cols = 8, .classes = CLASSES,
        .pixel = pixel, .label = label};
    cr_assert(open_job(&job) == NN_OK);
    return job;
}
Test(spread, gradients_add)
{
    struct job job = some_job(48);
    size_t n = job.fast.room;
    float *whole = calloc(n, sizeof *whole);
    double cost, parts = 0;
    fetch(&job, 0, 48);
    nn_fast_gradient(&job.fast, 48, job.x, job.y, whole, &cost);

    for (size_t ranks = 1; ranks <= 16; ranks *= 2) {
        double off = 0, length = 0, part;
        size_t m = 48 / ranks;
        float *sum = calloc(n, sizeof *sum);
        parts = 0;
        for (size_t r = 0; r < ranks; r++) {
            fetch(&job, r * m, m);
            nn_fast_gradient(&job.fast, m, job.x, job.y, job.g,
                             &part);
            add(n, sum, job.g);
            parts += part / (double)ranks;
        }

        for (size_t i = 0; i < n; i++) {
            double d = (double)(sum[i] / (float)ranks - whole[i]);
            off += d * d;
            length += (double)(whole[i] * whole[i]);
        }
        cr_assert(length > 0 && sqrt(off / length) < 1e-6,
                  "%zu ranks: %g", ranks, sqrt(off / length));
        cr_assert(fabs(parts - cost) < 1e-6);
        free(sum);
    }
    free(whole);
    end_job(&job);
}
Test(spread, the_tree_is_one_for_all)
{
    enum { N = 1000 };
    static float g[PIECES * N], tree[N], at[PIECES * N];
    static float line[N];
    struct nn_rng rng = nn_rng_seeded(1);
    for (size_t i = 0; i < PIECES * N; i++)
        g[i] = (float)nn_rng_uniform(&rng, -1, 1);
    for (size_t i = 0; i < PIECES; i++)
        add(N, line, g + i * N);

    for (size_t ranks = 1; ranks <= PIECES; ranks *= 2) {
        size_t own = PIECES / ranks;
        memcpy(at, g, sizeof at);
        for (size_t r = 0; r < ranks; r++) {
            add_by_pairs(own, N, at + r * own * N);
            memmove(at + r * N, at + r * own * N,
                    N * sizeof *at);
        }
        add_by_pairs(ranks, N, at);
        if (ranks == 1)
            memcpy(tree, at, sizeof tree);
        cr_assert(memcmp(tree, at, sizeof tree) == 0,
                  "%zu ranks", ranks);
    }
    cr_assert(memcmp(tree, line, sizeof tree) != 0);
}
Test(spread, the_formula)
{
    const struct machine at = {
        .latency = 3, .bandwidth = 10, .adding = 5, .fixed = 7,
        .sample = 2, .cores = 4};
    cr_assert(step_time(&at, 1, 64, 100) == 7 + 128);
    cr_assert(fabs(sum_time(&at, 2, 100) - 26) < 1e-9);
    cr_assert(fabs(sum_time(&at, 5, 100) - 50) < 1e-9);
    cr_assert(fabs(step_time(&at, 4, 64, 100) -
                   (7 + 32 + 12 + 15 + 15)) < 1e-9);
    cr_assert(fabs(step_time(&at, 8, 64, 100) -
                   2 * (7 + 16 + 18 + 17.5 + 17.5)) < 1e-9);
}
Test(spread, every_mark_counts)
{
    struct job job = some_job(48), other = some_job(48);
    uint32_t one[MARKS], two[MARKS];
    mark(&job, one);
    mark(&other, two);
    cr_assert(memcmp(one, two, sizeof one) == 0);

    uint8_t changed[48 * 64];
    memcpy(changed, other.train.pixel, sizeof changed);
    changed[4711 % sizeof changed] ^= 1;
    other.train.pixel = changed;
    other.nn.size[1]++;
    other.seed++;
    other.rate += 0.01;
    mark(&other, two);
    for (int i = 0; i < MARKS; i++)
        cr_assert(one[i] != two[i], "%s", mark_name[i]);
    end_job(&job);
    end_job(&other);
}

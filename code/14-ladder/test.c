/* Tangled from chapters/14-ladder.nw: edit there. Sum 3138507278. */
#define _GNU_SOURCE
#include <criterion/criterion.h>

#define main ladder_main
#include "14-ladder/ladder.c"
#undef main

TestSuite(ladder, .timeout = 120);
static const struct cli cli = {"test", "", "", NULL, 0, 0};

Test(ladder, every_rung_is_the_gradient)
{
    const size_t hidden[] = {1, 15, 16, 17, 33, 48};
    who = &cli;
    most_threads = 3;
    for (size_t h = 0; h < sizeof hidden / sizeof *hidden; h++)
        for (size_t m = 4; m <= 36; m += 16) {
            struct job job = {0};
            make_job(&job, hidden[h], m);
            random_pictures(&job, m);
            for (int i = 0; i < RUNGS; i++)
                if (rungs[i].learn != learn_blas) {
                    int large = rungs[i].bytes == 8;
                    double most = large ? 1e-12 : 1e-4;
                    double off = error_of(&job, &rungs[i], m);
                    cr_assert(off < most, "%s, %zu units, %zu "
                              "samples: %g", rungs[i].name,
                              hidden[h], m, off);
                }
            end_job(&job);
        }
}
Test(ladder, counts)
{
    struct job job = {0};
    who = &cli;
    make_job(&job, 128, 32);
    cr_assert(multiply_adds_of(&job) == 2 * 784 * 128 + 3 * 1280);

    const double w = 784 * 128 + 1280;
    const struct rung *turned = &rungs[rung_named("turned")];
    const struct rung *tile = &rungs[rung_named("tile")];
    cr_assert(bytes_of(&job, turned, 32) ==
              4 * w * (6 + 4 / 32.));
    cr_assert(bytes_of(&job, tile, 32) ==
              4 * w * (2 * 0.3125 + 6 / 32.));
    end_job(&job);
}
Test(ladder, careless)
{
    volatile double large = 1e308;
    double gain = sum_carefully(1, 1e-16, 1000000) - 1;
    cr_assert(!finite_carefully(10 * large));
    cr_assert(fabs(gain - 1e-10) < 1e-12, "%g", gain);
    #if defined __GNUC__ && !defined __clang__ && \
        defined __OPTIMIZE__
    cr_assert(finite_carelessly(10 * large));
    cr_assert(sum_carelessly(1, 1e-16, 1000000) == 1);
    #endif
}

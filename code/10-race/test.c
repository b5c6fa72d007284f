/* Tangled from chapters/10-race.nw: edit there. Sum 3423189345. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#define main race_main
#include "10-race/race.c"
#undef main

TestSuite(race, .timeout = 60);
static const struct cli cli = {"test", "", "", NULL, 0, 0};

Test(race, counted_gradient_is_the_gradient)
{
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        struct job job;
        double cost;
        begin(&cli, &job, nets[i].layers, nets[i].size);
        size_t w = weights(&job.nn), bytes =
            job.nn.params * sizeof *job.g;
        double *g = malloc(bytes);
        nn_gradient(&job.nn, 1, job.x, job.y, g, &cost);

        multiply_adds = 0;
        counted_forward(&job.nn, job.x);
        cr_assert(multiply_adds == w);

        multiply_adds = 0;
        counted_gradient(&job.nn, 1, job.x, job.y, job.g, &cost);
        cr_assert(multiply_adds == 3 * w);
        cr_assert(memcmp(g, job.g, bytes) == 0);

        multiply_adds = w;
        lean_gradient(&job.nn, 1, job.x, job.y, job.g, &cost);
        cr_assert(memcmp(g, job.g, bytes) == 0);
        cr_assert(multiply_adds == 3 * w - nets[i].size[0] *
                                           nets[i].size[1]);
        free(g);
        end(&job);
    }
}
Test(race, exponent_of_a_power)
{
    for (double q = -1; q <= 2.5; q += 0.5) {
        double p[9], t[9];
        for (int i = 0; i < 9; i++) {
            p[i] = 10 + 17.0 * i * i;
            t[i] = 3e-7 * pow(p[i], q);
        }
        cr_assert(fabs(exponent(p, t, 9) - q) < 1e-12);
    }
}
Test(race, backpropagation_is_the_more_exact)
{
    for (int i = 0; i < 4; i++) {
        struct job job;
        size_t s = sizes[i], n[] = {4 * s, 3 * s, 2 * s};
        double back, forward, central;
        begin(&cli, &job, 2, n);
        errors(&cli, &job, &back, &forward, &central);
        cr_assert(back < 1e-14, "%g", back);
        cr_assert(forward > 1e-9 && forward < 1e-5);
        cr_assert(central > 1e-12 && central < 1e-8);
        end(&job);
    }
}
Test(race, a_million_parameters_are_too_many)
{
    struct job job;
    double cost;
    begin(&cli, &job, 3, (const size_t[]){784, 800, 450, 10});
    multiply_adds = 0;
    counted_gradient(&job.nn, 1, job.x, job.y, job.g, &cost);
    size_t back = multiply_adds;
    multiply_adds = 0;
    counted_forward(&job.nn, job.x);
    size_t passes = job.nn.params + 1;
    cr_assert(multiply_adds * passes > 300000 * back);
    end(&job);
}

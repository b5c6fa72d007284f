/* Tangled from chapters/90-plumbing.nw: edit there. Sum 4129216118. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o missed code/09-gradcheck/missed.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/check.h"

#include "09-gradcheck/answers.c"

static long passes_along(const struct cli *cli, gradient *of,
                         long seed, long directions,
                         struct nn_rng *rng, double *worst)
{
    long passed = 0;
    struct nn nn;
    double g[P], cost;
    make(cli, &nn, seed);
    of(&nn, M, x, y, g, &cost);
    for (long d = 0; d < directions; d++) {
        double e = check_direction(&nn, M, x, y, g, rng);
        passed += e <= NN_CHECK_BOUND;
        *worst = fmax(*worst, e);
    }
    nn_destroy(&nn);
    return passed;
}
static int learns(const struct cli *cli, gradient *of, long seed,
                  double by)
{
    struct nn nn;
    double g[P] = {0}, cost;
    int done = 0;
    make(cli, &nn, seed);
    for (int i = 0; i <= 5000 && !done; i++) {
        done = solved(&nn);
        if (of(&nn, M, x, y, g, &cost) != NN_OK)
            break;
        nn_step(&nn, g, by);
    }
    nn_destroy(&nn);
    return done;
}

int main(int argc, char **argv)
{
    long seeds = 100, directions = 1000;
    const struct cli_option options[] = {
        {"seeds", "N", "count over so many starts",
         CLI_WHOLE, &seeds, 1, 1e6},
        {"directions", "N", "... and so many directions at each",
         CLI_WHOLE, &directions, 1, 1e6},
    };
    const struct cli cli = {"missed", "",
        "Counts the directions along which a check misses a "
        "mistake, and how\noften two more mistakes learn XOR.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    struct nn_rng rng = nn_rng_seeded(4);
    long missed = 0;
    printf("directions = %ld\n\ngradient    missed\n",
           seeds * directions);
    for (int i = 0; i < WRONG; i++) {
        long passed = 0;
        double worst = 0;
        for (long seed = 1; seed <= seeds; seed++)
            passed += passes_along(&cli, all[i].of, seed, directions,
                                   &rng, &worst);
        if (i == 0) {
            printf("right       error below %.0e\n",
                   pow(10, ceil(log10(worst))));
        } else {
            printf("%-10s  %6ld\n", all[i].name, passed);
            missed += passed;
        }
        cli_progress("gradients", (size_t)i + 1, WRONG);
    }
    printf("missed = %ld\n\n", missed);
    long kept_learns = 0, right_learns = 0, piled_learns = 0;
    double least = (double)INFINITY, most = 0;
    for (long seed = 1; seed <= seeds; seed++) {
        struct nn nn;
        make(&cli, &nn, seed);
        double e = check(piled, &nn).worst;
        nn_destroy(&nn);
        least = fmin(least, e);
        most = fmax(most, e);
        kept_learns += learns(&cli, kept, seed, 0.05);
        right_learns += learns(&cli, nn_gradient, seed, 0.05);
        piled_learns += learns(&cli, piled, seed, rate);
        cli_progress("seeds", (size_t)seed, (size_t)seeds);
    }
    printf("seeds = %ld\n", seeds);
    printf("at the rate 0.05:  kept = %ld  right = %ld\n",
           kept_learns, right_learns);
    printf("at the rate 1:     piled = %ld\n", piled_learns);
    printf("errors of piled:   least = %.3f  largest = %.3f\n",
           least, most);
    cli_finish(&cli);
    return 0;
}

/* Tangled from chapters/12-well.nw: edit there. Sum 1268525069. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o valley code/12-well/valley.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/optimizer.h"

#define KAPPA 100.0
#define FIRST (-4.0)
#define SECOND 1.0
enum { MOST = 5000 };
static const char *const rules[] = {
    [NN_DESCENT] = "descent", [NN_MOMENTUM] = "momentum",
    [NN_ADAM] = "adam"};
static const double rates[] = {
    0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.018, 0.019, 0.02,
    0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1};
static long walk(enum nn_method method, double rate, int shown)
{
    double p[2] = {FIRST, SECOND}, g[2];
    struct nn_optimizer o;
    long arrived = 0;
    if (nn_optimizer_create(&o, method, 2) != NN_OK)
        return -1;
    for (long step = 0; step < MOST; step++) {
        if (shown && step <= 70)
            printf("%ld %.4f %.4f %d\n", step, p[0], p[1],
                   method);
        if (!(hypot(p[0], p[1]) < 1e-3))
            arrived = step + 1;
        g[0] = p[0];
        g[1] = KAPPA * p[1];
        nn_optimizer_step(&o, p, g, rate);
    }
    nn_optimizer_destroy(&o);
    return arrived;
}
static void compare(int walks)
{
    double took[3];
    if (walks)
        puts("step first second rule");
    else
        printf("kappa = %g  first = %g  second = %g\n\n"
               "rule       rate   steps\n", KAPPA, FIRST, SECOND);
    for (int rule = NN_DESCENT; rule <= NN_ADAM; rule++) {
        enum nn_method method = (enum nn_method)rule;
        long least = MOST;
        double best = rates[0];
        size_t n = sizeof rates / sizeof *rates;
        for (size_t i = 0; i < n; i++) {
            long steps = walk(method, rates[i], 0);
            if (steps >= 0 && steps < least) {
                least = steps;
                best = rates[i];
            }
        }
        took[rule] = (double)least;
        if (walks)
            walk(method, best, 1);
        else
            printf("%-8s  %5g   %5ld\n", rules[rule], best,
                   least);
    }
    if (!walks)
        printf("\nfactor = %.1f\n",
               took[NN_DESCENT] / took[NN_MOMENTUM]);
}

int main(int argc, char **argv)
{
    int walks = 0;
    const struct cli_option options[] = {
        {"walks", "", "print the first steps of each rule",
         CLI_FLAG, &walks, 0, 0},
    };
    const struct cli cli = {"valley", "",
        "Walks down a narrow valley by three rules.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    compare(walks);
    cli_finish(&cli);
    return 0;
}

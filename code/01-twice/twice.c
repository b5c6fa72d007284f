/* Tangled from chapters/01-twice.nw: edit there. Sum 3097187498. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o twice code/01-twice/twice.c code/90-plumbing/[a-z]*.c -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"

enum { M = 5 };
static const double x[M] = {0, 1, 2, 3, 4};
static const double y[M] = {0, 2, 4, 6, 8};
static double cost(double w)
{
    double sum = 0;
    for (int s = 0; s < M; s++) {
        double off = w * x[s] - y[s];
        sum += 0.5 * off * off;
    }
    return sum / M;
}
static double slope(double w, double h)
{
    return (cost(w + h) - cost(w)) / h;
}
static double settle(double w, double rate, double h)
{
    for (long i = 0; i < 1000000; i++) {
        double next = w - rate * slope(w, h);
        if (fabs(next - w) < 1e-12)
            break;
        w = next;
    }
    return w;
}

int main(int argc, char **argv)
{
    double w = 0, rate = 0.1, h = 0.001;
    long steps = 40;
    int compare = 0, table = 0;
    const struct cli_option options[] = {
        {"start", "W", "the weight to start from",
         CLI_REAL, &w, -1e6, 1e6},
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1e6},
        {"step", "H", "the step h of the slope",
         CLI_REAL, &h, -1e3, 1e3},
        {"steps", "N", "how many steps to walk",
         CLI_WHOLE, &steps, 0, 1e9},
        {"compare", "", "walk with several h",
         CLI_FLAG, &compare, 0, 0},
        {"table", "", "print every step and nothing else",
         CLI_FLAG, &table, 0, 0},
    };
    const struct cli cli = {"twice", "",
        "Learns y = 2x from five examples, by finite differences.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (compare) {
        printf("%7s %12s %11s\n", "h", "settles at", "2 - h/2");
        for (h = 1; h > 0.5e-4; h /= 10)
            printf("%7.4f %12.6f %11.6f\n",
                   h, settle(w, rate, h), 2 - h / 2);
    } else {
        double first = cost(w);
        printf(" step %12s %14s\n", "w", "J");
        for (long i = 0; i <= steps; i++) {
            if (table || i <= 8 || i == 20 || i == steps)
                printf("%5ld %12.6f %14.7f\n", i, w, cost(w));
            if (!isfinite(cost(w)))
                cli_fail(&cli, "step %ld: the cost is no finite number", i);
            if (i < steps)
                w -= rate * slope(w, h);
        }
        if (!table) {
            printf("\nsteps = %ld\nw = %.7g\n", steps, w);
            printf("J at the start = %.4g\nJ at the end = %.4g\n", first,
                   cost(w));
        }
    }
    cli_finish(&cli);
    return 0;
}

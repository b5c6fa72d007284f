/* Tangled from chapters/03-descent.nw: edit there. Sum 3258261838. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o descent code/03-descent/descent.c code/90-plumbing/[a-z]*.c -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"

struct dual {
    double v, d; // a value, and its slope by x
};
static struct dual sum(struct dual f, struct dual g)
{
    return (struct dual){f.v + g.v, f.d + g.d};
}
static struct dual product(struct dual f, struct dual g)
{
    return (struct dual){f.v * g.v, f.d * g.v + f.v * g.d};
}
static struct dual power(struct dual f, int n)
{
    struct dual result = {1, 0};
    while (n-- > 0)
        result = product(result, f);
    return result;
}
static struct dual quotient(struct dual f, struct dual g)
{
    return (struct dual){f.v / g.v,
                         (f.d * g.v - f.v * g.d) / (g.v * g.v)};
}
static struct dual expression(int which, double at)
{
    struct dual x = {at, 1}, one = {1, 0};
    struct dual cube = power(x, 3), above = sum(x, one);
    switch (which) {
    case 0: return sum(cube, x);
    case 1: return product(cube, above);
    case 2: return power(above, 5);
    }
    return quotient(cube, above);
}
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
static double slope(double w)
{
    double sum = 0;
    for (int s = 0; s < M; s++)
        sum += (w * x[s] - y[s]) * x[s];
    return sum / M;
}
static long steps_to(double near, double rate)
{
    double w = 0;
    long n = 0;
    for (; fabs(w - 2) >= near; n++) {
        if (!isfinite(w))
            return -1;
        w -= rate * slope(w);
    }
    return n;
}
struct walk {
    long steps, passes;
    double w;
};

static struct walk walk(double rate, double h, int sides,
                        double more)
{
    struct walk at = {0, 0, 0};
    double before = 1;
    while (at.steps < 1000 && fabs(at.w - before) >= 1e-14) {
        before = at.w;
        double by = slope(before);
        if (sides == 1)
            by = ((more + cost(before + h)) -
                  (more + cost(before))) / h;
        if (sides == 2)
            by = ((more + cost(before + h)) -
                  (more + cost(before - h))) / (2 * h);
        at.w -= rate * by;
        at.passes += sides == 0 ? 1 : 2;
        at.steps++;
    }
    return at;
}

int main(int argc, char **argv)
{
    double w = 0, rate = 0.1, scale = 1;
    long steps = 8;
    int table = 0, rules = 0, rates = 0, race = 0;
    const struct cli_option options[] = {
        {"start", "W", "the weight to start from",
         CLI_REAL, &w, -1e6, 1e6},
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1e6},
        {"steps", "N", "how many steps to walk",
         CLI_WHOLE, &steps, 0, 1e9},
        {"scale", "C", "a factor on questions and answers",
         CLI_REAL, &scale, -1e6, 1e6},
        {"table", "", "print w and J and nothing else",
         CLI_FLAG, &table, 0, 0},
        {"rules", "", "try the rules of differentiation",
         CLI_FLAG, &rules, 0, 0},
        {"rates", "", "count the steps at several rates",
         CLI_FLAG, &rates, 0, 0},
        {"race", "", "walk with exact slopes and differences",
         CLI_FLAG, &race, 0, 0},
    };
    const struct cli cli = {"descent", "",
        "Learns y = 2x from five examples, by the exact slope.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (rules) {
        const char *text[] = {"x^3 + x", "x^3 (x + 1)", "(x + 1)^5",
                              "x^3 / (x + 1)"};
        double u = 1.5, h = 1e-5;
        printf("slope at 1.5 of    by rule   by difference\n");
        for (int i = 0; i < 4; i++)
            printf("%-15s %10.6f %15.6f\n", text[i],
                   expression(i, u).d, (expression(i, u + h).v -
                                   expression(i, u - h).v) / (2 * h));
    } else if (rates) {
        const double tried[] = {0.01, 0.02, 0.05, 0.1, 1.0 / 6, 0.25,
                                0.3, 0.33, 0.34};
        printf("%7s %12s %11s %9s\n", "rate", "1 - rate*6", "predicted",
               "counted");
        for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
            double factor = 1 - tried[i] * 6;
            printf("%7.4f %12.2f", tried[i], factor);
            if (fabs(factor) < 1)
                printf(" %11.0f %9ld\n",
                       fabs(factor) < 1e-9 ? 1 :
                       ceil(log(0.001 / 2) / log(fabs(factor))),
                       steps_to(0.001, tried[i]));
            else
                printf(" %11s %9s\n", "never",
                       steps_to(0.001, tried[i]) < 0 ? "never" : "?");
        }
    } else if (race) {
        const struct {
            const char *name;
            double h;
            int sides;
        } way[] = {{"exact", 0, 0}, {"forward, h = 1e-3", 1e-3, 1},
                   {"forward, h = 1e-8", 1e-8, 1},
                   {"forward, h = 1e-12", 1e-12, 1},
                   {"central, h = 1e-5", 1e-5, 2}};
        printf("                             on J                 "
               "on J + 1\n"
               "slope               steps passes |w - 2|   "
               "steps passes |w - 2|\n");
        for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
            printf("%-18s", way[i].name);
            for (int more = 0; more <= 1; more++) {
                struct walk end = walk(rate, way[i].h, way[i].sides,
                                       more);
                if (!isfinite(end.w))
                    cli_fail(&cli, "%s: the walk flew off at the rate %g",
                             way[i].name, rate);
                printf("  %5ld %6ld  %.0e", end.steps, end.passes,
                       fabs(end.w - 2));
            }
            printf("\n");
        }
    } else {
        double stretch = scale * scale, before = 0;
        if (table)
            printf("w J\n");
        else
            printf(" step   w              J            part left\n");
        for (long i = 0; i <= steps; i++) {
            if (table)
                printf("%.9g %.9g\n", w, stretch * cost(w));
            else if (i == 0)
                printf("%5ld   %-14.7g %.3e\n", i, w, stretch * cost(w));
            else if (before == 0)
                printf("%5ld   %-14.7g %.3e    -\n", i, w,
                       stretch * cost(w));
            else
                printf("%5ld   %-14.7g %.3e    %.4g\n", i, w,
                       stretch * cost(w), (w - 2) / before);
            if (!isfinite(stretch * cost(w)))
                cli_fail(&cli,
                         "step %ld: the cost is no finite number", i);
            before = w - 2;
            w -= rate * stretch * slope(w);
        }
        if (!table)
            printf("\nfactor = %.4g\n", 1 - rate * stretch * 6);
    }
    cli_finish(&cli);
    return 0;
}

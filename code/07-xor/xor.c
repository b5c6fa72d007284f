/* Tangled from chapters/07-xor.nw: edit there. Sum 1625120971. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o xor code/07-xor/xor.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/rng.h"

static long calls;

static double E(double z)
{
    calls++;
    return exp(z);
}

static double sigmoid(double z)
{
    double e = E(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}
static double sigmoid_slope(double a)
{
    return a * (1 - a);
}
struct net {
    double w11, w12, b1; // first hidden neuron
    double w21, w22, b2; // second
    double v1, v2, c;    // the output
};
static double closed_form(const struct net *p, double x1,
                          double x2, double y)
{
    return (1 / (1 + E(-p->v1 / (1 + E(-(p->w11 * x1 + p->w12 * x2
        + p->b1))) - p->v2 / (1 + E(-(p->w21 * x1 + p->w22 * x2 +
        p->b2))) - p->c)) - y) * E(-p->v1 / (1 + E(-(p->w11 * x1 +
        p->w12 * x2 + p->b1))) - p->v2 / (1 + E(-(p->w21 * x1 +
        p->w22 * x2 + p->b2))) - p->c) / ((1 + E(-p->v1 / (1 +
        E(-(p->w11 * x1 + p->w12 * x2 + p->b1))) - p->v2 / (1 +
        E(-(p->w21 * x1 + p->w22 * x2 + p->b2))) - p->c)) * (1 +
        E(-p->v1 / (1 + E(-(p->w11 * x1 + p->w12 * x2 + p->b1))) -
        p->v2 / (1 + E(-(p->w21 * x1 + p->w22 * x2 + p->b2))) -
        p->c))) * p->v1 * E(-(p->w11 * x1 + p->w12 * x2 + p->b1))
        / ((1 + E(-(p->w11 * x1 + p->w12 * x2 + p->b1))) * (1 +
        E(-(p->w11 * x1 + p->w12 * x2 + p->b1)))) * x1;
}
static double one_example(const struct net *p, double x1,
                          double x2, double y, struct net *g)
{
    double z1 = p->w11 * x1 + p->w12 * x2 + p->b1;
    double z2 = p->w21 * x1 + p->w22 * x2 + p->b2;
    double a1 = sigmoid(z1), a2 = sigmoid(z2);
    double z = p->v1 * a1 + p->v2 * a2 + p->c;
    double a = sigmoid(z);
    double da = a - y;
    double dz = da * sigmoid_slope(a);
    g->v1 += dz * a1;
    g->v2 += dz * a2;
    g->c += dz;
    double dz1 = dz * p->v1 * sigmoid_slope(a1);
    double dz2 = dz * p->v2 * sigmoid_slope(a2);
    g->w11 += dz1 * x1;
    g->w12 += dz1 * x2;
    g->b1 += dz1;
    g->w21 += dz2 * x1;
    g->w22 += dz2 * x2;
    g->b2 += dz2;
    return 0.5 * (a - y) * (a - y);
}
static double gradient(const struct net *p, struct net *g)
{
    double sum = 0, *slope = (double *)g;
    *g = (struct net){0};
    for (int s = 0; s < 4; s++)
        sum += one_example(p, s >> 1, s & 1,
                           (s >> 1) ^ (s & 1), g);
    for (int i = 0; i < 9; i++)
        slope[i] /= 4;
    return sum / 4;
}
_Static_assert(sizeof(struct net) == 9 * sizeof(double),
               "nine doubles in a row");

static void step(struct net *p, const struct net *g, double rate)
{
    double *to = (double *)p;
    const double *by = (const double *)g;
    for (int i = 0; i < 9; i++)
        to[i] -= rate * by[i];
}
static struct net start(long seed, double range)
{
    struct net p = {0};
    struct nn_rng rng = nn_rng_seeded((uint64_t)seed);
    for (int i = 0; i < 9; i++)
        ((double *)&p)[i] = nn_rng_uniform(&rng, -range, range);
    return p;
}
static double answer(const struct net *p, double x1, double x2)
{
    double z1 = p->w11 * x1 + p->w12 * x2 + p->b1;
    double z2 = p->w21 * x1 + p->w22 * x2 + p->b2;
    double a1 = sigmoid(z1), a2 = sigmoid(z2);
    double z = p->v1 * a1 + p->v2 * a2 + p->c;
    double a = sigmoid(z);
    return a;
}

static int solved(const struct net *p)
{
    for (int s = 0; s < 4; s++)
        if (!(fabs(answer(p, s >> 1, s & 1) -
                   ((s >> 1) ^ (s & 1))) < 0.1))
            return 0;
    return 1;
}
static long walk(struct net *p, double rate, long steps)
{
    struct net g;
    for (long i = 0;; i++) {
        if (solved(p))
            return i;
        if (i == steps)
            return -1;
        gradient(p, &g);
        step(p, &g, rate);
    }
}

int main(int argc, char **argv)
{
    long seed = 1, seeds = 0, steps = 20000;
    double rate = 4;
    int learn = 0, stuck = 0, region = 0;
    const struct cli_option options[] = {
        {"learn", "", "walk from one start until XOR is solved",
         CLI_FLAG, &learn, 0, 0},
        {"seeds", "N", "walk from the seeds 1 to N",
         CLI_WHOLE, &seeds, 1, 1e9},
        {"stuck", "", "walk all steps, and look at the end",
         CLI_FLAG, &stuck, 0, 0},
        {"region", "", "print the answers over a square",
         CLI_FLAG, &region, 0, 0},
        {"seed", "N", "of the random start",
         CLI_WHOLE, &seed, 0, 1e15},
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1e6},
        {"steps", "N", "steps of descent at most",
         CLI_WHOLE, &steps, 1, 1e9},
    };
    const struct cli cli = {"xor", "",
        "A net of nine numbers learns XOR, its slopes by hand.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (learn) {
        struct net net = start(seed, 1), g;
        printf("  step     a00    a01    a10    a11       J\n");
        for (long i = 0, next = 1; i <= steps; i++) {
            double cost = gradient(&net, &g);
            int done = solved(&net);
            if (i == next || i == 0 || done) {
                printf("%7ld ", i);
                for (int s = 0; s < 4; s++)
                    printf(" %.3f ", answer(&net, s >> 1, s & 1));
                printf("  %.5f\n", cost);
                next = i == 0 ? 1 : 10 * i;
            }
            if (done)
                break;
            step(&net, &g, rate);
        }
    } else if (seeds > 0) {
        long right = 0, total = 0;
        for (long s = 1; s <= seeds; s++) {
            struct net net = start(s, 1);
            long n = walk(&net, rate, steps);
            cli_progress("seeds", (size_t)s, (size_t)seeds);
            right += n >= 0;
            total += n >= 0 ? n : 0;
        }
        double n = (double)seeds, q = (double)right / n, t = 1.96;
        double middle = q + t * t / (2 * n);
        double half = t * sqrt(q * (1 - q) / n + t * t / (4 * n * n));
        printf("solved = %ld of %ld\n", right, seeds);
        printf("95%% interval: %.3f to %.3f\n",
               (middle - half) / (1 + t * t / n),
               (middle + half) / (1 + t * t / n));
        printf("mean of the steps needed = %ld\n",
               right ? total / right : 0);
    } else if (stuck) {
        struct net net = start(seed, 1), g;
        printf("  steps        J  slope  largest number\n");
        for (long i = 0, next = 100; i <= steps; i++) {
            double cost = gradient(&net, &g), slope = 0, number = 0;
            for (int k = 0; k < 9; k++) {
                slope = fmax(slope, fabs(((double *)&g)[k]));
                number = fmax(number, fabs(((double *)&net)[k]));
            }
            if (i == next) {
                printf("%7ld  %.5f  %.0e  %14.1f\n", i, cost, slope,
                       number);
                next *= 10;
            }
            step(&net, &g, rate);
        }
        printf("\nx1 x2  target  answer  hidden 1  hidden 2\n");
        const struct net *p = &net;
        for (int s = 0; s < 4; s++) {
            double x1 = s >> 1, x2 = s & 1;
            double z1 = p->w11 * x1 + p->w12 * x2 + p->b1;
            double z2 = p->w21 * x1 + p->w22 * x2 + p->b2;
            double a1 = sigmoid(z1), a2 = sigmoid(z2);
            double z = p->v1 * a1 + p->v2 * a2 + p->c;
            double a = sigmoid(z);
            printf(" %g  %g     %d     %.3f    %.3f     %.3f\n", x1, x2,
                   (s >> 1) ^ (s & 1), a, a1, a2);
        }
    } else if (region) {
        struct net net = start(seed, 1);
        walk(&net, rate, steps);
        printf("x1 x2 a\n");
        for (int i = -4; i <= 28; i++)
            for (int j = -4; j <= 28; j++)
                printf("%.4f %.4f %.2f\n", i / 24.0, j / 24.0,
                       answer(&net, i / 24.0, j / 24.0));
    } else {
        const struct net net = {0.5, -0.3, 0.1, 0.2, 0.4, -0.2,
                                0.6, -0.5, 0.2};
        struct net g = {0};
        calls = 0;
        double closed = closed_form(&net, 1, 0.5, 0);
        long calls_closed = calls;
        calls = 0;
        one_example(&net, 1, 0.5, 0, &g);
        printf("slope by w11                value  exponentials\n");
        printf("in closed form  %.15f  %2ld\n", closed, calls_closed);
        printf("by stages       %.15f  %2ld, for all nine\n", g.w11,
               calls);
    }
    cli_finish(&cli);
    return 0;
}

/* Tangled from chapters/04-gates.nw: edit there. Sum 3495910109. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o gates code/04-gates/gates.c code/90-plumbing/[a-z]*.c -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"

struct neuron {
    double w1, w2, b;
};

static double answer(struct neuron p, const double x[2])
{
    return p.w1 * x[0] + p.w2 * x[1] + p.b;
}
enum { M = 4 };
static const double x[M][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const struct gate {
    const char *name;
    double y[M];
} gates[] = {{"OR", {0, 1, 1, 1}},
             {"AND", {0, 0, 0, 1}},
             {"NAND", {1, 1, 1, 0}},
             {"XOR", {0, 1, 1, 0}}};
static double cost(struct neuron p, const double y[M])
{
    double sum = 0;
    for (int s = 0; s < M; s++) {
        double off = answer(p, x[s]) - y[s];
        sum += 0.5 * off * off;
    }
    return sum / M;
}
static struct neuron gradient(struct neuron p, const double y[M])
{
    struct neuron g = {0, 0, 0};
    for (int s = 0; s < M; s++) {
        double off = (answer(p, x[s]) - y[s]) / M;
        g.w1 += off * x[s][0];
        g.w2 += off * x[s][1];
        g.b += off;
    }
    return g;
}
static struct neuron step(struct neuron p, struct neuron g,
                          double rate)
{
    return (struct neuron){p.w1 - rate * g.w1,
                           p.w2 - rate * g.w2,
                           p.b - rate * g.b};
}
static int all_right(struct neuron p, const double y[M])
{
    for (int s = 0; s < M; s++)
        if ((answer(p, x[s]) > 0.5) != (y[s] > 0.5))
            return 0;
    return 1;
}
static struct neuron learn(const double y[M], double rate,
                           long steps, long *right_at)
{
    struct neuron p = {0, 0, 0};
    *right_at = -1;
    for (long i = 0;; i++) {
        if (*right_at < 0 && all_right(p, y))
            *right_at = i;

        struct neuron g = gradient(p, y);
        double size = fabs(g.w1) + fabs(g.w2) + fabs(g.b);
        if (i == steps || !(size > 1e-9))
            break;
        p = step(p, g, rate);
    }
    return p;
}
static double tidy(double v)
{
    return round(v * 1e4) / 1e4 + 0.0; // -0 + 0 is 0
}

int main(int argc, char **argv)
{
    double rate = 1;
    long steps = 1000;
    int compass = 0, xor = 0, all = 0, lines = 0;
    const struct cli_option options[] = {
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1e6},
        {"steps", "N", "steps of descent at most",
         CLI_WHOLE, &steps, 1, 1e9},
        {"compass", "", "slopes in eight directions",
         CLI_FLAG, &compass, 0, 0},
        {"xor", "", "fail at XOR",
         CLI_FLAG, &xor, 0, 0},
        {"all", "", "try all 16 gates of two inputs",
         CLI_FLAG, &all, 0, 0},
        {"lines", "", "print where the decision lines run",
         CLI_FLAG, &lines, 0, 0},
    };
    const struct cli cli = {"gates", "",
        "Lets one neuron learn OR, AND and NAND.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (compass) {
        const double *y = gates[0].y, h = 1e-5;
        struct neuron zero = {0, 0, 0}, g = gradient(zero, y);
        printf("%7s %10s %12s\n", "degrees", "u.g", "by a step");
        for (int degrees = 0; degrees < 360; degrees += 45) {
            double angle = degrees * acos(-1) / 180;
            struct neuron u = {cos(angle), sin(angle), 0};
            double by_step = (cost(step(zero, u, -h), y) -
                              cost(step(zero, u, h), y)) / (2 * h);
            printf("%7d %10.4f %12.4f\n", degrees,
                   tidy(u.w1 * g.w1 + u.w2 * g.w2), tidy(by_step));
        }
    } else if (xor) {
        const double *y = gates[3].y;
        struct neuron p = {0, 0, 0};
        printf("%5s %8s %6s %6s %6s %10s\n", "step", "a00", "a01",
               "a10", "a11", "J");
        const int i = 3;
        for (long n = 0; n <= 1000; n++) {
            if (!(cost(p, gates[i].y) <= 0.5))
                cli_fail(&cli, "%s: the walk flew off at the rate %g",
                         gates[i].name, rate);
            if (n < 4 || n == 10 || n == 100 || n == 1000) {
                printf("%5ld  ", n);
                for (int s = 0; s < M; s++)
                    printf(" %.4f", answer(p, x[s]));
                printf("   %.6f\n", cost(p, y));
            }
            p = step(p, gradient(p, y), rate);
        }
        printf("\nJ at the end = %.6f\n", cost(p, y));
    } else if (all) {
        int learned = 0;
        printf("00 01 10 11%30s\n", "00 01 10 11");
        for (int gate = 0; gate < 16; gate++) {
            double y[M];
            long right_at;
            for (int s = 0; s < M; s++)
                y[s] = gate >> (M - 1 - s) & 1;
            struct neuron p = learn(y, rate, steps, &right_at);
            if (!(cost(p, y) <= 0.5))
                cli_fail(&cli, "the walk flew off at the rate %g", rate);
            int right = all_right(p, y);
            printf(" %g  %g  %g  %g   ", y[0], y[1], y[2], y[3]);
            printf(gate % 2 ? "%s\n" : "%-16s",
                   right ? "learned" : "not learned");
            learned += right;
        }
        printf("\nlearned = %d of 16\n", learned);
    } else if (lines) {
        printf("x1 OR AND NAND\n");
        for (int at = -1; at <= 5; at++) {
            double x1 = 0.3 * at;
            printf("%.2f", x1);
            for (int i = 0; i < 3; i++) {
                long right_at;
                struct neuron p = learn(gates[i].y, rate, steps,
                                        &right_at);
                if (!(cost(p, gates[i].y) <= 0.5))
                    cli_fail(&cli, "%s: the walk flew off at the rate %g",
                             gates[i].name, rate);
                printf(" %.4f", (0.5 - p.b - p.w1 * x1) / p.w2);
            }
            printf("\n");
        }
    } else {
        printf("gate      w1      w2       b     a00     a01     a10"
               "     a11 steps\n");
        for (int i = 0; i < 3; i++) {
            long right_at;
            struct neuron p = learn(gates[i].y, rate, steps, &right_at);
            if (!(cost(p, gates[i].y) <= 0.5))
                cli_fail(&cli, "%s: the walk flew off at the rate %g",
                         gates[i].name, rate);
            printf("%-4s %7.3f %7.3f %7.3f", gates[i].name, p.w1, p.w2,
                   p.b);

            for (int s = 0; s < M; s++)
                printf(" %7.3f", tidy(answer(p, x[s])));
            if (right_at < 0)
                printf(" never\n");
            else
                printf(" %5ld\n", right_at);
        }
    }
    cli_finish(&cli);
    return 0;
}

/* Tangled from chapters/06-layer.nw: edit there. Sum 787733687. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o layer code/06-layer/layer.c code/90-plumbing/[a-z]*.c -lm */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "90-plumbing/cli.h"

static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}
static double relu(double z)
{
    return z > 0 ? z : 0;
}
static double sigmoid_slope(double a)
{
    return a * (1 - a);
}

static double tanh_slope(double a)
{
    return 1 - a * a;
}
static double relu_slope(double a)
{
    return a > 0;
}
static const struct bend {
    const char *name;
    double (*of)(double z);    // a = sigma(z)
    double (*slope)(double a); // sigma'(z), written in a
} bends[] = {{"sigmoid", sigmoid, sigmoid_slope},
             {"tanh", tanh, tanh_slope},
             {"relu", relu, relu_slope}};
enum { N = 3 };
struct layer {
    double w[N], b[N];                 // what is learned
    double z[N], a[N];                 // values, forward
    double da[N], dz[N], dw[N], db[N]; // slopes of J, backward
};
static double cost(const struct layer *t, const double y[N])
{
    double sum = 0;
    for (int j = 0; j < N; j++)
        sum += (t->a[j] - y[j]) * (t->a[j] - y[j]);
    return sum / (2 * N);
}
static void forward(struct layer *t, const struct bend *sigma,
                    double x)
{
    for (int j = 0; j < N; j++) {
        t->z[j] = t->w[j] * x + t->b[j];
        t->a[j] = sigma->of(t->z[j]);
    }
}
static void backward(struct layer *t, const struct bend *sigma,
                     double x, const double y[N])
{
    for (int j = 0; j < N; j++) {
        t->da[j] = (t->a[j] - y[j]) / N;
        t->dz[j] = t->da[j] * sigma->slope(t->a[j]);
        t->dw[j] = t->dz[j] * x;
        t->db[j] = t->dz[j];
    }
}
static void backward_dropped(struct layer *t,
                             const struct bend *sigma,
                             double x, const double y[N])
{
    for (int j = 0; j < N; j++) {
        t->da[j] = t->a[j] - y[j];
        t->dz[j] = t->da[j] * sigma->slope(t->a[j]);
        t->dw[j] = t->dz[j] * x;
        t->db[j] = t->dz[j];
    }
}
static void step(struct layer *t, double rate)
{
    for (int j = 0; j < N; j++) {
        t->w[j] -= rate * t->dw[j];
        t->b[j] -= rate * t->db[j];
    }
}
static double difference(struct layer t,
                         const struct bend *sigma, double x,
                         const double y[N], int p)
{
    double *moved = p < N ? &t.w[p] : &t.b[p - N];
    double h = 1e-5, old = *moved;
    *moved = old + h;
    forward(&t, sigma, x);
    double up = cost(&t, y);
    *moved = old - h;
    forward(&t, sigma, x);
    return (up - cost(&t, y)) / (2 * h);
}
static void print_row(const char *name, const double v[N],
                      const char *suffix)
{
    int given = strchr("wby", *name) && !*suffix;
    for (int j = 0; j < N; j++)
        printf(given ? "  %s%d%s = %-8g" : "  %s%d%s = %9.6f",
               name, j + 1, suffix, v[j] + 0.0);
    printf("\n");
}

int main(int argc, char **argv)
{
    double x = 2, rate = 1;
    long steps = 1000;
    int check = 0, same = 0, many = 0, drop = 0, brief = 0;
    const char *name = "sigmoid";
    const struct cli_option options[] = {
        {"sigma", "NAME", "sigmoid, tanh or relu [sigmoid]",
         CLI_TEXT, &name, 0, 0},
        {"x", "X", "the input",
         CLI_REAL, &x, -1e6, 1e6},
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1e6},
        {"brief", "", "print fewer rows",
         CLI_FLAG, &brief, 0, 0},
        {"walk", "", "make many steps",
         CLI_FLAG, &many, 0, 0},
        {"steps", "N", "how many",
         CLI_WHOLE, &steps, 1, 1e9},
        {"drop", "", "drop 1/n from the slopes",
         CLI_FLAG, &drop, 0, 0},
        {"check", "", "compare the slopes with differences",
         CLI_FLAG, &check, 0, 0},
        {"same", "", "compare dropping 1/n with a larger rate",
         CLI_FLAG, &same, 0, 0},
    };
    const struct cli cli = {"layer", "",
        "Three neurons, one input: every value and every slope.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    const struct bend *sigma = bends;
    while (sigma < bends + 3 && strcmp(sigma->name, name) != 0)
        sigma++;
    if (sigma == bends + 3)
        cli_misuse(&cli, "sigma", name, "no activation function");
    struct layer t = {{0.4, -0.3, 0.5}, {0.1, 0.2, -0.5}, {0}, {0},
                      {0}, {0}, {0}, {0}};
    const double y[N] = {1, 1, 0};
    void (*slopes)(struct layer *, const struct bend *, double,
                   const double *) = drop ? backward_dropped
                                          : backward;
    if (check) {
        printf("           |slope - difference|   dropped/difference\n");
        for (int i = 0; i < 3; i++) {
            struct layer right = t, dropped = t;
            double worst = 0, low = 1e9, high = 0;
            forward(&right, &bends[i], x);
            forward(&dropped, &bends[i], x);
            backward(&right, &bends[i], x, y);
            backward_dropped(&dropped, &bends[i], x, y);
            for (int p = 0; p < 2 * N; p++) {
                double want = difference(t, &bends[i], x, y, p);
                double d = p < N ? right.dw[p] : right.db[p - N];
                double e = p < N ? dropped.dw[p] : dropped.db[p - N];
                worst = fmax(worst, fabs(d - want));
                if (want != 0) {
                    low = fmin(low, e / want);
                    high = fmax(high, e / want);
                }
            }
            printf("%-8s    %s         ", bends[i].name,
                   worst < 1e-9 ? "below 1e-9" : "too large ");
            printf(low <= high ? "%.5f to %.5f\n" : "all zero\n", low,
                   high);
        }
    } else if (same) {
        struct layer u = t;
        double apart = 0;
        for (long i = 0; i < steps; i++) {
            forward(&t, sigma, x);
            backward(&t, sigma, x, y);
            step(&t, rate * N);
            forward(&u, sigma, x);
            backward_dropped(&u, sigma, x, y);
            step(&u, rate);
            for (int j = 0; j < N; j++)
                apart = fmax(apart, fmax(fabs(t.w[j] - u.w[j]),
                                         fabs(t.b[j] - u.b[j])));
        }
        printf("rates %g and %g, %ld steps\n", rate, rate * N, steps);
        printf("apart by %s\n", apart <= 1e-12 ? "less than 1e-12"
                                               : "more than 1e-12");
    } else if (many) {
        const long first = steps < 10 ? steps : 2;
        printf(" step %9s %9s %9s %10s\n", "a1", "a2", "a3", "J");
        for (long i = 0; i <= steps; i++) {
            forward(&t, sigma, x);
            if (i < first || i == 10 || i == 100 || i == 1000 ||
                i == steps)
                printf("%5ld %9.4f %9.4f %9.4f %10.2e\n", i, t.a[0],
                       t.a[1], t.a[2], cost(&t, y));
            if (!isfinite(cost(&t, y)))
                cli_fail(&cli,
                         "step %ld: the cost is no finite number", i);
            slopes(&t, sigma, x, y);
            step(&t, rate);
        }
    } else {
        printf("x = %g  rate = %g  sigma: %s\n", x, rate, sigma->name);
        if (!brief) {
            print_row("w", t.w, "");
            print_row("b", t.b, "");
            print_row("y", y, "");
            printf("forward\n");
        }
        forward(&t, sigma, x);
        print_row("z", t.z, "");
        print_row("a", t.a, "");
        printf("J = %.6f\n", cost(&t, y));
        if (!brief)
            printf("backward\n");
        slopes(&t, sigma, x, y);
        print_row("da", t.da, "");
        print_row("dz", t.dz, "");
        if (!brief) {
            print_row("dw", t.dw, "");
            print_row("db", t.db, "");
            printf("after the step\n");
        }
        double before = cost(&t, y), promised = 0;
        for (int j = 0; j < N; j++)
            promised += t.dw[j] * t.dw[j] + t.db[j] * t.db[j];
        step(&t, rate);
        print_row("w", t.w, "_new");
        print_row("b", t.b, "_new");
        forward(&t, sigma, x);
        if (!brief) {
            print_row("z", t.z, "_new");
            print_row("a", t.a, "_new");
        }
        printf("J_new = %.6f\n", cost(&t, y));
        printf("promised = %.6f  fell = %.6f\n", rate * promised,
               before - cost(&t, y));
    }
    cli_finish(&cli);
    return 0;
}

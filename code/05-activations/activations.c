/* Tangled from chapters/05-activations.nw: edit there. Sum 644962760. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o activations code/05-activations/activations.c code/90-plumbing/[a-z]*.c -lm */
#include <math.h>
#include <stdio.h>

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
static double naive(int which, double z)
{
    switch (which) {
    case 0:
        return 1 / (1 + exp(-z));
    case 1:
        return exp(z) / (1 + exp(z));
    case 2:
        return exp(-z) / ((1 + exp(-z)) * (1 + exp(-z)));
    }
    return (exp(z) - exp(-z)) / (exp(z) + exp(-z));
}
static double cost(double w, double b, double x, double y)
{
    double off = sigmoid(w * x + b) - y;
    return 0.5 * off * off;
}

int main(int argc, char **argv)
{
    double x = 2, w = 0.5, b = -0.4, y = 1;
    int check = 0, curves = 0, as_typed = 0;
    const struct cli_option options[] = {
        {"x", "X", "the input",
         CLI_REAL, &x, -1e6, 1e6},
        {"w", "W", "the weight",
         CLI_REAL, &w, -1e6, 1e6},
        {"b", "B", "the bias",
         CLI_REAL, &b, -1e6, 1e6},
        {"y", "Y", "the target",
         CLI_REAL, &y, -1e6, 1e6},
        {"check", "", "slopes of sigmoid and tanh, and differences",
         CLI_FLAG, &check, 0, 0},
        {"curves", "", "print three curves and their slopes",
         CLI_FLAG, &curves, 0, 0},
        {"naive", "", "formulas that fail far from zero",
         CLI_FLAG, &as_typed, 0, 0},
    };
    const struct cli cli = {"activations", "",
        "Values forward and slopes backward through one neuron.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (check) {
        const double at[] = {-5, -1, 0, 1, 5};
        printf("   z   sigmoid'  difference     tanh'  difference\n");
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            double z = at[i], h = 1e-5;
            printf("%4g   %.6f    %.6f  %.6f    %.6f\n", z,
                   sigmoid_slope(sigmoid(z)),
                   (sigmoid(z + h) - sigmoid(z - h)) / (2 * h),
                   tanh_slope(tanh(z)),
                   (tanh(z + h) - tanh(z - h)) / (2 * h));
        }
    } else if (curves) {
        printf("z sigmoid slope1 tanh slope2 relu slope3\n");
        for (int i = -60; i <= 60; i++) {
            double z = i / 10.0;
            printf("%.1f %.5f %.5f %.5f %.5f %.5f %.5f\n", z, sigmoid(z),
                   sigmoid_slope(sigmoid(z)), tanh(z),
                   tanh_slope(tanh(z)), relu(z), relu_slope(relu(z)));
        }
    } else if (as_typed) {
        const double at[] = {-1000, -400, 0, 400, 1000};
        printf("%24s %31s\n%12s %8s\n%5s %8s %8s %8s %8s %9s %8s %5s\n",
               "as typed", "with care", "1/", "e^z/", "z", "(1+e^-z)",
               "(1+e^z)", "slope", "tanh", "sigmoid", "slope", "tanh");
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            double z = at[i], a = sigmoid(z);
            printf("%5g", z);
            for (int which = 0; which < 4; which++)
                {
                    double v = naive(which, z);
                    printf(" %8.2g", isnan(v) ? (double)NAN : v);
                }
            printf(" %9.2g %8.2g %5g\n", a, sigmoid_slope(a), tanh(z));
        }
    } else {
        double p = w * x;
        double z = p + b;
        double a = sigmoid(z);
        double r = a - y;
        double J = 0.5 * r * r;
        double dr = r;                     // J = r*r/2 has the slope r
        double da = dr * 1;                // r = a - y
        double dz = da * sigmoid_slope(a); // a = sigma(z)
        double dp = dz * 1;                // z = p + b
        double db = dz * 1;
        double dw = dp * x;                // p = w*x
        double dx = dp * w;
        printf("x = %g  w = %g  b = %g  y = %g\n\n", x, w, b, y);
        printf("forward          backward\n");
        printf("p = %9.6f    dp = %.6f\n", p, dp);
        printf("z = %9.6f    dz = %.6f\n", z, dz);
        printf("a = %9.6f    da = %.6f\n", a, da);
        printf("r = %9.6f    dr = %.6f\n", r, dr);
        printf("J = %9.6f    dJ = 1\n", J);
        printf("\nby      slope of J     by a difference\n");
        double h = 1e-5;
        printf("w      dw = %.6f     %.6f\n", dw,
               (cost(w + h, b, x, y) - cost(w - h, b, x, y)) / (2 * h));
        printf("b      db = %.6f     %.6f\n", db,
               (cost(w, b + h, x, y) - cost(w, b - h, x, y)) / (2 * h));
        printf("x      dx = %.6f     %.6f\n", dx,
               (cost(w, b, x + h, y) - cost(w, b, x - h, y)) / (2 * h));
    }
    cli_finish(&cli);
    return 0;
}

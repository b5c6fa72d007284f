/* Tangled from chapters/02-limit.nw: edit there. Sum 3597014088. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o limit code/02-limit/limit.c code/90-plumbing/[a-z]*.c -lm */
#include <complex.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"

static double square(double x)
{
    return x * x;
}
static double forward(double f(double), double x, double h)
{
    return (f(x + h) - f(x)) / h;
}
static double central(double f(double), double x, double h)
{
    return (f(x + h) - f(x - h)) / (2 * h);
}
static double forward_double(double x, double h)
{
    return forward(exp, x, h);
}

static double central_double(double x, double h)
{
    return central(exp, x, h);
}
static double forward_float(double x, double h)
{
    float u = (float)x, v = (float)h;
    return (double)((expf(u + v) - expf(u)) / v);
}

static double central_float(double x, double h)
{
    float u = (float)x, v = (float)h;
    return (double)((expf(u + v) - expf(u - v)) / (2 * v));
}
static double complex_double(double x, double h)
{
    double complex i = (double complex)I;
    return cimag(cexp(x + h * i)) / h;
}

static double complex_float(double x, double h)
{
    float u = (float)x, v = (float)h;
    float complex i = I;
    return (double)(cimagf(cexpf(u + v * i)) / v);
}
typedef double method(double x, double h);

static double worst(method *estimate, double h)
{
    double most = 0;
    for (int p = 0; p < 128; p++) {
        double x = 1 + p / 128.0;
        double off = fabs(estimate(x, h) / exp(x) - 1);
        if (isnan(off))
            return off;
        most = fmax(most, off);
    }
    return most;
}
static void print_best(const char *name, method *estimate,
                       double e, int order)
{
    double h = order == 1 ? sqrt(3 * e) : cbrt(3 * e);
    double error = order == 1 ? h : cbrt(9 * e * e) / 2;
    double best = 1, least = worst(estimate, 1);
    for (int i = 1; i <= 80; i++) {
        double t = pow(10, -i / 4.0), off = worst(estimate, t);
        if (off < least) {
            least = off;
            best = t;
        }
    }
    printf("%-16s %.1e  %.1e    %.1e  %.1e\n", name, h, error,
           best, least);
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
static double without_sign(double q)
{
    return isnan(q) ? (double)NAN : q;
}
static void print_quotients(double h)
{
    printf("%5.0e  %14.9f  %14.9f\n", h,
           without_sign(forward(square, 3, h)),
           without_sign(forward(cost, 1, h)));
}

int main(int argc, char **argv)
{
    double step = -1;
    int best = 0, sweep = 0, secants = 0, single = 0;
    const struct cli_option options[] = {
        {"step", "H", "this step only, and not all",
         CLI_REAL, &step, 0, 1e6},
        {"best", "", "the best steps, predicted and measured",
         CLI_FLAG, &best, 0, 0},
        {"sweep", "", "print the error for every step",
         CLI_FLAG, &sweep, 0, 0},
        {"float", "", "sweep in float, not in double",
         CLI_FLAG, &single, 0, 0},
        {"secants", "", "print secants of a parabola",
         CLI_FLAG, &secants, 0, 0},
    };
    const struct cli cli = {"limit", "",
        "Lets the step h of a difference quotient shrink.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (best) {
        double e = DBL_EPSILON, ef = (double)FLT_EPSILON;
        printf("%-16s %-16s    %s\n%-16s %7s  %7s    %7s  %7s\n", "",
               "predicted", "measured", "", "step", "error", "step",
               "error");
        print_best("double, forward", forward_double, e, 1);
        print_best("double, central", central_double, e, 2);
        print_best("float, forward", forward_float, ef, 1);
        print_best("float, central", central_float, ef, 2);
        printf("\ncomplex, double, h = 1e-20: error = %.1e\n",
               worst(complex_double, 1e-20));
    } else if (sweep) {
        method *const in_double[] = {
            forward_double, central_double, complex_double};
        method *const in_float[] = {
            forward_float, central_float, complex_float};
        method *const *way = single ? in_float : in_double;
        double eps = single ? (double)FLT_EPSILON : DBL_EPSILON;
        printf("h forward central complex bound1 bound2\n");
        for (int i = 0; i <= 80; i++) {
            double h = pow(10, -i / 4.0);
            printf("%.3e %.1e %.1e %.1e %.1e %.1e\n", h,
                   worst(way[0], h), worst(way[1], h), worst(way[2], h),
                   h / 2 + 1.5 * eps / h, h * h / 6 + eps / h);
        }
    } else if (secants) {
        printf("x parabola wide middle near tangent\n");
        for (double u = -0.5; u < 3.3; u += 0.125) {
            printf("%.3f %.6f", u, square(u));
            for (double h = 2; h > 0.4; h /= 2)
                printf(" %.6f", 1 + (u - 1) * forward(square, 1, h));
            printf(" %.6f\n", 1 + (u - 1) * central(square, 1, 1));
        }
    } else {
        printf("    h    x*x at x = 3      J at w = 1\n");
        if (step >= 0)
            print_quotients(step);
        else
            for (int i = 0; i <= 20; i++)
                print_quotients(pow(10, -i));
    }
    cli_finish(&cli);
    return 0;
}

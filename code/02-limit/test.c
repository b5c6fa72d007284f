/* Tangled from chapters/02-limit.nw: edit there. Sum 4163861776. */
#include <criterion/criterion.h>

#define main limit_main
#include "02-limit/limit.c"
#undef main

TestSuite(limit, .timeout = 20);

Test(limit, quotients_are_what_the_algebra_says)
{
    for (double h = 1; h > 1e-6; h /= 2)
        for (double u = -4; u <= 4; u++) {
            double rest = forward(square, u, h) - (2 * u + h);
            double off = forward(cost, u, h);
            cr_assert(fabs(rest) < 1e-8);
            cr_assert(fabs(off - (6 * (u - 2) + 3 * h)) < 1e-8);
        }
    cr_assert(isnan(forward(square, 3, 0)));
    cr_assert(forward(cost, 1, 1e-17) == 0);
}
Test(limit, example_of_squire_and_trapp)
{
    double complex u = 1.5 + 1e-20 * (double complex)I;
    double complex f = cexp(u) / (cpow(csin(u), 3) +
                                  cpow(ccos(u), 3));
    double off = cimag(f) / 1e-20 - 3.6220337007163259;
    cr_assert(fabs(off) < 1e-14, "%g", off);
}
static void bounded(method *estimate, double eps, int order)
{
    for (int i = 0; i <= 80; i++) {
        double h = pow(10, -i / 4.0);
        double bound = order == 1 ? h / 2 + 1.5 * eps / h
                                  : h * h / 6 + eps / h;
        double off = worst(estimate, h);
        cr_assert(off < 1.02 * exp(h) * bound,
                  "h = %g: %g, not %g", h, off, bound);
        cr_assert(off > 0.1 * fmin(bound, 1), "h = %g", h);
    }
}
Test(limit, errors_stay_within_the_bounds)
{
    bounded(forward_double, DBL_EPSILON, 1);
    bounded(central_double, DBL_EPSILON, 2);
    bounded(forward_float, (double)FLT_EPSILON, 1);
    bounded(central_float, (double)FLT_EPSILON, 2);
}

Test(limit, complex_step_loses_nothing)
{
    for (double h = 1e-8; h > 1e-300; h /= 10)
        cr_assert(worst(complex_double, h) < 4 * DBL_EPSILON);
}

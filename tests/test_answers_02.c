// The answers to the exercises of chapter 2.
#include <criterion/criterion.h>

#include "02-limit/answers.c"

TestSuite(answers_02, .timeout = 30);

Test(answers_02, cube_is_off_by_the_formula)
{
    for (double x = -3; x <= 3; x += 0.5)
        for (double h = 1; h > 1e-4; h /= 2) {
            double off = cube_quotient(x, h) - 3 * x * x;
            cr_assert(fabs(off - cube_off(x, h)) < 1e-9, "%g", off);
        }
    cr_assert(fabs(cube_off(2, 0.1) - 0.61) < 1e-12);
}

Test(answers_02, corner_has_two_slopes_and_a_false_one)
{
    for (double h = 1; h > 1e-300; h /= 1e3) {
        double right, left, middle;
        corner(h, &right, &left, &middle);
        cr_assert(right == 1 && left == -1 && middle == 0);
    }
}

static double itself(double x)
{
    return x;
}

Test(answers_02, made_step_avoids_a_rounding)
{
    double made = 0;
    for (double h = 1; h > 1e-15; h /= 10)
        cr_assert(forward_made(itself, 3, h) == 1);
    cr_assert(fabs(forward(itself, 3, 1e-8) - 1) > 1e-10);
    cr_assert(isnan(forward_made(itself, 3, 1e-17)));
    for (int p = 0; p < 128; p++) {
        double x = 1 + p / 128.0, h = sqrt(2 * DBL_EPSILON);
        made = fmax(made, fabs(forward_made(exp, x, h) / exp(x) - 1));
    }
    cr_assert(made < 1.02 * sqrt(2 * DBL_EPSILON), "%g", made);
}

Test(answers_02, richardson_gains_two_orders)
{
    double worst = 0;
    for (int p = 0; p < 128; p++) {
        double x = 1 + p / 128.0;
        double off = fabs(richardson(exp, x, 7.4e-4) / exp(x) - 1);
        worst = fmax(worst, off);
    }
    cr_assert(worst < 1e-12 && worst > 1e-14, "%g", worst);
    double coarse = richardson(exp, 1, 0.2) / exp(1) - 1;
    double fine = richardson(exp, 1, 0.1) / exp(1) - 1;
    cr_assert(fabs(coarse / fine - 16) < 0.5, "%g", coarse / fine);
}

static double cubic(double x)
{
    return (x - 2) * x * x;
}

static double wavy(double x)
{
    return sin(20 * x);
}

static double wavy_slope(double x)
{
    return 20 * cos(20 * x);
}

static double cubic_slope(double x)
{
    return (3 * x - 4) * x;
}

Test(answers_02, own_step_promises_no_more_than_it_keeps)
{
    static const struct {
        double (*f)(double), (*slope)(double);
    } known[] = {
        {exp, exp}, {sin, cos}, {cubic, cubic_slope}, {wavy, wavy_slope},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (double x = -5; x < 5; x += 0.0371) {
            double error, slope = known[i].slope(x);
            double got = slope_with_error(known[i].f, x, &error);
            cr_assert(fabs(got - slope) <= error,
                      "%zu at %g: off by %g, promised %g", i, x,
                      got - slope, error);
            cr_assert(error < 1e-5 * fmax(1, fabs(slope)), "%zu at %g: %g",
                      i, x, error);
        }
}

static double once(double x)
{
    return sin(2 * acos(-1) * x);
}

static double twice(double x)
{
    return sin(4 * acos(-1) * x);
}

Test(answers_02, own_step_is_deceived_by_three_zeros_and_not_by_two)
{
    double error, pi = acos(-1);
    double got = slope_with_error(once, 0.1, &error);
    cr_assert(fabs(got - 2 * pi * cos(0.2 * pi)) <= error, "%g", got);
    cr_assert(error < 1e-8, "%g", error);
    got = slope_with_error(twice, 0.1, &error);
    cr_assert(fabs(got) < 1e-14 && error < 1e-14, "%g %g", got, error);
}

/* Tangled from chapters/03-descent.nw: edit there. Sum 3289229639. */
#include <criterion/criterion.h>

#define main descent_main
#include "03-descent/descent.c"
#undef main

TestSuite(descent, .timeout = 10);

Test(descent, rules_agree_with_differences)
{
    double h = 1e-5;
    for (int i = 0; i < 4; i++)
        for (double u = -0.8; u < 3; u += 0.01) {
            double want = (expression(i, u + h).v -
                           expression(i, u - h).v) / (2 * h);
            double off = fabs(expression(i, u).d - want);
            cr_assert(off < 1e-6 * (1 + fabs(want)));
        }
}

Test(descent, each_step_multiplies_the_distance)
{
    for (double rate = 0.01; rate < 0.5; rate += 0.01)
        for (double w = -5; w < 9; w += 0.3) {
            double next = w - rate * slope(w);
            double want = 2 + (1 - 6 * rate) * (w - 2);
            cr_assert(fabs(next - want) < 1e-12);
            int lower = cost(next) < cost(w);
            cr_assert(lower == (rate < 1.0 / 3));
        }
}

Test(descent, exact_slope_arrives_and_forward_does_not)
{
    cr_assert(fabs(walk(0.1, 0, 0, 1).w - 2) < 1e-14);
    double short_by = 2 - walk(0.1, 1e-3, 1, 0).w;
    cr_assert(fabs(short_by - 0.5e-3) < 1e-9);
    cr_assert(steps_to(0.001, 0.34) < 0);
}

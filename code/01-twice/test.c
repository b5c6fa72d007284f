/* Tangled from chapters/01-twice.nw: edit there. Sum 1906973040. */
#include <criterion/criterion.h>

#define main twice_main
#include "01-twice/twice.c"
#undef main

TestSuite(twice, .timeout = 10);

Test(twice, settles_half_a_step_short)
{
    for (double step = 1; step > 1e-4; step /= 10)
        for (double start = -3; start <= 7; start += 5) {
            double w = settle(start, 0.1, step);
            cr_assert(fabs(w - (2 - step / 2)) < 1e-9,
                      "%.12f", w);
        }
}

Test(twice, rate_too_large_flies_off)
{
    double w = 0, before = cost(w);
    for (int i = 0; i < 8; i++, before = cost(w)) {
        w -= 0.4 * slope(w, 0.001);
        cr_assert(cost(w) > before);
    }
    for (int i = 0; i < 5000; i++)
        w -= 0.4 * slope(w, 0.001);
    before = w;
    for (int i = 0; i < 2; i++)
        w -= 0.4 * slope(w, 0.001);
    cr_assert(w == before && fabs(w) > 1e12);
    cr_assert(isnan(slope(2, 0)));
}

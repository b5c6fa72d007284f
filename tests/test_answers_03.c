// The answers to the exercises of chapter 3.
#include <criterion/criterion.h>

#include "03-descent/answers.c"

TestSuite(answers_03, .timeout = 30);

static double fraction(double u)
{
    return (1 + u) / (1 - u);
}

Test(answers_03, fraction_has_the_slope_of_the_rule)
{
    double h = 1e-5;
    for (double u = -3; u < 3; u += 0.17) {
        double want = (fraction(u + h) - fraction(u - h)) / (2 * h);
        cr_assert(fabs(fraction_slope(u) / want - 1) < 1e-6, "%g", u);
    }
}

Test(answers_03, rate_gives_its_factor)
{
    for (double factor = -1.5; factor < 1.5; factor += 0.125) {
        double w = 5 - rate_for(factor) * slope(5);
        cr_assert(fabs((w - 2) / 3 - factor) < 1e-12);
    }
    cr_assert(fabs(rate_for(0.5) - 1.0 / 12) < 1e-15);
    cr_assert(fabs(rate_for(-0.5) - 0.25) < 1e-15);
}

Test(answers_03, noisy_walk_rests_at_least_squares)
{
    static const double noisy[M] = {0.1, 1.8, 4.2, 5.9, 8.1};
    double w = 0, want = rest(M, x, noisy);
    for (int i = 0; i < 200; i++) {
        double sum = 0, before = w - want;
        for (int s = 0; s < M; s++)
            sum += (w * x[s] - noisy[s]) * x[s];
        w -= 0.1 * sum / M;
        cr_assert(i > 8 || fabs((w - want) / before - 0.4) < 1e-6);
    }
    cr_assert(fabs(w - want) < 1e-12, "%.12f", w);
    cr_assert(fabs(want - 2.01) < 1e-12, "%.12f", want);
    double least = 0;
    for (int s = 0; s < M; s++)
        least += 0.5 * (want * x[s] - noisy[s]) * (want * x[s] - noisy[s]);
    cr_assert(fabs(least / M - 0.0107) < 1e-9, "%.9f", least / M);
}

Test(answers_03, safe_step_arrives_from_any_rate)
{
    for (double start = 1e-1; start < 1e9; start *= 7) {
        double w = -40, rate = start, before = cost(w);
        for (int i = 0; i < 60; i++) {
            w = safe_step(w, &rate);
            cr_assert(cost(w) <= before);
            before = cost(w);
        }
        cr_assert(fabs(w - 2) < 1e-6, "from rate %g to %.9f", start, w);
        cr_assert(rate * 6 > 0.499, "%g", rate);
    }
}

Test(answers_03, safe_step_never_touches_a_rate_that_works)
{
    for (double start = 0.001; start < 1.0 / 6; start *= 1.3) {
        double w = -40, rate = start;
        for (int i = 0; i < 10000; i++)
            w = safe_step(w, &rate);
        cr_assert(rate == start, "from rate %g to %g", start, rate);
        cr_assert(fabs(w - 2) < 1e-11, "%g", w - 2);
    }
}

Test(answers_03, bias_has_two_lambdas)
{
    double large = (7 + sqrt(41)) / 2;
    cr_assert(distance_after(20000, 1.99 / large) < 1e-6);
    cr_assert(distance_after(20000, 2.01 / large) > 1);
    double best = 2.0 / 7;
    double factor = pow(distance_after(400, best) /
                        distance_after(200, best), 1 / 200.0);
    cr_assert(fabs(factor - sqrt(41) / 7) < 1e-3, "%g", factor);
    cr_assert(distance_after(200, best) < distance_after(200, 0.25));
    cr_assert(distance_after(200, best) < distance_after(200, 0.295));
    // from (0, 0) a slightly smaller rate is ahead
    cr_assert(distance_after(100, 0.281) < distance_after(100, best));
    cr_assert(distance_after(300, 0.2842) < distance_after(300, best));
    double one = (large - 6) / 2, two = (7 - large - 6) / 2;
    cr_assert(fabs(1 + one * two) < 1e-12, "%g", one * two);
}

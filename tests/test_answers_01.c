// The answers to the exercises of chapter 1.
#include <criterion/criterion.h>

#include "01-twice/answers.c"

TestSuite(answers_01, .timeout = 30);

static int near(double a, double b, double tolerance)
{
    return fabs(a - b) < tolerance;
}

Test(answers_01, start_anywhere_takes_seven_steps_more)
{
    cr_assert(steps_needed(-1000) - steps_needed(0) == 7, "%d",
              steps_needed(-1000) - steps_needed(0));
    cr_assert(steps_needed(0) == 9, "%d", steps_needed(0));
}

Test(answers_01, negative_step_settles_to_the_right)
{
    cr_assert(near(settle_with(-0.001), 2.0005, 1e-9));
}

Test(answers_01, central_difference_settles_at_two)
{
    for (double h = 1; h > 1e-4; h /= 10)
        cr_assert(near(settle_central(h), 2, 1e-9), "%.12f",
                  settle_central(h));
}

Test(answers_01, border_of_the_rates_is_a_third)
{
    cr_assert(near(border_rate(), 1.0 / 3, 5e-6), "%.7f",
              border_rate());
}

Test(answers_01, bias_and_weight_pay_for_each_other)
{
    double w, b, h = 0.01;
    settle_with_bias(h, &w, &b);
    cr_assert(near(w, 2 - h, 1e-6), "%.9f", w);
    cr_assert(near(b, 1 + 1.5 * h, 1e-6), "%.9f", b);
}

// The answers to the exercises of chapter 5.
#include <criterion/criterion.h>

#include "05-activations/answers.c"

TestSuite(answers_05, .timeout = 30);

static int near(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance * fabs(want);
}

Test(answers_05, tanh_is_a_stretched_sigmoid)
{
    for (double z = -30; z < 30; z += 0.0371)
        cr_assert(fabs(tanh_by_sigmoid(z) - tanh(z)) < 4e-16, "%g", z);
}

Test(answers_05, shared_weight_collects_both_slopes)
{
    for (double w = -2; w < 2; w += 0.13) {
        double x = 1.3, y = 0.7, q = w * w * x;
        cr_assert(fabs(shared_slope(w, x, y) - (q - y) * 2 * w * x) < 1e-12);
    }
}

Test(answers_05, softplus_is_right_at_the_ends)
{
    cr_assert(softplus(1000) == 1000 && softplus(-1000) == 0);
    cr_assert(near(softplus(-40), exp(-40), 1e-14));
    cr_assert(near(softplus(0), log(2), 1e-15));
    for (double z = -20; z < 20; z += 0.01) {
        double slope = (softplus(z + 1e-5) - softplus(z - 1e-5)) / 2e-5;
        cr_assert(fabs(slope - sigmoid(z)) < 1e-9, "%g", z);
    }
}

Test(answers_05, full_slope_keeps_its_digits)
{
    for (double z = 0; z < 700; z += 1.37) {
        cr_assert(full_slope(z) == full_slope(-z));
        double a = sigmoid(-z);
        cr_assert(near(full_slope(z), sigmoid_slope(a), 1e-14), "%g", z);
    }
    cr_assert(near(full_slope(700), exp(-700), 1e-12));
}

Test(answers_05, slope_at_zero_matters_from_zero)
{
    double w, b;
    relu_from_zero(0, &w, &b);
    cr_assert(w == 0 && b == 0);
    relu_from_zero(1, &w, &b);
    cr_assert(fabs(w - 1) < 0.01 && fabs(b) < 0.02, "%g %g", w, b);
    relu_from_zero(0.5, &w, &b);
    cr_assert(fabs(w - 1) < 0.01 && fabs(b) < 0.02, "%g %g", w, b);
}

Test(answers_05, slope_at_zero_is_used_in_the_first_step_only)
{
    for (double c = 0.001; c <= 1; c *= 1.1) {
        double got_w, got_b, w = c / 4, b = 3 * c / 20;
        relu_from_zero(c, &got_w, &got_b);
        for (int i = 1; i < 1000; i++) {
            cr_assert(w + b > 0 && 2 * w + b > 0, "%g", c);
            double one = w + b - 1, two = 2 * w + b - 2;
            w -= 0.1 * (one + 2 * two) / 2;
            b -= 0.1 * (one + two) / 2;
        }
        cr_assert(fabs(got_w - w) < 1e-12, "%g: %g", c, got_w - w);
        cr_assert(fabs(got_b - b) < 1e-12, "%g: %g", c, got_b - b);
    }
}

static double cost(const double in[4])
{
    double off = sigmoid(in[0] * in[2] + in[1]) - in[3];
    return 0.5 * off * off;
}

Test(answers_05, forward_slopes_agree_with_differences)
{
    for (double t = -2; t < 2; t += 0.1) {
        double in[4] = {t, 0.3 - t, 1 + t * t, 0.4}, d[3];
        slopes_forward(in, d);
        for (int i = 0; i < 3; i++) {
            double old = in[i], h = 1e-5;
            in[i] = old + h;
            double up = cost(in);
            in[i] = old - h;
            double down = cost(in);
            in[i] = old;
            cr_assert(fabs(d[i] - (up - down) / (2 * h)) < 1e-9, "%d", i);
        }
    }
}

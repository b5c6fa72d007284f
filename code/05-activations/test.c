/* Tangled from chapters/05-activations.nw: edit there. Sum 180175552. */
#include <criterion/criterion.h>
#include <fenv.h>

#define main activations_main
#include "05-activations/activations.c"
#undef main

TestSuite(activations, .timeout = 10);

static double difference(double f(double), double z)
{
    return (f(z + 1e-5) - f(z - 1e-5)) / 2e-5;
}

Test(activations, slopes_agree_with_differences)
{
    for (double z = -37; z < 37; z += 0.0123) {
        double slope = sigmoid_slope(sigmoid(z));
        double off = slope - difference(sigmoid, z);
        cr_assert(fabs(off) < (z < 0 ? 1e-8 * slope : 1e-10));
        off = tanh_slope(tanh(z)) - difference(tanh, z);
        cr_assert(fabs(off) < 1e-10);
        off = relu_slope(relu(z)) - difference(relu, z);
        cr_assert(fabs(z) < 1e-5 || fabs(off) < 1e-9);
    }
    cr_assert(relu_slope(relu(0)) == 0);
}
Test(activations, careful_forms_never_overflow)
{
    feclearexcept(FE_ALL_EXCEPT);
    for (volatile double z = 1; z < 1e300; z *= 9.7) {
        cr_assert(sigmoid(z) <= 1 && sigmoid(z) > 0.73);
        cr_assert(sigmoid(-z) >= 0 && sigmoid(-z) < 0.27);
        cr_assert(tanh(z) <= 1 && tanh(-z) >= -1);
        cr_assert(sigmoid_slope(sigmoid(-z)) >= 0);
    }

    cr_assert(!fetestexcept(FE_OVERFLOW | FE_INVALID));
    cr_assert(isnan(naive(1, 1000)) && isnan(naive(2, -1000)));
    cr_assert(isnan(naive(3, 1000)) && isnan(naive(3, -1000)));
}
Test(activations, backward_slopes_are_those_of_the_cost)
{
    double h = 1e-5;
    for (double w = -2; w < 2; w += 0.3)
        for (double b = -2; b < 2; b += 0.3) {
            double x = 1.7, y = 0.4;
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
            cr_assert(fabs(J - cost(w, b, x, y)) < 1e-15);
            double by_w = cost(w + h, b, x, y) -
                          cost(w - h, b, x, y);
            double by_b = cost(w, b + h, x, y) -
                          cost(w, b - h, x, y);
            double by_x = cost(w, b, x + h, y) -
                          cost(w, b, x - h, y);
            cr_assert(fabs(dw - by_w / (2 * h)) < 1e-9);
            cr_assert(fabs(db - by_b / (2 * h)) < 1e-9);
            cr_assert(fabs(dx - by_x / (2 * h)) < 1e-9);
        }
}

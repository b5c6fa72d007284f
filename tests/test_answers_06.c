// The answers to the exercises of chapter 6.
#include <criterion/criterion.h>

#include "06-layer/answers.c"

TestSuite(answers_06, .timeout = 30);

static double neuron_cost(double x, double w, double b, double y)
{
    double off = sigmoid(w * x + b) - y;
    return off * off / 2;
}

Test(answers_06, zero_input_teaches_the_bias_alone)
{
    double dw, db, h = 1e-5;
    slopes_at(0, 0.4, 0.1, 1, &dw, &db);
    cr_assert(dw == 0 && db < -0.05);
    slopes_at(3, 0.4, 0.1, sigmoid(1.3), &dw, &db);
    cr_assert(fabs(dw) < 1e-15 && fabs(db) < 1e-15);
    for (double x = -3; x < 3; x += 0.21) {
        slopes_at(x, 0.4, 0.1, 0.2, &dw, &db);
        double by_w = neuron_cost(x, 0.4 + h, 0.1, 0.2) -
                      neuron_cost(x, 0.4 - h, 0.1, 0.2);
        double by_b = neuron_cost(x, 0.4, 0.1 + h, 0.2) -
                      neuron_cost(x, 0.4, 0.1 - h, 0.2);
        cr_assert(fabs(dw - by_w / (2 * h)) < 1e-9);
        cr_assert(fabs(db - by_b / (2 * h)) < 1e-9);
    }
}

Test(answers_06, weight_less_x_bias_is_conserved)
{
    for (int steps = 0; steps < 2000; steps += 100)
        cr_assert(fabs(conserved(steps) - 0.2) < 1e-12, "%.15f",
                  conserved(steps));
}

Test(answers_06, tanh_neuron_ends_where_predicted)
{
    for (double y = -0.9; y < 0.95; y += 0.3)
        for (double x = -2; x < 2.1; x += 0.5) {
            double w = 0.3, b = -0.2, v = 0.3, c = -0.2;
            ends_at(x, y, &w, &b);
            for (int i = 0; i < 20000; i++) {
                double a = tanh(v * x + c);
                double dz = (a - y) * (1 - a * a);
                v -= 0.2 * dz * x;
                c -= 0.2 * dz;
            }
            cr_assert(fabs(v - w) < 1e-6 && fabs(c - b) < 1e-6,
                      "x %g y %g: %g %g, not %g %g", x, y, v, c, w, b);
        }
}

static double distance(int n, double x, double rate, int dropped)
{
    double z = 5.5, y = 5; // far from the corner
    for (int i = 0; i < 100 && z > 0; i++)
        z -= rate * (x * x + 1) * (z - y) / (dropped ? 1 : n);
    return z > 0 ? fabs(z - y) : (double)INFINITY;
}

Test(answers_06, border_is_where_it_turns)
{
    for (int n = 1; n < 40; n += 6)
        for (int dropped = 0; dropped < 2; dropped++) {
            double most = layer_border(n, 2, dropped);
            cr_assert(distance(n, 2, 0.99 * most, dropped) < 0.5);
            cr_assert(distance(n, 2, 1.01 * most, dropped) > 0.5);
        }
    cr_assert(fabs(layer_border(3, 2, 0) - 1.2) < 1e-12);
}

static double layer_cost(int m, const double *x, const double (*y)[3],
                         const double w[3], const double b[3])
{
    double sum = 0;
    for (int s = 0; s < m; s++)
        for (int j = 0; j < 3; j++) {
            double off = sigmoid(w[j] * x[s] + b[j]) - y[s][j];
            sum += off * off / 6;
        }
    return sum / m;
}

Test(answers_06, slopes_over_examples_agree_with_differences)
{
    const double x[4] = {-1, 0, 0.5, 2};
    const double y[4][3] = {
        {0, 1, 0.5}, {1, 0, 0.2}, {0.3, 0.3, 0.3}, {1, 1, 0}};
    double w[3] = {0.4, -0.3, 0.5}, b[3] = {0.1, 0.2, -0.5};
    double dw[3], db[3], h = 1e-5;
    mean_slopes(4, x, y, w, b, dw, db);
    for (int p = 0; p < 6; p++) {
        double *moved = p < 3 ? &w[p] : &b[p - 3], old = *moved;
        *moved = old + h;
        double up = layer_cost(4, x, y, w, b);
        *moved = old - h;
        double down = layer_cost(4, x, y, w, b);
        *moved = old;
        double got = p < 3 ? dw[p] : db[p - 3];
        cr_assert(fabs(got - (up - down) / (2 * h)) < 1e-10, "%d", p);
    }
}

enum { OUT = 3, IN = 4 };

static double tanh_cost(const double p[])
{
    const double *x = p, *w = p + IN, *b = w + OUT * IN;
    const double y[OUT] = {0.5, -0.5, 0.1};
    double sum = 0;
    for (int j = 0; j < OUT; j++) {
        double z = b[j];
        for (int k = 0; k < IN; k++)
            z += w[j * IN + k] * x[k];
        sum += (tanh(z) - y[j]) * (tanh(z) - y[j]) / (2 * OUT);
    }
    return sum;
}

Test(answers_06, slopes_of_several_inputs_agree_with_differences)
{
    enum { P = IN + OUT * IN + OUT };
    const double y[OUT] = {0.5, -0.5, 0.1};
    double p[P], d[P], h = 1e-5;
    for (int i = 0; i < P; i++)
        p[i] = sin(1.3 * i + 0.2);
    layer_slopes(OUT, IN, p, p + IN, p + IN + OUT * IN, y, d + IN,
                 d + IN + OUT * IN, d);
    for (int i = 0; i < P; i++) {
        double old = p[i];
        p[i] = old + h;
        double up = tanh_cost(p);
        p[i] = old - h;
        double down = tanh_cost(p);
        p[i] = old;
        cr_assert(fabs(d[i] - (up - down) / (2 * h)) < 1e-9, "%d", i);
    }
}

/* Tangled from chapters/04-gates.nw: edit there. Sum 1193240998. */
#include <criterion/criterion.h>

#define main gates_main
#include "04-gates/gates.c"
#undef main

TestSuite(gates, .timeout = 10);

static double along(struct neuron p, struct neuron u,
                    const double y[M])
{
    double h = 1e-4;
    return (cost(step(p, u, -h), y) - cost(step(p, u, h), y))
           / (2 * h);
}
Test(gates, gradient_agrees_with_differences)
{
    for (int gate = 0; gate < 16; gate++)
        for (double t = -3; t < 3; t += 0.1) {
            double y[M];
            for (int s = 0; s < M; s++)
                y[s] = gate >> s & 1;
            struct neuron p = {t, 1 - t * t, 0.3 * t};
            struct neuron g = gradient(p, y);
            struct neuron by[3] = {{1, 0, 0}, {0, 1, 0},
                                   {0, 0, 1}};
            double want[3] = {g.w1, g.w2, g.b};
            for (int k = 0; k < 3; k++)
                cr_assert(fabs(along(p, by[k], y) - want[k])
                          < 1e-9);
        }
}
Test(gates, no_direction_is_steeper)
{
    struct neuron p = {0.3, -1, 0.7};
    struct neuron g = gradient(p, gates[1].y);
    double length = sqrt(g.w1 * g.w1 + g.w2 * g.w2 + g.b * g.b);
    double steepest = 0;
    for (double v = -1; v <= 1; v += 0.02)
        for (double turn = 0; turn < 6.29; turn += 0.02) {
            double r = sqrt(1 - v * v);
            struct neuron u = {r * cos(turn), r * sin(turn), v};
            double slope = along(p, u, gates[1].y);
            cr_assert(slope > -length - 1e-9);
            steepest = fmin(steepest, slope);
        }
    cr_assert(steepest < -0.999 * length);
}
static void learns(int gate, double w, double b)
{
    long right_at;
    struct neuron p = learn(gates[gate].y, 1, 1000, &right_at);
    cr_assert(fabs(p.w1 - w) < 1e-6 && fabs(p.w2 - w) < 1e-6);
    cr_assert(fabs(p.b - b) < 1e-6);
    cr_assert(all_right(p, gates[gate].y) == (gate < 3));
}

Test(gates, three_are_learned_and_one_is_not)
{
    learns(0, 0.5, 0.25);
    learns(1, 0.5, -0.25);
    learns(2, -0.5, 1.25);
    learns(3, 0, 0.5);
}

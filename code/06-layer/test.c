/* Tangled from chapters/06-layer.nw: edit there. Sum 1234697394. */
#include <criterion/criterion.h>

#define main layer_main
#include "06-layer/layer.c"
#undef main

TestSuite(layer, .timeout = 10);

static struct layer layer_number(int i)
{
    struct layer t = {.w = {0}};
    for (int j = 0; j < N; j++) {
        t.w[j] = sin(3.1 * i + j);
        t.b[j] = 0.5 + cos(2.9 * i - 2 * j);
    }
    return t;
}

static const double target[N] = {0.9, -0.2, 0.4};
static int agree(void slopes(struct layer *, const struct bend *,
                             double, const double *),
                 const struct bend *sigma, int i)
{
    double x = 0.1 * i - 2;
    struct layer t = layer_number(i);
    forward(&t, sigma, x);
    slopes(&t, sigma, x, target);
    for (int p = 0; p < 2 * N; p++) {
        double want = difference(t, sigma, x, target, p);
        double d = p < N ? t.dw[p] : t.db[p - N];
        if (!(fabs(d - want) < 1e-9))
            return 0;
    }
    return 1;
}
Test(layer, slopes_agree_with_differences)
{
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 40; i++) {
            cr_assert(agree(backward, &bends[k], i), "%s %d",
                      bends[k].name, i);
            cr_assert(!agree(backward_dropped, &bends[k], i));
        }
}
Test(layer, step_moves_z_by_its_slope)
{
    for (int i = 0; i < 40; i++) {
        double x = 0.1 * i - 2, rate = 0.7;
        struct layer t = layer_number(i);
        forward(&t, &bends[1], x);
        backward(&t, &bends[1], x, target);
        struct layer before = t;
        step(&t, rate);
        forward(&t, &bends[1], x);
        for (int j = 0; j < N; j++) {
            double want = before.z[j] -
                          rate * (x * x + 1) * before.dz[j];
            cr_assert(fabs(t.z[j] - want) < 1e-14);
        }
    }
}
Test(layer, dropped_factor_kills_a_neuron)
{
    const double y[N] = {1, 1, 0};
    struct layer t = {.w = {0.4, -0.3, 0.5},
                      .b = {0.1, 0.2, -0.5}};
    for (int i = 0; i < 50; i++) {
        forward(&t, &bends[2], 2);
        backward_dropped(&t, &bends[2], 2, y);
        step(&t, 0.6);
    }
    forward(&t, &bends[2], 2);
    cr_assert(t.a[0] == 0 && t.dw[0] == 0);
}

/* Tangled from chapters/07-xor.nw: edit there. Sum 3245764961. */
#include <criterion/criterion.h>

#define main xor_main
#include "07-xor/xor.c"
#undef main

TestSuite(xor, .timeout = 60);

Test(xor, nine_slopes_agree_with_differences)
{
    const double h = 1e-5;
    for (long seed = 1; seed <= 50; seed++) {
        struct net net = start(seed, 3), g, unused;
        gradient(&net, &g);
        for (int i = 0; i < 9; i++) {
            double *moved = (double *)&net + i, old = *moved;
            *moved = old + h;
            double up = gradient(&net, &unused);
            *moved = old - h;
            double down = gradient(&net, &unused);
            *moved = old;
            double got = ((double *)&g)[i];
            cr_assert(fabs(got - (up - down) / (2 * h)) < 1e-9);
        }
    }
}
Test(xor, closed_form_is_the_staged_slope)
{
    for (long seed = 1; seed <= 50; seed++) {
        struct net net = start(seed, 3), g = {0};
        double x1 = 0.1 * (double)seed - 2;
        one_example(&net, x1, 0.7, 1, &g);
        double closed = closed_form(&net, x1, 0.7, 1);
        cr_assert(fabs(closed - g.w11) < 1e-14);
    }
    calls = 0;
    closed_form(&(struct net){0}, 1, 1, 0);
    cr_assert(calls == 15, "%ld", calls);
}
Test(xor, five_in_six_are_solved)
{
    int right = 0;
    for (long seed = 1; seed <= 300; seed++) {
        struct net net = start(seed, 1);
        right += walk(&net, 4, 20000) >= 0;
    }
    cr_assert(right > 225 && right < 270, "%d", right);
    struct net stuck = start(2, 1), g;
    cr_assert(walk(&stuck, 4, 20000) < 0);
    cr_assert(fabs(gradient(&stuck, &g) - 0.0625) < 1e-3);
}

// The answers to the exercises of chapter 7.
#include <criterion/criterion.h>

#include "07-xor/answers.c"

TestSuite(answers_07, .timeout = 120);

Test(answers_07, numbers_by_hand_are_xor)
{
    struct net p;
    by_hand(&p);
    for (int s = 0; s < 4; s++) {
        double a = answer(&p, s >> 1, s & 1);
        cr_assert(fabs(a - ((s >> 1) ^ (s & 1))) < 0.01, "%d: %g", s, a);
    }
}

Test(answers_07, twins_stay_twins)
{
    cr_assert(twins(0) == 0 && twins(5000) == 0, "%g", twins(5000));
}

static double example_cost(const struct net *p, double x1, double x2,
                           double y)
{
    double off = answer(p, x1, x2) - y;
    return 0.5 * off * off;
}

Test(answers_07, slope_by_an_input_has_two_ways)
{
    double h = 1e-5;
    for (long seed = 1; seed <= 40; seed++) {
        struct net p = start(seed, 3);
        double want = (example_cost(&p, 0.4 + h, 0.7, 1) -
                       example_cost(&p, 0.4 - h, 0.7, 1)) / (2 * h);
        double got = input_slope(&p, 0.4, 0.7, 1);
        cr_assert(fabs(got - want) < 1e-9, "%ld: %g, not %g", seed, got,
                  want);
    }
}

Test(answers_07, wide_starts_are_solved_less_often)
{
    double narrow = success(1, 200), wide = success(2, 200);
    cr_assert(narrow > 0.75 && narrow < 0.92, "%g", narrow);
    cr_assert(wide > 0.55 && wide < 0.77, "%g", wide);
}

Test(answers_07, two_hidden_neurons_are_the_net_by_hand)
{
    double p[9], g[10] = {0};
    for (int i = 0; i < 9; i++)
        p[i] = sin(1.7 * i);
    struct net net = {p[0], p[1], p[2], p[4], p[5], p[6], p[3], p[7], p[8]};
    struct net want = {0};
    gradient(&net, &want);
    for (int s = 0; s < 4; s++)
        add_slopes(2, p, g, s);
    const double got[9] = {g[0], g[1], g[2], g[4], g[5],
                           g[6], g[3], g[7], g[8]};
    for (int i = 0; i < 9; i++)
        cr_assert(fabs(got[i] - ((double *)&want)[i]) < 1e-14, "%d", i);
}

Test(answers_07, more_hidden_neurons_are_solved_more_often)
{
    double two = success_hidden(2, 150), four = success_hidden(4, 150);
    cr_assert(two > 0.7 && two < 0.95, "%g", two);
    cr_assert(four > two && four > 0.95, "%g", four);
}

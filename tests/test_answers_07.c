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

Test(answers_07, twins_stay_twins_and_cost_a_twelfth)
{
    double cost;
    cr_assert(twins(0, &cost) == 0 && fabs(cost - 0.125) < 0.01, "%g", cost);
    cr_assert(twins(20000, &cost) == 0);
    cr_assert(cost > 1.0 / 12 && cost < 1.0 / 12 + 2e-4, "%g", cost);
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
    double near = success(0.5, 200), narrow = success(1, 200);
    double wide = success(2, 200);
    cr_assert(near > narrow && near > 0.85 && near < 0.98, "%g", near);
    cr_assert(narrow > 0.75 && narrow < 0.92, "%g", narrow);
    cr_assert(wide > 0.55 && wide < 0.77, "%g", wide);
}

Test(answers_07, two_hidden_neurons_are_the_net_by_hand)
{
    for (long seed = 1; seed <= 20; seed++) {
        struct net net = start(seed, 3), want = {0};
        double g[10] = {0};
        for (int s = 0; s < 4; s++) {
            one_example(&net, s >> 1, s & 1, (s >> 1) ^ (s & 1), &want);
            add_slopes(2, (double *)&net, g, s);
        }
        for (int i = 0; i < 9; i++)
            cr_assert(g[i] == ((double *)&want)[i], "%d", i);
    }
    cr_assert(success_hidden(2, 300) == success(1, 300));
}

Test(answers_07, more_hidden_neurons_are_solved_more_often)
{
    double three = success_hidden(3, 300), four = success_hidden(4, 300);
    cr_assert(success_hidden(1, 20) == 0);
    cr_assert(three > 0.96 && three < 1, "%g", three);
    cr_assert(four > 0.995, "%g", four);
}

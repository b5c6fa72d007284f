/* Tangled from chapters/09-gradcheck.nw: edit there. Sum 2710566424. */
#include <criterion/criterion.h>

#define main gradcheck_main
#include "09-gradcheck/gradcheck.c"
#undef main

TestSuite(gradcheck, .timeout = 60);
static const struct cli cli = {"test", "", "", NULL, 0, 0};

Test(gradcheck, right_passes_and_wrong_fails)
{
    for (long seed = 1; seed <= 50; seed++)
        for (int i = 0; i < WRONG; i++) {
            struct nn nn;
            make(&cli, &nn, seed);
            struct nn_check c = check(all[i].of, &nn);
            cr_assert(nn_check_passed(&c) == (i == 0), "%s",
                      all[i].name);
            cr_assert(c.checked == P && c.skipped == 0);
            cr_assert(i == 0 || c.worst > 1e-3);
            nn_destroy(&nn);
        }
}
Test(gradcheck, most_of_them_learn)
{
    int learn = 0;
    for (int i = 1; i < WRONG; i++) {
        int right = 0;

        for (long seed = 1; seed <= 20; seed++) {
            struct nn nn;
            make(&cli, &nn, seed);
            right += train(all[i].of, &nn, 5000) >= 0;
            nn_destroy(&nn);
        }
        learn += right >= 14;
    }
    cr_assert(learn >= 8, "%d", learn);
}
Test(gradcheck, guards)
{
    struct nn nn;
    double g[P], cost;
    make(&cli, &nn, 1);
    nn_gradient(&nn, M, x, y, g, &cost);
    for (int i = 0; i < P; i++)
        g[i] = -g[i];
    struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(!nn_check_passed(&c) && c.worst > 0.5);
    for (int i = 0; i < P; i++)
        g[i] = i == 3 ? (double)NAN : -g[i];
    c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(!nn_check_passed(&c) && c.at == 3);
    memset(nn.p, 0, sizeof g);
    memset(g, 0, sizeof g);
    c = nn_check_gradient(&nn, M, x, y, g);
    cr_assert(c.worst <= NN_CHECK_BOUND && !nn_check_passed(&c));
    nn_destroy(&nn);
}

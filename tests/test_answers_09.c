/* The answers of chapter 9 do what they say. */

#include "check.h"

#include "09-gradcheck/answers.c"

TestSuite(answers_09, .timeout = 60);

Test(answers_09, error_of_factor)
{
    cr_assert(error_of_factor(1) == 0);
    check_close(error_of_factor(3), 0.5, 1e-15);
    check_close(error_of_factor(1.0 / 3), 0.5, 1e-15);
    check_close(error_of_factor(2), 1.0 / 3, 1e-15);
    check_close(error_of_factor(1 + 2e-6), 1e-6, 1e-5);
    check_close(error_of_factor(-1e-3), 1, 1e-15);
    check_close(error_of_factor(-50), 1, 1e-15);
}

static int index_of(const char *name)
{
    int i = 0;
    while (strcmp(all[i].name, name) != 0)
        i++;
    return i;
}

Test(answers_09, small_nets_are_blind)
{
    const size_t one[] = {1, 1, 1}, more[] = {2, 3, 4, 2}, two[] = {2, 2, 2, 2};
    const char *pass[] = {"right", "last", "transposed", "outputs", "samples"};
    int passed = 0;
    for (int i = 0; i < WRONG; i++) {
        passed += passes(all[i].of, 2, one, 1);
        cr_assert(passes(all[i].of, 3, more, 5) == (i == 0), "%s", all[i].name);
        cr_assert(passes(all[i].of, 3, two, 2) == (i == 0), "%s", all[i].name);
    }
    cr_assert(passed == 5, "%d", passed);
    for (int i = 0; i < 5; i++)
        cr_assert(passes(all[index_of(pass[i])].of, 2, one, 1), "%s", pass[i]);
}

/* A net of 1,200 parameters, as the exercise is about large ones. */
Test(answers_09, a_direction_in_a_larger_net)
{
    const size_t n[] = {20, 40, 8};
    const enum nn_activation s[] = {NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(5);
    struct nn nn;
    double in[20], target[8], g[1200], cost;
    cr_assert(nn_create(&nn, 2, n, s) == NN_OK && nn.params == 1168);
    nn_randomize(&nn, &rng);
    for (int i = 0; i < 20; i++)
        in[i] = nn_rng_uniform(&rng, -1, 1);
    for (int i = 0; i < 8; i++)
        target[i] = nn_rng_uniform(&rng, 0, 1);
    nn_gradient(&nn, 1, in, target, g, &cost);
    cr_assert(check_direction(&nn, 1, in, target, g, &rng) < 1e-7);
    for (size_t i = 0; i < nn.params; i++)
        g[i] *= 1.1;
    cr_assert(check_direction(&nn, 1, in, target, g, &rng) > 1e-6);
    nn_destroy(&nn);
}

Test(answers_09, one_direction_catches_all)
{
    struct nn_rng rng = nn_rng_seeded(4);
    for (long seed = 1; seed <= 20; seed++)
        for (int i = 0; i < WRONG; i++) {
            struct nn nn;
            double g[P], p[P], cost, e;
            make(&(struct cli){0}, &nn, seed);
            memcpy(p, nn.p, sizeof p);
            all[i].of(&nn, M, x, y, g, &cost);
            e = check_direction(&nn, M, x, y, g, &rng);
            cr_assert(i == 0 ? e < 1e-7 : e > 1e-5, "%s %g", all[i].name, e);
            cr_assert(memcmp(nn.p, p, sizeof p) == 0, "p has moved");
            nn_destroy(&nn);
        }
}

Test(answers_09, kept_passes_once_and_not_twice)
{
    cr_assert(passes_twice(nn_gradient) && !passes_twice(kept));
    int right = 0;
    for (long seed = 1; seed <= 100; seed++) {
        struct nn nn;
        double g[P] = {0}, cost;
        make(&(struct cli){.program = "test"}, &nn, seed);
        kept(&nn, M, x, y, g, &cost);
        struct nn_check c = nn_check_gradient(&nn, M, x, y, g);
        cr_assert(nn_check_passed(&c));
        for (int i = 0; i < 5000 && !solved(&nn); i++) {
            kept(&nn, M, x, y, g, &cost);
            nn_step(&nn, g, 0.05);
        }
        right += solved(&nn);
        nn_destroy(&nn);
    }
    cr_assert(right >= 80 && right <= 97, "%d", right);
}

Test(answers_09, piled_is_caught_with_several_samples)
{
    const size_t more[] = {2, 3, 4, 2};
    cr_assert(!passes(piled, 3, more, 5) && passes(piled, 3, more, 1));
    cr_assert(!passes_twice(piled));
    struct nn nn;
    double g[P], cost;
    make(&(struct cli){.program = "test"}, &nn, 1);
    for (int call = 1; call <= 3; call++) { // one sample, over and over
        cr_assert(piled(&nn, 1, x, y, g, &cost) == NN_OK);
        struct nn_check c = nn_check_gradient(&nn, 1, x, y, g);
        cr_assert(nn_check_passed(&c) == (call == 1), "%d", call);
    }
    nn_destroy(&nn);
    int right = 0;
    for (long seed = 1; seed <= 20; seed++) {
        make(&(struct cli){.program = "test"}, &nn, seed);
        struct nn_check c = check(piled, &nn);
        cr_assert(!nn_check_passed(&c) && c.worst > 0.5 && c.worst < 1);
        right += train(piled, &nn, 5000) >= 0;
        nn_destroy(&nn);
    }
    cr_assert(right <= 2, "%d", right);
}

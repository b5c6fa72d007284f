// The answers to the exercises of chapter 4.
#include <criterion/criterion.h>

#include "04-gates/answers.c"

TestSuite(answers_04, .timeout = 60);

Test(answers_04, nand_by_hand_is_nand)
{
    for (int s = 0; s < M; s++)
        cr_assert((nand_by_hand(x[s][0], x[s][1]) > 0.5) ==
                  (gates[2].y[s] > 0.5));
}

Test(answers_04, signs_keep_every_verdict)
{
    for (double t = -2; t < 2; t += 0.07) {
        struct neuron p = {t, 1 - t * t, 0.4 * t}, q = p;
        to_signs(&q.w1, &q.w2, &q.b);
        for (int s = 0; s < M; s++)
            cr_assert(fabs(answer(q, x[s]) - (2 * answer(p, x[s]) - 1)) <
                      1e-12);
    }
}

Test(answers_04, three_gates_are_xor)
{
    for (int s = 0; s < M; s++)
        cr_assert(xor_of_gates(x[s]) == gates[3].y[s]);
}

Test(answers_04, product_makes_xor_learnable)
{
    static const double want[4] = {1, 1, -2, 0};
    double p[4];
    learn_with_product(p);
    for (int k = 0; k < 4; k++)
        cr_assert(fabs(p[k] - want[k]) < 1e-6, "%d: %.9f", k, p[k]);
}

Test(answers_04, gates_are_counted_as_published)
{
    cr_assert(count_gates(1) == 4);
    cr_assert(count_gates(2) == 14);
    cr_assert(count_gates(3) == 104);
    cr_assert(count_gates(4) == 1882);
}

// The neuron at the least squares: with inputs of 1 and -1 its weights are means.
static int squares_find(int inputs, long gate)
{
    int rows = 1 << inputs, w[6] = {0};
    for (int row = 0; row < rows; row++) {
        for (int k = 0; k < inputs; k++)
            w[k] += sign(gate >> row) * sign(row >> k);
        w[inputs] += sign(gate >> row);
    }
    for (int row = 0; row < rows; row++) {
        int z = w[inputs];
        for (int k = 0; k < inputs; k++)
            z += w[k] * sign(row >> k);
        if ((z > 0) != (sign(gate >> row) > 0))
            return 0;
    }
    return 1;
}

Test(answers_04, squares_find_fewer_gates)
{
    int found = 0;
    for (long gate = 0; gate < 256; gate++) {
        int one = squares_find(3, gate);
        cr_assert(!one || can_learn(3, gate));
        found += one;
    }
    cr_assert(found == 72, "%d", found);
}

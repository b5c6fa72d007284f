// The answers to the exercises of chapter 4.
#include <criterion/criterion.h>
#include <stdlib.h>

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

/* The least |v|^2 / g^2 of Novikoff's bound, for the gate that has most of it: by all whole
   weights up to 4. */
Test(answers_04, a_hundred_walks_are_enough)
{
    static double best[1 << 16];
    int gates_found = 0;
    double most = 0;
    for (long n = 0; n < 9 * 9 * 9 * 9 * 9; n++) {
        int v[5], square = 0, least = 99;
        long gate = 0, rest = n;
        for (int k = 0; k < 5; k++, rest /= 9) {
            v[k] = (int)(rest % 9) - 4;
            square += v[k] * v[k];
        }
        for (int row = 0; row < 16; row++) {
            int z = v[4];
            for (int k = 0; k < 4; k++)
                z += v[k] * sign(row >> k);
            gate |= (long)(z > 0) << row;
            least = abs(z) < least ? abs(z) : least;
        }
        double bound = least ? (double)square / (least * least) : 0;
        if (least && (best[gate] == 0 || bound < best[gate]))
            best[gate] = bound;
    }
    for (long gate = 0; gate < 1 << 16; gate++) {
        gates_found += best[gate] > 0;
        most = fmax(most, best[gate]);
    }
    cr_assert(gates_found == 1882 && most == 19, "%d gates, %g", gates_found, most);
}

// By repeated multiplication with the slopes of the slopes.
static double largest_lambda(int n, const double z[4][4])
{
    double v[4] = {1, 0.5, 0.3, 0.2}, lambda = 0;
    for (int i = 0; i < 1000; i++) {
        double next[4] = {0}, length = 0;
        for (int s = 0; s < 4; s++) {
            double along = 0;
            for (int k = 0; k < n; k++)
                along += z[s][k] * v[k];
            for (int k = 0; k < n; k++)
                next[k] += z[s][k] * along / 4;
        }
        for (int k = 0; k < n; k++)
            length += next[k] * next[k];
        lambda = sqrt(length);
        for (int k = 0; k < n; k++)
            v[k] = next[k] / lambda;
    }
    return lambda;
}

Test(answers_04, rates_end_where_the_lambdas_say)
{
    static const double three[4][4] = {{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 1}};
    static const double four[4][4] = {{0, 0, 0, 1}, {0, 1, 0, 1}, {1, 0, 0, 1}, {1, 1, 1, 1}};
    double lambda = largest_lambda(3, three);
    cr_assert(fabs(lambda - (7 + sqrt(33)) / 8) < 1e-12, "%g", lambda);
    cr_assert(fabs(lambda - 1.59) < 0.005 && 2 / lambda > 1.25 && 2 / lambda < 1.26);
    lambda = largest_lambda(4, four);
    cr_assert(fabs(lambda - 1.71) < 0.005 && fabs(2 / lambda - 1.17) < 0.005, "%g", lambda);
}

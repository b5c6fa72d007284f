/* The answers of chapter 12 do what they say. */

#include "check.h"

#include <string.h>
#include <zlib.h>

#include "12-well/answers.c"

TestSuite(answers_12, .timeout = 20);

Test(answers_12, first_cost)
{
    check_close(first_cost(1000), 6.907755278982137, 1e-15);
    cr_assert(first_cost(1) == 0);
}

/* The variance of a number from 0 to 1 is 1/12; by n it would be 1/15. */
Test(answers_12, one_less)
{
    double mean = spread_of_five(200000, 3);
    cr_assert(fabs(mean - 1.0 / 12) < 0.0005, "%g", mean);
}

Test(answers_12, smoothing)
{
    double y[5], p[5], z[5];
    struct nn_rng rng = nn_rng_seeded(1);
    smooth(5, 3, 0.1, y);
    cr_assert(fabs(y[3] - 0.92) < 1e-15 && fabs(y[0] - 0.02) < 1e-15);
    double least = least_cost(5, y);
    for (int i = 0; i < 5; i++)
        z[i] = log(y[i]);
    nn_softmax(5, z, p);
    for (int i = 0; i < 5; i++)
        cr_assert(fabs(p[i] - y[i]) < 1e-15);
    check_close(nn_cross_entropy(5, z, y), least, 1e-14);
    for (int n = 0; n < 1000; n++) {
        for (int i = 0; i < 5; i++)
            z[i] = nn_rng_uniform(&rng, -6, 6);
        cr_assert(nn_cross_entropy(5, z, y) > least);
    }
    smooth(5, 3, 0, y);
    cr_assert(y[3] == 1 && y[0] == 0 && least_cost(5, y) == 0);
}

/* Without slopes all weights decay at one pace, and with slopes the rest is
   Adam's step; in Adam's own decay those with large slopes hardly decay. */
Test(answers_12, decoupled)
{
    struct nn_optimizer o, plain;
    double p[2] = {1, 2}, q[2] = {1, 2}, g[2] = {0, 0};
    cr_assert(nn_optimizer_create(&o, NN_ADAM, 2) == NN_OK);
    cr_assert(nn_optimizer_create(&plain, NN_ADAM, 2) == NN_OK);
    decoupled_step(&o, p, g, 0.1, 0.5);
    nn_optimizer_step(&plain, q, g, 0.1);
    check_close(p[0], 0.95, 1e-15);
    check_close(p[1], 1.9, 1e-15);
    g[0] = 3;
    g[1] = -1e-3;
    for (int i = 0; i < 2; i++)
        q[i] = p[i] * 0.95;
    decoupled_step(&o, p, g, 0.1, 0.5);
    nn_optimizer_step(&plain, q, g, 0.1);
    cr_assert(p[0] == q[0] && p[1] == q[1]);
    nn_optimizer_destroy(&o);
    nn_optimizer_destroy(&plain);
}

Test(answers_12, ensemble)
{
    enum { K = 5 };
    struct nn nets[K];
    struct nn_rng rng = nn_rng_seeded(5);
    const size_t size[] = {3, 6, 4};
    const enum nn_activation sigma[] = {NN_TANH, NN_IDENTITY};
    for (int i = 0; i < K; i++) {
        cr_assert(nn_create(&nets[i], 2, size, sigma) == NN_OK);
        nn_randomize(&nets[i], &rng);
        for (size_t k = 0; k < nets[i].params; k++)
            nets[i].p[k] *= 5;
        nets[i].loss = NN_CROSS_ENTROPY;
    }
    for (int n = 0; n < 200; n++) {
        double x[3], y[4] = {0}, p[4], sum = 0, mean = 0;
        for (int i = 0; i < 3; i++)
            x[i] = nn_rng_uniform(&rng, -1, 1);
        y[n % 4] = 1;
        ensemble(nets, K, x, p);
        for (int i = 0; i < 4; i++)
            sum += p[i];
        for (int i = 0; i < K; i++)
            mean += nn_cost(&nets[i], 1, x, y) / K;
        cr_assert(fabs(sum - 1) < 1e-14);
        cr_assert(-log(p[n % 4]) <= mean + 1e-12);
    }
    double x[3] = {0.1, 0.2, 0.3}, p[4], one[4];
    ensemble(nets, 1, x, p);
    nn_softmax(4, nn_forward(&nets[0], x), one);
    for (int i = 0; i < 4; i++)
        cr_assert(fabs(p[i] - one[i]) < 1e-15);
    for (int i = 0; i < K; i++)
        nn_destroy(&nets[i]);
}

/* How many steps momentum takes in the valley with kappa = 100. */
static int steps(double rate, double beta)
{
    double p[2] = {-4, 1}, v[2] = {0, 0};
    int arrived = 0;
    for (int t = 0; t < 3000; t++) {
        if (!(hypot(p[0], p[1]) < 1e-3))
            arrived = t + 1;
        v[0] = beta * v[0] + p[0];
        v[1] = beta * v[1] + 100 * p[1];
        p[0] -= rate * v[0];
        p[1] -= rate * v[1];
    }
    return arrived;
}

Test(answers_12, best_beta)
{
    double rate, beta;
    best_beta(100, &rate, &beta);
    check_close(beta, 81.0 / 121, 1e-14);
    check_close(rate, 4.0 / 121, 1e-14);
    int best = steps(rate, beta);
    cr_assert(best == 59, "%d", best);
    cr_assert(steps(0.028, 0.71) == 43); // faster over a way as short as this one
    cr_assert(best < steps(rate, 0.9) && best < steps(0.003, 0.9));
    cr_assert(steps(rate, beta - 0.05) > best);
}

/* Against zlib's, and the number that is given for every CRC. */
Test(answers_12, crc)
{
    struct nn_rng rng = nn_rng_seeded(31);
    uint8_t bytes[200];
    cr_assert(crc((const uint8_t *)"123456789", 9) == 0xCBF43926);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)nn_rng_below(&rng, 256);
        uint32_t sum = crc(bytes, n);
        cr_assert(sum == crc32(0, bytes, (uInt)n));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_assert(crc(bytes, n) != sum);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Two flipped bits: g divides x^d + 1 for d = 2^32 - 1 and for none of the quotients of
   that by its prime factors, and so for no smaller d. */
static uint32_t product(uint32_t a, uint32_t b) // of polynomials, modulo g
{
    uint32_t sum = 0;
    for (int bit = 31; bit >= 0; bit--) {
        sum = sum << 1 ^ (sum >> 31 ? 0x04C11DB7 : 0);
        sum ^= b >> bit & 1 ? a : 0;
    }
    return sum;
}

Test(answers_12, crc_of_two_bits)
{
    const uint32_t divisor[] = {1, 3, 5, 17, 257, 65537};
    for (int i = 0; i < 6; i++) {
        uint32_t power = 1, square = 2;
        for (uint32_t d = UINT32_MAX / divisor[i]; d > 0; d >>= 1) {
            power = d & 1 ? product(power, square) : power;
            square = product(square, square);
        }
        cr_assert((power == 1) == (i == 0));
    }
}

/* The same for the same two numbers, and alike for no others. */
Test(answers_12, epoch_order)
{
    enum { M = 60, SEEDS = 30, EPOCHS = 30 };
    static size_t order[SEEDS * EPOCHS][M];
    size_t again[M];
    for (size_t i = 0; i < SEEDS * EPOCHS; i++) {
        size_t found[M] = {0};
        epoch_order(i / EPOCHS, i % EPOCHS, M, order[i]);
        epoch_order(i / EPOCHS, i % EPOCHS, M, again);
        cr_assert(memcmp(order[i], again, sizeof again) == 0);
        for (size_t s = 0; s < M; s++) {
            cr_assert(order[i][s] < M);
            found[order[i][s]]++;
        }
        for (size_t s = 0; s < M; s++)
            cr_assert(found[s] == 1);
        for (size_t k = 0; k < i; k++)
            cr_assert(memcmp(order[i], order[k], sizeof again) != 0, "%zu and %zu", i, k);
    }
}

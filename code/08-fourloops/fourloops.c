/* Tangled from chapters/08-fourloops.nw: edit there. Sum 1939045570. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o fourloops code/08-fourloops/fourloops.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "90-plumbing/cli.h"
#include "nn/nn.h"

static void must(const struct cli *cli, enum nn_status status)
{
    if (status != NN_OK)
        cli_fail(cli, "%s", nn_status_text(status));
}
static void work(const struct cli *cli)
{
    static const size_t size[] = {2, 2, 2};
    static const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    static const double x[] = {1.0, 0.5}, y[] = {1, 0};
    static const double p[] = {
        0.5, -0.3, 0.2, 0.4, // w of layer 1, row after row
        0.1, -0.2,           // b of layer 1
        0.6, -0.5, -0.4, 0.3, // w of layer 2
        0.2, 0.1,            // b of layer 2
    };
    enum { P = sizeof p / sizeof *p };
    double g[P], cost;
    struct nn nn;
    must(cli, nn_create(&nn, 2, size, sigma));
    memcpy(nn.p, p, sizeof p);
    must(cli, nn_gradient(&nn, 1, x, y, g, &cost));
    printf("forward\n");
    for (int l = 1; l <= 2; l++) {
        struct nn_layer at = nn_layer_at(&nn, l);
        for (size_t j = 0; j < at.n; j++)
            printf("  z%d_%zu = %9.6f   a%d_%zu = %9.6f\n", l, j + 1,
                   nn.z[at.unit + j], l, j + 1, nn.a[at.unit + j]);
    }
    printf("  J = %9.6f\n", cost);
    printf("\nbackward\n");
    for (int l = 2; l >= 1; l--) {
        struct nn_layer at = nn_layer_at(&nn, l);
        for (size_t j = 0; j < at.n; j++)
            printf("  da%d_%zu = %9.6f  dz%d_%zu = %9.6f\n", l, j + 1,
                   nn.da[at.unit + j], l, j + 1, nn.dz[at.unit + j]);

        for (size_t j = 0; j < at.n; j++) {
            for (size_t k = 0; k < at.n_before; k++)
                printf("  dw%d_%zu%zu = %9.6f", l, j + 1, k + 1,
                       g[at.w + j * at.n_before + k]);
            printf("  db%d_%zu = %9.6f\n", l, j + 1, g[at.b + j]);
        }
    }
    const double h = 1e-5;
    nn.p[1] = p[1] + h; // w1_12
    double above = nn_cost(&nn, 1, x, y);
    nn.p[1] = p[1] - h;
    double below = nn_cost(&nn, 1, x, y);
    printf("\nby finite differences\n  h = %g\n"
           "  dw1_12 by h = %9.6f\n", h, (above - below) / (2 * h));
    nn_destroy(&nn);
}
static void nine(const struct cli *cli)
{
    const enum nn_activation sigma[] = {NN_SIGMOID, NN_SIGMOID};
    const double p[] = {0.5, -0.3, 0.2, 0.4, // w11, w12, w21, w22
                        0.1, -0.2,           // b1, b2
                        0.6, -0.5, 0.2};     // v1, v2, c
    const double x[] = {1, 0.5}, y[] = {0};

    double g[9], cost;
    struct nn nn;
    must(cli, nn_create(&nn, 2, (size_t[]){2, 2, 1}, sigma));
    memcpy(nn.p, p, sizeof p);
    must(cli, nn_gradient(&nn, 1, x, y, g, &cost));
    printf("slope by w11 = %.15f\n", g[0]);
    nn_destroy(&nn);
}
static int different(const struct nn *nn)
{
    const double *w = nn->p, *b = nn->p + nn_layer_at(nn, 1).b;
    int n = 0;
    for (size_t j = 0; j < nn->size[1]; j++) {
        size_t i = 0;
        while (i < j && (w[2 * i] != w[2 * j] || b[i] != b[j] ||
                         w[2 * i + 1] != w[2 * j + 1]))
            i++;
        n += i == j;
    }
    return n;
}
static void learn_xor(const struct cli *cli, uint64_t seed,
                      double rate, long steps, int zeros)
{
    static const double x[] = {0, 0, 0, 1, 1, 0, 1, 1};
    static const double y[] = {0, 1, 1, 0};
    const size_t size[] = {2, 3, 1};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(seed);
    double g[13], cost = 0; // 13: all weights and biases
    struct nn nn;
    must(cli, nn_create(&nn, 2, size, sigma));
    if (!zeros)
        nn_randomize(&nn, &rng);
    printf("rate = %g  steps = %ld\n\n step  cost\n", rate, steps);
    for (long i = 0, shown = 0; i <= steps; i++) {
        must(cli, nn_gradient(&nn, 4, x, y, g, &cost));
        if (i == shown || i == steps) {
            printf("%5ld  %.6f\n", i, cost);
            shown = shown ? 10 * shown : 1;
        }
        if (i < steps)
            nn_step(&nn, g, rate);
    }
    printf("\nx1 x2  y  output\n");
    for (int s = 0; s < 4; s++)
        printf(" %.0f  %.0f  %.0f  %.4f\n",
               x[2 * s], x[2 * s + 1], y[s],
               *nn_forward(&nn, x + 2 * s));
    printf("\ncost = %.4f\n", cost);
    printf("different hidden units = %d\n", different(&nn));
    nn_destroy(&nn);
}

int main(int argc, char **argv)
{
    int xor = 0, zeros = 0, by_hand = 0;
    long seed = 1, steps = 2000;
    double rate = 2;
    const struct cli_option options[] = {
        {"xor", "", "learn XOR with a 2-3-1 net",
         CLI_FLAG, &xor, 0, 0},
        {"zeros", "", "the same from parameters zero",
         CLI_FLAG, &zeros, 0, 0},
        {"nine", "", "a slope of chapter 7's nine numbers",
         CLI_FLAG, &by_hand, 0, 0},
        {"seed", "N", "of the random start",
         CLI_WHOLE, &seed, 0, 1e15},
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1e6},
        {"steps", "N", "steps of descent",
         CLI_WHOLE, &steps, 1, 1e9},
    };
    const struct cli cli = {"fourloops", "",
        "Prints every value and every slope of a small net.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (xor || zeros)
        learn_xor(&cli, (uint64_t)seed, rate, steps, zeros);
    else if (by_hand)
        nine(&cli);
    else
        work(&cli);
    cli_finish(&cli);
    return 0;
}

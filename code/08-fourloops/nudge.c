/* Tangled from chapters/90-plumbing.nw: edit there. Sum 2332742844. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o nudge code/08-fourloops/nudge.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/nn.h"

#include "08-fourloops/answers.c"

struct ends {
    long stays, near, beyond; // beyond: neither, off the square
};

static void follow(struct nn *nn, int wanted, struct ends *to)
{
    double x[2] = {0.5, 0.5}, g[13];
    int near = 0;
    sharpen(nn, x, wanted, g);
    for (int s = 0; s < 4; s++)
        near |= ((s >> 1) ^ (s & 1)) == wanted &&
                hypot(x[0] - (s >> 1), x[1] - (s & 1)) < 0.25;
    to->stays += x[0] == 0.5 && x[1] == 0.5;
    to->near += near;
    to->beyond += !near && !(x[0] >= 0 && x[0] <= 1 &&
                             x[1] >= 0 && x[1] <= 1);
}

int main(int argc, char **argv)
{
    long seeds = 200, nudged = 0, learned = 0;
    struct ends to[2] = {0};
    const struct cli_option options[] = {
        {"seeds", "N", "count over so many starts",
         CLI_WHOLE, &seeds, 1, 1e6},
    };
    const struct cli cli = {"nudge", "",
        "Counts the nets of equal units that a nudge lets learn "
        "XOR, and where\nnets that have learned it send their "
        "input.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    for (long seed = 1; seed <= seeds; seed++) {
        struct nn nn;
        enum nn_status status = make_xor_net(&nn, (uint64_t)seed);
        if (status != NN_OK)
            cli_fail(&cli, "%s", nn_status_text(status));
        nudged += equal_start((uint64_t)seed, 0.001) < 0.001;
        if (train_xor_net(&nn) < 0.001) {
            learned++;
            for (int wanted = 0; wanted < 2; wanted++)
                follow(&nn, wanted, &to[wanted]);
        }
        nn_destroy(&nn);
        cli_progress("seeds", (size_t)seed, (size_t)seeds);
    }
    printf("seeds = %ld\n", seeds);
    printf("from equal units, nudged = %ld\n", nudged);
    printf("from random weights = %ld\n\n", learned);
    for (int wanted = 1; wanted >= 0; wanted--)
        printf("the input, for %d:  stays %d = %ld  near %d = %ld  "
               "beyond %d = %ld\n", wanted, wanted, to[wanted].stays,
               wanted, to[wanted].near, wanted, to[wanted].beyond);
    cli_finish(&cli);
    return 0;
}

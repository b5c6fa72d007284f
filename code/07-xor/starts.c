/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3578169402. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o starts code/07-xor/starts.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/rng.h"

#include "07-xor/answers.c"

int main(int argc, char **argv)
{
    long seeds = 100;
    const struct cli_option options[] = {
        {"seeds", "N", "count over so many starts",
         CLI_WHOLE, &seeds, 1, 1e6},
    };
    const struct cli cli = {"starts", "",
        "Counts the random starts that solve XOR.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    const double range[] = {0.5, 1, 2};
    const char *const name[] = {"narrow", "usual", "wide"};
    int n = (int)seeds;
    printf("seeds = %d\n\nstarts between   solved\n", n);
    for (int i = 0; i < 3; i++)
        printf("%4.1f and %3.1f     %s = %.0f\n", -range[i], range[i],
               name[i], success(range[i], n) * n);
    printf("\nhidden neurons   solved\n");
    for (int hidden = 1; hidden <= 5; hidden++)
        printf("%14d   with %d = %.0f\n", hidden, hidden,
               success_hidden(hidden, n) * n);
    cli_finish(&cli);
    return 0;
}

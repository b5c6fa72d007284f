/* Tangled from chapters/00-reading.nw: edit there. Sum 3014246127. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o epsilon code/00-reading/epsilon.c code/90-plumbing/[a-z]*.c -lm */
#include <stdio.h>

#include "90-plumbing/cli.h"

int main(int argc, char **argv)
{
    const struct cli cli = {"epsilon", "",
        "Prints the gap between 1 and the next double.",
        NULL, 0, 0};
    cli_parse(&cli, argc, argv);
    double e = 1;
    while (1 + e / 2 != 1)
        e /= 2;
    printf("e = %.6e\n", e);
    int halvings = 0;
    for (double d = e; d < 1; d *= 2)
        halvings++;
    printf("halvings = %d\n", halvings);
    cli_finish(&cli);
    return 0;
}

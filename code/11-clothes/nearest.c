/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3681092043. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o nearest code/11-clothes/nearest.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/nn.h"
#include "nn/pictures.h"

#include "11-clothes/answers.c"

int main(int argc, char **argv)
{
    long pictures = 1000;
    const struct cli_option options[] = {
        {"pictures", "N", "name so many test pictures",
         CLI_WHOLE, &pictures, 1, 1e9},
    };
    const struct cli cli = {"nearest", "DIR",
        "Names the first test pictures in DIR, each like the "
        "training picture\nthat is nearest.",
        options, sizeof options / sizeof *options, 1};
    struct nn_pictures train, test;
    const char *dir = argv[cli_parse(&cli, argc, argv)];
    load_pictures(&cli, &train, dir, "train");
    load_pictures(&cli, &test, dir, "t10k");
    if (test.rows != train.rows || test.cols != train.cols)
        cli_fail(&cli, "%s: training and test pictures differ in "
                       "size", dir);
    size_t m = (size_t)pictures, right = 0;
    size_t dots = test.rows * test.cols;
    m = m < test.m ? m : test.m;
    for (size_t s = 0; s < m; s++) {
        const uint8_t *dot = test.pixel + s * dots;
        right += nearest_label(&train, dot) == test.label[s];
        cli_progress("pictures", s + 1, m);
    }
    printf("pictures = %zu\n", m);
    printf("named rightly = %.3f\n", (double)right / (double)m);
    nn_pictures_free(&train);
    nn_pictures_free(&test);
    cli_finish(&cli);
    return 0;
}

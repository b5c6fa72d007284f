/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3637865291. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o nearest code/11-clothes/nearest.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/nn.h"
#include "nn/pictures.h"

#include "11-clothes/answers.c"

struct job {
    struct cli cli;
    struct nn_pictures train, test;
    size_t m;    // training pictures used: the first m
    struct nn nn;
    struct nn_rng rng;
    size_t batch;
    double rate;
    size_t *order;      // [m]
    double *x, *y, *g;  // [batch][n_0], [batch][classes], [P]
    double *mean;       // [classes][n_0]
};
static void load(struct job *job, const char *dir,
                 const char *part, struct nn_pictures *set)
{
    struct nn_fault fault;
    enum nn_status status = nn_pictures_load(set, dir, part,
                                             &fault);
    if (status != NN_OK)
        cli_fail(&job->cli, "%s: %s (byte %zu)", fault.path,
                 nn_status_text(status), fault.offset);
}

int main(int argc, char **argv)
{
    long pictures = 1000;
    const struct cli_option options[] = {
        {"pictures", "N", "name so many test pictures",
         CLI_WHOLE, &pictures, 1, 1e9},
    };
    struct job job = {.cli = {"nearest", "DIR",
        "Names the first test pictures in DIR, each like the "
        "training picture\nthat is nearest.",
        options, sizeof options / sizeof *options, 1}};
    const char *dir = argv[cli_parse(&job.cli, argc, argv)];
    load(&job, dir, "train", &job.train);
    load(&job, dir, "t10k", &job.test);
    if (job.test.rows != job.train.rows ||
        job.test.cols != job.train.cols)
        cli_fail(&job.cli, "%s: training and test pictures "
                           "differ in size", dir);
    size_t m = (size_t)pictures, right = 0;
    size_t dots = job.test.rows * job.test.cols;
    m = m < job.test.m ? m : job.test.m;
    for (size_t s = 0; s < m; s++) {
        const uint8_t *dot = job.test.pixel + s * dots;
        right += nearest_label(&job.train, dot) == job.test.label[s];
        cli_progress("pictures", s + 1, m);
    }
    printf("pictures = %zu\n", m);
    printf("named rightly = %.3f\n", (double)right / (double)m);
    nn_pictures_free(&job.train);
    nn_pictures_free(&job.test);
    cli_finish(&job.cli);
    return 0;
}

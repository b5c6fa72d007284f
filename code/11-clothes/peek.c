/* Tangled from chapters/11-clothes.nw: edit there. Sum 2790971830. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o peek code/11-clothes/peek.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/nn.h"
#include "nn/pictures.h"

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
static size_t net_answer(struct job *job, const double *x)
{
    const double *a = nn_forward(&job->nn, x);
    size_t best = 0;
    for (size_t c = 1; c < job->train.classes; c++)
        if (a[c] > a[best])
            best = c;
    return best;
}
static double train_epoch(struct job *job, size_t epoch)
{
    double sum = 0, cost;
    nn_rng_shuffle(&job->rng, job->order, job->m);
    for (size_t first = 0; first < job->m; first += job->batch) {
        size_t b = job->m - first < job->batch ? job->m - first
                                               : job->batch;
        size_t n = job->nn.size[0], classes = job->train.classes;
        for (size_t i = 0; i < b; i++)
            nn_pictures_fetch(&job->train, job->order[first + i],
                              job->x + i * n, job->y + i * classes);
        enum nn_status status = nn_gradient(
            &job->nn, b, job->x, job->y, job->g, &cost);
        if (status != NN_OK)
            cli_fail(&job->cli, "epoch %zu, picture %zu: %s",
                     epoch, first, nn_status_text(status));
        nn_step(&job->nn, job->g, job->rate / (double)epoch);
        sum += cost * (double)b;
        if ((first / job->batch) % 200 == 0 || first + b == job->m)
            cli_progress("training, pictures of this epoch",
                         first + b, job->m);
    }
    return sum / (double)job->m;
}
static void make_room(struct job *job, size_t hidden)
{
    size_t n = job->train.rows * job->train.cols;
    size_t classes = job->train.classes;
    size_t size[] = {n, hidden, classes};
    enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    int layers = 2;
    if (hidden == 0) {
        size[1] = classes;
        sigma[0] = NN_SIGMOID;
        layers = 1;
    }
    enum nn_status status = nn_create(&job->nn, layers, size,
                                      sigma);
    if (status != NN_OK)
        cli_fail(&job->cli, "%zu hidden units: %s", hidden,
                 nn_status_text(status));
    nn_randomize(&job->nn, &job->rng);
    job->order = calloc(job->m, sizeof *job->order);
    job->x = calloc(job->batch, n * sizeof *job->x);
    job->y = calloc(job->batch, classes * sizeof *job->y);
    job->g = calloc(job->nn.params, sizeof *job->g);
    job->mean = calloc(classes, n * sizeof *job->mean);
    if (!job->order || !job->x || !job->y || !job->g ||
        !job->mean)
        cli_fail(&job->cli, "%s", nn_status_text(NN_NO_MEMORY));
    for (size_t s = 0; s < job->m; s++)
        job->order[s] = s;
}
static void free_room(struct job *job)
{
    free(job->order);
    free(job->x);
    free(job->y);
    free(job->g);
    free(job->mean);
    nn_destroy(&job->nn);
}
struct peeking {
    struct nn_rng rng;
    size_t nets, pictures;
    uint8_t *right; // [nets][pictures]: named rightly or not
    size_t *order;  // [pictures]
};
static void peek(struct peeking *p, size_t n, double *seen,
                 double *honest)
{
    size_t best = 0, most = 0, rest = 0;
    nn_rng_shuffle(&p->rng, p->order, p->pictures);
    for (size_t i = 0; i < p->nets; i++) {
        const uint8_t *right = p->right + i * p->pictures;
        size_t sum = 0;
        for (size_t s = 0; s < n; s++)
            sum += right[p->order[s]];
        if (i == 0 || sum > most) {
            most = sum;
            best = i;
        }
    }
    for (size_t s = n; s < p->pictures; s++)
        rest += p->right[best * p->pictures + p->order[s]];
    *seen += (double)most / (double)n;
    *honest += (double)rest / (double)(p->pictures - n);
}

int main(int argc, char **argv)
{
    struct job job = {.cli = {"peek", "DIR",
        "Trains nets on some of the pictures in DIR, and keeps the "
        "one that\nis best on others: how much is it flattered?",
        NULL, 0, 1}, .batch = 10, .rate = 3};
    const char *dir = argv[cli_parse(&job.cli, argc, argv)];
    enum { NETS = 20, HIDDEN = 30, EPOCHS = 3, LEARNED = 3000,
           PICTURES = 10000, DRAWS = 5000 };
    struct peeking p = {nn_rng_seeded(1), NETS, PICTURES, NULL, NULL};
    load_pictures(&job.cli, &job.train, dir, "train");
    if (job.train.m <= PICTURES)
        cli_fail(&job.cli, "%s: %zu pictures, not more than %d", dir,
                 job.train.m, PICTURES);
    job.m = job.train.m - PICTURES < LEARNED
                ? job.train.m - PICTURES : LEARNED;
    p.right = calloc(NETS, PICTURES);
    p.order = calloc(PICTURES, sizeof *p.order);
    if (!p.right || !p.order)
        cli_fail(&job.cli, "%s", nn_status_text(NN_NO_MEMORY));
    for (size_t s = 0; s < PICTURES; s++)
        p.order[s] = s;
    for (size_t i = 0; i < NETS; i++) {
        job.rng = nn_rng_seeded(i + 1);
        make_room(&job, HIDDEN);
        for (size_t epoch = 1; epoch <= EPOCHS; epoch++)
            train_epoch(&job, epoch);
        for (size_t s = 0; s < PICTURES; s++) {
            size_t at = job.train.m - PICTURES + s;
            nn_pictures_x(&job.train, at, job.x);
            p.right[i * PICTURES + s] =
                net_answer(&job, job.x) == job.train.label[at];
        }
        free_room(&job);
        cli_progress("nets", i + 1, NETS);
    }
    printf("nets = %d  pictures = %d  draws = %d\n\n", NETS, PICTURES,
           DRAWS);
    printf("chosen by  score there  on the rest\n");
    for (size_t n = 100; n <= 5000; n = n == 1000 ? 5000 : 10 * n) {
        double seen = 0, honest = 0;
        for (int i = 0; i < DRAWS; i++)
            peek(&p, n, &seen, &honest);
        printf("%9zu       %.4f       %.4f  "
               "flattered at %zu = %.4f\n", n, seen / DRAWS,
               honest / DRAWS, n, (seen - honest) / DRAWS);
    }
    free(p.right);
    free(p.order);
    nn_pictures_free(&job.train);
    cli_finish(&job.cli);
    return 0;
}

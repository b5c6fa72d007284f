/* Tangled from chapters/13-stall.nw: edit there. Sum 1891321930. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o deep code/13-stall/deep.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/init.h"
#include "nn/pictures.h"
#include "nn/train.h"
#include "nn/watch.h"

struct job {
    struct cli cli;
    struct nn_pictures set;
    int depth;
    size_t wide, m, held, epochs;
    double *x; // [n_0]
};

struct outcome {
    enum nn_status status;
    struct nn_now now;
    double score, dead; // shares: right answers, dead units
};
static int show(void *context, const struct nn_now *now)
{
    (void)context;
    cli_progress("steps of this net", now->step, now->steps);
    return 0;
}

static void stop_unless(struct job *job, enum nn_status status)
{
    if (status != NN_OK)
        cli_fail(&job->cli, "%s", nn_status_text(status));
}

static void make_net(struct job *job, struct nn *nn,
                     enum nn_activation bend)
{
    size_t L = (size_t)job->depth;
    size_t *size = calloc(L + 1, sizeof *size);
    enum nn_activation *sigma = calloc(L, sizeof *sigma);
    if (!size || !sigma)
        stop_unless(job, NN_NO_MEMORY);
    for (size_t l = 0; l < L; l++) {
        size[l] = job->wide;
        sigma[l] = bend;
    }
    size[0] = job->set.rows * job->set.cols;
    size[L] = job->set.classes;
    sigma[L - 1] = NN_IDENTITY;
    stop_unless(job, nn_create(nn, job->depth, size, sigma));
    nn->loss = NN_CROSS_ENTROPY;
    free(size);
    free(sigma);
}
static void look_at(struct job *job, struct nn *nn,
                    struct outcome *out)
{
    size_t right = 0, dead = 0, hidden = 0;
    size_t *active = calloc(job->wide, sizeof *active);
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    if (!active)
        stop_unless(job, NN_NO_MEMORY);
    for (int l = 1; l < nn->layers; l++) {
        for (size_t j = 0; j < job->wide; j++)
            active[j] = 0;
        for (size_t s = job->set.m - job->held; s < job->set.m;
             s++) {
            nn_pictures_x(&job->set, s, job->x);
            nn_count_active(nn, l, 1, job->x, active);
            const double *a = nn->a + last.unit;
            size_t said = 0;
            for (size_t c = 1; c < last.n; c++)
                if (a[c] > a[said])
                    said = c;
            right += l == 1 && said == job->set.label[s];
        }
        for (size_t j = 0; j < job->wide; j++, hidden++)
            dead += !active[j];
    }
    out->score = (double)right / (double)job->held;
    out->dead = (double)dead / (double)hidden;
    free(active);
}
static struct outcome learn(struct job *job,
                            enum nn_activation bend,
                            enum nn_init init,
                            enum nn_method method, double rate,
                            double clip)
{
    struct outcome out = {0};
    struct nn nn;
    struct nn_optimizer o;
    struct nn_rng rng = nn_rng_seeded(1);
    make_net(job, &nn, bend);
    nn_initialize(&nn, init, &rng);
    stop_unless(job, nn_optimizer_create(&o, method, nn.params));
    struct nn_samples samples = {job->m, nn_pictures_fetch,
                                 &job->set};
    struct nn_training how = {
        .epochs = job->epochs, .batch = 10, .rate = rate,
        .clip = clip, .rng = &rng, .after = show};
    out.status = nn_train(&nn, &samples, &o, &how, &out.now);
    if (out.status != NN_NOT_FINITE) {
        stop_unless(job, out.status);
        look_at(job, &nn, &out);
    }
    nn_optimizer_destroy(&o);
    nn_destroy(&nn);
    return out;
}
static void compare_kinds(struct job *job)
{
    static const enum nn_activation bends[] = {
        NN_SIGMOID, NN_TANH, NN_RELU};
    static const char *const bend_names[] = {
        "sigmoid", "tanh", "relu"};
    static const char *const init_names[] = {
        "small", "glorot", "he"};
    printf("net              descent    adam\n");
    for (int i = 0; i < 9; i++) {
        enum nn_init init = (enum nn_init)(i % 3);
        struct outcome plain = learn(job, bends[i / 3], init,
                                     NN_DESCENT, 0.03, 0);
        struct outcome adam = learn(job, bends[i / 3], init,
                                    NN_ADAM, 0.001, 0);
        printf("%-8s%-8s  %.3f   %.3f\n", bend_names[i / 3],
               init_names[i % 3], plain.score, adam.score);
        cli_finish(&job->cli);
    }
}
static void print_outcome(const struct outcome *out, int width)
{
    char text[64 + NN_NAME];
    snprintf(text, sizeof text, "%.3f  %5.3f", out->score,
             out->dead);
    if (out->status != NN_OK)
        snprintf(text, sizeof text, "%s at step %zu",
                 out->now.born, out->now.step);
    printf("%-*s", width, text);
}

static void compare_rates(struct job *job)
{
    enum { RATES = 6 };
    static const double rates[RATES] = {0.003, 0.01, 0.03, 0.1,
                                        0.3, 1};
    struct outcome plain[RATES], best = {0};
    double best_rate = 0;
    printf("         as it is%22sclipped\n", "");
    printf(" rate    score   dead%18sscore   dead\n", "");
    for (int i = 0; i < RATES; i++) {
        struct outcome clipped = learn(job, NN_RELU, NN_HE,
                                       NN_DESCENT, rates[i], 1);
        plain[i] = learn(job, NN_RELU, NN_HE, NN_DESCENT,
                         rates[i], 0);
        if (plain[i].score > best.score) {
            best = plain[i];
            best_rate = rates[i];
        }
        printf("%5g    ", rates[i]);
        print_outcome(&plain[i], 30);
        print_outcome(&clipped, 0);
        putchar('\n');
        cli_finish(&job->cli);
    }
    printf("#values:\nbest rate = %g  dead at best = %.3f\n",
           best_rate, best.dead);
    for (int i = 0; i < RATES; i++)
        if (plain[i].status != NN_OK)
            printf("born at %g = %s\n", rates[i],
                   plain[i].now.born);
}

int main(int argc, char **argv)
{
    static struct job job;
    long depth = 20, wide = 30, pictures = 3000, hold = 2000;
    long epochs = 3;
    int rates = 0;
    const struct cli_option options[] = {
        {"depth", "L", "layers", CLI_WHOLE, &depth, 2, 1000},
        {"wide", "N", "units in each hidden layer",
         CLI_WHOLE, &wide, 1, 10000},
        {"pictures", "N", "learn from the first N pictures",
         CLI_WHOLE, &pictures, 1, 1e9},
        {"hold", "N", "score on the last N pictures",
         CLI_WHOLE, &hold, 1, 1e9},
        {"epochs", "N", "walks over the pictures",
         CLI_WHOLE, &epochs, 1, 1e6},
        {"rates", "", "ReLUs at several rates, clipped or not",
         CLI_FLAG, &rates, 0, 0},
    };
    job.cli = (struct cli){"deep", "DIR",
        "Lets deep nets learn the pictures in DIR, by kind or by "
        "rate.", options, sizeof options / sizeof *options, 1};
    const char *dir = argv[cli_parse(&job.cli, argc, argv)];
    load_pictures(&job.cli, &job.set, dir, "train");
    job.depth = (int)depth;
    job.wide = (size_t)wide;
    job.m = (size_t)pictures;
    job.held = (size_t)hold;
    job.epochs = (size_t)epochs;
    if (job.held >= job.set.m || job.m > job.set.m - job.held)
        cli_fail(&job.cli, "%s: %zu pictures, fewer than --pictures "
                           "and --hold together", dir, job.set.m);
    job.x = calloc(job.set.rows, job.set.cols * sizeof *job.x);
    if (!job.x)
        stop_unless(&job, NN_NO_MEMORY);
    printf("pictures = %zu  held out = %zu  epochs = %zu\n", job.m,
           job.held, job.epochs);
    printf("depth = %d  wide = %zu\n\n", job.depth, job.wide);
    if (rates)
        compare_rates(&job);
    else
        compare_kinds(&job);
    free(job.x);
    nn_pictures_free(&job.set);
    cli_finish(&job.cli);
    return 0;
}

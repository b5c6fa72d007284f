/* Tangled from chapters/11-clothes.nw: edit there. Sum 1909422971. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o clothes code/11-clothes/clothes.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static void find_means(struct job *job)
{
    size_t n = job->nn.size[0], count[256] = {0};
    for (size_t s = 0; s < job->m; s++) {
        size_t c = job->train.label[s];
        nn_pictures_x(&job->train, s, job->x);
        count[c]++;
        for (size_t k = 0; k < n; k++)
            job->mean[c * n + k] += job->x[k];
    }
    for (size_t c = 0; c < job->train.classes; c++) {
        double m = count[c] ? (double)count[c] : 1;
        for (size_t k = 0; k < n; k++)
            job->mean[c * n + k] /= m;
    }
}
static size_t nearest_mean(struct job *job, const double *x)
{
    size_t n = job->nn.size[0], best = 0;
    double least = (double)INFINITY;
    for (size_t c = 0; c < job->train.classes; c++) {
        double d = 0;
        for (size_t k = 0; k < n; k++) {
            double e = x[k] - job->mean[c * n + k];
            d += e * e;
        }
        if (d < least) {
            least = d;
            best = c;
        }
    }
    return best;
}
static size_t net_answer(struct job *job, const double *x)
{
    const double *a = nn_forward(&job->nn, x);
    size_t best = 0;
    for (size_t c = 1; c < job->train.classes; c++)
        if (a[c] > a[best])
            best = c;
    return best;
}
typedef size_t answer_fn(struct job *job, const double *x);

static size_t count_right(struct job *job,
                          const struct nn_pictures *set,
                          size_t first, answer_fn *answer,
                          size_t *confusion)
{
    size_t right = 0;
    for (size_t s = first; s < set->m; s++) {
        nn_pictures_x(set, s, job->x);
        size_t said = answer(job, job->x), label = set->label[s];
        right += said == label;
        if (confusion)
            confusion[label * job->train.classes + said]++;
    }
    return right;
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
static void print_confusion(size_t classes,
                            const size_t *confusion)
{
    printf("\nlabel  named as\n     ");
    for (size_t c = 0; c < classes; c++)
        printf(" %5zu", c);
    for (size_t label = 0; label < classes; label++) {
        printf("\n%5zu", label);
        for (size_t c = 0; c < classes; c++)
            printf(" %5zu", confusion[label * classes + c]);
    }
    putchar('\n');
}
static void print_mixed_up(size_t classes,
                           const size_t *confusion)
{
    size_t most = 0, first = 0, second = 0, apart = 0;
    double widest = -1, recall = 0, precision = 0;
    for (size_t c = 0; c < classes; c++) {
        size_t row = 0, col = 0;
        for (size_t d = 0; d < classes; d++) {
            size_t there = confusion[c * classes + d];
            size_t back = confusion[d * classes + c];
            row += there;
            col += back;
            if (d > c && there + back > most) {
                most = there + back;
                first = c;
                second = d;
            }
        }
        double right = (double)confusion[c * classes + c];
        double r = row ? right / (double)row : 0;
        double p = col ? right / (double)col : 0;
        if (row && col && fabs(r - p) > widest) {
            widest = fabs(r - p);
            apart = c;
            recall = r;
            precision = p;
        }
    }
    printf("\nmixed up most = %zu  with = %zu\n", first, second);
    printf("#values:\nfurthest apart = %zu  its recall = %.3f  "
           "its precision = %.3f\n", apart, recall, precision);
}
/* Writes HEAD and N numbers of SIZE bytes at P. */
static void write_file(const struct cli *cli, const char *path,
                       const char *head, const void *p,
                       size_t size, size_t n)
{
    FILE *file = fopen(path, "wb");
    int ok = file && fputs(head, file) >= 0 &&
             fwrite(p, size, n, file) == n;
    int why = errno;
    if (file && fclose(file) != 0 && ok) {
        why = errno;
        ok = 0;
    }
    if (!ok)
        cli_fail(cli, "%s: %s", path, strerror(why));
}

static void write_pgm(struct job *job, const char *path,
                      size_t width, size_t rows,
                      const uint8_t *bytes)
{
    char head[60];
    snprintf(head, sizeof head, "P5\n%zu %zu\n255\n", width,
             rows);
    write_file(&job->cli, path, head, bytes, width, rows);
}
enum { SHOWN = 8 };

static void save_wrong(struct job *job, size_t first,
                       const char *path)
{
    const struct nn_pictures *set = &job->test;
    size_t rows = set->rows, cols = set->cols;
    size_t shown = 0, width = SHOWN * cols;
    uint8_t *strip = calloc(rows, width);
    if (!strip)
        cli_fail(&job->cli, "%s", nn_status_text(NN_NO_MEMORY));
    putchar('\n');
    for (size_t s = first; s < set->m && shown < SHOWN; s++) {
        nn_pictures_x(set, s, job->x);
        size_t said = net_answer(job, job->x);
        size_t label = set->label[s];
        if (said == label)
            continue;
        for (size_t i = 0; i < rows; i++)
            memcpy(strip + i * width + shown * cols,
                   set->pixel + (s * rows + i) * cols, cols);
        shown++;
        printf("wrong %zu at = %-4zu  wrong %zu label = %zu  "
               "wrong %zu said = %zu\n",
               shown, s, shown, label, shown, said);
    }
    write_pgm(job, path, width, rows, strip);
    free(strip);
}
enum { UNITS = 10 };

static void save_weights(struct job *job, const char *path)
{
    size_t rows = job->train.rows, cols = job->train.cols;
    size_t units = job->nn.size[1] < UNITS ? job->nn.size[1]
                                           : UNITS;
    size_t width = units * cols;
    uint8_t *strip = calloc(rows, width);
    if (!strip)
        cli_fail(&job->cli, "%s", nn_status_text(NN_NO_MEMORY));
    for (size_t j = 0; j < units; j++) {
        const double *w = job->nn.p + j * rows * cols;
        double most = 0;
        for (size_t k = 0; k < rows * cols; k++)
            most = fmax(most, fabs(w[k]));
        for (size_t k = 0; k < rows * cols; k++) {
            double grey = most > 0 ? 127.5 * (1 + w[k] / most)
                                   : 127.5;
            strip[k / cols * width + j * cols + k % cols] =
                (uint8_t)grey;
        }
    }
    write_pgm(job, path, width, rows, strip);
    free(strip);
}

int main(int argc, char **argv)
{
    long hidden = 30, epochs = 6, batch = 10, seed = 1, hold = 0;
    int cheat = 0, curve = 0, brief = 0;
    double rate = 3;
    const char *wrong = NULL, *weights_file = NULL;
    const struct cli_option options[] = {
        {"hidden", "N", "hidden units; 0: a linear model",
         CLI_WHOLE, &hidden, 0, 100000},
        {"epochs", "N", "walks over all pictures",
         CLI_WHOLE, &epochs, 0, 1e6},
        {"batch", "N", "pictures to a step",
         CLI_WHOLE, &batch, 1, 1e6},
        {"rate", "R", "the learning rate",
         CLI_REAL, &rate, 0, 1000},
        {"seed", "N", "of the random numbers",
         CLI_WHOLE, &seed, 0, 1e15},
        {"hold", "N", "score on the last N training pictures",
         CLI_WHOLE, &hold, 0, 1e9},
        {"cheat", "", "train on the test pictures",
         CLI_FLAG, &cheat, 0, 0},
        {"curve", "", "score after each epoch; needs --hold",
         CLI_FLAG, &curve, 0, 0},
        {"brief", "", "print the last cost and the scores only",
         CLI_FLAG, &brief, 0, 0},
        {"wrong", "FILE", "save wrongly named pictures as PGM",
         CLI_TEXT, &wrong, 0, 0},
        {"weights", "FILE", "save weights of the first units as PGM",
         CLI_TEXT, &weights_file, 0, 0},
    };
    struct job job = {.cli = {"clothes", "DIR",
        "Learns the labelled pictures in DIR, "
        "four IDX files of the MNIST\n"
        "family, and is tested on the others there.",
        options, sizeof options / sizeof *options, 1}};
    const char *dir = argv[cli_parse(&job.cli, argc, argv)];
    if (curve && !hold)
        cli_usage(&job.cli, "--curve needs --hold: the test pictures "
                            "are for the end");
    job.rng = nn_rng_seeded((uint64_t)seed);
    job.batch = (size_t)batch;
    job.rate = rate;
    load_pictures(&job.cli, &job.train, dir,
                  cheat ? "t10k" : "train");
    load_pictures(&job.cli, &job.test, dir,
                  hold && !cheat ? "train" : "t10k");
    if (job.test.rows != job.train.rows ||
        job.test.cols != job.train.cols ||
        job.test.classes > job.train.classes)
        cli_fail(&job.cli, "%s: training and test pictures differ "
                           "in size or classes", dir);
    if ((size_t)hold >= job.train.m)
        cli_fail(&job.cli,
                 "--hold %ld leaves no picture to learn from", hold);
    job.m = job.train.m - (size_t)hold;
    size_t first = hold ? job.m : 0, tested = job.test.m - first;
    make_room(&job, (size_t)hidden);
    if (!curve) {
        printf("hidden = %ld  batch = %ld  rate = %g\n", hidden,
               batch, rate);
        printf("training pictures = %zu\n", job.m);
        printf("epochs = %ld\n", epochs);
        printf("test pictures = %zu\n", tested);
        printf("parameters = %zu\n", job.nn.params);
    }
    if (!curve) {
        find_means(&job);
        size_t right = count_right(&job, &job.test, first,
                                   nearest_mean, NULL);
        printf("baseline on test = %.4f\n\n",
               (double)right / (double)tested);
    }
    printf(curve ? "epoch cost learned held\n" : "epoch  cost\n");
    for (long epoch = 1; epoch <= epochs; epoch++) {
        double cost = train_epoch(&job, (size_t)epoch);
        if (brief && epoch < epochs)
            continue;
        printf("%5ld  %.6f", epoch, cost);
        if (curve) {
            struct nn_pictures learned = job.train;
            learned.m = tested < job.m ? tested : job.m;
            printf("  %.4f  %.4f",
                   (double)count_right(&job, &learned, 0, net_answer, NULL) /
                       (double)learned.m,
                   (double)count_right(&job, &job.test, first, net_answer,
                                       NULL) / (double)tested);
        }
        putchar('\n');
        cli_finish(&job.cli);
    }
    if (!curve) {
        size_t classes = job.train.classes;
        size_t *confusion = calloc(classes * classes, sizeof *confusion);
        if (!confusion)
            cli_fail(&job.cli, "%s", nn_status_text(NN_NO_MEMORY));
        size_t right = count_right(&job, &job.test, first,
                                   net_answer, confusion);
        printf("\nnet on test = %.4f\n", (double)right / (double)tested);
        if (cheat) {
            struct nn_pictures fresh;
            load_pictures(&job.cli, &fresh, dir, "train");
            right = count_right(&job, &fresh, 0, net_answer, NULL);
            printf("net on new pictures = %.4f\n",
                   (double)right / (double)fresh.m);
            nn_pictures_free(&fresh);
        }
        if (!brief) {
            print_confusion(classes, confusion);
            print_mixed_up(classes, confusion);
        }
        if (wrong)
            save_wrong(&job, first, wrong);
        if (weights_file)
            save_weights(&job, weights_file);
        free(confusion);
    }
    free_room(&job);
    nn_pictures_free(&job.train);
    nn_pictures_free(&job.test);
    cli_finish(&job.cli);
    return 0;
}

/* The net in FANN: fann DIR WEIGHTS, as a competitor of bench. FANN steps after every
   picture (incremental training), so a batch of B is B steps, and B does not matter.
   It has no ReLU and no softmax: its sigmoid in steps and the squared cost stand for them
   (a linear piece, cut off below 0 and above 1, is no faster and hardly learns). The rate
   is the same. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>

#if !__has_include(<floatfann.h>)
int main(void)
{
    fputs("libfann-dev is missing: make deps-bench\n", stderr);
    return 1;
}
#else
#include <floatfann.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nn/pictures.h"

enum { INPUTS = 784, HIDDEN = 128, CLASSES = 10 };
enum { WEIGHTS = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * CLASSES };

struct set {
    size_t m;
    float *x, *y; // [m][INPUTS], [m][CLASSES]
};

static _Noreturn void fail(const char *path, const char *what)
{
    fprintf(stderr, "%s%s%s\n", path, *path ? ": " : "", what);
    exit(1);
}

static struct set load(const char *dir, const char *part)
{
    struct nn_pictures p;
    struct nn_fault fault;
    enum nn_status status = nn_pictures_load(&p, dir, part, &fault);
    if (status != NN_OK)
        fail(fault.path, nn_status_text(status));
    if (p.rows * p.cols != INPUTS || p.classes != CLASSES)
        fail(dir, "not 784 dots and 10 classes");
    struct set set = {p.m, calloc(p.m, INPUTS * sizeof(float)), calloc(p.m, CLASSES * sizeof(float))};
    if (!set.x || !set.y)
        fail("", "out of memory");
    for (size_t i = 0; i < p.m * INPUTS; i++)
        set.x[i] = (float)p.pixel[i] / 255;
    for (size_t s = 0; s < p.m; s++)
        set.y[s * CLASSES + p.label[s]] = 1;
    nn_pictures_free(&p);
    return set;
}

/* The file has the weights of a layer, then its biases; FANN has each unit's bias behind
   the weights of the unit. */
static void read_weights(const char *path, float *w)
{
    FILE *file = fopen(path, "rb");
    float p[WEIGHTS];
    if (!file || fread(p, sizeof p, 1, file) != 1 || fgetc(file) != EOF)
        fail(path, "not the weights of 784-128-10");
    fclose(file);
    const float *from = p;
    const int size[] = {INPUTS, HIDDEN, CLASSES};
    for (int l = 1; l <= 2; l++) {
        int before = size[l - 1], n = size[l];
        for (int j = 0; j < n; j++, w += before + 1) {
            memcpy(w, from + j * before, (size_t)before * sizeof *w);
            w[before] = from[n * before + j];
        }
        from += n * (before + 1);
    }
}

static struct fann *make(const float *weights)
{
    struct fann *ann = fann_create_standard(3, INPUTS, HIDDEN, CLASSES);
    if (!ann || fann_get_total_connections(ann) != WEIGHTS)
        fail("", "FANN cannot make the net");
    fann_set_activation_function_hidden(ann, FANN_SIGMOID_STEPWISE);
    fann_set_activation_function_output(ann, FANN_SIGMOID_STEPWISE);
    fann_set_activation_steepness_hidden(ann, 1);
    fann_set_activation_steepness_output(ann, 1);
    fann_set_training_algorithm(ann, FANN_TRAIN_INCREMENTAL);
    fann_set_train_error_function(ann, FANN_ERRORFUNC_LINEAR);
    fann_set_learning_rate(ann, 0.1f);
    memcpy(ann->weights, weights, WEIGHTS * sizeof *weights);
    return ann;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double right(struct fann *ann, const struct set *test)
{
    size_t n = 0;
    for (size_t s = 0; s < test->m; s++) {
        const float *a = fann_run(ann, test->x + s * INPUTS);
        int most = 0;
        for (int j = 1; j < CLASSES; j++)
            if (a[j] > a[most])
                most = j;
        n += test->y[s * CLASSES + (size_t)most] == 1;
    }
    return (double)n / (double)test->m;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: fann DIR WEIGHTS\n", stderr);
        return 2;
    }
    struct set train = load(argv[1], "train"), test = load(argv[1], "t10k");
    static float weights[WEIGHTS];
    read_weights(argv[2], weights);
    struct fann *ann = make(weights);
    char line[100], what[10];
    size_t size, batches, pictures, s = 0;
    printf("ready FANN 2.2, float, a step after each picture\n");
    fflush(stdout);

    while (fgets(line, sizeof line, stdin)) {
        int epoch = sscanf(line, "%9s %zu %zu", what, &size, &batches) == 2;
        pictures = epoch ? train.m : size * batches;
        if (epoch) {
            fann_destroy(ann);
            ann = make(weights);
            s = 0;
        }
        double start = now();
        for (size_t i = 0; i < pictures; i++, s = s + 1 < train.m ? s + 1 : 0)
            fann_train(ann, train.x + s * INPUTS, train.y + s * CLASSES);
        double seconds = now() - start;
        printf(epoch ? "%.4f\n" : "%.9f\n", epoch ? right(ann, &test) : seconds);
        fflush(stdout);
    }
    fann_destroy(ann);
    free(train.x);
    free(train.y);
    free(test.x);
    free(test.y);
    return 0;
}
#endif

/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1887425970. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o predict code/12-well/predict.c code/tools/[a-z]*.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -ljansson -lpng -lz -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "90-plumbing/cli.h"
#include "nn/file.h"
#include "nn/idx.h"
#include "nn/status.h"
#include "tools/model.h"
#include "tools/picture.h"

struct question {
    struct cli cli;
    const char *model_path;
    struct nn_model model;
    double *x, *p;       // [n_0], [n_L]
    long first, pictures; // of an IDX file
};
static void fail_unless(const struct cli *cli,
                        enum nn_status status,
                        const struct nn_model_fault *fault)
{
    char text[NN_MODEL_TEXT];
    if (status == NN_OK)
        return;
    nn_model_explain(status, fault, text);
    cli_fail(cli, "%s", text);
}

static void load_model(const struct cli *cli,
                       struct nn_model *model, const char *path)
{
    struct nn_model_fault fault;
    fail_unless(cli, nn_model_load(model, path, &fault), &fault);
}
/* Returns p [n_L]: the probabilities of the classes,
   or with the squared cost the outputs. x [n_0] is room. */
static double *ask(struct nn_model *model, const uint8_t *pixel,
                   double *x, double *p)
{
    struct nn *nn = &model->nn;
    size_t n_out = nn->size[nn->layers];
    for (size_t k = 0; k < nn->size[0]; k++)
        x[k] = (pixel[k] - model->offset) / model->scale;
    const double *a = nn_forward(nn, x);
    if (nn->loss == NN_CROSS_ENTROPY)
        nn_softmax(n_out, a, p);
    else
        memcpy(p, a, n_out * sizeof *p);
    return p;
}
static void print_best(struct question *q, const uint8_t *pixel)
{
    const struct nn *nn = &q->model.nn;
    size_t n = nn->size[nn->layers], shown = n < 3 ? n : 3;
    double *p = ask(&q->model, pixel, q->x, q->p);
    for (size_t i = 0; i < shown; i++) {
        size_t best = 0;
        for (size_t c = 1; c < n; c++)
            if (p[c] > p[best])
                best = c;
        printf("%s %zu %s%s%.4f", i ? "," : "", best,
               q->model.classes ? q->model.classes[best] : "",
               q->model.classes ? " " : "", p[best]);
        p[best] = -(double)INFINITY; // taken
    }
    putchar('\n');
}
static void see_size(const struct question *q, const char *path,
                     size_t rows, size_t cols)
{
    const struct nn_model *model = &q->model;
    if (rows != model->rows || cols != model->cols)
        cli_fail(&q->cli, "%s: %zu x %zu pixels; the net in %s "
                 "takes %zu x %zu", path, rows, cols,
                 q->model_path, model->rows, model->cols);
}

static void predict_idx(struct question *q, const char *path,
                        const uint8_t *bytes, size_t length)
{
    struct nn_idx idx;
    size_t offset, first = (size_t)q->first;
    enum nn_status status = nn_idx_parse(bytes, length, &idx,
                                         &offset);
    if (status != NN_OK)
        cli_fail(&q->cli, "%s: %s (byte %zu)", path,
                 nn_status_text(status), offset);
    if (idx.dims != 3)
        cli_fail(&q->cli, "%s: no pictures: of %zu dimension%s",
                 path, idx.dims, idx.dims == 1 ? "" : "s");
    see_size(q, path, idx.size[1], idx.size[2]);
    if (first >= idx.size[0])
        cli_fail(&q->cli, "%s: %zu pictures, no picture %zu",
                 path, idx.size[0], first);

    size_t n = idx.size[1] * idx.size[2], end = idx.size[0];
    if (q->pictures && (size_t)q->pictures < end - first)
        end = first + (size_t)q->pictures;
    printf("%s\n", path);
    for (size_t s = first; s < end; s++) {
        printf("%5zu:", s);
        print_best(q, idx.data + s * n);
    }
}

static void predict(struct question *q, const char *path)
{
    enum { MOST_BYTES = 1 << 30 };
    struct nn_picture picture;
    uint8_t *bytes;
    size_t length, offset = 0;
    enum nn_status status = nn_file_read(path, MOST_BYTES, &bytes,
                                         &length);
    if (status != NN_OK)
        cli_fail(&q->cli, "%s: %s", path, nn_status_text(status));
    if (length > 1 && bytes[0] == 0 && bytes[1] == 0) {
        predict_idx(q, path, bytes, length);
    } else {
        status = nn_picture_parse(bytes, length, &picture,
                                  &offset);
        if (status != NN_OK)
            cli_fail(&q->cli, "%s: %s (byte %zu)", path,
                     nn_status_text(status), offset);
        see_size(q, path, picture.rows, picture.cols);
        printf("%s:", path);
        print_best(q, picture.pixel);
        nn_picture_free(&picture);
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    static struct question q;
    const struct cli_option options[] = {
        {"first", "N", "begin with picture N of an IDX file",
         CLI_WHOLE, &q.first, 0, 1e9},
        {"pictures", "N", "at most so many of an IDX file; 0: all",
         CLI_WHOLE, &q.pictures, 0, 1e9},
    };
    q.cli = (struct cli){"predict", "MODEL IMAGE...",
        "Asks the net in MODEL what the pictures show: IDX files, "
        "PGM or PNG.\nPrints the three most probable classes, and "
        "how probable each is (the\noutputs, if the net has learned "
        "by the squared cost).",
        options, sizeof options / sizeof *options, -2};
    int operand = cli_parse(&q.cli, argc, argv);
    q.model_path = argv[operand++];
    load_model(&q.cli, &q.model, q.model_path);
    q.x = calloc(q.model.nn.size[0], sizeof *q.x);
    q.p = calloc(q.model.nn.size[q.model.nn.layers], sizeof *q.p);
    if (!q.x || !q.p)
        cli_fail(&q.cli, "%s", nn_status_text(NN_NO_MEMORY));
    for (; operand < argc; operand++)
        predict(&q, argv[operand]);
    free(q.x);
    free(q.p);
    nn_model_free(&q.model);
    cli_finish(&q.cli);
    return 0;
}

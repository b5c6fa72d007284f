/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1055848881. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o evaluate code/12-well/evaluate.c code/tools/[a-z]*.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -ljansson -lpng -lz -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/pictures.h"
#include "nn/status.h"
#include "tools/model.h"

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
static void print_share(size_t part, size_t whole, int width)
{
    if (whole)
        printf("%*.4f", width, (double)part / (double)whole);
    else
        printf("%*s", width, "-");
}

static void print_classes(const struct nn_model *model,
                          const size_t *confusion)
{
    size_t classes = model->nn.size[model->nn.layers];
    printf("\nclass           pictures  precision  recall\n");
    for (size_t c = 0; c < classes; c++) {
        size_t right = confusion[c * classes + c];
        size_t row = 0, column = 0;
        for (size_t i = 0; i < classes; i++) {
            row += confusion[c * classes + i];
            column += confusion[i * classes + c];
        }
        printf("%2zu %-13.13s %7zu", c,
               model->classes ? model->classes[c] : "", row);
        print_share(right, column, 11);
        print_share(right, row, 8);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    const char *part = "t10k";
    long last = 0;
    const struct cli_option options[] = {
        {"part", "P", "which pictures: t10k, the test, or train "
         "[t10k]", CLI_TEXT, &part, 0, 0},
        {"last", "N", "only the last N of them; 0: all",
         CLI_WHOLE, &last, 0, 1e9},
    };
    const struct cli cli = {"evaluate", "MODEL DIR",
        "Lets the net in MODEL name the labelled pictures in DIR, "
        "and counts.", options, sizeof options / sizeof *options, 2};
    int operand = cli_parse(&cli, argc, argv);
    const char *path = argv[operand], *dir = argv[operand + 1];
    if (strcmp(part, "t10k") != 0 && strcmp(part, "train") != 0)
        cli_misuse(&cli, "part", part, "neither t10k nor train");
    struct nn_model model;
    load_model(&cli, &model, path);
    struct nn_pictures set;
    load_pictures(&cli, &set, dir, part);
    size_t classes = model.nn.size[model.nn.layers];
    if (set.rows != model.rows || set.cols != model.cols)
        cli_fail(&cli, "%s: %zu x %zu pixels; the net in %s takes "
                 "%zu x %zu", dir, set.rows, set.cols, path,
                 model.rows, model.cols);
    if (set.classes > classes)
        cli_fail(&cli, "%s: %zu classes; the net in %s knows %zu",
                 dir, set.classes, path, classes);
    if ((size_t)last > set.m)
        cli_fail(&cli, "%s: %zu pictures, fewer than --last", dir,
                 set.m);
    double *x = calloc(model.nn.size[0], sizeof *x);
    double *p = calloc(classes, sizeof *p), cost = 0;
    size_t *confusion = calloc(classes * classes, sizeof *confusion);
    if (!x || !p || !confusion)
        cli_fail(&cli, "%s", nn_status_text(NN_NO_MEMORY));
    size_t right = 0, first = last ? set.m - (size_t)last : 0;
    size_t n = set.rows * set.cols, named = set.m - first;
    const double *a = model.nn.a + // the logits, which cannot be 0
        nn_layer_at(&model.nn, model.nn.layers).unit;
    for (size_t s = first; s < set.m; s++) {
        ask(&model, set.pixel + s * n, x, p);
        size_t said = 0, label = set.label[s];
        for (size_t c = 1; c < classes; c++)
            if (p[c] > p[said])
                said = c;
        right += said == label;
        if (model.nn.loss == NN_CROSS_ENTROPY)
            cost += nn_log_sum_exp(classes, a) - a[label];
        confusion[label * classes + said]++;
    }
    printf("pictures = %zu  right = %zu  accuracy = %.4f", named,
           right, (double)right / (double)named);
    if (model.nn.loss == NN_CROSS_ENTROPY)
        printf("  cost = %.4f", cost / (double)named);
    putchar('\n');
    print_classes(&model, confusion);
    print_confusion(classes, confusion);
    free(x);
    free(p);
    free(confusion);
    nn_pictures_free(&set);
    nn_model_free(&model);
    cli_finish(&cli);
    return 0;
}

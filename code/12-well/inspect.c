/* Tangled from chapters/90-plumbing.nw: edit there. Sum 926309797. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o inspect code/12-well/inspect.c code/tools/[a-z]*.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -ljansson -lpng -lz -lm */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "90-plumbing/cli.h"
#include "nn/file.h"
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
static void print_model(const char *path,
                        const struct nn_model *model)
{
    printf("file = %s\nchecksum = %08" PRIx32 "\n", path,
           model->crc);
    printf("numbers = %s  engine = %s\n",
           nn_word(NN_DTYPES, (int)model->dtype),
           nn_word(NN_ENGINES, (int)model->engine));
    printf("pixels = %zu x %zu  less = %g  divided by = %g\n",
           model->rows, model->cols, model->offset,
           model->scale);
    printf("loss = %s  decay = %g\n",
           nn_word(NN_LOSSES, (int)model->nn.loss),
           model->nn.decay);
    size_t n = model->nn.size[model->nn.layers];
    printf("classes = %zu\n", n);
    for (size_t c = 0; model->classes && c < n; c++)
        printf("%s%s%s", c % 5 ? ", " : "  ", model->classes[c],
               c + 1 == n || c % 5 == 4 ? "\n" : "");
}
static void print_layers(const struct nn_model *model)
{
    const struct nn *nn = &model->nn;
    printf("\nlayer  units  activation  parameters\n");
    printf("%5d  %5zu\n", 0, nn->size[0]);
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        printf("%5d  %5zu  %-10s  %10zu\n", l, at.n,
               nn_word(NN_ACTIVATIONS, (int)nn->sigma[l]),
               at.b + at.n - at.w);
    }
    printf("parameters = %zu\n", nn->params);
}
static void print_training(const struct nn_model *model)
{
    const struct nn_state *state = model->state;
    if (model->n_settings)
        printf("\nsettings of its training\n");
    for (size_t i = 0; i < model->n_settings; i++)
        printf("  %s: %s\n", model->setting[i].key,
               model->setting[i].value);
    if (!state) {
        printf("\ntraining = finished\n");
        return;
    }
    printf("\ntraining = stopped\n");
    printf("epoch = %zu  step = %zu  pictures of it done = %zu "
           "of %zu\n", state->epoch, state->step, state->done,
           state->m);
    printf("optimizer = %s  its steps = %zu  generator = %"
           PRIu64 "\n",
           nn_word(NN_METHODS, (int)state->optimizer.method),
           state->optimizer.t, state->rng.state);
}
static void print_bytes(const struct cli *cli, const char *path)
{
    enum { FIRST = 64, LAST = 32, NEXT = 16 };
    uint8_t *byte;
    size_t length, header = 0;
    enum nn_status status = nn_file_read(path, NN_MODEL_MOST,
                                         &byte, &length);
    if (status != NN_OK)
        cli_fail(cli, "%s: %s", path, nn_status_text(status));
    for (int i = 7; i >= 0; i--)
        header = header << 8 | byte[i];

    printf("at hex value part\n");
    for (size_t i = 0; i < length && i < 8 + header + NEXT; i++)
        if (i < FIRST || i + LAST >= 8 + header)
            printf("%zu %02x %d %s\n", i, byte[i], byte[i],
                   i < 8 ? "length"
                         : i < 8 + header ? "header" : "numbers");
    free(byte);
}

int main(int argc, char **argv)
{
    int bytes = 0;
    const struct cli_option options[] = {
        {"bytes", "", "the bytes where the parts of the file meet",
         CLI_FLAG, &bytes, 0, 0},
    };
    const struct cli cli = {"inspect", "MODEL",
        "Says what net is in MODEL, and where its training is.",
        options, sizeof options / sizeof *options, 1};
    const char *path = argv[cli_parse(&cli, argc, argv)];
    struct nn_model model;
    load_model(&cli, &model, path);
    if (bytes) {
        print_bytes(&cli, path);
    } else {
        print_model(path, &model);
        print_layers(&model);
        print_training(&model);
    }
    nn_model_free(&model);
    cli_finish(&cli);
    return 0;
}

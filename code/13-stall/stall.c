/* Tangled from chapters/13-stall.nw: edit there. Sum 393854238. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o stall code/13-stall/stall.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "90-plumbing/cli.h"
#include "nn/init.h"
#include "nn/nn.h"

enum { DEPTH = 20, WIDE = 50, OUT = 10, SAMPLES = 20, SEEDS = 5 };

struct kind {
    int depth; // at most DEPTH
    enum nn_activation bend;
    enum nn_init init;
    double scale; // of the weights
};

struct sizes { // mean squares, by layer
    double slope[DEPTH + 1], bend[DEPTH + 1];
};

static const enum nn_activation bends[] = {
    NN_SIGMOID, NN_TANH, NN_RELU};
static const char *const bend_names[] = {
    "sigmoid", "tanh", "relu"};
static const enum nn_init inits[] = {
    NN_SMALL, NN_GLOROT, NN_HE};
static const char *const init_names[] = {
    "small", "glorot", "he"};
static const double n_variance[] = {1.0 / 3, 1, 2};
static void add_sizes(struct nn *nn, struct sizes *sum)
{
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        double all = (double)(at.n * SAMPLES * SEEDS);
        for (size_t j = at.unit; j < at.unit + at.n; j++) {
            double bend = nn_slope(nn->sigma[l], nn->z[j]);
            sum->slope[l] += nn->dz[j] * nn->dz[j] / all;
            sum->bend[l] += bend * bend / all;
        }
    }
}
static void make_net(const struct cli *cli,
                     const struct kind *kind, struct nn *nn,
                     struct nn_rng *rng)
{
    size_t size[DEPTH + 1];
    enum nn_activation sigma[DEPTH];
    for (int l = 0; l < kind->depth; l++) {
        size[l] = WIDE;
        sigma[l] = kind->bend;
    }
    size[kind->depth] = OUT;
    sigma[kind->depth - 1] = NN_IDENTITY;
    if (nn_create(nn, kind->depth, size, sigma) != NN_OK)
        cli_fail(cli, "out of memory");
    nn->loss = NN_CROSS_ENTROPY;
    nn_initialize(nn, kind->init, rng);
    for (size_t i = 0; i < nn->params; i++)
        nn->p[i] *= kind->scale;
}

static void draw(struct nn_rng *rng, double x[WIDE])
{
    for (int k = 0; k < WIDE; k++)
        x[k] = nn_rng_uniform(rng, -sqrt(3), sqrt(3));
}

static void probe(const struct cli *cli, const struct kind *kind,
                  struct sizes *sum)
{
    *sum = (struct sizes){0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct nn nn;
        struct nn_rng rng = nn_rng_seeded(seed);
        make_net(cli, kind, &nn, &rng);
        double *g = calloc(nn.params, sizeof *g), x[WIDE], cost;
        if (!g)
            cli_fail(cli, "out of memory");
        for (int s = 0; s < SAMPLES; s++) {
            double y[OUT] = {0};
            draw(&rng, x);
            y[s % OUT] = 1;
            if (nn_gradient(&nn, 1, x, y, g, &cost) != NN_OK)
                cli_fail(cli, "a slope is not finite");
            add_sizes(&nn, sum);
        }
        free(g);
        nn_destroy(&nn);
    }
}

static double difference(const struct cli *cli,
                         const struct kind *kind)
{
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(1);
    double x[WIDE], first[OUT], most = 0;
    make_net(cli, kind, &nn, &rng);
    draw(&rng, x);
    memcpy(first, nn_forward(&nn, x), sizeof first);
    draw(&rng, x);
    const double *a = nn_forward(&nn, x);
    for (int j = 0; j < OUT; j++)
        most = fmax(most, fabs(a[j] - first[j]));
    nn_destroy(&nn);
    return most;
}
static void print_layers(const struct cli *cli,
                         const struct kind *kind)
{
    struct sizes size;
    double last;
    probe(cli, kind, &size);
    last = size.slope[kind->depth];
    printf("depth = %d\n\nlayer  slopes\n", kind->depth);
    for (int l = kind->depth; l >= 1; l--)
        if (l == 1 || l == kind->depth || l % 3 == 0)
            printf("%5d  %.1e\n", l, sqrt(size.slope[l]));
    printf("\nthe first = %.0e of the last\n",
           sqrt(size.slope[1] / last));
    printf("answers to two inputs differ by = %.0e\n",
           difference(cli, kind));
}
static void print_factors(const struct cli *cli)
{
    printf("depth = %d  wide = %d\n\n", DEPTH, WIDE);
    printf("                 n Var w  sigma' formula  measured"
           "  the first\n");
    for (int i = 0; i < 9; i++) {
        struct kind kind = {DEPTH, bends[i / 3], inits[i % 3], 1};
        struct sizes size;
        double logs = 0;
        probe(cli, &kind, &size);
        for (int l = 1; l < DEPTH - 1; l++)
            logs += log(size.bend[l]) / (DEPTH - 2);
        double ratio = size.slope[1] / size.slope[DEPTH - 1];
        printf("%-8s%-8s %6.3f  %.3f   %.3f    %.3f     %7.0e\n",
               bend_names[i / 3], init_names[i % 3],
               n_variance[i % 3], sqrt(exp(logs)),
               sqrt(n_variance[i % 3] * exp(logs)),
               pow(ratio, 0.5 / (DEPTH - 2)), sqrt(ratio));
    }
}
static void print_depths(const struct cli *cli)
{
    printf("depth");
    for (int i = 0; i < 9; i++)
        printf(" %s_%s", bend_names[i / 3], init_names[i % 3]);
    putchar('\n');
    for (int depth = 2; depth <= DEPTH; depth += 2) {
        printf("%d", depth);
        for (int i = 0; i < 9; i++) {
            struct kind kind = {depth, bends[i / 3],
                                inits[i % 3], 1};
            struct sizes size;
            probe(cli, &kind, &size);
            printf(" %.2e",
                   sqrt(size.slope[1] / size.slope[depth]));
        }
        putchar('\n');
    }
}
static void print_scales(const struct cli *cli,
                         const struct kind *kind)
{
    printf("weights  sigma' in layer %d  "
           "the first layer's slopes, of the last\n",
           kind->depth / 2);
    for (double scale = 0.5; scale <= 8; scale *= 2) {
        struct kind scaled = *kind;
        struct sizes size;
        scaled.scale = scale;
        probe(cli, &scaled, &size);
        printf("%5g        %.3f                  %.0e\n", scale,
               sqrt(size.bend[kind->depth / 2]),
               sqrt(size.slope[1] / size.slope[kind->depth]));
    }
}

int main(int argc, char **argv)
{
    struct kind kind = {DEPTH, NN_SIGMOID, NN_GLOROT, 1};
    long depth = DEPTH;
    const char *bend = "sigmoid", *init = "glorot";
    int factors = 0, depths = 0, scale = 0;
    const struct cli_option options[] = {
        {"depth", "L", "layers", CLI_WHOLE, &depth, 2, DEPTH},
        {"sigma", "S", "sigmoid, tanh or relu [sigmoid]",
         CLI_TEXT, &bend, 0, 0},
        {"init", "I", "first weights: small, glorot or he [glorot]",
         CLI_TEXT, &init, 0, 0},
        {"factors", "", "the factor of a layer, and its formula",
         CLI_FLAG, &factors, 0, 0},
        {"depths", "", "the first layer against the last, by depth",
         CLI_FLAG, &depths, 0, 0},
        {"scale", "", "make the weights larger and larger",
         CLI_FLAG, &scale, 0, 0},
    };
    const struct cli cli = {"stall", "",
        "Sizes of slopes in random nets, layer by layer.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    int bend_at = 0, init_at = 0;
    while (bend_at < 3 && strcmp(bend, bend_names[bend_at]) != 0)
        bend_at++;
    while (init_at < 3 && strcmp(init, init_names[init_at]) != 0)
        init_at++;
    if (bend_at == 3)
        cli_misuse(&cli, "sigma", bend, "no activation function");
    if (init_at == 3)
        cli_misuse(&cli, "init", init, "no way to begin");
    kind.depth = (int)depth;
    kind.bend = bends[bend_at];
    kind.init = inits[init_at];
    if (factors)
        print_factors(&cli);
    else if (depths)
        print_depths(&cli);
    else if (scale)
        print_scales(&cli, &kind);
    else
        print_layers(&cli, &kind);
    cli_finish(&cli);
    return 0;
}

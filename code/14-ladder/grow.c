/* Tangled from chapters/90-plumbing.nw: edit there. Sum 2543996911. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o grow code/14-ladder/grow.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#define _GNU_SOURCE
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "90-plumbing/cli.h"
#include "nn/fast.h"
#include "nn/init.h"

enum { ROUNDS = 5, SIZES = 9, WIDTH = 128, BATCH = 32 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static int by_size(const void *a, const void *b)
{
    double s = *(const double *)a, t = *(const double *)b;
    return (s > t) - (s < t);
}

static double median(double *t, size_t n)
{
    qsort(t, n, sizeof *t, by_size);
    return (t[(n - 1) / 2] + t[n / 2]) / 2;
}
static double exponent(const double *p, const double *t, int n)
{
    double u = 0, v = 0, above = 0, below = 0;
    for (int i = 0; i < n; i++) {
        u += log(p[i]) / n;
        v += log(t[i]) / n;
    }
    for (int i = 0; i < n; i++) {
        above += (log(p[i]) - u) * (log(t[i]) - v);
        below += (log(p[i]) - u) * (log(p[i]) - u);
    }
    return above / below;
}
struct grown {
    struct nn nn;
    struct nn_fast fast;
    size_t batch;
    size_t held;   // bytes that nn_fast_create took
    double *x, *y, *g; // every target is 0
    float *xf, *yf;
};

static const struct cli *who;

static void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        cli_fail(who, "no memory for %zu numbers", n);
    return p;
}

static void grow(struct grown *net, int layers,
                 const size_t *size, size_t batch)
{
    enum nn_activation sigma[64];
    struct nn_rng rng = nn_rng_seeded(1);
    size_t n_in = size[0], n_out = size[layers];
    for (int l = 0; l < layers; l++)
        sigma[l] = l < layers - 1 ? NN_RELU : NN_IDENTITY;
    enum nn_status status = nn_create(&net->nn, layers, size,
                                      sigma);
    if (status != NN_OK)
        cli_fail(who, "%s", nn_status_text(status));
    nn_initialize(&net->nn, NN_HE, &rng);

    struct mallinfo2 before = mallinfo2();
    status = nn_fast_create(&net->fast, &net->nn, batch);
    struct mallinfo2 after = mallinfo2();
    if (status != NN_OK)
        cli_fail(who, "%s", nn_status_text(status));
    net->held = after.uordblks - before.uordblks + after.hblkhd -
                before.hblkhd;
    net->batch = batch;
    net->x = room(batch * n_in, sizeof *net->x);
    net->y = room(batch * n_out, sizeof *net->y);
    net->xf = room(batch * n_in, sizeof *net->xf);
    net->yf = room(batch * n_out, sizeof *net->yf);
    net->g = room(net->nn.params, sizeof *net->g);
    for (size_t i = 0; i < batch * n_in; i++) {
        net->xf[i] = (float)nn_rng_uniform(&rng, -1, 1);
        net->x[i] = (double)net->xf[i];
    }
}

static void end(struct grown *net)
{
    nn_destroy(&net->nn);
    nn_fast_destroy(&net->fast);
    free(net->x);
    free(net->y);
    free(net->g);
    free(net->xf);
    free(net->yf);
}
static void plain(struct grown *net)
{
    double cost;
    nn_gradient(&net->nn, 1, net->x, net->y, net->g, &cost);
    nn_step(&net->nn, net->g, 1e-6);
}

static void fast(struct grown *net)
{
    double cost;
    nn_fast_learn(&net->fast, net->batch, net->xf, net->yf, 1e-6,
                  &cost);
}

/* Seconds for one of the samples of a call. */
static double time_of(void (*call)(struct grown *),
                      struct grown *net, size_t samples)
{
    double times[ROUNDS];
    for (int r = 0; r < ROUNDS; r++)
        for (size_t n = 1;; n *= 2) {
            double start = now();
            for (size_t i = 0; i < n; i++)
                call(net);
            times[r] = (now() - start) / (double)(n * samples);
            if (times[r] * (double)(n * samples) > 5e-3)
                break;
        }
    return median(times, ROUNDS);
}
/* Bytes: four arrays of all parameters; activations, slopes and
   dropout of a batch, and its costs, in double; the largest
   layer's weights turned. */
static double bytes_of(const struct nn_fast *f)
{
    double rows = 0, turned = 0;
    for (int l = 1; l <= f->layers; l++) {
        const struct nn_fast_layer *at = &f->at[l];
        size_t before = (at->n_before + 15) / 16 * 16;
        rows += (double)at->row;
        if (l > 1)
            turned = fmax(turned, (double)(before * at->n));
    }
    double numbers = 4 * (double)f->room + turned +
                     3 * (double)f->batch * rows;
    return 4 * numbers + 8 * (double)f->batch;
}

int main(int argc, char **argv)
{
    int batches = 0, depths = 0;
    const struct cli_option options[] = {
        {"batches", "", "grow the batch", CLI_FLAG, &batches, 0, 0},
        {"depths", "", "grow the depth", CLI_FLAG, &depths, 0, 0},
    };
    const struct cli cli = {"grow", "",
        "Times a sample while net, batch or depth grow, on one "
        "thread.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    who = &cli;
    #ifdef _OPENMP
    omp_set_num_threads(1);
    #endif
    if (batches) {
        puts("batch       fast");
        double m[11], t[11];
        for (int i = 0; i < 11; i++) {
            struct grown net;
            size_t batch = (size_t)1 << i;
            grow(&net, 2, (const size_t[]){784, WIDTH, 10}, batch);
            m[i] = (double)batch;
            t[i] = time_of(fast, &net, batch);
            printf("%5zu %10.3e\n", batch, t[i]);
            end(&net);
        }
        puts("#values:");
        printf("# exponent to 32 = %.2f\n", exponent(m, t, 6));
        printf("# exponent from 32 = %.2f\n", exponent(m + 5, t + 5, 6));
    } else if (depths) {
        puts("layers      loops       fast");
        double l[6], t[2][6];
        for (int i = 0; i < 6; i++) {
            struct grown net;
            int layers = 1 << i;
            size_t size[33];
            for (int k = 0; k <= layers; k++)
                size[k] = WIDTH;
            grow(&net, layers, size, BATCH);
            l[i] = layers;
            t[0][i] = time_of(plain, &net, 1);
            t[1][i] = time_of(fast, &net, BATCH);
            printf("%6d %10.3e %10.3e\n", layers, t[0][i], t[1][i]);
            end(&net);
        }
        puts("#values:");
        printf("# width = %d\n", WIDTH);
        printf("# exponent of the loops = %.2f\n", exponent(l, t[0], 6));
        printf("# exponent of the fast = %.2f\n", exponent(l, t[1], 6));
    } else {
        double p[SIZES], t[2][SIZES];
        puts("       P      loops       fast  times  megabytes"
             "  formula");
        for (int i = 0; i < SIZES; i++) {
            size_t n = (size_t)(31 * pow(10, i / 4.));
            size_t size[] = {n, n, 10};
            struct grown net;
            grow(&net, 2, size, BATCH);
            p[i] = (double)net.nn.params;
            t[0][i] = time_of(plain, &net, 1);
            t[1][i] = time_of(fast, &net, BATCH);
            printf("%8.0f %10.3e %10.3e %6.1f %10.3f %9.3f\n", p[i],
                   t[0][i], t[1][i], t[0][i] / t[1][i],
                   (double)net.held / 1e6, bytes_of(&net.fast) / 1e6);
            end(&net);
            cli_progress("sizes", (size_t)i + 1, SIZES);
        }
        const int half = SIZES / 2, most = SIZES - 3;
        puts("#values:");
        printf("# exponent of the loops = %.2f  loops beyond = %.2f\n",
               exponent(p, t[0], most + 1),
               exponent(p + most, t[0] + most, SIZES - most));
        printf("# exponent of the fast = %.2f\n",
               exponent(p + half, t[1] + half, SIZES - half));
        printf("# times at first = %.0f  times in the end = %.0f\n",
               t[0][0] / t[1][0], t[0][SIZES - 1] / t[1][SIZES - 1]);
    }
    cli_finish(&cli);
    return 0;
}

/* Tangled from chapters/10-race.nw: edit there. Sum 1297375352. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o race code/10-race/race.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#define _POSIX_C_SOURCE 200809L
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "90-plumbing/cli.h"
#include "nn/nn.h"

enum { ROUNDS = 9, SAMPLES = 16, MOST = 64 };
static const double PATIENCE = 0.5; // seconds
static size_t multiply_adds;

static const struct {
    const char *name;
    int layers;
    size_t size[4];
} nets[] = {
    {"2-2-1", 2, {2, 2, 1}},
    {"64-64-64", 2, {64, 64, 64}},
    {"784-30-10", 2, {784, 30, 10}},
    {"784-300-10", 2, {784, 300, 10}},
    {"784-300-100-10", 3, {784, 300, 100, 10}},
};
static const size_t sizes[] = {
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96};
static void must(const struct cli *cli, enum nn_status status)
{
    if (status != NN_OK)
        cli_fail(cli, "%s", nn_status_text(status));
}
struct job {
    struct nn nn;
    double *x, *y, *g, cost;
};

static void begin(const struct cli *cli, struct job *job,
                  int layers, const size_t *n)
{
    const enum nn_activation sigma[] = {
        NN_TANH, NN_TANH, NN_SIGMOID};
    struct nn_rng rng = nn_rng_seeded(10);
    must(cli, nn_create(&job->nn, layers, n, sigma + 3 - layers));
    nn_randomize(&job->nn, &rng);
    job->x = calloc(SAMPLES * n[0], sizeof *job->x);
    job->y = calloc(SAMPLES * n[layers], sizeof *job->y);
    job->g = calloc(job->nn.params, sizeof *job->g);
    if (!job->x || !job->y || !job->g)
        cli_fail(cli, "out of memory");
    for (size_t k = 0; k < SAMPLES * n[0]; k++)
        job->x[k] = nn_rng_uniform(&rng, -1, 1);
}
static void end(struct job *job)
{
    free(job->x);
    free(job->y);
    free(job->g);
    nn_destroy(&job->nn);
}

static size_t weights(const struct nn *nn)
{
    size_t sum = 0;
    for (int l = 1; l <= nn->layers; l++)
        sum += nn->size[l] * nn->size[l - 1];
    return sum;
}
static double sample_cost(const struct nn *nn, const double *a,
                          const double *y)
{
    size_t n = nn->size[nn->layers];
    double sum = 0;
    if (nn->loss == NN_CROSS_ENTROPY)
        return nn_cross_entropy(n, a, y);
    for (size_t j = 0; j < n; j++)
        sum += (a[j] - y[j]) * (a[j] - y[j]);
    return sum / (2 * (double)n);
}
static const double *counted_forward(struct nn *nn,
                                     const double *x)
{
    for (size_t k = 0; k < nn->size[0]; k++)
        nn->a[k] = x[k];
    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        const double *w_j = nn->p + at.w, *b = nn->p + at.b;
        const double *a_before = nn->a + at.unit_before;
        double *z = nn->z + at.unit, *a = nn->a + at.unit;
        for (size_t j = 0; j < at.n; j++, w_j += at.n_before) {
            z[j] = b[j];
            for (size_t k = 0; k < at.n_before; k++) {
                z[j] += w_j[k] * a_before[k];
                multiply_adds++;
            }
            a[j] = nn_sigma(nn->sigma[l], z[j]);
        }
    }
    return nn->a + nn_layer_at(nn, nn->layers).unit;
}
static enum nn_status counted_gradient(struct nn *nn, size_t m,
        const double *x, const double *y, double *g, double *cost)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    size_t n_in = nn->size[0], n_out = last.n;
    double *da_out = nn->da + last.unit, sum = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t s = 0; s < m; s++) {
        const double *a = counted_forward(nn, x + s * n_in);
        for (size_t j = 0; j < n_out; j++)
            da_out[j] = (a[j] - y[s * n_out + j]) / (double)(n_out * m);
        sum += sample_cost(nn, a, y + s * n_out);
        if (nn->loss == NN_CROSS_ENTROPY) {
            nn_softmax(n_out, a, da_out);
            for (size_t j = 0; j < n_out; j++)
                da_out[j] = (da_out[j] - y[s * n_out + j]) / (double)m;
        }

        for (int l = nn->layers; l >= 1; l--) {
            struct nn_layer at = nn_layer_at(nn, l);
            enum nn_activation sigma = nn->sigma[l];
            size_t n = at.n, n_before = at.n_before;
            const double *w = nn->p + at.w, *z = nn->z + at.unit;
            const double *a_before = nn->a + at.unit_before;
            double *da = nn->da + at.unit, *dz = nn->dz + at.unit;
            double *dw = g + at.w, *db = g + at.b;
            double *da_before = nn->da + at.unit_before;
            if (nn->keep && l < nn->layers)
                for (size_t j = 0; j < n; j++)
                    da[j] *= nn->keep[at.unit + j];
            for (size_t k = 0; k < n_before; k++)
                da_before[k] = 0;
            for (size_t j = 0; j < n; j++) {
                dz[j] = da[j] * nn_slope(sigma, z[j]);
                db[j] += dz[j];
                const double *w_j = w + j * n_before;
                double *dw_j = dw + j * n_before;
                for (size_t k = 0; k < n_before; k++) {
                    dw_j[k] += dz[j] * a_before[k];
                    da_before[k] += dz[j] * w_j[k];
                    multiply_adds += 2;
                }
            }
        }
    }
    *cost = sum / (double)m;
    *cost += nn_decay(nn, g);
    int finite = isfinite(*cost);
    for (size_t i = 0; finite && i < nn->params; i++)
        finite = isfinite(g[i]);
    return finite ? NN_OK : NN_NOT_FINITE;
}
static enum nn_status lean_gradient(struct nn *nn, size_t m,
        const double *x, const double *y, double *g, double *cost)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    size_t n_in = nn->size[0], n_out = last.n;
    double *da_out = nn->da + last.unit, sum = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t s = 0; s < m; s++) {
        const double *a = nn_forward(nn, x + s * n_in);
        for (size_t j = 0; j < n_out; j++)
            da_out[j] = (a[j] - y[s * n_out + j]) / (double)(n_out * m);
        sum += sample_cost(nn, a, y + s * n_out);
        if (nn->loss == NN_CROSS_ENTROPY) {
            nn_softmax(n_out, a, da_out);
            for (size_t j = 0; j < n_out; j++)
                da_out[j] = (da_out[j] - y[s * n_out + j]) / (double)m;
        }

        for (int l = nn->layers; l >= 1; l--) {
            struct nn_layer at = nn_layer_at(nn, l);
            enum nn_activation sigma = nn->sigma[l];
            size_t n = at.n, n_before = at.n_before;
            const double *w = nn->p + at.w, *z = nn->z + at.unit;
            const double *a_before = nn->a + at.unit_before;
            double *da = nn->da + at.unit, *dz = nn->dz + at.unit;
            double *dw = g + at.w, *db = g + at.b;
            double *da_before = nn->da + at.unit_before;
            if (nn->keep && l < nn->layers)
                for (size_t j = 0; j < n; j++)
                    da[j] *= nn->keep[at.unit + j];
            for (size_t k = 0; k < n_before; k++)
                da_before[k] = 0;
            for (size_t j = 0; j < n; j++) {
                dz[j] = da[j] * nn_slope(sigma, z[j]);
                db[j] += dz[j];
                const double *w_j = w + j * n_before;
                double *dw_j = dw + j * n_before;
                for (size_t k = 0; k < n_before && l > 1; k++) {
                    dw_j[k] += dz[j] * a_before[k];
                    da_before[k] += dz[j] * w_j[k];
                }
                for (size_t k = 0; k < n_before && l == 1; k++)
                    dw_j[k] += dz[j] * a_before[k];
                multiply_adds += (l > 1 ? 2 : 1) * n_before;
            }
        }
    }
    *cost = sum / (double)m;
    *cost += nn_decay(nn, g);
    int finite = isfinite(*cost);
    for (size_t i = 0; finite && i < nn->params; i++)
        finite = isfinite(g[i]);
    return finite ? NN_OK : NN_NOT_FINITE;
}
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void forward_all(struct job *job)
{
    for (size_t s = 0; s < SAMPLES; s++)
        nn_forward(&job->nn, job->x + s * job->nn.size[0]);
}

static void gradient_all(struct job *job)
{
    nn_gradient(&job->nn, SAMPLES, job->x, job->y, job->g,
                &job->cost);
}

static void lean_all(struct job *job)
{
    lean_gradient(&job->nn, SAMPLES, job->x, job->y, job->g,
                  &job->cost);
}

static void cost_once(struct job *job)
{
    job->cost = nn_cost(&job->nn, 1, job->x, job->y);
}

static void gradient_once(struct job *job)
{
    nn_gradient(&job->nn, 1, job->x, job->y, job->g, &job->cost);
}
static double seconds_of(void (*call)(struct job *),
                         struct job *job)
{
    for (long n = 1;; n *= 2) {
        double start = now();
        for (long i = 0; i < n; i++)
            call(job);
        double took = now() - start;
        if (took > 2e-3)
            return took / (double)n;
    }
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
static void differences(struct nn *nn, const double *x,
                        const double *y, double h, double *g)
{
    double cost = nn_cost(nn, 1, x, y);
    for (size_t i = 0; i < nn->params; i++) {
        double p = nn->p[i];
        nn->p[i] = p + h;
        g[i] = (nn_cost(nn, 1, x, y) - cost) / h;
        nn->p[i] = p;
    }
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
static long double complex complex_cost(
    const struct nn *nn, const long double complex *p,
    const double *x, const double *y)
{
    long double complex a[MOST], before[MOST], sum = 0;
    for (size_t k = 0; k < nn->size[0]; k++)
        a[k] = (long double)x[k];

    for (int l = 1; l <= nn->layers; l++) {
        struct nn_layer at = nn_layer_at(nn, l);
        memcpy(before, a, sizeof before);
        for (size_t j = 0; j < at.n; j++) {
            long double complex z = p[at.b + j];
            for (size_t k = 0; k < at.n_before; k++)
                z += p[at.w + j * at.n_before + k] * before[k];
            a[j] = nn->sigma[l] == NN_TANH ? ctanhl(z)
                                           : 1 / (1 + cexpl(-z));
        }
    }

    size_t n = nn->size[nn->layers];
    for (size_t j = 0; j < n; j++)
        sum += (a[j] - (long double)y[j]) *
               (a[j] - (long double)y[j]);
    return sum / (2 * (long double)n);
}
static void reference(const struct nn *nn, const double *x,
                      const double *y, long double complex *p,
                      long double *g)
{
    const long double h = 1e-30L;
    for (size_t i = 0; i < nn->params; i++)
        p[i] = (long double)nn->p[i];

    for (size_t i = 0; i < nn->params; i++) {
        p[i] += h * (long double complex)I;
        g[i] = cimagl(complex_cost(nn, p, x, y)) / h;
        p[i] = (long double)nn->p[i];
    }
}
static double largest_error(const double *g, const long double *r,
                            size_t n)
{
    long double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        error = fmaxl(error, fabsl((long double)g[i] - r[i]));
        size = fmaxl(size, fabsl(r[i]));
    }
    return (double)(error / size);
}

static void errors(const struct cli *cli, struct job *job,
                   double *back, double *forward, double *central)
{
    size_t n = job->nn.params;
    long double complex *p = calloc(n, sizeof *p);
    long double *r = calloc(n, sizeof *r);
    if (!p || !r)
        cli_fail(cli, "out of memory");
    reference(&job->nn, job->x, job->y, p, r);
    gradient_once(job);
    *back = largest_error(job->g, r, n);
    differences(&job->nn, job->x, job->y, 1e-8, job->g);
    *forward = largest_error(job->g, r, n);
    const double h = 1e-5;
    for (size_t i = 0; i < n; i++) {
        double old = job->nn.p[i];
        job->nn.p[i] = old + h;
        double up = nn_cost(&job->nn, 1, job->x, job->y);
        job->nn.p[i] = old - h;
        job->g[i] = (up - nn_cost(&job->nn, 1, job->x, job->y)) /
                    (2 * h);
        job->nn.p[i] = old;
    }
    *central = largest_error(job->g, r, n);
    free(p);
    free(r);
}

int main(int argc, char **argv)
{
    int seconds = 0, race = 0, accuracy = 0, million = 0;
    const struct cli_option options[] = {
        {"seconds", "", "time forward passes and gradients",
         CLI_FLAG, &seconds, 0, 0},
        {"race", "", "differences against backpropagation",
         CLI_FLAG, &race, 0, 0},
        {"accuracy", "", "... and how exact both are",
         CLI_FLAG, &accuracy, 0, 0},
        {"million", "", "what a million parameters would take",
         CLI_FLAG, &million, 0, 0},
    };
    const struct cli cli = {"race", "",
        "Counts and times what a gradient costs.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (seconds) {
        printf("samples a call = %d\n\n", SAMPLES);
        puts("                     microseconds          ratio"
             "   ns/multiply-add");
        printf("%-14s %7s %8s %6s  %5s %5s  %7s %5s\n", "net", "forward",
               "gradient", "lean", "grad.", "lean", "forward", "back");

        for (size_t i = 1; i < sizeof nets / sizeof *nets; i++) {
            struct job job;
            double f[ROUNDS], g[ROUNDS], e[ROUNDS];
            begin(&cli, &job, nets[i].layers, nets[i].size);
            for (int r = 0; r < ROUNDS; r++) {
                f[r] = seconds_of(forward_all, &job);
                g[r] = seconds_of(gradient_all, &job);
                e[r] = seconds_of(lean_all, &job);
            }
            double forward = median(f, ROUNDS) * 1e6 / SAMPLES;
            double gradient = median(g, ROUNDS) * 1e6 / SAMPLES;
            double lean = median(e, ROUNDS) * 1e6 / SAMPLES;
            double w = (double)weights(&job.nn) / 1e3;
            printf("%-14s %7.2f %8.2f %6.2f  %5.2f %5.2f  %7.2f %5.2f\n",
                   nets[i].name, forward, gradient, lean,
                   gradient / forward, lean / forward, forward / w,
                   (gradient - forward) / (2 * w));
            end(&job);
        }
    } else if (race) {
        enum { SIZES = sizeof sizes / sizeof *sizes };
        double p[SIZES], back[SIZES], diff[SIZES];
        printf("     P  backpropagation  differences   ratio  timed\n");
        for (int i = 0; i < SIZES; i++) {
            struct job job;
            size_t s = sizes[i], n[] = {4 * s, 3 * s, 2 * s}, timed;
            begin(&cli, &job, 2, n);
            p[i] = (double)job.nn.params;

            double times[ROUNDS];
            for (int r = 0; r < ROUNDS; r++)
                times[r] = seconds_of(gradient_once, &job);
            back[i] = median(times, ROUNDS);
            for (int r = 0; r < ROUNDS; r++)
                times[r] = seconds_of(cost_once, &job);
            double pass = median(times, ROUNDS);
            timed = job.nn.params + 1;
            if (pass * (double)timed > PATIENCE)
                timed = (size_t)(PATIENCE / pass);
            double start = now();
            long rounds = 0;
            do {
                for (size_t k = 0; k < timed; k++) {
                    double *moved = &job.nn.p[k % job.nn.params];
                    double old = *moved;
                    *moved = old + 1e-8;
                    cost_once(&job);
                    *moved = old;
                }
                rounds++;
            } while (now() - start < 5e-3);
            diff[i] = (now() - start) / (double)rounds *
                      (p[i] + 1) / (double)timed;
            printf("%6zu        %.3e    %.3e %7.0f  %5.3f\n",
                   job.nn.params, back[i], diff[i], diff[i] / back[i],
                   (double)timed / (p[i] + 1));
            cli_progress("sizes", (size_t)i + 1, SIZES);
            end(&job);
        }
        enum { HALF = SIZES / 2, REST = SIZES - HALF };
        printf("\n# exponent of backpropagation = %.2f\n"
               "# exponent of differences = %.2f\n",
               exponent(p, back, SIZES), exponent(p, diff, SIZES));
        printf("# backpropagation on large nets = %.2f\n"
               "# differences on large nets = %.2f\n",
               exponent(p + HALF, back + HALF, REST),
               exponent(p + HALF, diff + HALF, REST));
        printf("# largest P = %.0f  ratio at the largest = %.0f\n",
               p[SIZES - 1], diff[SIZES - 1] / back[SIZES - 1]);
    } else if (accuracy) {
        printf("     P   backpropagation   forward   central\n");
        for (int i = 0; i < 5; i++) {
            struct job job;
            size_t s = sizes[i], n[] = {4 * s, 3 * s, 2 * s};
            begin(&cli, &job, 2, n);
            double back, forward, central;
            errors(&cli, &job, &back, &forward, &central);
            printf("%6zu       %.1e       %.1e   %.1e\n", job.nn.params,
                   back, forward, central);
            end(&job);
        }
    } else if (million) {
        struct job job;
        double t[ROUNDS], f[ROUNDS];
        begin(&cli, &job, 3, (const size_t[]){784, 800, 450, 10});
        for (int r = 0; r < ROUNDS; r++) {
            f[r] = seconds_of(cost_once, &job);
            t[r] = seconds_of(gradient_once, &job);
        }
        double pass = median(f, ROUNDS), back = median(t, ROUNDS);
        double all = pass * (double)(job.nn.params + 1);
        printf("parameters = %zu\n", job.nn.params);
        printf("milliseconds for a forward pass = %.2f\n", pass * 1e3);
        printf("milliseconds for a gradient = %.2f\n", back * 1e3);
        printf("forward passes for a gradient = %.1f\n\n", back / pass);
        printf("by differences, extrapolated:\n");
        printf("hours for one gradient = %.2f\n", all / 3600);
        printf("60000 samples, 20 times:\n");
        printf("years by differences = %.0f\n",
               all * 60000 * 20 / (3600 * 24 * 365.25));
        printf("minutes by backpropagation = %.0f\n",
               back * 60000 * 20 / 60);
        end(&job);
    } else {
        double cost;
        printf("%-15s %8s %8s %8s %6s  %8s %6s\n", "net", "P",
               "forward", "gradient", "ratio", "without", "ratio");
        for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
            struct job job;
            begin(&cli, &job, nets[i].layers, nets[i].size);

            multiply_adds = 0;
            counted_forward(&job.nn, job.x);
            size_t forward = multiply_adds;
            multiply_adds = 0;
            must(&cli, counted_gradient(&job.nn, 1, job.x, job.y, job.g,
                                        &cost));
            size_t all = multiply_adds;
            multiply_adds = forward;
            must(&cli, lean_gradient(&job.nn, 1, job.x, job.y, job.g,
                                     &cost));
            size_t less = multiply_adds;
            printf("%-15s %8zu %8zu %8zu %6.4f  %8zu %6.4f\n", nets[i].name,
                   job.nn.params, forward, all,
                   (double)all / (double)forward, less,
                   (double)less / (double)forward);
            end(&job);
        }
    }
    cli_finish(&cli);
    return 0;
}

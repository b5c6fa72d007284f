/* Tangled from chapters/09-gradcheck.nw: edit there. Sum 3220545063. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o gradcheck code/09-gradcheck/gradcheck.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "90-plumbing/cli.h"
#include "nn/check.h"

static const double rate = 1;
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
#include "09-gradcheck/factor.c"
#include "09-gradcheck/early.c"
#include "09-gradcheck/sign.c"
#include "09-gradcheck/last.c"
#include "09-gradcheck/transposed.c"
#include "09-gradcheck/bias.c"
#include "09-gradcheck/place.c"
#include "09-gradcheck/bend.c"
#include "09-gradcheck/outputs.c"
#include "09-gradcheck/samples.c"

enum { M = 4, P = 29 };
static const double x[] = {0, 0, 0, 1, 1, 0, 1, 1};
static const double y[] = {1, 0, 0, 1, 0, 1, 1, 0};
static const size_t size[] = {2, 3, 3, 2};
static const enum nn_activation sigma[] = {
    NN_TANH, NN_TANH, NN_SIGMOID};
typedef enum nn_status gradient(struct nn *, size_t,
                                const double *, const double *,
                                double *, double *);
enum { WRONG = 11 };
static const struct {
    const char *name;
    gradient *of;
} all[WRONG] = {
    {"right", nn_gradient}, {"factor", factor},
    {"early", early}, {"sign", sign}, {"last", last},
    {"transposed", transposed}, {"bias", bias},
    {"place", place}, {"bend", bend}, {"outputs", outputs},
    {"samples", samples},
};
static void make(const struct cli *cli, struct nn *nn, long seed)
{
    struct nn_rng rng = nn_rng_seeded((uint64_t)seed);
    enum nn_status status = nn_create(nn, 3, size, sigma);
    if (status != NN_OK)
        cli_fail(cli, "%s", nn_status_text(status));
    nn_randomize(nn, &rng);
}
static int solved(struct nn *nn)
{
    for (int s = 0; s < M; s++) {
        const double *a = nn_forward(nn, x + 2 * s);
        for (int j = 0; j < 2; j++)
            if (!(fabs(a[j] - y[2 * s + j]) < 0.1))
                return 0;
    }
    return 1;
}
static long train(gradient *of, struct nn *nn, long steps)
{
    double g[P] = {0}, cost;
    for (long i = 0;; i++) {
        if (of(nn, M, x, y, g, &cost) != NN_OK)
            return -1;
        if (solved(nn))
            return i;
        if (i == steps)
            return -1;
        nn_step(nn, g, rate);
    }
}
static struct nn_check check(gradient *of, struct nn *nn)
{
    double g[P] = {0}, cost;
    of(nn, M, x, y, g, &cost);
    return nn_check_gradient(nn, M, x, y, g);
}
static double angle(gradient *of, struct nn *nn)
{
    double g[P], r[P], cost, gr = 0, gg = 0, rr = 0;
    of(nn, M, x, y, g, &cost);
    nn_gradient(nn, M, x, y, r, &cost);
    for (int i = 0; i < P; i++) {
        gr += g[i] * r[i];
        gg += g[i] * g[i];
        rr += r[i] * r[i];
    }
    return acos(fmin(1, gr / sqrt(gg * rr))) * 180 / acos(-1);
}
static double worst_with_holes(size_t n, const double *g,
                               const double *d)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double e = fabs(fabs(g[i]) - fabs(d[i])) / fabs(d[i]);
        if (e > worst)
            worst = e;
    }
    return worst;
}
static void report(const struct cli *cli, int i)
{
    struct nn nn;
    make(cli, &nn, 1);
    struct nn_check c = check(all[i].of, &nn);
    printf("gradient: %s\nchecked = %zu  skipped = %zu\n",
           all[i].name, c.checked, c.skipped);
    if (nn_check_passed(&c)) {
        printf("worst error below %.0e\npassed\n",
               pow(10, ceil(log10(c.worst))));
    } else {
        char where[NN_NAME];
        nn_name(&nn, c.at, where);
        printf("worst error = %.6f at %s\n", c.worst, where);
        printf("  by backpropagation  %9.6f\n", c.got);
        printf("  by differences      %9.6f\nFAILED\n", c.want);
    }
    nn_destroy(&nn);
}
static int by_size(const void *a, const void *b)
{
    long i = *(const long *)a, j = *(const long *)b;
    return (i > j) - (i < j);
}

static void learn_and_check(const struct cli *cli, long seeds,
                            long steps, int dots)
{
    double least = (double)INFINITY;
    long *took = calloc((size_t)seeds, sizeof *took);
    if (!took)
        cli_fail(cli, "out of memory");
    puts(dots ? "name solved error"
              : "gradient    solved  median  caught  "
                "least error  angle  downhill");
    for (int i = 0; i < WRONG; i++) {
        long right = 0, caught = 0, downhill = 0;
        double easiest = (double)INFINITY, most = 0, sum = 0;
        for (long seed = 1; seed <= seeds; seed++) {
            struct nn nn;
            make(cli, &nn, seed);
            struct nn_check c = check(all[i].of, &nn);
            caught += !nn_check_passed(&c);
            easiest = fmin(easiest, c.worst);
            most = fmax(most, c.worst);
            double turned = angle(all[i].of, &nn);
            sum += turned;
            downhill += turned < 90;
            long n = train(all[i].of, &nn, steps);
            if (n >= 0)
                took[right++] = n;
            nn_destroy(&nn);
            cli_progress(all[i].name, (size_t)seed, (size_t)seeds);
        }
        if (dots) {
            printf("%s %.1f %.0e\n", all[i].name,
                   100 * (double)right / (double)seeds,
                   i ? easiest : pow(10, ceil(log10(most))));
        } else {
            char median[24] = "-";
            qsort(took, (size_t)right, sizeof *took, by_size);
            if (right)
                snprintf(median, sizeof median, "%ld",
                         (took[(right - 1) / 2] + took[right / 2]) / 2);
            printf("%-10s %4ld/%-4ld %5s %5ld/%-4ld  %6.3f %9.0f "
                   "%5ld/%ld\n",
                   all[i].name, right, seeds, median, caught, seeds,
                   easiest, sum / (double)seeds, downhill, seeds);
        }
        if (i > 0)
            least = fmin(least, easiest);
    }
    if (!dots)
        printf("\nleast error = %.3f\n", least);
    free(took);
}
static void both_checks(const char *what, struct nn *nn,
                        const double *g, const double *d)
{
    struct nn_check c = nn_check_gradient(nn, M, x, y, g);
    printf("%-30s %-13s %s\n", what,
           worst_with_holes(P, g, d) <= 1e-6 ? "passes" : "fails",
           nn_check_passed(&c) ? "passes" : "fails");
}
static void check_guards(const struct cli *cli)
{
    struct nn nn;
    double g[P], d[P], cost;
    make(cli, &nn, 1);
    nn_gradient(&nn, M, x, y, d, &cost);
    printf("%-30s %-13s %s\n", "gradient", "with holes", "ours");
    both_checks("right", &nn, d, d);
    for (int i = 0; i < P; i++)
        g[i] = -d[i];
    both_checks("all signs flipped", &nn, g, d);
    memcpy(g, d, sizeof g);
    g[P / 2] = (double)NAN;
    both_checks("one slope is NaN", &nn, g, d);
    memset(g, 0, sizeof g);
    both_checks("zeros", &nn, g, d);
    memset(nn.p, 0, sizeof g);
    both_checks("zeros, in a net of zeros", &nn, g, g);
    nn_destroy(&nn);
}
static int has_layer_at_zero(struct nn *nn, size_t m,
                             const double *xs)
{
    struct nn_layer at = nn_layer_at(nn, 1);
    int found = 0;
    for (size_t s = 0; s < m; s++) {
        size_t zeros = 0;
        nn_forward(nn, xs + s * nn->size[0]);
        for (size_t j = 0; j < at.n; j++)
            zeros += nn->z[at.unit + j] <= 0;
        found |= zeros == at.n;
    }
    return found;
}

static void check_kinks(const struct cli *cli)
{
    enum { NETS = 200 };
    const size_t wide[] = {4, 8, 8, 2};
    const enum nn_activation relu[] = {
        NN_RELU, NN_RELU, NN_IDENTITY};
    size_t checked = 0, skipped = 0, passed = 0, exact = 0,
           exact_failed = 0;
    double without = 0, with = 0;
    for (uint64_t seed = 1; seed <= NETS; seed++) {
        struct nn nn;
        struct nn_rng rng = nn_rng_seeded(seed);
        double xs[40], ys[20], g[130], cost;
        if (nn_create(&nn, 3, wide, relu) != NN_OK)
            cli_fail(cli, "out of memory");
        nn_randomize(&nn, &rng);
        for (int i = 0; i < 40; i++)
            xs[i] = nn_rng_uniform(&rng, -1, 1);
        for (int i = 0; i < 20; i++)
            ys[i] = nn_rng_uniform(&rng, -1, 1);
        nn_gradient(&nn, 10, xs, ys, g, &cost);
        struct nn_check c = nn_check_gradient(&nn, 10, xs, ys, g);
        checked += c.checked;
        skipped += c.skipped;
        passed += (size_t)nn_check_passed(&c);
        if (has_layer_at_zero(&nn, 10, xs)) {
            exact += c.skipped;
            exact_failed += !nn_check_passed(&c);
        }
        without = fmax(without, c.worst);
        for (size_t i = 0; i < nn.params; i++) {
            double p = nn.p[i], h = 1e-5;
            nn.p[i] = p + h;
            double up = nn_cost(&nn, 10, xs, ys);
            nn.p[i] = p - h;
            double d = (up - nn_cost(&nn, 10, xs, ys)) / (2 * h);
            nn.p[i] = p;
            with = fmax(with, fabs(g[i] - d) /
                                  (fabs(g[i]) + fabs(d) + 1e-3));
        }
        nn_destroy(&nn);
    }
    printf("nets = %d\nchecked = %zu  skipped = %zu\n", NETS,
           checked, skipped);
    printf("passed = %zu\n", passed);
    printf("in nets with a layer at zero: skipped = %zu  "
           "failed = %zu\n", exact, exact_failed);

    printf("worst without the skipped below %.0e\n"
           "worst with them = %.2f\n",
           pow(10, ceil(log10(without))), with);
}

int main(int argc, char **argv)
{
    long seeds = 100, steps = 5000;
    const char *wrong = NULL;
    int table = 0, dots = 0, guards = 0, kinks = 0;
    const struct cli_option options[] = {
        {"wrong", "NAME", "check this one of those in --table",
         CLI_TEXT, &wrong, 0, 0},
        {"table", "", "train with each, and check each",
         CLI_FLAG, &table, 0, 0},
        {"seeds", "N", "... from so many starts",
         CLI_WHOLE, &seeds, 1, 1e6},
        {"steps", "N", "... for so many steps at most",
         CLI_WHOLE, &steps, 1, 1e9},
        {"dots", "", "print the table as numbers only",
         CLI_FLAG, &dots, 0, 0},
        {"guards", "", "check what must not pass",
         CLI_FLAG, &guards, 0, 0},
        {"kinks", "", "check nets of ReLUs",
         CLI_FLAG, &kinks, 0, 0},
    };
    const struct cli cli = {"gradcheck", "",
        "Checks gradients, right and wrong, by finite differences.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    int which = 0;
    while (wrong && which < WRONG &&
           strcmp(wrong, all[which].name) != 0)
        which++;
    if (which == WRONG)
        cli_misuse(&cli, "wrong", wrong,
                   "not one of those in --table");
    if (table || dots)
        learn_and_check(&cli, seeds, steps, dots);
    else if (guards)
        check_guards(&cli);
    else if (kinks)
        check_kinks(&cli);
    else
        report(&cli, which);
    cli_finish(&cli);
    return 0;
}

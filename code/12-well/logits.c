/* Tangled from chapters/12-well.nw: edit there. Sum 1895596620. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o logits code/12-well/logits.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <math.h>
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/loss.h"

static void long_way(size_t n, const double *p, const double *y,
                     double *dz)
{
    for (size_t j = 0; j < n; j++) {
        dz[j] = 0;
        for (size_t i = 0; i < n; i++)
            dz[j] += -y[i] / p[i] * p[i] * ((i == j) - p[j]);
    }
}
static void three_logits(void)
{
    double z[] = {2, 1, -1}, y[] = {0, 1, 0}, p[3], dz[3];
    nn_softmax(3, z, p);
    long_way(3, p, y, dz);
    printf("cost = %.6f\n\n", nn_cross_entropy(3, z, y));
    printf("logit  p         long way  p - y     difference\n");
    for (size_t j = 0; j < 3; j++) {
        double h = 1e-5, old = z[j];
        z[j] = old + h;
        double up = nn_cross_entropy(3, z, y);
        z[j] = old - h;
        double d = (up - nn_cross_entropy(3, z, y)) / (2 * h);
        z[j] = old;
        printf("%4g %10.6f %9.6f %9.6f %9.6f\n", z[j], p[j],
               dz[j], p[j] - y[j], d);
    }
}
static void large_logits(void)
{
    printf("logits            cost as typed in, p"
           "    cost shifted, slope\n");
    for (double size = 10; size <= 1e4; size *= 10) {
        double z[] = {size, -size}, y[] = {0, 1}, p[2];
        double e0 = exp(z[0]), e1 = exp(z[1]);
        double p0 = e0 / (e0 + e1), plain = -log(e1 / (e0 + e1));
        nn_softmax(2, z, p);
        printf("%-7g %7g  %12g %8g  %12g %8.3g\n", z[0], z[1],
               fabs(plain), isnan(p0) ? (double)NAN : p0,
               nn_cross_entropy(2, z, y), p[1] - y[1]);
    }
}

int main(int argc, char **argv)
{
    int large = 0;
    const struct cli_option options[] = {
        {"large", "", "logits up to ten thousand",
         CLI_FLAG, &large, 0, 0},
    };
    const struct cli cli = {"logits", "",
        "Softmax and cross-entropy of three logits, or large ones.",
        options, sizeof options / sizeof *options, 0};
    cli_parse(&cli, argc, argv);
    if (large)
        large_logits();
    else
        three_logits();
    cli_finish(&cli);
    return 0;
}

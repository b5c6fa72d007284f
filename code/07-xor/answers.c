/* Tangled from chapters/07-xor.nw: edit there. Sum 3422227806. */
#include <math.h>
#include <string.h>

#include "nn/rng.h"

static long calls;

static double E(double z)
{
    calls++;
    return exp(z);
}

static double sigmoid(double z)
{
    double e = E(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}
static double sigmoid_slope(double a)
{
    return a * (1 - a);
}
struct net {
    double w11, w12, b1; // first hidden neuron
    double w21, w22, b2; // second
    double v1, v2, c;    // the output
};
static double one_example(const struct net *p, double x1,
                          double x2, double y, struct net *g)
{
    double z1 = p->w11 * x1 + p->w12 * x2 + p->b1;
    double z2 = p->w21 * x1 + p->w22 * x2 + p->b2;
    double a1 = sigmoid(z1), a2 = sigmoid(z2);
    double z = p->v1 * a1 + p->v2 * a2 + p->c;
    double a = sigmoid(z);
    double da = a - y;
    double dz = da * sigmoid_slope(a);
    g->v1 += dz * a1;
    g->v2 += dz * a2;
    g->c += dz;
    double dz1 = dz * p->v1 * sigmoid_slope(a1);
    double dz2 = dz * p->v2 * sigmoid_slope(a2);
    g->w11 += dz1 * x1;
    g->w12 += dz1 * x2;
    g->b1 += dz1;
    g->w21 += dz2 * x1;
    g->w22 += dz2 * x2;
    g->b2 += dz2;
    return 0.5 * (a - y) * (a - y);
}
static double gradient(const struct net *p, struct net *g)
{
    double sum = 0, *slope = (double *)g;
    *g = (struct net){0};
    for (int s = 0; s < 4; s++)
        sum += one_example(p, s >> 1, s & 1,
                           (s >> 1) ^ (s & 1), g);
    for (int i = 0; i < 9; i++)
        slope[i] /= 4;
    return sum / 4;
}
_Static_assert(sizeof(struct net) == 9 * sizeof(double),
               "nine doubles in a row");

static void step(struct net *p, const struct net *g, double rate)
{
    double *to = (double *)p;
    const double *by = (const double *)g;
    for (int i = 0; i < 9; i++)
        to[i] -= rate * by[i];
}
static struct net start(long seed, double range)
{
    struct net p = {0};
    struct nn_rng rng = nn_rng_seeded((uint64_t)seed);
    for (int i = 0; i < 9; i++)
        ((double *)&p)[i] = nn_rng_uniform(&rng, -range, range);
    return p;
}
static double answer(const struct net *p, double x1, double x2)
{
    double z1 = p->w11 * x1 + p->w12 * x2 + p->b1;
    double z2 = p->w21 * x1 + p->w22 * x2 + p->b2;
    double a1 = sigmoid(z1), a2 = sigmoid(z2);
    double z = p->v1 * a1 + p->v2 * a2 + p->c;
    double a = sigmoid(z);
    return a;
}

static int solved(const struct net *p)
{
    for (int s = 0; s < 4; s++)
        if (!(fabs(answer(p, s >> 1, s & 1) -
                   ((s >> 1) ^ (s & 1))) < 0.1))
            return 0;
    return 1;
}
static long walk(struct net *p, double rate, long steps)
{
    struct net g;
    for (long i = 0;; i++) {
        if (solved(p))
            return i;
        if (i == steps)
            return -1;
        gradient(p, &g);
        step(p, &g, rate);
    }
}
void by_hand(struct net *p)
{
    *p = (struct net){20, 20, -10, -20, -20, 30, 20, 20, -30};
}
double twins(int steps, double *cost)
{
    struct net p = {0.5, -0.3, 0.1, 0.5, -0.3, 0.1, 0.4, 0.4, 0};
    struct net g;
    *cost = gradient(&p, &g);
    for (int i = 0; i < steps; i++) {
        step(&p, &g, 4);
        *cost = gradient(&p, &g);
    }
    return fmax(fmax(fabs(p.w11 - p.w21), fabs(p.w12 - p.w22)),
                fmax(fabs(p.b1 - p.b2), fabs(p.v1 - p.v2)));
}
double input_slope(const struct net *p, double x1, double x2,
                   double y)
{
    double z1 = p->w11 * x1 + p->w12 * x2 + p->b1;
    double z2 = p->w21 * x1 + p->w22 * x2 + p->b2;
    double a1 = sigmoid(z1), a2 = sigmoid(z2);
    double z = p->v1 * a1 + p->v2 * a2 + p->c;
    double a = sigmoid(z);
    double dz = (a - y) * sigmoid_slope(a);
    double dz1 = dz * p->v1 * sigmoid_slope(a1);
    double dz2 = dz * p->v2 * sigmoid_slope(a2);
    return dz1 * p->w11 + dz2 * p->w21;
}
double success(double range, int seeds)
{
    int right = 0;
    for (long seed = 1; seed <= seeds; seed++) {
        struct net p = start(seed, range);
        right += walk(&p, 4, 20000) >= 0;
    }
    return (double)right / seeds;
}
static void add_slopes(int n, const double *p, double *g, int s)
{
    double x1 = s >> 1, x2 = s & 1, a[8] = {0}, z = 0;
    const double *v = p + 3 * n;
    double *dv = g + 3 * n;
    for (int k = 0; k < n; k++) {
        const double *w = p + 3 * k; // w1, w2, b
        a[k] = sigmoid(w[0] * x1 + w[1] * x2 + w[2]);
        z += v[k] * a[k];
    }
    double out = sigmoid(z + v[n]); // v[n] is c
    double dz = (out - ((s >> 1) ^ (s & 1))) * sigmoid_slope(out);
    for (int k = 0; k < n; k++) {
        double dz_k = dz * v[k] * sigmoid_slope(a[k]);
        g[3 * k] += dz_k * x1;
        g[3 * k + 1] += dz_k * x2;
        g[3 * k + 2] += dz_k;
        dv[k] += dz * a[k];
    }
    dv[n] += dz;
    g[4 * n + 1] += !(fabs(out - ((s >> 1) ^ (s & 1))) < 0.1);
}
double success_hidden(int n, int seeds)
{
    int right = 0;
    for (int seed = 1; seed <= seeds; seed++) {
        struct nn_rng rng = nn_rng_seeded((uint64_t)seed);
        double p[33], g[34];
        for (int i = 0; i <= 4 * n; i++)
            p[i] = nn_rng_uniform(&rng, -1, 1);
        for (int i = 0; i <= 20000; i++) {
            memset(g, 0, sizeof g);
            for (int s = 0; s < 4; s++)
                add_slopes(n, p, g, s);
            if (g[4 * n + 1] == 0) {
                right++;
                break;
            }
            for (int k = 0; k <= 4 * n; k++)
                p[k] -= g[k]; // a mean, at the rate 4
        }
    }
    return (double)right / seeds;
}

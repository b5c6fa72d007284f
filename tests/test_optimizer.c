/* The three methods, step by step: against numbers worked out by hand, and
   against the sums that their recursions stand for, in long double. */

#define CHECK_MEMORY
#include "check.h"

#include <string.h>

#include "nn/optimizer.h"
#include "nn/rng.h"

TestSuite(optimizer, .timeout = 30);

enum { N = 7, STEPS = 50, METHODS = 3 };

static struct nn_optimizer create(enum nn_method method, size_t n)
{
    struct nn_optimizer o;
    cr_assert(nn_optimizer_create(&o, method, n) == NN_OK);
    return o;
}

/* Takes p = 0 through COUNT steps of G; after each, p is WANT. */
static void walk(struct nn_optimizer *o, size_t count, const double *g, double rate,
                 const double *want, double tol)
{
    double p = 0;
    for (size_t t = 0; t < count; t++) {
        nn_optimizer_step(o, &p, &g[t], rate);
        cr_assert(fabs(p - want[t]) <= tol, "step %zu: %.17g, not %.17g", t + 1, p,
                  want[t]);
        cr_assert(o->t == t + 1);
    }
    nn_optimizer_destroy(o);
}

/* --------------------------------------------------------------- by hand */

/* p = 0 - 0.1 * 1, then - 0.1 * 2, then + 0.1 * 4. */
Test(optimizer, descent_by_hand)
{
    struct nn_optimizer o = create(NN_DESCENT, 1);
    walk(&o, 3, (double[]){1, 2, -4}, 0.1, (double[]){-0.1, -0.3, 0.1}, 1e-16);
}

/* v = 1, 0.9 * 1 + 2 = 2.9, 0.9 * 2.9 - 1 = 1.61, 0.9 * 1.61 = 1.449;
   p = -0.1, -0.1 - 0.29, -0.39 - 0.161, -0.551 - 0.1449. */
Test(optimizer, momentum_by_hand)
{
    struct nn_optimizer o = create(NN_MOMENTUM, 1);
    const double want[] = {-0.1, -0.39, -0.551, -0.6959};
    walk(&o, 4, (double[]){1, 2, -1, 0}, 0.1, want, 2e-16);
    o = create(NN_MOMENTUM, 1); // v = 1, 2.5, 0.25
    o.beta1 = 0.5;
    walk(&o, 3, (double[]){1, 2, -1}, 2, (double[]){-2, -7, -7.5}, 0);
}

/* With beta1 = 0.5, beta2 = 0.75, epsilon = 1 and rate 3:
   t = 1, g = 2: v = 1, s = 1, v' = 1/0.5 = 2, s' = 1/0.25 = 4,
       p = 0 - 3 * 2 / (2 + 1) = -2
   t = 2, g = -5: v = 0.5 - 2.5 = -2, s = 0.75 + 25/4 = 7,
       v' = -2/0.75 = -8/3, s' = 7/0.4375 = 16,
       p = -2 + 3 * (8/3) / (4 + 1) = -0.4
   t = 3, g = 0: v = -1, s = 5.25, v' = -1/0.875 = -8/7,
       s' = 5.25/0.578125 = 336/37, p = -0.4 + (24/7) / (sqrt(336/37) + 1) */
Test(optimizer, adam_by_hand)
{
    struct nn_optimizer o = create(NN_ADAM, 1);
    const double want[] = {-2, -0.4, 0.4542633034090492};
    o.beta1 = 0.5;
    o.beta2 = 0.75;
    o.epsilon = 1;
    walk(&o, 3, (double[]){2, -5, 0}, 3, want, 1e-15);
}

/* Its usual numbers, rate 0.1:
   t = 1, g = 1: v = 0.1, s = 0.001, v' = s' = 1, p = -0.1 / (1 + 1e-8)
   t = 2, g = -3: v = 0.09 - 0.3 = -0.21, s = 0.000999 + 0.009 = 0.009999,
       v' = -0.21/0.19 = -1.105263..., s' = 0.009999/0.001999 = 5.002001...,
       p += 0.1 * 1.105263... / (2.236515... + 1e-8)
   t = 3, g = 0.5: v = -0.189 + 0.05 = -0.139, s = 0.010239001,
       v' = -0.139/0.271, s' = 0.010239001/0.002997001 */
Test(optimizer, adam_with_its_usual_numbers)
{
    struct nn_optimizer o = create(NN_ADAM, 1);
    const double want[] = {-0.099999999000000010, -0.050581015891255507,
                           -0.022831196667821719};
    cr_assert(o.beta1 == 0.9 && o.beta2 == 0.999 && o.epsilon == 1e-8);
    walk(&o, 3, (double[]){1, -3, 0.5}, 0.1, want, 1e-13);
}

/* ------------------------------------------------------ against the sums */

struct slopes {
    double g[STEPS][N], rate[STEPS];
};

/* Parameter i has slopes of size 10^(i - 3), not all of one sign. */
static void random_slopes(struct slopes *all, struct nn_rng *rng)
{
    for (int t = 0; t < STEPS; t++) {
        all->rate[t] = nn_rng_uniform(rng, 0.001, 0.1);
        for (int i = 0; i < N; i++)
            all->g[t][i] = nn_rng_uniform(rng, -1, 2) * pow(10, i - 3);
    }
}

/* The sum of beta^(t-k) g_k^POWER over k = 0 .. t. */
static long double faded(const struct slopes *all, int t, int i, double beta, int power)
{
    long double sum = 0;
    for (int k = 0; k <= t; k++) {
        long double g = (long double)all->g[k][i];
        sum += powl((long double)beta, t - k) * (power == 2 ? g * g : g);
    }
    return sum;
}

/* What step t (from 0) of a method takes from p[i], by its definition. */
static long double ref_step(const struct nn_optimizer *o, const struct slopes *all,
                            int t, int i)
{
    long double rate = (long double)all->rate[t];
    long double b1 = (long double)o->beta1, b2 = (long double)o->beta2;
    if (o->method == NN_DESCENT)
        return rate * (long double)all->g[t][i];
    if (o->method == NN_MOMENTUM)
        return rate * faded(all, t, i, o->beta1, 1);
    long double v = (1 - b1) * faded(all, t, i, o->beta1, 1) / (1 - powl(b1, t + 1));
    long double s = (1 - b2) * faded(all, t, i, o->beta2, 2) / (1 - powl(b2, t + 1));
    return rate * v / (sqrtl(s) + (long double)o->epsilon);
}

/* Sets round ROUND of the constants: the usual ones, then random ones. */
static void set_constants(struct nn_optimizer *o, struct nn_rng *rng, int round)
{
    if (round == 0)
        return;
    o->beta1 = nn_rng_uniform(rng, 0, 0.95);
    o->beta2 = nn_rng_uniform(rng, 0.5, 0.999);
    o->epsilon = round % 2 ? nn_rng_uniform(rng, 0, 1) : 1e-8;
}

Test(optimizer, steps_agree_with_the_sums)
{
    struct nn_rng rng = nn_rng_seeded(1);
    static struct slopes all;
    for (int method = 0; method < METHODS; method++)
        for (int round = 0; round < 8; round++) {
            struct nn_optimizer o = create((enum nn_method)method, N);
            double p[N + 1] = {0};
            long double want[N] = {0};
            p[N] = 42; // not its own
            random_slopes(&all, &rng);
            set_constants(&o, &rng, round);
            for (int i = 0; i < N; i++)
                want[i] = (long double)(p[i] = nn_rng_uniform(&rng, -1, 1));
            for (int t = 0; t < STEPS; t++) {
                nn_optimizer_step(&o, p, all.g[t], all.rate[t]);
                for (int i = 0; i < N; i++) {
                    double step = (double)ref_step(&o, &all, t, i);
                    want[i] -= (long double)step;
                    double off = p[i] - (double)want[i];
                    cr_assert(fabs(off) < 1e-13 * (1 + pow(10, i - 3)),
                              "method %d, step %d, %d: off by %g", method, t, i, off);
                }
            }
            cr_assert(p[N] == 42 && o.t == STEPS && o.n == N);
            nn_optimizer_destroy(&o);
        }
}

/* --------------------------------------------------------- what must hold */

Test(optimizer, momentum_without_memory_is_descent)
{
    struct nn_rng rng = nn_rng_seeded(2);
    static struct slopes all;
    struct nn_optimizer o = create(NN_DESCENT, N), u = create(NN_MOMENTUM, N);
    double p[N] = {0}, q[N] = {0};
    random_slopes(&all, &rng);
    u.beta1 = 0;
    for (int t = 0; t < STEPS; t++) {
        nn_optimizer_step(&o, p, all.g[t], all.rate[t]);
        nn_optimizer_step(&u, q, all.g[t], all.rate[t]);
        cr_assert(memcmp(p, q, sizeof p) == 0);
    }
    nn_optimizer_destroy(&o);
    nn_optimizer_destroy(&u);
}

Test(optimizer, adams_first_step_is_as_long_as_the_rate)
{
    const double g[N] = {1e-3, -1e-3, 1, -1, 1e100, -1e100, 0};
    for (double rate = 1e-4; rate < 2; rate *= 10) {
        struct nn_optimizer o = create(NN_ADAM, N);
        double p[N] = {0};
        nn_optimizer_step(&o, p, g, rate);
        for (int i = 0; i < N - 1; i++) {
            check_close(p[i], -rate * g[i] / (fabs(g[i]) + 1e-8), 1e-14);
            cr_assert(fabs(p[i]) > 0.9999 * rate);
        }
        cr_assert(p[N - 1] == 0);
        nn_optimizer_destroy(&o);
    }
}

/* The largest difference between the paths with slopes g and 1000 g. */
static double scaled_apart(double epsilon)
{
    struct nn_rng rng = nn_rng_seeded(3);
    struct nn_optimizer o = create(NN_ADAM, N), u = create(NN_ADAM, N);
    double p[N] = {0}, q[N] = {0}, apart = 0;
    o.epsilon = u.epsilon = epsilon;
    for (int t = 0; t < STEPS; t++) {
        double g[N], large[N];
        for (int i = 0; i < N; i++)
            large[i] = 1e3 * (g[i] = nn_rng_uniform(&rng, -1, 1));
        nn_optimizer_step(&o, p, g, 0.1);
        nn_optimizer_step(&u, q, large, 0.1);
        for (int i = 0; i < N; i++)
            apart = check_worst(apart, fabs(p[i] - q[i]));
    }
    nn_optimizer_destroy(&o);
    nn_optimizer_destroy(&u);
    return apart;
}

Test(optimizer, adam_hardly_feels_the_scale)
{
    cr_assert(scaled_apart(1e-8) < 1e-6 && scaled_apart(1e-8) > 1e-10);
    cr_assert(scaled_apart(0) < 1e-13);
}

/* 1/2 sum c_i (p_i - q_i)^2, from 0 to its lowest point q. */
static double distance_after(enum nn_method method, double rate, int steps)
{
    const double c[] = {0.1, 0.5, 1, 2}, q[] = {3, -1, 0.5, 2};
    struct nn_optimizer o = create(method, 4);
    double p[4] = {0}, g[4], far = 0;
    for (int t = 0; t < steps; t++) {
        for (int i = 0; i < 4; i++)
            g[i] = c[i] * (p[i] - q[i]);
        nn_optimizer_step(&o, p, g, rate);
    }
    for (int i = 0; i < 4; i++)
        far = check_worst(far, fabs(p[i] - q[i]));
    nn_optimizer_destroy(&o);
    return far;
}

Test(optimizer, each_method_finds_the_lowest_point)
{
    for (int method = 0; method < METHODS; method++) {
        double far = distance_after((enum nn_method)method, 0.1, 3000);
        cr_assert(far < 1e-6, "method %d: %g", method, far);
    }
    double plain = distance_after(NN_DESCENT, 0.1, 100);
    cr_assert(plain > 1 && distance_after(NN_MOMENTUM, 0.1, 100) < 0.1 * plain);
}

/* ---------------------------------------------------- creating, destroying */

static void refuses(enum nn_status want, size_t n)
{
    for (int method = 0; method < METHODS; method++) {
        struct nn_optimizer o;
        long held = check_memory.live;
        memset(&o, 0x5a, sizeof o);
        cr_assert(nn_optimizer_create(&o, (enum nn_method)method, n) == want);
        cr_assert(check_memory.live == held && !o.v && !o.s);
        nn_optimizer_destroy(&o);
    }
}

Test(optimizer, create_refuses)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    check_memory_wrapped();
    refuses(NN_BAD_SIZE, 0);
    refuses(NN_BAD_SIZE, most + 1);
    refuses(NN_BAD_SIZE, SIZE_MAX / sizeof(double) + 2);
    refuses(NN_BAD_SIZE, SIZE_MAX);
    refuses(NN_NO_MEMORY, most);
    refuses(NN_NO_MEMORY, (size_t)1 << 50);
}

static enum nn_status create_any(void *o)
{
    enum nn_method method = ((struct nn_optimizer *)o)->method;
    memset(o, 0x5a, sizeof(struct nn_optimizer));
    enum nn_status status = nn_optimizer_create(o, method, N);
    ((struct nn_optimizer *)o)->method = method; // for the next time
    return status;
}

static void look_at_any(void *job, enum nn_status status)
{
    struct nn_optimizer *o = job;
    enum nn_method method = o->method;
    if (status == NN_OK)
        nn_optimizer_destroy(o);
    cr_assert(!o->v && !o->s);
    nn_optimizer_destroy(o);
    o->method = method;
}

Test(optimizer, create_when_memory_runs_out)
{
    for (int method = 0; method < METHODS; method++) {
        struct nn_optimizer o = {.method = (enum nn_method)method};
        cr_assert(check_refusals(create_any, look_at_any, &o) == 2);
    }
}

Test(optimizer, method_that_is_none_moves_nothing)
{
    struct nn_optimizer o = create((enum nn_method)9, 1);
    walk(&o, 2, (double[]){1, 2}, 0.1, (double[]){0, 0}, 0);
}

/* Leaves blocks of N numbers behind that are free and not zero. */
static void litter(void)
{
    void *block[4];
    for (int i = 0; i < 4; i++)
        if ((block[i] = malloc(N * sizeof(double))))
            for (size_t k = 0; k < N * sizeof(double); k++)
                ((volatile char *)block[i])[k] = 0x5a;
    for (int i = 0; i < 4; i++)
        free(block[i]);
}

Test(optimizer, create_begins_at_zero)
{
    for (int method = 0; method < METHODS; method++) {
        litter();
        struct nn_optimizer o = create((enum nn_method)method, N);
        cr_assert(o.n == N && o.t == 0 && (int)o.method == method);
        cr_assert(o.beta1 == 0.9 && o.beta2 == 0.999 && o.epsilon == 1e-8);
        for (int i = 0; i < N; i++)
            cr_assert(o.v[i] == 0 && o.s[i] == 0);
        nn_optimizer_destroy(&o);
    }
}

/* In the valley of chapter 12, at a rate that stays: within a thousandth of the bottom from
   step 148 to about 7000, and then thrown out. */
Test(optimizer, adam_does_not_stay_at_the_bottom)
{
    struct nn_optimizer o = create(NN_ADAM, 2);
    double p[2] = {-4, 1};
    for (int step = 0; step < 8000; step++) {
        double far = hypot(p[0], p[1]);
        if (step >= 148 && step < 6500)
            cr_assert(far < 1e-3, "step %d: %g", step, far);
        if (far > 1e-2 && step > 6500)
            break;
        cr_assert(step < 7999);
        nn_optimizer_step(&o, p, (double[]){p[0], 100 * p[1]}, 0.1);
    }
    nn_optimizer_destroy(&o);
}

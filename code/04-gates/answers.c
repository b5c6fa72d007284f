/* Tangled from chapters/04-gates.nw: edit there. Sum 1201868952. */
#include <math.h>

struct neuron {
    double w1, w2, b;
};

static double answer(struct neuron p, const double x[2])
{
    return p.w1 * x[0] + p.w2 * x[1] + p.b;
}
enum { M = 4 };
static const double x[M][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const struct gate {
    const char *name;
    double y[M];
} gates[] = {{"OR", {0, 1, 1, 1}},
             {"AND", {0, 0, 0, 1}},
             {"NAND", {1, 1, 1, 0}},
             {"XOR", {0, 1, 1, 0}}};
static struct neuron gradient(struct neuron p, const double y[M])
{
    struct neuron g = {0, 0, 0};
    for (int s = 0; s < M; s++) {
        double off = (answer(p, x[s]) - y[s]) / M;
        g.w1 += off * x[s][0];
        g.w2 += off * x[s][1];
        g.b += off;
    }
    return g;
}
static struct neuron step(struct neuron p, struct neuron g,
                          double rate)
{
    return (struct neuron){p.w1 - rate * g.w1,
                           p.w2 - rate * g.w2,
                           p.b - rate * g.b};
}
static int all_right(struct neuron p, const double y[M])
{
    for (int s = 0; s < M; s++)
        if ((answer(p, x[s]) > 0.5) != (y[s] > 0.5))
            return 0;
    return 1;
}
static struct neuron learn(const double y[M], double rate,
                           long steps, long *right_at)
{
    struct neuron p = {0, 0, 0};
    *right_at = -1;
    for (long i = 0;; i++) {
        if (*right_at < 0 && all_right(p, y))
            *right_at = i;

        struct neuron g = gradient(p, y);
        double size = fabs(g.w1) + fabs(g.w2) + fabs(g.b);
        if (i == steps || !(size > 1e-9))
            break;
        p = step(p, g, rate);
    }
    return p;
}
double nand_by_hand(double x1, double x2)
{
    return -x1 - x2 + 2;
}
void to_signs(double *w1, double *w2, double *b)
{
    *w1 *= 2;
    *w2 *= 2;
    *b = 2 * *b - 1;
}
static double verdict(int gate, double x1, double x2)
{
    long right_at;
    double in[2] = {x1, x2};
    struct neuron p = learn(gates[gate].y, 1, 1000, &right_at);
    return answer(p, in) > 0.5;
}

double xor_of_gates(const double in[2])
{
    return verdict(1, verdict(0, in[0], in[1]),
                   verdict(2, in[0], in[1]));
}
void learn_with_product(double p[4])
{
    for (int k = 0; k < 4; k++)
        p[k] = 0;
    for (int i = 0; i < 5000; i++) {
        double g[4] = {0, 0, 0, 0};
        for (int s = 0; s < M; s++) {
            double in[4] = {x[s][0], x[s][1],
                            x[s][0] * x[s][1], 1};
            double off = -gates[3].y[s];
            for (int k = 0; k < 4; k++)
                off += p[k] * in[k];
            for (int k = 0; k < 4; k++)
                g[k] += off * in[k] / M;
        }
        for (int k = 0; k < 4; k++)
            p[k] -= g[k];
    }
}
static int sign(long bits)
{
    return bits & 1 ? 1 : -1;
}

static int can_learn(int inputs, long gate)
{
    int w[6] = {0};
    for (int walk = 0; walk < 100; walk++) {
        int mistakes = 0;
        for (int row = 0; row < 1 << inputs; row++) {
            int y = sign(gate >> row), z = w[inputs];
            for (int k = 0; k < inputs; k++)
                z += w[k] * sign(row >> k);
            if (y * z > 0)
                continue;
            mistakes++;
            for (int k = 0; k < inputs; k++)
                w[k] += y * sign(row >> k);
            w[inputs] += y;
        }
        if (mistakes == 0)
            return 1;
    }
    return 0;
}
long count_gates(int inputs)
{
    long count = 0;
    for (long gate = 0; gate < 1L << (1 << inputs); gate++)
        count += can_learn(inputs, gate);
    return count;
}

/* Tangled from chapters/01-twice.nw: edit there. Sum 1312856659. */
#include <math.h>

enum { M = 5 };
static const double x[M] = {0, 1, 2, 3, 4};
static const double y[M] = {0, 2, 4, 6, 8};
static double cost(double w)
{
    double sum = 0;
    for (int s = 0; s < M; s++) {
        double off = w * x[s] - y[s];
        sum += 0.5 * off * off;
    }
    return sum / M;
}
static double slope(double w, double h)
{
    return (cost(w + h) - cost(w)) / h;
}
static double settle(double w, double rate, double h)
{
    for (long i = 0; i < 1000000; i++) {
        double next = w - rate * slope(w, h);
        if (fabs(next - w) < 1e-12)
            break;
        w = next;
    }
    return w;
}
int steps_needed(double start)
{
    double w = start;
    int n = 0;
    while (fabs(w - 1.9995) >= 0.001) {
        w -= 0.1 * slope(w, 0.001);
        n++;
    }
    return n;
}
double settle_with(double h)
{
    return settle(0, 0.1, h);
}
double settle_central(double h)
{
    double w = 0;
    for (int i = 0; i < 1000; i++)
        w -= 0.1 * (cost(w + h) - cost(w - h)) / (2 * h);
    return w;
}
double border_rate(void)
{
    double works = 0.1, fails = 0.4, h = 0.001, rest = 2 - h / 2;
    while (fails - works > 1e-6) {
        double rate = (works + fails) / 2, w = 0;
        for (int i = 0; i < 100; i++)
            w -= rate * slope(w, h);
        if (fabs(w - rest) < rest)
            works = rate;
        else
            fails = rate;
    }
    return works;
}
static double cost_wb(double w, double b)
{
    double sum = 0;
    for (int s = 0; s < M; s++) {
        double off = w * x[s] + b - (2 * x[s] + 1);
        sum += 0.5 * off * off;
    }
    return sum / M;
}

void settle_with_bias(double h, double *w, double *b)
{
    *w = *b = 0;
    for (int i = 0; i < 5000; i++) {
        double j = cost_wb(*w, *b);
        double dw = (cost_wb(*w + h, *b) - j) / h;
        double db = (cost_wb(*w, *b + h) - j) / h;
        *w -= 0.1 * dw;
        *b -= 0.1 * db;
    }
}

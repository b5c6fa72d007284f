/* Tangled from chapters/03-descent.nw: edit there. Sum 456045482. */
#include <float.h>
#include <math.h>

double fraction_slope(double x)
{
    return 2 / ((1 - x) * (1 - x));
}
double rate_for(double factor)
{
    return (1 - factor) / 6;
}
double rest(int m, const double *x, const double *y)
{
    double xy = 0, xx = 0;
    for (int s = 0; s < m; s++) {
        xy += x[s] * y[s];
        xx += x[s] * x[s];
    }
    return xy / xx;
}
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
static double slope(double w)
{
    double sum = 0;
    for (int s = 0; s < M; s++)
        sum += (w * x[s] - y[s]) * x[s];
    return sum / M;
}
double safe_step(double w, double *rate)
{
    double s = slope(w), here = cost(w);
    while (*rate * fabs(s) > 4 * DBL_EPSILON * fabs(w) &&
           cost(w - *rate * s) > here - 0.5 * *rate * s * s)
        *rate /= 2;
    return w - *rate * s;
}
double distance_after(int n, double rate)
{
    double w = 0, b = 0;
    for (int i = 0; i < n; i++) {
        double dw = 0, db = 0;
        for (int s = 0; s < M; s++) {
            double off = w * x[s] + b - (2 * x[s] + 1);
            dw += off * x[s] / M;
            db += off / M;
        }
        w -= rate * dw;
        b -= rate * db;
    }
    return hypot(w - 2, b - 1);
}

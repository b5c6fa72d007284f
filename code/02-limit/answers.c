/* Tangled from chapters/02-limit.nw: edit there. Sum 3326074534. */
#include <float.h>
#include <math.h>

static double forward(double f(double), double x, double h)
{
    return (f(x + h) - f(x)) / h;
}
static double central(double f(double), double x, double h)
{
    return (f(x + h) - f(x - h)) / (2 * h);
}
double cube_quotient(double x, double h)
{
    double u = x + h;
    return (u * u * u - x * x * x) / h;
}

double cube_off(double x, double h)
{
    return h * (3 * x + h);
}
void corner(double h, double *right, double *left,
            double *middle)
{
    *right = forward(fabs, 0, h);
    *left = forward(fabs, 0, -h);
    *middle = central(fabs, 0, h);
}
double forward_made(double f(double), double x, double h)
{
    double u = x + h;
    return (f(u) - f(x)) / (u - x);
}
double richardson(double f(double), double x, double h)
{
    return (4 * central(f, x, h / 2) - central(f, x, h)) / 3;
}
double slope_with_error(double f(double), double x,
                        double *error)
{
    double best = 0, before = central(f, x, 1);
    double earlier = (double)INFINITY; // the change before
    *error = (double)INFINITY;
    for (double h = 0.5; h > 1e-9; h /= 2) {
        double here = central(f, x, h);
        double size = fabs(f(x + h)) + fabs(f(x - h)) +
                      2 * fabs(x * here);
        double change = fabs(here - before);
        double off = fmax(change, earlier / 2) +
                     size * DBL_EPSILON / (2 * h);
        if (off < *error) {
            *error = off;
            best = here;
        }
        before = here;
        earlier = change;
    }
    return best;
}

/* Tangled from chapters/05-activations.nw: edit there. Sum 1248192006. */
#include <math.h>

struct dual {
    double v, d; // a value, and its slope by x
};
static struct dual sum(struct dual f, struct dual g)
{
    return (struct dual){f.v + g.v, f.d + g.d};
}
static struct dual product(struct dual f, struct dual g)
{
    return (struct dual){f.v * g.v, f.d * g.v + f.v * g.d};
}
static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}
static double sigmoid_slope(double a)
{
    return a * (1 - a);
}
double tanh_by_sigmoid(double z)
{
    return 2 * sigmoid(2 * z) - 1;
}
double shared_slope(double w, double x, double y)
{
    double p = w * x, q = w * p, r = q - y;
    double dq = r;      // r = q - y, J = r*r/2
    double dw = dq * p; // the wire from w to q
    double dp = dq * w;
    dw += dp * x;       // the wire from w to p
    return dw;
}
double softplus(double z)
{
    return (z > 0 ? z : 0) + log1p(exp(-fabs(z)));
}
double full_slope(double z)
{
    double e = exp(-fabs(z));
    return e / ((1 + e) * (1 + e));
}
void relu_from_zero(double c, double *w, double *b)
{
    *w = *b = 0;
    for (int i = 0; i < 1000; i++) {
        double dw = 0, db = 0;
        for (int s = 1; s <= 2; s++) {
            double z = *w * s + *b, a = z > 0 ? z : 0;
            double slope = z > 0 ? 1 : z < 0 ? 0 : c;
            dw += (a - s) * slope * s / 2;
            db += (a - s) * slope / 2;
        }
        *w -= 0.1 * dw;
        *b -= 0.1 * db;
    }
}
static struct dual bend(struct dual z)
{
    double a = sigmoid(z.v);
    return (struct dual){a, sigmoid_slope(a) * z.d};
}

void slopes_forward(const double in[4], double d[3])
{
    for (int i = 0; i < 3; i++) {
        struct dual w = {in[0], i == 0}, b = {in[1], i == 1};
        struct dual x = {in[2], i == 2}, minus_y = {-in[3], 0};
        struct dual a = bend(sum(product(w, x), b));
        struct dual e = sum(a, minus_y);
        d[i] = 0.5 * product(e, e).d;
    }
}

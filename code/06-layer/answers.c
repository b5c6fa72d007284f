/* Tangled from chapters/06-layer.nw: edit there. Sum 3644177800. */
#include <math.h>

static double sigmoid(double z)
{
    double e = exp(-fabs(z));
    return (z >= 0 ? 1 : e) / (1 + e);
}
static double sigmoid_slope(double a)
{
    return a * (1 - a);
}
void slopes_at(double x, double w, double b, double y,
               double *dw, double *db)
{
    double a = sigmoid(w * x + b);
    *db = (a - y) * sigmoid_slope(a);
    *dw = *db * x;
}
double conserved(int steps)
{
    double w = 0.4, b = 0.1, dw, db;
    for (int i = 0; i < steps; i++) {
        slopes_at(2, w, b, 1, &dw, &db);
        w -= dw;
        b -= db;
    }
    return w - 2 * b;
}
void ends_at(double x, double y, double *w, double *b)
{
    double t = (atanh(y) - (*w * x + *b)) / (x * x + 1);
    *w += t * x;
    *b += t;
}
double layer_border(int n, double x, int dropped)
{
    return (dropped ? 2.0 : 2.0 * n) / (x * x + 1);
}
void mean_slopes(int m, const double *x, const double (*y)[3],
                 const double w[3], const double b[3],
                 double dw[3], double db[3])
{
    for (int j = 0; j < 3; j++)
        dw[j] = db[j] = 0;
    for (int s = 0; s < m; s++)
        for (int j = 0; j < 3; j++) {
            double a = sigmoid(w[j] * x[s] + b[j]);
            double dz = (a - y[s][j]) / (3 * m) *
                        sigmoid_slope(a);
            dw[j] += dz * x[s];
            db[j] += dz;
        }
}
void layer_slopes(int n, int q, const double *x,
                  const double *w, const double *b,
                  const double *y, double *dw, double *db,
                  double *dx)
{
    for (int k = 0; k < q; k++)
        dx[k] = 0;
    for (int j = 0; j < n; j++) {
        double z = b[j];
        for (int k = 0; k < q; k++)
            z += w[j * q + k] * x[k];
        double a = tanh(z);
        db[j] = (a - y[j]) / n * (1 - a * a);
        for (int k = 0; k < q; k++) {
            dw[j * q + k] = db[j] * x[k];
            dx[k] += db[j] * w[j * q + k];
        }
    }
}

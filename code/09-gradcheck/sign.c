/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3808612319. */
static enum nn_status sign(struct nn *nn, size_t m,
                           const double *x, const double *y,
                           double *g, double *cost)
{
    struct nn_layer last = nn_layer_at(nn, nn->layers);
    size_t n_in = nn->size[0], n_out = last.n;
    double *da_out = nn->da + last.unit, sum = 0;
    for (size_t i = 0; i < nn->params; i++)
        g[i] = 0;
    for (size_t s = 0; s < m; s++) {
        const double *a = nn_forward(nn, x + s * n_in);
        for (size_t j = 0; j < n_out; j++)
            da_out[j] = (a[j] - y[s * n_out + j]) / (double)(n_out * m);
        sum += sample_cost(nn, a, y + s * n_out);
        if (nn->loss == NN_CROSS_ENTROPY) {
            nn_softmax(n_out, a, da_out);
            for (size_t j = 0; j < n_out; j++)
                da_out[j] = (da_out[j] - y[s * n_out + j]) / (double)m;
        }
        for (int l = nn->layers; l >= 1; l--) {
            struct nn_layer at = nn_layer_at(nn, l);
            enum nn_activation sigma = nn->sigma[l];
            size_t n = at.n, n_before = at.n_before;
            const double *w = nn->p + at.w, *z = nn->z + at.unit;
            const double *a_before = nn->a + at.unit_before;
            double *da = nn->da + at.unit, *dz = nn->dz + at.unit;
            double *dw = g + at.w, *db = g + at.b;
            double *da_before = nn->da + at.unit_before;
            if (nn->keep && l < nn->layers)
                for (size_t j = 0; j < n; j++)
                    da[j] *= nn->keep[at.unit + j];
            for (size_t k = 0; k < n_before; k++)
                da_before[k] = 0;
            for (size_t j = 0; j < n; j++) {
                dz[j] = da[j] * nn_slope(sigma, z[j]);
                db[j] += dz[j];
                const double *w_j = w + j * n_before;
                double *dw_j = dw + j * n_before;
                for (size_t k = 0; k < n_before; k++) {
                    dw_j[k] += dz[j] * a_before[k];
                    da_before[k] -= dz[j] * w_j[k];
                }
            }
        }
    }
    *cost = sum / (double)m;
    *cost += nn_decay(nn, g);
    int finite = isfinite(*cost);
    for (size_t i = 0; finite && i < nn->params; i++)
        finite = isfinite(g[i]);
    return finite ? NN_OK : NN_NOT_FINITE;
}

/* Tangled from chapters/14-ladder.nw: edit there. Sum 2100216758. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

double tile_side(double peak, double bandwidth)
{
    return ceil(4 * peak / bandwidth);
}
double batch_side(double peak, double bandwidth)
{
    return ceil(3 * peak / bandwidth);
}
size_t sets_used(size_t step, size_t n, size_t sets)
{
    size_t used = 0;
    char *seen = calloc(sets, 1);
    for (size_t i = 0; seen && i < n; i++) {
        size_t set = i * step / 64 % sets;
        used += !seen[set];
        seen[set] = 1;
    }
    free(seen);
    return used;
}
void skipping(size_t n, size_t n_before, const float *w,
              const float *b, const float *x, float *z)
{
    for (size_t j = 0; j < n; j++)
        z[j] = b[j];
    for (size_t k = 0; k < n_before; k++)
        if (x[k] != 0)
            #pragma omp simd
            for (size_t j = 0; j < n; j++)
                z[j] += x[k] * w[k * n + j];
}
float two_bytes(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += 0x7FFF + (bits >> 16 & 1);
    bits &= 0xFFFF0000;
    memcpy(&x, &bits, sizeof x);
    return x;
}
float fast_exp(float x)
{
    float n = (float)(int)(x * 1.44269504F + copysignf(0.5F, x));
    float r = x - n * 0.693359375F + n * 2.12194440e-4F;
    float p = 1 + r * (1 + r * (1 / 2.F + r * (1 / 6.F +
              r * (1 / 24.F + r * (1 / 120.F + r / 720)))));
    uint32_t bits = (uint32_t)((int)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power * p;
}

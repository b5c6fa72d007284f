/* Tangled from chapters/90-plumbing.nw: edit there. Sum 2994092316. */
/* Loops that do nothing but multiply-adds, or nothing but reads:
   see nn/widths.h. */
typedef float NAMED(floats)
    __attribute__((vector_size(4 * LANES), aligned(4),
                   may_alias));
#define VECTOR NAMED(floats)

enum { NAMED(CHAINS) = 12 };

static TARGET double NAMED(multiply_add)(size_t times)
{
    VECTOR sum[NAMED(CHAINS)], factor = {0}, all = {0};
    factor += 0.5F;
    UNROLL for (int i = 0; i < NAMED(CHAINS); i++)
        sum[i] = factor + (float)i;

    for (size_t t = 0; t < times; t++)
        UNROLL for (int i = 0; i < NAMED(CHAINS); i++)
            sum[i] = sum[i] * factor + factor;

    UNROLL for (int i = 0; i < NAMED(CHAINS); i++)
        all += sum[i];
    return (double)all[0];
}
static TARGET double NAMED(read)(const float *p, size_t n,
                                 size_t times)
{
    VECTOR sum[8], all = {0};
    UNROLL for (int i = 0; i < 8; i++)
        sum[i] = all;

    for (size_t t = 0; t < times; t++)
        for (size_t i = 0; i + 8 * LANES <= n; i += 8 * LANES)
            UNROLL for (size_t j = 0; j < 8; j++)
                sum[j] += *(const VECTOR *)(p + i + j * LANES);
    UNROLL for (int i = 0; i < 8; i++)
        all += sum[i];
    return (double)all[0];
}
#undef VECTOR

/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1363127239. */
#include "nn/product.h"

#define TEMPLATE "nn/tile.h"
#include "nn/widths.h"

int nn_lanes(void)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return 16;
    if (__builtin_cpu_supports("avx2") &&
        __builtin_cpu_supports("fma"))
        return 8;
#endif
    return 4;
}

void nn_product(int lanes, const struct nn_product *p)
{
#if defined __x86_64__
    if (lanes == 16) {
        product_16(p);
        return;
    }
    if (lanes == 8) {
        product_8(p);
        return;
    }
#endif
    (void)lanes;
    product_4(p);
}

/* Tangled from chapters/14-ladder.nw: edit there. Sum 2361399541. */
#ifndef NN_PRODUCT_H
#define NN_PRODUCT_H
#include <stddef.h>

enum { NN_PANEL = 16 }; // floats side by side in memory

/* c[r][u] = start[u] + sum_d a[r][d] b[d][u], u in panels of 16;
   with a rate, c[r][u] -= rate * sum_d a[r][d] b[d][u]. Each sum
   is taken in the order of d, whatever the width. */
struct nn_product {
    size_t rows, depth, panels;
    const float *a;
    size_t a_row, a_step;   // from r to r + 1, from d to d + 1
    const float *b;
    size_t b_step, b_panel; // from d to d + 1, to the next panel
    const float *start;     // [panels][16], or NULL for zeros
    float *c;
    size_t c_row, c_panel;
    float rate;             // 0: none
};

/* By vectors of LANES floats, at most nn_lanes(). In a parallel
   region of OpenMP its threads share the work. */
void nn_product(int lanes, const struct nn_product *p);

/* The widest vectors of this processor, in floats: 4, 8 or 16. */
int nn_lanes(void);

#endif

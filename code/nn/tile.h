/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1246886088. */
/* nn_product by vectors of LANES floats: see nn/widths.h. */
#define VECTOR NAMED(vector)
#define PARTS ((size_t)NN_PANEL / LANES)
typedef float NAMED(vector)
    __attribute__((vector_size(4 * LANES), aligned(4),
                   may_alias));
/* So many rows from row r on, in so many panels from q on. */
static inline __attribute__((always_inline)) TARGET
void NAMED(tile)(const struct nn_product *p, size_t r, size_t q,
                 const size_t rows, const size_t panels)
{
    const size_t a_row = p->a_row, a_step = p->a_step;
    const size_t b_step = p->b_step, b_panel = p->b_panel;
    const float *a = p->a + r * a_row, *b = p->b + q * b_panel;
    const size_t parts = panels * PARTS;
    VECTOR sum[ROWS][PANELS * PARTS];
    UNROLL for (size_t j = 0; j < parts; j++) {
        VECTOR first = {0};
        if (p->start)
            first = *(const VECTOR *)(p->start + q * NN_PANEL +
                                             j * LANES);
        UNROLL for (size_t i = 0; i < rows; i++)
            sum[i][j] = first;
    }

    for (size_t d = 0; d < p->depth; d++) {
        VECTOR b_d[PANELS * PARTS];
        UNROLL for (size_t i = 0; i < parts; i++)
            b_d[i] = *(const VECTOR *)(b + d * b_step +
                i / PARTS * b_panel + i % PARTS * LANES);
        UNROLL for (size_t i = 0; i < rows; i++) {
            float a_d = a[i * a_row + d * a_step];
            UNROLL for (size_t j = 0; j < parts; j++)
                sum[i][j] += a_d * b_d[j];
        }
    }
    UNROLL for (size_t i = 0; i < rows; i++) {
        UNROLL for (size_t j = 0; j < parts; j++) {
            VECTOR *c = (VECTOR *)(p->c +
                (r + i) * p->c_row + (q + j / PARTS) * p->c_panel +
                j % PARTS * LANES);
            if (p->rate != 0)
                *c -= p->rate * sum[i][j];
            else
                *c = sum[i][j];
        }
    }
}
static inline __attribute__((always_inline)) TARGET
void NAMED(rows)(const struct nn_product *p, size_t r, size_t end,
                 size_t q, const size_t panels)
{
    for (; r + ROWS <= end; r += ROWS)
        NAMED(tile)(p, r, q, ROWS, panels);
    for (; ROWS > 8 && r + 8 <= end; r += 8)
        NAMED(tile)(p, r, q, 8, panels);
    for (; ROWS > 4 && r + 4 <= end; r += 4)
        NAMED(tile)(p, r, q, 4, panels);
    for (; r + 2 <= end; r += 2)
        NAMED(tile)(p, r, q, 2, panels);
    if (r < end)
        NAMED(tile)(p, r, q, 1, panels);
}
static TARGET void NAMED(product)(const struct nn_product *p)
{
    const size_t some = 4 * ROWS;
    #pragma omp for collapse(2) schedule(static)
    for (size_t q = 0; q < p->panels; q += PANELS)
        for (size_t r = 0; r < p->rows; r += some) {
            size_t end = r + some < p->rows ? r + some : p->rows;
            if (q + PANELS <= p->panels)
                NAMED(rows)(p, r, end, q, PANELS);
            else
                NAMED(rows)(p, r, end, q, 1);
        }
}
#undef VECTOR
#undef PARTS

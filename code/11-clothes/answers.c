/* Tangled from chapters/11-clothes.nw: edit there. Sum 4025201689. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "nn/pictures.h"

double constant_score(const size_t *confusion, size_t classes,
                      size_t c)
{
    size_t all = 0, right = 0;
    for (size_t i = 0; i < classes * classes; i++)
        all += confusion[i];
    for (size_t said = 0; said < classes; said++)
        right += confusion[c * classes + said];
    return all ? (double)right / (double)all : (double)NAN;
}
double recall(const size_t *confusion, size_t classes, size_t c)
{
    size_t right = confusion[c * classes + c], row = 0;
    for (size_t said = 0; said < classes; said++)
        row += confusion[c * classes + said];
    return row ? (double)right / (double)row : (double)NAN;
}

double precision(const size_t *confusion, size_t classes,
                 size_t c)
{
    size_t right = confusion[c * classes + c], col = 0;
    for (size_t label = 0; label < classes; label++)
        col += confusion[label * classes + c];
    return col ? (double)right / (double)col : (double)NAN;
}
float idx_float(const uint8_t b[4])
{
    uint32_t bits = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
                    (uint32_t)b[2] << 8 | (uint32_t)b[3];
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
uint8_t nearest_label(const struct nn_pictures *set,
                      const uint8_t *dots)
{
    size_t n = set->rows * set->cols, best = 0;
    uint64_t least = UINT64_MAX;
    for (size_t s = 0; s < set->m; s++) {
        uint64_t d = 0;
        for (size_t k = 0; k < n && d < least; k++) {
            int e = dots[k] - set->pixel[s * n + k];
            d += (uint64_t)(e * e);
        }
        if (d < least) {
            least = d;
            best = s;
        }
    }
    return set->label[best];
}

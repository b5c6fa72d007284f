/* Tangled from chapters/11-clothes.nw: edit there. Sum 1047424044. */
/* The answers to the exercises of chapter 11; see there. */
#include <stddef.h>
#include <stdint.h>

#include "nn/pictures.h"

double constant_score(const size_t *confusion, size_t classes,
                      size_t c);
double recall(const size_t *confusion, size_t classes, size_t c);
double precision(const size_t *confusion, size_t classes,
                 size_t c);
float idx_float(const uint8_t b[4]);
uint8_t nearest_label(const struct nn_pictures *set,
                      const uint8_t *dots);

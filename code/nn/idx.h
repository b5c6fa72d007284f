/* Tangled from chapters/11-clothes.nw: edit there. Sum 3551143244. */
#ifndef NN_IDX_H
#define NN_IDX_H
#include <stddef.h>
#include <stdint.h>

#include "nn/status.h"

/* An IDX file of unsigned bytes: two zero bytes, the type 0x08,
   the number of dimensions, their sizes (32 bits, big-endian),
   then size[0] * ... * size[dims - 1] bytes. Source: the
   description on the MNIST page (LeCun, Cortes, Burges). */
enum { NN_IDX_DIMS = 3 }; // the most that we read

struct nn_idx {
    size_t dims, size[NN_IDX_DIMS]; // unused sizes are 1
    size_t count;                   // the product of the sizes
    const uint8_t *data;            // [count], inside the bytes
};

/* Parses BYTES [LENGTH], which the caller keeps as long as it
   uses idx->data. On failure *offset is the byte it stopped at:
   NN_BAD_MAGIC, NN_BAD_TYPE, NN_BAD_SIZE (no dimension or too
   many, a size of 0, a product that overflows), NN_TRUNCATED,
   NN_TRAILING. */
enum nn_status nn_idx_parse(const uint8_t *bytes, size_t length,
                            struct nn_idx *idx, size_t *offset);

#endif

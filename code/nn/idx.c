/* Tangled from chapters/11-clothes.nw: edit there. Sum 932110454. */
#include "nn/idx.h"

enum nn_status nn_idx_parse(const uint8_t *bytes, size_t length,
                            struct nn_idx *idx, size_t *offset)
{
    *idx = (struct nn_idx){.size = {1, 1, 1}, .count = 1};
    for (*offset = 0; *offset < 4; ++*offset) {
        if (*offset >= length)
            return NN_TRUNCATED;
        uint8_t b = bytes[*offset];
        if (*offset < 2 && b != 0)
            return NN_BAD_MAGIC;
        if (*offset == 2 && b != 0x08)
            return NN_BAD_TYPE;
        if (*offset == 3 && (b < 1 || b > NN_IDX_DIMS))
            return NN_BAD_SIZE;
    }
    idx->dims = bytes[3];
    for (size_t d = 0; d < idx->dims; d++, *offset += 4) {
        if (length - *offset < 4)
            return NN_TRUNCATED;
        const uint8_t *b = bytes + *offset;
        idx->size[d] = (size_t)b[0] << 24 | (size_t)b[1] << 16 |
                       (size_t)b[2] << 8 | (size_t)b[3];
        if (idx->size[d] == 0 || idx->count > SIZE_MAX / idx->size[d])
            return NN_BAD_SIZE;
        idx->count *= idx->size[d];
    }
    size_t rest = length - *offset;
    if (rest != idx->count) {
        int more = rest > idx->count;
        *offset = more ? *offset + idx->count : length;
        return more ? NN_TRAILING : NN_TRUNCATED;
    }
    idx->data = bytes + *offset;
    return NN_OK;
}

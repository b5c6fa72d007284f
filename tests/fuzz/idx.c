/* Any bytes as an IDX file: whatever is accepted lies inside them. */
#include <stdint.h>
#include <stdlib.h>

#include "nn/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct nn_idx idx;
    size_t offset;
    unsigned sum = 0;
    enum nn_status status = nn_idx_parse(bytes, length, &idx, &offset);
    if (offset > length || (status == NN_OK) != (idx.data != NULL))
        abort();
    if (status != NN_OK)
        return 0;
    if (idx.data < bytes || idx.data + idx.count != bytes + length ||
        idx.size[0] * idx.size[1] * idx.size[2] != idx.count)
        abort();
    for (size_t i = 0; i < idx.count; i++)
        sum += idx.data[i];
    return sum == 0x7fffffff ? -1 : 0;
}

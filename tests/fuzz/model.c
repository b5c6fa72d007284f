/* Any bytes as a model: as they are, and then with a length of the
   header and a checksum that fit, which nothing finds by chance. What is
   accepted can be packed, and the packed one is the same again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tools/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void pack_twice(const struct nn_model *model)
{
    struct nn_model again;
    struct nn_model_fault fault;
    uint8_t *bytes, *same;
    size_t length, n;
    if (nn_model_pack(model, &bytes, &length, &fault) != NN_OK ||
        nn_model_parse(bytes, length, &again, &fault) != NN_OK ||
        nn_model_pack(&again, &same, &n, &fault) != NN_OK ||
        n != length || memcmp(bytes, same, n) != 0)
        abort();
    nn_model_free(&again);
    free(bytes);
    free(same);
}

static void try(const uint8_t *bytes, size_t length)
{
    static const struct nn_model empty;
    struct nn_model model;
    struct nn_model_fault fault;
    enum nn_status status = nn_model_parse(bytes, length, &model, &fault);
    if (fault.offset > length + 8)
        abort();
    if (status == NN_OK)
        pack_twice(&model);
    else if (memcmp(&model, &empty, sizeof empty) != 0)
        abort();
    nn_model_free(&model);
}

static void mend(uint8_t *bytes, size_t length)
{
    size_t end = length;
    char digits[9];
    while (end > 9 && (bytes[end - 1] != '}' || bytes[end - 2] != '}'))
        end--; // numbers seldom have two such bytes
    while (end < length && bytes[end] == ' ')
        end++;
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)((uint64_t)(end - 8) >> 8 * i);
    memset(bytes + 34, '0', 8);
    snprintf(digits, sizeof digits, "%08x",
             (unsigned)crc32(0, bytes, (unsigned)length));
    memcpy(bytes + 34, digits, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    try(bytes, length);
    if (length < 50)
        return 0;
    uint8_t *copy = malloc(length);
    if (!copy)
        return 0;
    memcpy(copy, bytes, length);
    mend(copy, length);
    try(copy, length);
    free(copy);
    return 0;
}

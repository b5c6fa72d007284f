/* Tangled from chapters/11-clothes.nw: edit there. Sum 723535302. */
#include "nn/pictures.h"

#include <stdio.h>
#include <stdlib.h>

#include "nn/file.h"
#include "nn/idx.h"

static enum nn_status load_idx(const char *dir, const char *part,
                               const char *what,
                               struct nn_idx *idx,
                               uint8_t **bytes,
                               struct nn_fault *fault)
{
    enum { MOST_BYTES = 1 << 30 };
    enum nn_status status = NN_NO_FILE;
    size_t length = 0;
    for (int i = 3; i >= 0 && status == NN_NO_FILE; i--) {
        int n = snprintf(fault->path, sizeof fault->path,
                         "%s/%s-%s%cidx%c-ubyte%s",
                         dir, part, what, i & 1 ? '-' : '.',
                         *what == 'i' ? '3' : '1',
                         i & 2 ? "" : ".gz");
        if (n < 0 || (size_t)n >= sizeof fault->path)
            return NN_NO_FILE;
        status = nn_file_read(fault->path, MOST_BYTES, bytes,
                              &length);
        fault->offset = length;
    }
    if (status == NN_OK)
        status = nn_idx_parse(*bytes, length, idx,
                              &fault->offset);
    return status;
}
enum nn_status nn_pictures_load(struct nn_pictures *set,
                                const char *dir, const char *part,
                                struct nn_fault *fault)
{
    struct nn_idx image, label;
    *set = (struct nn_pictures){0};
    enum nn_status status = load_idx(dir, part, "images", &image,
                                     &set->image_file, fault);
    if (status == NN_OK && image.dims != 3)
        status = NN_BAD_SIZE;
    if (status == NN_OK)
        status = load_idx(dir, part, "labels", &label,
                          &set->label_file, fault);
    if (status == NN_OK &&
        (label.dims != 1 || label.count != image.size[0]))
        status = NN_MISMATCH;
    if (status != NN_OK) {
        nn_pictures_free(set);
        return status;
    }
    set->m = image.size[0];
    set->rows = image.size[1];
    set->cols = image.size[2];
    set->pixel = image.data;
    set->label = label.data;
    for (size_t s = 0; s < set->m; s++)
        if (set->label[s] >= set->classes)
            set->classes = set->label[s] + 1u;
    return NN_OK;
}

void nn_pictures_free(struct nn_pictures *set)
{
    free(set->image_file);
    free(set->label_file);
    *set = (struct nn_pictures){0};
}

void nn_pictures_x(const struct nn_pictures *set, size_t s,
                   double *x)
{
    size_t n = set->rows * set->cols;
    for (size_t k = 0; k < n; k++)
        x[k] = set->pixel[s * n + k] / 255.0;
}

/* Tangled from chapters/11-clothes.nw: edit there. Sum 911063461. */
#include "nn/pictures.h"

#include <stdio.h>
#include <stdlib.h>

#include "nn/file.h"
#include "nn/idx.h"

static enum nn_status load_idx(const char *dir, const char *part,
                               const char *what, size_t dims,
                               struct nn_idx *idx,
                               uint8_t **bytes,
                               struct nn_fault *fault)
{
    enum { MOST_BYTES = 1 << 30 };
    enum nn_status status = NN_NO_FILE;
    size_t length = 0;
    fault->offset = 0;
    for (int i = 0; i <= 4 && status == NN_NO_FILE; i++) {
        int n = snprintf(fault->path, sizeof fault->path,
                         "%s/%s-%s%cidx%zu-ubyte%s", dir, part,
                         what, i & 1 ? '.' : '-', dims,
                         i & 2 ? ".gz" : "");
        if (n < 0 || (size_t)n >= sizeof fault->path)
            return NN_NO_FILE;
        status = nn_file_read(fault->path, MOST_BYTES, bytes,
                              &length);
        fault->offset = length;
    }
    if (status == NN_OK)
        status = nn_idx_parse(*bytes, length, idx,
                              &fault->offset);
    if (status == NN_OK && idx->dims != dims) {
        fault->offset = 3;
        status = NN_BAD_SIZE;
    }
    return status;
}
enum nn_status nn_pictures_load(struct nn_pictures *set,
                                const char *dir, const char *part,
                                struct nn_fault *fault)
{
    struct nn_idx image, label;
    *set = (struct nn_pictures){0};

    enum nn_status status =
        load_idx(dir, part, "images", 3, &image, &set->image_file,
                 fault);
    if (status == NN_OK)
        status = load_idx(dir, part, "labels", 1, &label,
                          &set->label_file, fault);

    if (status == NN_OK && label.count != image.size[0]) {
        fault->offset = 4;
        status = NN_MISMATCH;
    }
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

void nn_pictures_fetch(const void *set, size_t s, double *x,
                       double *y)
{
    const struct nn_pictures *pictures = set;
    nn_pictures_x(pictures, s, x);
    for (size_t c = 0; c < pictures->classes; c++)
        y[c] = c == pictures->label[s];
}

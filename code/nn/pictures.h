/* Tangled from chapters/11-clothes.nw: edit there. Sum 400561831. */
#ifndef NN_PICTURES_H
#define NN_PICTURES_H
#include <stddef.h>
#include <stdint.h>

#include "nn/status.h"

/* Labelled pictures of the MNIST family. Example:

     struct nn_pictures train;
     struct nn_fault fault;
     if (nn_pictures_load(&train, dir, "train", &fault) != NN_OK)
         ...
     nn_pictures_x(&train, s, x);
     nn_pictures_free(&train); */
struct nn_pictures {
    size_t m, rows, cols, classes;  // classes: largest label + 1
    const uint8_t *pixel;           // [m][rows][cols], 0 .. 255
    const uint8_t *label;           // [m]
    uint8_t *image_file, *label_file; // what holds them
};

/* Which file failed, and at which of its (unpacked) bytes. */
struct nn_fault {
    char path[4096];
    size_t offset;
};

/* Loads PART ("train" or "t10k") from the folder DIR, from files
   named PART-images-idx3-ubyte and PART-labels-idx1-ubyte, or
   with .idx3-ubyte and .idx1-ubyte, plain or gzip with .gz added.
   On failure there is nothing to free, and *fault says where. */
enum nn_status nn_pictures_load(struct nn_pictures *set,
                                const char *dir, const char *part,
                                struct nn_fault *fault);
void nn_pictures_free(struct nn_pictures *set);

/* x [rows * cols] = picture s, scaled to 0 .. 1. */
void nn_pictures_x(const struct nn_pictures *set, size_t s,
                   double *x);

/* The same, and y [classes]: 1 at the label of picture s, else 0.
   SET points to a struct nn_pictures. */
void nn_pictures_fetch(const void *set, size_t s, double *x,
                       double *y);

#endif

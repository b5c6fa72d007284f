/* Tangled from chapters/90-plumbing.nw: edit there. Sum 249728305. */
#ifndef TOOLS_PICTURE_H
#define TOOLS_PICTURE_H
#include <stddef.h>
#include <stdint.h>

#include "nn/status.h"

/* One grey picture from a PGM (P2 or P5) or PNG file. Example:

     struct nn_picture picture;
     if (nn_picture_parse(bytes, length, &picture, &offset) !=
         NN_OK) ...
     nn_picture_free(&picture);

   Grey is 0 .. 255, black to white: a PGM's largest value becomes
   255, colours their luminance, and what is transparent lies on
   black. */
struct nn_picture {
    size_t rows, cols;
    uint8_t *pixel; // [rows][cols]
};

/* A picture has at most so many pixels. */
enum { NN_PICTURE_MOST = 1 << 24 };

/* Parses BYTES [LENGTH]. On failure there is nothing to free, and
   *offset is where reading stopped: NN_NO_PICTURE (neither PGM
   nor PNG), NN_BAD_PICTURE (damaged), NN_BAD_SIZE, NN_TRUNCATED,
   NN_TRAILING, NN_NO_MEMORY. */
enum nn_status nn_picture_parse(const uint8_t *bytes,
                                size_t length,
                                struct nn_picture *picture,
                                size_t *offset);
void nn_picture_free(struct nn_picture *picture);
#endif

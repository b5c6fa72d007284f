/* Tangled from chapters/90-plumbing.nw: edit there. Sum 432065021. */
#ifndef NN_FILE_H
#define NN_FILE_H
#include <stddef.h>
#include <stdint.h>

#include "nn/status.h"

/* Reads the file PATH, unpacking it if it is gzip, into *bytes
   (malloc'd; the caller frees) and its length into *length.
   At most LIMIT bytes: more is NN_TOO_BIG. NN_NO_FILE,
   NN_NO_READ, NN_TRUNCATED (a gzip stream cut short) and
   NN_NO_MEMORY leave *bytes NULL and *length at what had been
   read. */
enum nn_status nn_file_read(const char *path, size_t limit,
                            uint8_t **bytes, size_t *length);

#endif

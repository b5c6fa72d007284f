/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3516427778. */
#ifndef NN_FILE_H
#define NN_FILE_H
#include <stddef.h>
#include <stdint.h>

#include "nn/status.h"

/* Reads the file PATH, unpacking it if it is gzip, into *bytes
   (malloc'd; the caller frees) and its length into *length.
   At most LIMIT bytes: more is NN_TOO_BIG. NN_NO_FILE,
   NN_NO_READ (also what is no regular file), NN_TRUNCATED (a
   gzip stream cut short), NN_NO_MEMORY. Every failure leaves
   *bytes NULL and *length at what had been read. */
enum nn_status nn_file_read(const char *path, size_t limit,
                            uint8_t **bytes, size_t *length);

/* Makes BYTES [LENGTH] the file PATH, whole or not at all: a file
   PATH.PID.new is written, synced and renamed, and the folder is
   synced. A symbolic link is replaced, not followed, and the
   rights are those of a new file. NN_NO_WRITE:
   *call names what failed, and errno says why; what was there is
   still there, and the other file is not, unless *call is
   "sync the folder", when the new file stands. NN_NO_MEMORY. */
enum nn_status nn_file_write(const char *path,
                             const uint8_t *bytes, size_t length,
                             const char **call);

#endif

/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3292485444. */
#define _POSIX_C_SOURCE 200809L
#include "nn/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

static enum nn_status read_all(gzFile file, size_t limit,
                               uint8_t **bytes, size_t *length)
{
    size_t room = 0;

    for (;;) {
        if (*length == room) {
            room = room ? 2 * room : 1 << 16;
            uint8_t *more = realloc(*bytes, room);
            if (!more)
                return NN_NO_MEMORY;
            *bytes = more;
        }
        size_t want = room - *length;
        if (want > 1 << 30)
            want = 1 << 30;
        int got = gzread(file, *bytes + *length, (unsigned)want);
        if (got < 0)
            return NN_NO_READ;
        if (got == 0)
            return NN_OK;
        *length += (size_t)got;
        if (*length > limit)
            return NN_TOO_BIG;
    }
}
enum nn_status nn_file_read(const char *path, size_t limit,
                            uint8_t **bytes, size_t *length)
{
    struct stat about;
    *bytes = NULL;
    *length = 0;
    if (stat(path, &about) != 0)
        return errno == ENOENT || errno == ENOTDIR ? NN_NO_FILE
                                                   : NN_NO_READ;
    if (!S_ISREG(about.st_mode))
        return NN_NO_READ;
    gzFile file = gzopen(path, "rb");
    if (!file)
        return errno == ENOMEM ? NN_NO_MEMORY : NN_NO_READ;
    enum nn_status status = read_all(file, limit, bytes, length);
    int closed = gzclose(file);
    if (status == NN_OK && closed == Z_BUF_ERROR)
        status = NN_TRUNCATED;
    else if (status == NN_OK && closed != Z_OK)
        status = NN_NO_READ;
    if (status != NN_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return status;
}

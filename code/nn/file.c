/* Tangled from chapters/90-plumbing.nw: edit there. Sum 663686175. */
#define _POSIX_C_SOURCE 200809L
#include "nn/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
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
            return errno == ENOMEM ? NN_NO_MEMORY : NN_NO_READ;
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
    errno = 0;
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
static int write_all(int file, const uint8_t *bytes,
                     size_t length, const char **call)
{
    *call = "write";
    while (length > 0) {
        ssize_t n = write(file, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        bytes += n;
        length -= (size_t)n;
    }
    *call = "sync";
    return fsync(file) == 0;
}
static int sync_folder(const char *path, char *room)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    memcpy(room, path, n);
    memcpy(room + n, ".", 2);
    int folder = open(room, O_RDONLY | O_DIRECTORY);
    if (folder < 0)
        return 0;
    int synced = fsync(folder) == 0 || errno == EINVAL;
    return close(folder) == 0 && synced;
}
enum nn_status nn_file_write(const char *path,
                             const uint8_t *bytes, size_t length,
                             const char **call)
{
    struct stat about;
    size_t room = strlen(path) + 32;
    *call = "open";
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        errno = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
        return NN_NO_WRITE;
    }
    char *name = malloc(room);
    if (!name)
        return NN_NO_MEMORY;
    snprintf(name, room, "%s.%ld.new", path, (long)getpid());
    unlink(name);

    int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
    int ok = file >= 0;
    if (ok) {
        ok = write_all(file, bytes, length, call);
        int first = errno;
        if (close(file) != 0 && ok) {
            *call = "close";
            ok = 0;
            first = errno;
        }
        if (ok && rename(name, path) != 0) {
            *call = "rename";
            ok = 0;
            first = errno;
        }
        if (!ok)
            unlink(name);
        errno = first;
    }
    if (ok) {
        *call = "sync the folder";
        ok = sync_folder(path, name);
    }
    int why = errno;
    free(name);
    errno = why;
    return ok ? NN_OK : NN_NO_WRITE;
}

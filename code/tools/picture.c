/* Tangled from chapters/90-plumbing.nw: edit there. Sum 2980219625. */
#include "tools/picture.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct scan {
    const uint8_t *bytes;
    size_t length, at;
};

static int is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(struct scan *s)
{
    int comment = 0;
    for (; s->at < s->length; s->at++) {
        uint8_t c = s->bytes[s->at];
        if (c == '#')
            comment = 1;
        if (c == '\n')
            comment = 0;
        if (!comment && !is_blank(c))
            break;
    }
}

static enum nn_status read_number(struct scan *s, size_t most,
                                  size_t *value)
{
    *value = 0;
    skip_blanks(s);
    if (s->at == s->length)
        return NN_TRUNCATED;
    size_t begin = s->at;
    for (; s->at < s->length; s->at++) {
        unsigned digit = (unsigned)s->bytes[s->at] - '0';
        if (digit > 9)
            break;
        *value = 10 * *value + digit;
        if (*value > most)
            return NN_BAD_SIZE;
    }
    return s->at > begin ? NN_OK : NN_BAD_PICTURE;
}
static enum nn_status make_room(struct nn_picture *picture,
                                size_t rows, size_t cols)
{
    if (rows < 1 || cols < 1 || rows > NN_PICTURE_MOST / cols)
        return NN_BAD_SIZE;
    picture->pixel = malloc(rows * cols);
    if (!picture->pixel)
        return NN_NO_MEMORY;
    picture->rows = rows;
    picture->cols = cols;
    return NN_OK;
}
static enum nn_status read_pixels(struct scan *s, int text,
                                  size_t largest,
                                  struct nn_picture *picture)
{
    size_t count = picture->rows * picture->cols;
    for (size_t i = 0; i < count; i++) {
        enum nn_status status = NN_OK;
        size_t grey;
        if (text) {
            status = read_number(s, largest, &grey);
        } else {
            grey = s->bytes[s->at++];
            if (largest > 255)
                grey = grey << 8 | s->bytes[s->at++];
        }
        if (status == NN_TRUNCATED)
            return NN_TRUNCATED;
        if (status != NN_OK || grey > largest)
            return NN_BAD_PICTURE;
        picture->pixel[i] =
            (uint8_t)((grey * 255 + largest / 2) / largest);
    }
    return NN_OK;
}
static enum nn_status parse_pgm(struct scan *s,
                                struct nn_picture *picture)
{
    size_t rows, cols, largest;
    int text = s->bytes[1] == '2';
    enum nn_status status;
    s->at = 2;
    if (s->at < s->length && !is_blank(s->bytes[s->at]) &&
        s->bytes[s->at] != '#')
        return NN_NO_PICTURE;
    if ((status = read_number(s, NN_PICTURE_MOST, &cols)) ||
        (status = read_number(s, NN_PICTURE_MOST, &rows)) ||
        (status = read_number(s, 65535, &largest)))
        return status;
    if (rows < 1 || cols < 1 || rows > NN_PICTURE_MOST / cols ||
        largest < 1)
        return NN_BAD_SIZE;
    size_t least = rows * cols * (text || largest > 255 ? 2 : 1);
    if (!text && s->at < s->length && !is_blank(s->bytes[s->at++]))
        return NN_BAD_PICTURE;
    if (s->length - s->at < least) {
        s->at = s->length;
        return NN_TRUNCATED;
    }

    status = make_room(picture, rows, cols);
    if (status == NN_OK)
        status = read_pixels(s, text, largest, picture);
    if (status == NN_OK && text)
        skip_blanks(s);
    if (status == NN_OK && s->at < s->length)
        status = NN_TRAILING;
    return status;
}
static size_t big_endian(const uint8_t *b)
{
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 |
           (size_t)b[2] << 8 | (size_t)b[3];
}

static enum nn_status walk_chunks(struct scan *s)
{
    for (;;) {
        const uint8_t *chunk = s->bytes + s->at;
        size_t rest = s->length - s->at;
        if (rest < 12 || big_endian(chunk) > rest - 12) {
            s->at = s->length;
            return NN_TRUNCATED;
        }
        size_t n = big_endian(chunk);
        if (crc32_z(0, chunk + 4, n + 4) !=
            big_endian(chunk + 8 + n))
            return NN_BAD_PICTURE;
        s->at += 12 + n;
        if (memcmp(chunk + 4, "IEND", 4) == 0)
            return s->at < s->length ? NN_TRAILING : NN_OK;
    }
}
static enum nn_status parse_png(struct scan *s,
                                struct nn_picture *picture)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    png_color black = {0, 0, 0};
    s->at = 8;
    enum nn_status status = walk_chunks(s);
    if (status != NN_OK)
        return status;
    s->at = 8;
    errno = 0;
    if (!png_image_begin_read_from_memory(&image, s->bytes,
                                          s->length))
        return errno == ENOMEM ? NN_NO_MEMORY : NN_BAD_PICTURE;
    image.format = PNG_FORMAT_GRAY;
    image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
    status = make_room(picture, image.height, image.width);
    if (status == NN_OK &&
        !png_image_finish_read(&image, &black, picture->pixel, 0,
                               NULL))
        status = NN_BAD_PICTURE;
    png_image_free(&image);
    return errno == ENOMEM ? NN_NO_MEMORY : status;
}
enum nn_status nn_picture_parse(const uint8_t *bytes,
                                size_t length,
                                struct nn_picture *picture,
                                size_t *offset)
{
    static const uint8_t png[8] = "\x89PNG\r\n\x1a\n";
    struct scan s = {bytes, length, 0};
    enum nn_status status = NN_NO_PICTURE;
    *picture = (struct nn_picture){0};
    if (length >= 2 && bytes[0] == 'P' &&
        (bytes[1] == '2' || bytes[1] == '5'))
        status = parse_pgm(&s, picture);
    else if (length >= 8 && memcmp(bytes, png, 8) == 0)
        status = parse_png(&s, picture);
    if (status != NN_OK)
        nn_picture_free(picture);
    *offset = s.at;
    return status;
}

void nn_picture_free(struct nn_picture *picture)
{
    free(picture->pixel);
    *picture = (struct nn_picture){0};
}

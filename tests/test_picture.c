/* Pictures from PGM and PNG: what is said of every byte, and grey. The
   PNGs are made here, chunk by chunk. */

#define CHECK_MEMORY
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "tools/picture.h"

enum { ROOM = 1 << 16 };

struct bytes {
    uint8_t b[ROOM];
    size_t n;
};

static void add(struct bytes *f, const void *b, size_t n)
{
    cr_assert(f->n + n <= ROOM);
    memcpy(f->b + f->n, b, n);
    f->n += n;
}

static void add_text(struct bytes *f, const char *text)
{
    add(f, text, strlen(text));
}

/* Parses a copy that ends where a sanitizer sees its end. */
static enum nn_status parse(const struct bytes *f, struct nn_picture *p,
                            size_t *offset)
{
    uint8_t *copy = malloc(f->n ? f->n : 1), *from = copy + (f->n ? 0 : 1);
    memcpy(from, f->b, f->n);
    memset(p, 0x5a, sizeof *p);
    *offset = 999999;
    enum nn_status status = nn_picture_parse(from, f->n, p, offset);
    free(copy);
    return status;
}

static void expect_good(const struct bytes *f, size_t rows, size_t cols,
                        const uint8_t *pixel)
{
    struct nn_picture p;
    size_t offset;
    long held = check_memory.live;
    enum nn_status status = parse(f, &p, &offset);
    cr_assert(status == NN_OK, "%s at %zu", nn_status_text(status), offset);
    cr_assert(p.rows == rows && p.cols == cols);
    for (size_t i = 0; i < rows * cols; i++)
        cr_assert(p.pixel[i] == pixel[i], "%zu: %d, not %d", i, p.pixel[i],
                  pixel[i]);
    nn_picture_free(&p);
    cr_assert(!p.pixel && !p.rows && check_memory.live == held);
}

static void expect_bad(const struct bytes *f, enum nn_status want,
                       size_t want_offset)
{
    struct nn_picture p;
    size_t offset;
    long held = check_memory.live;
    enum nn_status status = parse(f, &p, &offset);
    cr_assert(status == want, "%s, not %s", nn_status_text(status),
              nn_status_text(want));
    cr_assert(offset == want_offset, "%zu, not %zu", offset, want_offset);
    cr_assert(!p.pixel && !p.rows && !p.cols && check_memory.live == held);
}

static void expect_text(const char *text, enum nn_status want,
                        size_t offset)
{
    static struct bytes f;
    f.n = 0;
    add_text(&f, text);
    expect_bad(&f, want, offset);
}

TestSuite(picture, .timeout = 60);

/* ------------------------------------------------------------- PGM */

static void pgm(struct bytes *f, const char *header, size_t n)
{
    f->n = 0;
    add_text(f, header);
    for (size_t i = 0; i < n; i++)
        add(f, &(uint8_t){(uint8_t)(i * 41 + 3)}, 1);
}

static const uint8_t six[] = {3, 44, 85, 126, 167, 208};

Test(picture, pgm_of_bytes)
{
    static struct bytes f;
    const char *const headers[] = {
        "P5\n3 2\n255\n", "P5 3 2 255 ", "P5\t3\r\n2\v\f255\n",
        "P5# a comment\n3# 9 9 9\n#\n2 # P2\n255\n", "P5#\n3 02 0255\t"};
    check_memory_wrapped();
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        pgm(&f, headers[i], 6);
        expect_good(&f, 2, 3, six);
        for (size_t n = 0; n < f.n && i != 4; n++) { // 4: a 0 is left
            static struct bytes cut;
            cut = f;
            cut.n = n;
            expect_bad(&cut, n < 2 ? NN_NO_PICTURE : NN_TRUNCATED,
                       n < 2 ? 0 : n);
        }
        f.n++;
        expect_bad(&f, NN_TRAILING, f.n - 1);
    }
}

/* A newline among the bytes is a byte. */
Test(picture, pgm_of_blanks)
{
    static struct bytes f;
    pgm(&f, "P5 2 2 255\n", 0);
    add_text(&f, "\n# \t");
    expect_good(&f, 2, 2, (const uint8_t *)"\n# \t");
}

Test(picture, pgm_of_text)
{
    static struct bytes f;
    const char *const texts[] = {
        "P2\n3 2\n255\n3 44 85\n126 167 208\n",
        "P2 3 2 255 3 44 85 126 167 208",
        "P2#\n3 2 255#1 2\n3 44 85# 7\n126\n#\n167\t0208 \n# the end"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        f.n = 0;
        add_text(&f, texts[i]);
        expect_good(&f, 2, 3, six);
        add_text(&f, "\n0");
        expect_bad(&f, NN_TRAILING, f.n - 1);
    }
    f.n = 0;
    add_text(&f, texts[1]);
    for (size_t n = 2; n < f.n - 3; n++) {
        static struct bytes cut;
        cut = f;
        cut.n = n;
        expect_bad(&cut, NN_TRUNCATED, n);
    }
}

/* The largest value becomes 255, halves go up. */
Test(picture, pgm_scaled)
{
    static struct bytes f;
    for (unsigned largest = 1; largest < 256; largest++) {
        char header[40];
        uint8_t want[256];
        snprintf(header, sizeof header, "P5 %u 1 %u\n", largest + 1,
                 largest);
        f.n = 0;
        add_text(&f, header);
        for (unsigned v = 0; v <= largest; v++) {
            add(&f, &(uint8_t){(uint8_t)v}, 1);
            want[v] = (uint8_t)floor(v * 255.0 / largest + 0.5);
        }
        expect_good(&f, 1, largest + 1, want);
        if (largest < 255) {
            f.b[f.n - 1]++;
            expect_bad(&f, NN_BAD_PICTURE, f.n);
        }
    }
}

Test(picture, pgm_of_two_bytes)
{
    static struct bytes f;
    f.n = 0;
    add_text(&f, "P5 3 1 65535\n");
    add(&f, "\xff\xff\x80\x80\x00\x7f", 6);
    expect_good(&f, 1, 3, (const uint8_t[]){255, 128, 0});
    f.n--;
    expect_bad(&f, NN_TRUNCATED, f.n);
    f.n = 0;
    add_text(&f, "P5 2 1 1000\n");
    add(&f, "\x03\xe8\x01\xf4", 4);
    expect_good(&f, 1, 2, (const uint8_t[]){255, 128});
    f.b[f.n - 4] = 4;
    expect_bad(&f, NN_BAD_PICTURE, f.n - 2);
}

Test(picture, pgm_defects)
{
    expect_text("", NN_NO_PICTURE, 0);
    expect_text("P", NN_NO_PICTURE, 0);
    expect_text("P1 1 1 1", NN_NO_PICTURE, 0);
    expect_text("P6 1 1 255 abc", NN_NO_PICTURE, 0);
    expect_text("p5 1 1 255 a", NN_NO_PICTURE, 0);
    expect_text("P51 1 255 a", NN_NO_PICTURE, 2);
    expect_text("P5 0 1 255 a", NN_BAD_SIZE, 10);
    expect_text("P5 1 0 255 a", NN_BAD_SIZE, 10);
    expect_text("P5 1 1 0 a", NN_BAD_SIZE, 8);
    expect_text("P5 1 1 65536 a", NN_BAD_SIZE, 11);
    expect_text("P5 -1 1 255 a", NN_BAD_PICTURE, 3);
    expect_text("P5 1 1 255a", NN_BAD_PICTURE, 11);
    expect_text("P5 1.5 1 255 a", NN_BAD_PICTURE, 4);
    expect_text("P5 1 1 255#a", NN_BAD_PICTURE, 11);
    expect_text("P5 16777216 2 255 a", NN_BAD_SIZE, 17);
    expect_text("P5 16777217 1 255 a", NN_BAD_SIZE, 10);
    expect_text("P5 99999999999999999999 1 255 a", NN_BAD_SIZE, 10);
    expect_text("P5 16777216 16777216 255 a", NN_BAD_SIZE, 24);
    expect_text("P2 2 1 255 1 x", NN_BAD_PICTURE, 13);
    expect_text("P2 2 1 255 1 -2", NN_BAD_PICTURE, 13);
    expect_text("P2 2 1 255 1 256", NN_BAD_PICTURE, 15);
    expect_text("P2 2 1 255 1 99999999999999999999", NN_BAD_PICTURE, 15);
    expect_text("P2 2 1 255 1 #2", NN_TRUNCATED, 15);
    expect_text("P2 2 1 255 1x", NN_TRUNCATED, 13);
    expect_text("P2 2 1 255 1 2x", NN_TRAILING, 14);
}

/* No room is made for pixels that are not there. */
Test(picture, pgm_that_only_promises)
{
    static struct bytes f;
    struct nn_picture p;
    size_t offset;
    const char *const texts[] = {"P5 4096 4096 255 abc",
                                 "P2 4096 4096 255 1 2 3"};
    for (size_t i = 0; i < 2; i++) {
        f.n = 0;
        add_text(&f, texts[i]);
        long before = check_memory.requests;
        cr_assert(nn_picture_parse(f.b, f.n, &p, &offset) ==
                  NN_TRUNCATED);
        cr_assert(check_memory.requests == before && offset == f.n);
    }
}

Test(picture, every_byte_of_a_pgm)
{
    static struct bytes f;
    struct nn_picture p;
    size_t offset, good = 0, sum = 0;
    pgm(&f, "P2\n2 2\n255\n3 44 85 126\n", 0);
    for (size_t i = 0; i < f.n; i++) {
        uint8_t right = f.b[i];
        for (int v = 0; v < 256; v++) {
            f.b[i] = (uint8_t)v;
            long held = check_memory.live;
            if (parse(&f, &p, &offset) == NN_OK) {
                cr_assert(p.rows && p.cols);
                sum += p.pixel[p.rows * p.cols - 1];
                nn_picture_free(&p);
                good++;
            }
            cr_assert(check_memory.live == held && offset <= f.n);
        }
        f.b[i] = right;
    }
    cr_assert(good > f.n && sum > good);
}

/* ------------------------------------------------------------- PNG */

static void add_32(struct bytes *f, size_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        add(f, &(uint8_t){(uint8_t)(v >> shift)}, 1);
}

static void add_chunk(struct bytes *f, const char *type, const void *b,
                      size_t n)
{
    size_t begin = f->n + 4;
    add_32(f, n);
    add(f, type, 4);
    add(f, b, n);
    add_32(f, crc32(0, f->b + begin, (unsigned)n + 4));
}

enum { GREY = 0, COLOUR = 2, PALETTE = 3, GREY_ALPHA = 4, COLOUR_ALPHA = 6 };

static void png_begin(struct bytes *f, size_t rows, size_t cols,
                      int depth, int type)
{
    struct bytes h = {.n = 0};
    f->n = 0;
    add(f, "\x89PNG\r\n\x1a\n", 8);
    add_32(&h, cols);
    add_32(&h, rows);
    add(&h, (uint8_t[]){(uint8_t)depth, (uint8_t)type, 0, 0, 0}, 5);
    add_chunk(f, "IHDR", h.b, h.n);
}

/* ROWS of N bytes each, without a filter. */
static void png_end(struct bytes *f, size_t rows, size_t n,
                    const uint8_t *raw)
{
    static struct bytes lines, z;
    uLongf room = sizeof z.b;
    lines.n = 0;
    for (size_t i = 0; i < rows; i++) {
        add(&lines, "", 1);
        add(&lines, raw + i * n, n);
    }
    cr_assert(compress2(z.b, &room, lines.b, lines.n, 9) == Z_OK);
    add_chunk(f, "IDAT", z.b, room);
    add_chunk(f, "IEND", "", 0);
}

static void png(struct bytes *f, size_t rows, size_t cols, int depth,
                int type, size_t n, const uint8_t *raw)
{
    png_begin(f, rows, cols, depth, type);
    png_end(f, rows, n, raw);
}

static void every_grey(uint8_t grey[256])
{
    for (int i = 0; i < 256; i++)
        grey[i] = (uint8_t)i;
}

Test(picture, png_grey)
{
    static struct bytes f;
    uint8_t grey[256];
    every_grey(grey);
    png(&f, 2, 3, 8, GREY, 3, six);
    expect_good(&f, 2, 3, six);
    png(&f, 16, 16, 8, GREY, 16, grey);
    expect_good(&f, 16, 16, grey);
}

Test(picture, png_of_few_bits)
{
    static struct bytes f;
    png(&f, 1, 8, 1, GREY, 1, (const uint8_t[]){0xa6});
    expect_good(&f, 1, 8, (const uint8_t[]){255, 0, 255, 0, 0, 255, 255, 0});
    png(&f, 1, 4, 2, GREY, 1, (const uint8_t[]){0x1b});
    expect_good(&f, 1, 4, (const uint8_t[]){0, 85, 170, 255});
    png(&f, 1, 3, 4, GREY, 2, (const uint8_t[]){0x07, 0xf0});
    expect_good(&f, 1, 3, (const uint8_t[]){0, 119, 255});
}

Test(picture, png_of_16_bits)
{
    static struct bytes f;
    png(&f, 1, 4, 16, GREY, 8,
        (const uint8_t[]){0, 0, 0x80, 0x80, 0xff, 0xff, 0x40, 0x40});
    expect_good(&f, 1, 4, (const uint8_t[]){0, 128, 255, 64});
}

/* Equal parts of three colours are grey. */
Test(picture, png_colours)
{
    static struct bytes f;
    uint8_t grey[256], colour[3 * 256];
    struct nn_picture p;
    size_t offset;
    every_grey(grey);
    for (size_t i = 0; i < 3 * 256; i++)
        colour[i] = (uint8_t)(i / 3);
    png(&f, 16, 16, 8, COLOUR, 48, colour);
    expect_good(&f, 16, 16, grey);
    png(&f, 1, 3, 8, COLOUR, 9, (const uint8_t *)"\xff\0\0\0\xff\0\0\0\xff");
    cr_assert(parse(&f, &p, &offset) == NN_OK);
    int red = p.pixel[0], green = p.pixel[1], blue = p.pixel[2];
    cr_assert(0 < blue && blue < red && red < green && green < 255);
    nn_picture_free(&p);
}

Test(picture, png_of_a_palette)
{
    static struct bytes f;
    png_begin(&f, 1, 4, 8, PALETTE);
    add_chunk(&f, "PLTE", "\x0a\x0a\x0a\xff\xff\xff\0\0\0\x64\x64\x64", 12);
    png_end(&f, 1, 4, (const uint8_t[]){3, 2, 1, 0});
    expect_good(&f, 1, 4, (const uint8_t[]){100, 0, 255, 10});
}

/* On black: nothing is black, all is what it is, half is between. */
Test(picture, png_of_what_is_transparent)
{
    static struct bytes f;
    struct nn_picture p;
    size_t offset;
    png(&f, 1, 4, 8, GREY_ALPHA, 8,
        (const uint8_t[]){200, 255, 200, 0, 0, 255, 200, 128});
    cr_assert(parse(&f, &p, &offset) == NN_OK);
    cr_assert(p.pixel[0] == 200 && p.pixel[1] == 0 && p.pixel[2] == 0);
    cr_assert(p.pixel[3] > 90 && p.pixel[3] < 160, "%d", p.pixel[3]);
    nn_picture_free(&p);
    png(&f, 1, 2, 8, COLOUR_ALPHA, 8,
        (const uint8_t[]){9, 9, 9, 255, 255, 255, 255, 0});
    expect_good(&f, 1, 2, (const uint8_t[]){9, 0});
    png_begin(&f, 1, 2, 8, GREY);
    add_chunk(&f, "tRNS", "\0\x07", 2);
    png_end(&f, 1, 2, (const uint8_t[]){7, 8});
    expect_good(&f, 1, 2, (const uint8_t[]){0, 8});
}

Test(picture, png_cut_or_too_long)
{
    static struct bytes f, cut;
    png(&f, 2, 3, 8, GREY, 3, six);
    for (size_t n = 0; n < f.n; n++) {
        cut = f;
        cut.n = n;
        expect_bad(&cut, n < 8 ? NN_NO_PICTURE : NN_TRUNCATED,
                   n < 8 ? 0 : n);
    }
    f.n++;
    expect_bad(&f, NN_TRAILING, f.n - 1);
}

Test(picture, every_byte_of_a_png)
{
    static struct bytes f;
    struct nn_picture p;
    size_t offset;
    png_begin(&f, 2, 3, 8, GREY);
    add_chunk(&f, "tEXt", "a\0b", 3);
    png_end(&f, 2, 3, six);
    for (size_t i = 0; i < f.n; i++) {
        uint8_t right = f.b[i];
        for (int v = 0; v < 256; v++) {
            f.b[i] = (uint8_t)v;
            if (v != right)
                cr_assert(parse(&f, &p, &offset) != NN_OK && !p.pixel);
        }
        f.b[i] = right;
    }
}

/* Chunks that are whole, and a picture that is not. */
Test(picture, png_defects)
{
    static struct bytes f;
    png_begin(&f, 2, 3, 8, GREY);
    png_end(&f, 1, 3, six);
    expect_bad(&f, NN_BAD_PICTURE, 8);
    png_begin(&f, 2, 3, 9, GREY);
    png_end(&f, 2, 3, six);
    expect_bad(&f, NN_BAD_PICTURE, 8);
    png_begin(&f, 0, 3, 8, GREY);
    png_end(&f, 2, 3, six);
    expect_bad(&f, NN_BAD_PICTURE, 8);
    png_begin(&f, 5000, 5000, 8, GREY);
    png_end(&f, 2, 3, six);
    check_memory.largest = 0;
    expect_bad(&f, NN_BAD_SIZE, 8);
    cr_assert(check_memory.largest < 1 << 20);
    png_begin(&f, 2, 3, 8, GREY);
    add_chunk(&f, "IDAT", "nonsense", 8);
    add_chunk(&f, "IEND", "", 0);
    expect_bad(&f, NN_BAD_PICTURE, 8);
    png_begin(&f, 2, 3, 8, GREY);
    add_chunk(&f, "IEND", "", 0);
    expect_bad(&f, NN_BAD_PICTURE, 8);
    f.n = 8;
    add_chunk(&f, "IEND", "", 0);
    expect_bad(&f, NN_BAD_PICTURE, 8);
}

static struct nn_picture refused;

static enum nn_status parse_again(void *f)
{
    size_t offset;
    memset(&refused, 0x5a, sizeof refused);
    const struct bytes *bytes = f;
    return nn_picture_parse(bytes->b, bytes->n, &refused, &offset);
}

static void look_at_picture(void *f, enum nn_status status)
{
    (void)f;
    if (status == NN_OK) {
        cr_assert(refused.rows == 2 && refused.cols == 3 &&
                  memcmp(refused.pixel, six, 6) == 0);
        nn_picture_free(&refused);
    }
    cr_assert(!refused.pixel && !refused.rows && !refused.cols);
}

/* Those of libpng and zlib among them. */
Test(picture, memory_runs_out)
{
    static struct bytes f;
    pgm(&f, "P5\n3 2\n255\n", 6);
    cr_assert(check_refusals(parse_again, look_at_picture, &f) == 1);
    png(&f, 2, 3, 8, GREY, 3, six);
    cr_assert(check_refusals(parse_again, look_at_picture, &f) >= 5);
    png_begin(&f, 2, 3, 8, PALETTE);
    add_chunk(&f, "PLTE", "\x03\x03\x03\x2c\x2c\x2c\x55\x55\x55\x7e\x7e\x7e\xa7\xa7\xa7\xd0\xd0\xd0", 18);
    add_chunk(&f, "tRNS", "\xff\xff\xff", 3);
    png_end(&f, 2, 3, (const uint8_t *)"\0\1\2\3\4\5");
    cr_assert(check_refusals(parse_again, look_at_picture, &f) >= 5);
}

/* IDX files from outside: parsing bytes, reading files, loading sets.
   Each test has a folder of its own, build/idx-XXXXXX. */

#define _DEFAULT_SOURCE
#define CHECK_MEMORY
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>

#include "nn/file.h"
#include "nn/idx.h"
#include "nn/pictures.h"

/* ------------------------------------------------- bytes to be parsed */

struct bytes {
    uint8_t b[512];
    size_t n;
};

static struct bytes idx_of(size_t dims, const uint32_t *size, size_t count)
{
    struct bytes f = {.b = {0, 0, 8, (uint8_t)dims}, .n = 4};
    for (size_t d = 0; d < dims; d++)
        for (int shift = 24; shift >= 0; shift -= 8)
            f.b[f.n++] = (uint8_t)(size[d] >> shift);
    for (size_t i = 0; i < count; i++)
        f.b[f.n++] = (uint8_t)(i * 37 + 5);
    return f;
}

/* A good file with 1, 2 or 3 dimensions. */
static struct bytes good(size_t dims)
{
    const uint32_t size[3] = {3, 4, 2};
    return idx_of(dims, size, dims == 1 ? 3 : dims == 2 ? 12 : 24);
}

/* What the format says of the bytes, written another way. */
static enum nn_status expected(const uint8_t *b, size_t n, size_t *at)
{
    static const uint8_t fixed[3] = {0, 0, 8};
    for (size_t i = 0; i < 3; i++) {
        *at = i;
        if (n <= i)
            return NN_TRUNCATED;
        if (b[i] != fixed[i])
            return i < 2 ? NN_BAD_MAGIC : NN_BAD_TYPE;
    }
    *at = 3;
    if (n <= 3)
        return NN_TRUNCATED;
    if (b[3] == 0 || b[3] > 3)
        return NN_BAD_SIZE;
    long double product = 1;
    for (*at = 4; *at < 4 + 4u * b[3]; *at += 4) {
        if (n < *at + 4)
            return NN_TRUNCATED; // where the size begins
        long double size = 0;
        for (size_t i = 0; i < 4; i++)
            size = 256 * size + b[*at + i];
        product *= size;
        if (size < 1 || product >= (long double)SIZE_MAX + 1)
            return NN_BAD_SIZE;
    }
    long double end = (long double)*at + product;
    if ((long double)n > end) {
        *at = (size_t)end;
        return NN_TRAILING;
    }
    if ((long double)n == end)
        return NN_OK;
    *at = n;
    return NN_TRUNCATED;
}

/* Parses a copy that ends where a sanitizer sees its end. */
static void expect_parse(const uint8_t *b, size_t n)
{
    struct nn_idx idx;
    size_t at, want_at;
    uint8_t *copy = malloc(n ? n : 1), *from = copy + (n ? 0 : 1);
    cr_assert(copy != NULL);
    memcpy(from, b, n);
    memset(&idx, 0x5a, sizeof idx);
    enum nn_status got = nn_idx_parse(from, n, &idx, &at);
    enum nn_status want = expected(b, n, &want_at);
    cr_assert(got == want, "%zu bytes: %s, not %s", n, nn_status_text(got),
              nn_status_text(want));
    cr_assert(at == want_at, "%zu bytes: %zu, not %zu", n, at, want_at);
    if (got == NN_OK)
        cr_assert(idx.data == from + at && idx.count == n - at &&
                  idx.size[0] * idx.size[1] * idx.size[2] == idx.count);
    else
        cr_assert(idx.data == NULL);
    free(copy);
}

/* One timeout for all: with two, Criterion 2.4.1 leaks in its runner. */
TestSuite(idx, .timeout = 30);

Test(idx, good_files)
{
    const size_t size[3] = {3, 4, 2};
    for (size_t dims = 1; dims <= 3; dims++) {
        struct bytes f = good(dims);
        struct nn_idx idx;
        size_t at;
        cr_assert(nn_idx_parse(f.b, f.n, &idx, &at) == NN_OK);
        cr_assert(idx.dims == dims && at == 4 + 4 * dims);
        for (size_t d = 0; d < 3; d++)
            cr_assert(idx.size[d] == (d < dims ? size[d] : 1));
        cr_assert(idx.data == f.b + at && idx.count == f.n - at);
        cr_assert(idx.data[0] == 5 && idx.data[2] == 79);
    }
}

Test(idx, big_endian_sizes)
{
    static uint8_t big[8 + 0x010203] = {0, 0, 8, 1, 0, 1, 2, 3};
    struct nn_idx idx;
    size_t at;
    cr_assert(nn_idx_parse(big, sizeof big, &idx, &at) == NN_OK);
    cr_assert(idx.size[0] == 0x010203 && idx.count == 0x010203);
    const uint32_t huge[] = {0x80000001};
    struct bytes f = idx_of(1, huge, 10);
    cr_assert(nn_idx_parse(f.b, f.n, &idx, &at) == NN_TRUNCATED);
    cr_assert(idx.size[0] == 0x80000001 && at == f.n);
}

Test(idx, cut_short_or_too_long)
{
    for (size_t dims = 1; dims <= 3; dims++) {
        struct bytes f = good(dims);
        for (size_t n = 0; n <= f.n + 3; n++)
            expect_parse(f.b, n);
    }
}

Test(idx, one_bit_wrong)
{
    for (size_t dims = 1; dims <= 3; dims++)
        for (size_t bit = 0; bit < 8 * (4 + 4 * dims); bit++) {
            struct bytes f = good(dims);
            f.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            expect_parse(f.b, f.n);
        }
}

/* Every value of each byte of the header. */
Test(idx, one_byte_wrong)
{
    struct bytes f = good(3);
    for (size_t at = 0; at < 16; at++) {
        uint8_t right = f.b[at];
        for (int v = 0; v < 256; v++) {
            f.b[at] = (uint8_t)v;
            expect_parse(f.b, f.n);
        }
        f.b[at] = right;
    }
}

static void expect_stop(const struct bytes *f, enum nn_status status,
                        size_t offset)
{
    struct nn_idx idx;
    size_t at = 999;
    enum nn_status got = nn_idx_parse(f->b, f->n, &idx, &at);
    cr_assert(got == status, "%s", nn_status_text(got));
    cr_assert(at == offset && idx.data == NULL, "at %zu", at);
    expect_parse(f->b, f->n);
}

/* The statuses and places by hand, lest expected() be wrong too. */
Test(idx, stops_by_hand)
{
    const uint32_t none[] = {3, 0, 2}, last[] = {1, 1, 0};
    struct bytes f = {.n = 0};
    expect_stop(&f, NN_TRUNCATED, 0);
    f = good(3), f.n = 3;
    expect_stop(&f, NN_TRUNCATED, 3);
    f = good(3), f.b[0] = 1;
    expect_stop(&f, NN_BAD_MAGIC, 0);
    f = good(3), f.b[1] = 8;
    expect_stop(&f, NN_BAD_MAGIC, 1);
    f = good(3), f.b[2] = 0x0d;
    expect_stop(&f, NN_BAD_TYPE, 2);
    f = good(3), f.b[3] = 0;
    expect_stop(&f, NN_BAD_SIZE, 3);
    f = good(3), f.b[3] = 4;
    expect_stop(&f, NN_BAD_SIZE, 3);
    f = idx_of(3, none, 0);
    expect_stop(&f, NN_BAD_SIZE, 8);
    f = idx_of(3, last, 1);
    expect_stop(&f, NN_BAD_SIZE, 12);
    f = good(3), f.n--;
    expect_stop(&f, NN_TRUNCATED, 39);
    f = good(3), f.n++;
    expect_stop(&f, NN_TRAILING, 40);
}

Test(idx, products_that_overflow)
{
    const uint32_t full = UINT32_MAX, half = UINT32_C(1) << 31;
    const uint32_t over[][3] = {{full, full, full}, {full, full, 2},
                                {half, half, 4}, {2, full, full - 1}};
    for (size_t i = 0; i < 4; i++) {
        struct bytes f = idx_of(3, over[i], 8);
        expect_stop(&f, NN_BAD_SIZE, 12);
    }
    const uint32_t fits[][3] = {{full, full, 1}, {half, half, 3},
                                {half, 1, full}, {1, full, 1}};
    for (size_t i = 0; i < 4; i++) {
        struct bytes f = idx_of(3, fits[i], 8);
        expect_stop(&f, NN_TRUNCATED, f.n);
    }
}

/* 2^64 - 1 = 1722007169 * 3570783445 * 3 is the largest product. */
Test(idx, largest_product)
{
    const uint32_t size[] = {1722007169, 3570783445, 3};
    struct bytes f = idx_of(3, size, 8);
    struct nn_idx idx;
    size_t at;
    cr_assert(nn_idx_parse(f.b, f.n, &idx, &at) == NN_TRUNCATED);
    cr_assert(at == f.n && idx.count == UINT64_MAX && !idx.data);
}

Test(idx, random_bytes)
{
    uint64_t v = 1;
    for (int i = 0; i < 20000; i++) {
        struct bytes f = good(1 + (size_t)i % 3);
        for (int k = 0; k < 3; k++) {
            v = v * 6364136223846793005 + 1442695040888963407;
            f.b[(v >> 33) % 16] = (uint8_t)(v >> 56 & (k ? 255 : 3));
        }
        expect_parse(f.b, v >> 40 & 1 ? f.n : (v >> 41) % f.n);
    }
}

/* -------------------------------------------------- files in a folder */

static char folder[] = "build/idx-XXXXXX";

static void enter(void)
{
    cr_assert(mkdtemp(folder) != NULL, "run from the checkout's root");
    cr_assert(chmod(folder, 0755) == 0);
}

/* Removes the folder and its entries, which hold no folders but empty
   ones. */
static void leave(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            remove(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

TestSuite(file, .timeout = 30, .init = enter, .fini = leave);
TestSuite(pictures, .timeout = 30, .init = enter, .fini = leave);

/* The path of NAME in the folder, good until the next call but one. */
static const char *in_folder(const char *name)
{
    static char path[2][512];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put(const char *name, const void *b, size_t n)
{
    FILE *file = fopen(in_folder(name), "wb");
    cr_assert(file && fwrite(b, 1, n, file) == n && fclose(file) == 0);
}

static void put_gz(const char *name, const void *b, size_t n)
{
    gzFile file = gzopen(in_folder(name), "wb");
    cr_assert(file && gzwrite(file, b, (unsigned)n) == (int)n);
    cr_assert(gzclose(file) == Z_OK);
}

static size_t get(const char *name, uint8_t *b, size_t most)
{
    FILE *file = fopen(in_folder(name), "rb");
    cr_assert(file != NULL);
    size_t n = fread(b, 1, most, file);
    cr_assert(n < most && fclose(file) == 0);
    return n;
}

/* How many bytes a gzip stream of which N bytes are left gives. */
static size_t unpacked(const uint8_t *b, size_t n)
{
    static uint8_t out[1 << 18];
    z_stream z = {0};
    cr_assert(inflateInit2(&z, 15 + 16) == Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)b;
    z.avail_in = (unsigned)n;
    z.next_out = out;
    z.avail_out = sizeof out;
    inflate(&z, Z_SYNC_FLUSH);
    size_t length = z.total_out;
    inflateEnd(&z);
    return length;
}

/* Numbers that deflate cannot make much smaller. */
static void noise(uint8_t *b, size_t n)
{
    uint32_t v = 12345;
    for (size_t i = 0; i < n; i++) {
        v = v * 1664525 + 1013904223;
        b[i] = (uint8_t)(v >> 26);
    }
}

enum { LIMIT = 1 << 20, BIG = 200000 };
static uint8_t big[BIG], packed[BIG + 1000], spoilt[BIG + 1000];

static void expect_read(const char *path, size_t limit, const void *b,
                        size_t n)
{
    uint8_t *got;
    size_t length;
    long held = check_memory.live;
    enum nn_status status = nn_file_read(path, limit, &got, &length);
    cr_assert(status == NN_OK, "%s: %s", path, nn_status_text(status));
    cr_assert(length == n && got && memcmp(got, b, n) == 0);
    free(got);
    cr_assert(check_memory.live == held);
}

static void expect_no_read(const char *path, size_t limit,
                           enum nn_status want, size_t want_length)
{
    uint8_t *got = big;
    size_t length = 999;
    long held = check_memory.live;
    enum nn_status status = nn_file_read(path, limit, &got, &length);
    cr_assert(status == want, "%s: %s", path, nn_status_text(status));
    cr_assert(got == NULL && length == want_length, "length %zu", length);
    cr_assert(check_memory.live == held);
}

Test(file, plain_and_gzip)
{
    const size_t lengths[] = {1, 2, 3, 100, 65535, 65536, 65537, 131072,
                              BIG};
    noise(big, BIG);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        put("plain", big, lengths[i]);
        put_gz("packed", big, lengths[i]);
        expect_read(in_folder("plain"), LIMIT, big, lengths[i]);
        expect_read(in_folder("packed"), LIMIT, big, lengths[i]);
    }
    put("empty", big, 0);
    put_gz("packed", big, 0);
    expect_read(in_folder("empty"), LIMIT, big, 0);
    expect_read(in_folder("packed"), LIMIT, big, 0);
}

Test(file, limit)
{
    const size_t lengths[] = {1, 100, 65535, 65536, 65537, 131072, BIG};
    noise(big, BIG);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i], room = 1 << 16;
        while (room < n)
            room *= 2; // what is read before the limit is looked at
        put("plain", big, n);
        put_gz("packed", big, n);
        expect_read(in_folder("plain"), n, big, n);
        expect_read(in_folder("packed"), n, big, n);
        expect_read(in_folder("plain"), SIZE_MAX, big, n);
        expect_no_read(in_folder("plain"), n - 1, NN_TOO_BIG, n);
        expect_no_read(in_folder("packed"), n - 1, NN_TOO_BIG, n);
    }
    expect_no_read(in_folder("plain"), 10, NN_TOO_BIG, 65536);
    expect_no_read(in_folder("packed"), 0, NN_TOO_BIG, 65536);
}

/* A bomb: 64 megabytes of zeros in 64 kilobytes, refused early. */
Test(file, limit_stops_a_bomb)
{
    gzFile file = gzopen(in_folder("bomb"), "wb");
    memset(big, 0, BIG);
    for (int i = 0; i < 320; i++)
        cr_assert(gzwrite(file, big, BIG) == BIG);
    cr_assert(gzclose(file) == Z_OK);
    check_memory.largest = 0;
    expect_no_read(in_folder("bomb"), 100000, NN_TOO_BIG, 131072);
    cr_assert(check_memory.largest <= 131072);
}

Test(file, names_that_lead_nowhere)
{
    char *longer = malloc(5001);
    memset(longer, 'a', 5000);
    longer[5000] = '\0';
    put("plain", "x", 1);
    expect_no_read(in_folder("none"), LIMIT, NN_NO_FILE, 0);
    expect_no_read("", LIMIT, NN_NO_FILE, 0);
    expect_no_read(in_folder("none/none"), LIMIT, NN_NO_FILE, 0);
    expect_no_read(in_folder("plain/none"), LIMIT, NN_NO_FILE, 0);
    expect_no_read(longer, LIMIT, NN_NO_READ, 0);
    cr_assert(symlink("nowhere", in_folder("link")) == 0);
    expect_no_read(in_folder("link"), LIMIT, NN_NO_FILE, 0);
    cr_assert(symlink("round", in_folder("round")) == 0);
    expect_no_read(in_folder("round"), LIMIT, NN_NO_READ, 0);
    free(longer);
}

Test(file, folders_and_pipes)
{
    cr_assert(mkdir(in_folder("folder"), 0755) == 0);
    cr_assert(mkfifo(in_folder("pipe"), 0644) == 0);
    expect_no_read(in_folder("folder"), LIMIT, NN_NO_READ, 0);
    expect_no_read(in_folder("pipe"), LIMIT, NN_NO_READ, 0);
    expect_no_read("/dev/zero", LIMIT, NN_NO_READ, 0);
}

/* Root reads everything, so a test run by root becomes nobody; paths
   are then relative to the folder, since those above may be shut. */
static enum nn_status status_for_nobody(const char *name)
{
    uint8_t *got = NULL;
    size_t length;
    int root = geteuid() == 0;
    cr_assert(chdir(folder) == 0 && (!root || seteuid(65534) == 0));
    enum nn_status status = nn_file_read(name, LIMIT, &got, &length);
    int back = (!root || seteuid(0) == 0) && chdir("../..") == 0;
    cr_assert(back && (got != NULL) == (status == NN_OK));
    free(got);
    return status;
}

Test(file, not_permitted)
{
    put("open", "x", 1);
    put("closed", "x", 1);
    cr_assert(mkdir(in_folder("shut"), 0) == 0);
    cr_assert(chmod(in_folder("open"), 0644) == 0);
    cr_assert(chmod(in_folder("closed"), 0) == 0);
    cr_assert(status_for_nobody("open") == NN_OK);
    cr_assert(status_for_nobody("closed") == NN_NO_READ);
    cr_assert(status_for_nobody("shut/none") == NN_NO_READ);
}

static void expect_gzip_cut(size_t whole, size_t n)
{
    put("cut", packed, n);
    if (n < 2 || n == whole)
        expect_read(in_folder("cut"), LIMIT, n < 2 ? packed : big,
                    n < 2 ? n : unpacked(packed, n));
    else
        expect_no_read(in_folder("cut"), LIMIT, NN_TRUNCATED,
                       unpacked(packed, n));
}

/* One byte alone does not show yet that it begins a gzip stream. */
Test(file, gzip_cut_short)
{
    noise(big, BIG);
    put_gz("packed", big, 100);
    size_t whole = get("packed", packed, sizeof packed);
    for (size_t n = 0; n <= whole; n++)
        expect_gzip_cut(whole, n);
    put_gz("packed", big, BIG);
    whole = get("packed", packed, sizeof packed);
    for (size_t n = 100; n < whole - 20; n += 9973)
        expect_gzip_cut(whole, n);
    for (size_t n = whole - 20; n <= whole; n++)
        expect_gzip_cut(whole, n);
}

/* The last 8 bytes are the checksum and the length. */
Test(file, gzip_with_a_wrong_checksum)
{
    const size_t lengths[] = {100, BIG}, read[] = {0, 131072};
    noise(big, BIG);
    for (size_t i = 0; i < 2; i++) {
        put_gz("packed", big, lengths[i]);
        size_t n = get("packed", packed, sizeof packed);
        for (size_t bit = 8 * n - 64; bit < 8 * n; bit += i ? 9 : 1) {
            memcpy(spoilt, packed, n);
            spoilt[bit / 8] ^= (uint8_t)(1 << bit % 8);
            put("spoilt", spoilt, n);
            expect_no_read(in_folder("spoilt"), LIMIT, NN_NO_READ, read[i]);
        }
    }
}

/* One wrong bit anywhere: an error, or the right bytes; and where the
   two bytes that say gzip are spoilt, the file as it is. */
Test(file, gzip_with_one_bit_wrong)
{
    noise(big, BIG);
    put_gz("packed", big, 100);
    size_t n = get("packed", packed, sizeof packed), errors = 0;
    for (size_t bit = 0; bit < 8 * n; bit++) {
        uint8_t *got;
        size_t length;
        long held = check_memory.live;
        packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        put("spoilt", packed, n);
        if (nn_file_read(in_folder("spoilt"), LIMIT, &got, &length) != NN_OK)
            errors += got == NULL;
        else if (bit < 16)
            cr_assert(length == n && memcmp(got, packed, n) == 0);
        else
            cr_assert(length == 100 && memcmp(got, big, 100) == 0);
        free(got);
        cr_assert(check_memory.live == held);
        packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(errors > 8 * (n - 18));
}

struct reading {
    const char *path;
    uint8_t *bytes;
    size_t length;
};

static enum nn_status read_big(void *job)
{
    struct reading *r = job;
    r->bytes = big;
    r->length = 999;
    return nn_file_read(r->path, LIMIT, &r->bytes, &r->length);
}

/* What had been read before: nothing, or what fits into 64 kB, 128 kB. */
static void look_at_big(void *job, enum nn_status status)
{
    struct reading *r = job;
    if (status == NN_OK)
        cr_assert(r->length == BIG && memcmp(r->bytes, big, BIG) == 0);
    else
        cr_assert(!r->bytes && (r->length == 0 || r->length == 65536 || r->length == 131072));
    free(r->bytes);
}

/* Those of zlib among them. */
Test(file, memory_runs_out)
{
    struct reading r = {.path = in_folder("file")};
    noise(big, BIG);
    put("file", big, BIG);
    cr_assert(check_refusals(read_big, look_at_big, &r) >= 6);
    put_gz("file", big, BIG);
    cr_assert(check_refusals(read_big, look_at_big, &r) >= 7);
}

/* ------------------------------------------------ sets with labels */

static const char *const IMAGES[] = {
    "train-images-idx3-ubyte", "train-images.idx3-ubyte",
    "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte.gz"};
static const char *const LABELS[] = {
    "train-labels-idx1-ubyte", "train-labels.idx1-ubyte",
    "train-labels-idx1-ubyte.gz", "train-labels.idx1-ubyte.gz"};

static void put_as(const char *const names[], size_t naming,
                   const struct bytes *f)
{
    for (size_t i = 0; i < 4; i++)
        unlink(in_folder(names[i]));
    if (naming < 2)
        put(names[naming], f->b, f->n);
    else
        put_gz(names[naming], f->b, f->n);
}

static struct bytes images(void)
{
    return good(3); // 3 pictures of 4 x 2
}

static struct bytes labels(void)
{
    struct bytes f = good(1);
    f.b[8] = 2, f.b[9] = 7, f.b[10] = 0;
    return f;
}

static void expect_pictures(void)
{
    struct nn_pictures set;
    static struct nn_fault fault;
    struct bytes f = images();
    double x[9] = {[8] = -1};
    long held = check_memory.live;
    enum nn_status status = nn_pictures_load(&set, folder, "train", &fault);
    cr_assert(status == NN_OK, "%s: %s", fault.path, nn_status_text(status));
    cr_assert(set.m == 3 && set.rows == 4 && set.cols == 2);
    cr_assert(set.classes == 8);
    cr_assert(set.label[0] == 2 && set.label[1] == 7 && set.label[2] == 0);
    cr_assert(memcmp(set.pixel, f.b + 16, 24) == 0);
    for (size_t s = 0; s < 3; s++) {
        nn_pictures_x(&set, s, x);
        for (size_t k = 0; k < 8; k++)
            cr_assert(x[k] == f.b[16 + 8 * s + k] / 255.0);
        cr_assert(x[8] == -1);
    }
    nn_pictures_free(&set);
    cr_assert(check_memory.live == held);
    cr_assert(!set.pixel && !set.label && !set.image_file &&
              !set.label_file && set.m == 0);
    nn_pictures_free(&set);
}

static int is_empty(const struct nn_pictures *set)
{
    return !set->pixel && !set->label && !set->image_file && !set->label_file &&
           set->m == 0 && set->rows == 0 && set->cols == 0 && set->classes == 0;
}

/* Loading fails with WANT; the fault is in file NAME of the folder. */
static void expect_fault(enum nn_status want, const char *name,
                         size_t offset)
{
    struct nn_pictures set;
    static struct nn_fault fault;
    long held = check_memory.live;
    memset(&set, 0x5a, sizeof set);
    memset(&fault, 0x5a, sizeof fault);
    enum nn_status got = nn_pictures_load(&set, folder, "train", &fault);
    cr_assert(got == want, "%s: %s, not %s", fault.path, nn_status_text(got),
              nn_status_text(want));
    cr_assert(strcmp(fault.path, in_folder(name)) == 0, "%s", fault.path);
    cr_assert(fault.offset == offset, "%zu, not %zu", fault.offset, offset);
    cr_assert(is_empty(&set));
    cr_assert(check_memory.live == held);
}

Test(pictures, all_namings)
{
    struct bytes image = images(), label = labels();
    check_memory_wrapped();
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            put_as(IMAGES, i, &image);
            put_as(LABELS, k, &label);
            expect_pictures();
        }
}

Test(pictures, scale)
{
    struct bytes image = images(), label = labels();
    struct nn_pictures set;
    struct nn_fault fault;
    double x[8];
    image.b[16] = 0, image.b[17] = 255, image.b[18] = 51;
    put_as(IMAGES, 0, &image);
    put_as(LABELS, 0, &label);
    cr_assert(nn_pictures_load(&set, folder, "train", &fault) == NN_OK);
    nn_pictures_x(&set, 0, x);
    cr_assert(x[0] == 0 && x[1] == 1 && x[2] == 0.2);
    nn_pictures_free(&set);
}

Test(pictures, fetch)
{
    struct bytes image = images(), label = labels();
    struct nn_pictures set;
    struct nn_fault fault;
    put_as(IMAGES, 0, &image);
    put_as(LABELS, 0, &label);
    cr_assert(nn_pictures_load(&set, folder, "train", &fault) == NN_OK);
    for (size_t s = 0; s < 3; s++) {
        double x[9], y[9], want[9];
        x[8] = y[8] = want[8] = -1;
        nn_pictures_x(&set, s, want);
        nn_pictures_fetch(&set, s, x, y);
        cr_assert(memcmp(x, want, sizeof x) == 0 && y[8] == -1);
        for (size_t c = 0; c < 8; c++)
            cr_assert(y[c] == (c == label.b[8 + s]));
    }
    nn_pictures_free(&set);
}

/* Classes are counted up to the largest label there can be. */
Test(pictures, classes)
{
    struct bytes image = images(), label = labels();
    struct nn_pictures set;
    struct nn_fault fault;
    put_as(IMAGES, 0, &image);
    for (int most = 0; most < 256; most += 51) {
        label.b[8] = label.b[9] = 0;
        label.b[10] = (uint8_t)most;
        put_as(LABELS, 0, &label);
        cr_assert(nn_pictures_load(&set, folder, "train", &fault) == NN_OK);
        cr_assert(set.classes == (size_t)most + 1);
        nn_pictures_free(&set);
    }
}

/* Every kind of damage to bytes, in either file, plain and gzip. */
static void expect_damage(const struct bytes *f, int in_labels)
{
    const char *const *names = in_labels ? LABELS : IMAGES;
    size_t at;
    enum nn_status want = expected(f->b, f->n, &at);
    if (want == NN_OK)
        return;
    for (size_t naming = 0; naming < 4; naming += 3) {
        put_as(names, naming, f);
        expect_fault(want, names[naming], at);
    }
}

static void damage(int in_labels)
{
    struct bytes right[] = {images(), labels()};
    put_as(IMAGES, 0, &right[0]);
    put_as(LABELS, 0, &right[1]);
    for (size_t n = 0; n <= right[in_labels].n + 1; n++) {
        struct bytes f = right[in_labels];
        f.n = n;
        expect_damage(&f, in_labels);
    }
    for (size_t bit = 0; bit < (in_labels ? 64 : 128); bit++) {
        struct bytes f = right[in_labels];
        f.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_damage(&f, in_labels);
    }
}

Test(pictures, damaged_images)
{
    damage(0);
}

Test(pictures, damaged_labels)
{
    damage(1);
}

/* Good IDX files that are not pictures, or not their labels; the
   offset is that of the first element. */
Test(pictures, files_that_do_not_fit)
{
    struct bytes right = images();
    const uint32_t counts[] = {1, 2, 4, 24};
    put_as(IMAGES, 0, &right);
    for (size_t i = 0; i < 4; i++) {
        struct bytes f = idx_of(1, counts + i, counts[i]);
        put_as(LABELS, 0, &f);
        expect_fault(NN_MISMATCH, LABELS[0], 4);
    }
    const uint32_t three[] = {3, 1, 1};
    for (size_t dims = 2; dims <= 3; dims++) {
        struct bytes f = good(dims);
        put_as(LABELS, 1, &f);
        expect_fault(NN_BAD_SIZE, LABELS[1], 3);
        f = idx_of(dims, three, 3);
        put_as(LABELS, 1, &f);
        expect_fault(NN_BAD_SIZE, LABELS[1], 3);
    }
    for (size_t dims = 1; dims <= 2; dims++) {
        struct bytes f = good(dims);
        put_as(IMAGES, 3, &f);
        expect_fault(NN_BAD_SIZE, IMAGES[3], 3);
    }
}

static void expect_missing(const char *part, const char *begin)
{
    struct nn_pictures set;
    static struct nn_fault fault;
    long held = check_memory.live;
    memset(&set, 0x5a, sizeof set);
    cr_assert(nn_pictures_load(&set, folder, part, &fault) == NN_NO_FILE);
    cr_assert(strncmp(fault.path, in_folder(begin),
                      strlen(in_folder(begin))) == 0, "%s", fault.path);
    cr_assert(fault.offset == 0);
    cr_assert(!set.image_file && !set.label_file && !set.pixel);
    cr_assert(check_memory.live == held);
}

Test(pictures, missing_files)
{
    struct bytes image = images(), label = labels();
    expect_missing("train", "train-images");
    put_as(LABELS, 2, &label);
    expect_missing("train", "train-images");
    put_as(IMAGES, 2, &image);
    expect_missing("t10k", "t10k-images");
    expect_pictures();
    unlink(in_folder(LABELS[2]));
    expect_missing("train", "train-labels");
}

/* What has the name and cannot be read is not passed over. */
Test(pictures, names_taken_by_something_else)
{
    struct bytes image = images(), label = labels();
    put_as(LABELS, 0, &label);
    put_as(IMAGES, 2, &image);
    cr_assert(mkdir(in_folder(IMAGES[0]), 0755) == 0);
    expect_fault(NN_NO_READ, IMAGES[0], 0);
    rmdir(in_folder(IMAGES[0]));
    expect_pictures();
    cr_assert(mkfifo(in_folder(IMAGES[0]), 0644) == 0);
    expect_fault(NN_NO_READ, IMAGES[0], 0);
    put_as(IMAGES, 0, &image);
    put_as(LABELS, 2, &label);
    cr_assert(mkdir(in_folder(LABELS[1]), 0755) == 0);
    expect_fault(NN_NO_READ, LABELS[1], 0);
}

static void load_cut_gzip(const char *const names[], const struct bytes *f)
{
    put_as(names, 2, f);
    size_t n = get(names[2], packed, sizeof packed);
    for (size_t cut = 2; cut < n; cut++) {
        put(names[2], packed, cut);
        expect_fault(NN_TRUNCATED, names[2], unpacked(packed, cut));
    }
    for (size_t i = n - 8; i < n; i++) {
        packed[i] ^= 0x10;
        put(names[2], packed, n);
        expect_fault(NN_NO_READ, names[2], 0);
        packed[i] ^= 0x10;
    }
    put(names[2], packed, n);
}

Test(pictures, gzip_damaged)
{
    struct bytes image = images(), label = labels();
    put_as(LABELS, 0, &label);
    load_cut_gzip(IMAGES, &image);
    expect_pictures();
    load_cut_gzip(LABELS, &label);
    expect_pictures();
}

struct loading {
    struct nn_pictures set;
    struct nn_fault fault;
};

static enum nn_status load_set(void *job)
{
    struct loading *l = job;
    memset(l, 0x5a, sizeof *l);
    return nn_pictures_load(&l->set, folder, "train", &l->fault);
}

static void look_at_set(void *job, enum nn_status status)
{
    struct loading *l = job;
    const char *name = l->fault.path + strlen(folder) + 1;
    cr_assert(strcmp(name, LABELS[2]) == 0 || (status && strcmp(name, IMAGES[0]) == 0));
    if (status == NN_OK)
        cr_assert(l->set.m == 3);
    else
        cr_assert(l->fault.offset == 0);
    if (status == NN_OK)
        nn_pictures_free(&l->set);
    cr_assert(is_empty(&l->set));
}

Test(pictures, memory_runs_out)
{
    static struct loading l;
    struct bytes image = images(), label = labels();
    put_as(IMAGES, 0, &image);
    put_as(LABELS, 2, &label);
    cr_assert(check_refusals(load_set, look_at_set, &l) >= 10);
    expect_pictures();
}

static void load_long_path(size_t n, enum nn_status want, int offset_too)
{
    struct nn_pictures set;
    static struct nn_fault fault;
    static char dir[6000];
    memset(dir, 0, sizeof dir);
    for (size_t i = 0; i < n; i++)
        dir[i] = i % 2 ? '/' : '.';
    memset(&set, 0x5a, sizeof set);
    memset(&fault, 0x5a, sizeof fault);
    enum nn_status got = nn_pictures_load(&set, dir, "train", &fault);
    cr_assert(got == want, "%zu: %s", n, nn_status_text(got));
    cr_assert(memchr(fault.path, 0, sizeof fault.path) != NULL);
    cr_assert(strncmp(fault.path, dir, n < 4000 ? n : 4000) == 0);
    cr_assert(!set.image_file && !set.label_file && !set.pixel);
    if (offset_too)
        cr_assert(fault.offset == 0);
}

/* Paths of 4095 characters and less fit; .gz makes a path longer. */
Test(pictures, paths_too_long)
{
    for (size_t n = 4060; n < 4100; n++)
        load_long_path(n, NN_NO_FILE, 0);
    load_long_path(5000, NN_NO_FILE, 0);
    load_long_path(3, NN_NO_FILE, 1);
}

/* So far the offset is left unset there. */
Test(pictures, path_too_long_has_an_offset)
{
    load_long_path(5000, NN_NO_FILE, 1);
}

Test(pictures, names_too_long)
{
    static struct nn_fault fault;
    struct nn_pictures set;
    char part[300] = {0};
    memset(part, 'a', sizeof part - 1);
    cr_assert(nn_pictures_load(&set, folder, part, &fault) == NN_NO_READ);
    cr_assert(fault.offset == 0 && strstr(fault.path, part) != NULL);
}

/* Models in files: to the bit, with every defect told, and whole files
   whatever happens. Each test has a folder of its own,
   build/model-XXXXXX. Linked with --wrap of what allocates and of what
   writes a file, so that each call can fail, and be the last. */

#define _DEFAULT_SOURCE
#define CHECK_MEMORY
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "nn/file.h"
#include "tools/model.h"

/* ---------------------------------------- calls that fail or are the last */

enum { CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_CLOSE, CALL_RENAME, CALL_UNLINK, CALLS };

static volatile struct {
    long made, at;          // calls so far; the one that is struck; 0: none
    long too;               // one more of them
    int why;                // errno of the one that fails; 0: it is killed
    int behind;             // killed after the call, not before it
    int kind;               // what was struck
    size_t most;            // bytes that a write takes; 0: all
    int unsynced;           // fsync says that it has done what takes too long
    int kinds[64];          // of the calls that were made
} calls;

int __real_open(const char *path, int flags, ...) __attribute__((weak));
ssize_t __real_write(int file, const void *b, size_t n) __attribute__((weak));
int __real_fsync(int file) __attribute__((weak));
int __real_close(int file) __attribute__((weak));
int __real_rename(const char *from, const char *to) __attribute__((weak));
int __real_unlink(const char *path) __attribute__((weak));
int __wrap_open(const char *path, int flags, unsigned mode);
ssize_t __wrap_write(int file, const void *b, size_t n);
int __wrap_fsync(int file);
int __wrap_close(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

static int struck(int kind)
{
    if (calls.made < 64)
        calls.kinds[calls.made] = kind;
    if (++calls.made != calls.at && calls.made != calls.too)
        return 0;
    calls.kind = kind;
    if (!calls.why && !calls.behind)
        raise(SIGKILL);
    errno = calls.why;
    return calls.why != 0;
}

static void done(void)
{
    if (calls.made == calls.at && !calls.why && calls.behind)
        raise(SIGKILL);
}

#define STRUCK(kind, call)                                                 \
    do {                                                                   \
        if (struck(kind))                                                  \
            return -1;                                                     \
        int result = (call);                                               \
        done();                                                            \
        return result;                                                     \
    } while (0)

int __wrap_open(const char *path, int flags, unsigned mode)
{
    STRUCK(CALL_OPEN, __real_open(path, flags, mode));
}

ssize_t __wrap_write(int file, const void *b, size_t n)
{
    n = calls.most && calls.most < n ? calls.most : n;
    STRUCK(CALL_WRITE, (int)__real_write(file, b, n));
}

int __wrap_fsync(int file)
{
    STRUCK(CALL_SYNC, calls.unsynced ? 0 : __real_fsync(file));
}

/* What cannot be closed is closed nevertheless. */
int __wrap_close(int file)
{
    if (struck(CALL_CLOSE)) {
        __real_close(file);
        errno = calls.why;
        return -1;
    }
    int result = __real_close(file);
    done();
    return result;
}

int __wrap_rename(const char *from, const char *to)
{
    STRUCK(CALL_RENAME, __real_rename(from, to));
}

int __wrap_unlink(const char *path)
{
    STRUCK(CALL_UNLINK, __real_unlink(path));
}

/* ------------------------------------------------------------ models */

enum { STATES = 4 }; // none, and one for each method

static char *names[] = {(char[]){"a \"b\"\\/"}, (char[]){"\xc3\xa9t\xc3\xa9"},
                        (char[]){"three"}, NULL};

static uint64_t bits_drawn(struct nn_rng *rng)
{
    return nn_rng_next(rng);
}

/* Any finite double, or one that a float holds. */
static double drawn(struct nn_rng *rng, enum nn_dtype dtype)
{
    for (;;) {
        uint64_t bits = bits_drawn(rng);
        uint32_t half = (uint32_t)bits;
        double d;
        float f;
        memcpy(&d, &bits, sizeof d);
        memcpy(&f, &half, sizeof f);
        if (dtype == NN_F32)
            d = (double)f;
        if (isfinite(d))
            return d;
    }
}

/* A net of 4-3-3 with everything that it can have. STATE 0: no state;
   else that of method STATE - 1, of 5 samples. */
static void make(struct nn_model *m, enum nn_dtype dtype, int state,
                 uint64_t seed)
{
    const size_t size[] = {4, 3, 3};
    const enum nn_activation sigma[] = {NN_RELU, NN_IDENTITY};
    struct nn_rng rng = nn_rng_seeded(seed);
    *m = (struct nn_model){.rows = 2, .cols = 2, .offset = 0.1,
                           .scale = 255, .dtype = dtype};
    cr_assert(nn_create(&m->nn, 2, size, sigma) == NN_OK);
    m->nn.loss = NN_CROSS_ENTROPY;
    m->nn.decay = 1.0 / 3;
    m->engine = dtype == NN_F32 ? NN_ENGINE_FAST : NN_ENGINE_PLAIN;
    for (size_t i = 0; i < m->nn.params; i++)
        m->nn.p[i] = drawn(&rng, dtype);
    m->nn.p[0] = -0.0;
    cr_assert(nn_model_set(m, "rate", "0.1") == NN_OK);
    cr_assert(nn_model_set(m, "dir", "a\tb \"c\" \xe2\x82\xac") == NN_OK);
    cr_assert(nn_model_set(m, "empty", "") == NN_OK);
    m->classes = calloc(4, sizeof *m->classes);
    for (int j = 0; j < 3; j++) {
        m->classes[j] = malloc(strlen(names[j]) + 1);
        memcpy(m->classes[j], names[j], strlen(names[j]) + 1);
    }
    if (!state)
        return;
    struct nn_state *s = m->state = calloc(1, sizeof *s);
    cr_assert(nn_optimizer_create(&s->optimizer,
                                  (enum nn_method)(state - 1),
                                  m->nn.params) == NN_OK);
    for (size_t i = 0; i < m->nn.params; i++) {
        if (state > 1)
            s->optimizer.v[i] = drawn(&rng, dtype);
        if (state > 2)
            s->optimizer.s[i] = drawn(&rng, dtype);
    }
    s->optimizer.beta1 = 0.9 + 1e-16;
    s->optimizer.beta2 = 0.7;
    s->optimizer.epsilon = 4.9e-324;
    s->optimizer.t = SIZE_MAX;
    s->epoch = 3;
    s->step = 12345678901234567;
    s->done = 2;
    s->m = 5;
    s->sum = -drawn(&rng, NN_F64);
    s->rng = rng;
    s->order = calloc(5, sizeof *s->order);
    for (size_t i = 0; i < 5; i++)
        s->order[i] = i;
    nn_rng_shuffle(&rng, s->order, 5);
}

static int same_reals(const double *a, const double *b, size_t n)
{
    return memcmp(a, b, n * sizeof *a) == 0;
}

static int same_state(const struct nn_state *a, const struct nn_state *b)
{
    if (!a || !b)
        return a == b;
    const struct nn_optimizer *o = &a->optimizer, *q = &b->optimizer;
    return o->method == q->method && o->n == q->n && o->t == q->t &&
           same_reals(&o->beta1, &q->beta1, 1) &&
           same_reals(&o->beta2, &q->beta2, 1) &&
           same_reals(&o->epsilon, &q->epsilon, 1) &&
           same_reals(o->v, q->v, o->n) && same_reals(o->s, q->s, o->n) &&
           a->epoch == b->epoch && a->step == b->step &&
           a->done == b->done && a->m == b->m &&
           memcmp(a->order, b->order, a->m * sizeof *a->order) == 0 &&
           same_reals(&a->sum, &b->sum, 1) && a->rng.state == b->rng.state;
}

static int same(const struct nn_model *a, const struct nn_model *b)
{
    if (a->nn.layers != b->nn.layers || a->nn.loss != b->nn.loss ||
        a->nn.params != b->nn.params || a->rows != b->rows ||
        a->cols != b->cols || a->dtype != b->dtype ||
        a->engine != b->engine || a->n_settings != b->n_settings ||
        !a->classes != !b->classes)
        return 0;
    for (int l = 0; l <= a->nn.layers; l++)
        if (a->nn.size[l] != b->nn.size[l] ||
            (l && a->nn.sigma[l] != b->nn.sigma[l]))
            return 0;
    for (size_t i = 0; i < a->n_settings; i++)
        if (strcmp(a->setting[i].key, b->setting[i].key) != 0 ||
            strcmp(a->setting[i].value, b->setting[i].value) != 0)
            return 0;
    for (size_t j = 0; a->classes && j < a->nn.size[a->nn.layers]; j++)
        if (strcmp(a->classes[j], b->classes[j]) != 0)
            return 0;
    return same_reals(a->nn.p, b->nn.p, a->nn.params) &&
           same_reals(&a->nn.decay, &b->nn.decay, 1) &&
           same_reals(&a->offset, &b->offset, 1) &&
           same_reals(&a->scale, &b->scale, 1) &&
           same_state(a->state, b->state);
}

static int is_empty(const struct nn_model *m)
{
    static const struct nn_model empty;
    return memcmp(m, &empty, sizeof empty) == 0;
}

/* ------------------------------------------------------------- bytes */

struct bytes {
    uint8_t *b;
    size_t n;
};

static struct bytes packed(const struct nn_model *m)
{
    struct bytes f;
    struct nn_model_fault fault;
    enum nn_status status = nn_model_pack(m, &f.b, &f.n, &fault);
    cr_assert(status == NN_OK, "%s: %s", fault.what,
              nn_status_text(status));
    return f;
}

static struct bytes model_bytes(enum nn_dtype dtype, int state)
{
    struct nn_model m;
    make(&m, dtype, state, 1);
    struct bytes f = packed(&m);
    nn_model_free(&m);
    return f;
}

static size_t header_of(const uint8_t *b)
{
    return b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16;
}

/* CRC-32 bit by bit, the digits of the sum taken as eight zeros. */
static uint32_t slow_crc(const uint8_t *b, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= i >= 34 && i < 42 ? '0' : b[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    return ~crc;
}

static void mend_crc(struct bytes *f)
{
    char digits[9];
    if (f->n < 42 || f->b[33] != '"')
        return;
    snprintf(digits, sizeof digits, "%08" PRIx32, slow_crc(f->b, f->n));
    memcpy(f->b + 34, digits, 8);
}

/* F with OLD in its header, at its first place, become NEW; the length
   of the header and the sum are right. */
static struct bytes edited(const struct bytes *f, const char *old,
                           const char *new)
{
    size_t header = header_of(f->b), n = strlen(old), k = strlen(new);
    struct bytes g = {malloc(f->n + k), f->n + k - n};
    size_t at = 8;
    while (at + n <= 8 + header && memcmp(f->b + at, old, n) != 0)
        at++;
    cr_assert(at + n <= 8 + header, "no %s in the header", old);
    memcpy(g.b, f->b, at);
    memcpy(g.b + at, new, k);
    memcpy(g.b + at + k, f->b + at + n, f->n - at - n);
    header = header + k - n;
    for (int i = 0; i < 8; i++)
        g.b[i] = (uint8_t)(header >> 8 * i);
    mend_crc(&g);
    return g;
}

/* Parses a copy that ends where a sanitizer sees its end. */
static enum nn_status parse(const struct bytes *f, struct nn_model *m,
                            struct nn_model_fault *fault)
{
    uint8_t *copy = malloc(f->n ? f->n : 1), *from = copy + (f->n ? 0 : 1);
    memcpy(from, f->b, f->n);
    memset(m, 0x5a, sizeof *m);
    memset(fault, 0x5a, sizeof *fault);
    enum nn_status status = nn_model_parse(from, f->n, m, fault);
    free(copy);
    return status;
}

static enum nn_status fails(const struct bytes *f, struct nn_model_fault *fault)
{
    struct nn_model m;
    long held = check_memory.live;
    enum nn_status status = parse(f, &m, fault);
    cr_assert(status != NN_OK);
    cr_assert(is_empty(&m) && check_memory.live == held);
    return status;
}

TestSuite(model, .timeout = 60);

Test(model, to_the_bit)
{
    struct nn_model m, again;
    struct nn_model_fault fault;
    check_memory_wrapped();
    long held = check_memory.live;
    for (int dtype = 0; dtype < 2; dtype++)
        for (int state = 0; state < STATES; state++)
            for (uint64_t seed = 1; seed <= 20; seed++) {
                make(&m, (enum nn_dtype)dtype, state, seed);
                struct bytes f = packed(&m);
                cr_assert(parse(&f, &again, &fault) == NN_OK);
                cr_assert(same(&m, &again), "%d %d", dtype, state);
                struct bytes g = packed(&again);
                cr_assert(f.n == g.n && memcmp(f.b, g.b, f.n) == 0);
                cr_assert(again.crc == slow_crc(f.b, f.n));
                cr_assert(header_of(f.b) % 8 == 0);
                free(f.b);
                free(g.b);
                nn_model_free(&m);
                nn_model_free(&again);
                cr_assert(is_empty(&again));
            }
    cr_assert(check_memory.live == held);
}

Test(model, same_answers)
{
    struct nn_model m, again;
    struct nn_model_fault fault;
    struct nn_rng rng = nn_rng_seeded(7);
    double x[4] = {0.1, 0.2, 0.3, 0.4}, a[3];
    make(&m, NN_F64, 0, 1);
    nn_randomize(&m.nn, &rng);
    struct bytes f = packed(&m);
    cr_assert(parse(&f, &again, &fault) == NN_OK);
    memcpy(a, nn_forward(&m.nn, x), sizeof a);
    cr_assert(memcmp(a, nn_forward(&again.nn, x), sizeof a) == 0);
    nn_model_free(&again);
    nn_model_free(&m);
    free(f.b);
}

/* Numbers become the nearest float; what is too large for one is told. */
Test(model, rounded_to_float)
{
    struct nn_model m, again;
    struct nn_model_fault fault;
    make(&m, NN_F32, 0, 1);
    m.nn.p[1] = 0.1;
    struct bytes f = packed(&m);
    cr_assert(parse(&f, &again, &fault) == NN_OK);
    cr_assert(same_reals(&again.nn.p[1], &(double){(double)0.1f}, 1));
    nn_model_free(&again);
    free(f.b);
    m.nn.p[1] = 1e39;
    cr_assert(nn_model_pack(&m, &f.b, &f.n, &fault) == NN_NO_NUMBER);
    cr_assert(f.b == NULL && f.n == 0);
    cr_assert(strcmp(fault.what, "layer1.weight") == 0);
    nn_model_free(&m);
}

/* What the format says, letter by letter. */
Test(model, letters_by_hand)
{
    const size_t size[] = {1, 1};
    const enum nn_activation sigma[] = {NN_SIGMOID};
    static const char header[] =
        "{\"__metadata__\":{\"crc32\":\"????????\","
        "\"format\":\"four-loops 1\",\"layers\":\"1,1\","
        "\"activations\":\"sigmoid\",\"loss\":\"squared\","
        "\"decay\":\"0\",\"rows\":\"1\",\"cols\":\"1\","
        "\"offset\":\"0\",\"scale\":\"0.1\",\"dtype\":\"F64\","
        "\"engine\":\"plain\"},\"layer1.weight\":{\"dtype\":\"F64\","
        "\"shape\":[1,1],\"data_offsets\":[0,8]},\"layer1.bias\":"
        "{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[8,16]}}";
    static const uint8_t numbers[16] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f,
                                        0, 0, 0, 0, 0, 0, 0, 0xc0};
    struct nn_model m = {.rows = 1, .cols = 1, .scale = 0.1};
    cr_assert(nn_create(&m.nn, 1, size, sigma) == NN_OK);
    m.nn.p[0] = 1;
    m.nn.p[1] = -2;
    struct bytes f = packed(&m);
    size_t n = sizeof header - 1, whole = (n + 7) / 8 * 8;
    cr_assert(f.n == 8 + whole + 16 && header_of(f.b) == whole);
    for (size_t i = 3; i < 8; i++)
        cr_assert(f.b[i] == 0);
    for (size_t i = 0; i < whole; i++)
        cr_assert(f.b[8 + i] == (i < n ? header[i] : ' ') ||
                  header[i] == '?');
    cr_assert(memcmp(f.b + 8 + whole, numbers, 16) == 0);
    free(f.b);
    nn_model_free(&m);
}

/* -------------------------------------------------------- every defect */

Test(model, every_bit_flipped)
{
    for (int dtype = 0; dtype < 2; dtype++) {
        struct bytes f = model_bytes((enum nn_dtype)dtype, dtype ? 3 : 0);
        struct nn_model_fault fault;
        for (size_t bit = 0; bit < 8 * f.n; bit++) {
            f.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            fails(&f, &fault);
            f.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free(f.b);
    }
}

Test(model, every_byte_zero_or_another_digit)
{
    struct bytes f = model_bytes(NN_F64, 3);
    struct nn_model_fault fault;
    const uint8_t other[] = {0, 255, '0', '1', '9', 'a', '"', '{', ' '};
    for (size_t i = 0; i < f.n; i++) {
        uint8_t right = f.b[i];
        for (size_t k = 0; k < sizeof other; k++) {
            f.b[i] = other[k];
            if (other[k] != right)
                fails(&f, &fault);
        }
        f.b[i] = right;
    }
    free(f.b);
}

/* With a sum that fits, a wrong bit may make another good model: then
   it can be packed again. */
Test(model, every_bit_flipped_under_a_right_sum)
{
    struct bytes f = model_bytes(NN_F32, 2);
    struct nn_model_fault fault;
    struct nn_model m;
    long held = check_memory.live;
    size_t good = 0;
    for (size_t bit = 0; bit < 8 * f.n; bit++) {
        f.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        mend_crc(&f);
        if (parse(&f, &m, &fault) == NN_OK) {
            struct bytes g = packed(&m);
            free(g.b);
            nn_model_free(&m);
            good++;
        }
        cr_assert(check_memory.live == held);
        f.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(good > 500, "%zu", good); // the bits of numbers, at least
    free(f.b);
}

Test(model, every_truncation)
{
    for (int state = 0; state < STATES; state++) {
        struct bytes f = model_bytes(NN_F64, state), cut = f;
        struct nn_model_fault fault;
        for (cut.n = 0; cut.n < f.n; cut.n++) {
            cr_assert(fails(&cut, &fault) == NN_TRUNCATED);
            cr_assert(fault.offset == cut.n);
        }
        f.b = realloc(f.b, f.n + 9);
        memset(f.b + f.n, 0, 9);
        for (size_t more = 1; more <= 9; more++) {
            cut = (struct bytes){f.b, f.n + more};
            cr_assert(fails(&cut, &fault) == NN_TRAILING);
            cr_assert(fault.offset == f.n);
        }
        free(f.b);
    }
}

/* An edit of the header, under a right sum, and what is said of it.
   The fault stands where the name WHAT stands; at byte 8, if it does
   not stand there. */
static const struct defect {
    const char *old, *new;
    enum nn_status status;
    const char *what;
} defects[] = {
    {"\"layers\"", "\"layerz\"", NN_NO_KEY, "layers"},
    {"__metadata__", "__METADATA__", NN_NO_KEY, "__metadata__"},
    {"{\"__metadata__\"", " {\"__metadata__\"", NN_NO_CHECKSUM, ""},
    {"{\"crc32\"", "{\"x\":\"\",\"crc32\"", NN_NO_CHECKSUM, ""},
    {"\"crc32\"", "\"crc64\"", NN_NO_CHECKSUM, ""},
    {"\"format\":\"four-loops 1\"", "\"format\":\"four-loops 2\"",
     NN_BAD_VALUE, "format"},
    {"\"format\"", "\"Format\"", NN_NO_KEY, "format"},
    {"\"4,3,3\"", "433", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,3,3,\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,,3\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,0,3\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,03,3\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,-3,3\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4;3;3\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,3,18446744073709551616\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,3,18446744073709551619\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,3,18446744073709551623\"", NN_BAD_VALUE, "layers"},
    {"\"4,3,3\"", "\"4,3,18446744073709551615\"", NN_BAD_SIZE, "layers"},
    {"\"4,3,3\"", "\"4,4294967296,4294967296\"", NN_BAD_SIZE, "layers"},
    {"\"4,3,3\"", "\"4,3,4\"", NN_NO_KEY, "class.3"},
    {"\"4,3,3\"", "\"4,3,10000\"", NN_NO_KEY, "class"},
    {"\"4,3,3\"", "\"4,3,2\"", NN_EXTRA_KEY, "class.2"},
    {"\"4,3,3\"", "\"4,2,3\"", NN_BAD_SHAPE, "layer1.weight"},
    {"\"4,3,3\"", "\"6,3,3\"", NN_BAD_VALUE, "rows"},
    {"\"relu,identity\"", "\"relu\"", NN_BAD_VALUE, "activations"},
    {"\"relu,identity\"", "\"relu,identity,\"", NN_BAD_VALUE,
     "activations"},
    {"\"relu,identity\"", "\"relu,identity,relu\"", NN_BAD_VALUE,
     "activations"},
    {"\"relu,identity\"", "\"rely,identity\"", NN_BAD_VALUE, "activations"},
    {"\"relu,identity\"", "\"relu,identityidentity\"", NN_BAD_VALUE,
     "activations"},
    {"\"relu,identity\"", "\"relu,sigmoid\"", NN_BAD_VALUE, "activations"},
    {"\"activations\"", "\"activation\"", NN_NO_KEY, "activations"},
    {"\"cross-entropy\"", "\"cross\"", NN_BAD_VALUE, "loss"},
    {"\"loss\"", "\"lost\"", NN_NO_KEY, "loss"},
    {"\"decay\":\"", "\"decay\":\" ", NN_BAD_VALUE, "decay"},
    {"\"decay\":\"", "\"decay\":\"0", NN_BAD_VALUE, "decay"},
    {"\"scale\":\"255\"", "\"scale\":\"nan\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":\"inf\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":\"1e999\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":\"0\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":\"0xff\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":\"255.0\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":\"\"", NN_BAD_VALUE, "scale"},
    {"\"scale\":\"255\"", "\"scale\":255", NN_BAD_VALUE, "scale"},
    {"\"rows\":\"2\"", "\"rows\":\"0\"", NN_BAD_VALUE, "rows"},
    {"\"rows\":\"2\"", "\"rows\":\"3\"", NN_BAD_VALUE, "rows"},
    {"\"cols\":\"2\"", "\"cols\":\"1\"", NN_BAD_VALUE, "rows"},
    {"\"cols\":\"2\"", "\"cols\":\"2x\"", NN_BAD_VALUE, "cols"},
    {"\"dtype\":\"F64\",\"engine\"", "\"dtype\":\"F16\",\"engine\"",
     NN_BAD_VALUE, "dtype"},
    {"\"dtype\":\"F64\",\"engine\"", "\"dtype\":\"F32\",\"engine\"",
     NN_BAD_DTYPE, "layer1.weight"},
    {"\"plain\"", "\"plane\"", NN_BAD_VALUE, "engine"},
    {"\"class.0\":", "\"class.9\":", NN_EXTRA_KEY, "class.9"},
    {"\"class.1\":", "\"class.9\":", NN_NO_KEY, "class.1"},
    {"\"class.2\":\"three\"", "\"class.2\":3", NN_BAD_VALUE, "class.2"},
    {"\"run.rate\"", "\"fun.rate\"", NN_EXTRA_KEY, "fun.rate"},
    {"\"run.rate\":\"0.1\"", "\"run.rate\":0.1", NN_BAD_VALUE, "run.rate"},
    {"\"run.rate\"", "\"run.r te\"", NN_BAD_VALUE, "run.r te"},
    {"\"run.rate\"", "\"run.r\xc3\xa9te\"", NN_BAD_VALUE, "run.r\xc3\xa9te"},
    {"\"adam\"", "\"adams\"", NN_BAD_VALUE, "training.method"},
    {"\"adam\"", "\"momentum\"", NN_GAP, "training.order"},
    {"\"training.method\"", "\"training.methods\"", NN_EXTRA_KEY,
     "training.methods"},
    {"\"training.t\"", "\"training.u\"", NN_NO_KEY, "training.t"},
    {"\"training.epoch\":\"3\"", "\"training.epoch\":\"03\"", NN_BAD_VALUE,
     "training.epoch"},
    {"\"training.epoch\":\"3\"", "\"training.epoch\":\"-3\"", NN_BAD_VALUE,
     "training.epoch"},
    {"\"training.done\":\"2\"", "\"training.done\":\"6\"", NN_BAD_VALUE,
     "training.done"},
    {"\"training.samples\":\"5\"", "\"training.samples\":\"0\"",
     NN_BAD_VALUE, "training.samples"},
    {"\"training.samples\":\"5\"",
     "\"training.samples\":\"2305843009213693952\"", NN_BAD_VALUE,
     "training.samples"},
    {"\"training.samples\":\"5\"", "\"training.samples\":\"6\"",
     NN_BAD_SHAPE, "training.order"},
    {"\"training.samples\":\"5\"", "\"training.samples\":\"4\"",
     NN_BAD_SHAPE, "training.order"},
    {"\"layer1.weight\":", "\"layer3.weight\":", NN_NO_TENSOR,
     "layer1.weight"},
    {",\"training.order\":", ",\"x\":{},\"training.order\":",
     NN_EXTRA_TENSOR, "x"},
    {"\"layer1.weight\":{\"dtype\":\"F64\"", "\"layer1.weight\":{\"dtype\":64",
     NN_BAD_TENSOR, "layer1.weight"},
    {"\"layer1.weight\":{", "\"layer1.weight\":{\"x\":1,", NN_BAD_TENSOR,
     "layer1.weight"},
    {"\"layer1.weight\":{\"dtype\"", "\"layer1.weight\":{\"dtipe\"",
     NN_BAD_TENSOR, "layer1.weight"},
    {"\"layer1.weight\":{\"dtype\":\"F64\"",
     "\"layer1.weight\":{\"dtype\":\"I64\"", NN_BAD_DTYPE, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":12", NN_BAD_TENSOR, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":[4,3]", NN_BAD_SHAPE, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":[12]", NN_BAD_SHAPE, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":[3,4,1]", NN_BAD_SHAPE, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":[3,4.0]", NN_BAD_SHAPE, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":[3,-4]", NN_BAD_SHAPE, "layer1.weight"},
    {"\"shape\":[3,4]", "\"shape\":[3,\"4\"]", NN_BAD_SHAPE,
     "layer1.weight"},
    {"[0,96]", "96", NN_BAD_TENSOR, "layer1.weight"},
    {"[0,96]", "[0]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[0,96,96]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[0,95]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[0,104]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[96,0]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[-96,0]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[-104,-8]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[0.0,96]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[null,96]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[0,96.0]", NN_BAD_OFFSETS, "layer1.weight"},
    {"[0,96]", "[8,104]", NN_GAP, "layer1.weight"},
    {"[0,96]", "[9223372036854775711,9223372036854775807]", NN_GAP,
     "layer1.weight"},
    {"[96,120]", "[88,112]", NN_OVERLAP, "layer1.bias"},
    {"[96,120]", "[0,24]", NN_OVERLAP, "layer1.bias"},
    {"[96,120]", "[104,128]", NN_GAP, "layer1.bias"},
    {",\"run.rate\":", ",\"run.dir\":\"\",\"run.rate\":", NN_DUPLICATE, NULL},
    {"\"cols\":\"2\"", "\"cols\":\"2\",\"cols\":\"2\"", NN_DUPLICATE, NULL},
    {"\"layer1.bias\":", "\"layer1.weight\":", NN_DUPLICATE, NULL},
    {"\"dtype\":\"F64\",\"shape\"",
     "\"dtype\":\"F64\",\"dtype\":\"F64\",\"shape\"", NN_DUPLICATE, NULL},
    {"\"cols\":\"2\"", "\"cols\":\"\\u0000\"", NN_BAD_JSON, NULL},
    {"\"cols\":\"2\"", "\"cols\":\"\xff\"", NN_BAD_JSON, NULL},
    {"\"cols\":\"2\"", "\"cols\":\"2\",", NN_BAD_JSON, NULL},
    {"[0,96]", "[0,96", NN_BAD_JSON, NULL},
    {"[0,96]", "[00,96]", NN_BAD_JSON, NULL},
    {"[0,96]", "[0,9223372036854775808]", NN_BAD_JSON, NULL},
};

static size_t place_of(const struct bytes *f, const char *what)
{
    char quoted[160];
    int n = snprintf(quoted, sizeof quoted, "\"%s\":", what);
    for (size_t i = 8; i + (size_t)n <= 8 + header_of(f->b); i++)
        if (memcmp(f->b + i, quoted, (size_t)n) == 0)
            return i;
    return 8;
}

Test(model, defects_of_the_header)
{
    struct bytes f = model_bytes(NN_F64, 3);
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        const struct defect *d = &defects[i];
        struct bytes g = edited(&f, d->old, d->new);
        struct nn_model_fault fault;
        enum nn_status status = fails(&g, &fault);
        cr_assert(status == d->status, "%s: %s: %s", d->new, fault.what,
                  nn_status_text(status));
        if (d->what) {
            cr_assert(strcmp(fault.what, d->what) == 0, "%s: %s", d->new,
                      fault.what);
            cr_assert(fault.offset == place_of(&g, d->what), "%s: %zu",
                      d->new, fault.offset);
        } else {
            cr_assert(fault.offset > 8 &&
                      fault.offset <= 8 + header_of(g.b));
        }
        free(g.b);
    }
    free(f.b);
}

/* Room is made for nothing that the file does not hold. */
Test(model, sizes_that_only_promise)
{
    struct bytes f = model_bytes(NN_F64, 0), g, h;
    struct nn_model_fault fault;
    g = edited(&f, "\"4,3,3\"", "\"4,1000000000,3\"");
    h = edited(&g, "[3,4]", "[1000000000,4]");
    free(g.b);
    g = edited(&h, "[0,96]", "[0,32000000000]");
    cr_assert(fails(&g, &fault) == NN_TRUNCATED && fault.offset == g.n);
    free(g.b);
    free(h.b);
    free(f.b);
}

Test(model, lengths_of_the_header)
{
    struct bytes f = model_bytes(NN_F64, 0);
    struct nn_model_fault fault;
    uint8_t right[8];
    memcpy(right, f.b, 8);
    for (size_t i = 2; i < 8; i++)
        for (int v = 1; v < 256; v++) {
            memcpy(f.b, right, 8);
            f.b[i] = (uint8_t)v;
            int fits = i == 2 && v < 16;
            cr_assert(fails(&f, &fault) ==
                      (fits ? NN_TRUNCATED : NN_BAD_HEADER));
            cr_assert(fault.offset == (fits ? f.n : 0));
        }
    memset(f.b, 0, 8);
    cr_assert(fails(&f, &fault) == NN_BAD_JSON);
    memcpy(f.b, right, 8);
    f.b[8] = '[';
    cr_assert(fails(&f, &fault) == NN_BAD_JSON);
    free(f.b);
    f = (struct bytes){(uint8_t[]){2, 0, 0, 0, 0, 0, 0, 0, '[', ']'}, 10};
    cr_assert(fails(&f, &fault) == NN_NO_KEY);
    f.b[8] = '{', f.b[9] = '}';
    cr_assert(fails(&f, &fault) == NN_NO_KEY);
    cr_assert(strcmp(fault.what, "__metadata__") == 0);
}

/* Brackets a million deep do not exhaust the stack. */
Test(model, deep_header)
{
    enum { DEEP = 1 << 20 };
    struct bytes f = {malloc(8 + DEEP), 8 + DEEP};
    struct nn_model_fault fault;
    memset(f.b, 0, 8);
    f.b[2] = DEEP >> 16;
    memset(f.b + 8, '[', DEEP);
    cr_assert(fails(&f, &fault) == NN_BAD_JSON);
    free(f.b);
}

/* The sum is of the very digits that it has, and of nothing else. */
Test(model, checksum)
{
    struct bytes f = model_bytes(NN_F64, 0), g;
    struct nn_model_fault fault;
    f.b[f.n - 1] ^= 1;
    cr_assert(fails(&f, &fault) == NN_BAD_CHECKSUM && fault.offset == 34);
    cr_assert(fault.what[0] == '\0');
    f.b[f.n - 1] ^= 1;
    for (size_t i = 34; i < 42; i++) {
        uint8_t right = f.b[i];
        for (int v = 'A'; v <= 'f'; v++)
            if (v != right && v != '\\') {
                f.b[i] = (uint8_t)v;
                cr_assert(fails(&f, &fault) == NN_BAD_CHECKSUM);
            }
        f.b[i] = right;
    }
    g = edited(&f, "\",\"format\"", " \",\"format\"");
    cr_assert(fails(&g, &fault) == NN_BAD_CHECKSUM);
    free(g.b);
    free(f.b);
}

static void put_double(uint8_t *at, double d)
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(bits >> 8 * i);
}

Test(model, numbers_that_are_none)
{
    struct bytes f = model_bytes(NN_F64, 3);
    const double none[] = {CHECK_NAN, CHECK_INFINITY, -CHECK_INFINITY};
    const char *const tensor[] = {"layer1.weight", "layer1.bias",
                                  "layer2.weight", "layer2.bias"};
    const size_t end[] = {12, 15, 24, 27};
    struct nn_model_fault fault;
    size_t data = 8 + header_of(f.b);
    for (size_t i = 0; i < 3 * 27; i++) {
        uint8_t right[8], *at = f.b + data + 8 * i;
        char name[64];
        size_t t = 0;
        while (i % 27 >= end[t])
            t++;
        snprintf(name, sizeof name, "%s%s",
                 i < 27 ? "" : i < 54 ? "optimizer.v." : "optimizer.s.",
                 tensor[t]);
        memcpy(right, at, 8);
        put_double(at, none[i % 3]);
        mend_crc(&f);
        cr_assert(fails(&f, &fault) == NN_NO_NUMBER);
        cr_assert(strcmp(fault.what, name) == 0, "%s", fault.what);
        cr_assert(fault.offset == data + 8 * i);
        memcpy(at, right, 8);
    }
    free(f.b);
}

Test(model, orders_that_are_none)
{
    struct bytes f = model_bytes(NN_F64, 1);
    struct nn_model_fault fault;
    uint8_t *order = f.b + f.n - 40, right;
    for (size_t i = 0; i < 5; i++)
        for (int v = 0; v < 256; v++) {
            right = order[8 * i];
            if (v == right)
                continue;
            order[8 * i] = (uint8_t)v;
            mend_crc(&f);
            cr_assert(fails(&f, &fault) == NN_BAD_ORDER);
            size_t at = i; // the second of two that are the same
            for (size_t k = i + 1; v < 5 && k < 5; k++)
                if (order[8 * k] == v)
                    at = k;
            cr_assert(fault.offset == f.n - 40 + 8 * at, "%zu", at);
            cr_assert(strcmp(fault.what, "training.order") == 0);
            order[8 * i] = right;
        }
    order[7] = 0x80; // -2^63 and something
    mend_crc(&f);
    cr_assert(fails(&f, &fault) == NN_BAD_ORDER);
    free(f.b);
}

/* ------------------------------------------- models that are not packed */

static void expect_no_pack(struct nn_model *m, enum nn_status want,
                           const char *what)
{
    struct bytes f = {(uint8_t *)m, 1};
    struct nn_model_fault fault;
    long held = check_memory.live;
    enum nn_status status = nn_model_pack(m, &f.b, &f.n, &fault);
    cr_assert(status == want, "%s", nn_status_text(status));
    cr_assert(f.b == NULL && f.n == 0 && check_memory.live == held);
    cr_assert(strcmp(fault.what, what) == 0, "%s", fault.what);
}

Test(model, nothing_is_packed_that_could_not_be_parsed)
{
    struct nn_model m;
    make(&m, NN_F64, 3, 1);
    m.scale = 0;
    expect_no_pack(&m, NN_BAD_VALUE, "scale");
    m.scale = CHECK_NAN;
    expect_no_pack(&m, NN_BAD_VALUE, "scale");
    m.scale = 1;
    m.rows = 3;
    expect_no_pack(&m, NN_BAD_VALUE, "rows");
    m.rows = 2;
    m.nn.loss = (enum nn_loss)7;
    expect_no_pack(&m, NN_BAD_VALUE, "loss");
    m.nn.loss = NN_CROSS_ENTROPY;
    m.nn.sigma[1] = (enum nn_activation)4;
    expect_no_pack(&m, NN_BAD_VALUE, "activations");
    m.nn.sigma[1] = NN_TANH;
    m.nn.p[0] = CHECK_NAN;
    expect_no_pack(&m, NN_NO_NUMBER, "layer1.weight");
    m.nn.p[0] = 0;
    m.state->order[0] = 5;
    expect_no_pack(&m, NN_BAD_ORDER, "training.order");
    m.state->order[0] = m.state->order[1];
    expect_no_pack(&m, NN_BAD_ORDER, "training.order");
    nn_model_free(&m);
}

Test(model, text_that_is_none)
{
    struct nn_model m;
    make(&m, NN_F64, 0, 1);
    m.classes[0][0] = '\xff';
    expect_no_pack(&m, NN_BAD_VALUE, "");
    m.classes[0][0] = 'x';
    cr_assert(nn_model_set(&m, "rate", "\xc0\x80") == NN_OK);
    expect_no_pack(&m, NN_BAD_VALUE, "");
    cr_assert(nn_model_set(&m, "rate", "0") == NN_OK);
    m.setting[0].key[0] = ' ';
    expect_no_pack(&m, NN_BAD_VALUE, "");
    m.setting[0].key[0] = '\xe9';
    expect_no_pack(&m, NN_BAD_VALUE, "");
    memcpy(m.setting[0].key, "rate", 5);
    struct nn_setting saved = m.setting[1];
    m.setting[1] = m.setting[0];
    expect_no_pack(&m, NN_DUPLICATE, "");
    m.setting[1] = saved;
    char longer[102] = "";
    memset(longer, 'k', 101);
    cr_assert(nn_model_set(&m, longer, "") == NN_OK);
    expect_no_pack(&m, NN_BAD_VALUE, "");
    m.setting[m.n_settings - 1].key[100] = '\0';
    struct bytes f = packed(&m), g;
    struct nn_model_fault fault;
    g = edited(&f, "run.kk", "run.kkk");
    cr_assert(fails(&g, &fault) == NN_BAD_VALUE);
    cr_assert(strncmp(fault.what, "run.kkk", 7) == 0);
    free(g.b);
    free(f.b);
    nn_model_free(&m);
}

Test(model, more_layers_or_text_than_a_header_holds)
{
    enum { L = 1001 };
    size_t size[L + 1];
    enum nn_activation sigma[L];
    struct nn_model m = {.rows = 1, .cols = 1, .scale = 1}, again;
    struct nn_model_fault fault;
    for (int l = 0; l <= L; l++)
        size[l] = 1;
    for (int l = 0; l < L; l++)
        sigma[l] = NN_TANH;
    cr_assert(nn_create(&m.nn, L, size, sigma) == NN_OK);
    expect_no_pack(&m, NN_BAD_VALUE, "layers");
    nn_destroy(&m.nn);
    cr_assert(nn_create(&m.nn, L - 1, size, sigma) == NN_OK);
    struct bytes f = packed(&m);
    cr_assert(parse(&f, &again, &fault) == NN_OK && same(&m, &again));
    nn_model_free(&again);
    free(f.b);
    char *text = malloc((1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    text[1 << 20] = '\0';
    cr_assert(nn_model_set(&m, "x", text) == NN_OK);
    expect_no_pack(&m, NN_TOO_BIG, "");
    free(text);
    nn_model_free(&m);
}

Test(model, a_file_too_large_to_be_loaded_is_not_made)
{
    struct nn_model m;
    make(&m, NN_F64, 0, 5);
    // of this net only the sizes are looked at, not the numbers
    const size_t before = m.nn.size[0], after = m.nn.size[1];
    m.nn.size[0] = 1 << 13;
    m.nn.size[1] = 1 << 14;
    cr_assert(m.nn.size[0] * m.nn.size[1] * sizeof *m.nn.p >= NN_MODEL_MOST);
    expect_no_pack(&m, NN_TOO_BIG, "");
    m.nn.size[0] = before;
    m.nn.size[1] = after;
    nn_model_free(&m);
}

Test(model, a_key_needs_no_escapes_in_json)
{
    struct nn_model m;
    for (const char *c = "\"\\ \n\x7f"; *c; c++) {
        const char key[] = {'a', *c, 'b', '\0'};
        make(&m, NN_F64, 0, 5);
        cr_assert(nn_model_set(&m, key, "x") == NN_OK);
        expect_no_pack(&m, NN_BAD_VALUE, "");
        nn_model_free(&m);
    }
}

/* -------------------------------------------------- settings and words */

Test(model, settings)
{
    struct nn_model m = {0};
    long held = check_memory.live;
    cr_assert(nn_model_get(&m, "a") == NULL);
    cr_assert(nn_model_set(&m, "a", "1") == NN_OK);
    cr_assert(nn_model_set(&m, "b", "2") == NN_OK);
    cr_assert(nn_model_set(&m, "a", "three") == NN_OK);
    cr_assert(m.n_settings == 2);
    cr_assert(strcmp(m.setting[0].key, "a") == 0);
    cr_assert(strcmp(nn_model_get(&m, "a"), "three") == 0);
    cr_assert(strcmp(nn_model_get(&m, "b"), "2") == 0);
    nn_model_free(&m);
    cr_assert(check_memory.live == held);
}

Test(model, words)
{
    cr_assert(nn_word_value(NN_ACTIVATIONS, "identity") == NN_IDENTITY);
    cr_assert(nn_word_value(NN_ACTIVATIONS, "sigmoid") == NN_SIGMOID);
    cr_assert(nn_word_value(NN_ACTIVATIONS, "tanh") == NN_TANH);
    cr_assert(nn_word_value(NN_ACTIVATIONS, "relu") == NN_RELU);
    cr_assert(nn_word_value(NN_LOSSES, "squared") == NN_SQUARED);
    cr_assert(nn_word_value(NN_LOSSES, "cross-entropy") ==
              NN_CROSS_ENTROPY);
    cr_assert(nn_word_value(NN_METHODS, "descent") == NN_DESCENT);
    cr_assert(nn_word_value(NN_METHODS, "momentum") == NN_MOMENTUM);
    cr_assert(nn_word_value(NN_METHODS, "adam") == NN_ADAM);
    cr_assert(nn_word_value(NN_DTYPES, "F64") == NN_F64);
    cr_assert(nn_word_value(NN_DTYPES, "F32") == NN_F32);
    cr_assert(nn_word_value(NN_ENGINES, "plain") == NN_ENGINE_PLAIN);
    cr_assert(nn_word_value(NN_ENGINES, "fast") == NN_ENGINE_FAST);
    cr_assert(nn_word_value(NN_ENGINES, "Fast") == -1);
    cr_assert(nn_word_value(NN_ENGINES, "") == -1);
    cr_assert(strcmp(nn_word(NN_ACTIVATIONS, NN_RELU), "relu") == 0);
    cr_assert(!nn_word(NN_ACTIVATIONS, 4) && !nn_word(NN_LOSSES, 2) &&
              !nn_word(NN_METHODS, -1) && !nn_word(NN_ENGINES, 1000));
}

Test(model, explanations)
{
    struct nn_model_fault fault = {"m.safetensors", 40, "layer1.bias"};
    char text[NN_MODEL_TEXT];
    nn_model_explain(NN_GAP, &fault, text);
    cr_assert(strcmp(text, "m.safetensors: byte 40: layer1.bias: begins "
                           "behind the end of the tensor before it") == 0);
    fault.offset = 0;
    fault.what[0] = '\0';
    nn_model_explain(NN_NO_FILE, &fault, text);
    cr_assert(strcmp(text, "m.safetensors: no such file") == 0);
    memset(fault.path, 'x', sizeof fault.path - 1);
    memset(fault.what, 'x', sizeof fault.what - 1);
    fault.path[sizeof fault.path - 1] = '\0';
    fault.what[sizeof fault.what - 1] = '\0';
    fault.offset = SIZE_MAX;
    nn_model_explain(NN_GAP, &fault, text);
    cr_assert(strstr(text, nn_status_text(NN_GAP)) != NULL);
}

/* -------------------------------------------------- memory that runs out */

struct refused {
    struct nn_model model, made;
    struct nn_model_fault fault;
    struct bytes file, f;
};

static enum nn_status parse_again(void *job)
{
    struct refused *r = job;
    memset(&r->made, 0x5a, sizeof r->made);
    return nn_model_parse(r->file.b, r->file.n, &r->made, &r->fault);
}

static void look_at_model(void *job, enum nn_status status)
{
    struct refused *r = job;
    if (status == NN_OK) {
        cr_assert(same(&r->made, &r->model));
        nn_model_free(&r->made);
    }
    cr_assert(is_empty(&r->made));
    cr_assert(!r->fault.what[0]);
}

static enum nn_status pack_again(void *job)
{
    struct refused *r = job;
    r->f = r->file;
    return nn_model_pack(&r->model, &r->f.b, &r->f.n, &r->fault);
}

static void look_at_bytes(void *job, enum nn_status status)
{
    struct refused *r = job;
    if (status == NN_OK)
        cr_assert(r->f.n == r->file.n && memcmp(r->f.b, r->file.b, r->f.n) == 0);
    else
        cr_assert(!r->f.b && !r->f.n);
    free(r->f.b);
}

Test(model, memory_runs_out)
{
    static struct refused r;
    make(&r.model, NN_F64, 3, 1);
    r.file = packed(&r.model);
    cr_assert(check_refusals(parse_again, look_at_model, &r) > 300);
    cr_assert(check_refusals(pack_again, look_at_bytes, &r) > 600);
    nn_model_free(&r.model);
    free(r.file.b);
}

/* A setting of which the model has two more, and one that is new. */
static enum nn_status set_old(void *m)
{
    return nn_model_set(m, "a", "5");
}

static void look_at_old(void *m, enum nn_status status)
{
    const char *value = nn_model_get(m, "a");
    cr_assert(strcmp(value, status == NN_OK ? "5" : "three") == 0);
    cr_assert(nn_model_set(m, "a", "three") == NN_OK);
}

static enum nn_status set_new(void *m)
{
    return nn_model_set(m, "c", "4");
}

static void look_at_new(void *job, enum nn_status status)
{
    struct nn_model *m = job;
    const char *value = nn_model_get(m, "c");
    if (status == NN_OK) {
        cr_assert(m->n_settings == 3 && strcmp(value, "4") == 0);
        free(m->setting[2].key);
        free(m->setting[2].value);
        m->n_settings--;
    }
    cr_assert(m->n_settings == 2 && !nn_model_get(m, "c"));
    cr_assert(strcmp(nn_model_get(m, "a"), "three") == 0);
}

Test(model, memory_for_settings_runs_out)
{
    struct nn_model m = {0};
    cr_assert(nn_model_set(&m, "a", "three") == NN_OK);
    cr_assert(nn_model_set(&m, "b", "2") == NN_OK);
    cr_assert(check_refusals(set_old, look_at_old, &m) == 1);
    cr_assert(check_refusals(set_new, look_at_new, &m) == 3);
    nn_model_free(&m);
}

/* -------------------------------------------------------------- files */

static char folder[] = "build/model-XXXXXX";

static void enter(void)
{
    cr_assert(mkdtemp(folder) != NULL, "run from the checkout's root");
    cr_assert(chmod(folder, 0755) == 0);
}

/* How many entries the folder has; with REMOVE, it goes with them. */
static size_t entries(int all_go)
{
    DIR *dir = opendir(folder);
    size_t n = 0;
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        if (all_go)
            remove(path);
    }
    if (dir)
        closedir(dir);
    if (all_go)
        rmdir(folder);
    return n;
}

static void leave(void)
{
    entries(1);
}

TestSuite(save, .timeout = 60, .init = enter, .fini = leave);

static const char *in_folder(const char *name)
{
    static char path[2][512];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void expect_saved(const struct nn_model *m, const char *path)
{
    struct nn_model_fault fault;
    enum nn_status status = nn_model_save(m, path, &fault);
    cr_assert(status == NN_OK, "%s: %s", fault.what,
              nn_status_text(status));
    cr_assert(strcmp(fault.path, path) == 0);
}

/* 0: what is at PATH is A; 1: it is B; else neither. */
static int which(const char *path, const struct nn_model *a,
                 const struct nn_model *b)
{
    struct nn_model found;
    struct nn_model_fault fault;
    enum nn_status status = nn_model_load(&found, path, &fault);
    cr_assert(status == NN_OK, "%s: %s", fault.what,
              nn_status_text(status));
    int answer = same(&found, a) ? 0 : same(&found, b) ? 1 : 2;
    nn_model_free(&found);
    return answer;
}

Test(save, to_the_bit)
{
    struct nn_model m;
    for (int dtype = 0; dtype < 2; dtype++)
        for (int state = 0; state < STATES; state++) {
            make(&m, (enum nn_dtype)dtype, state, 5);
            expect_saved(&m, in_folder("m.safetensors"));
            cr_assert(which(in_folder("m.safetensors"), &m, &m) == 0);
            cr_assert(entries(0) == 1);
            nn_model_free(&m);
        }
    struct stat about;
    mode_t mask = umask(0);
    umask(mask);
    cr_assert(stat(in_folder("m.safetensors"), &about) == 0);
    cr_assert((about.st_mode & 0777) == (0666 & ~mask));
}

/* A packed file is unpacked, as nn_file_read does. */
Test(save, load_from_gzip)
{
    struct nn_model m;
    make(&m, NN_F64, 2, 1);
    struct bytes f = packed(&m);
    gzFile file = gzopen(in_folder("m.gz"), "wb");
    cr_assert(file && gzwrite(file, f.b, (unsigned)f.n) == (int)f.n);
    cr_assert(gzclose(file) == Z_OK);
    cr_assert(which(in_folder("m.gz"), &m, &m) == 0);
    nn_model_free(&m);
    free(f.b);
}

Test(save, load_of_nothing)
{
    struct nn_model m;
    struct nn_model_fault fault;
    cr_assert(nn_model_load(&m, in_folder("none"), &fault) == NN_NO_FILE);
    cr_assert(strcmp(fault.path, in_folder("none")) == 0);
    cr_assert(is_empty(&m) && fault.offset == 0);
    cr_assert(nn_model_load(&m, folder, &fault) == NN_NO_READ);
    int file = open(in_folder("empty"), O_WRONLY | O_CREAT, 0644);
    cr_assert(file >= 0 && close(file) == 0);
    cr_assert(nn_model_load(&m, in_folder("empty"), &fault) ==
              NN_TRUNCATED);
    cr_assert(fault.offset == 0 && is_empty(&m));
}

static void expect_no_save(const struct nn_model *m, const char *path,
                           const char *what)
{
    struct nn_model_fault fault;
    long held = check_memory.live;
    enum nn_status status = nn_model_save(m, path, &fault);
    cr_assert(status == NN_NO_WRITE, "%s", nn_status_text(status));
    cr_assert(strcmp(fault.what, what) == 0, "%s", fault.what);
    cr_assert(strcmp(fault.path, path) == 0 && fault.offset == 0);
    cr_assert(check_memory.live == held);
}

Test(save, names_that_cannot_be_written)
{
    struct nn_model m;
    make(&m, NN_F64, 0, 1);
    expect_no_save(&m, in_folder("none/m"),
                   "open: No such file or directory");
    expect_no_save(&m, folder, "open: Is a directory");
    expect_no_save(&m, "", "rename: No such file or directory");
    cr_assert(mkfifo(in_folder("pipe"), 0644) == 0);
    expect_no_save(&m, in_folder("pipe"), "open: Invalid argument");
    cr_assert(symlink("/dev/full", in_folder("full")) == 0);
    expect_no_save(&m, in_folder("full"), "open: Invalid argument");
    cr_assert(entries(0) == 2);
    nn_model_free(&m);
}

Test(save, replaces_a_link)
{
    struct nn_model m;
    struct stat about;
    make(&m, NN_F64, 0, 1);
    cr_assert(symlink("nowhere", in_folder("m")) == 0);
    expect_saved(&m, in_folder("m"));
    cr_assert(lstat(in_folder("m"), &about) == 0 &&
              S_ISREG(about.st_mode) && entries(0) == 1);
    nn_model_free(&m);
}

/* What a process of our number has left behind is in nobody's way. */
Test(save, a_leftover_is_removed)
{
    struct nn_model m;
    char name[64];
    make(&m, NN_F64, 0, 1);
    snprintf(name, sizeof name, "m.%ld.new", (long)getpid());
    int file = open(in_folder(name), O_WRONLY | O_CREAT, 0400);
    cr_assert(file >= 0 && write(file, "x", 1) == 1 && close(file) == 0);
    expect_saved(&m, in_folder("m"));
    cr_assert(which(in_folder("m"), &m, &m) == 0 && entries(0) == 1);
    file = open(in_folder(name), O_WRONLY | O_CREAT, 0600);
    cr_assert(file >= 0 && close(file) == 0);
    calls.at = calls.made + 1;
    calls.why = EACCES;
    expect_no_save(&m, in_folder("m"), "open: File exists");
    cr_assert(calls.kind == CALL_UNLINK);
    calls.at = 0;
    cr_assert(which(in_folder("m"), &m, &m) == 0);
    nn_model_free(&m);
}

Test(save, in_the_folder_where_we_are)
{
    struct nn_model m;
    make(&m, NN_F64, 0, 1);
    cr_assert(chdir(folder) == 0);
    expect_saved(&m, "m");
    cr_assert(which("m", &m, &m) == 0);
    cr_assert(chdir("../..") == 0);
    cr_assert(entries(0) == 1);
    nn_model_free(&m);
}

/* What has been read is not trusted where the file cannot be closed. */
Test(save, file_that_cannot_be_closed)
{
    struct nn_model m;
    uint8_t *bytes;
    size_t length;
    make(&m, NN_F64, 0, 1);
    expect_saved(&m, in_folder("m"));
    calls.at = calls.made + 2; // zlib's own open comes first
    calls.why = EIO;
    cr_assert(nn_file_read(in_folder("m"), 1 << 20, &bytes, &length) == NN_NO_READ);
    cr_assert(calls.kind == CALL_CLOSE && !bytes && length > 0);
    nn_model_free(&m);
}

/* A write may take a part, or be interrupted. */
Test(save, short_writes)
{
    struct nn_model m;
    make(&m, NN_F64, 3, 1);
    calls.most = 100;
    expect_saved(&m, in_folder("m"));
    cr_assert(which(in_folder("m"), &m, &m) == 0);
    for (long nth = 3; nth < 10; nth++) {
        calls.at = calls.made + nth;
        calls.why = EINTR;
        expect_saved(&m, in_folder("m"));
        cr_assert(calls.kind == CALL_WRITE && calls.made >= calls.at);
        calls.at = 0;
        cr_assert(which(in_folder("m"), &m, &m) == 0);
    }
    nn_model_free(&m);
}

static long calls_of_a_save(const struct nn_model *m)
{
    expect_saved(m, in_folder("m")); // jansson opens /dev/urandom, once
    calls.made = calls.at = 0;
    expect_saved(m, in_folder("m"));
    long n = calls.made;
    const int want[] = {CALL_UNLINK, CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_CLOSE,
                        CALL_RENAME, CALL_OPEN, CALL_SYNC, CALL_CLOSE};
    cr_assert(n == 9, "%ld; link with --wrap=open,write,...", n);
    for (long i = 0; i < n; i++)
        cr_assert(calls.kinds[i] == want[i], "%ld", i);
    return n;
}

/* Each call fails in turn: the old model is still there, and nothing
   beside it, unless only the folder was not synced. */
Test(save, each_call_fails)
{
    static const char *const what[] = {
        "", "open", "write", "sync", "close", "rename", "sync the folder",
        "sync the folder", "sync the folder"};
    struct nn_model a, b;
    make(&a, NN_F64, 3, 1);
    make(&b, NN_F32, 2, 2);
    long n = calls_of_a_save(&a);
    for (long nth = 1; nth <= n; nth++) {
        char said[80];
        calls.at = 0;
        expect_saved(&a, in_folder("m"));
        calls.at = calls.made + nth;
        calls.why = ENOSPC;
        snprintf(said, sizeof said, "%s: No space left on device",
                 what[nth - 1]);
        if (nth == 1) // nothing was there to be removed
            expect_saved(&b, in_folder("m"));
        else
            expect_no_save(&b, in_folder("m"), said);
        cr_assert(calls.made >= calls.at);
        calls.at = 0;
        cr_assert(which(in_folder("m"), &a, &b) ==
                  (nth == 1 || nth > 6), "%ld", nth);
        cr_assert(entries(0) == 1, "%ld", nth);
    }
    nn_model_free(&a);
    nn_model_free(&b);
}

/* What failed first is told. */
Test(save, write_and_close_fail)
{
    struct nn_model a;
    make(&a, NN_F64, 0, 1);
    calls_of_a_save(&a);
    calls.why = ENOSPC;
    calls.at = calls.made + 3;
    calls.too = calls.made + 4;
    expect_no_save(&a, in_folder("m"), "write: No space left on device");
    cr_assert(calls.kind == CALL_CLOSE);
    calls.at = calls.too = 0;
    cr_assert(which(in_folder("m"), &a, &a) == 0 && entries(0) == 1);
    nn_model_free(&a);
}

/* A folder that has no sync of its own is content without. */
Test(save, folder_without_sync)
{
    struct nn_model a;
    make(&a, NN_F64, 0, 1);
    long n = calls_of_a_save(&a);
    calls.at = calls.made + n - 1;
    calls.why = EINVAL;
    expect_saved(&a, in_folder("m"));
    cr_assert(calls.kind == CALL_SYNC);
    nn_model_free(&a);
}

/* In another process: saves B, and is killed at call NTH. */
static int killed_at(const struct nn_model *b, long nth, int behind)
{
    pid_t child = fork();
    int status = 0;
    cr_assert(child >= 0);
    if (child == 0) {
        struct nn_model_fault fault;
        calls.at = calls.made + nth;
        calls.why = 0;
        calls.behind = behind;
        nn_model_save(b, in_folder("m"), &fault);
        _exit(0);
    }
    cr_assert(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

Test(save, killed_at_each_call)
{
    struct nn_model a, b;
    make(&a, NN_F64, 3, 1);
    make(&b, NN_F32, 2, 2);
    long n = calls_of_a_save(&a), renames = 6;
    for (long nth = 1; nth <= n + 1; nth++)
        for (int behind = 0; behind < 2; behind++) {
            expect_saved(&a, in_folder("m"));
            cr_assert(killed_at(&b, nth, behind) == (nth <= n));
            int now = nth + behind > renames;
            cr_assert(which(in_folder("m"), &a, &b) == now, "%ld", nth);
        }
    nn_model_free(&a);
    nn_model_free(&b);
}

/* In another process: saves A and B by turns, until it is killed. A slow
   machine gets more time, until it has saved B as well. */
static pid_t saving(const struct nn_model *a, const struct nn_model *b)
{
    pid_t child = fork();
    if (child == 0) {
        struct nn_model_fault fault;
        for (;;) {
            nn_model_save(b, in_folder("m"), &fault);
            nn_model_save(a, in_folder("m"), &fault);
        }
    }
    return child;
}

Test(save, killed_at_random)
{
    struct nn_model a, b;
    struct nn_rng rng = nn_rng_seeded(3);
    int seen[3] = {0};
    make(&a, NN_F64, 3, 1);
    make(&b, NN_F32, 2, 2);
    expect_saved(&a, in_folder("m"));
    for (uint64_t i = 0; i < 100 || !seen[0] || !seen[1]; i++) {
        int status;
        pid_t child = saving(&a, &b);
        cr_assert(child > 0);
        usleep((useconds_t)nn_rng_below(&rng, 8000 + 100 * i));
        cr_assert(kill(child, SIGKILL) == 0);
        cr_assert(waitpid(child, &status, 0) == child &&
                  WIFSIGNALED(status));
        int now = which(in_folder("m"), &a, &b);
        cr_assert(now < 2);
        seen[now]++;
    }
    nn_model_free(&a);
    nn_model_free(&b);
}

/* In another process, which may say what it is by RUN: the status of a
   save of B, or 99 when it was killed. Its complaint goes to *fault. */
static int saved_by(void (*run)(void), const struct nn_model *b,
                    const char *path, struct nn_model_fault *fault)
{
    int ends[2], status;
    cr_assert(pipe(ends) == 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        run();
        enum nn_status answer = nn_model_save(b, path, fault);
        size_t n = write(ends[1], fault, sizeof *fault) < 0;
        _exit(n ? 98 : (int)answer);
    }
    close(ends[1]);
    char *to = (char *)fault;
    ssize_t n;
    for (size_t got = 0; got < sizeof *fault; got += (size_t)n)
        if ((n = read(ends[0], to + got, sizeof *fault - got)) <= 0)
            break;
    close(ends[0]);
    cr_assert(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void room_for_100_bytes(void)
{
    struct rlimit limit = {100, 100};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(97);
}

static void room_for_100_bytes_or_death(void)
{
    room_for_100_bytes();
    signal(SIGXFSZ, SIG_DFL);
}

Test(save, no_space)
{
    struct nn_model a, b;
    static struct nn_model_fault fault;
    make(&a, NN_F64, 0, 1);
    make(&b, NN_F64, 0, 2);
    expect_saved(&a, in_folder("m"));
    cr_assert(saved_by(room_for_100_bytes, &b, in_folder("m"), &fault) ==
              NN_NO_WRITE);
    cr_assert(strcmp(fault.what, "write: File too large") == 0, "%s",
              fault.what);
    cr_assert(which(in_folder("m"), &a, &b) == 0 && entries(0) == 1);
    cr_assert(saved_by(room_for_100_bytes_or_death, &b, in_folder("m"),
                       &fault) == 99);
    cr_assert(which(in_folder("m"), &a, &b) == 0);
    nn_model_free(&a);
    nn_model_free(&b);
}

/* Root writes everywhere, so a test run by root becomes nobody first;
   the path is then relative to the folder, since those above may be
   shut. */
static void as_nobody_in_the_folder(void)
{
    if (chdir(folder) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        _exit(96);
}

Test(save, folder_that_is_read_only)
{
    struct nn_model a, b;
    static struct nn_model_fault fault;
    make(&a, NN_F64, 0, 1);
    make(&b, NN_F64, 0, 2);
    expect_saved(&a, in_folder("m"));
    cr_assert(chmod(folder, 0555) == 0);
    int answer = saved_by(as_nobody_in_the_folder, &b, "m", &fault);
    cr_assert(chmod(folder, 0755) == 0);
    if (answer == 96) {
        fputs("skipped: read-only folder: root cannot become nobody\n",
              stderr);
        return;
    }
    cr_assert(answer == NN_NO_WRITE, "%d", answer);
    cr_assert(strcmp(fault.what, "open: Permission denied") == 0, "%s",
              fault.what);
    cr_assert(which(in_folder("m"), &a, &b) == 0 && entries(0) == 1);
    cr_assert(chmod(folder, 0777) == 0);
    cr_assert(saved_by(as_nobody_in_the_folder, &b, "m", &fault) == NN_OK);
    cr_assert(which(in_folder("m"), &a, &b) == 1 && entries(0) == 1);
    nn_model_free(&a);
    nn_model_free(&b);
}

/* A model that cannot be packed leaves the old one. */
Test(save, a_model_with_a_fault)
{
    struct nn_model a, b;
    struct nn_model_fault fault;
    make(&a, NN_F64, 0, 1);
    make(&b, NN_F64, 0, 2);
    expect_saved(&a, in_folder("m"));
    b.nn.p[14] = CHECK_NAN;
    cr_assert(nn_model_save(&b, in_folder("m"), &fault) == NN_NO_NUMBER);
    cr_assert(strcmp(fault.what, "layer1.bias") == 0);
    cr_assert(strcmp(fault.path, in_folder("m")) == 0);
    cr_assert(which(in_folder("m"), &a, &a) == 0 && entries(0) == 1);
    nn_model_free(&a);
    nn_model_free(&b);
}

/* A is saved over B, and where that fails, when B is gone. Some file systems
   take their time to replace a file. */
struct saving {
    struct nn_model a, b;
    struct nn_model_fault fault;
    struct bytes was, will_be;
    const char *path;
};

static void put_old(const struct saving *s)
{
    FILE *file = fopen(s->path, "wb");
    cr_assert(file && fwrite(s->was.b, 1, s->was.n, file) == s->was.n);
    cr_assert(fclose(file) == 0);
}

static enum nn_status save_again(void *job)
{
    struct saving *s = job;
    memset(&s->fault, 0x5a, sizeof s->fault);
    return nn_model_save(&s->a, s->path, &s->fault);
}

static void look_at_file(void *job, enum nn_status status)
{
    struct saving *s = job;
    cr_assert(strcmp(s->fault.path, s->path) == 0);
    cr_assert(entries(0) == 1);
    const struct bytes *want = status == NN_OK ? &s->will_be : &s->was;
    static uint8_t got[10000];
    FILE *file = fopen(s->path, "rb");
    cr_assert(file && fread(got, 1, sizeof got, file) == want->n);
    cr_assert(fclose(file) == 0 && memcmp(got, want->b, want->n) == 0);
    unlink(s->path);
    if (status == NN_OK)
        put_old(s);
}

static enum nn_status load_again(void *job)
{
    struct refused *r = job;
    memset(&r->made, 0x5a, sizeof r->made);
    return nn_model_load(&r->made, in_folder("m"), &r->fault);
}

Test(save, memory_runs_out)
{
    static struct saving s;
    static struct refused r;
    make(&s.a, NN_F64, 0, 1);
    make(&s.b, NN_F32, 0, 2);
    s.was = packed(&s.b);
    s.will_be = packed(&s.a);
    s.path = in_folder("m");
    put_old(&s);
    calls.unsynced = 1;
    cr_assert(check_refusals(save_again, look_at_file, &s) > 200);
    r.model = s.b;
    cr_assert(check_refusals(load_again, look_at_model, &r) > 100);
    nn_model_free(&s.a);
    nn_model_free(&s.b);
    free(s.was.b);
    free(s.will_be.b);
}

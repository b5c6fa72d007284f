/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1196786862. */
#include "tools/model.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "nn/file.h"

enum { MOST_HEADER = 1 << 20, MOST_LAYERS = 1000 };

static const char BEGIN[] = "{\"__metadata__\":{\"crc32\":\"";
enum { CRC_AT = 8 + sizeof BEGIN - 1, CRC_DIGITS = 8 };

static const char FORMAT[] = "four-loops 1";
const char *nn_word(enum nn_kind kind, int value)
{
    static const char *const word[][5] = {
        [NN_ACTIVATIONS] = {"identity", "sigmoid", "tanh",
                            "relu"},
        [NN_LOSSES] = {"squared", "cross-entropy"},
        [NN_METHODS] = {"descent", "momentum", "adam"},
        [NN_DTYPES] = {"F64", "F32"},
        [NN_ENGINES] = {"plain", "fast"},
    };
    return value < 0 || value > 4 ? NULL : word[kind][value];
}

int nn_word_value(enum nn_kind kind, const char *word)
{
    for (int v = 0; nn_word(kind, v); v++)
        if (strcmp(nn_word(kind, v), word) == 0)
            return v;
    return -1;
}
void nn_model_explain(enum nn_status status,
                      const struct nn_model_fault *fault,
                      char text[NN_MODEL_TEXT])
{
    char byte[40] = "";
    if (fault->offset)
        snprintf(byte, sizeof byte, "byte %zu: ", fault->offset);
    snprintf(text, NN_MODEL_TEXT, "%s%s%s%s%s%s", fault->path,
             *fault->path ? ": " : "", byte, fault->what,
             *fault->what ? ": " : "", nn_status_text(status));
}
static void free_state(struct nn_state *state)
{
    if (!state)
        return;
    nn_optimizer_destroy(&state->optimizer);
    free(state->order);
    free(state);
}

void nn_model_free(struct nn_model *model)
{
    for (size_t j = 0; model->classes && model->classes[j]; j++)
        free(model->classes[j]);
    free(model->classes);
    for (size_t i = 0; i < model->n_settings; i++) {
        free(model->setting[i].key);
        free(model->setting[i].value);
    }
    free(model->setting);
    free_state(model->state);
    nn_destroy(&model->nn);
    *model = (struct nn_model){0};
}
const char *nn_model_get(const struct nn_model *model,
                         const char *key)
{
    for (size_t i = 0; i < model->n_settings; i++)
        if (strcmp(model->setting[i].key, key) == 0)
            return model->setting[i].value;
    return NULL;
}
static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

static enum nn_status add_setting(struct nn_model *model,
                                  const char *key,
                                  const char *value)
{
    size_t n = model->n_settings;
    struct nn_setting *more =
        realloc(model->setting, (n + 1) * sizeof *more);
    if (!more)
        return NN_NO_MEMORY;
    model->setting = more;
    more[n] = (struct nn_setting){copy_text(key),
                                  copy_text(value)};
    if (!more[n].key || !more[n].value) {
        free(more[n].key);
        free(more[n].value);
        return NN_NO_MEMORY;
    }
    model->n_settings++;
    return NN_OK;
}

enum nn_status nn_model_set(struct nn_model *model,
                            const char *key, const char *value)
{
    for (size_t i = 0; i < model->n_settings; i++) {
        struct nn_setting *setting = &model->setting[i];
        if (strcmp(setting->key, key) != 0)
            continue;
        char *copy = copy_text(value);
        if (!copy)
            return NN_NO_MEMORY;
        free(setting->value);
        setting->value = copy;
        return NN_OK;
    }
    return add_setting(model, key, value);
}
enum form { WHOLE, BITS, REAL, WORD };

struct field {
    const char *key;
    enum form form;
    void *at; // size_t, uint64_t, double or enum
    enum nn_kind kind;
};

enum { MODEL_FIELDS = 8, FIELDS = 19 };

static size_t list_fields(struct nn_model *m,
                          struct field field[FIELDS])
{
    struct nn_state none = {0}, *s = m->state ? m->state : &none;
    const struct field all[FIELDS] = {
        {"loss", WORD, &m->nn.loss, NN_LOSSES},
        {"decay", REAL, &m->nn.decay, 0},
        {"rows", WHOLE, &m->rows, 0},
        {"cols", WHOLE, &m->cols, 0},
        {"offset", REAL, &m->offset, 0},
        {"scale", REAL, &m->scale, 0},
        {"dtype", WORD, &m->dtype, NN_DTYPES},
        {"engine", WORD, &m->engine, NN_ENGINES},
        {"training.method", WORD, &s->optimizer.method,
         NN_METHODS},
        {"training.beta1", REAL, &s->optimizer.beta1, 0},
        {"training.beta2", REAL, &s->optimizer.beta2, 0},
        {"training.epsilon", REAL, &s->optimizer.epsilon, 0},
        {"training.t", WHOLE, &s->optimizer.t, 0},
        {"training.epoch", WHOLE, &s->epoch, 0},
        {"training.step", WHOLE, &s->step, 0},
        {"training.done", WHOLE, &s->done, 0},
        {"training.samples", WHOLE, &s->m, 0},
        {"training.sum", REAL, &s->sum, 0},
        {"training.rng", BITS, &s->rng.state, 0},
    };
    size_t n = m->state ? FIELDS : MODEL_FIELDS;
    memcpy(field, all, n * sizeof *field);
    return n;
}
struct tensor {
    char name[64];
    const char *dtype;
    size_t dims, shape[2];
    size_t count, width;  // numbers, and bytes in each
    int vector;           // of the net, v, s or the order
    size_t begin;         // its first number there
};
enum { VECTORS = 3, ORDER = VECTORS };
static size_t count_vectors(const struct nn_model *m)
{
    return m->state ? 1 + (size_t)m->state->optimizer.method : 1;
}

static int find_tensor(const struct nn_model *m, size_t i,
                       struct tensor *t)
{
    static const char *const owner[] = {"", "optimizer.v.",
                                        "optimizer.s."};
    size_t each = 2 * (size_t)m->nn.layers;
    size_t vectors = count_vectors(m);
    *t = (struct tensor){0};
    if (i < vectors * each) {
        int l = (int)(i % each / 2) + 1, bias = i % 2 != 0;
        struct nn_layer at = nn_layer_at(&m->nn, l);
        t->vector = (int)(i / each);
        snprintf(t->name, sizeof t->name, "%slayer%d.%s",
                 owner[t->vector], l, bias ? "bias" : "weight");
        t->dtype = nn_word(NN_DTYPES, (int)m->dtype);
        t->width = m->dtype == NN_F64 ? 8 : 4;
        t->dims = bias ? 1 : 2;
        t->shape[0] = at.n;
        t->shape[1] = bias ? 1 : at.n_before;
        t->count = t->shape[0] * t->shape[1];
        t->begin = bias ? at.b : at.w;
        return 1;
    }
    if (i == vectors * each && m->state) {
        t->vector = ORDER;
        snprintf(t->name, sizeof t->name, "training.order");
        t->dtype = "I64";
        t->width = 8;
        t->dims = 1;
        t->shape[0] = t->count = m->state->m;
        return 1;
    }
    return 0;
}
static uint32_t checksum(const uint8_t *bytes, size_t length)
{
    static const uint8_t zeros[CRC_DIGITS + 1] = "00000000";
    const size_t behind = CRC_AT + CRC_DIGITS;
    uLong crc = crc32_z(0, bytes, CRC_AT);
    crc = crc32_z(crc, zeros, CRC_DIGITS);
    crc = crc32_z(crc, bytes + behind, length - behind);
    return (uint32_t)crc;
}
static void put_bytes(uint64_t value, size_t width, uint8_t *to)
{
    for (size_t i = 0; i < width; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_bytes(const uint8_t *from, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}
static void put_real(double real, size_t width, uint8_t *to)
{
    uint64_t bits;
    if (width == 8) {
        memcpy(&bits, &real, 8);
    } else {
        float less = (float)real;
        uint32_t half;
        memcpy(&half, &less, 4);
        bits = half;
    }
    put_bytes(bits, width, to);
}

static double get_real(const uint8_t *from, size_t width)
{
    uint64_t bits = get_bytes(from, width);
    double real;
    if (width == 8) {
        memcpy(&real, &bits, 8);
    } else {
        uint32_t half = (uint32_t)bits;
        float less;
        memcpy(&less, &half, 4);
        real = (double)less;
    }
    return real;
}
static enum nn_status put_text(json_t *meta, const char *key,
                               const char *text)
{
    if (json_object_get(meta, key))
        return NN_DUPLICATE;
    json_error_t error = {0};
    json_t *value = json_pack_ex(&error, 0, "s", text);
    if (!value)
        return json_error_code(&error) == json_error_invalid_utf8
                   ? NN_BAD_VALUE : NN_NO_MEMORY;
    return json_object_set_new(meta, key, value) == 0
               ? NN_OK : NN_NO_MEMORY;
}

enum { MOST_TEXT = 40 }; // a number as text

static void print_real(double real, char text[MOST_TEXT])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, MOST_TEXT, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
}

static void print_field(const struct field *f,
                        char text[MOST_TEXT])
{
    if (f->form == REAL)
        print_real(*(double *)f->at, text);
    else if (f->form == WHOLE)
        snprintf(text, MOST_TEXT, "%zu", *(size_t *)f->at);
    else if (f->form == BITS)
        snprintf(text, MOST_TEXT, "%" PRIu64,
                 *(uint64_t *)f->at);
    else {
        const char *word = nn_word(f->kind, *(int *)f->at);
        snprintf(text, MOST_TEXT, "%s", word ? word : "");
    }
}
static enum nn_status put_layers(json_t *meta,
                                 const struct nn *nn)
{
    enum { MOST = 24 }; // letters in a size or a word
    size_t room = MOST * ((size_t)nn->layers + 1) + 1;
    char *size = calloc(room, 1), *sigma = calloc(room, 1);
    size_t i = 0, k = 0;
    for (int l = 0; size && sigma && l <= nn->layers; l++) {
        i += (size_t)snprintf(size + i, room - i, "%s%zu",
                              l ? "," : "", nn->size[l]);
        const char *word =
            l ? nn_word(NN_ACTIVATIONS, (int)nn->sigma[l]) : "";
        k += (size_t)snprintf(sigma + k, room - k, "%s%s",
                              l > 1 ? "," : "", word ? word : "");
    }
    enum nn_status status = NN_NO_MEMORY;
    if (size && sigma)
        status = put_text(meta, "layers", size);
    if (status == NN_OK)
        status = put_text(meta, "activations", sigma);
    free(size);
    free(sigma);
    return status;
}
enum { MOST_KEY = 100 };

static int is_key(const char *name)
{
    size_t n = 0;
    while (name[n] > ' ' && name[n] <= '~' && name[n] != '"' &&
           name[n] != '\\' && n < MOST_KEY)
        n++;
    return name[n] == '\0';
}

static enum nn_status put_named(json_t *meta, const char *begin,
                                const char *name,
                                const char *text)
{
    char key[MOST_KEY + 8];
    if (!is_key(name))
        return NN_BAD_VALUE;
    snprintf(key, sizeof key, "%s%s", begin, name);
    return put_text(meta, key, text);
}

static enum nn_status put_metadata(json_t *meta,
                                   const struct nn_model *model)
{
    struct nn_state state = {0};
    struct nn_model m = *model; // fields are listed for writing
    struct field field[FIELDS];
    char text[MOST_TEXT];
    if (m.state) {
        state = *m.state;
        m.state = &state;
    }
    enum nn_status status = put_text(meta, "crc32", "00000000");
    if (status == NN_OK)
        status = put_text(meta, "format", FORMAT);
    if (status == NN_OK)
        status = put_layers(meta, &m.nn);

    size_t n = list_fields(&m, field);
    for (size_t i = 0; status == NN_OK && i < n; i++) {
        print_field(&field[i], text);
        status = put_text(meta, field[i].key, text);
    }
    for (size_t j = 0; status == NN_OK && m.classes &&
                       j < m.nn.size[m.nn.layers]; j++) {
        snprintf(text, sizeof text, "%zu", j);
        status = put_named(meta, "class.", text, m.classes[j]);
    }
    for (size_t i = 0; status == NN_OK && i < m.n_settings; i++)
        status = put_named(meta, "run.", m.setting[i].key,
                           m.setting[i].value);
    return status;
}
static enum nn_status put_tensor(json_t *root,
                                 const struct tensor *t,
                                 size_t *end)
{
    json_t *shape = json_array();
    int bad = 0;
    for (size_t d = 0; d < t->dims; d++)
        bad |= json_array_append_new(
            shape, json_integer((json_int_t)t->shape[d]));
    size_t begin = *end;
    *end += t->count * t->width;
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                              t->dtype, "shape", shape,
                              "data_offsets", (json_int_t)begin,
                              (json_int_t)*end);
    bad |= json_object_set_new(root, t->name, entry);
    return bad ? NN_NO_MEMORY : NN_OK;
}
static void put_numbers(const struct nn_model *m,
                        const struct tensor *t, uint8_t *to)
{
    const struct nn_state *state = m->state;
    const double *vector[VECTORS] = {
        m->nn.p, state ? state->optimizer.v : NULL,
        state ? state->optimizer.s : NULL};
    for (size_t i = 0; i < t->count; i++, to += t->width)
        if (t->vector == ORDER)
            put_bytes(state->order[i], t->width, to);
        else
            put_real(vector[t->vector][t->begin + i], t->width,
                     to);
}
static enum nn_status put_all(const struct nn_model *m,
                              const json_t *root, size_t end,
                              uint8_t **bytes, size_t *length)
{
    struct tensor t;
    size_t used = json_dumpb(root, NULL, 0, JSON_COMPACT);
    size_t header = (used + 7) / 8 * 8;
    if (used == 0)
        return NN_NO_MEMORY;
    if (header > MOST_HEADER)
        return NN_TOO_BIG;
    if (end > NN_MODEL_MOST - 8 - header)
        return NN_TOO_BIG;
    *length = 8 + header + end;
    *bytes = malloc(*length);
    if (!*bytes)
        return NN_NO_MEMORY;

    uint8_t *at = *bytes;
    put_bytes(header, 8, at);
    memset(at + 8, ' ', header);
    if (json_dumpb(root, (char *)at + 8, used, JSON_COMPACT) !=
        used)
        return NN_NO_MEMORY;
    at += 8 + header;
    for (size_t i = 0; find_tensor(m, i, &t); i++) {
        put_numbers(m, &t, at);
        at += t.count * t.width;
    }
    char digits[CRC_DIGITS + 1];
    snprintf(digits, sizeof digits, "%08" PRIx32,
             checksum(*bytes, *length));
    memcpy(*bytes + CRC_AT, digits, CRC_DIGITS);
    return NN_OK;
}
static const char *read_whole(const char *text, uint64_t *value)
{
    const char *c = text;
    *value = 0;
    for (; *c >= '0' && *c <= '9'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return NULL;
        *value = 10 * *value + digit;
    }
    if (c == text || (*text == '0' && c > text + 1))
        return NULL;
    return c;
}

static int read_real(const char *text, double *value)
{
    char again[MOST_TEXT];
    *value = strtod(text, NULL);
    print_real(*value, again);
    return isfinite(*value) && strcmp(again, text) == 0;
}
static int read_field(const struct field *f, const char *text)
{
    uint64_t whole;
    const char *end;
    switch (f->form) {
    case REAL:
        return read_real(text, f->at);
    case WORD:
        *(int *)f->at = nn_word_value(f->kind, text);
        return *(int *)f->at >= 0;
    case WHOLE:
    case BITS:
        end = read_whole(text, &whole);
        if (!end || *end ||
            (f->form == WHOLE && whole > SIZE_MAX))
            return 0;
        if (f->form == WHOLE)
            *(size_t *)f->at = (size_t)whole;
        else
            *(uint64_t *)f->at = whole;
        return 1;
    }
    return 0;
}
struct reader {
    const uint8_t *bytes;
    size_t length, header; // of the file, of the JSON
    json_t *root, *meta;
    struct nn_model model; // its net is a plan until it is read
    size_t size[MOST_LAYERS + 1];
    enum nn_activation sigma[MOST_LAYERS + 1];
    struct nn_model_fault *fault;
};
static enum nn_status flaw(struct reader *r,
                           enum nn_status status,
                           const char *what)
{
    const char *text = (const char *)r->bytes + 8;
    size_t n = strlen(what);
    snprintf(r->fault->what, sizeof r->fault->what, "%s", what);
    r->fault->offset = 8;
    for (size_t i = 1; i + n + 1 < r->header; i++)
        if (text[i - 1] == '"' && text[i + n] == '"' &&
            text[i + n + 1] == ':' &&
            memcmp(text + i, what, n) == 0) {
            r->fault->offset = 8 + i - 1;
            break;
        }
    return status;
}

static enum nn_status flaw_at(struct reader *r,
                              enum nn_status status,
                              size_t offset)
{
    r->fault->offset = offset;
    return status;
}
static enum nn_status open_header(struct reader *r)
{
    json_error_t error = {0};
    if (r->length < 8)
        return flaw_at(r, NN_TRUNCATED, r->length);
    uint64_t header = get_bytes(r->bytes, 8);
    if (header > MOST_HEADER)
        return flaw_at(r, NN_BAD_HEADER, 0);
    if (header > r->length - 8)
        return flaw_at(r, NN_TRUNCATED, r->length);
    r->header = (size_t)header;

    const char *text = (const char *)r->bytes + 8;
    errno = 0;
    r->root = json_loadb(text, r->header, JSON_REJECT_DUPLICATES,
                         &error);
    if (!r->root) {
        if (errno == ENOMEM)
            return NN_NO_MEMORY;
        r->fault->offset = 8 + (size_t)error.position;
        if (json_error_code(&error) == json_error_duplicate_key)
            return NN_DUPLICATE;
        snprintf(r->fault->what, sizeof r->fault->what, "%.127s",
                 error.text);
        return NN_BAD_JSON;
    }
    json_t *again = json_loadb(text, r->header, 0, NULL);
    int equal = json_equal(r->root, again);
    json_decref(again);
    if (!equal)
        return NN_NO_MEMORY;
    r->meta = json_object_get(r->root, "__metadata__");
    if (!json_is_object(r->meta))
        return flaw(r, NN_NO_KEY, "__metadata__");
    if (r->header < sizeof BEGIN - 1 ||
        memcmp(r->bytes + 8, BEGIN, sizeof BEGIN - 1) != 0)
        return flaw_at(r, NN_NO_CHECKSUM, 8);
    return NN_OK;
}
static enum nn_status take_text(struct reader *r, const char *key,
                                const char **text)
{
    json_t *value = json_object_get(r->meta, key);
    *text = NULL;
    if (!value)
        return flaw(r, NN_NO_KEY, key);
    *text = json_string_value(value);
    return *text ? NN_OK : flaw(r, NN_BAD_VALUE, key);
}
static enum nn_status take_layers(struct reader *r)
{
    const size_t most = PTRDIFF_MAX / sizeof(double);
    struct nn *nn = &r->model.nn;
    const char *text = NULL;
    uint64_t n;
    enum nn_status status = take_text(r, "layers", &text);
    if (status != NN_OK)
        return status;
    nn->size = r->size;
    nn->sigma = r->sigma;
    for (int l = 0;; l++) {
        text = read_whole(text, &n);
        if (!text || n < 1 || l > MOST_LAYERS ||
            (*text && *text != ','))
            return flaw(r, NN_BAD_VALUE, "layers");
        size_t before = l ? r->size[l - 1] : 0;
        if (n > most || before >= (most - nn->params) / n)
            return flaw(r, NN_BAD_SIZE, "layers");
        r->size[l] = (size_t)n;
        nn->params += l ? r->size[l] * (before + 1) : 0;
        nn->layers = l;
        if (*text++ == '\0')
            break;
    }
    json_object_del(r->meta, "layers");
    return nn->layers ? NN_OK : flaw(r, NN_BAD_VALUE, "layers");
}
static enum nn_status take_activations(struct reader *r)
{
    const char *text = NULL;
    enum nn_status status = take_text(r, "activations", &text);
    if (status != NN_OK)
        return status;
    for (int l = 1; l <= r->model.nn.layers; l++) {
        char word[16];
        size_t n = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, text);
        int value = nn_word_value(NN_ACTIVATIONS, word);
        int last = l == r->model.nn.layers;
        if (value < 0 || text[n] != (last ? '\0' : ','))
            return flaw(r, NN_BAD_VALUE, "activations");
        r->sigma[l] = (enum nn_activation)value;
        text += n + 1;
    }
    json_object_del(r->meta, "activations");
    return NN_OK;
}
static enum nn_status take_fields(struct reader *r)
{
    struct nn_model *m = &r->model;
    struct field field[FIELDS];
    const char *text = NULL;
    if (json_object_get(r->meta, "training.method")) {
        m->state = calloc(1, sizeof *m->state);
        if (!m->state)
            return NN_NO_MEMORY;
    }
    size_t n = list_fields(m, field);
    for (size_t i = 0; i < n; i++) {
        enum nn_status status = take_text(r, field[i].key, &text);
        if (status != NN_OK)
            return status;
        if (!read_field(&field[i], text))
            return flaw(r, NN_BAD_VALUE, field[i].key);
        json_object_del(r->meta, field[i].key);
    }
    return NN_OK;
}
static enum nn_status take_classes(struct reader *r)
{
    size_t n = r->size[r->model.nn.layers];
    if (!json_object_get(r->meta, "class.0"))
        return NN_OK;
    if (n > json_object_size(r->meta))
        return flaw(r, NN_NO_KEY, "class");
    r->model.classes = calloc(n + 1, sizeof(char *));
    if (!r->model.classes)
        return NN_NO_MEMORY;
    for (size_t j = 0; j < n; j++) {
        char key[32];
        const char *text = NULL;
        snprintf(key, sizeof key, "class.%zu", j);
        enum nn_status status = take_text(r, key, &text);
        if (status != NN_OK)
            return status;
        r->model.classes[j] = copy_text(text);
        if (!r->model.classes[j])
            return NN_NO_MEMORY;
        json_object_del(r->meta, key);
    }
    return NN_OK;
}
static enum nn_status take_settings(struct reader *r)
{
    const char *key;
    json_t *value;
    json_object_foreach(r->meta, key, value) {
        const char *text = json_string_value(value);
        if (strncmp(key, "run.", 4) != 0)
            return flaw(r, NN_EXTRA_KEY, key);
        if (!text || !is_key(key + 4))
            return flaw(r, NN_BAD_VALUE, key);
        enum nn_status status = add_setting(&r->model, key + 4,
                                            text);
        if (status != NN_OK)
            return status;
    }
    json_object_del(r->root, "__metadata__");
    return NN_OK;
}
static enum nn_status take_metadata(struct reader *r)
{
    struct nn_model *m = &r->model;
    const char *text = NULL;
    enum nn_status status = take_text(r, "format", &text);
    if (status == NN_OK && strcmp(text, FORMAT) != 0)
        status = flaw(r, NN_BAD_VALUE, "format");
    if (status != NN_OK)
        return status;
    json_object_del(r->meta, "format");
    json_object_del(r->meta, "crc32");

    if ((status = take_layers(r)) != NN_OK ||
        (status = take_activations(r)) != NN_OK ||
        (status = take_fields(r)) != NN_OK ||
        (status = take_classes(r)) != NN_OK ||
        (status = take_settings(r)) != NN_OK)
        return status;
    if (m->rows < 1 || r->size[0] % m->rows != 0 ||
        r->size[0] / m->rows != m->cols)
        return flaw(r, NN_BAD_VALUE, "rows");
    if (m->scale == 0)
        return flaw(r, NN_BAD_VALUE, "scale");
    if (m->nn.loss == NN_CROSS_ENTROPY &&
        r->sigma[m->nn.layers] != NN_IDENTITY)
        return flaw(r, NN_BAD_VALUE, "activations");
    if (m->state &&
        (m->state->m < 1 || m->state->m > PTRDIFF_MAX / 8))
        return flaw(r, NN_BAD_VALUE, "training.samples");
    if (m->state && m->state->done > m->state->m)
        return flaw(r, NN_BAD_VALUE, "training.done");
    return NN_OK;
}
static int whole_of(const json_t *value, size_t *whole)
{
    json_int_t n = json_integer_value(value);
    *whole = (size_t)n;
    return json_is_integer(value) && n >= 0 &&
           (uintmax_t)n <= SIZE_MAX;
}

static enum nn_status check_tensor(struct reader *r,
                                   const struct tensor *t,
                                   size_t *end)
{
    json_t *entry = json_object_get(r->root, t->name);
    json_t *shape = json_object_get(entry, "shape");
    json_t *offsets = json_object_get(entry, "data_offsets");
    const char *dtype =
        json_string_value(json_object_get(entry, "dtype"));
    size_t n, from, to;
    if (!entry)
        return flaw(r, NN_NO_TENSOR, t->name);
    if (!dtype || !json_is_array(shape) ||
        !json_is_array(offsets) || json_object_size(entry) != 3)
        return flaw(r, NN_BAD_TENSOR, t->name);
    if (strcmp(dtype, t->dtype) != 0)
        return flaw(r, NN_BAD_DTYPE, t->name);
    if (json_array_size(shape) != t->dims)
        return flaw(r, NN_BAD_SHAPE, t->name);
    for (size_t d = 0; d < t->dims; d++)
        if (!whole_of(json_array_get(shape, d), &n) ||
            n != t->shape[d])
            return flaw(r, NN_BAD_SHAPE, t->name);
    if (json_array_size(offsets) != 2 ||
        !whole_of(json_array_get(offsets, 0), &from) ||
        !whole_of(json_array_get(offsets, 1), &to) || to < from ||
        to - from != t->count * t->width)
        return flaw(r, NN_BAD_OFFSETS, t->name);
    if (from != *end)
        return flaw(r, from < *end ? NN_OVERLAP : NN_GAP, t->name);
    *end = to;
    if (to > r->length - 8 - r->header)
        return flaw_at(r, NN_TRUNCATED, r->length);
    json_object_del(r->root, t->name);
    return NN_OK;
}
static enum nn_status check_tensors(struct reader *r)
{
    struct tensor t;
    size_t end = 0;
    for (size_t i = 0; find_tensor(&r->model, i, &t); i++) {
        enum nn_status status = check_tensor(r, &t, &end);
        if (status != NN_OK)
            return status;
    }
    const char *key = json_object_iter_key(
        json_object_iter(r->root));
    if (key)
        return flaw(r, NN_EXTRA_TENSOR, key);
    end += 8 + r->header;
    if (end < r->length)
        return flaw_at(r, NN_TRAILING, end);

    char digits[CRC_DIGITS + 2];
    r->model.crc = checksum(r->bytes, r->length);
    snprintf(digits, sizeof digits, "%08" PRIx32 "\"",
             r->model.crc);
    if (memcmp(r->bytes + CRC_AT, digits, CRC_DIGITS + 1) != 0)
        return flaw_at(r, NN_BAD_CHECKSUM, CRC_AT);
    return NN_OK;
}
static enum nn_status make_room(struct nn_model *m)
{
    struct nn plan = m->nn;
    struct nn_state *state = m->state;
    m->nn = (struct nn){0};
    enum nn_status status =
        nn_create(&m->nn, plan.layers, plan.size,
                  plan.sigma + 1);
    if (status != NN_OK)
        return status;
    m->nn.loss = plan.loss;
    m->nn.decay = plan.decay;
    if (!state)
        return NN_OK;
    struct nn_optimizer o = state->optimizer;
    status = nn_optimizer_create(&state->optimizer, o.method,
                                 m->nn.params);
    if (status != NN_OK)
        return status;
    state->optimizer.beta1 = o.beta1;
    state->optimizer.beta2 = o.beta2;
    state->optimizer.epsilon = o.epsilon;
    state->optimizer.t = o.t;
    state->order = calloc(state->m, sizeof *state->order);
    return state->order ? NN_OK : NN_NO_MEMORY;
}
static enum nn_status read_numbers(struct reader *r,
                                   const struct tensor *t,
                                   const uint8_t *from)
{
    struct nn_state *state = r->model.state;
    double *vector[VECTORS] = {
        r->model.nn.p, state ? state->optimizer.v : NULL,
        state ? state->optimizer.s : NULL};
    double *to = vector[t->vector] + t->begin;
    for (size_t i = 0; i < t->count; i++, from += t->width) {
        to[i] = get_real(from, t->width);
        if (!isfinite(to[i])) {
            flaw(r, NN_NO_NUMBER, t->name);
            return flaw_at(r, NN_NO_NUMBER,
                           (size_t)(from - r->bytes));
        }
    }
    return NN_OK;
}
static enum nn_status read_order(struct reader *r,
                                 const struct tensor *t,
                                 const uint8_t *from)
{
    struct nn_state *state = r->model.state;
    uint8_t *seen = calloc(t->count, 1);
    if (!seen)
        return NN_NO_MEMORY;
    enum nn_status status = NN_OK;
    for (size_t i = 0; status == NN_OK && i < t->count; i++) {
        const uint8_t *at = from + i * t->width;
        uint64_t s = get_bytes(at, t->width);
        if (s >= t->count || seen[s]++) {
            flaw(r, NN_BAD_ORDER, t->name);
            status = flaw_at(r, NN_BAD_ORDER,
                             (size_t)(at - r->bytes));
        } else {
            state->order[i] = (size_t)s;
        }
    }
    free(seen);
    return status;
}

static enum nn_status read_tensors(struct reader *r)
{
    struct tensor t;
    const uint8_t *at = r->bytes + 8 + r->header;
    enum nn_status status = make_room(&r->model);
    for (size_t i = 0; status == NN_OK &&
                       find_tensor(&r->model, i, &t); i++) {
        status = t.vector == ORDER ? read_order(r, &t, at)
                                   : read_numbers(r, &t, at);
        at += t.count * t.width;
    }
    return status;
}
enum nn_status nn_model_parse(const uint8_t *bytes, size_t length,
                              struct nn_model *model,
                              struct nn_model_fault *fault)
{
    struct reader r = {.bytes = bytes, .length = length,
                       .fault = fault};
    int planned = 1; // the net is none to be freed
    *model = (struct nn_model){0};
    *fault = (struct nn_model_fault){{0}, 0, {0}};
    enum nn_status status = open_header(&r);
    if (status == NN_OK)
        status = take_metadata(&r);
    if (status == NN_OK)
        status = check_tensors(&r);
    if (status == NN_OK) {
        planned = 0;
        status = read_tensors(&r);
    }
    json_decref(r.root);
    if (planned)
        r.model.nn = (struct nn){0};
    if (status != NN_OK)
        nn_model_free(&r.model);
    *model = r.model;
    return status;
}
static enum nn_status pack(const struct nn_model *model,
                           uint8_t **bytes, size_t *length)
{
    struct tensor t;
    size_t end = 0;
    json_t *root = json_object(), *meta = json_object();
    enum nn_status status = NN_OK;
    if (json_object_set_new(root, "__metadata__", meta) != 0)
        status = NN_NO_MEMORY;
    if (status == NN_OK)
        status = put_metadata(meta, model);
    for (size_t i = 0; status == NN_OK &&
                       find_tensor(model, i, &t); i++)
        status = put_tensor(root, &t, &end);
    if (status == NN_OK)
        status = put_all(model, root, end, bytes, length);
    json_decref(root);
    return status;
}

enum nn_status nn_model_pack(const struct nn_model *model,
                             uint8_t **bytes, size_t *length,
                             struct nn_model_fault *fault)
{
    struct nn_model again = {0};
    *fault = (struct nn_model_fault){{0}, 0, {0}};
    *bytes = NULL;
    *length = 0;
    enum nn_status status = pack(model, bytes, length);
    if (status == NN_OK)
        status = nn_model_parse(*bytes, *length, &again, fault);
    nn_model_free(&again);
    if (status != NN_OK) {
        free(*bytes);
        *bytes = NULL;
        *length = 0;
    }
    return status;
}
static void name_path(struct nn_model_fault *fault,
                      const char *path)
{
    snprintf(fault->path, sizeof fault->path, "%s", path);
}

enum nn_status nn_model_save(const struct nn_model *model,
                             const char *path,
                             struct nn_model_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    const char *call;
    enum nn_status status = nn_model_pack(model, &bytes, &length,
                                          fault);
    if (status == NN_OK)
        status = nn_file_write(path, bytes, length, &call);
    if (status == NN_NO_WRITE)
        snprintf(fault->what, sizeof fault->what, "%s: %s", call,
                 strerror(errno));
    name_path(fault, path);
    free(bytes);
    return status;
}
enum nn_status nn_model_load(struct nn_model *model,
                             const char *path,
                             struct nn_model_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    *model = (struct nn_model){0};
    *fault = (struct nn_model_fault){{0}, 0, {0}};
    enum nn_status status = nn_file_read(path, NN_MODEL_MOST,
                                         &bytes, &length);
    fault->offset = length;
    if (status == NN_OK)
        status = nn_model_parse(bytes, length, model, fault);
    name_path(fault, path);
    free(bytes);
    return status;
}

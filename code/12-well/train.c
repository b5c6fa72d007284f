/* Tangled from chapters/12-well.nw: edit there. Sum 3875306658. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o train code/12-well/train.c code/tools/[a-z]*.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -ljansson -lpng -lz -lm */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/fast.h"
#include "nn/init.h"
#include "nn/pictures.h"
#include "nn/train.h"
#include "tools/model.h"

static volatile sig_atomic_t caught;

static void note(int number)
{
    caught = number;
}

static void note_signals(void)
{
    struct sigaction once = {.sa_handler = note,
                             .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&once.sa_mask);
    sigaction(SIGINT, &once, NULL);
    sigaction(SIGTERM, &once, NULL);
    signal(SIGXFSZ, SIG_IGN); // file too large: write() says so
}
enum { MOST_LAYERS = 16, MOST_UNITS = 1000000, SOME = 100 };

struct teaching {
    struct cli cli;
    const char *layers, *activation, *loss, *init, *optimizer,
        *schedule, *engine, *classes;
    double rate, dropout, decay;
    long batch, epochs, seed, validation, pictures;
    const char *save, *resume, *log_path;

    struct nn_pictures train;
    size_t m, held; // pictures learned from, and held out
    struct nn_model model;
    struct nn_samples samples;
    struct nn_training how;
    struct nn_place place;
    struct nn_now now;
    struct nn_fast fast;
    double *x, *y, *a;   // [SOME][n_0], [SOME][n_L] twice
    float *fast_x, *fast_a; // the same for the fast engine
    FILE *log;
    double began;    // in seconds
    size_t began_at; // at which step
};
static void fail_unless(const struct cli *cli,
                        enum nn_status status,
                        const struct nn_model_fault *fault)
{
    char text[NN_MODEL_TEXT];
    if (status == NN_OK)
        return;
    nn_model_explain(status, fault, text);
    cli_fail(cli, "%s", text);
}

static void load_model(const struct cli *cli,
                       struct nn_model *model, const char *path)
{
    struct nn_model_fault fault;
    fail_unless(cli, nn_model_load(model, path, &fault), &fault);
}
static void fetch(const void *data, size_t s, double *x,
                  double *y)
{
    const struct teaching *t = data;
    size_t n_out = t->model.nn.size[t->model.nn.layers];
    nn_pictures_fetch(&t->train, s, x, y);
    for (size_t c = t->train.classes; c < n_out; c++)
        y[c] = 0;
}

/* t->a = the outputs for the m <= SOME pictures in t->x. */
static void answer(struct teaching *t, size_t m)
{
    struct nn *nn = &t->model.nn;
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    if (t->how.fast) {
        for (size_t i = 0; i < m * n_in; i++)
            t->fast_x[i] = (float)t->x[i];
        nn_fast_forward(&t->fast, m, t->fast_x, t->fast_a);
        for (size_t i = 0; i < m * n_out; i++)
            t->a[i] = (double)t->fast_a[i];
    } else {
        for (size_t s = 0; s < m; s++)
            memcpy(t->a + s * n_out,
                   nn_forward(nn, t->x + s * n_in),
                   n_out * sizeof *t->a);
    }
}

static double cost_of(const struct nn *nn, const double *a,
                      const double *y)
{
    size_t n = nn->size[nn->layers];
    double sum = 0;
    if (nn->loss == NN_CROSS_ENTROPY)
        return nn_cross_entropy(n, a, y);
    for (size_t j = 0; j < n; j++)
        sum += (a[j] - y[j]) * (a[j] - y[j]);
    return sum / (2 * (double)n);
}

static double score(struct teaching *t, double *cost)
{
    const struct nn *nn = &t->model.nn;
    size_t n_in = nn->size[0], n_out = nn->size[nn->layers];
    size_t right = 0, m, first = t->train.m - t->held;
    double sum = 0;
    for (; first < t->train.m; first += m) {
        m = t->train.m - first < SOME ? t->train.m - first : SOME;
        for (size_t s = 0; s < m; s++)
            fetch(t, first + s, t->x + s * n_in,
                  t->y + s * n_out);
        answer(t, m);
        for (size_t s = 0; s < m; s++) {
            const double *a = t->a + s * n_out;
            size_t said = 0;
            for (size_t c = 1; c < n_out; c++)
                if (a[c] > a[said])
                    said = c;
            right += said == t->train.label[first + s];
            sum += cost_of(nn, a, t->y + s * n_out);
        }
    }
    *cost = sum / (double)t->held;
    return (double)right / (double)t->held;
}
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void show_progress(const struct teaching *t,
                          const struct nn_now *at)
{
    static double last;
    double time = now();
    if (!isatty(STDERR_FILENO) ||
        (time - last < 0.1 && !at->epoch_ends))
        return;
    last = time;

    double share = (double)t->how.epochs * (double)t->m /
                   (double)at->steps; // pictures to a step
    double pace = (double)(at->step - t->began_at) /
                  (time - t->began);
    double left = (double)(at->steps - at->step) / pace;
    fprintf(stderr, "\r\033[Kepoch %zu of %zu, %.0f%%, cost "
            "%.4f, %.0f pictures/s, %.0f:%02.0f left",
            at->epoch, t->how.epochs,
            100.0 * (double)at->step / (double)at->steps,
            at->cost, pace * share, floor(left / 60),
            floor(fmod(left, 60)));
    if (at->epoch_ends)
        fprintf(stderr, "\r\033[K");
    fflush(stderr);
}
static void report_epoch(struct teaching *t,
                         const struct nn_now *now)
{
    double cost = 0, share = t->held ? score(t, &cost) : 0;
    printf("%5zu %8zu  %10.4g  %8.4f", now->epoch, now->step,
           now->rate, now->cost);
    if (t->held)
        printf("  %.4f    %8.4f", share, cost);
    putchar('\n');
    cli_finish(&t->cli);
    if (!t->log)
        return;

    fprintf(t->log, "%zu,%zu,%.9g,%.9g", now->epoch, now->step,
            now->rate, now->cost);
    if (t->held)
        fprintf(t->log, ",%.9g,%.9g\n", share, cost);
    else
        fprintf(t->log, ",,\n");
    if (fflush(t->log) != 0)
        cli_fail(&t->cli, "%s: %s", t->log_path,
                 strerror(errno));
}
static void save(struct teaching *t, const struct nn_now *now)
{
    struct nn_model model = t->model; // a copy of its pointers
    struct nn_model_fault fault;
    if (!t->save)
        return;
    if (now->step == now->steps) {
        model.state = NULL; // nothing to go on with
    } else {
        struct nn_state *state = model.state;
        size_t past = now->step % (now->steps / t->how.epochs);
        state->epoch = now->epoch;
        state->step = now->step;
        state->done = past ? past * t->how.batch : t->m;
        state->sum = t->place.sum;
    }
    fail_unless(&t->cli, nn_model_save(&model, t->save, &fault),
                &fault);
}
static int end_step(void *context, const struct nn_now *now)
{
    struct teaching *t = context;
    show_progress(t, now);
    if (now->epoch_ends) {
        report_epoch(t, now);
        save(t, now);
    }
    return caught != 0;
}
static char *setting_text(const struct cli_option *o)
{
    const char *text = NULL;
    char number[40];
    if (o->kind == CLI_TEXT) {
        text = *(const char **)o->set;
    } else if (o->kind == CLI_WHOLE) {
        snprintf(number, sizeof number, "%ld", *(long *)o->set);
    } else {
        double value = *(double *)o->set;
        for (int n = 1; n <= 17; n++) {
            snprintf(number, sizeof number, "%.*g", n, value);
            if (strtod(number, NULL) == value)
                break;
        }
    }
    return strdup(text ? text : number);
}

static void read_setting(struct teaching *t,
                         const struct cli_option *o)
{
    const char *text = nn_model_get(&t->model, o->name);
    char *end = NULL;
    double value = 0;
    if (!text)
        cli_fail(&t->cli, "%s: no training to go on with: no "
                          "setting %s", t->resume, o->name);
    if (o->kind == CLI_TEXT) {
        *(const char **)o->set = text;
        return;
    }
    value = strtod(text, &end);
    if (end == text || *end || !(value >= o->low &&
                                 value <= o->high))
        cli_fail(&t->cli, "%s: setting %s is %s", t->resume,
                 o->name, text);
    if (o->kind == CLI_REAL)
        *(double *)o->set = value;
    else
        *(long *)o->set = (long)value;
}
static _Noreturn void refuse(const struct teaching *t,
                             const char *option, const char *text,
                             const char *what)
{
    if (t->resume)
        cli_fail(&t->cli, "%s: setting %s is %s", t->resume,
                 option, text);
    cli_misuse(&t->cli, option, text, what);
}

/* Returns how many layers follow the first. */
static int read_layers(const struct teaching *t,
                       size_t size[MOST_LAYERS + 1])
{
    size_t n = cli_sizes(t->layers, MOST_UNITS, MOST_LAYERS + 1,
                         size);
    char what[80];
    snprintf(what, sizeof what, "wanted: 2 to %d sizes from 1 to "
             "%d, as 784,30,10", MOST_LAYERS + 1, MOST_UNITS);
    if (n < 2)
        refuse(t, "layers", t->layers, what);
    return (int)n - 1;
}

/* Which of the WORDS it is; n of them. */
static int which(const struct teaching *t, const char *option,
                 const char *word, int n,
                 const char *const words[])
{
    for (int i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    refuse(t, option, word, "not one of its words");
}

static int kind(const struct teaching *t, const char *option,
                const char *word, enum nn_kind kinds)
{
    int value = nn_word_value(kinds, word);
    if (value < 0)
        refuse(t, option, word, "not one of its words");
    return value;
}
static const char *const fashion =
    "T-shirt,trouser,pullover,dress,coat,sandal,shirt,sneaker,"
    "bag,ankle boot";

static void name_classes(struct teaching *t, const char *dir)
{
    struct nn *nn = &t->model.nn;
    size_t n = nn->size[nn->layers], c = 0;
    const char *text = t->classes;
    if (!*text && n == 10 && strstr(dir, "fashion"))
        text = fashion;
    if (!*text)
        return;

    t->model.classes = calloc(n + 1, sizeof *t->model.classes);
    for (size_t length; t->model.classes && c < n; c++) {
        if ((length = strcspn(text, ",")) == 0)
            break;
        t->model.classes[c] = strndup(text, length);
        if (!t->model.classes[c])
            cli_fail(&t->cli, "%s", nn_status_text(NN_NO_MEMORY));
        text += length;
        text += c + 1 < n && *text == ',';
    }
    if (!t->model.classes)
        cli_fail(&t->cli, "%s", nn_status_text(NN_NO_MEMORY));
    if (c < n || *text)
        cli_usage(&t->cli, "--classes %s: not %zu names",
                  t->classes, n);
}
static void see_fit(const struct teaching *t, int layers,
                    const size_t *size)
{
    size_t n = t->train.rows * t->train.cols;
    if (size[0] != n || size[layers] < t->train.classes)
        cli_fail(&t->cli, "the net has %zu inputs and %zu "
                 "outputs, the pictures %zu pixels and %zu "
                 "classes", size[0], size[layers], n,
                 t->train.classes);
}
static void tell(struct teaching *t)
{
    static const char *const schedules[] = {
        "constant", "cosine", "one-cycle"};
    struct nn_state *state = t->model.state;
    int engine = kind(t, "engine", t->engine, NN_ENGINES);
    int schedule = which(t, "schedule", t->schedule, 3,
                         schedules);
    t->model.engine = (enum nn_engine)engine;
    t->model.dtype = engine == NN_ENGINE_FAST ? NN_F32 : NN_F64;
    t->place = (struct nn_place){state->step, state->order,
                                 state->sum};
    t->samples = (struct nn_samples){t->m, fetch, t};
    t->how = (struct nn_training){
        .epochs = (size_t)t->epochs, .batch = (size_t)t->batch,
        .rate = t->rate, .drop = t->dropout,
        .schedule = (enum nn_schedule)schedule,
        .rng = &state->rng, .after = end_step, .context = t,
        .place = &t->place};
    t->began = now();
    t->began_at = state->step;
}

static void begin(struct teaching *t, const char *dir,
                  const struct cli_option *options, size_t n)
{
    static const char *const inits[] = {"small", "glorot", "he"};
    struct nn_model *model = &t->model;
    size_t size[MOST_LAYERS + 1];
    enum nn_activation sigma[MOST_LAYERS];
    int layers = read_layers(t, size);
    int hidden = kind(t, "activation", t->activation,
                      NN_ACTIVATIONS);
    int loss = kind(t, "loss", t->loss, NN_LOSSES);
    int method = kind(t, "optimizer", t->optimizer, NN_METHODS);
    int init = which(t, "init", t->init, 3, inits);
    enum nn_status status;
    for (int l = 0; l < layers; l++)
        sigma[l] = (enum nn_activation)hidden;
    sigma[layers - 1] = loss == NN_CROSS_ENTROPY ? NN_IDENTITY
                                                 : NN_SIGMOID;
    see_fit(t, layers, size);
    status = nn_create(&model->nn, layers, size, sigma);
    model->state = calloc(1, sizeof *model->state);
    if (status == NN_OK && model->state)
        status = nn_optimizer_create(&model->state->optimizer,
                                     (enum nn_method)method,
                                     model->nn.params);
    if (status == NN_OK && model->state)
        model->state->order = calloc(t->m,
                                     sizeof *model->state->order);
    if (status == NN_OK && (!model->state || !model->state->order))
        status = NN_NO_MEMORY;

    model->nn.loss = (enum nn_loss)loss;
    model->nn.decay = t->decay;
    model->rows = t->train.rows;
    model->cols = t->train.cols;
    model->scale = 255;
    for (size_t i = 0; status == NN_OK && i < n; i++) {
        char *text = setting_text(&options[i]);
        status = text ? nn_model_set(model, options[i].name, text)
                      : NN_NO_MEMORY;
        free(text);
    }
    if (status != NN_OK)
        cli_fail(&t->cli, "%s", nn_status_text(status));

    model->state->m = t->m;
    model->state->rng = nn_rng_seeded((uint64_t)t->seed);
    nn_initialize(&model->nn, (enum nn_init)init,
                  &model->state->rng);
    name_classes(t, dir);
    tell(t);
}
static void take_up(struct teaching *t)
{
    struct nn_model *model = &t->model;
    const struct nn_state *state = model->state;
    size_t size[MOST_LAYERS + 1];
    int layers = read_layers(t, size), same;
    tell(t);
    see_fit(t, model->nn.layers, model->nn.size);

    same = layers == model->nn.layers &&
           nn_word_value(NN_METHODS, t->optimizer) ==
               (int)state->optimizer.method;
    for (int l = 0; same && l <= layers; l++)
        same = size[l] == model->nn.size[l];
    if (!same)
        cli_fail(&t->cli, "%s: its settings do not fit its net",
                 t->resume);
    if (state->m != t->m)
        cli_fail(&t->cli, "%s: a training of %zu pictures, "
                 "not of %zu", t->resume, state->m, t->m);
    size_t batch = (size_t)t->batch;
    size_t steps = t->m / batch + (t->m % batch != 0);
    size_t past = state->step % steps;
    if (state->step == 0 ||
        state->step >= steps * (size_t)t->epochs ||
        state->done != (past ? past * batch : t->m) ||
        state->epoch != (state->step - 1) / steps + 1)
        cli_fail(&t->cli, "%s: its epoch, step and pictures do not "
                          "fit each other", t->resume);
}

int main(int argc, char **argv)
{
    enum { SETTINGS = 16 }; // the options down to --pictures
    static struct teaching t = {
        .layers = "784,128,10", .activation = "relu",
        .loss = "cross-entropy", .init = "he", .optimizer = "adam",
        .schedule = "cosine", .engine = "plain", .classes = "",
        .rate = 0.001, .batch = 32, .epochs = 10, .seed = 1};
    const struct cli_option options[] = {
        {"layers", "SIZES", "units of each layer, the inputs first "
         "[784,128,10]", CLI_TEXT, &t.layers, 0, 0},
        {"activation", "A", "of hidden units: relu, tanh, sigmoid or "
         "identity [relu]", CLI_TEXT, &t.activation, 0, 0},
        {"loss", "L", "cross-entropy or squared [cross-entropy]",
         CLI_TEXT, &t.loss, 0, 0},
        {"init", "I", "first weights: small, glorot or he [he]",
         CLI_TEXT, &t.init, 0, 0},
        {"optimizer", "O", "descent, momentum or adam [adam]",
         CLI_TEXT, &t.optimizer, 0, 0},
        {"rate", "R", "the learning rate", CLI_REAL, &t.rate, 0,
         1000},
        {"schedule", "S", "constant, cosine or one-cycle [cosine]",
         CLI_TEXT, &t.schedule, 0, 0},
        {"batch", "N", "pictures to a step", CLI_WHOLE, &t.batch, 1,
         1e6},
        {"epochs", "N", "walks over the pictures",
         CLI_WHOLE, &t.epochs, 1, 1e6},
        {"dropout", "D", "share of hidden units silenced",
         CLI_REAL, &t.dropout, 0, 0.99},
        {"decay", "D", "what weights cost, lambda",
         CLI_REAL, &t.decay, 0, 1},
        {"seed", "N", "of the random numbers",
         CLI_WHOLE, &t.seed, 0, 1e15},
        {"engine", "E", "plain (in doubles) or fast (in floats) "
         "[plain]", CLI_TEXT, &t.engine, 0, 0},
        {"classes", "NAMES", "names of the classes, with commas "
         "[Fashion-MNIST's, if DIR has \"fashion\" in it]", CLI_TEXT,
         &t.classes, 0, 0},
        {"validation", "N", "hold out the last N training pictures",
         CLI_WHOLE, &t.validation, 0, 1e9},
        {"pictures", "N", "learn from the first N of the others; "
         "0: all", CLI_WHOLE, &t.pictures, 0, 1e9},
        {"save", "MODEL", "save the net, after each epoch",
         CLI_TEXT, &t.save, 0, 0},
        {"resume", "MODEL", "go on with a training that was stopped",
         CLI_TEXT, &t.resume, 0, 0},
        {"log", "FILE", "append a line for each epoch, as CSV",
         CLI_TEXT, &t.log_path, 0, 0},
    };
    t.cli = (struct cli){"train", "DIR",
        "Teaches a net the pictures in DIR. SIGINT or SIGTERM ends "
        "the step,\nsaves if there is a --save, and exits with 130 "
        "or 143; --resume MODEL goes\non as if nothing had been, "
        "with the settings in MODEL.",
        options, sizeof options / sizeof *options, 1};
    const char *dir = argv[cli_parse(&t.cli, argc, argv)];
    if (t.resume) {
        load_model(&t.cli, &t.model, t.resume);
        if (!t.model.state)
            cli_fail(&t.cli, "%s: no training to go on with: it is "
                             "finished", t.resume);
        for (size_t i = 0; i < SETTINGS; i++)
            read_setting(&t, &options[i]);
        cli_parse(&t.cli, argc, argv);
        for (size_t i = 0; i < SETTINGS; i++) {
            const char *name = options[i].name;
            char *text = setting_text(&options[i]);
            if (!text)
                cli_fail(&t.cli, "%s", nn_status_text(NN_NO_MEMORY));
            if (strcmp(text, nn_model_get(&t.model, name)) != 0)
                cli_fail(&t.cli, "--%s %s: %s was begun with %s", name,
                         text, t.resume, nn_model_get(&t.model, name));
            free(text);
        }
    }
    load_pictures(&t.cli, &t.train, dir, "train");
    t.held = (size_t)t.validation;
    t.m = (size_t)t.pictures;
    if (t.held >= t.train.m || t.m > t.train.m - t.held)
        cli_fail(&t.cli, "%s: %zu pictures, too few for --pictures "
                         "and --validation", dir, t.train.m);
    if (t.m == 0)
        t.m = t.train.m - t.held;
    if (t.resume)
        take_up(&t);
    else
        begin(&t, dir, options, SETTINGS);
    if (t.log_path) {
        t.log = fopen(t.log_path, "a");
        if (!t.log || fseek(t.log, 0, SEEK_END) != 0)
            cli_fail(&t.cli, "%s: %s", t.log_path, strerror(errno));
        if (ftell(t.log) == 0)
            fputs("epoch,step,rate,cost,validation_score,"
                  "validation_cost\n", t.log);
    }
    if (t.save) {
        const char *slash = strrchr(t.save, '/');
        char *folder = slash ? strndup(t.save, (size_t)
                                       (slash - t.save + 1))
                             : strdup(".");
        int amiss = folder && access(folder, W_OK) == 0 ? 0 : errno;
        free(folder);
        if (amiss)
            cli_fail(&t.cli, "%s: cannot be saved: %s", t.save,
                     strerror(amiss));
    }
    size_t n_in = t.model.nn.size[0];
    size_t n_out = t.model.nn.size[t.model.nn.layers];
    size_t most = (size_t)t.batch < t.m ? (size_t)t.batch : t.m;
    t.x = calloc(SOME * n_in, sizeof *t.x);
    t.y = calloc(SOME * n_out, sizeof *t.y);
    t.a = calloc(SOME * n_out, sizeof *t.a);
    t.fast_x = calloc(SOME * n_in, sizeof *t.fast_x);
    t.fast_a = calloc(SOME * n_out, sizeof *t.fast_a);
    enum nn_status room = NN_OK;
    if (!t.x || !t.y || !t.a || !t.fast_x || !t.fast_a)
        room = NN_NO_MEMORY;
    else if (t.model.engine == NN_ENGINE_FAST)
        room = nn_fast_create(&t.fast, &t.model.nn, most);
    if (room != NN_OK)
        cli_fail(&t.cli, "%s", nn_status_text(room));
    if (t.model.engine == NN_ENGINE_FAST)
        t.how.fast = &t.fast;
    printf("pictures = %zu  held out = %zu  parameters = %zu\n\n"
           "epoch     step        rate      cost",
           t.m, t.held, t.model.nn.params);
    puts(t.held ? "   score  their cost" : "");
    cli_finish(&t.cli);
    note_signals();
    enum nn_status status = nn_train(&t.model.nn, &t.samples,
                                     &t.model.state->optimizer,
                                     &t.how, &t.now);
    if (status != NN_OK)
        cli_fail(&t.cli, "epoch %zu, step %zu: %s: %s", t.now.epoch,
                 t.now.step, *t.now.born ? t.now.born : "training",
                 nn_status_text(status));
    if (t.now.step < t.now.steps) {
        save(&t, &t.now);
        fprintf(stderr, "train: stopped after step %zu of %zu, %s\n",
                t.now.step, t.now.steps,
                t.save ? "and saved" : "and not saved");
        exit(128 + caught);
    }
    if (t.log && fclose(t.log) != 0)
        cli_fail(&t.cli, "%s: %s", t.log_path, strerror(errno));
    if (t.how.fast)
        nn_fast_destroy(&t.fast);
    free(t.x);
    free(t.y);
    free(t.a);
    free(t.fast_x);
    free(t.fast_a);
    nn_model_free(&t.model);
    nn_pictures_free(&t.train);
    cli_finish(&t.cli);
    return 0;
}

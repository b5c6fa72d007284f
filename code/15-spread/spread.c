/* Tangled from chapters/15-spread.nw: edit there. Sum 2294218693. */
/* mpicc -std=c11 -O2 -ffp-contract=off -Icode -o spread code/15-spread/spread.c code/tools/[a-z]*.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -ljansson -lpng -lz -lm */
#define _GNU_SOURCE
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#if __has_include(<mpi.h>)
#include <mpi.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/fast.h"
#include "nn/init.h"
#include "nn/pictures.h"
#include "tools/model.h"

enum { CLASSES = 10, PIECES = 8, MOST_LAYERS = 8,
       MOST_UNITS = 100000 };
enum { ROUNDS = 50, REPEAT = 2 };
enum way { AFTER, ALONG, TREE };
static const char *const way_name[] = {"after", "along", "tree"};

struct job {
    struct cli cli;
    const char *data, *hidden, *sum, *save, *resume;
    long ranks, batch, steps, every, seed, die;
    double rate;
    enum way how;
    struct nn_pictures train;
    struct nn nn;
    struct nn_fast fast;
    struct nn_rng rng;
    size_t epoch, step, done; // done: pictures of this epoch
    size_t *order;            // [train.m]
    float *x, *y;             // [batch][n_0], [batch][CLASSES]
    size_t length;            // of a vector: slopes and a cost
    float *g, *other;         // [PIECES][length], [length]
};
static void fetch(const struct job *job, size_t first, size_t m)
{
    const struct nn_pictures *set = &job->train;
    size_t n_in = job->nn.size[0];
    memset(job->y, 0, m * CLASSES * sizeof *job->y);
    for (size_t s = 0; s < m; s++) {
        size_t at = job->order[first + s];
        const uint8_t *pixel = set->pixel + at * n_in;
        for (size_t k = 0; k < n_in; k++)
            job->x[s * n_in + k] = (float)pixel[k] / 255;
        job->y[s * CLASSES + set->label[at]] = 1;
    }
}
static void step(struct job *job, int parts)
{
    const float rate = (float)(job->rate / parts);
    float *p = job->fast.p;
    #pragma omp simd
    for (size_t i = 0; i < job->fast.room; i++)
        p[i] -= rate * job->g[i];
}
static int is_finite(const struct job *job)
{
    unsigned finite = 1;
    for (size_t i = 0; i <= job->fast.room; i++)
        finite &= fabsf(job->g[i]) <= FLT_MAX;
    return finite != 0;
}
static void add(size_t n, float *g, const float *other)
{
    #pragma omp simd
    for (size_t i = 0; i < n; i++)
        g[i] += other[i];
}

/* g[0] = the sum, by pairs, of COUNT vectors of n numbers. COUNT
   is a power of two. */
static void add_by_pairs(size_t count, size_t n, float *g)
{
    for (size_t d = 1; d < count; d *= 2)
        for (size_t i = 0; i < count; i += 2 * d)
            add(n, g + i * n, g + (i + d) * n);
}
enum { MARKS = 4 };
static const char *const mark_name[MARKS] = {
    "data", "layers", "seed", "settings"
};

static uint32_t sum_of(const void *bytes, size_t length)
{
    return (uint32_t)crc32_z(0, bytes, length);
}

static void mark(const struct job *job, uint32_t mark[MARKS])
{
    const struct nn_pictures *set = &job->train;
    const double settings[] = {
        (double)job->batch, job->rate, (double)job->steps,
        (double)job->how, (double)job->every
    };
    size_t n = set->rows * set->cols;
    mark[0] = sum_of(set->pixel, set->m * n) ^
              sum_of(set->label, set->m);
    mark[1] = sum_of(job->nn.size, ((size_t)job->nn.layers + 1) *
                                       sizeof *job->nn.size);
    mark[2] = (uint32_t)job->seed;
    mark[3] = sum_of(settings, sizeof settings);
}
struct machine {
    double latency;           // alpha, seconds
    double bandwidth, adding; // beta, gamma, bytes a second
    double fixed, sample;     // t0, t1, seconds
    double cores;             // c
};

static double rounds_of(double ranks)
{
    return 2 * ceil(log2(ranks));
}

static double sum_time(const struct machine *at, double ranks,
                       double bytes)
{
    double share = (ranks - 1) / ranks * bytes;
    return rounds_of(ranks) * at->latency +
           2 * share / at->bandwidth + share / at->adding;
}

static double step_time(const struct machine *at, double ranks,
                        double batch, double bytes)
{
    double turns = fmax(1, ranks / at->cores);
    return turns * (at->fixed + batch / ranks * at->sample +
                    sum_time(at, ranks, bytes));
}
static float sum_of_part(size_t n, const float *x)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static float sum_by_pairs(size_t n, const float *x)
{
    if (n == 1)
        return x[0];
    return sum_by_pairs(n / 2, x) +
           sum_by_pairs(n - n / 2, x + n / 2);
}

static void print_sum(const char *name, float sum, double right)
{
    printf("%-12s  %14.7f  %10.1e\n", name, (double)sum,
           (double)sum - right);
}

static void print_sums(const struct cli *cli)
{
    const size_t n = 1 << 20;
    struct nn_rng rng = nn_rng_seeded(1);
    float *x = malloc(n * sizeof *x);
    double right = 0;
    if (!x)
        cli_fail(cli, "%s", nn_status_text(NN_NO_MEMORY));
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)nn_rng_uniform(&rng, -1, 1);
        right += (double)x[i];
    }

    puts("                         sum       error");
    for (size_t ranks = 1; ranks <= 1024; ranks *= 4) {
        float sum = 0;
        char name[20];
        for (size_t r = 0; r < ranks; r++)
            sum += sum_of_part(n / ranks, x + r * (n / ranks));
        snprintf(name, sizeof name, "%zu rank%s", ranks,
                 ranks > 1 ? "s" : "");
        print_sum(name, sum, right);
    }
    print_sum("by pairs", sum_by_pairs(n, x), right);
    printf("%-12s  %14.7f\n", "in double", right);
    free(x);
}
static void print_paper(double weights, double each,
                        double batch, double flops,
                        double latency, double bandwidth)
{
    const struct machine at = {
        .latency = latency, .bandwidth = bandwidth,
        .adding = HUGE_VAL, .sample = each * weights / flops,
        .cores = HUGE_VAL};
    double bytes = 4 * weights, one = batch * at.sample;
    printf("weights = %.6g  each = %g  batch = %.6g\n"
           "flops = %.3g  bandwidth = %.3g  latency = %.3g\n\n"
           "machines   computing     the sum        step      "
           "gain\n", weights, each, batch, flops, bandwidth,
           latency);
    for (double n = 1; n <= 1000; n *= 10) {
        double step = step_time(&at, n, batch, bytes);
        printf("%8.0f  %9.2e s %9.2e s %9.2e s %9.2f\n", n,
               one / n, sum_time(&at, n, bytes), step,
               one / step);
    }
    putchar('\n');
    for (double n = 10; n <= 1000; n *= 10)
        printf("gain of %.0f = %.3g\n", n,
               one / step_time(&at, n, batch, bytes));
    printf("machines = %.3g\n",
           each / 8 * batch * bandwidth / flops);
}
static void draw_order(struct job *job)
{
    nn_rng_shuffle(&job->rng, job->order, job->train.m);
    job->done = 0;
    job->epoch++;
}

static void next_batch(struct job *job)
{
    if (job->done + (size_t)job->batch > job->train.m)
        draw_order(job);
}

static void restart(struct job *job)
{
    job->rng = nn_rng_seeded((uint64_t)job->seed);
    job->step = job->epoch = 0;
    for (size_t s = 0; s < job->train.m; s++)
        job->order[s] = s;
    nn_initialize(&job->nn, NN_HE, &job->rng);
    nn_fast_pack(&job->fast, job->nn.p, job->fast.p);
    draw_order(job);
}

/* Returns how many layers --hidden makes, with their sizes; 0 if
   it is amiss. */
static int read_sizes(const struct job *job,
                      size_t size[MOST_LAYERS + 1])
{
    size_t hidden = cli_sizes(job->hidden, MOST_UNITS,
                              MOST_LAYERS - 1, size + 1);
    size[0] = job->train.rows * job->train.cols;
    size[hidden + 1] = CLASSES;
    return hidden ? (int)hidden + 1 : 0;
}

/* Makes room for a training on job->train. */
static enum nn_status open_job(struct job *job)
{
    size_t size[MOST_LAYERS + 1], batch = (size_t)job->batch;
    enum nn_activation sigma[MOST_LAYERS];
    int layers = read_sizes(job, size);
    for (int l = 0; l < layers; l++)
        sigma[l] = l < layers - 1 ? NN_RELU : NN_IDENTITY;
    enum nn_status status = nn_create(&job->nn, layers, size,
                                      sigma);
    if (status != NN_OK)
        return status;
    job->nn.loss = NN_CROSS_ENTROPY;
    status = nn_fast_create(&job->fast, &job->nn, batch);
    if (status != NN_OK)
        return status;

    job->length = job->fast.room + NN_PANEL;
    job->order = calloc(job->train.m, sizeof *job->order);
    job->x = calloc(batch, size[0] * sizeof *job->x);
    job->y = calloc(batch, CLASSES * sizeof *job->y);
    job->g = calloc(PIECES, job->length * sizeof *job->g);
    job->other = calloc(job->length, sizeof *job->other);
    if (!job->order || !job->x || !job->y || !job->g ||
        !job->other)
        return NN_NO_MEMORY;
    restart(job);
    return NN_OK;
}

static void end_job(struct job *job)
{
    nn_destroy(&job->nn);
    nn_fast_destroy(&job->fast);
    nn_pictures_free(&job->train);
    free(job->order);
    free(job->x);
    free(job->y);
    free(job->g);
    free(job->other);
}

static void fail_model(const struct job *job,
                       enum nn_status status,
                       const struct nn_model_fault *fault)
{
    char text[NN_MODEL_TEXT];
    nn_model_explain(status, fault, text);
    cli_fail(&job->cli, "%s", text);
}
static void save(struct job *job)
{
    struct nn_state state = {
        .optimizer = {.method = NN_DESCENT, .n = job->nn.params},
        .epoch = job->epoch, .step = job->step,
        .done = job->done, .m = job->train.m,
        .order = job->order, .rng = job->rng};
    struct nn_model model = {
        .nn = job->nn, .rows = job->train.rows,
        .cols = job->train.cols, .scale = 255, .dtype = NN_F32,
        .engine = NN_ENGINE_FAST, .state = &state};
    struct nn_model_fault fault;

    nn_fast_unpack(&job->fast, job->fast.p, job->nn.p);
    enum nn_status status = nn_model_save(&model, job->save,
                                          &fault);
    if (status != NN_OK)
        fail_model(job, status, &fault);
}
#ifdef MPI_VERSION
struct team {
    MPI_Comm all;
    int rank, ranks;
};

static struct team team_of(MPI_Comm all)
{
    struct team team = {.all = all};
    MPI_Comm_rank(all, &team.rank);
    MPI_Comm_size(all, &team.ranks);
    return team;
}
static void sum_after(struct job *job, const struct team *team,
                      size_t m)
{
    double cost;
    nn_fast_gradient(&job->fast, m, job->x, job->y, job->g,
                     &cost);
    job->g[job->fast.room] = (float)cost;
    MPI_Allreduce(MPI_IN_PLACE, job->g, (int)job->fast.room + 1,
                  MPI_FLOAT, MPI_SUM, team->all);
}
struct sending {
    struct job *job;
    const struct team *team;
    double cost;
    MPI_Request request[MOST_LAYERS]; // of layer l, [l - 1]
};

static void send_layer(void *context, int l)
{
    struct sending *s = context;
    const struct nn_fast *f = &s->job->fast;
    size_t first = f->at[l].w, end = f->room + 1;
    if (l < f->layers)
        end = f->at[l + 1].w;
    else
        s->job->g[f->room] = (float)s->cost;
    MPI_Iallreduce(MPI_IN_PLACE, s->job->g + first,
                   (int)(end - first), MPI_FLOAT, MPI_SUM,
                   s->team->all, &s->request[l - 1]);
}
static void sum_along(struct job *job, const struct team *team,
                      size_t m)
{
    struct sending s = {.job = job, .team = team};
    job->fast.layer_done = send_layer;
    job->fast.context = &s;
    nn_fast_gradient(&job->fast, m, job->x, job->y, job->g,
                     &s.cost);
    MPI_Waitall(job->fast.layers, s.request,
                MPI_STATUSES_IGNORE);
    job->fast.layer_done = NULL;
}
static void sum_tree(struct job *job, const struct team *team,
                     size_t m)
{
    size_t own = PIECES / (size_t)team->ranks, piece = m / own;
    size_t n = job->length, n_in = job->nn.size[0];
    for (size_t i = 0; i < own; i++) {
        float *g = job->g + i * n;
        double cost;
        nn_fast_gradient(&job->fast, piece,
                         job->x + i * piece * n_in,
                         job->y + i * piece * CLASSES, g, &cost);
        g[job->fast.room] = (float)cost;
    }

    add_by_pairs(own, n, job->g);
    for (int d = 1; d < team->ranks; d *= 2) {
        int partner = team->rank ^ d;
        MPI_Sendrecv(job->g, (int)n, MPI_FLOAT, partner, 0,
                     job->other, (int)n, MPI_FLOAT, partner, 0,
                     team->all, MPI_STATUS_IGNORE);
        add(n, job->g, job->other);
    }
}
static void take_step(struct job *job, const struct team *team)
{
    size_t m = (size_t)job->batch / (size_t)team->ranks;
    next_batch(job);
    fetch(job, job->done + m * (size_t)team->rank, m);
    if (job->how == TREE)
        sum_tree(job, team, m);
    else if (job->how == ALONG)
        sum_along(job, team, m);
    else
        sum_after(job, team, m);
    step(job, job->how == TREE ? PIECES : team->ranks);
    job->done += (size_t)job->batch;
    job->step++;
}
/* Returns the index of the first mark that is not the same for
   all ranks, or MARKS. */
static int disagree(const struct job *job,
                    const struct team *team)
{
    uint32_t mine[2 * MARKS], least[2 * MARKS];
    mark(job, mine);
    for (int i = 0; i < MARKS; i++)
        mine[MARKS + i] = ~mine[i];
    MPI_Allreduce(mine, least, 2 * MARKS, MPI_UINT32_T, MPI_MIN,
                  team->all);
    int i = 0;
    while (i < MARKS && least[i] == ~least[MARKS + i])
        i++;
    return i;
}
enum end { CONTENT, FAILED, MISUSED };

static void fail_together(const struct job *job,
                          const struct team *team, enum end end,
                          const char *format, ...)
{
    int mine = end ? team->rank : team->ranks, first = 0;
    MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, team->all);
    if (first == team->ranks)
        return;
    if (first == team->rank) {
        va_list args;
        fprintf(stderr, "%s: ", job->cli.program);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputs(end == MISUSED ? "; try --help\n" : "\n", stderr);
    }
    MPI_Finalize();
    exit(end == MISUSED ? 2 : 1);
}
static const char *fits(const struct job *job,
                        const struct nn_model *model)
{
    const struct nn *nn = &model->nn;
    int same = nn->layers == job->nn.layers;
    for (int l = 0; same && l <= nn->layers; l++)
        same = nn->size[l] == job->nn.size[l];
    if (!same)
        return "not the layers of --hidden";
    for (int l = 0; l < nn->layers; l++)
        same = same && nn->sigma[l] == job->nn.sigma[l];
    if (!same || nn->loss != job->nn.loss || nn->decay > 0 ||
        model->offset < 0 || model->offset > 0 ||
        model->scale < 255 || model->scale > 255)
        return "a net of another kind";
    if (!model->state)
        return "no training to go on with";
    if (model->state->optimizer.method != NN_DESCENT)
        return "a training by another method";
    if (model->state->m != job->train.m)
        return "a training on other pictures";
    return NULL;
}

static void take_up(struct job *job, const struct team *team)
{
    char text[NN_MODEL_TEXT] = "";
    if (team->rank == 0) {
        struct nn_model model;
        struct nn_model_fault fault;
        enum nn_status status = nn_model_load(&model, job->resume,
                                              &fault);
        if (status != NN_OK) {
            nn_model_explain(status, &fault, text);
        } else {
            const char *why = fits(job, &model);
            if (why)
                snprintf(text, sizeof text, "%s: %s",
                         job->resume, why);
            if (!why) {
                const struct nn_state *state = model.state;
                nn_fast_pack(&job->fast, model.nn.p, job->fast.p);
                memcpy(job->order, state->order,
                       state->m * sizeof *state->order);
                job->epoch = state->epoch;
                job->step = state->step;
                job->done = state->done;
                job->rng = state->rng;
            }
            nn_model_free(&model);
        }
    }
    fail_together(job, team, *text ? FAILED : CONTENT, "%s",
                  text);

    struct { size_t epoch, step, done; struct nn_rng rng; } at = {
        job->epoch, job->step, job->done, job->rng};
    MPI_Bcast(&at, sizeof at, MPI_BYTE, 0, team->all);
    MPI_Bcast(job->fast.p, (int)job->fast.room, MPI_FLOAT, 0,
              team->all);
    MPI_Bcast(job->order, (int)(job->train.m *
              sizeof *job->order), MPI_BYTE, 0, team->all);
    job->epoch = at.epoch;
    job->step = at.step;
    job->done = at.done;
    job->rng = at.rng;
}
static void load_test(struct job *job, const struct team *team,
                      struct nn_pictures *test)
{
    char text[PICTURES_TEXT] = "";
    if (team->rank == 0)
        load_or_explain(test, job->data, "t10k", text);
    if (team->rank == 0 && !*text &&
        test->rows * test->cols != job->nn.size[0])
        snprintf(text, sizeof text, "%s: %s", job->data,
                 nn_status_text(NN_MISMATCH));
    fail_together(job, team, *text ? FAILED : CONTENT, "%s",
                  text);
}

static double share_right(struct job *job,
                          const struct nn_pictures *test)
{
    size_t n_in = job->nn.size[0], right = 0;
    float *x = job->x, a[CLASSES];
    for (size_t s = 0; s < test->m; s++) {
        size_t said = 0;
        for (size_t k = 0; k < n_in; k++)
            x[k] = (float)test->pixel[s * n_in + k] / 255;
        nn_fast_forward(&job->fast, 1, x, a);
        for (size_t c = 1; c < CLASSES; c++)
            said = a[c] > a[said] ? c : said;
        right += said == test->label[s];
    }
    return (double)right / (double)test->m;
}

static void one_step(struct job *job, const struct team *team)
{
    if (job->step + 1 == (size_t)job->die &&
        team->rank == team->ranks - 1)
        raise(SIGKILL);
    take_step(job, team);
    if (!is_finite(job))
        fail_together(job, team, FAILED, "step %zu: %s",
                      job->step, nn_status_text(NN_NOT_FINITE));
    if (job->save && team->rank == 0 &&
        (job->step % (size_t)job->every == 0 ||
         job->step == (size_t)job->steps))
        save(job);
}

static void train(struct job *job, const struct team *team)
{
    int parts = job->how == TREE ? PIECES : team->ranks;
    size_t steps = (size_t)job->steps, line = (steps + 7) / 8;
    double sum = 0;
    size_t since = 0;
    struct nn_pictures test = {0};
    load_test(job, team, &test);
    if (team->rank == 0) {
        printf("ranks = %d  batch = %ld  sum = %s\n\n"
               " step    cost\n", team->ranks, job->batch,
               way_name[job->how]);
    }
    while (job->step < steps) {
        one_step(job, team);
        sum += (double)job->g[job->fast.room] / parts;
        since++;
        if (job->step % line == 0 || job->step == steps) {
            if (team->rank == 0)
                printf("%5zu  %.4f\n", job->step,
                       sum / (double)since);
            fflush(stdout);
            sum = 0;
            since = 0;
        }
    }
    if (team->rank == 0) {
        printf("\nright on test = %.4f\n",
               share_right(job, &test));
        printf("parameters = %08x\n",
               (unsigned)sum_of(job->fast.p, job->fast.room *
                                sizeof *job->fast.p));
    }
    nn_pictures_free(&test);
}
static void wait_quietly(const struct team *team)
{
    const struct timespec moment = {.tv_nsec = 500000};
    MPI_Request request;
    int done = 0;
    MPI_Ibarrier(team->all, &request);
    while (MPI_Test(&request, &done, MPI_STATUS_IGNORE), !done)
        nanosleep(&moment, NULL);
}

static double bytes_of(const struct job *job)
{
    return (double)((job->fast.room + 1) * sizeof *job->g);
}

static void add_once(struct job *job, const struct team *team)
{
    (void)team;
    add(job->fast.room, job->g, job->other);
}

static void reduce_once(struct job *job, const struct team *team)
{
    MPI_Allreduce(MPI_IN_PLACE, job->g, (int)job->fast.room + 1,
                  MPI_FLOAT, MPI_SUM, team->all);
}

static double least_time(void (*call)(struct job *,
                                      const struct team *),
                         struct job *job, const struct team *team)
{
    double least = HUGE_VAL;
    for (int r = 0; r < ROUNDS; r++) {
        MPI_Barrier(team->all);
        double start = MPI_Wtime();
        for (int i = 0; i < REPEAT; i++)
            call(job, team);
        least = fmin(least, (MPI_Wtime() - start) / REPEAT);
    }
    return least;
}

static double exchange(const struct job *job, int n,
                       const struct team *two)
{
    double least = HUGE_VAL;
    for (int r = 0; r < ROUNDS; r++) {
        MPI_Barrier(two->all);
        double start = MPI_Wtime();
        for (int i = 0; i < REPEAT; i++)
            MPI_Sendrecv(job->g, n, MPI_FLOAT, 1 - two->rank, 0,
                         job->other, n, MPI_FLOAT, 1 - two->rank,
                         0, two->all, MPI_STATUS_IGNORE);
        least = fmin(least, MPI_Wtime() - start);
    }
    return least / REPEAT;
}
static void measure(struct job *job, const struct team *two,
                    struct machine *at)
{
    int n = (int)job->fast.room + 1;
    double bytes = bytes_of(job);
    at->latency = exchange(job, 1, two);
    at->bandwidth = bytes / (exchange(job, n, two) - at->latency);
    if (two->rank != 0)
        return;

    const struct team one = team_of(MPI_COMM_SELF);
    at->adding = bytes / least_time(add_once, job, &one);
    double whole = least_time(take_step, job, &one);
    job->batch /= PIECES;
    double part = least_time(take_step, job, &one);
    job->batch *= PIECES;
    at->fixed = fmax(0, (PIECES * part - whole) / (PIECES - 1));
    at->sample = (whole - at->fixed) / (double)job->batch;
}

/* The first N ranks alone, for the caller to free; the others
   get MPI_COMM_NULL. */
static MPI_Comm first_ranks(const struct team *team, int n)
{
    MPI_Comm some;
    MPI_Comm_split(team->all, team->rank < n ? 0 : MPI_UNDEFINED,
                   team->rank, &some);
    return some;
}

struct times { double sum, after, along; };

static struct times times_of(struct job *job,
                             const struct team *team)
{
    struct times t;
    t.sum = least_time(reduce_once, job, team);
    memset(job->g, 0, job->length * sizeof *job->g);
    job->how = AFTER;
    t.after = least_time(take_step, job, team);
    job->how = ALONG;
    t.along = least_time(take_step, job, team);
    return t;
}

static void print_machine(const struct job *job,
                          const struct machine *at)
{
    const struct nn_fast *f = &job->fast;
    size_t first = f->layers > 1 ? f->at[2].w : f->room;
    printf("# batch = %ld  rounds = %d  cores = %.0f  bytes a "
           "step = %.0f\n", job->batch, ROUNDS, at->cores,
           bytes_of(job));
    printf("# latency = %.2e  bandwidth = %.2e  adding = %.2e\n",
           at->latency, at->bandwidth, at->adding);
    printf("# fixed = %.2e  a sample = %.2e\n", at->fixed,
           at->sample);
    printf("# share of the first = %.3f\n\nranks     sum   sum.m"
           "     step   step.m    along   gain  gain.m\n",
           (double)first / (double)f->room);
}

static void print_cost(struct job *job, const struct team *team)
{
    struct machine at = {
        .cores = (double)sysconf(_SC_NPROCESSORS_ONLN)};
    double one = 0, bytes = bytes_of(job), scatter = 0;
    double batch = (double)job->batch;
    double gain[32] = {0}, sums[32] = {0};
    struct times t = {0};
    job->rate = 0;
    MPI_Comm some = first_ranks(team, 2);
    if (some != MPI_COMM_NULL) {
        const struct team two = team_of(some);
        measure(job, &two, &at);
        MPI_Comm_free(&some);
    }
    wait_quietly(team);
    if (team->rank == 0)
        print_machine(job, &at);

    for (int n = 1, i = 0; n <= team->ranks; n *= 2, i++) {
        some = first_ranks(team, n);
        if (some != MPI_COMM_NULL) {
            const struct team group = team_of(some);
            t = times_of(job, &group);
            if (n == 1) {
                one = t.after;
                scatter = fabs(t.along / one - 1);
            }
            gain[i] = one / t.after;
            MPI_Comm_free(&some);
        }
        wait_quietly(team);
        sums[i] = t.sum;
        if (team->rank == 0)
            {
                double model = step_time(&at, n, batch, bytes);
                double turns = fmax(1, n / at.cores);
                printf("%5d %7.0f %7.0f %8.0f %8.0f %8.0f %6.2f %7.2f\n", n,
                       1e6 * t.sum, 1e6 * turns * sum_time(&at, n, bytes),
                       1e6 * t.after, 1e6 * model, 1e6 * t.along, gain[i],
                       step_time(&at, 1, batch, bytes) / model);
            }
    }
    if (team->rank == 0)
        {
            struct machine own = at;
            own.cores = HUGE_VAL;
            putchar('\n');
            for (int n = 2, i = 1; n <= team->ranks; n *= 2, i++)
                printf("# gain of %d = %.2f  sum of %d = %.0f\n", n,
                       gain[i], n, 1e6 * sums[i]);
            putchar('#');
            for (int n = 4; n <= 64; n *= 4)
                printf("%s alone of %d = %.1f", n > 4 ? " " : "", n,
                       step_time(&own, 1, batch, bytes) /
                       step_time(&own, n, batch, bytes));
            putchar('\n');
            printf("# step of 1 = %.0f  along over after = %.2f  "
                   "scatter = %.2f\n", 1e6 * one, t.along / t.after,
                   scatter);
        }
}
static void print_order(struct job *job, const struct team *team)
{
    size_t n = job->fast.room, steps = (size_t)job->steps;
    float *first = calloc(n, sizeof *first); // of one rank
    if (!first)
        cli_fail(&job->cli, "%s", nn_status_text(NN_NO_MEMORY));
    if (team->rank == 0)
        printf("steps = %ld  batch = %ld\n\nranks     after  "
               "       away     along         away      tree\n",
               job->steps, job->batch);

    for (int ranks = 1; ranks <= team->ranks; ranks *= 2) {
        MPI_Comm some = first_ranks(team, ranks);
        if (team->rank == 0)
            printf("%5d", ranks);
        for (int how = AFTER; how <= TREE &&
                              some != MPI_COMM_NULL; how++) {
            const struct team group = team_of(some);
            job->how = (enum way)how;
            restart(job);
            while (job->step < steps)
                take_step(job, &group);
            if (team->rank == 0)
                {
                    const float *p = job->fast.p;
                    double off = 0, length = 0;
                    if (ranks == 1 && how == AFTER)
                        memcpy(first, p, n * sizeof *p);
                    for (size_t i = 0; i < n; i++) {
                        double d = (double)p[i] - (double)first[i];
                        off += d * d;
                        length += (double)first[i] * (double)first[i];
                    }
                    printf("  %08x", (unsigned)sum_of(p, n * sizeof *p));
                    if (how != TREE)
                        printf("  %11.1e", sqrt(off / length));
                }
        }
        if (some != MPI_COMM_NULL)
            MPI_Comm_free(&some);
        wait_quietly(team);
        if (team->rank == 0)
            putchar('\n');
    }
    free(first);
}
/* Has mpirun start so many of us, and waits for their end. On one
   machine, and perhaps with fewer processors than ranks, in a
   container, as root: mpirun wants to be told that this is
   meant. */
static void exec_mpirun(const struct job *job, char **argv)
{
    char number[24];
    char *const words[] = {"mpirun", "-q", "--oversubscribe",
                           "--bind-to", "none", "-n", number};
    enum { WORDS = sizeof words / sizeof *words };
    size_t n = 0;
    while (argv[n])
        n++;
    char **all = calloc(WORDS + n + 1, sizeof *all);
    if (!all)
        cli_fail(&job->cli, "%s", nn_status_text(NN_NO_MEMORY));
    memcpy(all, words, sizeof words);
    memcpy(all + WORDS, argv, n * sizeof *argv);
    snprintf(number, sizeof number, "%ld", job->ranks);

    if (geteuid() == 0) {
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    }
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    execvp("mpirun", all);
    cli_fail(&job->cli, "mpirun: %s", strerror(errno));
}

/* mpirun does not mind when what it prints cannot be written. So
   it prints into a pipe, and we write. */
static void hand_on(const int ends[2])
{
    char some[4096];
    ssize_t n;
    close(ends[1]);
    while ((n = read(ends[0], some, sizeof some)) > 0 ||
           (n < 0 && errno == EINTR)) {
        fwrite(some, 1, n > 0 ? (size_t)n : 0, stdout);
        fflush(stdout);
    }
    close(ends[0]);
}

_Noreturn static void start_ranks(const struct job *job,
                                  char **argv)
{
    int status = 0, ends[2];
    pid_t pid = pipe(ends) == 0 ? fork() : -1;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); // if we end before it
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        exec_mpirun(job, argv);
    }
    if (pid > 0)
        hand_on(ends);
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        cli_fail(&job->cli, "mpirun: %s", strerror(errno));

    // mpirun says which signal ended a rank, as a shell does
    int number = WIFSIGNALED(status) ? WTERMSIG(status)
                                     : WEXITSTATUS(status) - 128;
    if (number > 0 && job->save && access(job->save, R_OK) == 0)
        cli_fail(&job->cli, "a rank died by signal %d; go on: "
                 "--resume %s", number, job->save);
    if (number > 0)
        cli_fail(&job->cli, "a rank died by signal %d", number);
    cli_finish(&job->cli);
    exit(WEXITSTATUS(status));
}

static void load(struct job *job, const struct team *team)
{
    char text[PICTURES_TEXT];
    enum nn_status status;
    load_or_explain(&job->train, job->data, "train", text);
    if (*text)
        ; // it says enough
    else if (job->train.m < (size_t)job->batch ||
             job->train.classes > CLASSES)
        snprintf(text, sizeof text, "%s: %zu pictures of %zu "
                 "classes: too few, or too many", job->data,
                 job->train.m, job->train.classes);
    else if (job->train.m > INT_MAX / sizeof *job->order)
        snprintf(text, sizeof text, "%s: %zu pictures are more "
                 "than a message holds", job->data, job->train.m);
    else if ((status = open_job(job)) != NN_OK)
        snprintf(text, sizeof text, "%s", nn_status_text(status));
    else if (job->fast.room >= INT_MAX)
        snprintf(text, sizeof text, "--hidden %s: %zu parameters "
                 "are more than a message holds", job->hidden,
                 job->nn.params);
    fail_together(job, team, *text ? FAILED : CONTENT, "%s",
                  text);

    int mark = disagree(job, team);
    fail_together(job, team, mark < MARKS && team->rank == 0
                  ? FAILED : CONTENT, "the ranks disagree on: %s",
                  mark < MARKS ? mark_name[mark] : "");
    if (job->resume)
        take_up(job, team);
}

static void run(struct job *job, int cost, int order)
{
    int got;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &got);
    const struct team team = team_of(MPI_COMM_WORLD);
    int tree = job->how == TREE || order;
    #ifdef _OPENMP
    omp_set_num_threads(1); // the ranks are the threads here
    #endif
    fail_together(job, &team, job->batch % team.ranks ? MISUSED
                                                      : CONTENT,
                  "--batch %ld: not a multiple of %d ranks",
                  job->batch, team.ranks);
    fail_together(job, &team, tree && PIECES % team.ranks
                  ? MISUSED : CONTENT, "a fixed order takes as "
                  "many ranks as divide %d, not %d", PIECES,
                  team.ranks);
    fail_together(job, &team, cost && team.ranks < 2 ? MISUSED
                                                     : CONTENT,
                  "--cost takes two ranks or more");
    load(job, &team);

    if (cost)
        print_cost(job, &team);
    else if (order)
        print_order(job, &team);
    else
        train(job, &team);
    end_job(job);
    fflush(stdout);
    MPI_Finalize();
}
#endif

int main(int argc, char **argv)
{
    struct job job = {
        .data = "/usr/share/datasets/fashion-mnist", .hidden = "128",
        .sum = "after", .ranks = 1, .batch = 128, .steps = 200,
        .every = 100, .seed = 1, .rate = 0.1};
    int cost = 0, order = 0, sums = 0, paper = 0;
    double weights = 101770, each = 6, flops = 1e11;
    double latency = 5e-5, bandwidth = 1.25e9;
    const struct cli_option options[] = {
        {"ranks", "N", "start so many ranks by mpirun", CLI_WHOLE,
         &job.ranks, 1, 4096},
        {"data", "DIR", "the pictures [Debian's Fashion-MNIST]",
         CLI_TEXT, &job.data, 0, 0},
        {"hidden", "SIZES", "units of the hidden layers [128]",
         CLI_TEXT, &job.hidden, 0, 0},
        {"batch", "N", "pictures to a step, of all ranks together",
         CLI_WHOLE, &job.batch, PIECES, 1e9},
        {"steps", "N", "steps to take", CLI_WHOLE, &job.steps, 1,
         1e9},
        {"rate", "R", "the learning rate", CLI_REAL, &job.rate, 0,
         10},
        {"seed", "N", "of the random numbers", CLI_WHOLE, &job.seed,
         0, 1e9},
        {"sum", "HOW", "gradients are added after the backward pass, "
         "along with it, or as a tree in a fixed order [after]",
         CLI_TEXT, &job.sum, 0, 0},
        {"save", "MODEL", "save the training", CLI_TEXT, &job.save, 0,
         0},
        {"every", "N", "save it after so many steps, and at the end",
         CLI_WHOLE, &job.every, 1, 1e9},
        {"resume", "MODEL", "go on with a training", CLI_TEXT,
         &job.resume, 0, 0},
        {"die", "N", "kill the last rank at this step", CLI_WHOLE,
         &job.die, 1, 1e9},
        {"cost", "", "time steps of 1, 2, 4, ... ranks", CLI_FLAG,
         &cost, 0, 0},
        {"order", "", "compare the orders of the sum", CLI_FLAG,
         &order, 0, 0},
        {"sums", "", "add a million numbers in many orders", CLI_FLAG,
         &sums, 0, 0},
        {"paper", "", "compute what machines would gain", CLI_FLAG,
         &paper, 0, 0},
        {"weights", "N", "of the net on paper", CLI_REAL, &weights, 1,
         1e15},
        {"each", "N", "operations for a weight and sample", CLI_REAL,
         &each, 1, 100},
        {"flops", "N", "operations a second", CLI_REAL, &flops, 1,
         1e19},
        {"bandwidth", "N", "bytes a second", CLI_REAL, &bandwidth, 1,
         1e19},
        {"latency", "T", "seconds until a byte arrives", CLI_REAL,
         &latency, 0, 1000},
    };
    job.cli = (struct cli){"spread", "",
        "Divides a training among processes.", options,
        sizeof options / sizeof *options, 0};
    cli_parse(&job.cli, argc, argv);
    int how = AFTER;
    while (how <= TREE && strcmp(job.sum, way_name[how]) != 0)
        how++;
    job.how = (enum way)how;
    size_t sizes[MOST_LAYERS + 1];
    if (how > TREE)
        cli_misuse(&job.cli, "sum", job.sum,
                   "neither after nor along nor tree");
    if (!read_sizes(&job, sizes))
        cli_usage(&job.cli, "--hidden %s: wanted: 1 to %d sizes from "
                  "1 to %d", job.hidden, MOST_LAYERS - 1, MOST_UNITS);
    if (job.batch % PIECES != 0)
        cli_usage(&job.cli, "--batch %ld: not a multiple of %d",
                  job.batch, PIECES);
    if (sums) {
        print_sums(&job.cli);
    } else if (paper) {
        print_paper(weights, each, (double)job.batch, flops,
                    latency, bandwidth);
    } else {
        #ifdef MPI_VERSION
        if (job.ranks > 1 && !getenv("OMPI_COMM_WORLD_SIZE"))
            start_ranks(&job, argv);
        run(&job, cost, order);
        #else
        (void)save, (void)is_finite, (void)end_job, (void)mark;
        (void)fetch, (void)step, (void)add_by_pairs, (void)open_job;
        (void)next_batch, (void)mark_name, (void)cost, (void)order;
        cli_fail(&job.cli, "built without Open MPI; 'make "
                           "deps-code programs' brings it");
        #endif
    }
    cli_finish(&job.cli);
    return 0;
}

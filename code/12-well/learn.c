/* Tangled from chapters/12-well.nw: edit there. Sum 3295172702. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o learn code/12-well/learn.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "90-plumbing/cli.h"
#include "90-plumbing/load.h"
#include "nn/init.h"
#include "nn/pictures.h"
#include "nn/train.h"

enum { LOSS, INIT, METHOD, BATCH, RATE, SCHEDULE, DROP, DECAY,
       PATIENCE, FACTORS };

static const struct factor {
    const char *name, *first; // and its value, unless given
    const char *words[3];     // what it can be, if no number
    double low, high;
} factors[FACTORS] = {
    [LOSS] = {"loss", "cross-entropy",
              {"squared", "cross-entropy", NULL}, 0, 0},
    [INIT] = {"init", "small", {"small", "glorot", "he"}, 0, 0},
    [METHOD] = {"method", "descent",
                {"descent", "momentum", "adam"}, 0, 0},
    [BATCH] = {"batch", "10", {NULL}, 1, 1e6},
    [RATE] = {"rate", "0.1", {NULL}, 0, 1000},
    [SCHEDULE] = {"schedule", "cosine",
                  {"constant", "cosine", "one-cycle"}, 0, 0},
    [DROP] = {"drop", "0", {NULL}, 0, 0.99},
    [DECAY] = {"decay", "0", {NULL}, 0, 1},
    [PATIENCE] = {"patience", "0", {NULL}, 0, 1e6},
};
enum { MOST_VALUES = 12, MOST_SEEDS = 100 };

struct list {
    size_t n;
    double value[MOST_VALUES];
};

struct job {
    struct cli cli;
    struct nn_pictures train;
    size_t m, held, hidden, epochs, seeds, few;
    struct list list[FACTORS];
    double recipe[FACTORS];
    double score[MOST_SEEDS], cost[MOST_SEEDS];
    int curve, edge; // edge: the rate is an end of its list
    double *history; // [3][epochs][seeds]
    double *x, *y;   // [n_0], [classes]
};

struct run {
    struct job *job;
    uint64_t seed;
    struct nn nn;
    struct nn_rng rng;
    struct nn_optimizer optimizer;
    struct nn_samples samples;
    struct nn_training how;
    struct nn_now now;
    struct nn_best best;
};

struct seen { // of some pictures
    double score, cost;
};

struct result { // means over seeds, and spreads
    double score, score_spread, cost, cost_spread;
};
static int read_value(const struct factor *f, const char *text,
                      size_t length, double *value)
{
    char word[32], *end;
    if (length == 0 || length >= sizeof word)
        return 0;
    memcpy(word, text, length);
    word[length] = 0;
    for (int i = 0; f->words[0] && i < 3 && f->words[i]; i++)
        if (strcmp(word, f->words[i]) == 0) {
            *value = i;
            return 1;
        }
    *value = strtod(word, &end);
    return !f->words[0] && *end == 0 && *value >= f->low &&
           *value <= f->high;
}

static int read_list(const struct factor *f, const char *text,
                     struct list *list)
{
    for (list->n = 0; list->n < MOST_VALUES; text++) {
        size_t length = strcspn(text, ",");
        if (!read_value(f, text, length, &list->value[list->n]))
            return 0;
        list->n++;
        text += length;
        if (!*text)
            return 1;
    }
    return 0;
}
static struct seen look_at(struct run *run, size_t first,
                           size_t m)
{
    struct job *job = run->job;
    struct nn_layer last = nn_layer_at(&run->nn, run->nn.layers);
    const double *a = run->nn.a + last.unit;
    double decay = run->nn.decay;
    struct seen seen = {0, 0};
    run->nn.decay = 0;
    for (size_t s = first; s < first + m; s++) {
        nn_pictures_fetch(&job->train, s, job->x, job->y);
        seen.cost += nn_cost(&run->nn, 1, job->x, job->y);
        size_t said = 0;
        for (size_t c = 1; c < last.n; c++)
            if (a[c] > a[said])
                said = c;
        seen.score += said == job->train.label[s];
    }
    run->nn.decay = decay;
    seen.score /= (double)m;
    seen.cost /= (double)m;
    return seen;
}
static void note_curve(struct run *run, const struct nn_now *now,
                       const struct seen *seen)
{
    struct job *job = run->job;
    size_t at = (now->epoch - 1) * job->seeds + run->seed - 1;
    size_t block = job->epochs * job->seeds;
    job->history[at] = look_at(run, 0, job->m).cost;
    job->history[block + at] = seen->cost;
    job->history[2 * block + at] = seen->score;
}

static void print_row(const double *row, size_t n)
{
    double sum = 0, low = row[0], high = row[0];
    for (size_t i = 0; i < n; i++) {
        sum += row[i];
        low = row[i] < low ? row[i] : low;
        high = row[i] > high ? row[i] : high;
    }
    printf(" %.4f %.4f %.4f", sum / (double)n, low, high);
}

static void print_curve(struct job *job)
{
    static const char *const what[] = {"learned", "held",
                                       "score"};
    printf("epoch");
    for (int i = 0; i < 3; i++)
        printf(" %s %s_low %s_high", what[i], what[i], what[i]);
    putchar('\n');
    for (size_t e = 0; e < job->epochs; e++) {
        printf("%zu", e + 1);
        for (size_t i = 0; i < 3; i++)
            print_row(job->history +
                          (i * job->epochs + e) * job->seeds,
                      job->seeds);
        putchar('\n');
    }
}
static int look(void *context, const struct nn_now *now)
{
    struct run *run = context;
    struct job *job = run->job;
    size_t patience = (size_t)job->recipe[PATIENCE];
    cli_progress("steps of this run", now->step, now->steps);
    if (!now->epoch_ends || (!patience && !job->curve))
        return 0;
    struct seen seen = look_at(run, job->train.m - job->held,
                               job->held);
    if (job->curve && run->seed > 0)
        note_curve(run, now, &seen);
    return patience && nn_best_offer(&run->best, seen.score,
                                     run->nn.p) >= patience;
}
static void stop_unless(struct job *job, enum nn_status status,
                        const struct run *run)
{
    if (status != NN_OK)
        cli_fail(&job->cli, "seed %llu, step %zu: %s",
                 (unsigned long long)run->seed, run->now.step,
                 nn_status_text(status));
}

static void make_run(struct run *run, const double *recipe,
                     uint64_t seed)
{
    struct job *job = run->job;
    size_t size[] = {job->train.rows * job->train.cols,
                     job->hidden, job->train.classes};
    enum nn_loss loss = (enum nn_loss)recipe[LOSS];
    enum nn_activation sigma[] = {
        NN_RELU, loss == NN_SQUARED ? NN_SIGMOID : NN_IDENTITY};
    stop_unless(job, nn_create(&run->nn, 2, size, sigma), run);
    run->rng = nn_rng_seeded(seed);
    nn_initialize(&run->nn, (enum nn_init)recipe[INIT],
                  &run->rng);
    run->nn.loss = loss;
    run->nn.decay = recipe[DECAY];
    stop_unless(job, nn_optimizer_create(&run->optimizer,
                         (enum nn_method)recipe[METHOD],
                         run->nn.params), run);
    run->samples = (struct nn_samples){
        job->m, nn_pictures_fetch, &job->train};
    run->how = (struct nn_training){
        .epochs = job->epochs, .batch = (size_t)recipe[BATCH],
        .rate = recipe[RATE], .drop = recipe[DROP],
        .schedule = (enum nn_schedule)recipe[SCHEDULE],
        .rng = &run->rng, .after = look, .context = run};
    run->best.n = run->nn.params;
    run->best.p = calloc(run->best.n, sizeof *run->best.p);
    if (!run->best.p)
        stop_unless(job, NN_NO_MEMORY, run);
}

static void free_run(struct run *run)
{
    nn_destroy(&run->nn);
    nn_optimizer_destroy(&run->optimizer);
    free(run->best.p);
}
static struct seen learn_once(struct job *job, uint64_t seed)
{
    struct run run = {.job = job, .seed = seed};
    struct seen seen = {0, (double)INFINITY};
    make_run(&run, job->recipe, seed);
    enum nn_status status = nn_train(&run.nn, &run.samples,
                                     &run.optimizer, &run.how,
                                     &run.now);
    if (status != NN_NOT_FINITE) {
        stop_unless(job, status, &run);
        if (run.best.offers)
            memcpy(run.nn.p, run.best.p,
                   run.best.n * sizeof *run.best.p);
        seen = look_at(&run, job->train.m - job->held, job->held);
    }
    free_run(&run);
    return seen;
}
static void choose_rate(struct job *job)
{
    const struct list *rates = &job->list[RATE];
    double best = -1;
    size_t at = 0;
    for (size_t i = 0; rates->n > 1 && i < rates->n; i++) {
        job->recipe[RATE] = rates->value[i];
        double score = learn_once(job, 0).score;
        if (score > best) {
            best = score;
            at = i;
        }
    }
    job->recipe[RATE] = rates->value[at];
    job->edge = rates->n > 1 && (at == 0 || at == rates->n - 1);
}
static double mean_of(const double *c, size_t n, double *spread)
{
    double mean = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        mean += c[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (c[i] - mean) * (c[i] - mean);
    *spread = n > 1 ? sqrt(sum / (double)(n - 1)) : 0;
    return mean;
}
static struct result several_seeds(struct job *job)
{
    struct result r;
    for (size_t i = 0; i < job->seeds; i++) {
        struct seen seen = learn_once(job, i + 1);
        job->score[i] = seen.score;
        job->cost[i] = seen.cost;
    }

    r.score = mean_of(job->score, job->seeds, &r.score_spread);
    r.cost = mean_of(job->cost, job->seeds, &r.cost_spread);
    return r;
}
static void name_value(const struct job *job, size_t varied,
                       size_t i, char text[32])
{
    const struct factor *f = &factors[varied];
    double v = job->list[varied].value[i];
    if (f->words[0])
        snprintf(text, 32, "%s", f->words[(int)v]);
    else
        snprintf(text, 32, "%g", v);
}

static void print_head(const struct job *job, size_t varied)
{
    printf("pictures = %zu  held out = %zu  hidden = %zu  "
           "epochs = %zu\n\n", job->m, job->held, job->hidden,
           job->epochs);
    printf("%-14s %5s   %6s %7s   %6s %7s\n",
           factors[varied].name, "rate", "score", "spread",
           "cost", "spread");
}

static void print_result(const struct job *job, size_t varied,
                         size_t i, const struct result *r)
{
    char text[32];
    name_value(job, varied, i, text);
    printf("%-14s %5g%s  %.4f %7.4f", text, job->recipe[RATE],
           job->edge ? "*" : " ", r->score, r->score_spread);
    if ((enum nn_loss)job->recipe[LOSS] == NN_CROSS_ENTROPY)
        printf("   %.4f %7.4f\n", r->cost, r->cost_spread);
    else
        printf("        -       -\n");
    cli_finish(&job->cli);
}

static void print_gain(const struct job *job, size_t varied,
                       size_t best_at, const struct result *first,
                       const struct result *best)
{
    char text[32];
    double n = (double)job->seeds;
    double gain = best->score - first->score;
    if (fabs(gain) < 5e-5)
        gain = 0; // no -0.0000
    name_value(job, varied, best_at, text);
    printf("\nbest of the others = %s  gain = %.4f  "
           "doubt = %.4f\n", text, gain,
           2 * sqrt((first->score_spread * first->score_spread +
                     best->score_spread * best->score_spread) /
                    n));
}
static void sanity(struct job *job)
{
    struct run run = {.job = job};
    make_run(&run, job->recipe, 1);
    run.samples.m = job->few;
    run.how.batch = job->few;
    run.how.after = NULL;

    printf("logarithm of classes = %.4f\n",
           log((double)job->train.classes));
    printf("first cost = %.4f\n",
           look_at(&run, 0, job->few).cost);

    stop_unless(job, nn_train(&run.nn, &run.samples,
                              &run.optimizer, &run.how,
                              &run.now), &run);
    printf("steps = %zu  cost of %zu pictures = %.1e\n",
           run.now.step, job->few,
           look_at(&run, 0, job->few).cost);
    free_run(&run);
}

int main(int argc, char **argv)
{
    static struct job job;
    long hidden = 30, epochs = 5, pictures = 5000, hold = 5000;
    long seeds = 5, few = 0;
    const char *text[FACTORS];
    for (size_t f = 0; f < FACTORS; f++)
        text[f] = factors[f].first;
    const struct cli_option options[] = {
        {"pictures", "N", "learn from the first N pictures",
         CLI_WHOLE, &pictures, 1, 1e9},
        {"hold", "N", "score on the last N pictures",
         CLI_WHOLE, &hold, 1, 1e9},
        {"hidden", "N", "hidden units, ReLU",
         CLI_WHOLE, &hidden, 1, 100000},
        {"epochs", "N", "walks over the pictures",
         CLI_WHOLE, &epochs, 1, 1e6},
        {"seeds", "N", "runs to a line", CLI_WHOLE, &seeds, 1,
         MOST_SEEDS},
        {"loss", "L", "squared or cross-entropy [cross-entropy]",
         CLI_TEXT, &text[LOSS], 0, 0},
        {"init", "I", "first weights: small, glorot or he [small]",
         CLI_TEXT, &text[INIT], 0, 0},
        {"method", "M", "descent, momentum or adam [descent]",
         CLI_TEXT, &text[METHOD], 0, 0},
        {"batch", "B", "pictures to a step [10]",
         CLI_TEXT, &text[BATCH], 0, 0},
        {"rate", "R", "rates; the best of several is taken [0.1]",
         CLI_TEXT, &text[RATE], 0, 0},
        {"schedule", "S", "constant, cosine or one-cycle [cosine]",
         CLI_TEXT, &text[SCHEDULE], 0, 0},
        {"drop", "D", "share of hidden units silenced [0]",
         CLI_TEXT, &text[DROP], 0, 0},
        {"decay", "D", "what weights cost, lambda [0]",
         CLI_TEXT, &text[DECAY], 0, 0},
        {"patience", "N", "stop N epochs past the best; 0: never [0]",
         CLI_TEXT, &text[PATIENCE], 0, 0},
        {"curve", "", "print the epochs", CLI_FLAG, &job.curve, 0, 0},
        {"sanity", "N", "first cost; learn N pictures by heart",
         CLI_WHOLE, &few, 1, 1e6},
    };
    job.cli = (struct cli){"learn", "DIR",
        "Learns the pictures in DIR by one recipe or several, from "
        "several\nseeds each. One of loss, init, method, batch, "
        "schedule, drop, decay\nand patience may have several "
        "values, with commas; rate too.",
        options, sizeof options / sizeof *options, 1};
    const char *dir = argv[cli_parse(&job.cli, argc, argv)];
    size_t varied = RATE;
    for (size_t f = 0; f < FACTORS; f++) {
        if (!read_list(&factors[f], text[f], &job.list[f])) {
            const struct factor *of = &factors[f];
            char what[80];
            if (of->words[0])
                snprintf(what, sizeof what, "wanted: %s or %s%s%s",
                         of->words[0], of->words[1],
                         of->words[2] ? " or " : "",
                         of->words[2] ? of->words[2] : "");
            else
                snprintf(what, sizeof what,
                         "wanted: up to %d numbers, %g to %g",
                         MOST_VALUES, of->low, of->high);
            cli_misuse(&job.cli, factors[f].name, text[f], what);
        }
        job.recipe[f] = job.list[f].value[0];
        if (f == RATE || job.list[f].n == 1)
            continue;
        if (varied != RATE)
            cli_usage(&job.cli, "--%s and --%s have several values; "
                      "only one may", factors[varied].name,
                      factors[f].name);
        varied = f;
    }
    load_pictures(&job.cli, &job.train, dir, "train");
    if ((size_t)hold >= job.train.m ||
        (size_t)pictures > job.train.m - (size_t)hold)
        cli_fail(&job.cli, "%s: %zu pictures, fewer than --pictures "
                           "and --hold together",
                 dir, job.train.m);
    job.m = (size_t)pictures;
    job.held = (size_t)hold;
    job.hidden = (size_t)hidden;
    job.epochs = (size_t)epochs;
    job.seeds = (size_t)seeds;
    job.few = (size_t)few < job.m ? (size_t)few : job.m;
    job.x = calloc(job.train.rows, job.train.cols * sizeof *job.x);
    job.y = calloc(job.train.classes, sizeof *job.y);
    job.history = calloc(job.curve ? 3 * job.epochs * job.seeds : 1,
                         sizeof *job.history);
    if (!job.x || !job.y || !job.history)
        cli_fail(&job.cli, "%s", nn_status_text(NN_NO_MEMORY));
    if (few)
        sanity(&job);
    else {
        struct result first = {0}, best = {0};
        size_t best_at = 0;
        int starred = 0;
        print_head(&job, varied);
        for (size_t i = 0; i < job.list[varied].n; i++) {
            job.recipe[varied] = job.list[varied].value[i];
            if (varied != RATE)
                choose_rate(&job);
            struct result r = several_seeds(&job);
            print_result(&job, varied, i, &r);
            starred |= job.edge;
            if (i == 0)
                first = r;
            else if (i == 1 || r.score > best.score) {
                best = r;
                best_at = i;
            }
        }
        if (starred)
            printf("\n* the end of the list of rates: "
                   "one beyond it may be better\n");
        if (best_at)
            print_gain(&job, varied, best_at, &first, &best);
    }
    if (job.curve)
        print_curve(&job);
    free(job.history);
    free(job.x);
    free(job.y);
    nn_pictures_free(&job.train);
    cli_finish(&job.cli);
    return 0;
}

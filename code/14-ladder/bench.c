/* Tangled from chapters/90-plumbing.nw: edit there. Sum 2431676472. */
/* cc -std=c11 -O2 -ffp-contract=off -Icode -o bench code/14-ladder/bench.c code/nn/[a-z]*.c code/90-plumbing/[a-z]*.c -fno-math-errno -fopenmp -lz -lm */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "90-plumbing/cli.h"
#include "nn/init.h"

enum { INPUTS = 784, HIDDEN = 128, CLASSES = 10 };
enum { MOST = 200, MOST_SIZES = 4, NAME = 20, COLUMNS = 67 };

struct competitor {
    char *name, *command;
    pid_t pid;
    int to, from;      // its standard input and output
    FILE *error;       // what it says on standard error
    char line[200];    // its last answer
    char about[200];   // what it says it is
    char fault[200];   // why it is left out; "" if it is not
    long steps[MOST_SIZES];
    double right[MOST_SIZES];
    double *rate[MOST_SIZES]; // [rounds]: pictures a second
};

struct job {
    struct cli cli;
    struct competitor all[MOST];
    size_t n, against;
    size_t size[MOST_SIZES]; // of batches
    size_t sizes;
    long rounds, steps, threads;
    double seconds, timeout;
    char notes[2000];       // what the list says of itself
};
/* Writes HEAD and N numbers of SIZE bytes at P. */
static void write_file(const struct cli *cli, const char *path,
                       const char *head, const void *p,
                       size_t size, size_t n)
{
    FILE *file = fopen(path, "wb");
    int ok = file && fputs(head, file) >= 0 &&
             fwrite(p, size, n, file) == n;
    int why = errno;
    if (file && fclose(file) != 0 && ok) {
        why = errno;
        ok = 0;
    }
    if (!ok)
        cli_fail(cli, "%s: %s", path, strerror(why));
}

static void write_weights(struct job *job, const char *path)
{
    struct nn nn;
    struct nn_rng rng = nn_rng_seeded(1);
    const size_t size[] = {INPUTS, HIDDEN, CLASSES};
    const enum nn_activation sigma[] = {NN_RELU, NN_IDENTITY};
    enum nn_status status = nn_create(&nn, 2, size, sigma);
    if (status != NN_OK)
        cli_fail(&job->cli, "%s", nn_status_text(status));
    nn_initialize(&nn, NN_HE, &rng);

    float *p = malloc(nn.params * sizeof *p);
    if (!p)
        cli_fail(&job->cli, "%s", nn_status_text(NN_NO_MEMORY));
    for (size_t i = 0; i < nn.params; i++)
        p[i] = (float)nn.p[i];
    write_file(&job->cli, path, "", p, sizeof *p, nn.params);
    free(p);
    nn_destroy(&nn);
}
static void read_list(struct job *job, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[1000];
    if (!file)
        cli_fail(&job->cli, "%s: %s", path, strerror(errno));
    for (size_t at = 1; fgets(line, sizeof line, file); at++) {
        size_t all = strcspn(line, "\n");
        if (line[all] == '\0' && !feof(file))
            cli_fail(&job->cli, "%s:%zu: too long", path, at);
        line[all] = '\0';
        if (line[0] == '#') {
            size_t used = strlen(job->notes);
            snprintf(job->notes + used, sizeof job->notes - used, "%.*s\n",
                     (int)COLUMNS, line + 1 + strspn(line + 1, " "));
            continue;
        }
        size_t length = strcspn(line, " ");
        size_t gap = strspn(line + length, " ");
        if (length == 0 && line[gap] == '\0')
            continue;
        const char *fault = NULL;
        line[length] = '\0';
        if (!isalpha((unsigned char)line[0]) || length > NAME ||
            line[strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
                              "abcdefghijklmnopqrstuvwxyz")] != '\0')
            cli_fail(&job->cli, "%s:%zu: a name is a letter and at most "
                     "%d letters, digits or hyphens more", path, at,
                     NAME - 1);
        if (gap == 0 || line[length + gap] == '\0')
            fault = "no command after the name";
        else if (job->n == MOST)
            fault = "too many competitors";
        for (size_t i = 0; i < job->n; i++)
            if (strcmp(job->all[i].name, line) == 0)
                fault = "this name stands there twice";
        if (fault)
            cli_fail(&job->cli, "%s:%zu: %s", path, at, fault);
        struct competitor *c = &job->all[job->n++];
        c->name = strndup(line, length);
        c->command = strdup(line + length + gap);
        if (!c->name || !c->command)
            cli_fail(&job->cli, "out of memory");
    }
    if (ferror(file) || fclose(file) != 0)
        cli_fail(&job->cli, "%s: cannot be read", path);
}
static size_t find(const struct job *job, const char *pattern,
                   size_t from)
{
    while (from < job->n &&
           fnmatch(pattern, job->all[from].name, 0) != 0)
        from++;
    return from;
}
/* Keeps those in TEXT, in the order of TEXT: names or patterns,
   with commas between them. */
static void choose(struct job *job, const char *text)
{
    struct competitor chosen[MOST];
    int taken[MOST] = {0};
    size_t n = 0, found;
    char *copy = strdup(text);
    if (!copy)
        cli_fail(&job->cli, "out of memory");

    for (char *next = copy, *one; (one = strsep(&next, ","));) {
        if (find(job, one, 0) == job->n)
            cli_misuse(&job->cli, "only", one,
                       "matches none in the list");
        for (found = find(job, one, 0); found < job->n;
             found = find(job, one, found + 1))
            if (!taken[found]++)
                chosen[n++] = job->all[found];
    }
    for (size_t i = 0; i < job->n; i++) {
        if (!taken[i]) {
            free(job->all[i].name);
            free(job->all[i].command);
        }
    }
    memcpy(job->all, chosen, n * sizeof *chosen);
    job->n = n;
    free(copy);
}
static void read_sizes(struct job *job, const char *text)
{
    job->sizes = cli_sizes(text, 1024, MOST_SIZES, job->size);
    if (!job->sizes)
        cli_misuse(&job->cli, "batch", text,
                   "wanted: up to 4 sizes from 1 to 1024");
}
static void start(struct job *job, struct competitor *c)
{
    int in[2], out[2];
    c->error = tmpfile();
    if (!c->error || pipe2(in, O_CLOEXEC) != 0 ||
        pipe2(out, O_CLOEXEC) != 0 ||
        fcntl(fileno(c->error), F_SETFD, FD_CLOEXEC) != 0 ||
        (c->pid = fork()) < 0)
        cli_fail(&job->cli, "%s cannot be started: %s", c->name,
                 strerror(errno));
    if (c->pid == 0) {
        char threads[20], command[1010];
        snprintf(threads, sizeof threads, "%ld", job->threads);
        snprintf(command, sizeof command, "exec %s", c->command);
        signal(SIGPIPE, SIG_DFL);
        if (dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1 &&
            dup2(fileno(c->error), 2) == 2 &&
            setenv("OMP_NUM_THREADS", threads, 1) == 0 &&
            setenv("OPENBLAS_NUM_THREADS", threads, 1) == 0 &&
            setenv("MKL_NUM_THREADS", threads, 1) == 0)
            execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    c->to = in[1];
    c->from = out[0];
}
static int stop(struct competitor *c)
{
    int status = 0;
    kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(c->to);
    close(c->from);
    c->pid = 0;
    return status;
}

static void leave_out(const struct job *job,
                      struct competitor *c, const char *format,
                      ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->fault, sizeof c->fault, format, args);
    va_end(args);
    fprintf(stderr, "%s: %s is left out: %s\n",
            job->cli.program, c->name, c->fault);
    if (c->pid != 0)
        stop(c);
}
static void bury(const struct job *job, struct competitor *c)
{
    char line[150], last[150] = "";
    int status = stop(c);
    rewind(c->error);
    while (fgets(line, sizeof line, c->error)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            strcpy(last, line);
    }
    if (last[0] != '\0')
        leave_out(job, c, "%s", last);
    else if (WIFSIGNALED(status))
        leave_out(job, c, "ended by signal %d",
                  WTERMSIG(status));
    else
        leave_out(job, c, "ended with status %d",
                  WEXITSTATUS(status));
}
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int hear(struct job *job, struct competitor *c)
{
    double until = now() + job->timeout;
    for (size_t n = 0;;) {
        double left = fmax(until - now(), 0);
        struct pollfd there = {c->from, POLLIN, 0};
        int got = poll(&there, 1, (int)(1e3 * left));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            leave_out(job, c, "no answer in %g s", job->timeout);
            return 0;
        }

        char letter;
        if (read(c->from, &letter, 1) != 1) {
            bury(job, c);
            return 0;
        }
        c->line[n] = '\0';
        if (letter == '\n')
            return 1;
        if (n + 1 < sizeof c->line)
            c->line[n++] = isprint((unsigned char)letter) ? letter
                                                          : '?';
    }
}
static int ask(struct job *job, struct competitor *c,
               double *answer, const char *format, ...)
{
    char question[60], *end;
    va_list args;
    va_start(args, format);
    vsnprintf(question, sizeof question, format, args);
    va_end(args);
    if (c->fault[0] != '\0')
        return 0;
    dprintf(c->to, "%s\n", question); // if it is dead, we hear it
    if (!hear(job, c))
        return 0;
    *answer = strtod(c->line, &end);
    if (end == c->line || *end != '\0' || !(*answer >= 0) ||
        !(*answer < 1e6)) {
        leave_out(job, c, "\"%s\" is no answer to \"%s\"",
                  c->line, question);
        return 0;
    }
    return 1;
}
static void find_steps(struct job *job, struct competitor *c,
                       size_t b)
{
    const long most = 10000000;
    double t;
    long steps = 1;
    ask(job, c, &t, "time %zu 1", job->size[b]);
    while (ask(job, c, &t, "time %zu %ld", job->size[b], steps) &&
           t < job->seconds && steps < most) {
        double more = 1.1 * job->seconds / fmax(t, 1e-9);
        steps = 1 + (long)((double)steps * fmin(more, 10));
    }
    c->steps[b] = steps;
}
static void go_round(struct job *job, struct nn_rng *rng,
                     size_t r)
{
    const struct timespec pause = {0, 20000000};
    size_t order[MOST];
    for (size_t i = 0; i < job->n; i++)
        order[i] = i;
    nn_rng_shuffle(rng, order, job->n);
    for (size_t b = 0; b < job->sizes; b++) {
        for (size_t i = 0; i < job->n; i++) {
            struct competitor *c = &job->all[order[i]];
            double t;
            if (c->fault[0] != '\0')
                continue;
            nanosleep(&pause, NULL);
            if (!ask(job, c, &t, "time %zu %ld", job->size[b],
                     c->steps[b]))
                continue;
            c->rate[b][r] = (double)job->size[b] *
                            (double)c->steps[b] / fmax(t, 1e-9);
        }
    }
}
static int by_size(const void *a, const void *b)
{
    double s = *(const double *)a, t = *(const double *)b;
    return (s > t) - (s < t);
}

struct spread {
    double low, median, high; // the quartiles
};

static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    size_t above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (at - (double)below) *
                               (sorted[above] - sorted[below]);
}
/* Of rate[r] / by[r], or of rate[r] if BY is NULL. */
static struct spread spread_of(struct job *job,
                               const double *rate,
                               const double *by)
{
    size_t n = (size_t)job->rounds;
    double *v = calloc(n, sizeof *v);
    if (!v)
        cli_fail(&job->cli, "out of memory");
    for (size_t r = 0; r < n; r++)
        v[r] = by ? rate[r] / by[r] : rate[r];
    qsort(v, n, sizeof *v, by_size);
    struct spread s = {quantile(v, n, 0.25), quantile(v, n, 0.5),
                       quantile(v, n, 0.75)};
    free(v);
    return s;
}
static double rounded(double v)
{
    double unit = pow(10, floor(log10(v)) - 2);
    return v > 0 ? rint(v / unit) * unit : v;
}

static double gflops(double rate)
{
    const double each = 4. * INPUTS * HIDDEN +
                        6. * HIDDEN * CLASSES;
    return each * rate * 1e-9;
}
static void print_table(struct job *job, size_t b)
{
    const struct competitor *of = &job->all[job->against];
    printf("\nbatch %-11zu samples/s     quartiles     ratio "
           "GFLOP/s  right\n", job->size[b]);
    for (size_t i = 0; i < job->n; i++) {
        struct competitor *c = &job->all[i];
        if (c->fault[0] != '\0') {
            printf("%-20s out: %.41s\n", c->name, c->fault);
            continue;
        }
        struct spread s = spread_of(job, c->rate[b], NULL);
        struct spread by = spread_of(job, c->rate[b],
                                     of->rate[b]);
        printf("%-20s %7.0f %7.0f %7.0f %7.3f %6.1f",
               c->name, rounded(s.median), rounded(s.low),
               rounded(s.high), by.median, gflops(s.median));
        if (isnan(c->right[b]))
            printf("      -\n");
        else
            printf(" %.4f\n", c->right[b]);
    }
}
static void put(size_t *column, const char *format, ...)
{
    char text[100];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t length = strlen(text);
    int fits = *column > 0 && *column + 2 + length <= COLUMNS;
    if (*column > 0)
        fputs(fits ? "  " : "\n", stdout);
    fputs(text, stdout);
    *column = fits ? *column + 2 + length : length;
}
static void print_values(struct job *job, struct competitor *c,
                         size_t b)
{
    const double *of = job->all[job->against].rate[b];
    const double no = (double)NAN;
    struct spread s = {no, no, no}, by = s;
    char id[NAME + 10];
    double right = no;
    size_t column = 0;
    snprintf(id, sizeof id, "%s %zu", c->name, job->size[b]);
    for (char *at = id; *at; at++)
        if (*at == '-')
            *at = ' ';
    if (c->fault[0] == '\0') {
        s = spread_of(job, c->rate[b], NULL);
        by = spread_of(job, c->rate[b], of);
        right = c->right[b];
    }
    put(&column, "%s = %.0f", id, rounded(s.median));
    put(&column, "%s low = %.0f", id, rounded(s.low));
    put(&column, "%s high = %.0f", id, rounded(s.high));
    put(&column, "%s ratio = %.3f", id, by.median);
    put(&column, "%s ratio low = %.3f", id, by.low);
    put(&column, "%s ratio high = %.3f", id, by.high);
    put(&column, "%s gflops = %.1f", id, gflops(s.median));
    put(&column, "%s right = %.4f", id, right);
    putchar('\n');
}
static void print_processor(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[200] = "";
    const char *model = NULL;
    while (file && !model && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0)
            model = strchr(line, ':');
    if (model)
        printf("%.*s\n", COLUMNS - 1, strtok(line, "\n") +
               (model - line) + 2);
    if (file)
        fclose(file);
}

int main(int argc, char **argv)
{
    static struct job job;
    const char *only = NULL, *against = NULL, *sizes = "32,256";
    const char *weights = "weights.bin";
    int epoch = 0;
    job.rounds = 15;
    job.threads = 1;
    job.seconds = 0.15;
    job.timeout = 600;
    const struct cli_option options[] = {
        {"rounds", "N", "how often each is timed",
         CLI_WHOLE, &job.rounds, 1, 10000},
        {"seconds", "S", "how long one timing takes, or more",
         CLI_REAL, &job.seconds, 0, 1000},
        {"steps", "N", "batches to a timing; 0: by --seconds",
         CLI_WHOLE, &job.steps, 0, 1e7},
        {"batch", "N", "sizes of batches, with commas [32,256]",
         CLI_TEXT, &sizes, 0, 0},
        {"threads", "N", "that each may use",
         CLI_WHOLE, &job.threads, 1, 1024},
        {"only", "NAME", "these of the list, or patterns; commas",
         CLI_TEXT, &only, 0, 0},
        {"against", "NAME", "whom ratios are of [the first]",
         CLI_TEXT, &against, 0, 0},
        {"epoch", "", "first let each train an epoch",
         CLI_FLAG, &epoch, 0, 0},
        {"timeout", "S", "wait so long for an answer",
         CLI_REAL, &job.timeout, 0.01, 1e6},
        {"weights", "FILE", "write the weights to [weights.bin]",
         CLI_TEXT, &weights, 0, 0},
    };
    job.cli = (struct cli){"bench", "LIST",
        "Times the programs in LIST beside each other: a name and a "
        "command\nin each line.",
        options, sizeof options / sizeof *options, 1};
    const char *list = argv[cli_parse(&job.cli, argc, argv)];
    read_sizes(&job, sizes);
    read_list(&job, list);
    if (only)
        choose(&job, only);
    if (job.n == 0)
        cli_fail(&job.cli, "%s: names nobody", list);
    job.against = against ? find(&job, against, 0) : 0;
    if (job.against == job.n)
        cli_misuse(&job.cli, "against", against,
                   "not among those compared");
    write_weights(&job, weights);
    for (size_t i = 0; i < job.n; i++) {
        for (size_t b = 0; b < job.sizes; b++) {
            struct competitor *c = &job.all[i];
            c->right[b] = (double)NAN;
            c->steps[b] = job.steps;
            c->rate[b] = calloc((size_t)job.rounds,
                                sizeof *c->rate[b]);
            if (!c->rate[b])
                cli_fail(&job.cli, "out of memory");
        }
    }
    double load = 0; // of the machine, before we add to it
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        fprintf(stderr, "%s: this machine is busy already: its load "
                        "is %.1f\n", job.cli.program, load);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < job.n; i++)
        start(&job, &job.all[i]);
    for (size_t i = 0; i < job.n; i++) {
        struct competitor *c = &job.all[i];
        if (!hear(&job, c))
            continue;
        if (strncmp(c->line, "ready ", 6) != 0)
            leave_out(&job, c, "\"%s\" is not \"ready\"", c->line);
        else
            strcpy(c->about, c->line + 6);
    }
    for (size_t i = 0; i < job.n; i++) {
        struct competitor *c = &job.all[i];
        for (size_t b = 0; b < job.sizes; b++) {
            if (epoch)
                ask(&job, c, &c->right[b], "epoch %zu", job.size[b]);
            if (!job.steps)
                find_steps(&job, c, b);
        }
        cli_progress("competitors", i + 1, job.n);
    }
    struct nn_rng rng = nn_rng_seeded(1);
    for (size_t r = 0; r < (size_t)job.rounds; r++) {
        go_round(&job, &rng, r);
        cli_progress("rounds", r + 1, (size_t)job.rounds);
    }
    if (job.all[job.against].fault[0] != '\0')
        cli_fail(&job.cli, "%s is left out, and all are compared "
                           "with it", job.all[job.against].name);
    print_processor();
    fputs(job.notes, stdout);
    printf("cores = %ld  threads = %ld  rounds = %ld  load = %.1f\n"
           "\n", sysconf(_SC_NPROCESSORS_ONLN), job.threads,
           job.rounds, load);
    for (size_t i = 0; i < job.n; i++)
        if (job.all[i].fault[0] == '\0')
            printf("%-20s %.46s\n", job.all[i].name,
                   job.all[i].about);
    for (size_t b = 0; b < job.sizes; b++)
        print_table(&job, b);
    printf("\nvalues:\n");
    for (size_t b = 0; b < job.sizes; b++)
        for (size_t i = 0; i < job.n; i++)
            print_values(&job, &job.all[i], b);
    for (size_t i = 0; i < job.n; i++) {
        struct competitor *c = &job.all[i];
        if (c->pid != 0)
            stop(c);
        fclose(c->error);
        for (size_t b = 0; b < job.sizes; b++)
            free(c->rate[b]);
        free(c->name);
        free(c->command);
    }
    cli_finish(&job.cli);
    return 0;
}

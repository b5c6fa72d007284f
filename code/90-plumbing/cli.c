/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1221436744. */
#define _GNU_SOURCE
#include "90-plumbing/cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void complain(const struct cli *cli, const char *format,
                     va_list args, const char *end)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", cli->program);
    vfprintf(stderr, format, args);
    fprintf(stderr, "%s\n", end);
}

void cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(cli, format, args, "; try --help");
    va_end(args);
    exit(2);
}

void cli_fail(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(cli, format, args, "");
    va_end(args);
    exit(1);
}

void cli_misuse(const struct cli *cli, const char *option,
                const char *text, const char *what)
{
    cli_usage(cli, "--%s %s: %s", option, text, what);
}
static void help(const struct cli *cli)
{
    printf("usage: %s [options]%s%s\n%s\n\noptions:\n",
           cli->program, *cli->operands ? " " : "",
           cli->operands, cli->about);
    for (size_t i = 0; i < cli->n_options; i++) {
        const struct cli_option *o = &cli->options[i];
        char left[64];
        snprintf(left, sizeof left, "--%s %s", o->name, o->value);
        printf("  %-18s %s", left, o->help);
        double value = 0;
        if (o->kind == CLI_REAL)
            value = *(double *)o->set;
        else if (o->kind == CLI_WHOLE)
            value = (double)*(long *)o->set;

        if (o->kind == CLI_TEXT || o->kind == CLI_FLAG)
            putchar('\n');
        else if (value >= o->low && value <= o->high)
            printf(" (%.*g)\n", o->kind == CLI_WHOLE ? 10 : 6, value);
        else
            puts(" (none)");
    }
    printf("  %-18s %s\n", "--help", "this text");
}
static void set_option(const struct cli *cli,
                       const struct cli_option *o, char *text)
{
    char *end = text;
    double value = 0;

    if (o->kind == CLI_FLAG) {
        *(int *)o->set = 1;
    } else if (o->kind == CLI_TEXT) {
        *(const char **)o->set = text;
    } else {
        errno = 0;
        if (o->kind == CLI_REAL)
            value = strtod(text, &end);
        else
            value = (double)strtol(text, &end, 10);
        if (end == text || *end != '\0')
            cli_misuse(cli, o->name, text, o->kind == CLI_REAL
                       ? "not a number" : "not a whole number");
        if (errno == ERANGE ||
            !(value >= o->low && value <= o->high)) {
            char what[60];
            snprintf(what, sizeof what, "not from %.10g to %.10g",
                     o->low, o->high);
            cli_misuse(cli, o->name, text, what);
        }
        if (o->kind == CLI_REAL)
            *(double *)o->set = value;
        else
            *(long *)o->set = (long)value;
    }
}
int cli_parse(const struct cli *cli, int argc, char **argv)
{
    struct option longs[CLI_MOST_OPTIONS + 2] = {{0}};
    size_t n = cli->n_options;
    int i; // the option that was found

    assert(n <= CLI_MOST_OPTIONS);
    for (size_t k = 0; k < n; k++)
        longs[k] = (struct option){
            cli->options[k].name,
            cli->options[k].kind != CLI_FLAG, &i, (int)k};
    longs[n] = (struct option){"help", 0, &i, (int)n};
    opterr = 0;
    optind = 1; // for who calls it twice
    for (;;) {
        int at = optind;
        int c = getopt_long(argc, argv, ":", longs, NULL);
        if (c == -1)
            break;
        while (argv[at][0] != '-' || argv[at][1] == '\0')
            at++; // past operands
        if (c != 0)
            cli_usage(cli, "%s %s", c == ':'
                      ? "a value is missing after"
                      : "not an option, or not so:", argv[at]);
        if ((size_t)i == n) {
            help(cli);
            cli_finish(cli);
            exit(0);
        }
        set_option(cli, &cli->options[i], optarg);
    }
    if (argc - optind < abs(cli->n_operands))
        cli_usage(cli, "operands are missing: %s",
                  cli->operands);
    if (cli->n_operands >= 0 && argc - optind > cli->n_operands)
        cli_usage(cli, "one too many: %s",
                  argv[optind + cli->n_operands]);
    return optind;
}
size_t cli_sizes(const char *text, size_t most, size_t room,
                 size_t *size)
{
    char *end;
    for (size_t n = 0; n < room; text = end + 1) {
        long value = strtol(text, &end, 10);
        if (end == text || value < 1 || (size_t)value > most)
            return 0;
        size[n++] = (size_t)value;
        if (*end == '\0')
            return n;
        if (*end != ',')
            return 0;
    }
    return 0;
}
void cli_finish(const struct cli *cli)
{
    errno = 0; // what it was when an earlier write failed is lost
    if (fflush(stdout) != 0 || ferror(stdout))
        cli_fail(cli, "standard output: %s",
                 errno ? strerror(errno) : "not all was written");
}
void cli_progress(const char *what, size_t done, size_t total)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%s: %zu/%zu%s", what, done, total,
            done == total ? "\n" : "");
    fflush(stderr);
}

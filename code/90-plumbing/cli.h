/* Tangled from chapters/90-plumbing.nw: edit there. Sum 1546169523. */
#ifndef CLI_H
#define CLI_H
#include <stddef.h>

/* The command line of a program. Example:

     double rate = 0.1;
     const struct cli_option options[] = {
         {"rate", "R", "the learning rate",
          CLI_REAL, &rate, 0, 10},
     };
     struct cli cli = {"twice", "", "Learns y = 2x.",
                       options, 1, 0};
     cli_parse(&cli, argc, argv);

   A table, and for every option the variable that it sets:
   CLI_REAL a double, CLI_WHOLE a long, CLI_TEXT a const char *
   (into argv), CLI_FLAG an int. Numbers are held to low .. high,
   both included.

   The help shows the value that a number has at the start, or
   "(none)" if that is out of its bounds: it has no default then.
   The default of a text belongs into HELP, in brackets. A name
   may be cut short while only one option begins so. */
enum cli_kind { CLI_REAL, CLI_WHOLE, CLI_TEXT, CLI_FLAG };

enum { CLI_MOST_OPTIONS = 30 };

struct cli_option {
    const char *name;  // without the dashes
    const char *value; // how the help names it; "" for a flag
    const char *help;
    enum cli_kind kind;
    void *set;
    double low, high;
};

struct cli {
    const char *program;
    const char *operands; // as the usage line shows them: "DIR"
    const char *about;
    const struct cli_option *options;
    size_t n_options; // up to CLI_MOST_OPTIONS
    int n_operands; // so many; -n: n or more
};

/* Reads the options; returns the index in argv of the first
   operand, as operands are moved to the end. --help prints the
   help and exits 0; a mistake prints one line on standard error
   and exits 2. */
int cli_parse(const struct cli *cli, int argc, char **argv);

/* Prints "program: message; try --help" on standard error and
   exits 2: there is a mistake in the command line. */
_Noreturn void cli_usage(const struct cli *cli,
                         const char *format, ...);

/* The same, with the message "--option text: what is wrong with
   it". */
_Noreturn void cli_misuse(const struct cli *cli,
                          const char *option, const char *text,
                          const char *what);

/* Reads whole numbers from 1 to MOST with commas between them,
   ROOM of them or fewer. Returns how many; 0 if TEXT is anything
   else. */
size_t cli_sizes(const char *text, size_t most, size_t room,
                 size_t *size);

/* Prints "program: message" on standard error and exits 1. */
_Noreturn void cli_fail(const struct cli *cli,
                        const char *format, ...);

/* Flushes standard output; a failure to write is an error. */
void cli_finish(const struct cli *cli);

/* Shows "what: done/total" on standard error, redrawn in place,
   when that is a terminal; says nothing when it is not. */
void cli_progress(const char *what, size_t done, size_t total);

#endif

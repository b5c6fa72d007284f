/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3440786689. */
#ifndef LOAD_H
#define LOAD_H
#include <stdio.h>

#include "90-plumbing/cli.h"
#include "nn/pictures.h"

enum { PICTURES_TEXT = 4300 };

/* Loads a PART of the pictures in DIR. TEXT says what is wrong
   with which file; or "". The caller frees *set, if TEXT is
   "". */
static inline void load_or_explain(struct nn_pictures *set,
                                   const char *dir,
                                   const char *part,
                                   char text[PICTURES_TEXT])
{
    struct nn_fault fault;
    char at[40] = "";
    enum nn_status status = nn_pictures_load(set, dir, part,
                                             &fault);
    *text = '\0';
    if (status == NN_OK)
        return;
    if (fault.offset > 0)
        snprintf(at, sizeof at, " (byte %zu)", fault.offset);
    snprintf(text, PICTURES_TEXT, "%s: %s%s", fault.path,
             nn_status_text(status), at);
}

/* The same, but what is wrong ends the program, as cli_fail
   does. */
static inline void load_pictures(const struct cli *cli,
                                 struct nn_pictures *set,
                                 const char *dir,
                                 const char *part)
{
    char text[PICTURES_TEXT];
    load_or_explain(set, dir, part, text);
    if (*text)
        cli_fail(cli, "%s", text);
}

#endif

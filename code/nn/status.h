/* Tangled from chapters/08-fourloops.nw: edit there. Sum 3480333935. */
#ifndef NN_STATUS_H
#define NN_STATUS_H

/* What a function of the library returns when it can fail. */
enum nn_status {
    NN_OK,
    NN_NO_MEMORY,
    NN_BAD_SIZE,
    NN_NOT_FINITE,
    NN_BAD_MAGIC,
    NN_BAD_TYPE,
    NN_TRAILING,
    NN_MISMATCH,
    NN_NO_FILE,
    NN_NO_READ,
    NN_TOO_BIG,
    NN_TRUNCATED,
    NN_STATUSES // how many there are
};

/* A status in words, without a full stop; never NULL. */
const char *nn_status_text(enum nn_status status);

#endif

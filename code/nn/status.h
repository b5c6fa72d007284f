/* Tangled from chapters/08-fourloops.nw: edit there. Sum 3042224426. */
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
    NN_NO_WRITE,
    NN_BAD_HEADER,
    NN_BAD_JSON,
    NN_DUPLICATE,
    NN_NO_CHECKSUM,
    NN_BAD_CHECKSUM,
    NN_NO_KEY,
    NN_EXTRA_KEY,
    NN_BAD_VALUE,
    NN_NO_TENSOR,
    NN_EXTRA_TENSOR,
    NN_BAD_TENSOR,
    NN_BAD_DTYPE,
    NN_BAD_SHAPE,
    NN_BAD_OFFSETS,
    NN_OVERLAP,
    NN_GAP,
    NN_NO_NUMBER,
    NN_BAD_ORDER,
    NN_NO_PICTURE,
    NN_BAD_PICTURE,
    NN_STATUSES // how many there are
};

/* A status in words, without a full stop; never NULL. */
const char *nn_status_text(enum nn_status status);

#endif

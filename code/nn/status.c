/* Tangled from chapters/08-fourloops.nw: edit there. Sum 353950641. */
#include "nn/status.h"

const char *nn_status_text(enum nn_status status)
{
    static const char *const text[NN_STATUSES] = {
        [NN_OK] = "no error",
        [NN_NO_MEMORY] = "out of memory",
        [NN_BAD_SIZE] = "impossible size",
        [NN_NOT_FINITE] = "the cost is no longer a finite number",
        [NN_BAD_MAGIC] = "not an IDX file",
        [NN_BAD_TYPE] = "not of unsigned bytes",
        [NN_TRAILING] = "goes on after its last element",
        [NN_MISMATCH] = "does not fit the file beside it",
        [NN_NO_FILE] = "no such file",
        [NN_NO_READ] = "cannot be read",
        [NN_TOO_BIG] = "longer than it can be",
        [NN_TRUNCATED] = "ends too early",
    };
    if (status >= NN_STATUSES)
        return "unknown status";
    return text[status];
}

/* Tangled from chapters/08-fourloops.nw: edit there. Sum 4111976239. */
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
        [NN_NO_WRITE] = "cannot be written",
        [NN_BAD_HEADER] = "impossible length of the header",
        [NN_BAD_JSON] = "the header is not JSON",
        [NN_DUPLICATE] = "a key stands twice",
        [NN_NO_CHECKSUM] = "does not begin with a checksum",
        [NN_BAD_CHECKSUM] = "the checksum does not fit",
        [NN_NO_KEY] = "the key is missing",
        [NN_EXTRA_KEY] = "the key is not known",
        [NN_BAD_VALUE] = "impossible value",
        [NN_NO_TENSOR] = "the tensor is missing",
        [NN_EXTRA_TENSOR] = "the tensor is not known",
        [NN_BAD_TENSOR] = "wants dtype, shape and data_offsets",
        [NN_BAD_DTYPE] = "dtype does not fit the metadata",
        [NN_BAD_SHAPE] = "shape does not fit the layers",
        [NN_BAD_OFFSETS] = "offsets do not fit dtype and shape",
        [NN_OVERLAP] = "begins inside the tensor before it",
        [NN_GAP] = "begins behind the end of the tensor before it",
        [NN_NO_NUMBER] = "not a finite number",
        [NN_BAD_ORDER] = "not an order of the samples",
        [NN_NO_PICTURE] = "neither PGM nor PNG",
        [NN_BAD_PICTURE] = "damaged picture",
    };
    if (status >= NN_STATUSES)
        return "unknown status";
    return text[status];
}

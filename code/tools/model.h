/* Tangled from chapters/90-plumbing.nw: edit there. Sum 783100083. */
#ifndef TOOLS_MODEL_H
#define TOOLS_MODEL_H
#include <stddef.h>
#include <stdint.h>

#include "nn/nn.h"
#include "nn/optimizer.h"

/* A net in a .safetensors file, with all that is needed to use
   it, and to go on training it. Example:

     struct nn_model model;
     struct nn_model_fault fault;
     char text[NN_MODEL_TEXT];
     enum nn_status status = nn_model_load(&model, path, &fault);
     if (status != NN_OK) {
         nn_model_explain(status, &fault, text);
         cli_fail(&cli, "%s", text);
     }
     a = nn_forward(&model.nn, x);
     nn_model_free(&model); */

enum nn_dtype { NN_F64, NN_F32 };
enum nn_engine { NN_ENGINE_PLAIN, NN_ENGINE_FAST };

/* Where a training was stopped. A later step depends on nothing
   else but the net and the settings. */
struct nn_state {
    struct nn_optimizer optimizer; // its n is the net's params
    size_t epoch, step; // as the training counts them
    size_t done;        // samples of this epoch, <= m
    size_t m, *order;   // [m]: 0 .. m - 1 in this epoch's order
    double sum;         // of the costs in this epoch
    struct nn_rng rng;
};
struct nn_setting {
    char *key, *value;
};

struct nn_model {
    struct nn nn; // keep, draw and drop are not in the file
    size_t rows, cols;      // rows * cols = nn.size[0]
    double offset, scale;   // x = (pixel - offset) / scale
    char **classes;         // [n_L] names and a NULL; or NULL
    enum nn_dtype dtype;    // in the file; here all is double
    enum nn_engine engine;  // which one has trained it
    struct nn_state *state; // of an interrupted training, or NULL
    size_t n_settings;      // of the run that made it,
    struct nn_setting *setting; // [n_settings], any text
    uint32_t crc;           // of the file it was loaded from
};
/* Which file failed, at which byte, and what that is about: a
   key, a tensor, a call that failed and why; or "". */
struct nn_model_fault {
    char path[4096];
    size_t offset;
    char what[128];
};

/* PATH: byte OFFSET: WHAT: and the text of the status, without
   the parts that are not known. */
enum { NN_MODEL_TEXT = 4400 };
void nn_model_explain(enum nn_status status,
                      const struct nn_model_fault *fault,
                      char text[NN_MODEL_TEXT]);

/* Loads a model, unpacking it if it is gzip, of at most
   NN_MODEL_MOST bytes; more is NN_TOO_BIG, for saving as well.
   On failure there is nothing to free, and *fault says where;
   nothing is allocated for what is not in the file.
   On success nn_model_free frees all that is in *model. */
enum { NN_MODEL_MOST = 1 << 30 };
enum nn_status nn_model_load(struct nn_model *model,
                             const char *path,
                             struct nn_model_fault *fault);
void nn_model_free(struct nn_model *model);

/* The same from BYTES [LENGTH]; they may go when it is done. */
enum nn_status nn_model_parse(const uint8_t *bytes, size_t length,
                              struct nn_model *model,
                              struct nn_model_fault *fault);

/* Saves a model: writes a file beside PATH, syncs it and gives it
   that name. On failure what was at PATH is still there, unless
   fault->what begins with "sync the folder": then the new file
   is. Numbers become float when dtype is NN_F32. What could
   not be loaded is not saved, with the status that loading
   would give; NN_NO_WRITE. The model stays the caller's, and
   may point to what is not malloc'd. */
enum nn_status nn_model_save(const struct nn_model *model,
                             const char *path,
                             struct nn_model_fault *fault);

/* The same into *bytes (malloc'd; the caller frees). */
enum nn_status nn_model_pack(const struct nn_model *model,
                             uint8_t **bytes, size_t *length,
                             struct nn_model_fault *fault);

/* The value of a setting, NULL if there is none of that name; and
   sets one, to copies. NN_NO_MEMORY: nothing has changed. */
const char *nn_model_get(const struct nn_model *model,
                         const char *key);
enum nn_status nn_model_set(struct nn_model *model,
                            const char *key, const char *value);
/* The words that stand for the values of enum nn_activation,
   nn_loss, nn_method, nn_dtype and nn_engine. NULL: there is no
   such value. And the value of a word, -1 if it is none. */
enum nn_kind {
    NN_ACTIVATIONS, NN_LOSSES, NN_METHODS, NN_DTYPES, NN_ENGINES
};
const char *nn_word(enum nn_kind kind, int value);
int nn_word_value(enum nn_kind kind, const char *word);
#endif

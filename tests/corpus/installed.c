/* A program of somebody else, against the installed libraries: a net is made, kept in a file,
   opened again, and asked. */
#include <nn/nn.h>
#include <stdio.h>
#include <tools/model.h>

int main(void)
{
    const size_t size[] = {3, 4, 2};
    const enum nn_activation sigma[] = {NN_TANH, NN_SIGMOID};
    const double x[] = {1, -2, 0.5};
    struct nn_rng rng = nn_rng_seeded(1);
    struct nn_model made = {.rows = 1, .cols = 3, .scale = 1}, read;
    struct nn_model_fault fault;

    if (nn_create(&made.nn, 2, size, sigma) != NN_OK)
        return 1;
    nn_randomize(&made.nn, &rng);
    double a = nn_forward(&made.nn, x)[1];
    enum nn_status status = nn_model_save(&made, "mine.safetensors", &fault);
    if (status == NN_OK)
        status = nn_model_load(&read, "mine.safetensors", &fault);
    if (status != NN_OK) {
        char text[NN_MODEL_TEXT];
        nn_model_explain(status, &fault, text);
        puts(text);
        return 1;
    }
    return nn_forward(&read.nn, x)[1] != a;
}

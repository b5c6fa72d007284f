/* Tangled from chapters/11-clothes.nw: edit there. Sum 1759098112. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nn/idx.h"

#define main clothes_main
#include "11-clothes/clothes.c"
#undef main

TestSuite(clothes, .timeout = 30);

enum { PICTURES = 12, SIDE = 6, DOTS = SIDE * SIDE };

static void put(const char *dir, const char *name,
                const void *head, size_t n_head,
                const void *body, size_t n_body)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL);
    cr_assert(fwrite(head, 1, n_head, file) == n_head);
    cr_assert(fwrite(body, 1, n_body, file) == n_body);
    cr_assert(fclose(file) == 0);
}

static void write_set(const char *dir)
{
    const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, PICTURES,
                              0, 0, 0, SIDE, 0, 0, 0, SIDE};
    const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, PICTURES};
    uint8_t pixel[PICTURES][DOTS], label[PICTURES];
    for (int s = 0; s < PICTURES; s++) {
        label[s] = (uint8_t)(s % 3);
        for (int k = 0; k < DOTS; k++) {
            int grey = k / 12 == s % 3 ? 200 : 20;
            pixel[s][k] = (uint8_t)(grey + s);
        }
    }
    put(dir, "train-images-idx3-ubyte",
        images, sizeof images, pixel, sizeof pixel);
    put(dir, "train-labels-idx1-ubyte",
        labels, sizeof labels, label, sizeof label);
}

static void remove_set(const char *dir)
{
    char path[256];
    snprintf(path, sizeof path,
             "%s/train-images-idx3-ubyte", dir);
    remove(path);
    snprintf(path, sizeof path,
             "%s/train-labels-idx1-ubyte", dir);
    remove(path);
    rmdir(dir);
}
Test(clothes, learns_a_small_set)
{
    char dir[] = "build/clothes-XXXXXX";
    struct job job = {.batch = 4, .rate = 1,
                      .rng = nn_rng_seeded(1)};
    struct nn_fault fault;

    cr_assert(mkdtemp(dir) != NULL);
    write_set(dir);
    cr_assert(nn_pictures_load(&job.train, dir, "train",
                               &fault) == NN_OK);
    remove_set(dir);
    cr_assert(job.train.m == PICTURES && job.train.classes == 3);
    job.m = job.train.m;
    make_room(&job, 5);
    for (int i = 0; i < 500; i++)
        train_epoch(&job, 1);
    cr_assert(count_right(&job, &job.train, 0,
                          net_answer, NULL) == PICTURES);
    free(job.order);
    free(job.x);
    free(job.y);
    free(job.g);
    free(job.mean);
    nn_destroy(&job.nn);
    nn_pictures_free(&job.train);
}
Test(clothes, a_file_cut_short_is_refused)
{
    const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 7};
    struct nn_idx idx;
    size_t offset;
    cr_assert(nn_idx_parse(labels, 10, &idx, &offset) ==
              NN_TRUNCATED);
    cr_assert(offset == 10);
}

/* Tangled from chapters/11-clothes.nw: edit there. Sum 2746507174. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nn/idx.h"

#define main clothes_main
#include "11-clothes/clothes.c"
#undef main
struct peeking {
    struct nn_rng rng;
    size_t nets, pictures;
    uint8_t *right; // [nets][pictures]: named rightly or not
    size_t *order;  // [pictures]
};
static void peek(struct peeking *p, size_t n, double *seen,
                 double *honest)
{
    size_t best = 0, most = 0, rest = 0;
    nn_rng_shuffle(&p->rng, p->order, p->pictures);
    for (size_t i = 0; i < p->nets; i++) {
        const uint8_t *right = p->right + i * p->pictures;
        size_t sum = 0;
        for (size_t s = 0; s < n; s++)
            sum += right[p->order[s]];
        if (i == 0 || sum > most) {
            most = sum;
            best = i;
        }
    }
    for (size_t s = n; s < p->pictures; s++)
        rest += p->right[best * p->pictures + p->order[s]];
    *seen += (double)most / (double)n;
    *honest += (double)rest / (double)(p->pictures - n);
}

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
    free_room(&job);
    nn_pictures_free(&job.train);
}
Test(clothes, the_luckiest_coin_is_a_coin)
{
    enum { COINS = 20, TOSSES = 2000 };
    static uint8_t right[COINS * TOSSES];
    static size_t order[TOSSES];
    struct peeking p = {nn_rng_seeded(1), COINS, TOSSES, right,
                        order};
    double seen = 0, honest = 0;
    for (size_t i = 0; i < COINS * TOSSES; i++)
        right[i] = (uint8_t)nn_rng_below(&p.rng, 2);
    for (size_t s = 0; s < TOSSES; s++)
        order[s] = s;
    for (int i = 0; i < 200; i++)
        peek(&p, 100, &seen, &honest);
    cr_assert(seen / 200 > 0.58 && seen / 200 < 0.605);
    cr_assert(fabs(honest / 200 - 0.5) < 0.01);
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

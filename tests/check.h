#ifndef CHECK_H
#define CHECK_H

/* Small helpers for the hand-written suites. */

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* As double: clang complains of the float in the C library's own. */
#define CHECK_NAN ((double)NAN)
#define CHECK_INFINITY ((double)INFINITY)

/* How far GOT is from WANT, with its sign, in parts of their size;
   numbers far below FLOOR count as equal. NaN in, NaN out. */
static inline double check_error(double got, double want, double floor)
{
    return fabs(got - want) / (fabs(got) + fabs(want) + floor);
}

/* True unless ERR is below TOL: a NaN is a failure. */
static inline int check_fails(double err, double tol)
{
    return !(err < tol);
}

/* The larger of two errors; an error that is NaN counts as infinite. */
static inline double check_worst(double worst, double err)
{
    if (isnan(worst) || isnan(err))
        return CHECK_INFINITY;
    return err > worst ? err : worst;
}

#define check_close(got, want, tol)                                        \
    do {                                                                   \
        double got_ = (got), want_ = (want);                               \
        cr_assert(!check_fails(check_error(got_, want_, 1e-30), (tol)),    \
                  "%s is %.17g, not %.17g", #got, got_, want_);            \
    } while (0)

/* Chi-square of COUNT [CELLS] against N draws spread evenly. */
static inline double check_chi_square(const size_t *count, size_t cells,
                                      size_t n)
{
    double expected = (double)n / (double)cells, sum = 0;
    for (size_t i = 0; i < cells; i++) {
        double off = (double)count[i] - expected;
        sum += off * off / expected;
    }
    return sum;
}

#ifdef CHECK_MEMORY
#include "nn/status.h"

/* Allocation under control, for suites linked with --wrap of malloc,
   calloc, realloc, aligned_alloc and free: the blocks that suite and
   library hold, and requests that fail. So are zlib, jansson and libpng
   where they are linked from their archives; see the Makefile. OpenMP and
   the C library are not. Volatile, since compilers know that malloc
   changes no variable. */
static volatile struct {
    long live, requests; // blocks held; requests so far
    long fail;           // this request fails; 0: none
    int forever;         // ... and all after it
    size_t largest;      // of the requests so far, in bytes
} check_memory;

/* More than this is refused here, since the sanitizers and valgrind
   write a complaint when they are asked for it. */
#define CHECK_MOST_BYTES ((size_t)1 << 30)

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t n, size_t size) __attribute__((weak));
void *__real_realloc(void *old, size_t size) __attribute__((weak));
void *__real_aligned_alloc(size_t alignment, size_t size) __attribute__((weak));
void __real_free(void *block) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);

static int check_refused(size_t n, size_t size)
{
    long nth = ++check_memory.requests;
    int refused = n > CHECK_MOST_BYTES / (size ? size : 1) ||
                  (check_memory.fail && (nth == check_memory.fail ||
                       (check_memory.forever && nth > check_memory.fail)));
    if (refused)
        errno = ENOMEM;
    else if (n * size > check_memory.largest)
        check_memory.largest = n * size;
    return refused;
}

static void *check_held(void *block)
{
    check_memory.live += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return check_refused(1, size) ? NULL : check_held(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return check_refused(n, size) ? NULL
                                  : check_held(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (check_refused(1, size))
        return NULL;
    return old ? __real_realloc(old, size)
               : check_held(__real_realloc(old, size));
}

/* The size must be a multiple of the alignment: C11, 7.22.3.1. */
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (check_refused(1, size) || size % alignment)
        return NULL;
    return check_held(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block)
{
    check_memory.live -= block != NULL;
    __real_free(block);
}

/* Request number NTH from here on fails, and FOREVER all after it. */
static inline void check_memory_fail(long nth, int forever)
{
    check_memory.fail = check_memory.requests + nth;
    check_memory.forever = forever;
}

/* No more of that. Whether a request has been refused. */
static inline int check_memory_calm(void)
{
    int refused = check_memory.fail && check_memory.requests >= check_memory.fail;
    check_memory.fail = 0;
    return refused;
}

/* Fails the test unless the suite was linked as said above. */
static inline void check_memory_wrapped(void)
{
    long before = check_memory.requests;
    void *volatile block = malloc(1);
    free(block);
    cr_assert(check_memory.requests == before + 1, "link with -Wl,--wrap=malloc,...");
}

/* CALL with request NTH refused, or none if that is 0; see below. */
static inline void check_call(enum nn_status (*call)(void *job),
                              void (*look)(void *job, enum nn_status status),
                              void *job, long nth, int forever)
{
    long held = check_memory.live;
    if (nth)
        check_memory_fail(nth, forever);
    enum nn_status status = call(job);
    int refused = check_memory_calm();
    cr_assert(refused == (nth > 0), "request %ld is not made", nth);
    if (!refused)
        cr_assert(status == NN_OK, "%s, request %ld having been refused before",
                  nn_status_text(status), nth);
    else
        cr_assert(status == NN_NO_MEMORY,
                  "%s, when request %ld%s is refused", nn_status_text(status), nth,
                  forever ? " and all after it" : "");
    look(job, status);
    cr_assert(check_memory.live == held, "%ld blocks stay, when request %ld%s is refused",
              check_memory.live - held, nth, forever ? " and all after it" : "");
}

/* Makes CALL with each of its requests refused in turn, that one alone and
   then that one with all after it, and each time again with none refused.
   CALL must say NN_NO_MEMORY. LOOK sees to it that outputs and files are as
   they should be after that status, and frees what a call that worked has
   made; no other block may stay. Returns how many requests there are.

   Those who allocate: nn_create, nn_optimizer_create, nn_fast_create,
   nn_train, nn_file_read, nn_file_write (as nn_model_save calls it),
   nn_pictures_load; nn_model_parse, _load, _pack, _save and _set,
   nn_picture_parse. Each has its test in the suite of its file. */
static inline long check_refusals(enum nn_status (*call)(void *job),
                                  void (*look)(void *job, enum nn_status status),
                                  void *job)
{
    check_memory_wrapped();
    long before = check_memory.requests;
    cr_assert(call(job) == NN_OK);
    long n = check_memory.requests - before;
    look(job, NN_OK);
    for (int forever = 0; forever < 2; forever++)
        for (long nth = 1; nth <= n; nth++) {
            check_call(call, look, job, nth, forever);
            check_call(call, look, job, 0, 0);
        }
    return n;
}

#endif
#endif

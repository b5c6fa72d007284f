#ifndef CHECK_H
#define CHECK_H

/* Small helpers for the hand-written suites. */

#include <criterion/criterion.h>
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

/* Allocation under control, for suites linked with
   -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free: the
   blocks that suite and library hold, and a request that fails.
   Volatile, since compilers know that malloc changes no variable. */
static volatile struct {
    long live, requests; // blocks held; requests so far
    long fail;           // this request fails; 0: none
} check_memory;

/* More than this is refused here, since the sanitizers and valgrind
   write a complaint when they are asked for it. */
#define CHECK_MOST_BYTES ((size_t)1 << 30)

void *__real_malloc(size_t size) __attribute__((weak));
void *__real_calloc(size_t n, size_t size) __attribute__((weak));
void *__real_realloc(void *old, size_t size) __attribute__((weak));
void __real_free(void *block) __attribute__((weak));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *block);

static int check_refused(size_t n, size_t size)
{
    return ++check_memory.requests == check_memory.fail ||
           n > CHECK_MOST_BYTES / (size ? size : 1);
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

void __wrap_free(void *block)
{
    check_memory.live -= block != NULL;
    __real_free(block);
}

/* Request number NTH from here on fails. */
static inline void check_memory_fail(long nth)
{
    check_memory.fail = check_memory.requests + nth;
}

/* Fails the test unless the suite was linked as said above. */
static inline void check_memory_wrapped(void)
{
    long before = check_memory.requests;
    void *volatile block = malloc(1);
    free(block);
    cr_assert(check_memory.requests == before + 1,
              "link with -Wl,--wrap=malloc,--wrap=calloc,"
              "--wrap=realloc,--wrap=free");
}

#endif
#endif

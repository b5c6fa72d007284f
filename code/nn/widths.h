/* Tangled from chapters/90-plumbing.nw: edit there. Sum 3637097347. */
/* Includes the file TEMPLATE once for each width of vectors that
   the processor may have, with these defined:
   LANES         floats in a vector
   ROWS, PANELS  a tile of sums that fits into the registers
   TARGET        what a function needs to be compiled for it
   NAMED(x)      the name x, different for each width
   UNROLL        before a loop: write out all its rounds */
#if defined __clang__
#pragma clang fp contract(fast)
#define CONTRACT
#define UNROLL _Pragma("unroll")
#else
#define CONTRACT __attribute__((optimize("fp-contract=fast")))
#define UNROLL _Pragma("GCC unroll 16")
#endif

#define LANES 4
#define ROWS 2
#define PANELS 1
#define TARGET CONTRACT
#define NAMED(x) x##_4
#include TEMPLATE
#undef LANES
#undef ROWS
#undef PANELS
#undef TARGET
#undef NAMED

#if defined __x86_64__
#define LANES 8
#define ROWS 6
#define PANELS 1
#define TARGET __attribute__((target("avx2,fma"))) CONTRACT
#define NAMED(x) x##_8
#include TEMPLATE
#undef LANES
#undef ROWS
#undef PANELS
#undef TARGET
#undef NAMED

#define LANES 16
#define ROWS 14
#define PANELS 2
#define TARGET __attribute__((target("avx512f"))) CONTRACT
#define NAMED(x) x##_16
#include TEMPLATE
#undef LANES
#undef ROWS
#undef PANELS
#undef TARGET
#undef NAMED
#endif
#undef CONTRACT
#undef UNROLL
#undef TEMPLATE

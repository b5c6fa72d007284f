/* Included before all that `make coverage` compiles, so that what it finds
   does not depend on the processor. Every width of vectors is compiled for
   the least one, and called, not inlined, so that a line of the template
   is there once for each width. CPU_WITHOUT names what is not there. */
char *getenv(const char *name);
int strcmp(const char *a, const char *b);

#define target(what) unused
#define always_inline unused
#define __builtin_cpu_supports(what) has(what)

static inline int has(const char *what)
{
    const char *without = getenv("CPU_WITHOUT");
    return !without || strcmp(without, what) != 0;
}

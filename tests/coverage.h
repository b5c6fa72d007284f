/* Included before all that `make coverage` compiles, so that what it finds
   is the same on every x86-64 processor: each width of vectors is compiled
   for the least of them, and a function for each, so that a line of the
   template is there once for each width. CPU_WITHOUT lists what the
   processor is said not to have. */

char *getenv(const char *name);
char *strstr(const char *text, const char *part);

#define target(what) unused
#define always_inline unused
#define __builtin_cpu_supports(what) has(what)

static inline int has(const char *what)
{
    const char *without = getenv("CPU_WITHOUT");
    return !without || !strstr(without, what);
}

/* The random numbers, from outside: pinned outputs, range, fairness. */

#include "check.h"
#include "nn/rng.h"

TestSuite(rng, .timeout = 30);

/* Output number i, from 0, of SplitMix64 for SEED, without a state. */
static uint64_t splitmix(uint64_t seed, uint64_t i)
{
    uint64_t v = seed + (i + 1) * UINT64_C(11400714819323198485);
    v = (v ^ v / (UINT64_C(1) << 30)) * UINT64_C(13787848793156543929);
    v = (v ^ v / (UINT64_C(1) << 27)) * UINT64_C(10723151780598845931);
    return v ^ v / (UINT64_C(1) << 31);
}

/* The v for which v ^ (v >> SHIFT) is W. */
static uint64_t unshift(uint64_t w, int shift)
{
    uint64_t v = w;
    for (int done = shift; done < 64; done += shift)
        v = w ^ v >> shift;
    return v;
}

/* The inverse of an odd number modulo 2^64, by Newton's method. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t v = odd;
    for (int i = 0; i < 6; i++)
        v *= 2 - odd * v;
    return v;
}

/* A generator whose next output is OUT. */
static struct nn_rng about_to_give(uint64_t out)
{
    uint64_t v = unshift(out, 31) * inverse(0x94d049bb133111eb);
    v = unshift(v, 27) * inverse(0xbf58476d1ce4e5b9);
    return nn_rng_seeded(unshift(v, 30) - 0x9e3779b97f4a7c15);
}

static void expect_outputs(uint64_t seed, const uint64_t *want, size_t n)
{
    struct nn_rng rng = nn_rng_seeded(seed);
    for (size_t i = 0; i < n; i++) {
        uint64_t got = nn_rng_next(&rng);
        cr_assert(got == want[i], "seed %llu, output %zu",
                  (unsigned long long)seed, i);
    }
}

Test(rng, first_outputs)
{
    const uint64_t of_0[] = {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4,
                             0x06c45d188009454f};
    const uint64_t of_1234567[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821)};
    expect_outputs(0, of_0, 3);
    expect_outputs(1234567, of_1234567, 5);
}

Test(rng, agrees_with_the_stateless_form)
{
    for (uint64_t n = 0; n < 100; n++) {
        uint64_t want[100], seed = splitmix(99, n);
        for (uint64_t i = 0; i < 100; i++)
            want[i] = splitmix(seed, i);
        expect_outputs(seed, want, 100);
    }
}

Test(rng, uniform_stays_in_range)
{
    const double ends[][2] = {{0, 1},   {-1, 1},      {-0.3, 0.3},
                              {0, 1e9}, {-2.5, -0.5}, {0, 0x1p-1022}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct nn_rng rng = nn_rng_seeded(i);
        double low = ends[i][0], high = ends[i][1], sum = 0;
        for (int n = 0; n < 20000; n++) {
            double v = nn_rng_uniform(&rng, low, high);
            cr_assert(v >= low && v < high, "%g in [%g, %g)", v, low, high);
            sum += (v - low) / (high - low);
        }
        cr_assert(fabs(sum / 20000 - 0.5) < 0.01);
    }
}

Test(rng, uniform_at_both_ends)
{
    const double ends[][2] = {{0, 1}, {-1, 1}, {-0.3, 0.3}, {0, 1e9}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        double low = ends[i][0], high = ends[i][1];
        struct nn_rng least = about_to_give(0);
        struct nn_rng most = about_to_give(UINT64_MAX);
        cr_assert(nn_rng_uniform(&least, low, high) == low);
        double v = nn_rng_uniform(&most, low, high);
        cr_assert(v < high && v > high - 1e-15 * (high - low));
    }
}

/* Here low + (high - low) * u rounds up to the end that is excluded.
   It is returned so far. */
Test(rng, uniform_excludes_an_end_far_from_zero)
{
    const double ends[][2] = {{1, 2}, {1e6, 1e6 + 1}, {-1e-3, 1}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct nn_rng rng = about_to_give(UINT64_MAX);
        double v = nn_rng_uniform(&rng, ends[i][0], ends[i][1]);
        cr_assert(v >= ends[i][0] && v < ends[i][1], "%.17g", v);
    }
}

Test(rng, uniform_has_53_bits)
{
    struct nn_rng rng = nn_rng_seeded(5);
    int odd = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        double steps = nn_rng_uniform(&rng, 0, 1) * 0x1p53;
        cr_assert(steps == floor(steps));
        cr_assert(steps == (double)(splitmix(5, i) / 2048));
        odd += fmod(steps, 2) == 1;
    }
    cr_assert(odd > 400 && odd < 600, "%d of 1000 are odd", odd);
}

Test(rng, below_is_below)
{
    const uint64_t limits[] = {1, 2, 3, 7, 10, 256, 1000003,
                               UINT64_C(1) << 32, UINT64_C(1) << 63,
                               (UINT64_C(1) << 63) + 1, UINT64_MAX - 1,
                               UINT64_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct nn_rng rng = nn_rng_seeded(i);
        for (int n = 0; n < 5000; n++)
            cr_assert(nn_rng_below(&rng, limits[i]) < limits[i]);
    }
}

Test(rng, below_1_is_0)
{
    struct nn_rng rng = nn_rng_seeded(3);
    for (int n = 0; n < 1000; n++)
        cr_assert(nn_rng_below(&rng, 1) == 0);
}

/* Draws below N, sorted into CELLS equal parts, look even. */
static void expect_even(uint64_t n, size_t cells)
{
    enum { DRAWS = 60000 };
    struct nn_rng rng = nn_rng_seeded(n);
    size_t count[64] = {0};
    uint64_t width = n / cells + (n % cells != 0);
    for (int i = 0; i < DRAWS; i++)
        count[nn_rng_below(&rng, n) / width]++;
    double off = check_chi_square(count, cells, DRAWS);
    cr_assert(off < 3 * (double)cells + 15, "n %llu: chi-square %g",
              (unsigned long long)n, off);
}

/* A plain remainder is uneven for 3 * 2^62: its first third would come
   twice as often. For 2^63 + 1 only two numbers would come too seldom. */
Test(rng, below_is_fair)
{
    expect_even(2, 2);
    expect_even(3, 3);
    expect_even(10, 10);
    expect_even(64, 64);
    expect_even(UINT64_C(3) << 62, 6);
    expect_even((UINT64_C(1) << 63) + 1, 8);
    expect_even(UINT64_C(5) << 61, 10);
}

/* The smallest output that may be used is 2^64 mod n. */
Test(rng, below_rejects_what_would_be_uneven)
{
    uint64_t n = (UINT64_C(1) << 63) + 1, over = (UINT64_C(1) << 63) - 1;
    struct nn_rng taken = about_to_give(over);
    struct nn_rng left = about_to_give(over - 1);
    uint64_t taken_state = taken.state, left_state = left.state;
    nn_rng_below(&taken, n);
    nn_rng_below(&left, n);
    cr_assert(taken.state - taken_state == 0x9e3779b97f4a7c15);
    cr_assert(left.state - left_state != 0x9e3779b97f4a7c15);
}

Test(rng, shuffle_permutes)
{
    enum { MOST = 200 };
    struct nn_rng rng = nn_rng_seeded(8);
    for (size_t n = 0; n <= MOST; n++) {
        size_t order[MOST + 1], seen[MOST + 1] = {0};
        for (size_t i = 0; i <= MOST; i++)
            order[i] = i;
        nn_rng_shuffle(&rng, order, n);
        for (size_t i = 0; i <= MOST; i++)
            seen[order[i] <= MOST ? order[i] : 0]++;
        for (size_t i = 0; i <= MOST; i++)
            cr_assert(seen[i] == 1 && (i < n || order[i] == i));
    }
}

Test(rng, shuffle_of_nothing)
{
    struct nn_rng rng = nn_rng_seeded(8);
    size_t one = 17;
    nn_rng_shuffle(&rng, NULL, 0);
    nn_rng_shuffle(&rng, &one, 0);
    nn_rng_shuffle(&rng, &one, 1);
    cr_assert(one == 17);
}

Test(rng, shuffle_gives_all_orders_of_three)
{
    enum { DRAWS = 60000 };
    struct nn_rng rng = nn_rng_seeded(1);
    size_t count[6] = {0};
    for (int i = 0; i < DRAWS; i++) {
        size_t o[3] = {0, 1, 2};
        nn_rng_shuffle(&rng, o, 3);
        count[2 * o[0] + (o[1] > o[2])]++;
    }
    double off = check_chi_square(count, 6, DRAWS);
    cr_assert(off < 30, "chi-square %g", off);
}

Test(rng, shuffle_puts_each_number_everywhere)
{
    enum { N = 10, DRAWS = 20000 };
    struct nn_rng rng = nn_rng_seeded(2);
    size_t count[N][N] = {{0}};
    for (int i = 0; i < DRAWS; i++) {
        size_t o[N];
        for (size_t k = 0; k < N; k++)
            o[k] = k;
        nn_rng_shuffle(&rng, o, N);
        for (size_t k = 0; k < N; k++)
            count[k][o[k]]++;
    }
    for (size_t k = 0; k < N; k++)
        cr_assert(check_chi_square(count[k], N, DRAWS) < 40);
}

Test(rng, same_seed_same_numbers)
{
    struct nn_rng one = nn_rng_seeded(77), two = nn_rng_seeded(77);
    struct nn_rng other = nn_rng_seeded(78);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t v = nn_rng_next(&one);
        cr_assert(v == nn_rng_next(&two));
        differ += v != nn_rng_next(&other);
    }
    cr_assert(differ == 100);
}

#!/usr/bin/env bash
# coverage.sh: which lines and branches of code/nn/ its tests reach. All lines must
# be, and 95 % of the branches, but for those that tests/coverage.txt excuses.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS
dir=build/coverage
export OMP_NUM_THREADS=2 LC_ALL=C.UTF-8
suites=(nn check fast idx init loss model optimizer rng train watch)

# A test is a process of its own, and at its end adds what it has counted to the .gcda files;
# one that aborts adds nothing. Threads count together.
make -s -j"$(nproc)" O=$dir OPT=-O0 CFLAGS='--coverage -fprofile-update=atomic -include tests/coverage.h' \
  "${suites[@]/#/$dir/test/test_}"
find $dir/obj -name '*.gcda' -delete

ran() { # [CPU_WITHOUT=LIST] SUITE
  local log=$dir/test.log
  if ! env "$@" >$log 2>&1 </dev/null || grep -q crashed $log; then indent <$log; false; fi
}
for suite in "${suites[@]}"; do
  check "test_$suite" ran $dir/test/test_"$suite"
done
for without in avx512f avx512f,fma avx512f,avx2; do
  check "the lanes without $without" ran CPU_WITHOUT=$without $dir/test/test_fast --filter 'product/lanes*'
done

check "the lines and branches of code/nn/" python3 tests/coverage.py $dir/obj/nn tests/coverage.txt
finish

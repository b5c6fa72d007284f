#!/usr/bin/env bash
# run.sh DIR: runs every Criterion binary in DIR/test; with build as DIR, then the
# goldens, the programs and the build itself. ASAN=1: no sanitizer may have spoken.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
dir=$1
log=$dir/test.log
logs=$PWD/$dir/asan-logs
[ -z "${ASAN-}" ] || { rm -rf "$logs"; mkdir -p "$logs"; }

field() { sed -n "s/.*Synthesis:.*$1: \([0-9]*\).*/\1/p" "$log" | tail -n 1; }

# Criterion says 0 when a filter matches nothing and when LeakSanitizer has found
# something: so the tests are counted, and the sanitizers write into files.
suite() { # BINARY
  local name status=0 source wanted ran
  name=$(basename "$1")
  source=tests/$name.c
  [ -e "$source" ] || source=code/$name/test.c
  wanted=$(grep -cE '^(Test|ParameterizedTest|Theory)\(' "$source" || true)
  if [ -n "${ASAN-}" ]; then
    ASAN_OPTIONS=log_path=$logs/$name UBSAN_OPTIONS=print_stacktrace=1 \
      timeout -k 5 120 "$1" >"$log" 2>&1 </dev/null || status=$?
  else
    timeout -k 5 120 "$1" >"$log" 2>&1 </dev/null || status=$?
  fi
  ran=$(field Passing)
  if [ $status -eq 0 ] && [ "${wanted:-0}" -gt 0 ] && [ "${ran:-0}" -ge "$wanted" ]; then
    ok "$name: $ran tests"
    passed=$((passed + ran - 1))
    grep '^skipped: ' "$log" || true
  else
    bad "$name: status $status, ${ran:-no} tests passed, $source has ${wanted:-no}"
    indent <"$log"
  fi
  for file in "$logs/$name".*; do
    [ -z "${ASAN-}" ] || [ ! -e "$file" ] || { bad "$name: a sanitizer wrote $file"; indent <"$file"; }
  done
}

# script COMMAND...: a script of ours, whose last line says how many passed
script() {
  "$@" >"$log" || true
  report "$log" "$1"
}
report() { # LOG WHOSE
  local last
  sed '$d' "$1"
  last=$(tail -n 1 "$1")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
  else
    echo "$last"; bad "$2 broke off"
  fi
}

# Two scripts that take long run meanwhile.
slow=()
if [ "$dir" = build ] && [ -z "${ASAN-}" ]; then
  slow=(tests/models.sh tests/build.sh)
  { for name in "${slow[@]}"; do "$name" >"$dir/$(basename "$name").log" 2>&1 || true; done; } &
fi

found=0
for binary in "$dir"/test/*; do
  if [ ! -f "$binary" ] || [ ! -x "$binary" ]; then continue; fi
  found=1
  suite "$binary"
done
[ $found -eq 1 ] || bad "no test binary in $dir/test"

if [ "$dir" = build ] && [ -z "${ASAN-}" ]; then
  # shellcheck disable=SC2046  # names of runs have no spaces
  script tests/golden.sh golden $(sed -nE 's/^RUNS_(run|data) \+= //p' build/book.mk)
  script tests/cli.sh
  script tests/bench.sh
  script tests/spread.sh
  wait
  for name in "${slow[@]}"; do report "$dir/$(basename "$name").log" "$name"; done
fi
finish

#!/usr/bin/env bash
# analyse.sh: what four tools say of the C without running it: gcc's analyzer, clang-tidy
# (with clang's analyzer in it), cppcheck, and shellcheck of the scripts. What they are
# wrong about stands in tests/analyse.txt, each with a reason; what stands there and is
# no longer said is an error too.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
place=build/analyse
rm -rf $place; mkdir -p $place
export LC_ALL=C.UTF-8

# What is compiled by itself: not the passes of chapter 9 that others include.
mapfile -t sources < <(find build/obj -name '*.o' ! -path '*/tests/*' ! -path '*/fuzz/*' | sed 's,^build/obj,code,; s,o$,c,' | sort)
mapfile -t programs < <(printf '%s\n' "${sources[@]}" | grep -v '/test\.c$')
mapfile -t flags < <(mpicc --showme:compile | tr ' ' '\n' | sed -n 's/^-I/-isystem/p')
flags+=(-std=c11 -Icode)

run_gcc() {
  local file
  for file in "${programs[@]}"; do gcc "${flags[@]}" -fopenmp -fanalyzer -O0 -c -o /dev/null "$file"; done
}
run_tidy() {
  local file
  for file in "${programs[@]}"; do
    clang-tidy --quiet "$file" -- "${flags[@]}" -fopenmp || echo "$file: fatal error: status $?"
  done
}
run_cppcheck() { # Criterion's macros are given as what they stand for
  cppcheck --std=c11 --enable=warning,performance,portability --quiet -Icode -Itests \
    --template='{file}:{line}:{column}: warning: {message} [{id}]' --template-location='    {file}:{line}: {info}' \
    --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=duplicateAssignExpression \
    -D_Noreturn='__attribute__((noreturn))' -D'TestSuite(...)=extern int suite_' -D'Test(s,t,...)=void s##t(void)' \
    -D'ParameterizedTestParameters(s,t)=void s##t##_(void)' -D'ParameterizedTest(p,s,t,...)=void s##t(p)' \
    "${sources[@]}" tests/*.c tests/*/*.c
}

# FILE CHECK CODE of each warning, once: without numbers of lines, which move.
warnings() {
  sed -nE "s,^($PWD/)?([^:]+):([0-9]+):[0-9]+: (warning|error): .*\[([^]]*)\]\$,\2 \3 \5,p" | sort -u |
    while read -r file line check; do
      echo "$file $check $(sed -n "${line}s/^ *//p" "$file")"
    done | sort -u
}

if [ ${#programs[@]} -lt 40 ]; then bad "only ${#programs[@]} sources found in build/obj: run 'make test-binaries'"; fi
for tool in gcc tidy cppcheck; do
  run_$tool >$place/$tool.log 2>&1 </dev/null || true
  # a tool that is not there, or could not read a file, has nothing to say
  grep -E 'fatal error|command not found|clang-diagnostic-error|syntaxError|internalAstError' $place/$tool.log >$place/$tool.broken || true
  sed 's/^cc1: .*//' $place/$tool.log | warnings >$place/$tool.said
  sed -n "s/^$tool  *//p" tests/analyse.txt | sed 's/  *##.*//' | sort -u >$place/$tool.known
  if [ -s $place/$tool.broken ]; then
    bad "$tool could not do its work"; indent <$place/$tool.broken
  elif diff $place/$tool.known $place/$tool.said >$place/$tool.diff; then
    ok "$tool: nothing new, $(wc -l <$place/$tool.known) known"
  else
    bad "$tool: < is no longer said, > is new; more in $place/$tool.log"; indent <$place/$tool.diff
  fi
done
check "every exception has a reason" awk '!/^#/ && NF && !/ ## ./ { print; bad = 1 } END { exit bad }' tests/analyse.txt

mapfile -t scripts < <(grep -lE '^#!.*(bash|/sh)' book/bin/* .ci/*; ls tests/*.sh)
check "shellcheck" shellcheck -x "${scripts[@]}"
finish

#!/usr/bin/env bash
# mutate.sh all | SEED COUNT: small mistakes, made one by one in the library as it is
# tangled (tests/mutants/make), and whether tests/mutants/kill.c notices. Survivors
# must be explained in tests/mutants/survivors.txt. `mutate.sh table` says less.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
export LC_ALL=C.UTF-8 OMP_WAIT_POLICY=passive
place=build/mutants
sources=(nn loss optimizer fast product init train watch check rng)
fellows=(status) # not mutated
# an index outside of an array whose size is known is a trap
compile=(gcc -std=c11 -O1 -ffp-contract=off -fno-math-errno -fopenmp
         -fsanitize=bounds -fsanitize-undefined-trap-on-error)
# shellcheck disable=SC2054 # the commas are for the linker
link=(gcc -fopenmp -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=aligned_alloc)

# one NUMBER FILE: makes the mutant and runs the driver. Its verdict is a line: number,
# and broken (not C), same (the same code), alive, or killed, with the status, what the
# driver said, and of the net itself whether it learns XOR nevertheless.
one() {
  local home=$place/$1 name=${2%.*} said status=0 objects=()
  local source=$home/nn/$2
  if [ "$2" = tile.h ]; then source=build/tangle/nn/product.c name=product; fi
  if ! timeout 60 "${compile[@]}" -w -I"$home" -Ibuild/tangle -c -o "$home/$name.o" "$source" 2>/dev/null; then
    echo "$1 broken"
  elif cmp -s "$home/$name.o" "$place/$name.o"; then
    echo "$1 same"
  else
    for object in kill "${sources[@]}" "${fellows[@]}"; do
      if [ "$object" = "$name" ]; then objects+=("$home/$name.o"); else objects+=("$place/$object.o"); fi
    done
    "${link[@]}" -o "$home/kill" "${objects[@]}" -lm
    said=$(timeout 30 "$home/kill" 2>/dev/null | head -c 200 | tr -d '\0' | head -n 1) || status=$?
    if [ $status -eq 0 ]; then echo "$1 alive"
    elif [ "$2" != nn.c ]; then echo "$1 killed $status $said"
    elif { timeout 30 "$home/kill" learn | cat >"$home/said"; } 2>/dev/null; then echo "$1 killed $status learns $said"
    else echo "$1 killed $status stalls $said"
    fi
  fi
  rm -rf "$home"
}
if [ "${1-}" = one ]; then one "$2" "$3"; exit; fi

case ${1-} in
  all | table) seed=0 count=0 ;;
  *) seed=${1?"mutate.sh all | table | SEED COUNT"} count=${2?"how many?"} ;;
esac
rm -rf $place; mkdir -p $place
for name in "${sources[@]}" "${fellows[@]}"; do
  "${compile[@]}" -w -Ibuild/tangle -c -o "$place/$name.o" "build/tangle/nn/$name.c"
done
"${compile[@]}" -Wall -Wextra -Wconversion -Wshadow -Werror -Ibuild/tangle -c -o $place/kill.o tests/mutants/kill.c
"${link[@]}" -o $place/kill $place/*.o -lm
if ! timeout 20 $place/kill >$place/said; then
  bad "without a mistake kill.c says: $(cat $place/said)"
  finish
fi
milliseconds=$(TIMEFORMAT='%U %S'; { time $place/kill; } 2>&1 | awk '{ print int(1000 * ($1 + $2)) }')

mapfile -t files < <(printf 'build/tangle/nn/%s.c\n' "${sources[@]}"; echo build/tangle/nn/tile.h)
tests/mutants/make $place "$seed" "$count" "${files[@]}"
cut -f 1,3 $place/list | xargs -P 2 -n 2 tests/mutate.sh one >$place/verdicts
wide=1; grep -qw avx512f /proc/cpuinfo || wide=0
awk -v whole="$((count == 0))" -v wide=$wide -f tests/mutants/judge.awk $place/verdicts tests/mutants/survivors.txt $place/list \
  >$place/judged 2>$place/table
cat $place/table
if [ "$1" = table ]; then exit; fi
check "kill.c is content with the library, and takes under half a second: $milliseconds ms" [ "$milliseconds" -lt 500 ]
while IFS= read -r line; do
  case $line in
    ok*) ok "${line#ok }" ;;
    *) bad "$line" ;;
  esac
done <$place/judged
finish

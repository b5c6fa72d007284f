#!/usr/bin/env bash
# spread.sh: tests the program spread with two and four ranks, on as many processors as
# there may be. It times nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
spread=$PWD/build/bin/spread
scratch=build/test-spread
clothes=/usr/share/datasets/fashion-mnist
rm -rf $scratch; mkdir -p $scratch/data
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # containers
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none

# amiss WHAT STATUS PATTERN COMMAND...: that is how it ends, and all that it says is one
# line. mpirun takes seconds to end a job that fails, so all of these run beside each other.
waiting=()
amiss() {
  local what=$1 want=$2 pattern=$3 at=amiss.${#waiting[@]} status
  shift 3
  waiting+=("$what")
  {
    status=0
    timeout -k 5 60 "$@" >/dev/null 2>"$at.err" </dev/null || status=$?
    if [ $status -eq "$want" ] && [ "$(wc -l <"$at.err")" -eq 1 ] && grep -q -- "^spread: $pattern" "$at.err"; then
      echo ok >"$at"
    else
      echo "status $status, not $want, or not one line: $pattern" >"$at"
    fi
  } &
}
come_in() { # the verdicts on all of them
  local i
  wait
  for i in "${!waiting[@]}"; do
    if [ "$(cat "amiss.$i")" = ok ]; then ok "${waiting[$i]}"; else bad "${waiting[$i]}"; indent <"amiss.$i"; indent <"amiss.$i.err"; fi
  done
}
value() { sed -n "s/^$1 = //p" out; } # of the last run
run() { timeout -k 5 120 "$@" >out 2>err </dev/null || { indent <err; false; }; }

# Without Open MPI the program is built all the same.
cc -std=c11 -O2 -fopenmp -Ibuild/tangle -o $scratch/without build/tangle/15-spread/spread.c \
  build/libtools.a build/libfourloops.a -ljansson -lpng -lz -lm
cd $scratch
amiss "built without MPI, it says so" 1 "built without Open MPI" ./without
come_in; waiting=()
check "... and adds a million numbers" run ./without --sums
check "... as it does with MPI" cmp -s out <("$spread" --sums)

if ! command -v mpirun >/dev/null; then
  echo "skipped: no mpirun here, so no ranks: make deps-code"
  finish; exit
fi
if [ ! -d $clothes ]; then bad "no $clothes: make deps-code"; finish; exit 1; fi

# The first 512 pictures, for training and for testing.
some() { # FILE SKIP BYTES: bytes after the first SKIP
  zcat "$clothes/train-$1-ubyte.gz" | tail -c +$(($2 + 1)) 2>/dev/null | head -c "$3" || true
}
{ printf '\0\0\010\003\0\0\002\0\0\0\0\034\0\0\0\034'; some images-idx3 16 $((512 * 784)); } >data/train-images-idx3-ubyte
{ printf '\0\0\010\001\0\0\002\0'; some labels-idx1 8 512; } >data/train-labels-idx1-ubyte
for part in images-idx3 labels-idx1; do ln -s train-$part-ubyte data/t10k-$part-ubyte; done
mkdir train; ln -s ../data/train-{images-idx3,labels-idx1}-ubyte train
small=("$spread" --data data --batch 64)

# Twelve steps are one epoch and a half.
run "${small[@]}" --ranks 4 --order --steps 12 || bad "--order: status"
# shellcheck disable=SC2016  # awk's, not the shell's
check "1, 2 and 4 ranks end within 1e-6, and by the tree at the same bits" awk '
  $1 ~ /^[124]$/ { n++; tree[$6]; after[$2]; if (!($3 < 1e-6 && $5 < 1e-6)) far = 1 }
  END { exit !(n == 3 && length(tree) == 1 && length(after) > 1 && !far) }' out

run "${small[@]}" --sum tree --steps 12
whole=$(value parameters)
grep -E '^ +[0-9]' out >costs || bad "no costs"
run "${small[@]}" --sum tree --steps 12 --ranks 2 || bad "2 ranks: status"
check "2 ranks train as one does" [ "$(value parameters)" = "$whole" ]
run "${small[@]}" --sum along --steps 12 --ranks 4 || bad "4 ranks: status"
check "4 ranks that add along the way see the same costs" diff costs <(grep -E '^ +[0-9]' out)
run "${small[@]}" --ranks 4 --cost --hidden 20,20 || bad "--cost: status"
check "times for 1, 2 and 4 ranks" [ "$(grep -cE '^ +[124] +[0-9]' out)" = 3 ]

# Ranks that are told different things.
other() { # WHAT OPTION...: one rank has other options than the other
  amiss "ranks disagree on the $1" 1 "the ranks disagree on: $1" \
    mpirun -q -n 1 "${small[@]}" --steps 1 : -n 1 "${small[@]}" --steps 1 "${@:2}"
}
other seed --seed 2
other layers --hidden 127
other settings --rate 0.2
cp -r data changed
printf '\001' | dd of=changed/train-images-idx3-ubyte bs=1 seek=300000 conv=notrunc status=none
cmp -s data/train-images-idx3-ubyte changed/train-images-idx3-ubyte && bad "no picture has changed"
other data --data changed

# Trainings that train has left, with the same layers.
left() { # FILE OPTION...
  timeout -s INT 2 "$(dirname "$spread")/train" --layers "784,128,10" --epochs 100000 --save "$1" "${@:2}" data >/dev/null 2>&1 || true
  [ -s "$1" ] || bad "train leaves nothing in $1"
}
left tanh --optimizer descent --activation tanh &
left squared --optimizer descent --loss squared &
left decayed --optimizer descent --decay 0.01 &
left adam &
wait
for kind in tanh squared decayed; do
  amiss "a training of another kind: $kind" 1 "$kind: a net of another kind" "${small[@]}" --resume $kind
done
amiss "a training by another method" 1 "adam: a training by another method" "${small[@]}" --resume adam

# What all find amiss, one says.
amiss "no pictures" 1 "none/train-images" "${small[@]}" --data none --ranks 2
amiss "ranks that do not divide the batch" 2 "--batch 64: not a multiple of 3 ranks; try --help" "${small[@]}" --ranks 3
amiss "ranks that are no power of two, for the tree" 2 "a fixed order.* divide 8, not 3; try --help" "${small[@]}" --batch 72 --ranks 3 --sum tree
amiss "a file that is no training" 1 "data/train-labels" "${small[@]}" --ranks 2 --resume data/train-labels-idx1-ubyte
amiss "an unknown order" 2 "--sum some" "${small[@]}" --ranks 2 --sum some
amiss "a batch that has no eighths" 2 "--batch 12" "${small[@]}" --batch 12
for sizes in '3,,' '3,' '' ,3 0 100001 1,2,3,4,5,6,7,8; do
  amiss "no layers: '$sizes'" 2 "--hidden $sizes: wanted: 1 to 7 sizes from 1 to 100000" "${small[@]}" --hidden "$sizes"
done
amiss "the costs of one rank" 2 "--cost takes two" "${small[@]}" --cost
amiss "no pictures to be tested on" 1 "train/t10k-images-idx3-ubyte: no such file$" "${small[@]}" --data train --ranks 2
amiss "a folder that is not there" 1 "none/half" "${small[@]}" --ranks 2 --steps 1 --save none/half
amiss "a training that goes to NaN" 1 "step [0-9]*: " "${small[@]}" --ranks 2 --hidden 128,128,128 --rate 10 --steps 1000

come_in

gone() { # PID...: all have ended, or do so soon
  local p
  for _ in $(seq 100); do
    for p in "$@"; do ! grep -qs '^State:.[^Z]' "/proc/$p/status" || break; done
    grep -qs '^State:.[^Z]' "/proc/$p/status" || return 0
    sleep 0.1
  done
  return 1
}

# A rank is killed from outside: rank RANK of four.
killed() {
  local pid ranks status=0 step
  rm -f half
  timeout -k 5 60 "${small[@]}" --ranks 4 --sum tree --steps 100000000 --every 3 --save half >out 2>err </dev/null &
  pid=$!
  for _ in $(seq 300); do [ ! -e half ] || break; sleep 0.1; done
  # a process that ends meanwhile is no fault of ours
  ranks=$({ grep -lsz "^--every" /proc/[0-9]*/cmdline || true; } | cut -d/ -f3 |
    while read -r p; do ! grep -qsz "^OMPI_COMM_WORLD_RANK=" "/proc/$p/environ" || [ "$(readlink "/proc/$p/cwd")" != "$PWD" ] || echo "$p"; done)
  check "four ranks are running" [ "$(wc -w <<<"$ranks")" = 4 ]
  for p in $ranks; do
    ! grep -qz "^OMPI_COMM_WORLD_RANK=$1\$" "/proc/$p/environ" || kill -9 "$p"
  done
  wait $pid || status=$?
  check "rank $1 killed: one message" [ "$status $(cat err)" = "1 spread: a rank died by signal 9; go on: --resume half" ]
  # shellcheck disable=SC2086  # several numbers
  check "... and nobody is left" gone $ranks

  step=$(($(head -c 4000 half | grep -ao '"training.step":"[0-9]*"' | grep -o '[0-9]*') + 5))
  run "${small[@]}" --ranks "$2" --sum tree --steps $step --resume half || bad "--resume: status"
  resumed=$(value parameters)
  run "${small[@]}" --sum tree --steps $step
  check "$2 ranks go on, and end at step $step as if nothing had been" [ -n "$resumed" -a "$resumed" = "$(value parameters)" ]
}
killed 2 2
killed 0 4
finish

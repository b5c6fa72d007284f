#!/usr/bin/env bash
# models.sh [DIR]: the programs train, predict, evaluate and inspect of DIR/bin (build/bin)
# on pictures made here: a training that is stopped goes on to the same bits, and the
# programs agree with each other.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
. tests/try.sh
dir=${1-build}
bin=$PWD/$dir/bin page=$PWD/code/12-well/open_model.py
make_pictures() { mkdir -p "$1"; python3 "$here/pictures.py" "$@"; }
here=$PWD/tests
scratch=$dir/test-models
rm -rf "$scratch"; mkdir -p "$scratch"
cd "$scratch"
export OMP_NUM_THREADS=1
make_pictures set 10 8 4 6000 300
make_pictures wide 8 10 4 200 20 # the same number of pixels
make_pictures small 6 5 4 200 20
make_pictures many 10 8 5 200 20
make_pictures few 10 8 4 400 20

# Long enough to be stopped: a second or two. The settings differ in all that is kept.
declare -A settings=(
  [adam]='--batch 7 --dropout 0.2 --schedule one-cycle --rate 0.002'
  [momentum]='--optimizer momentum --decay 0.001 --rate 0.01 --loss squared --activation tanh --init glorot'
  [descent]='--optimizer descent --batch 400 --rate 0.1 --activation sigmoid --layers 80,30,20,4 --epochs 150'
  [fast]='--engine fast --batch 7 --dropout 0.2 --optimizer adam'
  [push]='--engine fast --optimizer momentum --rate 0.01 --decay 0.001 --schedule constant'
)
# learn NAME OPTION...: its training, into NAME.safetensors unless --save says otherwise
learn() { (become "$@"); }
become() { # ... in the place of this shell, so that a signal gets there
  # shellcheck disable=SC2086  # the settings are words
  exec "$bin/train" --layers 80,24,4 --epochs 25 --validation 100 --classes one,two,three,four ${settings[$1]} "${@:2}" set
}

# stopped NAME SIGNAL STATUS: starts the training, and stops it in the middle
stopped() {
  local status=0 pid
  rm -f "$1.part"
  become "$1" --save "$1.part" --log "$1.part.csv" >"$1.out" 2>"$1.err" & pid=$!
  until [ -e "$1.part" ]; do kill -0 $pid || return 1; done # after an epoch
  sleep 0.03
  kill -"$2" $pid
  wait $pid || status=$?
  [ $status -eq "$3" ] || { echo "status $status, not $3"; cat "$1.err"; return 1; }
}
# goes_on NAME: to the end of what was stopped
goes_on() { "$bin/train" --resume "$1.part" --save "$1.part" --log "$1.part.csv" set >>"$1.out"; }

middles=0
for name in "${!settings[@]}"; do
  learn "$name" --save "$name.safetensors" --log "$name.csv" >"$name.whole" 2>err || true
  check "$name: a training says nothing on standard error" test ! -s err -a -s "$name.safetensors"
  if stopped "$name" INT 130; then
    ok "$name: SIGINT ends it with 130"
  else
    bad "$name: SIGINT ends it with 130"; continue
  fi
  check "$name: ... and one line" grep -qx 'train: stopped after step [0-9]* of [0-9]*, and saved' "$name.err"
  "$bin/inspect" "$name.part" >"$name.state"
  check "$name: what is saved is a training that was stopped" grep -qx 'training = stopped' "$name.state"
  middle=$(awk '/done = / { print $(NF - 2) != $NF }' "$name.state")
  middles=$((middles + middle))
  goes_on "$name" || true
  check "$name: it goes on to the same bits (from the middle of an epoch: $middle)" cmp "$name.safetensors" "$name.part"
  check "$name: ... and the same log" cmp "$name.csv" "$name.part.csv"
  check "$name: ... and the log has each epoch" test "$(wc -l <"$name.csv")" -eq "$(($(grep -c '^ *[0-9]' "$name.whole") + 1))"
done
check "most of them were stopped in the middle of an epoch: $middles" test $middles -ge 2

# Stopped again and again, at whatever step, by three signals.
: >stops
rm -f adam.part
for signal in INT TERM KILL INT TERM INT; do
  resume=(); [ ! -e adam.part ] || resume=(--resume adam.part)
  status=0
  become adam "${resume[@]}" --save adam.part >/dev/null 2>err & pid=$!
  sleep 0.1
  kill -$signal $pid 2>/dev/null || true
  wait $pid 2>/dev/null || status=$?
  echo "$signal $status" >>stops
done
status=0
"$bin/train" --resume adam.part --save adam.part set >/dev/null 2>err || status=$?
check "adam: stopped by INT, TERM and KILL in turn, the same bits ($(paste -sd, stops))" cmp adam.safetensors adam.part
check "SIGTERM ends it with 143" grep -qx 'TERM 143' stops

become adam >out 2>err & pid=$!
sleep 0.2; kill -INT $pid; status=0; wait $pid || status=$?
check "stopped without --save: $status" test $status -eq 130
check "... it says that nothing is saved" grep -q 'not saved$' err

learn adam --epochs 1 --save one.safetensors >/dev/null
learn adam --epochs 1 --save two.safetensors --seed 2 >/dev/null
check "another seed, another net" test "$(cksum <one.safetensors)" != "$(cksum <two.safetensors)"
OMP_NUM_THREADS=2 learn fast --epochs 2 --save two.safetensors >/dev/null
OMP_NUM_THREADS=1 learn fast --epochs 2 --save one.safetensors >/dev/null
check "the fast engine: the same bits on two threads" cmp one.safetensors two.safetensors

# What does not fit is refused, in one line.
stopped adam INT 130 || bad "adam: stopped once more"
keep() { cp adam.part kept; "$@"; local s=$?; cmp -s adam.part kept || echo "adam.part has changed"; return $s; }
for pair in "--rate 0.003" "--epochs 26" "--engine fast" "--seed 2" "--layers 80,25,4" "--dropout 0.1" "--classes a,b,c,d" "--pictures 20"; do
  # shellcheck disable=SC2086
  keep try "--resume with another ${pair% *}" 1 "${pair% *} ${pair#* }: adam.part was begun with" "$bin/train" --resume adam.part $pair set
done
try "--resume with what it was begun with" 1 "nowhere/" "$bin/train" --resume adam.part --rate 0.002 --epochs 25 --save nowhere/x set
keep try "--resume of other pictures" 1 "of 5900 pictures, not of 300" "$bin/train" --resume adam.part few
keep try "--resume of small pictures" 1 "80 inputs" "$bin/train" --resume adam.part small
keep try "--resume of more classes" 1 "5 classes" "$bin/train" --resume adam.part many
try "--resume of a finished training" 1 "finished" "$bin/train" --resume adam.safetensors set
try "--resume of nothing" 1 "nowhere" "$bin/train" --resume nowhere set
try "--resume of what is no model" 1 "set/0.pgm" "$bin/train" --resume set/0.pgm set
# other FILE FROM TO: adam.part with one word of its header changed, and the checksum made anew
other() {
  python3 - adam.part "$@" <<'PYTHON'
import sys, zlib
source, target, was, becomes = sys.argv[1:]
d = open(source, "rb").read()
assert d.count(was.encode()) == 1, was
d = d.replace(was.encode(), becomes.encode())
d = d[:34] + b"0" * 8 + d[42:]
open(target, "wb").write(d[:34] + b"%08x" % zlib.crc32(d) + d[42:])
PYTHON
}
other word one-cycle one-cyclx
try "--resume of a word that is none" 1 "word: setting schedule is one-cyclx" "$bin/train" --resume word set
other layers '"run.layers":"80,24,4"' '"run.layers":"80,2x,4"'
try "--resume of layers that are none" 1 "layers: setting layers is 80,2x,4" "$bin/train" --resume layers set
other wider '"run.layers":"80,24,4"' '"run.layers":"80,25,4"'
try "--resume of other layers than its net's" 1 "wider: its settings do not fit its net" "$bin/train" --resume wider set
other batch '"run.batch":"7"' '"run.batch":"8"'
try "--resume with a batch that the steps were not made with" 1 "batch: its epoch, step and pictures do not fit each other" "$bin/train" --resume batch set
try "layers that are not the pictures'" 1 "784 inputs and 10 outputs, the pictures 80 pixels and 4 classes" "$bin/train" set
for layers in '' 80 '80,' ,80 80,0,4 80,x,4 80,-1,4 80,,4 80,1000001,4 80,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4 99999999999999999999,4; do
  try "--layers '$layers'" 2 "--layers $layers: wanted: 2 to 17 sizes from 1 to 1000000" "$bin/train" --layers "$layers" set
done
for option in activation loss init optimizer schedule engine; do
  try "--$option none" 2 "--$option none" "$bin/train" --layers 80,4 "--$option" none set
done
for names in a,b,c a,b,c,d,e 'a,b,c,' a,,c,d 'a,b,c,d,'; do
  try "--classes $names" 2 "--classes $names: not 4 names" "$bin/train" --layers 80,4 --classes $names set
done
try "too many held out" 1 "too few" "$bin/train" --layers 80,4 --validation 6000 set
try "too many to learn from" 1 "too few" "$bin/train" --layers 80,4 --validation 1000 --pictures 5001 set
try "no folder" 1 "nowhere/train-images-idx3-ubyte: no such file$" "$bin/train" nowhere
echo kept >log
learn adam --epochs 2 --log log >/dev/null
check "a new training adds to a log" test "$(wc -l <log)" -eq 3 -a "$(head -n 1 log)" = kept
try "a log in no folder" 1 "nowhere/log" "$bin/train" --layers 80,4 --log nowhere/log set
try "a model in no folder" 1 "nowhere/x" "$bin/train" --layers 80,4 --save nowhere/x set
try "a rate that is too large" 1 "no longer a finite" "$bin/train" --layers 80,24,4 --optimizer descent --activation identity --rate 1000 set
try "... and the fast engine" 1 "no longer a finite" "$bin/train" --engine fast --layers 80,24,4 --optimizer descent --activation identity --rate 1000 set
out=/dev/full try "full disk" 1 "" "$bin/train" --layers 80,4 --epochs 1 set
try "a full disk for the log" 1 "/dev/full" "$bin/train" --layers 80,4 --epochs 1 --log /dev/full set

# On a terminal, and only there, progress.
TERM=dumb script -qec "$bin/train --layers 80,24,4 --epochs 2 set" /dev/null >terminal 2>&1 </dev/null || true
check "progress on a terminal" grep -q 'pictures/s, 0:0[0-9] left' terminal

# predict, evaluate and the page of Python say the same of the same pictures.
model=adam.safetensors images=set/t10k-images-idx3-ubyte.gz
"$bin/predict" $model $images >all
"$bin/predict" $model set/{0,1,2}.pgm set/{0,1,2}.png >single
check "PGM, PNG and IDX get the same answers" diff <(sed -n '2,4s/^ *[0-9]*://p' all) <(sed -n '1,3s/^[^:]*://p' single)
check "... PNG too" diff <(sed -n '1,3s/^[^:]*://p' single) <(sed -n '4,6s/^[^:]*://p' single)
check "a line for each picture, and one for the file" test "$(wc -l <all)" -eq 301
check "--first and --pictures" diff <(sed -n 12,16p all) <("$bin/predict" --first 10 --pictures 5 $model $images | sed 1d)
check "--pictures beyond the end" diff <(sed -n '300,$p' all) <("$bin/predict" --first 298 --pictures 5 $model $images | sed 1d)
# shellcheck disable=SC2016  # of awk
check "the three classes are in order, and sum to less than 1" awk '
  NR > 1 { gsub(/[:,]/, ""); if (!($4 >= $7 && $7 >= $10 && $10 >= 0 && $4 + $7 + $10 <= 1.0002)) { print; bad = 1 } }
  END { exit bad }' all
for name in adam fast; do
  check "the page of Python says the same ($name)" diff <("$bin/predict" --pictures 20 $name.safetensors $images) \
    <(python3 "$page" $name.safetensors $images 0 20)
done
cp adam.safetensors damaged; printf x | dd of=damaged bs=1 seek=2000 conv=notrunc 2>/dev/null
status=0; python3 "$page" damaged $images 0 1 >out 2>err || status=$?
check "the page of Python sees damage" test "$status$(cat err)" = "1damaged: damaged"

"$bin/evaluate" $model set >score
tail -c 300 set/t10k-labels-idx1-ubyte | od -An -v -tu1 -w1 >labels
check "evaluate counts what predict says" diff <(sed 's/  cost = .*//' score) <(paste labels <(sed 1d all | awk '{ print $2, $3 }') | awk '
  { right += $1 == $2; n[$1, $2]++; row[$1]++; column[$2]++; name[$2] = $3 }
  END {
    printf "pictures = %d  right = %d  accuracy = %.4f\n\nclass           pictures  precision  recall\n", NR, right, right / NR
    for (c = 0; c < 4; c++) printf "%2d %-13s %7d%11.4f%8.4f\n", c, name[c], row[c], n[c, c] / column[c], n[c, c] / row[c]
    printf "\nlabel  named as\n     "
    for (c = 0; c < 4; c++) printf " %5d", c
    for (r = 0; r < 4; r++) { printf "\n%5d", r; for (c = 0; c < 4; c++) printf " %5d", n[r, c] }
    print "" }')
# shellcheck disable=SC2016  # of awk
check "... and not all are right" awk '/accuracy/ { exit !($NF > 0.5 && $9 < 1) }' score
check "evaluate of the pictures held out is what train has printed" test \
  "$("$bin/evaluate" --part train --last 100 $model set | awk 'NR == 1 { print $9, $12 }')" = \
  "$(awk 'END { print $5, $6 }' adam.whole)"
check "inspect: the checksum is that of the file" test "$("$bin/inspect" $model | sed -n 's/^checksum = //p')" = \
  "$(python3 -c 'import sys, zlib; d = open(sys.argv[1], "rb").read(); print("%08x" % zlib.crc32(d[:34] + b"0" * 8 + d[42:]))' $model)"
check "inspect: the parameters" test "$("$bin/inspect" $model | sed -n 's/^parameters = //p')" -eq $((80 * 24 + 24 + 24 * 4 + 4))
check "inspect --bytes shows the file's" diff <("$bin/inspect" --bytes $model | awk 'NR > 1 && NR < 66 { print $2 }') \
  <(head -c 64 $model | od -An -v -tx1 -w1 | tr -d ' ')

try "a picture of another shape" 1 "8 x 10 pixels; the net in adam.safetensors takes 10 x 8" "$bin/predict" $model wide/0.pgm
try "an IDX file of another shape" 1 "8 x 10 pixels" "$bin/predict" $model wide/t10k-images-idx3-ubyte.gz
try "labels for pictures" 1 "no pictures: of 1 dimension" "$bin/predict" $model set/t10k-labels-idx1-ubyte
try "no such picture of an IDX file" 1 "no picture 300" "$bin/predict" --first 300 $model $images
try "what is no picture" 1 "models.sh" "$bin/predict" $model "$here/models.sh"
try "a folder for a picture" 1 "set: " "$bin/predict" $model set
try "no such picture" 1 "nowhere" "$bin/predict" $model nowhere
try "no such model" 1 "nowhere" "$bin/predict" nowhere set/0.pgm
out=/dev/full try "full disk" 1 "" "$bin/predict" $model set/0.pgm
try "pictures of another shape" 1 "8 x 10 pixels" "$bin/evaluate" $model wide
try "classes that the net does not know" 1 "5 classes; the net in adam.safetensors knows 4" "$bin/evaluate" $model many
try "no such part" 2 "--part all" "$bin/evaluate" --part all $model set
try "more than there are" 1 "fewer than --last" "$bin/evaluate" --last 301 $model set
try "no folder" 1 "nowhere/t10k" "$bin/evaluate" $model nowhere
try "no such model" 1 "nowhere" "$bin/evaluate" nowhere set
out=/dev/full try "full disk" 1 "" "$bin/evaluate" $model set
try "no such model" 1 "nowhere" "$bin/inspect" nowhere
try "what is no model" 1 "set/0.pgm" "$bin/inspect" set/0.pgm
out=/dev/full try "full disk" 1 "" "$bin/inspect" $model
finish

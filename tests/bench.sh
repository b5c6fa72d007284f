#!/usr/bin/env bash
# bench.sh: tests the program bench with competitors that answer times we know. It
# times nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
bench=$PWD/build/bin/bench peers=$PWD/tests/peers
scratch=build/test-bench
rm -rf $scratch; mkdir -p $scratch
cd $scratch

# fake NAME RIGHT TIME...: answers the times in turn, and writes down what it was asked.
cat >fake <<'FAKE'
#!/bin/sh
name=$1 right=$2; shift 2
echo $$ >>pids
echo "ready threads $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $MKL_NUM_THREADS"
while read -r what batch steps; do
  echo "$name $what $batch $steps" >>asked
  case $what in
  epoch) echo "$right" ;;
  time) echo "$1"; set -- "$@" "$1"; shift ;;
  esac
done
FAKE
# steady SPEED: takes as long as a machine does that trains SPEED pictures a second.
cat >steady <<'STEADY'
#!/bin/sh
echo ready steady
while read -r what batch steps; do
  echo "steady $what $batch $steps" >>asked
  echo "$batch $steps" | awk -v v="$1" '{ printf "%.9f\n", $1 * $2 / v }'
done
STEADY
chmod +x fake steady

# run ARGUMENT... <LIST: bench ends with a status; what it says goes to out and err.
run() {
  status=0
  cat >list; : >asked; : >pids
  timeout -k 5 30 "$bench" "$@" list >out 2>err || status=$?
  sed -i '/^bench: this machine is busy already/d' err # of no interest here
}
value() { sed -n "s/.*\\b$1 = *\([^ ]*\).*/\1/p" out; }
is() { # NAME VALUE
  check "$1 is $2" [ "$(value "$1")" = "$2" ]
}
one_line() { # PATTERN: that is all that err has
  if [ "$(wc -l <err)" -ne 1 ] || ! grep -q -- "^bench: $1" err; then indent <err; false; fi
}
gone() { # nobody who was started is still there
  local pid
  while read -r pid; do ! kill -0 "$pid" 2>/dev/null || return 1; done <pids
}

# Rates of a: 100, 50, 25; of b: 25, 100, 50. The medians are the same, and still a is
# half as fast as b in two rounds of three.
run --steps 1 --batch 10,20 --rounds 3 --epoch --against b --threads 3 <<'LIST'
# built by hand
a ./fake a 0.75 0.1 0.1 0.2 0.2 0.4 0.4

b ./fake b 0.5 0.4 0.4 0.1 0.1 0.2 0.2
LIST
check "competitors are compared" [ $status -eq 0 ]
is "a 10" 50
is "a 10 low" 38
is "a 10 high" 75
is "a 20" 100
is "a 10 ratio" 0.500
is "a 10 ratio high" 2.250
is "b 10" 50
is "b 10 ratio" 1.000
is "a 10 right" 0.7500
is "b 20 right" 0.5000
check "nothing to complain of" [ ! -s err ]
check "threads are handed on" [ "$(grep -c 'threads 3 3 3$' out)" = 2 ]
check "a comment is printed" grep -qx 'built by hand' out
check "no line is too wide" [ "$(wc -L <out)" -le 67 ]
check "a table for each size" [ "$(grep -c '^a  .*0\.500.*0\.7500$' out)" = 2 ]
check "everybody is asked as often" [ "$(sort asked | uniq -c | awk '{ print $1, $3 }' | sort -u | paste -sd,)" = "1 epoch,3 time" ]
check "nobody is left" gone
check "weights for all" [ "$(wc -c <weights.bin)" = $((4 * (785 * 128 + 129 * 10))) ]
check "biases are 0" [ -z "$(od -An -v -tx4 -j $((4 * 784 * 128)) -N 512 weights.bin | tr -d ' 0\n')" ]

run --steps 1 --batch 8 --rounds 20 <<'LIST'
a ./fake a 1 0.1
b ./fake b 1 0.1
c ./fake c 1 0.1
LIST
check "many rounds" [ $status -eq 0 ]
each() { # round has all three, and not always in the same order
  paste -d' ' - - - <<<"$(cut -d' ' -f1 asked)" | sort -u >rounds
  [ "$(wc -l <rounds)" -gt 2 ] && ! grep -qv 'a.*b\|b.*a' rounds && ! grep -qv c rounds
}
check "each round has another order" each
check "no accuracy unless asked for" [ "$(value 'a 8 right')" = nan ]

run --seconds 0.5 --batch 50 --rounds 2 <<<'s ./steady 1234'
check "a steady one" [ $status -eq 0 ]
is "s 50" 1230
check "timings are long enough, and not much longer" \
  awk "\$4 > n { n = \$4 } END { t = n * 50 / 1234; exit !(t >= 0.5 && t < 0.75) }" asked

run --steps 1 --batch 1 --rounds 1 --only 'c,b*' <<'LIST'
a ./fake a 1 1
b-1 ./fake b 1 1
b-2 ./fake b 1 1
c ./fake c 1 2
LIST
check "some of the list" [ $status -eq 0 ]
check "... in the order asked for" [ "$(sed '/^batch/,$d' out | grep -o '^[abc][-12]* ' | paste -sd' ' | tr -s ' ')" = "c b-1 b-2 " ]
is "b 1 1 ratio" 2.000

# left_out WHAT REASON COMMAND: the others are compared, and the table has the reason.
left_out() {
  run --steps 1 --batch 1 --rounds 3 --timeout 1 <<<"good ./fake good 1 1
bad $3"
  if [ $status -eq 0 ] && one_line "bad is left out: $2" && grep -q "^bad  *out: $2" out &&
     [ "$(value 'bad 1 ratio')" = nan ] && [ "$(value 'good 1')" = 1 ] && gone; then
    ok "$1"
  else
    bad "$1: status $status"; indent <err
  fi
}
cat >bad <<'BAD'
#!/bin/sh
echo $$ >>pids
case $1 in
silent) exec sleep 60 ;;
hangs) echo ready bad; exec sleep 60 ;;
speaks) echo "first" >&2; echo "the reason" >&2; exit 1 ;;
status) exit 3 ;;
signal) kill -11 $$ ;;
closes) exec >&-; exec sleep 60 ;;
hello) echo hello; exec sleep 60 ;;
late) echo ready bad; read -r a; echo 1; read -r a; exit 4 ;;
answer) echo ready bad; while read -r a; do echo "$2"; done ;;
flood) exec yes "ready bad" ;;
esac
BAD
chmod +x bad
left_out "one that is not there" ".*nobody: not found" "./nobody"
left_out "one that never says ready" "no answer in 1 s" "./bad silent"
left_out "one that hangs" "no answer in 1 s" "./bad hangs"
left_out "one that says why it ends" "the reason" "./bad speaks"
left_out "one that ends" "ended with status 3" "./bad status"
left_out "one that crashes" "ended by signal 11" "./bad signal"
left_out "one that closes its output" "ended by signal 9" "./bad closes"
left_out "one that says something else" '"hello" is not "ready"' "./bad hello"
left_out "one that ends later" "ended with status 4" "./bad late"
left_out "one that does not stop talking" '"ready bad" is no answer to "time 1 1"' "./bad flood"
for answer in abc '' nan inf -1 1e9 '1 2' 1s; do
  left_out "one that answers '$answer'" "\"$answer\" is no answer to \"time 1 1\"" "./bad answer '$answer'"
done

run --steps 1 --batch 1 --rounds 1 <<<'bad ./bad status
good ./fake good 1 1'
check "the one that all are compared with is left out" [ $status -eq 1 ]
check "... and that is said" grep -q '^bench: bad is left out, and all' err

# refuses STATUS PATTERN LIST [ARGUMENT...]
refuses() {
  local what=${3##*$'\n'}
  run "${@:4}" <<<"$3"
  if [ $status -eq "$1" ] && one_line "$2" && [ ! -s out ] && [ ! -s pids ]; then
    ok "refused: ${what:-an empty list} ${*:4}"
  else
    bad "refused: ${what:-an empty list} ${*:4}"; indent <err
  fi
}
good='a ./fake a 1 1'
refuses 1 "list: names nobody" ""
refuses 1 "list: names nobody" "# a comment"
refuses 1 "list:2: no command" "$good
b"
refuses 1 "list:2: this name" "$good
a ./fake b 1 1"
refuses 1 "list:1: a name" "a_b ./fake a 1 1"
refuses 1 "list:1: a name" "1a ./fake a 1 1"
refuses 1 "list:1: a name is a letter and at most 19 " "abcdefghijklmnopqrstu ./fake a 1 1"
refuses 1 "list:1: a name" " ./fake a 1 1"
refuses 1 "list:2: too long" "$good
b ./fake $(printf '%01000d' 0) ./fake b 1 1"
refuses 1 "list:201: too many" "$(for i in $(seq 201); do echo "a$i ./fake a 1 1"; done)"
refuses 2 "--only b" "$good" --only b
refuses 2 "--only b: matches none" "$good" --only a,b
refuses 2 "--against b" "$good" --against b
for sizes in 0 '' '32,' 1025 a 1,2,3,4,5 -1; do refuses 2 "--batch" "$good" --batch "$sizes"; done
refuses 1 "none/weights.bin: No such file or directory" "$good" --weights none/weights.bin
check "a list that is not there" [ "$("$bench" none 2>&1)" = "bench: none: No such file or directory" ]

if [ -x /usr/bin/python3 ]; then # as if nothing were installed
  left_out "a peer without its packages" ".*python3-numpy is missing: make deps-bench" \
    "/usr/bin/python3 -B -S '$peers/numpy_peer.py' none weights.bin"
fi
finish

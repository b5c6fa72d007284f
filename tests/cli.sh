#!/usr/bin/env bash
# cli.sh: what every program does with its command line and its files when
# something is wrong. Which options there are is taken from --help.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
. tests/try.sh
root=$PWD
scratch=build/test-cli
rm -rf $scratch; mkdir -p $scratch
cd $scratch

# Each option that takes a value, then n or t: a number (it shows its default), a text.
options() {
  sed -n 's/^  \(--[a-z0-9-]*\) [A-Z][A-Z]* .*(\([-+0-9.e]*\|none\))$/\1 n/p; t
          s/^  \(--[a-z0-9-]*\) [A-Z][A-Z]* .*/\1 t/p' help
}

program() { # PATH
  local name operands given option kind flag
  name=$(basename "$1")
  if "$1" --help >help 2>err && [ ! -s err ] && grep -q "^usage: $name" help; then
    ok "$name --help"
  else
    bad "$name --help"; return
  fi
  read -ra operands <<<"$(sed -n '1s/.*\[options\]//p' help)"
  out=/dev/full try "full disk" 1 "" "$1" --help
  try "unknown option" 2 "--no-such-option" "$1" --no-such-option
  try "unknown letter" 2 "-x" "$1" -x
  try "an unknown option after an operand" 2 "--no-such-option" "$1" operand --no-such-option
  out=/dev/full try "an operand, then an option" 1 "" "$1" operand --help
  read -ra given <<<"$(sed -n 's/^  \(--[a-z0-9-]*\) [A-Z][A-Z]* .*(\([-+0-9.e]*\))$/\1 \2/p' help | head -n 1)"
  [[ ${operands[*]} = *... ]] || [ ${#given[@]} -eq 0 ] ||
    try "an operand too many, and an option after it" 2 "too many: more" "$1" "${operands[@]}" more "${given[@]}"
  [[ ${operands[*]} = *... ]] || try "an operand too many" 2 "too many" "$1" "${operands[@]}" more
  [ ${#operands[@]} -eq 0 ] || try "no operand" 2 "missing" "$1"
  [ ${#operands[@]} -gt 0 ] || out=/dev/full try "full disk, all of it" 1 "" "$1"
  while read -r option kind; do
    try "$option without a value" 2 "$option" "$1" "$option"
    [ "$kind" = n ] || continue
    say "$name, $option with what is no number, or out of bounds" "$(
      for text in abc 1x '' nan inf 1e999 -1e300 99999999999999999999 -99999999999999999999; do
        amiss 2 "$option $text: not " "$1" "$option" "$text" "${operands[@]}"
      done)"
  done < <(options)
  flag=$(sed -n 's/^  \(--[a-z0-9-]*\)  .*/\1/p' help | head -n 1)
  try "$flag with a value" 2 "$flag" "$1" "$flag=1"
}

# The command in a program's second line, word for word, here with code/ beside us.
by_hand() { # code/NN-name/NAME.c
  local name command
  name=$(basename "$1" .c)
  command=$(sed -n '2s/^\/\* \(\(mpi\)\?cc .*\) \*\/$/\1/p' "$1")
  command -v "${command%% *}" >/dev/null || command=${command#mpi}
  if [ -n "$command" ] && bash -c "$command" >log 2>&1 && [ ! -s log ] &&
     ./"$name" --help >help 2>&1 && cmp -s help <("$root/build/bin/$name" --help); then
    ok "$name, compiled by the command of its second line"
  else
    bad "$name, compiled by the command of its second line: ${command:-none}"; indent <log
  fi
}

# A folder with all files of the data but one, which the caller makes.
folder() { # FOLDER FILE
  mkdir -p "$1"; ln -s "$data"/* "$1"; rm "$1/$2"
}

clothes() {
  local clothes=$root/build/bin/clothes train=train-images-idx3-ubyte.gz
  mkdir empty
  try "no folder" 1 "nowhere/train-images-idx3-ubyte: no such file$" "$clothes" nowhere
  try "empty folder" 1 "empty/train" "$clothes" empty
  [ -d $data ] || { bad "no $data: make deps-code"; return; }
  folder short $train; head -c 1000000 $data/$train >short/$train
  try "a file cut short" 1 "short/$train: ends too early (byte [1-9][0-9]*)$" "$clothes" short
  folder other $train; echo "not an IDX file" >other/$train
  try "another kind of file" 1 "other/$train" "$clothes" other
  folder dir $train; mkdir dir/$train
  try "a folder for a file" 1 "dir/$train" "$clothes" dir
  folder long $train; { cat $data/$train; echo more | gzip; } >long/$train
  try "a file that goes on" 1 "long/$train" "$clothes" long
  folder labels train-labels-idx1-ubyte.gz
  ln -s $data/t10k-labels-idx1-ubyte.gz labels/train-labels-idx1-ubyte.gz
  try "labels of the other set" 1 "labels/train-labels" "$clothes" labels
  for file in nowhere/wrong.pgm empty /dev/full; do
    try "--wrong $file" 1 "$file: [NIs][os] " "$clothes" --hidden 1 --epochs 0 --wrong "$file" $data
  done
  out=/dev/full try "full disk" 1 "" "$clothes" --hidden 1 --epochs 0 $data
}

nearest() { # test pictures of another size are not asked about, and nothing is lost
  local nearest=$root/build/bin/nearest test=t10k-images-idx3-ubyte.gz
  try "no folder" 1 "nowhere/train" "$nearest" nowhere
  [ -d $data ] || return 0
  folder sizes $test
  { printf '\0\0\10\3\0\0\47\20\0\0\0\1\0\0\0\1'; head -c 10000 /dev/zero; } | gzip >sizes/$test
  try "pictures of another size" 1 "differ in size" "$nearest" sizes
  out=/dev/full try "full disk" 1 "" "$nearest" --pictures 1 $data
}

learn() { # what learn refuses of its lists, and of its data
  local learn=$root/build/bin/learn
  for list in nothing squared,nothing "squared," ,squared ''; do
    try "--loss '$list'" 2 "--loss" "$learn" --loss "$list" $data
  done
  for list in 0 1,0 1x nan -3 1,2,3,4,5,6,7,8,9,10,11,12,13; do
    try "--batch $list" 2 "--batch" "$learn" --batch "$list" $data
  done
  try "two lists" 2 "only one may" "$learn" --loss squared,cross-entropy --drop 0,0.1 $data
  try "no folder" 1 "nowhere/train" "$learn" nowhere
  [ ! -d $data ] || try "too many pictures" 1 "fewer than" "$learn" --pictures 60000 $data
  [ ! -d $data ] || out=/dev/full try "full disk" 1 "" "$learn" --pictures 10 --hold 10 --epochs 1 $data
}

ladder() { # whose options want each other
  local ladder=$root/build/bin/ladder
  try "a batch that is not in fours" 2 "--batch 6: not a multiple" "$ladder" --batch 6
  try "--steps alone" 2 "want --rung" "$ladder" --steps 3
  try "--serve alone" 2 "want --rung" "$ladder" --serve nowhere
  try "--rung alone" 2 "wants --steps" "$ladder" --rung loops
  try "an unknown rung" 2 "--rung none" "$ladder" --rung none --steps 1
  try "no folder" 1 "nowhere/train-images-idx3-ubyte: no such file$" "$ladder" --rung loops --serve nowhere
}

data=/usr/share/datasets/fashion-mnist
found=0
for path in "$root"/build/bin/*; do
  [ -x "$path" ] || continue
  found=1
  program "$path"
done
[ $found -eq 1 ] || bad "no program in build/bin"
ln -s "$root/code" code
while read -r source; do by_hand "$source"; done < <(grep -l '^int main(' code/*/*.c)
[ ! -x "$root/build/bin/clothes" ] || clothes
[ ! -x "$root/build/bin/clothes" ] || try "--curve without --hold" 2 "--hold" "$root/build/bin/clothes" --curve $data
[ ! -x "$root/build/bin/learn" ] || learn
[ ! -x "$root/build/bin/deep" ] || try "no folder" 1 "nowhere/train" "$root/build/bin/deep" nowhere
[ ! -x "$root/build/bin/nearest" ] || nearest
[ ! -x "$root/build/bin/peek" ] || try "no folder" 1 "nowhere/train" "$root/build/bin/peek" nowhere
[ ! -x "$root/build/bin/stall" ] || try "an unknown activation" 2 "--sigma none" "$root/build/bin/stall" --sigma none
[ ! -x "$root/build/bin/twice" ] || try "an abbreviation of two options" 2 "not so: --st" "$root/build/bin/twice" --st 7
[ ! -x "$root/build/bin/twice" ] || check "twice, an abbreviation of one option" cmp -s <("$root/build/bin/twice" --ta) <("$root/build/bin/twice" --table)
[ ! -x "$root/build/bin/gradcheck" ] || try "an unknown gradient" 2 "--wrong none: not one of those" "$root/build/bin/gradcheck" --wrong none
[ ! -x "$root/build/bin/ladder" ] || ladder
[ ! -x "$root/build/bin/layer" ] || try "an unknown activation" 2 "--sigma none" "$root/build/bin/layer" --sigma none
finish

#!/usr/bin/env bash
# fuzz.sh FOLDER SECONDS: gives each target in FOLDER/fuzz every file of its corpus,
# tests/corpus/NAME, and then SECONDS of what libFuzzer makes of them, all at once.
# What it finds is kept in FOLDER/found/NAME; what breaks a target, in FOLDER/broken.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
folder=$1 seconds=$2
targets=()
for source in tests/fuzz/*.c; do targets+=("$(basename "$source" .c)"); done
mkdir -p "$folder/broken"

replay() { # NAME: every file is seen, and none breaks it
  local files=(tests/corpus/"$1"/*) seen
  "$folder/fuzz/$1" -artifact_prefix="$folder/broken/$1-" "${files[@]}" >"$folder/$1.log" 2>&1 || return 1
  seen=$(grep -c '^Executed ' "$folder/$1.log")
  [ "${#files[@]}" -ge 10 ] && [ "$seen" -eq "${#files[@]}" ]
}

fuzz() { # NAME
  mkdir -p "$folder/found/$1"
  "$folder/fuzz/$1" -artifact_prefix="$folder/broken/$1-" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=4096 -print_final_stats=1 "$folder/found/$1" "tests/corpus/$1" >"$folder/$1.log" 2>&1
}

runs() { sed -n 's/^stat::number_of_executed_units: *//p' "$folder/$1.log"; }

for name in "${targets[@]}"; do
  if replay "$name"; then ok "$name: its corpus"; else bad "$name: its corpus"; indent <"$folder/$name.log"; fi
done
if [ "$seconds" -gt 0 ]; then
  declare -A job
  for name in "${targets[@]}"; do fuzz "$name" & job[$name]=$!; done
  for name in "${targets[@]}"; do
    if wait "${job[$name]}" && [ "$(runs "$name")" -gt 0 ]; then
      ok "$name: $(runs "$name") inputs in $seconds s"
    else
      bad "$name: see $folder/broken"; tail -n 40 "$folder/$name.log" | indent
    fi
  done
fi
finish

# shellcheck shell=bash
# try.sh, for the scripts beside it: what a program says when something is wrong.

# amiss STATUS PATTERN PROGRAM ARGUMENT...: says what is amiss unless there is one
# line on standard error that starts with the program's name and matches PATTERN;
# with status 2, there must be no output.
amiss() {
  local want=$1 pattern=$2 name status=0
  shift 2
  name=$(basename "$1")
  timeout -k 5 60 "$@" >"${out:-out}" 2>err </dev/null || status=$?
  if [ $status -ne "$want" ]; then
    echo "status $status, not $want: ${*:2}"; head -n 5 err
  elif [ "$(wc -l <err)" -ne 1 ] || ! grep -q -- "^$name: .*$pattern" err; then
    echo "not one line \"$name: ...$pattern\": ${*:2}"; head -n 5 err
  elif [ "$want" -eq 2 ] && [ -s out ]; then
    echo "output in spite of a usage error: ${*:2}"
  fi
}
say() { # WHAT COMPLAINT
  if [ -z "$2" ]; then ok "$1"; else bad "$1"; indent <<<"$2"; fi
}
try() { say "$(basename "$4"), $1" "$(amiss "${@:2}")"; } # WHAT, and as for amiss

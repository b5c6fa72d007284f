# shellcheck shell=bash
# count.sh, for the scripts beside it: one line for each check, and their sum.
passed=0 failed=0
ok() { echo "ok      $*"; passed=$((passed + 1)); }
bad() { echo "FAILED  $*"; failed=$((failed + 1)); }
check() { if "${@:2}"; then ok "$1"; else bad "$1"; fi; } # WHAT COMMAND...
indent() { sed 's/^/        /'; }
finish() {
  echo "$passed passed, $failed failed"
  [ $failed -eq 0 ]
}

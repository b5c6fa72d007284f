#!/usr/bin/env bash
# golden.sh golden ID...: is build/out/ID.txt the same as tests/golden/ID.txt?
# golden.sh accept ID...: show what differs, and take it as the new golden.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
[[ ${1-} =~ ^(golden|accept)$ && $# -gt 1 ]] || { echo "usage: golden.sh golden|accept ID..." >&2; exit 2; }
mode=$1; shift

for id in "$@"; do
  golden=tests/golden/$id.txt new=build/out/$id.txt
  if [ ! -r "$new" ]; then
    bad "golden $id: there is no $new"
  elif [ -r "$golden" ] && cmp -s "$golden" "$new"; then
    ok "golden $id"
  else
    diff -uN "$golden" "$new" | sed 40q || true
    if [ "$mode" = accept ]; then
      mkdir -p tests/golden && cp "$new" "$golden" && ok "accepted $golden"
    elif [ -r "$golden" ]; then
      bad "golden $id differs: if that is right, 'make accept'"
    else
      bad "golden $id is missing: 'make accept' makes it"
    fi
  fi
done

for golden in tests/golden/*.txt; do
  id=$(basename "$golden" .txt)
  if [ ! -e "$golden" ] || [[ " $* " = *" $id "* ]]; then continue; fi
  if [ "$mode" = accept ]; then
    rm "$golden" && ok "deleted $golden: no run is named $id"
  else
    bad "$golden is stale: no run is named $id; 'make accept' deletes it"
  fi
done
finish

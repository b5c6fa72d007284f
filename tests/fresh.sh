#!/usr/bin/env bash
# fresh.sh: the README's two commands on a machine that has nothing: a bare Debian 12 made by
# debootstrap in build/fresh/, with make and git put in, and a clone of what is committed.
# It takes a good half hour, two gigabytes, and root.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
root=$PWD/build/fresh
log=build/fresh.log

[ "$(id -u)" -eq 0 ] || { echo "fresh.sh: debootstrap and chroot want root" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing: run 'make deps-long'" >&2; exit 1; }
# What is mounted below goes away with this process, whatever becomes of it.
[ -n "${FRESH-}" ] || exec env FRESH=1 unshare --mount --propagation private "$0"

inside() { chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -euc "$1"; }
step() { # WHAT COMMAND...
  local start=$SECONDS
  if "${@:2}" >$log 2>&1; then ok "$1 ($((SECONDS - start)) s)"; else bad "$1"; tail -n 30 $log | indent; finish; exit 1; fi
}
prepare() {
  debootstrap --variant=minbase bookworm "$root"
  local folder
  for folder in proc sys dev; do mount --rbind /$folder "$root/$folder"; done
  cp -L /etc/resolv.conf "$root/etc/"
  cp -r /etc/apt/apt.conf.d "$root/etc/apt/" # a proxy, if there is one
  inside 'apt-get update && apt-get install -y make git'
  git clone -q . "$root/four-loops"
}
passed_all() { tail -n 1 $log | grep -q '^[1-9][0-9]* passed, 0 failed$'; }

rm -rf --one-file-system "$root"
mkdir -p build
step "a bare Debian 12, with make and git" prepare
step "make deps book" inside 'cd /four-loops && make deps book'
check "there is a PDF" test -s "$root/four-loops/build/four-loops.pdf"
step "make deps test" inside 'cd /four-loops && make deps test'
check "no test failed" passed_all
finish
umount -l "$root"/{proc,sys,dev}
rm -rf --one-file-system "$root"

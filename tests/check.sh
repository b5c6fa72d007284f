#!/usr/bin/env bash
# check.sh [long]: the gates of `make check` after lint, book and test: other compilers,
# sanitizers, analysers, coverage, mutants, planted faults, the text, and that nothing is left to do
# or commit. With "long" those of `make check-long` too, which take hours.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS
tier=${1-short}
place=build/check
rm -rf $place; mkdir -p $place
log=$place/log
export LC_ALL=C.UTF-8

# gate WHAT COMMAND...: as check, and shows what the command said when it fails
gate() {
  local what=$1 start=$SECONDS
  shift
  if "$@" >$log 2>&1; then ok "$what ($((SECONDS - start)) s)"; else bad "$what"; indent <$log; fi
}

second_make() { # changes no file, and is quick
  local before start=${EPOCHREALTIME/./}
  before=$(find build -type f ! -path "$log" -printf '%p %T@\n' | sort)
  make -s book test-binaries || return 1
  local took=$((${EPOCHREALTIME/./} - start))
  diff <(echo "$before") <(find build -type f ! -path "$log" -printf '%p %T@\n' | sort) &&
    { [ $took -lt 2000000 ] || { echo "it took $took microseconds"; false; }; }
}

committed() { # what is committed is what the chapters tangle to
  local others
  git diff --exit-code -- code || return 1
  others=$(git ls-files --others --exclude-standard code)
  [ -z "$others" ] || { echo "not in git: $others"; false; }
}

top_level() {
  local others
  others=$(git ls-files | sed 's,/.*,,' | sort -u | grep -vxE 'book|chapters|code|figures|tests|Makefile|README.md|LICENSE|\.ci|\.clang-tidy|\.gitignore') || return 0
  echo "$others"; false
}

# build FOLDER VARIABLE=VALUE...: programs and tests with other compilers or flags
build() { make -s -j"$(nproc)" O="$1" "${@:2}" programs test-binaries; }

without_fma=glibc.cpu.hwcaps=-FMA,-AVX2,-AVX2_Usable,-FMA_Usable,-FMA4
goldens() { # FOLDER: of the binaries in FOLDER/bin, with both kinds of exp and tanh
  local id tunables amiss=0
  rm -rf $place/out; mkdir -p $place/out
  while read -r id; do
    for tunables in '' $without_fma; do
      (cd $place/out && GLIBC_TUNABLES=$tunables PATH=$OLDPWD/$1/bin:$PATH bash "$OLDPWD/build/run/$id.cmd" >"$id.txt") || amiss=1
      diff -u "tests/golden/$id.txt" "$place/out/$id.txt" || amiss=1
    done
  done < <(sed -nE 's/^RUNS_(run|data) \+= //p' build/book.mk)
  return $amiss
}

# planted WHAT SIGN FOLDER SED FILE...: (one in six, when it is to be short) with a fault planted in a chapter, the tests of
# FOLDER are red, and say SIGN. The tree is a copy; what is built is not built again.
faults=0
planted() {
  faults=$((faults + 1))
  [ "$tier" = long ] || [ $((faults % 6)) -eq 1 ] || return 0
  local what=$1 sign=$2 folder=$3 sed=$4 tree=$place/planted flags=()
  shift 4
  rm -rf $tree; mkdir -p $tree/build
  cp -a Makefile book chapters code tests $tree
  cp -a build/{book.mk,run,tangle,obj,bin,test,libfourloops.a,libtools.a,asan} $tree/build
  (cd $tree && sed -i "$sed" "$@")
  if diff -rq chapters $tree/chapters >/dev/null; then bad "planted: $what: sed finds nothing in $*"; return; fi
  if [ "$folder" = build/asan ]; then flags=("CFLAGS=$sanitize"); fi
  if ! make -s -C $tree O="$folder" "${flags[@]}" test-binaries >$log 2>&1; then
    bad "planted: $what: does not compile"; indent <$log
  elif ASAN=1 $tree/tests/run.sh "$folder" >$log 2>&1; then
    bad "planted: $what: the tests are content"
  elif ! grep -q -- "$sign" $log; then
    bad "planted: $what: nobody says $sign"; indent <$log
  else
    ok "planted: $what: $(grep -c ^FAILED $log) complaints"
  fi
}

# The suites under valgrind, each test in a process of its own. What their assertions say counts
# elsewhere: of c - a b valgrind makes -0 where processors with a fused multiply-add make 0.
memcheck() {
  local suite amiss=0
  rm -rf $place/memcheck; mkdir -p $place/memcheck
  for suite in build/test/*; do
    if [ ! -f "$suite" ] || [ ! -x "$suite" ]; then continue; fi
    echo "$suite"
    OMP_NUM_THREADS=1 timeout 3600 valgrind -q --vgdb=no --trace-children=yes --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
      --log-file=$place/memcheck/%p.log "$suite" --timeout 600 >$place/memcheck/out 2>&1 </dev/null || true
    grep -q 'Tested: [1-9].*Crashing: 0 ' $place/memcheck/out || { cat $place/memcheck/out; amiss=1; }
  done
  cat $place/memcheck/*.log
  ! grep -q . $place/memcheck/*.log && return $amiss
}

# What is installed serves a program from elsewhere, and goes away again.
installs() {
  local to=$PWD/$place/install
  rm -rf "$to"; mkdir -p "$to"
  make -s install DESTDIR="$to" PREFIX=/usr || return 1
  cp tests/corpus/installed.c "$to/mine.c"
  # shellcheck disable=SC2046  # flags are words
  (cd "$to" && export PKG_CONFIG_PATH="$to/usr/lib/pkgconfig" &&
    gcc -std=c11 -o mine mine.c $(pkg-config --define-variable=prefix="$to/usr" --cflags --libs four-loops-tools four-loops)) &&
  (cd "$to" && ./mine) && "$to/usr/bin/four-loops-epsilon" | cmp - tests/golden/epsilon.txt &&
  [ "$(find "$to/usr/bin" -type f | wc -l)" -eq "$(find code -name '*.c' -exec grep -l '^int main(' {} + | wc -l)" ] &&
  cmp book/four-loops.pdf "$to/usr/share/doc/four-loops/four-loops.pdf" &&
  make -s uninstall DESTDIR="$to" PREFIX=/usr && ! find "$to/usr" -type f | grep .
}

# What is packed is all that is needed: it builds, outside of git.
distribution() {
  local version
  version=$(sed -n 's/^VERSION := //p' Makefile)
  rm -rf $place/dist; mkdir -p $place/dist
  make -s dist && tar -xzf "build/four-loops-$version.tar.gz" -C $place/dist &&
  make -s -C "$place/dist/four-loops-$version" programs &&
  "$place/dist/four-loops-$version/build/bin/epsilon" | cmp - tests/golden/epsilon.txt &&
  grep -q "^## $version, 20" book/CHANGELOG.md && grep -q "^## Version $version" book/ERRATA.md &&
  pdftotext -l 2 book/four-loops.pdf - | grep -q "^Version $version of 20"
}

right_answers() { # within the band of what this net reaches on any machine
  awk '/^net on test = / { n++; share = $5 } END { print share; exit n != 1 || share < 0.84 || share > 0.9 }' build/out/clothes.txt
}

# The bands in which the learning of chapters 11 to 13 lies on any machine.
column() { # RUN ROW COLUMN: a number of the table in a run's output
  awk -v row="$2" -v column="$3" '$1 == row { print $column; found = 1; exit } END { exit !found }' "build/out/$1.txt"
}
holds() { # WHAT: an expression of awk
  awk "BEGIN { exit !($1) }" || { echo "$1"; false; }
}
value() { # RUN NAME: what a run's output says after "NAME = "
  sed -n "s/.*\\b$2 = *\([^ ]*\).*/\1/p" "build/out/$1.txt" | head -n 1
}
bands() {
  local linear base net deep
  linear=$(value clothes-linear 'net on test') base=$(value clothes 'baseline on test') net=$(value clothes 'net on test')
  holds "$base + 0.1 < $linear && $linear < $net + 0.005" &&
  holds "$(value peek 'flattered at 100') > 0.01 && $(value peek 'flattered at 5000') < 0.005" &&
  holds "$(value nearest 'named rightly') == 0.844" &&
  holds "$(value learn-short gain) > $(value learn-short doubt) && $(value learn-short gain) > $(value learn-loss gain)" &&
  grep -q '^squared  *3[*] ' build/out/learn-short.txt &&
  holds "$(column learn-loss cross-entropy 3) > 0.82" &&
  holds "$(column learn-schedule cosine 3) > $(column learn-schedule constant 3) - 0.005" &&
  holds "$(column learn-schedule cosine 4) < $(column learn-schedule constant 4)" &&
  holds "$(column learn-batch 1000 3) < $(column learn-batch 10 3) - 0.05" &&
  holds "$(column learn-drop 0.3 5) < $(column learn-drop 0 5)" &&
  holds "$(column learn-patience 5 5) < $(column learn-patience 0 5)" &&
  holds "$(column learn-large adam 3) > $(column learn-large descent 3)" &&
  holds "$(value learn-sanity 'first cost') > 2.1 && $(value learn-sanity 'first cost') < 2.6" &&
  holds "$(value learn-sanity '20 pictures') < 0.01" || return 1
  deep=$(awk '$1 == "sigmoid" && ($3 > 0.2 || $4 > 0.2) || $1 == "tanh" && $2 == "glorot" && $3 < 0.5 ||
              $1 == "relu" && $2 == "he" && $4 < 0.5' build/out/deep.txt)
  [ -z "$deep" ] || { echo "$deep"; return 1; }
  awk '$1 ~ /^[0-9.]+$/ { n++; if ($1 == 1 && !/[a-z]+[0-9_,]* at step/) bad = 1 } END { exit bad || n != 6 }' build/out/deep-rates.txt
}

kept_are_theirs() { # each kept comparison is of what its name says, and names where it was made
  local file what
  for file in figures/data/long-*.txt; do
    what=${file##*/long-}; what=${what%.txt}
    if ! grep -q "^$what  *rate" "$file" || ! grep -q '^# [0-9a-f]\{7,\}, .' "$file"; then echo "$file"; return 1; fi
  done
}

# Instructions for a sample, of a rung of the ladder: what two steps of 32 take more.
# valgrind sees no vectors of 16 floats, and has the engine take those of 8.
counted() { # BINARY RUNG STEPS
  OMP_NUM_THREADS=1 valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" --rung "$2" --steps "$3" 2>&1 >/dev/null </dev/null |
    sed -n 's/.*Collected : *\([0-9]*\)$/\1/p'
}
instructions() { # [BINARY [TOLERANCE]]: within it of tests/instructions.txt
  local binary=${1-build/bin/ladder} tolerance=${2-0.03} rung want few many got loops='' amiss=0
  local here there
  here=$(gcc -dumpfullversion) there=$(sed -n 's/^# gcc \([^ ,]*\).*/\1/p' tests/instructions.txt)
  while read -r rung want; do
    if [ "$rung" = fused ] && ! grep -qw avx2 /proc/cpuinfo; then continue; fi
    few=$(counted "$binary" "$rung" 1) many=$(counted "$binary" "$rung" 3)
    if [ -z "$few" ] || [ -z "$many" ]; then echo "$rung: nothing counted"; return 1; fi
    got=$(((many - few) / 64))
    echo "$rung: $got instructions for a sample; tests/instructions.txt has $want"
    # another compiler makes other code
    [ "$here" != "$there" ] || holds "$got > $want * (1 - $tolerance) && $got < $want * (1 + $tolerance)" || amiss=1
    if [ "$rung" = loops ]; then loops=$got; else holds "$loops / $got > 20 && $loops / $got < 40" || amiss=1; fi
  done < <(grep -v '^#' tests/instructions.txt)
  [ -n "$loops" ] && return $amiss
}

results_are_good() { # the accuracy table: what was kept clears its bars
  local file=figures/data/results.txt
  grep -q '^# [0-9a-f]\{7,\}, .' $file &&
  [ "$(grep -c '^mean of .*([0-9.]* [0-9.]* [0-9.]* [0-9.]* [0-9.]*)$' $file)" -eq 3 ] &&
  holds "$(sed -n 's/^mean of hundred = \([0-9.]*\).*/\1/p' $file) >= 0.885" &&
  holds "$(sed -n 's/^mean of large = \([0-9.]*\).*/\1/p' $file) >= 0.9"
}

page_says_the_same() { # Python and predict, of one net
  cmp build/out/page.txt build/out/predict.txt
}

cheat_is_better() { # the failure on purpose of chapter 11 goes on failing
  awk '/^net on test = / { share[FILENAME] = $5; print }
       END { exit !(share[ARGV[2]] > share[ARGV[1]]) }' build/out/clothes.txt build/out/clothes-cheat.txt
}

gate "a second make does nothing" second_make
if [ -z "$(git rev-parse --show-prefix 2>/dev/null || echo none)" ]; then
  gate "code/ is committed as it is tangled" committed
else
  echo "skipped: no git here, so nothing can be said of what is committed"
fi
gate "nothing at the top but what belongs there" top_level

sanitize='-fsanitize=address,undefined -fno-sanitize-recover=all'
gate "goldens without FMA" goldens build
kinds=()
kind() { # NAME VARIABLE=VALUE...
  gate "build: $1" build "build/$1" "${@:2}"
  kinds+=("$1")
}
kind O0 OPT=-O0
kind O3 OPT=-O3
kind clang CC=clang
if [ "$tier" = long ]; then
  kind clang-O0 CC=clang OPT=-O0
  kind clang-O3 CC=clang OPT=-O3
fi
if grep -qw avx2 /proc/cpuinfo; then # and so the rest of what x86-64-v3 is
  kind v3 CFLAGS=-march=x86-64-v3
  [ "$tier" != long ] || kind clang-v3 CC=clang CFLAGS=-march=x86-64-v3
fi
gate "build: sanitizers" build build/asan CFLAGS="$sanitize"
for kind in "${kinds[@]}"; do
  gate "tests: $kind" tests/run.sh "build/$kind"
  gate "goldens: $kind" goldens "build/$kind"
done
gate "tests: sanitizers" env ASAN=1 tests/run.sh build/asan
gate "goldens: sanitizers" goldens build/asan
gate "models: sanitizers" tests/models.sh build/asan
if [ "$tier" = long ]; then seconds=600; else seconds=30; fi
gate "fuzz: every file of the corpora, and $seconds seconds each" make -s fuzz SECONDS=$seconds
gate "analysers" tests/analyse.sh
gate "coverage" tests/coverage.sh
if [ "$tier" = long ]; then
  gate "mutants: all" tests/mutate.sh all
  gate "memcheck" memcheck
  gate "a fresh machine" tests/fresh.sh
else
  gate "mutants: 100 of them" tests/mutate.sh 1 100
fi

nn=chapters/08-fourloops.nw
check=chapters/09-gradcheck.nw
planted "a leak" LeakSanitizer build/asan '/^    free(nn->da);$/s/free/(void)/' $nn
planted "one unit too few" heap-buffer-overflow build/asan 's/nn->dz = calloc(units,/nn->dz = calloc(units - 1,/' $nn
planted "a wrong sign" FAILED build 's/dw_j\[k\] += dz/dw_j[k] -= dz/' $nn
planted "= for +=" FAILED build 's/da_before\[k\] += dz/da_before[k] = dz/' $nn
planted "a bias forgotten" FAILED build 's/db\[j\] += dz/db[j] += 0 * dz/' $nn
planted "1/n dropped" FAILED build 's/(double)(n_out \* m)/(double)m/' $nn
planted "a check blind to NaN" FAILED build 's/return isnan(e) ? (double)INFINITY : e;/return e;/' $check
planted "a check blind to sign" FAILED build 's/double e = fabs(g - d) /double e = fabs(fabs(g) - fabs(d)) /' $check
planted "a check content with nothing" FAILED build 's/check->largest > NN_CHECK_BOUND/check->largest >= 0/' $check
planted "a check that sees no corner" FAILED build 's/^ *\*kink |= passed_a_corner(nn);$/        *kink |= 0 * passed_a_corner(nn);/' $check

well=chapters/12-well.nw
planted "a softmax without its shift" FAILED build 's/exp(z\[j\] - most)/exp(z[j] - 0 * most)/' $well
planted "a cross-entropy with 1/n" FAILED build 's/y\[s \* n_out + j\]) \/ (double)m;$/y[s * n_out + j]) \/ (double)(n_out * m);/' $well
planted "Adam without its correction" FAILED build 's/const double whole_v = 1 - .*/const double whole_v = 1;/' $well
planted "a decay of biases too" FAILED build 's/for (size_t i = at.w; i < at.b; i++) {$/for (size_t i = at.w; i < at.b + at.n; i++) {/' $well
planted "dropout that is not made up for" FAILED build 's/0 : 1 \/ (1 - nn->drop)/0 : 1/' $well
planted "an order that is never shuffled" FAILED build 's/^        nn_rng_shuffle(how->rng, room->order, samples->m);$/        (void)0;/' $well
planted "a sum that begins anew where a training goes on" FAILED build 's/^    sum = how->place->sum;$/    sum = 0;/' $well
planted "an order that is forgotten" FAILED build 's/^    memcpy(room.order, how->place->order,$/    memcpy(room.order, how->place->order, 0 */' $well
planted "clipping in the wrong direction" FAILED build 's/if (length > most)/if (length < most)/' chapters/13-stall.nw

ladder=(chapters/14-ladder.nw chapters/90-plumbing.nw)
planted "a step before the weights are turned" learn_is_gradient_and_a_step build 's/^            <<the slopes of the activations before>>$/            {}/; s/^        <<the slopes of the weights and biases, or a step>>$/&\n        if (l > 1)\n            <<the slopes of the activations before>>/' "${ladder[@]}"
planted "units dropped on the way forward alone" gradient_is_that_of_the_four_loops build 's/dz\[j\] \*= at\[-1\]\.keep\[s \* at\[-1\]\.row + j\];/(void)0;/' "${ladder[@]}"
planted "sums that begin without their biases" gradient_is_that_of_the_four_loops build '/^ *\.start = f->p + at->b,$/d' "${ladder[@]}"
planted "panels that are filled up with ones" what_fills_up_the_panels_stays_zero build 's/f->p\[weight_at(at, j, k + i)\] : 0;/f->p[weight_at(at, j, k + i)] : 1;/' "${ladder[@]}"
files=chapters/90-plumbing.nw
planted "a checksum that nobody compares" FAILED build 's/^    if (memcmp(r->bytes + CRC_AT, digits/    if (0 \&\& memcmp(r->bytes + CRC_AT, digits/' $files
planted "moments that are not saved" FAILED build 's/return m->state ? 1 + (size_t)m->state->optimizer.method : 1;/return m->state ? 1 : 1;/' $files
planted "a model written over the old one" FAILED build 's/"%s.%ld.new", path, (long)getpid()/"%s", path/' $files
planted "a file that is not synced" FAILED build 's/return fsync(file) == 0;/return file >= 0;/' $files
planted "an order that leads anywhere" heap-buffer-overflow build/asan 's/if (s >= t->count || seen\[s\]++)/if (seen[s]++)/' $files

many=(chapters/14-ladder.nw chapters/15-spread.nw)
planted "a layer that is said to be done too early" a_layer_is_said_to_be_done_when_it_is build '/^        <<tell that the slopes of a layer are complete>>$/d; s/^        <<the slopes of the weights and biases, or a step>>$/        <<tell that the slopes of a layer are complete>>\n&/' "${many[@]}"
planted "a tree that depends on the ranks" the_tree_is_one_for_all build 's/add(n, g + i \* n, g + (i + d) \* n);/add(n, g, g + (i + d) * n);/' "${many[@]}"
planted "ranks that do not compare their seeds" every_mark_counts build 's/mark\[2\] = (uint32_t)job->seed;/mark[2] = 0;/' "${many[@]}"
planted "a part that has one sample for all" gradients_add build 's/size_t at = job->order\[first + s\];/size_t at = job->order[first];/' "${many[@]}"

gate "the text and the PDF" tests/text.sh
gate "install and uninstall" installs
gate "dist" distribution
gate "the net is right as often as it should" right_answers
gate "cheating scores higher, as chapter 11 shows" cheat_is_better
gate "what chapters 11 to 13 learn is within its bands" bands
gate "what is kept is what it is called" kept_are_theirs
gate "a sample takes as many instructions as before" instructions
gate "the accuracy table clears its bars" results_are_good
gate "a page of Python gets the same answers" page_says_the_same
gate "the build's tests, with TeX" env TEX=1 tests/build.sh
finish

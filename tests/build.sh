#!/usr/bin/env bash
# build.sh: tests the build. It makes a book of one chapter (tests/corpus/tiny),
# breaks it in many ways, and wants to be told where. TEX=1: the PDF as well.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
unset MAKEFLAGS MAKELEVEL MAKEOVERRIDES MFLAGS

place=build/test-build
rm -rf $place; mkdir -p $place/good/{chapters,figures,tests}
cp -r Makefile book $place/good
cp tests/golden.sh tests/count.sh $place/good/tests
cp tests/corpus/tiny/*.nw $place/good/chapters
cp tests/corpus/tiny/*.tex $place/good/book
: >$place/good/book/references.bib
cd $place

nw=chapters/01-tiny.nw
all() { make -C tree --no-print-directory "${@:-all-but-tex}" >log 2>&1; }
cat >>good/Makefile <<'END'
all-but-tex: programs build/values.tex build/chapters.tex lint golden
END

fresh() { rm -rf tree; cp -a good tree; }
line() { grep -nF -- "$1" tree/$nw | head -n 1 | cut -d: -f1; } # of TEXT in the chapter
state() { (cd tree && find "$@" -type f -printf '%p %T@ %s\n' | sort); }
same() { [ "$1" = "$(state "${@:2}")" ]; } # BEFORE PATH...
append() { printf '%s\n' "$@" >>tree/$nw; }

# fails WHAT CULPRIT [GOAL]: the tree does not build, and a line names the culprit.
fails() {
  # shellcheck disable=SC2086  # a goal may come with a variable
  if all ${3-all-but-tex}; then
    bad "$1: make is content"
  elif grep -qF -- "$2" log; then
    ok "$1"
  else
    bad "$1: nobody says \"$2\""; indent <log
  fi
}

fresh
if all programs accept && all; then
  ok "the tiny book builds"
else
  bad "the tiny book builds"; indent <log; finish; exit 1
fi
rm -rf good; cp -a tree good

before=$(state build code)
all
check "a second make does nothing" same "$before" build code

fresh; echo 'int main(void) { return 0; }' >tree/my.c
all try SRC=my.c || true
check "a file of the reader's own is built" tree/build/try/my
fails "a file that is not there" "cannot read none.c" "try SRC=none.c"
all help || true
check "there is help" grep -q '^make test ' log

fresh; sed -i 's/prints a number/prints some number/' tree/$nw
before=$(state build/out build/bin)
all
check "new prose runs nothing" same "$before" build/out build/bin

fresh; sed -i 's/1 @<< 1/1 @<< 2/' tree/$nw
all build/values.tex
check "new code runs again" grep -q '{number}{4}' tree/build/values.tex

fresh; sed -i 's/^printf("number.*/#include "01-tiny\/one.c"/' tree/$nw
append '<<[[01-tiny/one.c]]>>=' '#include "01-tiny/two.c"' '@' '<<[[01-tiny/two.c]]>>=' 'printf("number = %d\n", 5);' '@'
all build/values.tex || true
check "a program includes another file" grep -q '{number}{5}' tree/build/values.tex
sed -i 's/, 5);/, 6);/' tree/$nw
all build/values.tex || true
check "... and runs again when that has changed" grep -q '{number}{6}' tree/build/values.tex

fresh; rm tree/code/01-tiny/tiny.c
all || true
check "a file of code/ comes back" cmp -s {tree,good}/code/01-tiny/tiny.c

fresh; sed -i 's/^    <<say the number>>/    <<say the nmber>>/; s/return 0/return 5/' tree/$nw
before=$(state code build/tangle)
fails "a chunk that nobody defines" "$nw:$(line nmber): undefined chunk"
check "a failed tangle leaves all as it was" same "$before" code build/tangle

fresh; append '<<[[01-tiny/page.py]]>>=' 'print("page =", 2 + 3)' '@' '\run{page}{python3 ../../code/01-tiny/page.py}'
all build/values.tex || true
check "a page of Python is tangled and run" grep -q '{page}{5}' tree/build/values.tex
check "... and says where it is from" grep -q '^# Tangled from chapters/01-tiny.nw: edit there. Sum [0-9]*[.]$' tree/code/01-tiny/page.py
sed -i 's/2 + 3/2 + 4/' tree/$nw
all build/values.tex || true
check "... and is run again when it has changed" grep -q '{page}{6}' tree/build/values.tex
echo '# by hand' >>tree/code/01-tiny/page.py
fails "... and is not to be edited" "code/01-tiny/page.py:1: edited by hand"

fresh; append '\run{reader}{cat model.safetensors}' '\run{saver}{sleep 1; echo "number = 7" >model.safetensors # --save model.safetensors}'
all -j2 build/values.tex || true
check "a run waits for the model that it reads" grep -q '{reader}{number}{7}' tree/build/values.tex

fresh; append '<<say it agian>>=' 'int x;' '@'
fails "a chunk that nobody uses" "$nw:$(line agian): nobody uses"

fresh; append '<<[[02-more/more.c]]>>=' 'int x;' '@'
fails "a root that is not the chapter's" "$nw:$(line 02-more): unexpected root"

fresh
printf '%s\n' '\chapter{More}' '<<[[02-more/more.c]]>>=' '<<say the number>>' '@' '<<say the number>>=' 'int x;' '@' >tree/chapters/02-more.nw
fails "one chunk name in two chapters" "chapters/02-more.nw:5: chunk <<say the number>>"

fresh
printf '%s\n' '\chapter{More}' '<<[[02-more/tiny.c]]>>=' 'int main(void)' '{' '    return 0;' '}' '@' >tree/chapters/02-more.nw
fails "two programs of one name" "chapters/02-more.nw:2: another program is named tiny"

fresh
all clean programs || true
check "clean comes before what is made" test -x tree/build/bin/tiny

fresh; append 'One << is not escaped.'
fails "an unescaped << in prose" "$nw:$(line 'One <<')"

fresh; echo '/* by hand */' >>tree/code/01-tiny/tiny.c
fails "a file of code/ edited by hand" "code/01-tiny/tiny.c:1: edited by hand"
touch tree/$nw
fails "the same, and a chapter changed" "code/01-tiny/tiny.c:1: edited by hand"
check "it is not overwritten" grep -q 'by hand' tree/code/01-tiny/tiny.c

fresh; sed -i 's/printf/print_f/' tree/$nw
fails "an error of the compiler" "$nw:$(line print_f):"

fresh; append '\benched{times}{tiny}' 'It is \val{times}{speed} on \val{times}{processor}.'
mkdir -p tree/figures/data
printf '# 0123abc, Some CPU of 2 GHz\nspeed = 2\n' >tree/figures/data/times.txt
all build/values.tex || indent <log
check "a comparison that is kept" grep -q '{times}{processor}{Some~CPU~of~2~GHz}' tree/build/values.tex
check "... was made elsewhere" grep -q '{times}{measured}{elsewhere}' tree/build/values.tex
mkdir -p tree/build/bench
printf '# 0123abc, This CPU\nspeed = 3\n' >tree/build/bench/times.txt
all build/values.tex || indent <log
check "one that was made here goes before" grep -q '{times}{speed}{3}' tree/build/values.tex
check "... and says so" grep -q '{times}{measured}{here}' tree/build/values.tex
fresh; append '\benched{times}{tiny}'
fails "a comparison that nobody has made" "figures/data/times.txt"

fresh; append '\val{tiny}{nothing}'
fails "a value that no run prints" "$nw:$(line nothing): \\val{tiny}{nothing}"

fresh; sed -i 's/"number = %d\\n"/"number = %70d\\n"/' tree/$nw
fails "an output too wide" "columns; 67 fit on the page"

fresh; append '\val{tyni}{number}'
fails "a run that does not exist" "$nw:$(line tyni): \\val{tyni}{number}"

fresh; sed -i 's/^\\run{tiny}/\\run{renamed}/' tree/$nw
fails "a value of a run that is no more" "no run is named tiny"

fresh; append '\run{tiny}{tiny}'
fails "two runs of one name" "$nw:$(grep -n 'run{' tree/$nw | tail -n 1 | cut -d: -f1): "

fresh; append '\run{other}{tinny}'
fails "a run of a program that does not exist" "tinny"

fresh; append '\ref{nowhere}'
fails "a reference to nowhere" "$nw:$(line nowhere): "

fresh; sed -i "s/^printf.*/& \/* $(printf 'wide %.0s' {1..10})*\//" tree/$nw
fails "a line of code too wide" "$nw:$(line 'wide wide'): code of"

fresh; sed -i '/begin{answer}{four}/,/end{answer}/d' tree/$nw
fails "an exercise without an answer" "$nw:$(line '{exercise}{3}{four}'): exercise four"

fresh; sed -i 's/return 0/return 1/' tree/$nw
fails "a program that fails" "build/out/tiny.txt"
fails "it fails the second time too" "build/out/tiny.txt"

fresh; sed -i 's/1 @<< 1/1 @<< 2/' tree/$nw
fails "a golden that differs" "golden tiny differs"

if [ -n "${TEX-}" ]; then
  fresh
  all book || indent <log
  check "the tiny book as a PDF" [ -s tree/build/four-loops.pdf ]
  rm -rf good; cp -a tree good
  fresh; touch tree/build/out/tiny.txt; all book || true; before=$(state build)
  all book || true
  check "a run that prints the same again is soon forgotten" same "$before" build
  fresh; sed -i 's/^As easy as/As \\undefinedmacro as/' tree/$nw
  fails "an error of TeX" "$nw:$(line undefinedmacro): Undefined control sequence" book
fi
finish

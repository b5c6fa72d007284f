#!/usr/bin/env bash
# text.sh: tests the text as the programs are tested: that there is what it cites, refers
# to, quotes and promises; its spelling; and the PDF. It needs what `make book` makes. At
# the end a copy of the inputs is broken in many ways, and every gate has to complain.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/count.sh
export LC_ALL=C.UTF-8
place=build/text
rm -rf $place; mkdir -p $place

# A gate is a function that prints what is amiss, and nothing if all is well. Its tools are
# not to be content with no input, so each says so when it has seen none.
gate() { # WHAT FUNCTION
  local said
  said=$("$2" 2>&1) || said+=" ($2 broke off)"
  if [ -z "$said" ]; then ok "$1"; else bad "$1"; indent <<<"$said"; fi
}

# ------------------------------------------------------------- what the gates read
# The programs and the PDF are asked once; the gates read what they said.
pdf=build/four-loops.pdf
ask() {
  local program figure
  for program in build/bin/*; do
    echo "usage of $(basename "$program"):"
    "$program" --help </dev/null
  done >$place/help.txt &&
  pdffonts $pdf >$place/fonts &&
  pdfinfo $pdf >$place/info &&
  pdftotext -layout $pdf $place/pages &&
  pdftotext -fixed 4.7 $pdf $place/fixed && # 4.7 points: the width of a letter of the code
  pdftohtml -xml -stdout -i -f 1 -l 1 $pdf | grep -a '<item' >$place/outline &&
  qpdf --qdf --object-streams=disable $pdf - |
    grep -a -E '/(Alt|PageMode|OpenAction|DisplayDocTitle|Lang|Subtype /Link)\>' >$place/objects &&
  cp build/four-loops.{log,blg} $place || return 1
  for figure in figures/*.tex; do
    figure=$(basename "$figure" .tex)
    pdftotext "build/figures/$figure.pdf" - | { grep -oE '[A-Za-z]{4,}' || true; } | tr '\n' ' '
    echo "(figure $figure)"
  done >$place/figures.txt
}
ask || { bad "the programs and the PDF can be read: run make book"; finish; exit 1; }

# The prose, the comments of the code, what the prose quotes, and the code without comments.
prose() {
  python3 tests/prose.py text chapters/*.nw book/{front,back,plan}.tex README.md $place/{help,figures}.txt >$place/prose
  python3 tests/prose.py text code/*/*.[ch] >$place/comments
  python3 tests/prose.py names chapters/*.nw book/{front,back}.tex README.md >$place/names
  python3 tests/prose.py code code/*/*.[ch] tests/*.[ch] >$place/code
}
sources() { sed 's/\(^\|[^\\]\)%.*/\1/' chapters/*.nw book/*.tex figures/*.tex; }

# ---------------------------------------------------------- citations and references
lint() { book/bin/lint; }

entries() { # what an entry of the bibliography must have
  awk '
    function has(field) { return entry ~ "[ ,\n{]" field " *= *(\\{[^}]|[0-9])" }
    function finish(   place) {
      if (kind == "") return
      n++
      if (!has("author")) print key ": no author"
      if (!has("title")) print key ": no title"
      if (entry !~ /[ ,]year *= *\{[0-9][0-9][0-9][0-9]\}/) print key ": no year"
      if (kind == "article" && !has("journal")) print key ": no journal"
      if (kind ~ /^in(proceedings|collection)$/ && !has("booktitle")) print key ": no booktitle"
      if (kind == "book" && !has("publisher")) print key ": no publisher"
      if (kind ~ /thesis$/ && !has("school")) print key ": no school"
      if (kind == "techreport" && !has("institution")) print key ": no institution"
      if (kind ~ /^(misc|manual|unpublished)$/ && entry !~ /arXiv:[0-9]+\.[0-9]+|\\url/) print key ": no address"
      if (kind == "article" && !has("pages") && !has("note") && entry !~ /arXiv:[0-9]+\.[0-9]+/) print key ": no pages"
    }
    /^@/ { finish(); kind = tolower($0); sub(/^@/, "", kind); sub(/\{.*/, "", kind)
           key = $0; sub(/^[^{]*\{/, "", key); sub(/,.*/, "", key); entry = "" }
    { entry = entry " " $0 }
    END { finish(); if (!n) print "no entry at all" }' book/references.bib
}
bibtex() {
  grep -E '^Warning|error|warning' $place/four-loops.blg | grep -v '^warning\$'
  grep -q "^You've used [1-9]" $place/four-loops.blg || echo "BibTeX has used no entry"
}

chapter_numbers() { # \chap{3} is set even where there is no chapter 3
  grep -noE '\\[cC]hap\{[^}]*\}' chapters/*.nw book/*.tex | while IFS=: read -r file line what; do
    number=${what#*\{} number=${number%\}}
    compgen -G "chapters/$(printf %02d "$number")-*.nw" >/dev/null || echo "$file:$line: $what is no chapter"
  done
}

# Equations that have a number for the reader alone: results to quote, or to come back to.
for_the_reader='cheap-gradient check-richardson clip cosine decay descent-slope dropout gate-step
  ladder-memory log-sum-exp machines momentum one-layer-back partial phi power-rule
  product race-fit sigmas softmax-jacobian sum-rule tanh-slope truncation-central xor-best'
equations() { # each numbered one is referred to, or listed here
  local used name
  used=$(sources | grep -oE '\\[A-Za-z]*ref\*?[[{]eq:[^]}]*' | sed 's/.*eq://')
  grep -nE '\\label\{eq:' chapters/*.nw | sed 's/^\([^:]*:[0-9]*\):.*\\label{eq:\([^}]*\)}.*/\1 \2/' |
    while read -r where name; do
      if grep -qxF -- "$name" <<<"$used"; then
        ! grep -qwF -- "$name" <<<"${for_the_reader//$'\n'/ }" || [[ " ${for_the_reader//$'\n'/ } " != *" $name "* ]] ||
          echo "$where: eq:$name is referred to; take it from the list in tests/text.sh"
      elif [[ " ${for_the_reader//$'\n'/ } " != *" $name "* ]]; then
        echo "$where: nobody refers to eq:$name"
      fi
    done
  for name in $for_the_reader; do
    grep -qF "\\label{eq:$name}" chapters/*.nw || echo "tests/text.sh lists eq:$name, which is none"
  done
  [ -n "$used" ] || echo "no reference to an equation found"
}

# ------------------------------------------------------------------- quoted names
# What is quoted and is in none of our files, each with its reason.
allowed='
apt-get install sudo texlive-fonts-extra: the commands of a shell, and what they name
name.tex my.c: names to be filled in
P2 P5: kinds of PGM files
clothes.safetensors: files that the reader makes
hosts --hostfile: a file of mpirun
val --cflags --libs -fopt-info-vec: a macro of TeX; words of pkg-config and gcc
HOME/.local build/fresh/ build/bench: folders that are made
GFLOP/s: a unit
restrict: a word of C
n_0: a shape, as the comments have it
dz_j: the variable of a loop that the chapter only talks of
'
names() {
  local words options targets own
  prose
  words=$({ cat $place/code code/*/*.py tests/peers/* Makefile build/book.mk; cat $place/help.txt
            cat tests/golden/*; ls code chapters figures tests build/run; } | grep -oE '[A-Za-z_][A-Za-z0-9_]*' | sort -u)
  options=$({ grep -oE -- '(^|[ ([])--?[A-Za-z][a-zA-Z0-9=-]*' $place/help.txt Makefile tests/peers/*; cat build/run/*.cmd; } |
            grep -oE -- '--?[A-Za-z][a-zA-Z0-9=-]*' | sort -u)
  targets=$({ sed -n 's/^## \([a-z-]*\) .*/\1/p; s/^\([a-z-]*\):.*/\1/p; s/^\([a-z -]*\):.*/\1/p' Makefile
              sed -n 's/^PROGRAMS := //p' build/book.mk | tr ' ' '\n' | sed 's/.*\//run-/; s/\.c$//'; echo run-NAME; } | tr ' ' '\n' | sort -u)
  own=$(awk '/^usage of / { p = $3; sub(/:/, "", p) }
             match($0, /^ +(-[a-z], *)?--[a-z0-9-]+/) { sub(/^ +(-[a-z], *)?/, ""); sub(/[ =].*/, ""); print p $0 }' $place/help.txt)
  own=$own words=$words options=$options targets=$targets allowed=$allowed awk '
      BEGIN {
        n = split(ENVIRON["words"], w, "\n"); for (i = 1; i <= n; i++) word[w[i]]
        n = split(ENVIRON["options"], w, "\n"); for (i = 1; i <= n; i++) option[w[i]]
        n = split(ENVIRON["targets"], w, "\n"); for (i = 1; i <= n; i++) target[w[i]]
        n = split(ENVIRON["own"], w, "\n"); for (i = 1; i <= n; i++) { option_of[w[i]]; sub(/--.*/, "", w[i]); program[w[i]] }
        n = split(ENVIRON["allowed"], row, "\n")
        for (i = 1; i <= n; i++) { sub(/:.*/, "", row[i]); m = split(row[i], w, " "); for (j = 1; j <= m; j++) free[w[j]] = 1 }
      }
      function there(path) { return system("[ -e " path " ]") == 0 }
      function say(text) { print where ": \"" quote "\": " text }
      {
        match($0, /^[^:]*:[0-9]*:/); where = substr($0, 1, RLENGTH - 1); quote = substr($0, RLENGTH + 1); seen++
        t = quote; make = 0
        if (t ~ /^make( |$)/) {
          m = split(t, w, / +/)
          for (i = 2; i <= m && w[i] ~ /^[A-Za-z-]+$/; i++) if (!(w[i] in target)) say("make has no target " w[i])
        }
        gsub(/["\047]/, " ", t)
        who = t; sub(/^make run-/, "", who); sub(/^build\/bin\//, "", who); sub(/ .*/, "", who); if (!(who in program)) who = ""
        while (match(t, /(^|[ =])--?[A-Za-z][A-Za-z0-9-]*(=[a-z0-9]+)?/)) {
          o = substr(t, RSTART, RLENGTH); sub(/^[ =]/, "", o); rest = substr(t, RSTART + RLENGTH)
          if (o in free) free[o] = 2; else if (who != "" && o ~ /^--/) { if (!(who o in option_of)) say(who " has no option " o) } else if (o !~ /^-[a-z]$/ && !(o in option)) say("no program has the option " o)
          t = substr(t, 1, RSTART - 1) " " rest
        }
        m = split(t, w, /[^A-Za-z0-9_.\/-]+/)
        for (i = 1; i <= m; i++) {
          x = w[i]; sub(/^[.-]+$/, "", x)
          if (x == "" || x ~ /^[-0-9.,]/ || x in free) { if (x in free) free[x] = 2; continue }
          if (x ~ /\/.|[a-z]\.(c|h|nw|tex|sh|py|pdf|gz|png|safetensors)$/) {
            if (x ~ /^build\/bin\//) { sub(/.*\//, "", x); if (x != "" && !("run-" x in target)) say("no program is named " x) }
            else if (x ~ /^build\/(try|bench)\//) continue
            else if (x ~ /^[A-Za-z.0-9_-]+\.gz$/) { if (!there("/usr/share/datasets/*/" x)) say("no file " x) }
            else if (!there(x) && !there("code/" x) && !there("code/*/" x)) say("no file " x)
            continue
          }
          sub(/\/$/, "", x)
          k = split(x, part, /[^A-Za-z0-9_]+/)
          if (there_dir(x)) continue
          if (packaged(x) || x ~ /^[A-Z]+$/ && there(x)) continue
          for (j = 1; j <= k; j++) {
            y = part[j]
            if (y ~ /^([A-Za-z]|[0-9].*|)$/ || y in word || y in free) { if (y in free) free[y] = 2; continue }
            if (y ~ /^(cli|nn|mpi)_$/) continue
            say("nothing is named " y)
          }
        }
      }
      function there_dir(x) { return x ~ /^(book|build|chapters|code|figures|tests)$/ }
      function packaged(x) { return x ~ /-/ && system("grep -qwF -- " x " Makefile") == 0 }
      END { for (x in free) if (free[x] == 1) print "tests/text.sh allows " x ", which nobody quotes"
            if (seen < 100) print "hardly a name is quoted" }' $place/names
}

help_texts() { # an option that a program speaks of is one of its own
  awk '
    /^usage of / { if (program != "") finish(); program = $3; sub(/:$/, "", program); delete own; said = ""; n++; next }
    /^ +(-[a-z], *)?--/ { match($0, /--[a-z0-9-]+/); own[substr($0, RSTART, RLENGTH)] }
    { said = said " " $0 }
    function finish(   o) {
      while (match(said, /--[a-z][a-z0-9-]*/)) {
        o = substr(said, RSTART, RLENGTH); said = substr(said, RSTART + RLENGTH)
        if (!(o in own)) print program " --help speaks of " o ", which it has not"
      }
    }
    END { finish(); if (n < 2) print "no help" }' $place/help.txt
}

# ------------------------------------------------------------------------ programs
program_names() { sed -n 's/^PROGRAMS := //p' build/book.mk | tr ' ' '\n' | sed 's/.*\///; s/\.c$//'; }

# How a program is run by a test: its output is compared (tests/golden/), or a script runs
# it for more than its --help, which tests/cli.sh does with all.
run_by() { # PROGRAM
  local id script
  while read -r id; do
    if [ -e "tests/golden/$id.txt" ]; then echo "tests/golden/$id.txt"; return; fi
  done < <(sed -n "s/^program\.\(.*\) := $1\$/\1/p" build/book.mk)
  for script in tests/*.sh; do
    if grep -qE "^[^#]*(bin|out)/($1)\b" "$script"; then echo "$script"; return; fi
  done
}
programs_are_run() { # $place/runs says by what
  local name n=0
  : >$place/runs
  while read -r name; do
    n=$((n + 1))
    echo "$name: $(run_by "$name")" >>$place/runs
    ! grep -qx "$name: " $place/runs || echo "$name: no golden output, and no script in tests/ runs it"
  done < <(program_names)
  [ $n -gt 0 ] || echo "no program at all"
}
# Two programs only measure; what they printed for the book is of the right kind.
measured() {
  awk 'FNR == 1 { part++ }
       part == 1 && $1 ~ /^[0-9]+$/ { n++; if ($2 <= 0) print "roof: " $0 }
       part == 2 && $1 ~ /^[0-9]+$/ { m++; if ($1 <= last) print "grow: " $0; last = $1
         if ($3 <= 0 || $2 < $3) print "grow: the loops are not slower: " $0
         if ($5 < 0.9 * $6 || $5 > 1.2 * $6) print "grow: not the memory of the formula: " $0 }
       END { if (n < 5) print "roof: " n + 0 " rows"; if (m < 5) print "grow: " m + 0 " rows" }' build/out/roof.txt build/out/grow.txt
}
table_of_programs() { # of appendix C, and the programs there are
  diff <(program_names | sort) <(sed -n 's/^\\texttt{\([a-z]*\)} & .*/\1/p' book/back.tex | sort) |
    sed -n 's/^< \(.*\)/book\/back.tex: \1 is missing/p; s/^> \(.*\)/book\/back.tex: \1 is no program/p'
}
table_of_folders() { # of the README, and the folders there are
  local folder
  # shellcheck disable=SC2016  # backquotes of Markdown
  sed -n 's/^| `\([a-z/]*\)\/` |.*/\1/p' README.md | while read -r folder; do
    [ -d "$folder" ] || echo "README.md: there is no $folder/"
  done
  for folder in */; do
    grep -q "^| \`$folder\` |" README.md || echo "README.md: $folder is missing"
  done
  for folder in code/*/ tests/*/ figures/*/; do
    [[ $folder =~ ^code/[0-9][0-9]-|^tests/corpus/ ]] || grep -q "\`$folder\`" README.md || echo "README.md: $folder is missing"
  done
}

# ------------------------------------------------------------ figures and exercises
figures() { # named in their own chapter, with a caption and a description in sentences
  awk '
    function finish(   f) { for (f in shown) if (!(f in told)) print shown[f] ": the text of this chapter does not speak of figure " f
                            delete shown; delete told }
    FNR == 1 { finish(); code = 0 }
    /^<<.*>>=/ { code = 1 } /^@( |$)/ { code = 0 } code { next }
    { line = $0
      while (match(line, /\\[fF]igref\{[^}]*\}/)) { f = substr(line, RSTART, RLENGTH); gsub(/.*\{|\}/, "", f); told[f]; line = substr(line, RSTART + RLENGTH) } }
    match($0, /\\fig\{[^}]*\}/) {
      f = substr($0, RSTART + 5, RLENGTH - 6); shown[f] = FILENAME ":" FNR; n++
      text = substr($0, RSTART + RLENGTH); from = FILENAME ":" FNR; part = 0
      while (1) {
        for (i = 1; i <= length(text); i++) {
          c = substr(text, i, 1)
          if (c == "\\") { i++; if (deep) arg = arg c substr(text, i, 1); continue }
          if (c == "{" && deep++ == 0) { arg = ""; continue }
          if (c == "}" && --deep == 0) {
            k = split(arg, words, /[ \n]+/); part++
            if (k < 5 || arg !~ /[.?!)}]$/) print from ": the " (part == 1 ? "caption" : "description") " of figure " f " is no sentence"
            if (part == 2) break
          }
          if (deep) arg = arg c
        }
        if (part == 2 || (getline text) <= 0) break
        arg = arg " "
      }
    }
    END { finish(); if (!n) print "no figure at all" }' chapters/*.nw
}
descriptions() { # the PDF carries that of each figure
  local want have
  want=$(cat chapters/*.nw | grep -cE '^\\fig\{') have=$(grep -ac '/Alt' $place/objects)
  [ "$want" -gt 0 ] && [ "$want" -eq "$have" ] || echo "$want figures, and $have descriptions in the PDF"
}

# An answer's code is in a file that a test includes, and each of its functions is called.
answers() {
  local file test name
  # chunks of answers, by chapter and line, and where the lines went
  included=$(cat tests/test_*.c code/*/{test,answers,gradcheck}.c 2>/dev/null | sed -n 's/^ *#include "\([^"]*\)".*/\1/p' | sort -u | tr '\n' ' ')
  included=" $included" awk '
    FILENAME ~ /\.nw$/ {
      if (/^\\begin\{answer\}/) { answer = $0; sub(/.*\{/, "", answer); sub(/\}.*/, "", answer) }
      if (/^\\end\{answer\}/) answer = ""
      if (/^<<.*>>=/) { code = 1; if (answer != "") { open[++n] = FILENAME; from[n] = FNR + 1; who[n] = answer } next }
      if (code && /^@( |$)/) { code = 0; if (answer != "") to[n] = FNR }
      next }
    match($0, /^#line [0-9]+ "[^"]*"/) {
      split($0, p, " "); gsub(/"/, "", p[3]); sub(/^.*chapters\//, "chapters/", p[3])
      file = FILENAME; sub(/^build\/tangle\//, "", file)
      if (file ~ /^(nn|tools)\/|\/test\.c$/ || index(ENVIRON["included"], " " file " ")) tested[p[3], p[2]] }
    END {
      for (i = 1; i <= n; i++) {
        for (l = from[i]; l <= to[i]; l++) if ((open[i], l) in tested) break
        if (l > to[i]) print open[i] ":" from[i] - 1 ": this code of the answer to " who[i] " is in no file that is tested" }
      if (n < 20) print "hardly an answer has code" }' chapters/*.nw build/tangle/*/*.c
  for file in code/*/answers.c; do
    [[ $file =~ code/([0-9]+)- ]]
    test=tests/test_answers_${BASH_REMATCH[1]}.c
    grep -q "^#include \"${file#code/}\"" "$test" || echo "$test does not include $file"
    grep -hE '^[a-z][a-z0-9_ ]*[ *][a-z_0-9]+\(' "$file" | grep -v ';$' | sed 's/(.*//; s/.*[ *]//' | while read -r name; do
      cat "$test" "$file" "${file%/*}/test.c" | grep -cE "\b$name\b" | awk -v name="$name" -v file="$file" '$1 < 2 { print file ": no test calls " name }'
    done
  done
}

# ---------------------------------------------------------------- spelling and prose
# What hunspell does not know must be in tests/words.txt: terms, names, words of programs.
# In comments and help texts, names of the code are words too.
unknown() {
  prose
  { cut -d: -f3- $place/prose
    grep -vE '^[^:]*:[0-9]*: *(mpi)?cc -std' $place/comments | cut -d: -f3- | words
  } | hunspell -d en_GB -l | sed "s/'s\$//" | hunspell -d en_GB -l | grep -v '[0-9]' | grep ... | grep -vxFf <(program_names) | sort -u
}
words() { # of a comment, but for the names of the code
  grep -oE "[A-Za-z_][A-Za-z0-9_']*" | grep -vxFf <(grep -oE '[A-Za-z_][A-Za-z0-9_]*' $place/code | sort -u)
}
where() { # WORD...: the first place of each
  awk -v words="$*" '
    BEGIN { n = split(words, w, " ") }
    { match($0, /^[^:]*:[0-9]*:/); t = " " substr($0, RLENGTH + 1) " "
      for (i = 1; i <= n; i++) if (!(i in found) && t ~ "[^A-Za-z]" w[i] "[^A-Za-z]") { found[i]; print substr($0, 1, RLENGTH) " " w[i] } }
    END { for (i = 1; i <= n; i++) if (!(i in found)) print w[i] }' $place/prose $place/comments
}
spelling() {
  unknown >$place/unknown
  [ -s $place/unknown ] || echo "hunspell knows every word: is it there?"
  where "$(comm -23 $place/unknown <(sort tests/words.txt) | tr '\n' ' ')"
  comm -13 $place/unknown <(sort tests/words.txt) | sed 's/^/tests\/words.txt: nobody writes /'
  sort -c tests/words.txt 2>&1 || true
}
# -ize, as in optimizer: no word that could have it is written with -ise.
ize() {
  prose
  cut -d: -f3- $place/prose | grep -oE '[A-Za-z]+is(e|es|ed|er|ers|ing|ation|ations)\b' | sort -u | while read -r word; do
    [ -n "$(sed -E 's/is(e|es|ed|er|ers|ing|ation|ations)$/iz\1/' <<<"$word" | hunspell -d en_GB -l)" ] || where "$word"
  done | sed 's/$/: with a z, as elsewhere/'
}
typing() { # doubled words, blanks before signs, quotes without a partner, notes to oneself
  prose
  awk '
    function say(text) { print where ": " text }
    {
      match($0, /^[^:]*:[0-9]*:/); where = substr($0, 1, RLENGTH - 1); t = substr($0, RLENGTH + 1); n++
      file = where; sub(/:.*/, "", file); at = where; sub(/.*:/, "", at)
      if (file != before || at != line + 1) { last = ""; paragraph(); begin = where } # a new one
      before = file; line = at
      if (file !~ /help.txt$/) { x = t; left += gsub(/``/, "", x); right += gsub(/\047\047/, "", x) }
      m = split(t, w, /[ \t]+/)
      for (i = 1; i <= m; i++) {
        if (w[i] == "") continue
        if (w[i] ~ /^[a-z]+[,.;:]?$/) { x = w[i]; sub(/[,.;:]$/, "", x); if (x == last && x !~ /^(million|had|that)$/ && file !~ /figures.txt$/) say(x " " x) }
        last = w[i] }
      if (file !~ /help.txt$/ && match(t, /[A-Za-z0-9)@¤] +[,.;:?!)]( |$)/)) say("a blank before " substr(t, RSTART + RLENGTH - 2))
      if (t ~ /\<(TODO|FIXME|XXX)\>|\(to come\)/) say("a note to oneself")
      if (file !~ /(help.txt|\.md)$/ && t ~ /"/) say("a straight quote")
    }
    END { paragraph(); if (n < 100) print "hardly any prose" }
    function paragraph() { if (left != right) print begin ": " left + 0 " quotes opened, " right + 0 " closed"; left = right = 0 }' $place/prose
}
# What was true of a book that was being written.
unfinished() {
  prose
  grep -E 'to come are not in this edition|[Nn]ot (yet )?written|when all of it is written|will be (added|written)|(in|of) a later edition' \
    $place/prose | sed 's/$/ (is that still so?)/'
  ! grep -q 'to come' $place/outline || echo "the outline has something to come"
  ! grep -q '(to come)' $place/pages || echo "the PDF has something to come"
}

# -------------------------------------------------------------------------- the PDF
fonts() { # all embedded, none a bitmap
  awk 'NR > 2 { n++; if (/Type 3/ || $(NF - 4) != "yes") print } END { if (!n) print "no font at all" }' $place/fonts
}
metadata() {
  local field
  for field in Title Author Subject Keywords; do
    grep -q "^$field: *[A-Za-z]" $place/info || echo "the PDF has no $field"
  done
}
opens() { # with its title, its outline, on the first page
  local sign
  for sign in '/PageMode /UseOutlines' '/DisplayDocTitle true' '/OpenAction ' '/Lang (en'; do
    grep -aqF -- "$sign" $place/objects || echo "the PDF does not say $sign"
  done
}
titles() { # "8 Four loops": part, chapter and appendix, as their files have them
  local file number part
  for file in chapters/*.nw; do
    number=$(sed 's/^chapters\/0*\([0-9]*\)-.*/\1/' <<<"$file")
    part=$(sed -n "s/^\\\\planpart{$number}{\([0-9]*\)}{\(.*\)}/\1 \2/p" book/plan.tex)
    [ -z "$part" ] || sed 's/^1 /I /; s/^2 /II /; s/^3 /III /; s/^4 /IV /; s/^5 /V /' <<<"$part"
    sed -n "s/^\\\\chapter\(\[[^]]*\]\)\?{\(.*\)}/$number \2/p" "$file" | head -n 1 | sed 's/^0\? //; s/^90 /A /'
  done | sed 's/\\[a-z]*{\([^}]*\)}/\1/g'
  sed -n '/^\\backmatter/,$!s/^\\chapter{\(.*\)}/\1/p' book/back.tex | awk '{ print substr("BCDEF", NR, 1) " " $0 }'
  sed -n '/^\\backmatter/,$s/^\\chapter{\(.*\)}/\1/p' book/back.tex
  sed -n 's/^\\chapter{\(.*\)}/\1/p' book/front.tex
  printf '%s\n' Bibliography Index
}
bookmarks() {
  local title have
  have=$(sed 's/.*<item[^>]*>//; s/<.*//; s/&apos;/'"'"'/g; s/&amp;/\&/g' $place/outline)
  titles | while read -r title; do
    grep -qxF -- "$title" <<<"$have" || echo "no bookmark \"$title\""
  done
  [ "$(titles | wc -l)" -gt 20 ] || echo "hardly a chapter"
  # ... and the plan has the titles of the chapters
  diff <(sed -n 's/^\\planchapter{\([0-9]*\)}{\(.*\)}/\1 \2/p' book/plan.tex | sed 's/\\emph{\([^}]*\)}/\1/g') \
       <(titles | grep -E '^[1-9]') || true
}
page_numbers() { # page n of the file is page n of the book
  awk '
    BEGIN { RS = "\f" }
    { n++; k = split($0, line, "\n"); first = last = ""
      for (i = 1; i <= k; i++) if (line[i] ~ /[^ ]/) { if (first == "") first = line[i]; last = line[i] }
      if (first == "") { empty++; next }
      m = split(first, w, / +/); if (w[1] == "") { for (i = 1; i < m; i++) w[i] = w[i + 1]; m-- }
      gsub(/ /, "", last)
      if (w[1] == n || w[m] == n || last == n) good++
      else if (last ~ /^[0-9]+$/) print "page " n " says " last }
    END { if (good < 0.9 * n) print "only " good + 0 " of " n " pages say their number" }' $place/pages
}
readable() { # text on every page but those that are left empty, and no letter without a name
  awk '
    BEGIN { RS = "\f" }
    { n++; if ($0 !~ /[A-Za-z]/ && n % 2 && $0 !~ /^\n*$/) print "page " n ": no letter"
      if ($0 ~ /^[ \n]*$/) { empty++; if (n % 2) blank = blank " " n } }
    END { if (n < 100) print "hardly a page"; if (empty > n / 20) print empty " pages without text"
          if (split(blank, b, " ") > 1) print "right pages without text:" blank }' $place/pages
  # (pieces of large brackets are private; the rest of the formulas has names)
  grep -nP '\x{FFFD}|[\x{E000}-\x{F8DF}]' $place/pages | sed 's/^/pages:/' || true
}
links() {
  local n
  n=$(grep -ac '/Subtype /Link' $place/objects)
  [ "$n" -gt 1000 ] || echo "only $n links"
}
texlog() { # not through book/bin/texlog, which could be blind
  [ -s $place/four-loops.log ] || echo "no log"
  awk '/Warning:|^pdfTeX warning|^Missing character|^! / { print; next }
       match($0, /^Overfull .hbox \([0-9.]+/) { split(substr($0, 1, RLENGTH), w, "("); if (w[2] > 1) print }' $place/four-loops.log
}

# Every line of every chunk can be copied out of the PDF, but for the number of
# blanks between words, which a PDF does not keep.
code_copies_out() {
  awk '
    FNR == 1 { code = 0 }
    FILENAME ~ /pages$/ { gsub(/ +/, " "); all = all $0 "\n"; next }
    /^<<.*>>=[ \t]*$/ { code = 1; next }
    /^@( |$)/ { code = 0 }
    code && !/^ *<<.*>>$/ && NF {
      t = $0; gsub(/@<</, "<<", t); gsub(/@>>/, ">>", t); gsub(/ +/, " ", t); sub(/^ /, "", t)
      n++; if (!index(all, t)) print FILENAME ":" FNR ": " t }
    END { if (n < 100) print "hardly any code" }' $place/pages chapters/*.nw
}
# ... and with its indentation, here of one chunk; a column of rounding is allowed.
indentation() {
  awk -v name='print the help' '
    function squeeze(t) { sub(/^ +/, "", t); gsub(/ +/, " ", t); return t }
    FILENAME ~ /\.nw$/ {
      if ($0 ~ /^@( |$)/) code = 0
      if (code && $0 !~ /<</) chunk[++n] = $0
      if ($0 == "<<" name ">>=") code = 1
      next }
    n && k < n && index(squeeze($0), squeeze(chunk[k + 1])) == 1 && (k == 0 || FNR < first + 3 * n) {
      match($0, /^ */); margin = RLENGTH; match(chunk[++k], /^ */); margin -= RLENGTH
      if (k == 1) { first = FNR; common = margin }
      if (margin < common - 1 || margin > common + 1) print "moved by " margin - common ": " $0 }
    END { if (k < n || !n) print k + 0 " of " n + 0 " lines found" }' chapters/*.nw $place/fixed
}

# ---------------------------------------------------------------------------- all
gate "text: lint" lint
gate "bibliography: fields" entries
gate "bibliography: BibTeX is content" bibtex
gate "chapters that are referred to" chapter_numbers
gate "numbered equations are referred to" equations
gate "quoted names" names
gate "options in --help" help_texts
gate "every program is run by a test" programs_are_run
gate "what only measures" measured
gate "the table of programs" table_of_programs
gate "the table of folders" table_of_folders
gate "figures are spoken of and described" figures
gate "... and described in the PDF" descriptions
gate "answers with code are tested" answers
gate "spelling" spelling
gate "-ize" ize
gate "typing" typing
gate "nothing unfinished" unfinished
gate "PDF: fonts" fonts
gate "PDF: title, author, subject, keywords" metadata
gate "PDF: opens with its outline" opens
gate "PDF: bookmarks" bookmarks
gate "PDF: page numbers" page_numbers
gate "PDF: text on every page" readable
gate "PDF: links" links
gate "PDF: no warning" texlog
gate "PDF: code copies out" code_copies_out
gate "PDF: indentation copies out" indentation

# --------------------------------------------------------- the gates, seen red once
# broken GATE SIGN SED FILE...: with FILE broken, in a copy, the gate complains of SIGN. The
# copy has hard links; sed -i makes a new file.
copy=$place/copy
mkdir -p $copy/build
cp -al Makefile README.md LICENSE book chapters code figures tests $copy
cp -al build/{book.mk,run,tangle,four-loops.pdf} $copy/build
mkdir $copy/build/{out,text}
cp build/out/{roof,grow}.txt $copy/build/out
find $place -maxdepth 1 -type f -exec cp {} $copy/build/text \;
broken() {
  local gate=$1 sign=$2 sed=$3 tree=$place/broken said
  shift 3
  rm -rf $tree; cp -al $copy $tree
  (cd $tree && sed -i "$sed" "$@")
  if ! (cd $tree && for file; do ! cmp -s "$file" "$OLDPWD/$copy/$file" || exit 1; done); then
    bad "broken: $gate: sed finds nothing in $*: $sed"; return
  fi
  said=$(cd $tree && "$gate" 2>&1) || true
  if grep -qF -- "$sign" <<<"$said"; then
    reds[$gate]=1; ok "broken: $gate says \"$sign\""
  else
    bad "broken: $gate does not say \"$sign\""; indent <<<"$said"
  fi
}
declare -A reds
# shellcheck disable=SC2016  # $ is the last line, for sed
all_broken() {
  local twice=chapters/01-twice.nw bib=book/references.bib text=build/text
  broken lint 'no label sec:nowhere' '$a See \\ref{sec:nowhere}.' $twice
  broken lint 'nobody1999' '$a See \\citet{nobody1999}.' $twice
  broken lint 'goldberg1991 is never cited' 's/goldberg1991/knuth1984/g' chapters/02-limit.nw
  broken lint 'has no hint' '0,/begin{hint}/s/\\begin{hint}{[a-z-]*}/\\begin{hint}{none}/' $twice
  broken lint 'has no answer' '0,/begin{answer}/s/\\begin{answer}{[a-z-]*}/\\begin{answer}{none}/' $twice
  broken lint 'stands in' '$a Here \\label{ch:limit}' $twice
  broken entries 'young1974: no journal' '/^@article{young1974/,/}}/s/journal/jrnl/' $bib
  broken entries 'young1974: no year' '/^@article{young1974/,/}}/s/1974}}/later}}/' $bib
  broken entries 'young1974: no author' '/^@article{young1974/,/}}/s/author = {.*},/author = {},/' $bib
  broken entries 'goyal2017: no address' 's/arXiv:1706.02677//' $bib
  broken bibtex 'empty' '$a Warning--empty year in young1974' $text/four-loops.blg
  broken chapter_numbers 'is no chapter' '$a See \\chap{17}.' $twice
  broken equations 'nobody refers to eq:lonely' 's/\\label{eq:tangent}/\\label{eq:lonely}/' chapters/02-limit.nw
  broken equations 'eq:clip is referred to' '$a See \\eqref{eq:clip}.' $twice
  broken equations 'lists eq:clip, which is none' 's/\\label{eq:clip}/\\label{eq:cut}/' chapters/13-stall.nw
  broken names 'nothing is named nn_gradeint' '$a The function [[nn_gradeint]].' $twice
  broken names 'twice has no option --rates' '$a With \\texttt{twice -{}-rates 3}.' $twice
  broken names 'no program has the option --ratio' '$a With [[--ratio]].' $twice
  broken names 'clothes has no option --rates' 's/make run-clothes ARGS=.*/make run-clothes ARGS="--rates 3"/' README.md
  broken names 'make has no target progams' '$a Say \\texttt{make progams}.' $twice
  broken names 'no file code/nn/none.h' '$a See `code/nn/none.h`.' README.md
  broken names 'no program is named thrice' '$a Run `build/bin/thrice`.' README.md
  broken names 'nothing is named FOURLOOPS_HOME' '$a Set \\texttt{FOURLOOPS\\_HOME}.' book/back.tex
  broken names 'allows GFLOP/s, which nobody quotes' 's/\\texttt{GFLOP\/s}/GFLOP\/s/' chapters/14-ladder.nw
  broken help_texts 'twice --help speaks of --tables' 's/^usage: twice.*/&\nSee --tables./' $text/help.txt
  broken programs_are_run 'new: no golden output' 's/^PROGRAMS := /&01-twice\/new.c /' build/book.mk
  broken measured 'grow: the loops are not slower' 's/^ *1312 .*/1312 1e-09 1e-08 1 1 1/' build/out/grow.txt
  broken table_of_programs 'twice is missing' '/^\\texttt{twice} &/d' book/back.tex
  broken table_of_programs 'thrice is no program' 's/^\\texttt{twice} &.*/&\n\\texttt{thrice} \& 1/' book/back.tex
  broken table_of_folders 'there is no attic/' 's/^| `build\/`.*/&\n| `attic\/` | old things |/' README.md
  broken table_of_folders 'figures/ is missing' '/^| `figures\/`/d' README.md
  broken figures 'does not speak of figure clothes-weights' 's/\\[Ff]igref{clothes-weights}/a figure/' chapters/11-clothes.nw
  broken figures 'is no sentence' 's/^\\fig{twice-valley}{.*/\\fig{twice-valley}{A cost.}{A parabola.}/' $twice
  broken descriptions 'descriptions in the PDF' '0,/\/Alt/s/\/Alt/\/None/' $text/objects
  broken answers 'is in no file that is tested' 's/^#line/#lime/' build/tangle/01-twice/answers.c
  broken answers 'does not include' '/answers.c"/d' tests/test_answers_02.c
  broken spelling 'mispelt' '$a One mispelt word.' $twice
  broken spelling 'nobody writes gnome' '$a gnome' tests/words.txt
  broken spelling 'coment' '1i /* a coment */' code/nn/rng.h
  broken ize 'minimise' '$a We minimise it.' $twice
  broken typing 'the the' '$a Here is the\nthe end.' $twice
  broken typing 'a blank before' '$a It ends , and begins.' $twice
  broken typing '1 closed' '$a It says ``yes.' $twice
  broken typing 'a note to oneself' '$a TODO: more of it.' $twice
  broken unfinished 'is that still so?' '$a Chapters marked as to come are not in this edition.' book/front.tex
  broken unfinished 'the PDF has something to come' '1i 16 More (to come)' $text/pages
  broken fonts 'Type 3' '3s/.*/T3Font_0   Type 3   Custom  yes no yes 7 0/' $text/fonts
  broken fonts 'Palladio' '/Palladio/s/yes yes/no  yes/' $text/fonts
  broken metadata 'no Keywords' 's/^Keywords:.*/Keywords:/' $text/info
  broken opens 'UseOutlines' 's/UseOutlines/UseNone/' $text/objects
  broken bookmarks 'no bookmark "8 Four loops"' 's/>8 Four loops</>8 Five loops</' $text/outline
  broken bookmarks 'no bookmark "II Neurons"' '/>II Neurons</d' $text/outline
  broken bookmarks 'no bookmark "C Programs' '/>C Programs.*</d' $text/outline
  broken bookmarks '8 Four Loops' 's/^\\planchapter{8}{Four loops}/\\planchapter{8}{Four Loops}/' book/plan.tex
  broken page_numbers 'pages say their number' '1,/\f/s/\f/\f\f/' $text/pages
  broken readable 'pages:' '100s/.*/a letter without a name: \xef\xbf\xbd/' $text/pages
  broken readable 'pages without text' '5000,20000s/[^\f]//g' $text/pages
  broken links 'links' '/Subtype .Link/d' $text/objects
  broken texlog 'has been referenced' '$a pdfTeX warning (dest): name{nowhere} has been referenced but does not exist' $text/four-loops.log
  broken texlog 'Warning' '$a LaTeX Warning: There were undefined references.' $text/four-loops.log
  broken code_copies_out '01-twice.nw' 's/double/doub1e/' $text/pages
  broken indentation 'moved by' 's/^\( *\)    printf(/\1printf(/' $text/fixed
}
all_broken
while read -r function; do
  [ -n "${reds[$function]-}" ] || bad "nobody has seen $function red"
done < <(sed -n 's/^gate ".*" //p' tests/text.sh)
finish

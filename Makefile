# Four Loops: the one entry point. `make help` lists the targets.
#
#   chapters/*.nw -tangle-> code/, build/tangle/ -cc-> build/bin/ -run-> build/out/
#   chapters/*.nw -weave-> build/chapters.tex -pdflatex-> build/four-loops.pdf

VERSION := 1.0

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
export LC_ALL := C.UTF-8
unexport CDPATH

DEPS_CODE := gcc libc6-dev noweb zlib1g-dev libjansson-dev libpng-dev \
             libcriterion-dev dataset-fashion-mnist python3 \
             libopenmpi-dev openmpi-bin
DEPS_BOOK := $(DEPS_CODE) latexmk texlive-latex-base texlive-latex-recommended \
             texlive-latex-extra texlive-fonts-recommended texlive-pictures \
             lmodern netpbm poppler-utils
DEPS_CHECK := $(DEPS_BOOK) clang libclang-rt-14-dev libomp-dev shellcheck valgrind \
              clang-tidy cppcheck pkg-config hunspell hunspell-en-gb qpdf
DEPS_LONG := $(DEPS_CHECK) debootstrap

.PHONY: book
book:

## deps          install what is missing for all of this (Debian packages)
## deps-code     ... what tangling, compiling and testing need (no TeX)
## deps-book     ... and what the PDF needs
## deps-bench    ... and what make bench compares the book's code with
## deps-long     ... and what make check-long needs
.PHONY: deps deps-code deps-book deps-bench deps-long
deps:      ; @book/bin/deps $(DEPS_CHECK)
deps-code: ; @book/bin/deps $(DEPS_CODE)
deps-book: ; @book/bin/deps $(DEPS_BOOK)
deps-long: ; @book/bin/deps $(DEPS_LONG)
deps-bench: ; @book/bin/deps $(DEPS_CODE) libopenblas-dev libfann-dev python3-numpy python3-torch python3-sklearn

## clean         remove build/
.PHONY: clean
clean:
	rm -rf build

# With deps or clean among the goals the rest waits for them, and is then the
# business of a fresh make, which sees the world as they have left it.
FIRST := $(filter deps deps-code deps-book deps-bench deps-long clean,$(MAKECMDGOALS))
ifneq ($(FIRST),)
GOALS := $(filter-out $(FIRST),$(MAKECMDGOALS))
.PHONY: rest $(GOALS)
rest: $(FIRST)
	@$(if $(GOALS),$(MAKE) --no-print-directory $(GOALS))
$(GOALS): rest ; @:
else

# ---------------------------------------------------------------- what there is
# O: where objects, binaries and tests go. The checks build the same things with
# other compilers and flags into folders of their own.
O      ?= build
ifeq ($(origin CC),default)
CC     := gcc
endif
WARN   := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wdouble-promotion -Werror
OPT    ?= -O2
CFLAGS ?=
C      := $(CC) -std=c11 $(OPT) -g -ffp-contract=off -fno-math-errno -fopenmp $(WARN) $(CFLAGS)

CHAPTERS := $(wildcard chapters/[0-9][0-9]-*.nw)
FIGURES  := $(patsubst figures/%.tex,%,$(wildcard figures/*.tex))
BOOK     := $(wildcard book/*.tex book/*.sty book/*.bib)

# Tangling makes build/book.mk, which says what there is to compile and to run;
# make reads it again whenever a chapter, or a file in code/, has changed.
ifneq ($(filter-out help,$(or $(MAKECMDGOALS),book)),)
build/book.mk: $(CHAPTERS) book/bin/tangle $(wildcard code/*/*)
	@command -v notangle >/dev/null || { echo "noweb is missing: run 'make deps-code'" >&2; exit 1; }
	@mkdir -p build && book/bin/tangle
include build/book.mk
ifneq ($(filter-out $(wildcard code/*/*),$(addprefix code/,$(TANGLED))),)
build/book.mk: FORCE # a file in code/ is gone
endif
endif

LIB_C    := $(filter nn/%.c 90-plumbing/%.c,$(TANGLED))
LIB_CODE := $(addprefix code/,$(filter nn/% 90-plumbing/%,$(TANGLED)))
TOOL_C   := $(filter tools/%.c,$(TANGLED))
TOOLED   := $(TOOLED) $(patsubst tests/%.c,%,$(shell grep -ls $(TOOLED:%=-e '^.include "%"') -e '^.include "tools/' tests/test_*.c))
NAMES    := $(basename $(notdir $(PROGRAMS)))
BINS     := $(addprefix $(O)/bin/,$(NAMES))
RUNS     := $(RUNS_run) $(RUNS_data) $(RUNS_measured) $(RUNS_measureddata)
SUITES   := $(patsubst %/test.c,%,$(filter %/test.c,$(TANGLED))) \
            $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
TESTS    := $(addprefix $(O)/test/,$(SUITES))

## book          the PDF, build/four-loops.pdf (the default)
book: build/four-loops.pdf programs
	@echo build/four-loops.pdf

## tangle        the C of the chapters, into code/ and build/tangle/
.PHONY: tangle
tangle: build/book.mk ; @:

# ------------------------------------------------------------------- the programs
## programs      the chapter programs, into build/bin/
.PHONY: programs
programs: $(BINS)

$(O)/obj/%.o: build/tangle/%.c
	@mkdir -p $(@D)
	$(C) -MMD -MP -Ibuild/tangle -c -o $@ $<

$(O)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(C) -MMD -MP -Ibuild/tangle -Itests -c -o $@ $<

$(O)/libfourloops.a: $(LIB_C:%.c=$(O)/obj/%.o)
	@rm -f $@
	ar rcs $@ $^

$(O)/libtools.a: $(TOOL_C:%.c=$(O)/obj/%.o)
	@rm -f $@
	ar rcs $@ $^

# The libraries of a program or a test: those of tools/ only where it includes them.
tools = $(if $(filter $1,$(TOOLED)),$(O)/libtools.a) $(O)/libfourloops.a
libs  = $(if $(filter $1,$(TOOLED)),-ljansson -lpng) $(if $(filter 15-spread/%,$1),$(filter-out -I%,$(MPI))) -lz -lm

# What it takes to compile with Open MPI; nothing where that is missing. build/mpi
# changes with it.
MPI := $(filter -I% -L% -l% -W%,$(shell mpicc --showme 2>/dev/null))
build/mpi: FORCE
	@mkdir -p build && echo "$(MPI)" >$@.new && { cmp -s $@.new $@ || cp $@.new $@; rm $@.new; }
$(O)/obj/15-spread/%.o: private C += $(patsubst -I%,-isystem%,$(filter -I%,$(MPI)))
$(O)/obj/15-spread/spread.o $(O)/obj/15-spread/test.o: build/mpi

define program
$(O)/bin/$(basename $(notdir $1)): $(O)/obj/$(1:.c=.o) $(call tools,$1)
	@mkdir -p $$(@D)
	$(C) -o $$@ $$^ $(call libs,$1)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$p)))

-include $(wildcard $(O)/obj/*/*.d)

## run-NAME      run one chapter program: make run-twice ARGS='--rate 0.3'
.PHONY: $(addprefix run-,$(NAMES))
$(addprefix run-,$(NAMES)): run-%: $(O)/bin/%
	@$< $(ARGS)

## try SRC=my.c  build a file of your own against the library, as build/try/my
.PHONY: try
try: TRIED = $(if $(shell $(CC) -std=c11 -MM -Icode "$(SRC)" 2>/dev/null | grep -o 'code/tools/'),-ljansson -lpng)
try: $(O)/libtools.a $(O)/libfourloops.a
	@test -n "$(SRC)" || { echo "make try: say which file: make try SRC=my.c" >&2; exit 2; }
	@test -r "$(SRC)" || { echo "make try: cannot read $(SRC)" >&2; exit 2; }
	@mkdir -p build/try
	$(CC) -std=c11 -O2 -g -fopenmp -Wall -Wextra -Icode -o "build/try/$(basename $(notdir $(SRC)))" \
	  "$(SRC)" $^ $(TRIED) -lz -lm

# --------------------------------------------------------------------- their runs
# A program runs again when its code has changed, not when the prose around it
# has: so a run depends on the clean tangle and only waits for the binary.
within = $(foreach c,$1,$c $(call within,$(includes.$c))) # and the .c files that it includes
define run
build/out/$1.txt: $(addprefix code/,$(call within,$(filter %/$(program.$1).c,$(PROGRAMS)))) $(LIB_CODE) $(if $(filter %/$(program.$1).c,$(TOOLED)),$(TOOL_C:%=code/%)) \
  $(if $(filter python3,$(program.$1)),$(addprefix code/,$(filter %.py,$(TANGLED)))) build/run/$1.cmd | $(addprefix $(O)/bin/,$(filter $(program.$1),$(NAMES)))
	@mkdir -p build/out
	@echo "$$$$(cat build/run/$1.cmd)"
	@bin=$$$$(cd $(O)/bin && pwd) && cd build/out && PATH="$$$$bin:$$$$PATH" bash ../run/$1.cmd >$1.new && mv $1.new $1.txt
endef
$(foreach r,$(RUNS),$(eval $(call run,$r)))

# Runs that time something come last and one by one, each with the machine to itself.
TIMED := $(foreach r,$(RUNS),$(if $(filter race ladder roof grow spread,$(program.$r)),$r))
wait  := $(patsubst %,build/out/%.txt,$(filter-out $(TIMED),$(RUNS)))
$(foreach r,$(TIMED),$(eval build/out/$r.txt: | $(wait))$(eval wait := build/out/$r.txt))

# What takes too long for every build is kept in figures/data/, with the revision and
# the CPU that made it in the first line. So are the results of `make bench`; but those
# that were made here, in build/bench/, go before.
made_by = \# $$(git describe --always --exclude='*' --abbrev=10)$$(git diff --quiet HEAD -- chapters code Makefile || echo ' and changes'), $$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
define kept
build/out/$1.txt: figures/data/$1.txt
	@mkdir -p build/out
	@sed '1s/^# \([^,]*\), *\(.*\)/revision = \1  processor = \2/; 1s/\([^ =]\) \([^ =]\)/\1~\2/g; 1s/(R)//g' $$< >$$@.new && mv $$@.new $$@
endef
$(foreach r,$(RUNS_kept),$(eval $(call kept,$r)))
define benched
build/out/$1.txt: $2
	@mkdir -p build/out
	@{ sed 1d $$<; sed -n '1{s/(R)//g; s/ /~/g; s/^#~\([^,]*\),~*\(.*\)/revision = \1\nprocessor = \2\nmeasured = $3/p}' $$<; } >$$@.new && mv $$@.new $$@
endef
RUNS_BENCH := $(RUNS_benched) $(RUNS_bencheddata)
$(foreach r,$(RUNS_BENCH),$(eval $(if $(wildcard build/bench/$r.txt),\
  $(call benched,$r,build/bench/$r.txt,here),$(call benched,$r,figures/data/$r.txt,elsewhere))))

## data          run again what takes long (about an hour), into figures/data/
## results       ... of that the accuracy table of chapter 12 (minutes)
.PHONY: data results
results: data-results
data: $(RUNS_kept:%=data-%)
data-%: build/run/%.cmd $(BINS)
	@mkdir -p build/kept
	@echo "$$(cat $<)"
	@( echo "$(made_by)"; \
	  bin=$$(cd $(O)/bin && pwd) && cd build/kept && PATH="$$bin:$(CURDIR)/book/bin:$(CURDIR)/tests:$$PATH" bash ../run/$*.cmd ) >build/kept/$*.new && \
	  mv build/kept/$*.new figures/data/$*.txt

# Programs timed beside each other: the rungs of the ladder, built with several flags, and
# the programs of other people in tests/peers/.
BENCH_KINDS    := O2 O3 native fastmath
flags.O2       := -O2
flags.O3       := -O3
flags.native   := -O3 -march=native
flags.fastmath := -O3 -march=native -ffast-math -ffp-contract=fast
CLOTHES        := /usr/share/datasets/fashion-mnist
LADDER         := $(filter $(O)/bin/ladder,$(BINS))

build/bench/%/bin/ladder: FORCE
	@$(MAKE) --no-print-directory O=build/bench/$* OPT= CFLAGS='$(flags.$*)' $@

# FANN's header says whether it is there.
build/bench/fann: tests/peers/fann.c $(O)/libfourloops.a FORCE
	@mkdir -p $(@D)
	@$(CC) -std=c11 -O2 -Wall -Wextra -Icode -o $@ $< $(O)/libfourloops.a $(if $(wildcard /usr/include/floatfann.h),-lfloatfann) -lz -lm

# The comments say what the list is built with.
build/bench/competitors: tests/peers/list $(if $(LADDER),$(BENCH_KINDS:%=build/bench/%/bin/ladder) $(LADDER)) FORCE
	@mkdir -p $(@D)
	@{ echo "# $$($(CC) --version | head -n 1), $(strip $(OPT) $(CFLAGS))"; \
	   $(if $(LADDER),$(foreach k,$(BENCH_KINDS),echo '# $k: $(flags.$k)';) \
	   for rung in $$($(LADDER) --rungs); do \
	     echo "$$rung ../bin/ladder --rung $$rung --serve $(CLOTHES)"; \
	     $(foreach k,$(BENCH_KINDS),echo "$$rung-$k ./$k/bin/ladder --rung $$rung --serve $(CLOTHES)";) \
	   done;) \
	   cat tests/peers/list; } >$@.new && mv $@.new $@

## bench         time the book's code beside other people's, into build/bench/ (minutes)
## bench-keep    keep what it found in figures/data/, for the book as others build it
.PHONY: bench bench-keep
bench: $(O)/bin/bench build/bench/competitors build/bench/fann
	@[ -d $(CLOTHES) ] || { echo "$(CLOTHES) is missing: run 'make deps-code'" >&2; exit 1; }
	@[ -n "$(RUNS_BENCH)" ] || echo "make bench: no chapter has a \\benched or \\bencheddata"
	@by="$(made_by)" && cd build/bench && for id in $(RUNS_BENCH); do \
	  echo "$$(cat ../run/$$id.cmd)" && \
	  { echo "$$by" && PATH="$(abspath $(O)/bin):$$PATH" bash ../run/$$id.cmd; } >$$id.new && mv $$id.new $$id.txt || exit 1; \
	done
	@echo "in build/bench/, for the book as it is built here; 'make bench-keep' keeps it in figures/data/"
bench-keep:
	@for id in $(RUNS_BENCH); do cp -v build/bench/$$id.txt figures/data/$$id.txt || exit 1; done

build/values.tex: $(patsubst %,build/out/%.txt,$(RUNS) $(RUNS_kept) $(RUNS_BENCH)) $(CHAPTERS) $(wildcard book/*.tex figures/*.tex) book/bin/values
	@book/bin/values
	@touch $@

# -------------------------------------------------------------------- the figures
## figures       the figures, each by itself, into build/figures/
.PHONY: figures
figures: $(FIGURES:%=build/figures/%.pdf)

TEX := cd build && TEXINPUTS=.:../book:../figures: BIBINPUTS=../book: timeout --foreground 300 latexmk -pdf -silent \
       -interaction=nonstopmode -halt-on-error -file-line-error

# The first line of a figure may name the runs that it reads: "% reads: twice".
reads = $(patsubst %,build/out/%.txt,$(shell sed -n '1s/^% reads: *//p' figures/$1.tex))
define figure
build/figures/$1.pdf: figures/$1.tex book/figure.sty book/notation.sty $(call reads,$1) | build/values.tex need-tex
	@mkdir -p build/figures
	@for f in build/out/*.pgm; do [ ! -e "$$$$f" ] || pnmtopng -quiet "$$$$f" >"$$$${f%.pgm}.png"; done
	@$(TEX) -outdir=figures ../figures/$1.tex >figures/$1.tex.out 2>&1; status=$$$$?; cd ..; \
	  book/bin/texlog build/figures/$1.log && [ $$$$status -eq 0 ] && touch $$@
endef
$(foreach f,$(FIGURES),$(eval $(call figure,$f)))

# ----------------------------------------------------------------------- the book
.PHONY: need-tex
need-tex:
	@for t in latexmk pdflatex pnmtopng; do command -v $$t >/dev/null || \
	  { echo "$$t is missing: run 'make deps-book'" >&2; exit 1; }; done

build/chapters.tex: $(CHAPTERS) book/bin/weave book/bin/trace book/bin/highlight
	@book/bin/weave

build/linted: $(CHAPTERS) $(BOOK) $(wildcard figures/*.tex) book/bin/lint
	@book/bin/lint && touch $@

# Which commit, which machine: rewritten when one of them has changed.
build/colophon.tex: FORCE
	@mkdir -p build && book/bin/colophon "$(CC)" $(VERSION) $(words $(PROGRAMS)) >$@.new && { cmp -s $@.new $@ || cp $@.new $@; rm $@.new; }
.PHONY: FORCE

build/four-loops.pdf: build/chapters.tex build/values.tex build/colophon.tex build/linted \
                      $(BOOK) $(FIGURES:%=build/figures/%.pdf) | need-tex
	@$(TEX) ../book/four-loops.tex >four-loops.tex.out 2>&1; status=$$?; cd ..; \
	  book/bin/texlog build/four-loops.log && [ $$status -eq 0 ] && touch $@ && exit; \
	  [ ! -e build/four-loops.pdf ] || mv build/four-loops.pdf build/draft.pdf; exit 1

## golden        compare the outputs with tests/golden/ and show what differs
## accept        show what differs, and take it as the new golden outputs
.PHONY: golden accept
GOLDENS  := $(RUNS_run) $(RUNS_data)
golden accept: $(GOLDENS:%=build/out/%.txt)
	@tests/golden.sh $@ $(GOLDENS)

# ---------------------------------------------------------------------- the tests
define suite
$(O)/test/$1: $(O)/obj/$2.o $(call tools,$3)
	@mkdir -p $$(@D)
	$$(C) -o $$@ $$^ -lcriterion $(call libs,$3)
endef
$(foreach t,$(filter %/test.c,$(TANGLED)),$(eval $(call suite,$(t:/test.c=),$(t:.c=),$t)))
$(foreach t,$(patsubst tests/%.c,%,$(wildcard tests/test_*.c)),$(eval $(call suite,$t,tests/$t,$t)))

# These refuse memory now and then, to see what becomes of it; and those that use zlib,
# jansson and libpng are linked with the archives of these, so that they are refused it too.
ARCHIVES := $(foreach a,png jansson z,$(shell $(CC) -print-file-name=lib$a.a))
wrap      = $(patsubst %,-Wl$(comma)--wrap=%,$1)
comma    := ,
$(addprefix $(O)/test/test_,nn idx optimizer train fast model picture): private C += $(call wrap,malloc calloc realloc aligned_alloc free)
$(addprefix $(O)/test/test_,idx model picture): $(ARCHIVES)
# ... and this one lets the writing of a file fail.
$(O)/test/test_model: private C += $(call wrap,open write fsync close rename unlink)

.PHONY: test-binaries
test-binaries: $(TESTS) $(BINS)

## test          the test suite; it needs no TeX
.PHONY: test
test: test-binaries $(GOLDENS:%=build/out/%.txt)
	@tests/run.sh $(O)

## check         every gate that half an hour has room for
## check-long    ... and those that take hours; root for one of them
.PHONY: check check-long
check: lint book test
	@tests/check.sh
check-long: lint book test
	@tests/check.sh long

## analyse       what gcc's analyzer, clang-tidy, cppcheck and shellcheck say
.PHONY: analyse
analyse: test-binaries
	@tests/analyse.sh

## fresh-machine the README's two commands in a bare Debian, made by debootstrap; as root
.PHONY: fresh-machine
fresh-machine:
	@tests/fresh.sh

# The targets of libFuzzer, and the libraries as clang watches them.
FUZZ    := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*.c))
$(O)/obj/fuzz/%.o: tests/fuzz/%.c
	@mkdir -p $(@D)
	$(C) -MMD -MP -Ibuild/tangle -c -o $@ $<
$(O)/fuzz/%: $(O)/obj/fuzz/%.o $(O)/libtools.a $(O)/libfourloops.a
	@mkdir -p $(@D)
	$(C) -fsanitize=fuzzer -o $@ $^ -ljansson -lpng -lz -lm

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ)

## fuzz          SECONDS=600 of random files for each parser that reads files
.PHONY: fuzz
fuzz: SECONDS := 600
fuzz:
	@$(MAKE) --no-print-directory O=build/fuzz CC=clang \
	  CFLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -Wno-pass-failed' fuzz-targets
	@tests/fuzz.sh build/fuzz $(SECONDS)

# ---------------------------------------------------------------------- a version
# The programs have names that others have too, so they get one in front.
PREFIX         ?= /usr/local
PROGRAM_PREFIX ?= four-loops-
to             := $(DESTDIR)$(PREFIX)
HEADERS        := $(filter-out nn/tile.h nn/widths.h,$(filter nn/%.h tools/%.h,$(TANGLED)))

## install       programs, libraries and PDF, into PREFIX=/usr/local
## uninstall     ... and away again
.PHONY: install uninstall
install: $(BINS) $(O)/libfourloops.a $(O)/libtools.a
	install -d $(to)/bin $(to)/lib/pkgconfig $(to)/include/four-loops/{nn,tools} $(to)/share/doc/four-loops
	for b in $(NAMES); do install $(O)/bin/$$b $(to)/bin/$(PROGRAM_PREFIX)$$b || exit 1; done
	install -m 644 $(O)/libfourloops.a $(to)/lib/libfourloops.a
	install -m 644 $(O)/libtools.a $(to)/lib/libfourloops-tools.a
	for h in $(HEADERS); do install -m 644 code/$$h $(to)/include/four-loops/$$h || exit 1; done
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: four-loops' 'Description: Neural networks and their gradients' \
	  'Version: $(VERSION)' 'Cflags: -I$${prefix}/include/four-loops' \
	  'Libs: -L$${prefix}/lib -lfourloops -fopenmp -lz -lm' >$(to)/lib/pkgconfig/four-loops.pc
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: four-loops-tools' 'Description: Models and pictures in files' \
	  'Version: $(VERSION)' 'Requires: four-loops jansson libpng' \
	  'Libs: -L$${prefix}/lib -lfourloops-tools' >$(to)/lib/pkgconfig/four-loops-tools.pc
	install -m 644 README.md LICENSE book/CHANGELOG.md book/ERRATA.md book/four-loops.pdf $(to)/share/doc/four-loops
uninstall:
	rm -f $(NAMES:%=$(to)/bin/$(PROGRAM_PREFIX)%) $(to)/lib/libfourloops{,-tools}.a $(to)/lib/pkgconfig/four-loops{,-tools}.pc
	rm -rf $(to)/include/four-loops $(to)/share/doc/four-loops

## dist          what is committed, as build/four-loops-VERSION.tar.gz
.PHONY: dist
dist:
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo "make dist: this is not a git repository" >&2; exit 1; }
	@mkdir -p build
	git archive --format=tar.gz --prefix=four-loops-$(VERSION)/ -o build/four-loops-$(VERSION).tar.gz HEAD

## coverage      which lines and branches of code/nn/ its tests reach
.PHONY: coverage
coverage:
	@tests/coverage.sh

## mutants       mistakes made in the library, one by one: who notices? (SAMPLE=100 SEED=1)
.PHONY: mutants
mutants: build/book.mk
	@tests/mutate.sh $(if $(SAMPLE),$(or $(SEED),1) $(SAMPLE),all)

## lint          what can be said of the chapters without running them
.PHONY: lint
lint: build/linted

## help          this list
.PHONY: help
help:
	@sed -n 's/^## /make /p' Makefile

endif

# SPDX-License-Identifier: MIT
#
# Builds bine.  `make help` lists the targets.  Bare cc and make suffice for all, demo and install; what the
# tests need beyond that, `make check` installs or names (tests/setup.sh).
#
# Objects of one configuration (CONTEXT, sanitizer, CPU) never meet those of another: each has a directory of its own
# below $(BUILD), and a change of compiler or flags rebuilds what it touches ($(O)/flags).

BUILD   = build
PREFIX  = /usr/local
LIBDIR  = $(PREFIX)/lib
INCDIR  = $(PREFIX)/include
MANDIR  = $(PREFIX)/share/man
CONTEXT = native#  native: src/arch/<cpu>.S; fcontext: Boost.Context's switch, for every CPU it supports;
#                  thread: a thread for each task, slow, for any CPU and for tools that follow threads only
SANITIZE =#        what -fsanitize= gets; check-asan and check-tsan set it
CHECKED =#         1: libbine-check, which tells src/check what happens, in place of libbine
CFLAGS  = -O2 -g
CXXFLAGS = $(CFLAGS)
DEMO_ARGS =#       see `make demo DEMO_ARGS=--help`
BENCH_ARGS =

ifeq ($(origin CC),default)
CC := $(shell command -v cc >/dev/null 2>&1 && echo cc || echo gcc)
endif
INSTALL = install
OBJCOPY = objcopy
VERSION := $(shell sed -n 's/^.define BINE_VERSION "\(.*\)"/\1/p' include/bine/base.h)
LIB     := libbine$(if $(CHECKED),-check)
SONAME  := $(LIB).so.$(firstword $(subst ., ,$(VERSION)))

# ---- What is compiled --------------------------------------------------------------------------------------

TARGET := $(shell $(CC) -dumpmachine)
CPU    := $(patsubst arm64,aarch64,$(firstword $(subst -, ,$(TARGET))))
CROSS  := $(filter-out $(patsubst arm64,aarch64,$(shell uname -m)),$(CPU))
SWITCH := $(if $(filter native,$(CONTEXT)),$(CPU),$(CONTEXT))
comma  := ,
O_MORE  = $(if $(CHECKED),-check)$(if $(filter cares,$(DNS)),-cares)$(KQUEUE:%=-kqueue)
O      := $(BUILD)/$(CONTEXT)$(CROSS:%=-%)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(O_MORE)

# Files for one CPU or one operating system; everything else in src/ is for all.
CHOSEN   := $(wildcard src/arch/$(SWITCH).S src/arch/$(SWITCH).c)
SPECIFIC := $(wildcard src/arch/*.c)
ifeq ($(findstring linux,$(TARGET)),)
SPECIFIC += src/io/reactor_epoll.c
endif
SPECIFIC += $(if $(CHECKED),,$(wildcard src/check/*.c src/io/explore.c))
include src/io/resolve.mk src/io/kqueue.mk
# The io_uring reactor, where liburing's archive is, and one thread to use it (URING=no: leave it out).  What it uses of
# that is linked into one object with it, and hidden there: programs link what they always did.
LIBURING := $(if $(filter no,$(URING))$(filter thread,$(CONTEXT)),,$(wildcard \
            $(shell $(CC) -print-file-name=liburing.a)))
URING_C  := src/io/reactor_uring.c src/io/uring_op.c src/io/uring_ring.c
SOURCES := $(filter-out $(SPECIFIC) $(URING_C) src/tls/%,$(wildcard src/*/*.c)) $(CHOSEN)
OBJECTS := $(SOURCES:%=$(O)/%.o) $(if $(LIBURING),$(O)/uring.o) $(KQUEUE_OBJECTS)

# TLS is a library of its own, built where OpenSSL 3 is (TLS=no: left out): src/tls/rules.mk.
OPENSSL := $(if $(CROSS)$(CHECKED)$(filter no,$(TLS)),,$(shell \
           $(CC) -include openssl/core.h -E -x c /dev/null >/dev/null 2>&1 && echo yes))
NO_TLS  := $(if $(OPENSSL),,tests/unit/check_tls%.c examples/https%.c)

# The examples: a file each, and what several of them share.  Two want a database's client library.
EXAMPLE_LIB := $(patsubst %,$(O)/%.o,$(wildcard examples/lib/*.c))
LIBPQ    := $(if $(CROSS),,$(wildcard $(shell pg_config --includedir 2>/dev/null)/libpq-fe.h))
SQLITE   := $(if $(CROSS),,$(wildcard /usr/include/sqlite3.h /usr/local/include/sqlite3.h))
EXAMPLES := $(patsubst examples/%.c,$(O)/examples/%,$(filter-out \
            $(if $(LIBPQ),,%/transaction.c) $(if $(SQLITE),,%/transaction_sqlite.c) $(NO_TLS), \
            $(wildcard examples/*.c examples/seeds/*.c examples/styles/*.c)))
SUPPORT  := $(patsubst %,$(O)/%.o,$(wildcard tests/support/*.c))
UNIT_CXX := $(patsubst %.cc,$(O)/%,$(wildcard tests/unit/check_*.cc))
UNIT     := $(patsubst %.c,$(O)/%,$(filter-out $(NO_TLS),$(wildcard tests/unit/check_*.c))) $(UNIT_CXX)
# Calls that tests can make fail go through tests/support/fault.c.
WRAPPED  := $(patsubst %,-Wl$(comma)--wrap=%,$(shell cat tests/support/wrap.list 2>/dev/null))
# The one door goes through tests/support/inject.c.
WRAPPED  += $(patsubst %,-Wl$(comma)--wrap=%,bine__park bine__yield bine_yield)
STRESS   := $(patsubst %.c,$(O)/%,$(wildcard tests/stress/*.c))

# ---- How it is compiled ------------------------------------------------------------------------------------

WARN   = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-declarations -Wundef
WARN_C = $(WARN) -Wstrict-prototypes -Wmissing-prototypes
CONTEXT_FLAGS_fcontext = -DBINE_CONTEXT_FCONTEXT
CONTEXT_FLAGS_thread = -DBINE_CONTEXT_THREAD
ALL_CPPFLAGS = -Iinclude -Isrc $(CONTEXT_FLAGS_$(CONTEXT)) $(KQUEUE_FLAGS) \
               $(if $(CHECKED),-DBINE_CHECKED) $(if $(LIBURING),-DBINE_URING) $(CPPFLAGS)
COMMON = -fPIC -fvisibility=hidden -fno-semantic-interposition -pthread \
         $(if $(CHECKED),-fno-omit-frame-pointer -fno-optimize-sibling-calls) \
         $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_CFLAGS   = -std=gnu11 $(WARN_C) $(COMMON) $(CFLAGS)
ALL_CXXFLAGS = -std=c++17 $(WARN) $(COMMON) $(CXXFLAGS)
ALL_LDFLAGS  = -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)
# The archive, for its three assembly functions: the shared library would bring the C++ runtime.
LIBS_fcontext = -l:libboost_context.a
LIBS = $(LIBS_$(CONTEXT)) $(LIBS_$(DNS)) $(LIBS_$(KQUEUE)) $(LDLIBS)
CHECK_CFLAGS := $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS   ?= $(or $(shell pkg-config --libs check 2>/dev/null),-lcheck -lsubunit -lm -lrt -lpthread)

.DEFAULT_GOAL = all
.PHONY: all demo check check-explore check-asan check-tsan check-valgrind check-aarch64 bench lint install uninstall
.PHONY: dist clean help
.PHONY: examples unit tests check-yield compare-styles FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(O)/$(LIB).a $(O)/$(LIB).so $(if $(CHECKED),,checked tools) ## both libraries, static and shared; the tools
.PHONY: checked tools
checked: ## libbine-check alone, for bine-race and bine-explore
	+@$(MAKE_) CHECKED=1 all
	@mkdir -p $(O)
	ln -f $(O)-check/libbine-check.a $(O)/libbine-check.a
	ln -sfn $(CURDIR)/include $(O)/include

FLAGS_NOW = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(CXX) $(CXXFLAGS) $(ALL_LDFLAGS) $(LIBS)
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS_NOW)' | cmp -s - $@ || printf '%s\n' '$(FLAGS_NOW)' > $@

$(O)/%.c.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(TEST_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
	$(MARK_TEXT)
# So that the checked library can tell its own code from the program's.
$(O)/src/%.c.o: private MARK_TEXT = $(if $(CHECKED),$(OBJCOPY) --rename-section .text=bine_text \
    --rename-section .text.unlikely=bine_text $@)
# Called for each access of a program, and by no frame of them does anybody find its caller.
$(O)/src/check/race_hooks.c.o $(O)/src/check/race_compare.c.o: private COMMON += $(if $(CHECKED), \
    -fomit-frame-pointer -foptimize-sibling-calls -fno-tree-slp-vectorize)
$(O)/%.S.o: %.S $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(O)/%.cc.o: %.cc $(O)/flags
	@mkdir -p $(@D)
	$(CXX) $(ALL_CPPFLAGS) $(TEST_CPPFLAGS) $(ALL_CXXFLAGS) -MMD -MP -c -o $@ $<

$(O)/uring.o: $(URING_C:%=$(O)/%.o)
	$(CC) -r -nostdlib -o $@ $^ $(LIBURING)
	$(OBJCOPY) --wildcard --keep-global-symbol='bine__*' $@
$(OBJECTS): | needs-$(CONTEXT) needs-$(DNS)
$(O)/$(LIB).a: $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $(OBJECTS)
$(O)/$(LIB).so.$(VERSION): $(OBJECTS) src/bine.map
	$(CC) -shared $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,-soname,$(SONAME) -Wl,-z,nodelete -Wl,--version-script,src/bine.map \
	    $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(OBJECTS) $(LIBS)
$(O)/$(LIB).so: $(O)/$(LIB).so.$(VERSION)
	ln -sf $(LIB).so.$(VERSION) $(O)/$(SONAME)
	ln -sf $(SONAME) $@

.PHONY: needs-native needs-fcontext needs-thread
needs-thread:
needs-native:
	@test -n '$(CHOSEN)' || test -f src/arch/$(CPU).h || \
	  { echo 'bine: there is no native switch for $(CPU): build with CONTEXT=fcontext' >&2; exit 1; }
needs-fcontext:
	@test -f "$$($(CC) -print-file-name=libboost_context.a)" || \
	  { echo 'bine: CONTEXT=fcontext needs libboost_context.a: apt-get install libboost-context-dev' >&2; exit 1; }

needs-%:
	@echo 'bine: CONTEXT is native, fcontext or thread, not $*' >&2; exit 1

# ---- Programs ----------------------------------------------------------------------------------------------

examples: $(EXAMPLES) ## the programs of examples/, into $(O)/examples
unit: $(UNIT) $(STRESS)
tests: examples unit $(O)/$(LIB).so

$(O)/examples/lib.a: $(EXAMPLE_LIB)
	rm -f $@
	$(AR) rcs $@ $^
$(O)/examples/%: $(O)/examples/%.c.o $(O)/examples/lib.a $(O)/$(LIB).a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(O)/examples/seeds/transaction.c.o: private TEST_CPPFLAGS = $(LIBPQ:%/libpq-fe.h=-isystem %)
$(O)/examples/seeds/transaction: private LDLIBS += -lpq
$(O)/examples/seeds/transaction_sqlite: private LDLIBS += -lsqlite3

include src/tls/rules.mk

include tools/rules.mk tests/rules.mk

demo: $(O)/examples/demo ## a web server and a thousand clients, over loopback; DEMO_ARGS=--serve for a browser
	$(O)/examples/demo $(DEMO_ARGS)

bench: examples all ## measures, and writes tests/bench/RESULTS.md
	O=$(O) CC='$(CC)' sh tests/bench/run.sh $(BENCH_ARGS)
compare-styles: all ## gevent's style and asyncio's side by side, as a table and as SVG, into $(O)
	+@$(MAKE_) checked
	@O=$(O) CC='$(CC)' sh examples/styles/compare.sh $(COMPARE_ARGS)
lint: ## manual, scripts, headers, cppcheck, clang-tidy, gcc and clang with -Werror
	@sh tests/setup.sh lint
	@BUILD=$(BUILD) CC='$(CC)' MAKE='$(MAKE_)' sh tests/lint/check.sh

# ---- Installing --------------------------------------------------------------------------------------------

# Every page, and a link for every further name that it documents (man/links: "name page").
PAGES = $(wildcard man/man*/*.[0-9])
D     = $(DESTDIR)

.PHONY: install-library
install-library: $(O)/$(LIB).a $(O)/$(LIB).so
	mkdir -p "$(D)$(LIBDIR)"
	$(INSTALL) -m 644 $(O)/$(LIB).a "$(D)$(LIBDIR)"
	$(INSTALL) -m 755 $(O)/$(LIB).so.$(VERSION) "$(D)$(LIBDIR)"
	ln -sf $(LIB).so.$(VERSION) "$(D)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(D)$(LIBDIR)/$(LIB).so"
RACE_LIBS = $(RACE_LINK) -L$(LIBDIR) -l:libbine-check.a $(RACE_END)
install: all install-library ## into $(DESTDIR)$(PREFIX)
	+@$(MAKE_) CHECKED=1 install-library
	for d in "$(LIBDIR)/pkgconfig" "$(INCDIR)/bine" "$(PREFIX)/bin" "$(MANDIR)/man1" "$(MANDIR)/man3" "$(MANDIR)/man7"; \
	  do mkdir -p "$(D)$$d" || exit; done
	for tool in $(TOOLS); do $(INSTALL) -m 755 $$tool "$(D)$(PREFIX)/bin" || exit; done
	$(INSTALL) -m 644 include/bine.h "$(D)$(INCDIR)"
	$(INSTALL) -m 644 include/bine/*.h "$(D)$(INCDIR)/bine"
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCDIR@|$(INCDIR)|; s|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBS@|$(LIBS_$(CONTEXT)) $(LIBS_$(DNS))|; s|@RACE_LIBS@|$(RACE_LIBS)|; s| *$$||' \
	    bine.pc.in > "$(D)$(LIBDIR)/pkgconfig/bine.pc"
	chmod 644 "$(D)$(LIBDIR)/pkgconfig/bine.pc"
	for page in $(PAGES); do $(INSTALL) -m 644 $$page "$(D)$(MANDIR)/man$${page##*.}" || exit; done
	test ! -f man/links || while read -r name page; do \
	  ln -sf $$page "$(D)$(MANDIR)/man$${name##*.}/$$name" || exit; done < man/links
uninstall: ## removes what install put there
	for lib in libbine libbine-check; do rm -f "$(D)$(LIBDIR)/$$lib.a" "$(D)$(LIBDIR)/$$lib.so"* || exit; done
	for tool in $(notdir $(TOOLS)); do rm -f "$(D)$(PREFIX)/bin/$$tool" || exit; done
	rm -f "$(D)$(LIBDIR)/pkgconfig/bine.pc" "$(D)$(INCDIR)/bine.h"
	rm -rf "$(D)$(INCDIR)/bine"
	for page in $(notdir $(PAGES)) $$(cut -d' ' -f1 man/links); do rm -f "$(D)$(MANDIR)/man$${page##*.}/$$page"; done

# ---- The rest ----------------------------------------------------------------------------------------------

dist: ## bine-$(VERSION).tar.gz from the last commit
	git archive --prefix=bine-$(VERSION)/ -o bine-$(VERSION).tar.gz HEAD
clean: ## removes $(BUILD)
	rm -rf $(BUILD)
TARGETS = sed -n 's/^\([a-z0-9-]*\):[^\#]*\#\# \(.*\)/  \1	\2/p' Makefile */*.mk src/*/*.mk | expand -t 18
TO_CHECK = ^  (bench|check|check-[a-z0-9]*|compare-styles|lint)[^a-z0-9-]
help: ## this list
	@echo 'bine $(VERSION).  To build, try and install:'
	@$(TARGETS) | grep -Ev '$(TO_CHECK)'
	@echo 'To check and measure:'
	@$(TARGETS) | grep -E '$(TO_CHECK)' | sort
	@echo 'Variables: CC CFLAGS CPPFLAGS LDFLAGS AR PREFIX DESTDIR BUILD CONTEXT=native|fcontext|thread DNS=pool|cares' \
	  TLS=no URING=no DEMO_ARGS BENCH

FORCE:
-include $(shell find $(O) -name '*.d' 2>/dev/null)

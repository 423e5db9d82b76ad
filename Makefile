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
CONTEXT = native#  native: src/arch/<cpu>.S; fcontext: Boost.Context's switch, for every CPU it supports
SANITIZE =#        what -fsanitize= gets; check-asan and check-tsan set it
CFLAGS  = -O2 -g
CXXFLAGS = $(CFLAGS)
DEMO_ARGS =#       see `make demo DEMO_ARGS=--help`
BENCH_ARGS =

ifeq ($(origin CC),default)
CC := $(shell command -v cc >/dev/null 2>&1 && echo cc || echo gcc)
endif
INSTALL = install
VERSION := $(shell sed -n 's/^.define BINE_VERSION "\(.*\)"/\1/p' include/bine/base.h)
SONAME  := libbine.so.$(firstword $(subst ., ,$(VERSION)))

# ---- What is compiled --------------------------------------------------------------------------------------

TARGET := $(shell $(CC) -dumpmachine)
CPU    := $(patsubst arm64,aarch64,$(firstword $(subst -, ,$(TARGET))))
SWITCH := $(if $(filter native,$(CONTEXT)),$(CPU),$(CONTEXT))
comma  := ,
O      := $(BUILD)/$(CONTEXT)$(if $(CROSS),-$(CPU))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

# Files for one CPU or one operating system; everything else in src/ is for all.
CHOSEN   := $(wildcard src/arch/$(SWITCH).S src/arch/$(SWITCH).c)
SPECIFIC := $(wildcard src/arch/x86_64.c src/arch/aarch64.c src/arch/fcontext.c)
ifeq ($(findstring linux,$(TARGET)),)
SPECIFIC += src/io/reactor_epoll.c
endif
SOURCES := $(filter-out $(SPECIFIC),$(wildcard src/*/*.c)) $(CHOSEN)
OBJECTS := $(SOURCES:%=$(O)/%.o)

# The examples: a file each; those in a directory of their own, all its files together.
EXAMPLES := $(patsubst examples/%.c,$(O)/examples/%,$(wildcard examples/*.c))
SUPPORT  := $(patsubst %,$(O)/%.o,$(wildcard tests/support/*.c))
UNIT     := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/check_*.c)) $(patsubst %.cc,$(O)/%,$(wildcard tests/unit/check_*.cc))
STRESS   := $(patsubst %.c,$(O)/%,$(wildcard tests/stress/*.c))

# ---- How it is compiled ------------------------------------------------------------------------------------

WARN   = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-declarations -Wundef
WARN_C = $(WARN) -Wstrict-prototypes -Wmissing-prototypes
ALL_CPPFLAGS = -Iinclude -Isrc $(if $(filter fcontext,$(CONTEXT)),-DBINE_CONTEXT_FCONTEXT) $(CPPFLAGS)
COMMON = -fPIC -fvisibility=hidden -fno-semantic-interposition -pthread \
         $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_CFLAGS   = -std=gnu11 $(WARN_C) $(COMMON) $(CFLAGS)
ALL_CXXFLAGS = -std=c++17 $(WARN) $(COMMON) $(CXXFLAGS)
ALL_LDFLAGS  = -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(LDFLAGS)
# The archive, for its three assembly functions: the shared library would bring the C++ runtime.
LIBS_fcontext = -l:libboost_context.a
LIBS = $(LIBS_$(CONTEXT)) $(LDLIBS)
CHECK_CFLAGS := $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS   ?= $(or $(shell pkg-config --libs check 2>/dev/null),-lcheck -lsubunit -lm -lrt -lpthread)

.DEFAULT_GOAL = all
.PHONY: all demo check check-asan check-tsan check-valgrind check-aarch64 bench lint install uninstall dist clean help
.PHONY: examples tests FORCE
.DELETE_ON_ERROR:

all: $(O)/libbine.a $(O)/libbine.so ## the static and the shared library

FLAGS_NOW = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(CXX) $(CXXFLAGS) $(ALL_LDFLAGS) $(LIBS)
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS_NOW)' | cmp -s - $@ || printf '%s\n' '$(FLAGS_NOW)' > $@

$(O)/%.c.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(TEST_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(O)/%.S.o: %.S $(O)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
$(O)/%.cc.o: %.cc $(O)/flags
	@mkdir -p $(@D)
	$(CXX) $(ALL_CPPFLAGS) $(TEST_CPPFLAGS) $(ALL_CXXFLAGS) -MMD -MP -c -o $@ $<

$(OBJECTS): | needs-$(CONTEXT)
$(O)/libbine.a: $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $(OBJECTS)
$(O)/libbine.so.$(VERSION): $(OBJECTS) src/bine.map
	$(CC) -shared $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,-soname,$(SONAME) -Wl,--version-script,src/bine.map -o $@ $(OBJECTS) $(LIBS)
$(O)/libbine.so: $(O)/libbine.so.$(VERSION)
	ln -sf libbine.so.$(VERSION) $(O)/$(SONAME)
	ln -sf $(SONAME) $@

.PHONY: needs-native needs-fcontext
needs-native:
	@test -n '$(CHOSEN)' || test -f src/arch/$(CPU).h || \
	  { echo 'bine: there is no native switch for $(CPU): build with CONTEXT=fcontext' >&2; exit 1; }
needs-fcontext:
	@test -f "$$($(CC) -print-file-name=libboost_context.a)" || \
	  { echo 'bine: CONTEXT=fcontext needs libboost_context.a: apt-get install libboost-context-dev' >&2; exit 1; }

# ---- Programs ----------------------------------------------------------------------------------------------

examples: $(EXAMPLES)
tests: examples $(UNIT) $(STRESS) $(O)/libbine.so

$(O)/examples/% : $(O)/examples/%.c.o $(O)/libbine.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
$(O)/tests/%.o: private TEST_CPPFLAGS = -Itests $(CHECK_CFLAGS)
$(O)/tests/unit/%: $(O)/tests/unit/%.c.o $(SUPPORT) $(O)/libbine.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)
$(O)/tests/unit/%: $(O)/tests/unit/%.cc.o $(SUPPORT) $(O)/libbine.a
	$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)
$(O)/tests/stress/%: $(O)/tests/stress/%.c.o $(SUPPORT) $(O)/libbine.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)

demo: $(O)/examples/demo ## a web server and a thousand clients, over loopback; DEMO_ARGS=--serve for a browser
	$(O)/examples/demo $(DEMO_ARGS)

# ---- Tests -------------------------------------------------------------------------------------------------

RUN = BUILD=$(BUILD) CC='$(CC)' sh tests/run.sh

check: ## every test: both contexts, both reactors, examples, manual, installed tree
	@sh tests/setup.sh check
	@$(MAKE) --no-print-directory -s CONTEXT=native tests
	@$(MAKE) --no-print-directory -s CONTEXT=fcontext tests
	@$(RUN) native fcontext -- unit stress examples man install
check-asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@sh tests/setup.sh check
	@$(MAKE) --no-print-directory -s SANITIZE=address,undefined tests
	@$(RUN) native-address-undefined -- unit stress
check-tsan: ## the tests under ThreadSanitizer
	@sh tests/setup.sh check
	@$(MAKE) --no-print-directory -s SANITIZE=thread tests
	@$(RUN) native-thread -- unit stress

# ---- The rest ----------------------------------------------------------------------------------------------

clean: ## removes $(BUILD)
	rm -rf $(BUILD)
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 16

FORCE:
-include $(shell find $(O) -name '*.d' 2>/dev/null)

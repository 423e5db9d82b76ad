# SPDX-License-Identifier: MIT
#
# How the tools that users run are built (part of the Makefile): bine-race and its kin, a directory of tools/ each.

# What a program under bine-race is linked with; src/check/race_libc.c takes the calls.
RACE_LINK := $(addprefix -Wl$(comma)--wrap=,$(shell cat src/check/wrap.list)) -Wl,-u,__tsan_init
RACE_RULES := $(shell grep -o '{"[a-z-]*", BINE__RULE_' src/check/race_run.c | cut -d'"' -f2)
RACE_END  = $(LIBS_$(CONTEXT)) -pthread
# A directory of tools/ is a program: tools/race becomes bine-race.  What lies beside them all have.
TOOLS := $(patsubst tools/%/,$(O)/bine-%,$(wildcard tools/*/))
tools: $(TOOLS) ## bine-race and its kin
define TOOL
$(O)/bine-$(1): $(patsubst %,$(O)/%.o,$(wildcard tools/$(1)/*.c tools/*.c))
	$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^
endef
$(foreach tool,$(TOOLS),$(eval $(call TOOL,$(patsubst $(O)/bine-%,%,$(tool)))))
$(O)/tools/race/%.o: private TEST_CPPFLAGS = -DBINE_LIBDIR='"$(LIBDIR)"' \
    -DBINE_RACE_LIBS='"$(RACE_LINK) @LIBRARY@ $(RACE_END)"' -DBINE_RACE_RULES='"$(RACE_RULES)"'
$(O)/tools/race/main.c.o: src/check/race_run.c
$(patsubst %,$(O)/%.o,$(wildcard tools/race/*.c)): src/check/wrap.list
$(O)/tools/explore/%.o: private TEST_CPPFLAGS = -DBINE_LIBDIR='"$(LIBDIR)"'
# The calls that switch are those of which the manual says so.
$(O)/bine-yields: $(O)/tools/yields/yielding.o
$(O)/tools/yields/yielding.c: tools/yields/yielding.awk $(wildcard man/man3/*.3)
	@mkdir -p $(@D)
	awk -f $< $(filter %.3,$^) > $@
$(O)/tools/yields/yielding.o: $(O)/tools/yields/yielding.c tools/yields/yielding.h $(O)/flags
	$(CC) $(ALL_CPPFLAGS) -Itools/yields $(ALL_CFLAGS) -c -o $@ $<

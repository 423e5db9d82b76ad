# SPDX-License-Identifier: MIT
#
# How the tests are built, and the targets that run them (part of the Makefile).  Each target first sets up what it
# needs (tests/setup.sh), then builds, then hands over to a script.

$(O)/tests/%.o: private TEST_CPPFLAGS = -Itests $(CHECK_CFLAGS)
$(O)/tests/unit/%: $(O)/tests/unit/%.c.o $(SUPPORT) $(O)/$(LIB).a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(WRAPPED) $(LIBS) $(CHECK_LIBS)
$(O)/tests/unit/%: $(O)/tests/unit/%.cc.o $(SUPPORT) $(O)/$(LIB).a
	$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(WRAPPED) $(LIBS) $(CHECK_LIBS)
$(O)/tests/stress/%: $(O)/tests/stress/%.c.o $(SUPPORT) $(O)/$(LIB).a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(WRAPPED) $(LIBS) $(CHECK_LIBS)

MAKE_ = $(MAKE) --no-print-directory -s
PATIENT = TIMEOUT=500#  where a processor or a memory is simulated
RUN   = BUILD=$(BUILD) CC='$(CC)' sh tests/run.sh

check: ## every test: all contexts, all reactors, examples, manual, README, installed tree
	@CC='$(CC)' sh tests/setup.sh check
	+@$(MAKE_) CONTEXT=native tests tools checked
	+@$(MAKE_) CONTEXT=fcontext tests
	+@$(MAKE_) CONTEXT=thread unit
	@$(RUN) native fcontext thread -- unit stress examples seeds styles man readme install yields yield
check-yield: ## bine-race judged by a corpus of bugs and of sound programs, with gcc and clang: tests/yield
	@CC='$(CC)' sh tests/setup.sh yield
	+@$(MAKE_) all
	+@$(MAKE_) CONTEXT=fcontext checked tools
	+@$(MAKE_) CONTEXT=thread checked tools
	@BUILD=$(BUILD) sh tests/yield/run.sh
	@for of in fcontext thread; do BUILD=$(BUILD) OF=$$of sh tests/yield/run.sh --quick || exit; done
check-explore: ## bine-explore: counts of schedules, what it finds, what it says
	+@$(MAKE_) all
	@$(RUN) native -- explore
check-asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer; the seeded ones for a minute each
	@CC='$(CC)' sh tests/setup.sh check
	+@$(MAKE_) SANITIZE=address,undefined tests
	@SECONDS=20 $(RUN) $(CONTEXT)-address-undefined -- unit stress seeds
check-tsan: ## the tests under ThreadSanitizer (address randomisation off: older ones need that)
	@CC='$(CC)' sh tests/setup.sh check
	+@$(MAKE_) SANITIZE=thread tests
	@$(PATIENT) WRAP="$$(setarch -R true 2>/dev/null && echo setarch -R)" $(RUN) $(CONTEXT)-thread -- unit stress
# Not those that hand the kernel bad pointers on purpose, or leave tasks and with them stacks behind; those of TLS that
# shake hands by the hundred, or run other programs.
VALGRIND_OUT   = check_io_misuse check_io_wait check_loop check_tls_faults check_tls_peers
VALGRIND_TESTS = $(filter-out $(VALGRIND_OUT),$(notdir $(filter-out $(UNIT_CXX),$(UNIT))))
VALGRIND = valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
           --errors-for-leak-kinds=definite --suppressions=tests/support/resolver.supp
# Helgrind follows threads, and no switched stacks.
HELGRIND_TESTS = check_sync check_lock check_cond check_chan check_queue check_select check_traffic check_group
check-valgrind: ## unit tests under its memory checker, and CONTEXT=thread under Helgrind; VALGRIND_TESTS= chooses
	@CC='$(CC)' sh tests/setup.sh check valgrind
	+@$(MAKE_) tests
	+@$(MAKE_) CONTEXT=thread unit
	@$(PATIENT) WRAP='$(VALGRIND)' ONLY='$(VALGRIND_TESTS)' THREAD_ONLY='$(HELGRIND_TESTS)' REACTORS=epoll \
	    THREAD_WRAP='valgrind -q --tool=helgrind --error-exitcode=99' $(RUN) $(CONTEXT) thread -- unit
AARCH64 = CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ CHECK_LIBS='-lcheck -lsubunit -lm -lrt' \
          LDFLAGS='-static-libstdc++ -static-libgcc'
# Tests that qemu cannot do skip themselves by name (support_emulated()); C++ needs its own cross compiler.
AARCH64_CXX   = $(if $(shell command -v aarch64-linux-gnu-g++ 2>/dev/null),,$(UNIT_CXX))
AARCH64_TESTS = $(filter-out $(AARCH64_CXX),$(UNIT)) $(STRESS)
check-aarch64: ## unit and stress tests, built for AArch64 and run by qemu-aarch64 (user mode)
	@sh tests/setup.sh aarch64
	+@$(MAKE_) $(AARCH64) aarch64-tests
	@BINE_EMULATED=qemu $(PATIENT) WRAP=qemu-aarch64 $(RUN) native-aarch64 -- unit stress
.PHONY: aarch64-tests
aarch64-tests: $(AARCH64_TESTS)

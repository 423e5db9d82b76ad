# SPDX-License-Identifier: MIT
#
# The kqueue reactor.  The BSDs and macOS have it.  Elsewhere: KQUEUE=libkqueue (Debian: libkqueue-dev), or
# KQUEUE=imitation, which is there for its tests alone (tests/support/kqueue).

KQUEUE_HERE := $(strip $(foreach system,bsd darwin dragonfly,$(findstring $(system),$(TARGET))) $(KQUEUE))
KQUEUE_FLAGS_libkqueue = -I/usr/include/kqueue
KQUEUE_FLAGS_imitation = -Itests/support/kqueue
KQUEUE_FLAGS = $(if $(KQUEUE_HERE),-DBINE_KQUEUE $(KQUEUE_FLAGS_$(KQUEUE)))
KQUEUE_OBJECTS := $(if $(KQUEUE_HERE),$(O)/src/io/reactor_kqueue.c.o) \
                  $(if $(filter imitation,$(KQUEUE)),$(O)/tests/support/kqueue/kqueue.c.o)
SPECIFIC += src/io/reactor_kqueue.c
LIBS_libkqueue = -lkqueue

RUN_KQUEUE = ONLY='check_reactor* check_io* check_kinds* check_net check_listen check_serve* check_stream* check_loop'

.PHONY: check-kqueue
check-kqueue: ## the tests of I/O with the kqueue reactor over an imitation of kqueue(2); KQUEUE=libkqueue: over that
	@CC='$(CC)' sh tests/setup.sh check
	+@$(MAKE_) KQUEUE=$(or $(KQUEUE),imitation) unit
	@REACTORS=kqueue $(RUN_KQUEUE) $(RUN) $(CONTEXT)-kqueue -- unit

# SPDX-License-Identifier: MIT
#
# Who looks names up: the part of the Makefile that concerns it, read by that.
#
#   DNS=pool    getaddrinfo(3) on threads (the default)        DNS=cares   c-ares

DNS ?= pool
$(if $(filter pool cares,$(DNS)),,$(error bine: DNS is pool or cares, not $(DNS)))
SPECIFIC  += $(addprefix src/io/resolve_,$(addsuffix .c,$(filter-out $(DNS),pool cares)))
LIBS_cares = -lcares

.PHONY: needs-pool needs-cares check-cares
needs-pool:
needs-cares:
	@$(CC) -include ares.h -E -x c /dev/null >/dev/null 2>&1 || \
	  { echo 'bine: DNS=cares needs c-ares: apt-get install libc-ares-dev' >&2; exit 1; }

CARES_TESTS = check_net check_resolve
check-cares: ## what looks names up, over c-ares (DNS=cares)
	@CC='$(CC)' sh tests/setup.sh check cares
	+@$(MAKE_) DNS=cares $(CARES_TESTS:%=$(BUILD)/$(CONTEXT)-cares/tests/unit/%)
	@ONLY='$(CARES_TESTS)' $(RUN) $(CONTEXT)-cares -- unit

# SPDX-License-Identifier: MIT
#
# libbine-tls: the part of the Makefile that concerns it, read by that.  OPENSSL says whether OpenSSL is there.

TLS_NAME   := libbine-tls
TLS_SONAME := $(TLS_NAME).so.$(firstword $(subst ., ,$(VERSION)))
TLS_OBJ    := $(patsubst %,$(O)/%.o,$(wildcard src/tls/*.c))
TLS_LIBS   := $(if $(OPENSSL),$(O)/$(TLS_NAME).a $(O)/$(TLS_NAME).so)
SSL_LIBS   := -lssl -lcrypto

.PHONY: tls install-tls uninstall-tls
all: $(TLS_LIBS)
tests: $(TLS_LIBS)
tls: $(TLS_LIBS) ## libbine-tls alone, or what it lacks
	@test -n '$(OPENSSL)' || { echo 'bine: TLS needs OpenSSL 3 or later: apt-get install libssl-dev' >&2; exit 1; }

$(O)/$(TLS_NAME).a: $(TLS_OBJ)
	rm -f $@
	$(AR) rcs $@ $(TLS_OBJ)
$(O)/$(TLS_NAME).so.$(VERSION): $(TLS_OBJ) $(O)/$(LIB).so src/bine.map
	$(CC) -shared $(ALL_CFLAGS) $(ALL_LDFLAGS) -Wl,-soname,$(TLS_SONAME) -Wl,--version-script,src/bine.map \
	    $(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(TLS_OBJ) $(O)/$(LIB).so $(SSL_LIBS) $(LDLIBS)
$(O)/$(TLS_NAME).so: $(O)/$(TLS_NAME).so.$(VERSION)
	ln -sf $(TLS_NAME).so.$(VERSION) $(O)/$(TLS_SONAME)
	ln -sf $(TLS_SONAME) $@

# After libbine.a in the command, so that is named again.
TLS_LINKED := $(filter $(O)/tests/unit/check_tls%,$(UNIT)) $(filter $(O)/examples/https%,$(EXAMPLES))
$(TLS_LINKED): $(O)/$(TLS_NAME).a
$(TLS_LINKED): private LDLIBS += $(O)/$(TLS_NAME).a $(O)/$(LIB).a $(SSL_LIBS)

install: $(if $(OPENSSL),install-tls)
install-tls: $(TLS_LIBS)
	mkdir -p "$(D)$(LIBDIR)/pkgconfig"
	$(INSTALL) -m 644 $(O)/$(TLS_NAME).a "$(D)$(LIBDIR)"
	$(INSTALL) -m 755 $(O)/$(TLS_NAME).so.$(VERSION) "$(D)$(LIBDIR)"
	ln -sf $(TLS_NAME).so.$(VERSION) "$(D)$(LIBDIR)/$(TLS_SONAME)"
	ln -sf $(TLS_SONAME) "$(D)$(LIBDIR)/$(TLS_NAME).so"
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
	    src/tls/bine-tls.pc.in > "$(D)$(LIBDIR)/pkgconfig/bine-tls.pc"
	chmod 644 "$(D)$(LIBDIR)/pkgconfig/bine-tls.pc"
uninstall: uninstall-tls
uninstall-tls:
	rm -f "$(D)$(LIBDIR)/$(TLS_NAME).a" "$(D)$(LIBDIR)/$(TLS_NAME).so"* "$(D)$(LIBDIR)/pkgconfig/bine-tls.pc"

# rc-sv. Targets: all (default), install, uninstall, check, asan, miri, fuzz, campaign, vm, user-services,
# demo, bench, root, stage, headers, modules-table,
# install-openrc-c, clean, distclean.
#
# PREFIX is compiled in: give `make` and `make install` the same one.

PREFIX     = /usr/local
SYSCONFDIR = /etc
DESTDIR    =

CARGO      = cargo
CC         = cc
INSTALL    = install
TARGET     = $(or $(CARGO_TARGET_DIR),target)
LAB        = $(CURDIR)/target/lab
STAGE      = $(or $(RC_SV_STAGE),$(LAB)/stage)

BINDIR     = $(PREFIX)/bin
LIBDIR     = $(PREFIX)/lib
MODULEDIR  = $(PREFIX)/lib/rc-sv
LIBEXECDIR = $(PREFIX)/libexec/rc-sv
INCLUDEDIR = $(PREFIX)/include
PKGDIR     = $(PREFIX)/share/pkgconfig
EXAMPLEDIR = $(PREFIX)/share/doc/rc-sv/examples
MANDIR     = $(PREFIX)/share/man
CONFDIR    = $(SYSCONFDIR)/rc.conf.d
# Where OpenRC looks for a user's services, besides the user's own directory.
USERDIR    = $(SYSCONFDIR)/user/rc.conf.d

# The library for programs in C: its ABI is the soname's number and the map's.
CAPI       = rc-sv-loader/c-api
SONAME     = librc_sv.so.1
LIBRARY    = $(SONAME).0.0

MODULES    = internal s6 runit daemontools monit
PROGRAMS   = rc-sv-loader rc-sv-supervisor rc-sv-exec rc-sv-logger
LABTOOLS   = rc-sv-lab rc-sv-await probe-daemon rc-sv-campaign rc-sv-vm
MAN8       = man/rc-sv-loader.8 man/rc-sv-supervisor.8 man/rc-sv-exec.8 man/rc-sv-logger.8
MAN7       = man/rc-sv-modules.7
MAN5       = man/rc-sv.5
MAN3       = man/rc-sv-module.3 man/rc_sv.3
EXAMPLE    = examples/module-c/daemon.c examples/module-c/Makefile
ALERTS     = examples/alert/mail examples/alert/webhook
HEADERS    = include/rc_sv_backend.h include/rc_sv.h
SHELL_PART = $(addprefix openrc/rc-sv-,attach.sh depend.sh dependents.sh keys.sh status.sh)
INITDIR    = $(SYSCONFDIR)/init.d
SHELL_SIDE = openrc/svscan.initd openrc/zz-rc-sv.conf openrc/rc-sv.sh $(SHELL_PART)

# What was built for this prefix. Builds for several prefixes share cargo's
# directory but not this one, so neither undoes the other.
BUILT      = $(TARGET)/built$(subst /,-,$(PREFIX))
SOURCES    = Cargo.toml $(wildcard Cargo.lock) $(shell find rc-sv-api rc-sv-loader \
	backends tests/src tests/Cargo.toml -type f \
	\( -name '*.rs' -o -name '*.toml' -o -name '*.map' \))

all: $(BUILT)/.complete

# When no source has changed cargo is not called: `sudo make install` needs
# neither cargo nor the network, and leaves no files of root's in target.
$(BUILT)/.complete: $(SOURCES)
	rm -rf '$(BUILT)'
	mkdir -p '$(BUILT)'
	touch '$(BUILT)/.begun'
	RC_SV_PREFIX='$(PREFIX)' $(CARGO) build --release --workspace --exclude rc-sv-benches
	cp $(PROGRAMS:%=$(TARGET)/release/%) $(LABTOOLS:%=$(TARGET)/release/%) \
		$(MODULES:%=$(TARGET)/release/librc_sv_%.so) '$(BUILT)'
	$(CC) -shared -o '$(BUILT)/$(LIBRARY)' -Wl,-soname,$(SONAME) \
		-Wl,--version-script=$(CAPI)/librc_sv.map -Wl,-z,defs,-z,relro,-z,now,-z,nodelete \
		-Wl,--gc-sections,--strip-debug \
		-Wl,--whole-archive $(TARGET)/release/librc_sv.a -Wl,--no-whole-archive -lgcc_s -lc
	mv '$(BUILT)/.begun' $@

install: $(BUILT)/.complete $(SHELL_SIDE) $(MAN8) $(MAN7) $(MAN5) $(MAN3) $(HEADERS) \
		include/rc_sv_backend.pc include/rc_sv.pc $(EXAMPLE) $(ALERTS)
	$(INSTALL) -d -m 755 '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MODULEDIR)' \
		'$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(INCLUDEDIR)' '$(DESTDIR)$(LIBDIR)/pkgconfig' \
		'$(DESTDIR)$(MANDIR)/man3' '$(DESTDIR)$(MANDIR)/man5' \
		'$(DESTDIR)$(MANDIR)/man7' '$(DESTDIR)$(MANDIR)/man8' '$(DESTDIR)$(CONFDIR)' \
		'$(DESTDIR)$(PKGDIR)' '$(DESTDIR)$(EXAMPLEDIR)/module-c' '$(DESTDIR)$(EXAMPLEDIR)/alert' \
		'$(DESTDIR)$(INITDIR)' '$(DESTDIR)$(USERDIR)'
	$(INSTALL) -m 755 '$(BUILT)/rc-sv-loader' '$(DESTDIR)$(BINDIR)'
	$(INSTALL) -m 755 '$(BUILT)/rc-sv-supervisor' '$(BUILT)/rc-sv-exec' \
		'$(BUILT)/rc-sv-logger' '$(DESTDIR)$(LIBEXECDIR)'
	$(INSTALL) -m 644 $(MODULES:%='$(BUILT)/librc_sv_%.so') '$(DESTDIR)$(MODULEDIR)'
	$(INSTALL) -m 644 '$(BUILT)/$(LIBRARY)' '$(DESTDIR)$(LIBDIR)'
	ln -sf $(LIBRARY) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/librc_sv.so'
	$(INSTALL) -m 644 $(SHELL_PART) '$(DESTDIR)$(LIBEXECDIR)'
	sed 's|^\(_rcsv_loader=\)/usr/local/|\1$(PREFIX)/|' openrc/rc-sv.sh | \
		$(INSTALL) -m 644 /dev/stdin '$(DESTDIR)$(LIBEXECDIR)/rc-sv.sh'
	sed 's|^\(_rcsv_libexec=\)/usr/local/|\1$(PREFIX)/|' openrc/zz-rc-sv.conf | \
		$(INSTALL) -m 644 /dev/stdin '$(DESTDIR)$(CONFDIR)/zz-rc-sv.conf'
	ln -sf ../../rc.conf.d/zz-rc-sv.conf '$(DESTDIR)$(USERDIR)'
	$(INSTALL) -m 755 openrc/svscan.initd '$(DESTDIR)$(INITDIR)/svscan'
	$(INSTALL) -m 644 $(HEADERS) '$(DESTDIR)$(INCLUDEDIR)'
	sed 's|^prefix=.*|prefix=$(PREFIX)|' include/rc_sv_backend.pc | \
		$(INSTALL) -m 644 /dev/stdin '$(DESTDIR)$(PKGDIR)/rc_sv_backend.pc'
	sed 's|^prefix=.*|prefix=$(PREFIX)|' include/rc_sv.pc | \
		$(INSTALL) -m 644 /dev/stdin '$(DESTDIR)$(LIBDIR)/pkgconfig/rc_sv.pc'
	$(INSTALL) -m 644 $(EXAMPLE) '$(DESTDIR)$(EXAMPLEDIR)/module-c'
	$(INSTALL) -m 755 $(ALERTS) '$(DESTDIR)$(EXAMPLEDIR)/alert'
	$(INSTALL) -m 644 $(MAN8) '$(DESTDIR)$(MANDIR)/man8'
	$(INSTALL) -m 644 $(MAN7) '$(DESTDIR)$(MANDIR)/man7'
	$(INSTALL) -m 644 $(MAN5) '$(DESTDIR)$(MANDIR)/man5'
	$(INSTALL) -m 644 $(MAN3) '$(DESTDIR)$(MANDIR)/man3'

# A module that somebody else has installed beside ours stays.
uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/rc-sv-loader' '$(DESTDIR)$(CONFDIR)/zz-rc-sv.conf' \
		'$(DESTDIR)$(USERDIR)/zz-rc-sv.conf' '$(DESTDIR)$(INITDIR)/svscan' \
		$(HEADERS:include/%='$(DESTDIR)$(INCLUDEDIR)/%') '$(DESTDIR)$(PKGDIR)/rc_sv_backend.pc' \
		'$(DESTDIR)$(LIBDIR)/librc_sv.so' '$(DESTDIR)$(LIBDIR)/$(SONAME)' \
		'$(DESTDIR)$(LIBDIR)/$(LIBRARY)' '$(DESTDIR)$(LIBDIR)/pkgconfig/rc_sv.pc' \
		$(MAN8:man/%='$(DESTDIR)$(MANDIR)/man8/%') $(MAN7:man/%='$(DESTDIR)$(MANDIR)/man7/%') $(MAN5:man/%='$(DESTDIR)$(MANDIR)/man5/%') \
		$(MAN3:man/%='$(DESTDIR)$(MANDIR)/man3/%') \
		$(MODULES:%='$(DESTDIR)$(MODULEDIR)/librc_sv_%.so')
	rm -rf '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(PREFIX)/share/doc/rc-sv'
	rmdir '$(DESTDIR)$(MODULEDIR)' 2>/dev/null || :

# OpenRC's C side, for which OpenRC's headers are needed; see openrc/applet.
install-openrc-c:
	$(MAKE) -C openrc/applet install PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'

# The Debian root of the lab, made once.
root: tools
	tests/lab/make-root '$(LAB)'

# rc-sv as installed, with the tools of the tests, for the lab. Put aside and
# renamed; the last one stays for a while, for labs which still use it.
stage:
	rm -rf '$(STAGE).new' '$(STAGE).old'
	$(MAKE) install DESTDIR='$(STAGE).new' PREFIX=/usr SYSCONFDIR=/etc
	$(MAKE) install-labtools DESTDIR='$(STAGE).new' PREFIX=/usr
	if [ -e '$(STAGE)' ]; then mv '$(STAGE)' '$(STAGE).old'; fi
	mv '$(STAGE).new' '$(STAGE)'

install-labtools: $(BUILT)/.complete
	$(INSTALL) -d -m 755 '$(DESTDIR)$(PREFIX)/lib/rc-sv-tests'
	$(INSTALL) -m 755 $(LABTOOLS:%='$(BUILT)/%') '$(DESTDIR)$(PREFIX)/lib/rc-sv-tests'

tools:
	tests/lab/tools

check: root stage fuzz-programs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) test --workspace --no-fail-fast
	$(CARGO) test --package rc-sv-tests --features abi-check --test abi_check
	$(MAKE) asan
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(FUZZ_CARGO) clippy $(FUZZ_HOW) --bins --lib -- -D warnings
	fuzz/run '$(FUZZ_PROGRAMS)' 1 2 '$(FUZZ)/work'
	@echo 'make check: everything passed'

# The unsafe code of the ABI under AddressSanitizer, leaks too. The compiler has
# it, and calls its switch unstable.
asan:
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR='$(TARGET)/asan' \
		$(CARGO) test --package rc-sv-api --lib --tests \
		--target "$$(rustc -vV | sed -n 's/^host: //p')"

# The same code under Miri, which needs a nightly toolchain:
# rustup toolchain install nightly --component miri,rust-src
miri:
	MIRIFLAGS=-Zmiri-disable-isolation CARGO_TARGET_DIR='$(TARGET)/miri' \
		$(CARGO) +nightly miri test --package rc-sv-api --lib --test crossing

# Each fuzz target, or each of TARGETS, for SECONDS, JOBS at a time. The flags are all
# stable: they are what libFuzzer needs to see which ways were taken. `--cfg fuzzing` opens
# what is private. With --target they are not given to what runs while building.
SECONDS    = 600
JOBS       = 2
FUZZ       = $(abspath $(TARGET))/fuzz
FUZZ_HOST  = $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_FLAGS = --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
	-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
FUZZ_CARGO = RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO)
FUZZ_HOW   = --manifest-path fuzz/Cargo.toml --release --locked --target $(FUZZ_HOST) \
	--target-dir '$(FUZZ)'
FUZZ_PROGRAMS = $(FUZZ)/$(FUZZ_HOST)/release

fuzz: fuzz-programs
	fuzz/run '$(FUZZ_PROGRAMS)' '$(SECONDS)' '$(JOBS)' '$(FUZZ)/work' $(TARGETS)

# A long fault campaign in a lab; `make check` has a short one. RC_SV_SEED=N does one again.
campaign: root stage
	'$(BUILT)/rc-sv-lab' -- /usr/bin/env $(if $(RC_SV_SEED),RC_SV_SEED='$(RC_SV_SEED)') \
		/usr/lib/rc-sv-tests/rc-sv-campaign --seconds '$(SECONDS)'

# What needs a kernel of its own, in a virtual machine that OpenRC boots: tests/vm/run tells more.
vm: root stage
	tests/lab/tools cpio=cpio qemu-system-x86_64=qemu-system-x86
	tests/vm/run '$(LAB)' '$(STAGE)'

fuzz-programs:
	$(FUZZ_CARGO) build $(FUZZ_HOW)

# A user's services, under the OpenRC of Debian's sid, in a lab with a root of its own.
user-services: tools stage
	RC_SV_ROOT="$$(tests/lab/make-user-root '$(LAB)')" $(CARGO) test --package rc-sv-tests \
		--test user_services -- --ignored

demo: root stage
	demo/run '$(LAB)'

# A hundred supervisors of each suite killed at random moments; with RC_SV_SEED at others.
kills: root stage
	RC_SV_KILLS=100 $(CARGO) test --package rc-sv-tests --test suite_s6 --test suite_runit \
		--test suite_daemontools --no-fail-fast -- --nocapture killed_at_random

# The headers from their Rust sources; a test compares them.
headers:
	RC_SV_WRITE_HEADERS=1 $(CARGO) test --package rc-sv-tests --test header committed

# The table of what each module does, in its page and in README.md; a test compares it.
modules-table:
	RC_SV_WRITE_TABLE=1 $(CARGO) test --package rc-sv-tests --test support committed

# Measures beside other supervisors: about three minutes of an idle machine.
bench: root stage
	RC_SV_PREFIX=/usr $(CARGO) run --release --package rc-sv-benches

# Leaves the Debian root, which takes a download to make.
clean:
	rm -rf '$(TARGET)/release' '$(TARGET)/debug' '$(TARGET)/doc' '$(TARGET)/asan' '$(TARGET)'/built-* \
		'$(STAGE)' '$(STAGE).new' '$(STAGE).old'

distclean:
	rm -rf '$(TARGET)' target

.PHONY: all asan miri install install-openrc-c uninstall root stage install-labtools tools check \
	fuzz fuzz-programs campaign vm user-services kills headers modules-table demo bench clean distclean

# Mailstead: the one build entry. Each folder names its sources in a module.mk
# by the functions below; nothing is listed here.
#
#   make                  build everything into build/$(VARIANT)
#   make run              build the image and boot the appliance in QEMU
#   make test             install what tests need and run every group
#   make test-unit | test-integration | test-faults | test-image | lint | fuzz
#   make bench            ratios against the peers
#   make image            only the bootable image; make stop ends what make run began
#   make measure          sizes, times and memory of the image
#   make install DESTDIR= install the tree
#   make clean            drop what was built, keep slow inputs (build/cache)
#   make distclean        drop build/ whole
#
# VARIANT=release (default), debug, sanitize (ASan+UBSan), nosync (fdatasync
# switched off: the power-cut test must fail with it).

VARIANT ?= release
CACHE   ?= $(CURDIR)/build/cache
O       := build/$(VARIANT)
PREFIX  := /opt/zimbra
DESTDIR ?=

CC      ?= cc
PKGS    := glib-2.0 gio-2.0 gio-unix-2.0 libsystemd
WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wwrite-strings -Wformat=2 -Wno-unused-parameter -Wvla
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CFLAGS_release  := -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS_nosync   := $(CFLAGS_release) -DMAILSTEAD_NO_SYNC
CFLAGS_debug    := -O0 -g3
CFLAGS_sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS_sanitize := -fsanitize=address,undefined
BASE_CFLAGS  = -std=gnu11 -D_GNU_SOURCE $(WARN) $(HARDEN) $(CFLAGS_$(VARIANT)) -I. -I$(O) \
               -include lib/banned.h $(shell pkg-config --cflags $(PKGS)) \
               -DPREFIX='"$(PREFIX)"' -MMD -MP
BASE_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS_$(VARIANT))
BASE_LIBS   := $(shell pkg-config --libs $(PKGS))

all:
.PHONY: all

PROGRAMS :=
INSTALLS :=
UNIT_TESTS :=
FUZZERS :=

# $(call obj,sources) : object files of sources
obj = $(patsubst %.c,$(O)/%.o,$(1))

# $(call concept,NAME,SOURCES,CONCEPTS,PKG-CONFIG PACKAGES[,LIBS])
# A folder of lib/: a static archive others name in their CONCEPTS.
define concept
concept_$(1)_objs := $$(call obj,$(2))
concept_$(1)_deps := $(3)
concept_$(1)_pkgs := $(4)
concept_$(1)_libs := $(5)
$$(concept_$(1)_objs): PKG_CFLAGS := $(if $(strip $(4)),$$(shell pkg-config --cflags $(4)))
$(O)/lib$(1).a: $$(concept_$(1)_objs)
	@rm -f $$@
	@ar rcs $$@ $$^
all_archives += $(O)/lib$(1).a
endef

# concepts with everything they need, in link order
closure = $(if $(strip $(1)),$(call uniq,$(1) $(call closure,$(foreach c,$(1),$(concept_$(c)_deps)))))
uniq = $(if $(1),$(call uniq,$(filter-out $(lastword $(1)),$(1))) $(lastword $(1)))
pkgs_of = $(foreach c,$(call closure,$(1)),$(concept_$(c)_pkgs))
libs_of = $(foreach c,$(call closure,$(1)),$(concept_$(c)_libs))
archives_of = $(foreach c,$(call closure,$(1)),$(O)/lib$(c).a)

# $(call program,PATH,SOURCES,CONCEPTS,PACKAGES,LIBS[,INSTALL-DIR])
# PATH is build-relative (bin/zmprov); INSTALL-DIR below PREFIX (bin, libexec),
# or absolute; empty: not installed.
define program
$(O)/$(1): $$(call obj,$(2)) $$$$(call archives_of,$(3))
	@mkdir -p $$(dir $$@)
	@echo "  LD   $$@"
	@$$(CC) $$(BASE_LDFLAGS) -o $$@ $$(call obj,$(2)) -Wl,--start-group $$(call archives_of,$(3)) -Wl,--end-group \
	  $$(if $$(strip $(4) $$(call pkgs_of,$(3))),$$$$(pkg-config --libs $(4) $$(call pkgs_of,$(3)))) $(5) $$(call libs_of,$(3)) $$(BASE_LIBS)
$$(call obj,$(2)): PKG_CFLAGS := $(if $(strip $(4)),$$(shell pkg-config --cflags $(4)))
PROGRAMS += $(O)/$(1)
$(if $(strip $(6)),INSTALLS += $(O)/$(1):$(6):0755)
endef

# $(call unit_test,NAME,SOURCES,CONCEPTS,PACKAGES,LIBS)
# Built in the sanitize variant and run by make test-unit.
define unit_test
UNIT_TESTS += $(O)/unit-tests/$(1)
$(O)/unit-tests/$(1): $$(call obj,$(2)) $$$$(call archives_of,$(3))
	@mkdir -p $$(dir $$@)
	@$$(CC) $$(BASE_LDFLAGS) -o $$@ $$(call obj,$(2)) -Wl,--start-group $$(call archives_of,$(3)) -Wl,--end-group \
	  $$$$(pkg-config --libs cmocka $(4) $$(call pkgs_of,$(3))) $(5) $$(call libs_of,$(3)) $$(BASE_LIBS)
$$(call obj,$(2)): PKG_CFLAGS := $$(shell pkg-config --cflags cmocka $(4))
endef

# $(call fuzzer,NAME,SOURCES) : a libFuzzer target and all the sources it needs,
# compiled together by clang; seeds in tests/fuzz/corpus/NAME/.
define fuzzer
FUZZERS += build/fuzz/$(1)
build/fuzz/$(1): $(2)
	@mkdir -p $$(dir $$@)
	@clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -D_GNU_SOURCE -I. -Ibuild/release \
	  -DPREFIX='"$(PREFIX)"' $$$$(pkg-config --cflags $(PKGS)) -o $$@ $(2) $$$$(pkg-config --libs $(PKGS))
endef

# $(call install_file,SOURCE,DIR,MODE) : DIR below PREFIX, or absolute
define install_file
INSTALLS += $(1):$(2):$(3)
endef

# A concept may be declared after those who name it.
.SECONDEXPANSION:

# Concepts first: programs and tests name them.
include $(sort $(shell find lib -name module.mk))
include $(sort $(shell find configd templates mibs agents cli wizard schema units image crontabs docs tests -name module.mk 2>/dev/null))
-include $(shell find $(O) -name '*.d' 2>/dev/null)

$(O)/%.o: %.c
	@mkdir -p $(dir $@)
	@echo "  CC   $<"
	@$(CC) $(BASE_CFLAGS) $(PKG_CFLAGS) -c -o $@ $<

all: $(PROGRAMS)

install: all
	@for f in $(INSTALLS); do \
	  src=$${f%%:*}; rest=$${f#*:}; dir=$${rest%%:*}; mode=$${rest#*:}; \
	  case $$dir in /*) to="$(DESTDIR)$$dir";; *) to="$(DESTDIR)$(PREFIX)/$$dir";; esac; \
	  install -D -m $$mode $$src "$$to/$$(basename $$src)" || exit 1; \
	done
	@sh units/install-links "$(DESTDIR)"

include tests/tests.mk

clean:
	rm -rf build/release build/debug build/sanitize build/nosync build/fuzz build/results build/tree
distclean:
	rm -rf build

.PHONY: install clean distclean run image bench

# Test groups. Each writes its result under build/results; tests/report counts.

R := build/results

# The hosts of integration tests mostly wait: the faults and the image are tested
# beside them, with what time of the processors they leave: QEMU would take all.
# All is built before, so that nothing changes under a booted host.
test: test-deps
	@rm -rf $(R); mkdir -p $(R)
	@st=0; $(MAKE) --no-print-directory -j$$(nproc) all || st=1; \
	 for g in test-unit fuzz tree image; do $(MAKE) --no-print-directory $$g || st=1; done; \
	 $(MAKE) --no-print-directory run-integration & one=$$!; \
	 { nice $(MAKE) --no-print-directory run-faults; f=$$?; nice $(MAKE) --no-print-directory run-image && [ $$f = 0 ]; } & two=$$!; \
	 wait $$one || st=1; wait $$two || st=1; \
	 tests/report $(R) || st=1; exit $$st

test-deps:
	@tests/install-deps

test-unit:
	@mkdir -p $(R)
	@$(MAKE) --no-print-directory -j$$(nproc) VARIANT=sanitize unit-programs
	@tests/run-unit $(R)/unit build/sanitize/unit-tests

unit-programs: $(UNIT_TESTS)

test-integration: tree run-integration
run-integration:
	@mkdir -p $(R)
	@tests/run-pytest $(R)/integration.xml tests/integration

test-faults: tree run-faults
run-faults:
	@mkdir -p $(R)
	@tests/run-pytest $(R)/faults.xml tests/faults

# The built image in QEMU: what is printed on the way is its progress
test-image: image run-image
run-image:
	@mkdir -p $(R)
	@tests/run-pytest $(R)/image.xml tests/image -s

# The installed tree the lab boots from
tree: all
	@$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/tree
	@CACHE=$(CACHE) tests/lab/base-root

fuzz: all
	@mkdir -p $(R)
	@$(MAKE) --no-print-directory -j$$(nproc) fuzz-programs
	@tests/run-fuzz $(R)/fuzz build/fuzz

fuzz-programs: $(FUZZERS)

# Figures, never a verdict: docs/decisions/ says what each measures.
bench: all tree
	@for b in $(O)/bench/*; do [ -x $$b ] && [ -f $$b ] && { echo "== $$(basename $$b)"; \
	   d=$$(mktemp -d -p build); $$b $$d; rm -rf $$d; }; done
	@for b in tests/bench/*.py; do echo "== $$(basename $$b)"; CACHE=$(CACHE) $$b; done

lint:
	@tests/lint

.PHONY: fuzz-programs test test-deps test-unit unit-programs test-integration test-faults test-image run-integration run-faults run-image tree fuzz lint

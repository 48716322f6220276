# Test groups. Each writes its result under build/results; tests/report counts.

R := build/results

test: test-deps
	@rm -rf $(R); mkdir -p $(R)
	@st=0; for g in test-unit test-integration test-faults; do \
	   $(MAKE) --no-print-directory $$g || st=1; done; \
	 tests/report $(R) || st=1; exit $$st

test-deps:
	@tests/install-deps

test-unit:
	@mkdir -p $(R)
	@$(MAKE) --no-print-directory VARIANT=sanitize unit-programs
	@tests/run-unit $(R)/unit build/sanitize/unit-tests

unit-programs: $(UNIT_TESTS)

test-integration: tree
	@mkdir -p $(R)
	@tests/run-pytest $(R)/integration.xml tests/integration

test-faults: tree
	@mkdir -p $(R)
	@tests/run-pytest $(R)/faults.xml tests/faults

# The installed tree the lab boots from
tree: all
	@$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/build/tree
	@CACHE=$(CACHE) tests/lab/base-root

fuzz: $(FUZZERS)
	@tests/run-fuzz $(R)/fuzz build/fuzz

lint:
	@tests/lint

.PHONY: test test-deps test-unit unit-programs test-integration test-faults tree fuzz lint

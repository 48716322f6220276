# The bootable image and the machine that runs it.

image-deps:
	@tests/install-deps image/packages.build

image: image-deps tree
	@CACHE=$(CACHE) image/build $(CURDIR)/build/tree $(CURDIR)/build/mailstead

# What compiling needs of tests/packages, without what only tests need.
build-deps:
	@tests/install-deps tests/packages '^(gcc|make|pkg-config|.*-dev)$$'

# make run SSH=1: root by key at port 20022 (SSH_KEY= your public key); PORT=22000:
# other ports; NEW=1: a new appliance in place of the kept one
run: build-deps image-deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@$(MAKE) --no-print-directory image
	@image/run $(if $(SSH),--ssh) $(if $(SSH_KEY),--ssh --ssh-key $(SSH_KEY)) $(if $(PORT),--port $(PORT)) $(if $(NEW),--new) \
	  build/mailstead.qcow2 build/run

stop:
	@image/run --stop build/run

# Sizes, times and memory of the image at hand, for the notes; never a verdict
measure: image
	@CACHE=$(CACHE) image/measure build/mailstead

.PHONY: image-deps build-deps image run stop measure

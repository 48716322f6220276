# The bootable image and the machine that runs it.

image-deps:
	@tests/install-deps image/packages.build

image: image-deps tree
	@CACHE=$(CACHE) image/build $(CURDIR)/build/tree $(CURDIR)/build/mailstead

run: test-deps
	@$(MAKE) --no-print-directory image
	@image/run build/mailstead.qcow2 build/run

stop:
	@image/run --stop build/run

.PHONY: image-deps image run stop

$(eval $(call fuzzer,mime,tests/fuzz/mime/fuzz-mime.c $(MIME_SOURCES)))

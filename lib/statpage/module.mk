$(eval $(call concept,statpage,lib/statpage/write.c lib/statpage/read.c,,))
$(eval $(call unit_test,statpage,tests/unit/statpage/test-statpage.c,statpage,))
$(eval $(call fuzzer,statpage,tests/fuzz/fuzz-statpage.c lib/statpage/read.c))

$(eval $(call fuzzer,configd-request,tests/fuzz/configd/fuzz-request.c configd/request.c))
$(eval $(call fuzzer,configd-sync,tests/fuzz/configd/fuzz-sync.c configd/sync.c -llber))

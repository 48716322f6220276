$(eval $(call fuzzer,lmtp,tests/fuzz/lmtp/fuzz-lmtp.c agents/store/intake/lmtp.c))

$(eval $(call unit_test,auth-wire,tests/unit/auth/test-wire.c,auth,))
$(eval $(call unit_test,auth-client,tests/unit/auth/test-client.c,auth,))
$(eval $(call fuzzer,auth-wire,tests/fuzz/fuzz-auth-wire.c lib/auth/wire.c))

$(eval $(call unit_test,ticket,tests/unit/ticket/test-ticket.c,ticket,libcrypto))
$(eval $(call fuzzer,ticket,tests/fuzz/fuzz-ticket.c lib/ticket/ticket.c -lcrypto))

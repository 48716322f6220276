$(eval $(call unit_test,tls,tests/unit/tls/test-tls.c,tls,))

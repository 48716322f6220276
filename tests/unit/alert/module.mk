$(eval $(call unit_test,alert,tests/unit/alert/test-alert.c,alert,))
$(eval $(call fuzzer,alert,tests/fuzz/fuzz-alert.c $(alert_sources)))

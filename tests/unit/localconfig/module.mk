$(eval $(call unit_test,localconfig,tests/unit/localconfig/test-localconfig.c,localconfig,))

$(eval $(call unit_test,service,tests/unit/service/test-service.c,service,))

$(eval $(call unit_test,console-status,tests/unit/agents/console/test-status.c agents/console/text.c,service,))

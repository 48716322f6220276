$(eval $(call unit_test,monitor-queue,tests/unit/monitor/test-queue.c cli/monitor/queue.c,,))

$(eval $(call unit_test,daemon,tests/unit/daemon/test-daemon.c,daemon,))

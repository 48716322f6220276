$(eval $(call unit_test,localsocket,tests/unit/localsocket/test-localsocket.c,localsocket,))

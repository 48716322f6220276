alerts_tested := $(filter-out agents/alerts/main.c,$(wildcard agents/alerts/*.c))
$(eval $(call unit_test,alerts,tests/unit/agents/alerts/test-alerts.c $(alerts_tested),alert service tls localsocket journal,libcrypto))

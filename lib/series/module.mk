$(eval $(call concept,series,lib/series/series.c,,))
$(eval $(call unit_test,series,tests/unit/series/test-series.c,series,))

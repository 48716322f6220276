$(eval $(call unit_test,stats,tests/unit/agents/stats/test-collect.c $(STATS_SOURCES),statpage series journal,librrd libmicrohttpd,-lm))
$(eval $(call unit_test,stats-sinks,tests/unit/agents/stats/test-sinks.c $(STATS_SOURCES),statpage series journal,librrd libmicrohttpd,-lm))
$(eval $(call fuzzer,stats-import,tests/fuzz/fuzz-stats-import.c agents/stats/collect/import.c agents/stats/sample.c))

$(eval $(call unit_test,cron,tests/unit/cron/test-cron.c,cron,))
$(eval $(call unit_test,generator-jobs,tests/unit/cron/test-jobs.c units/generator/jobs.c,cron,))
$(eval $(call fuzzer,cron,tests/fuzz/fuzz-cron.c $(cron_sources)))

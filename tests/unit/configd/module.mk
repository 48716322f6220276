configd_test := $(configd_engine) tests/unit/configd/fixture.c
$(eval $(call unit_test,configd-facts,tests/unit/configd/test-facts.c configd/facts.c configd/derived.c,,,-lm))
$(eval $(call unit_test,configd-request,tests/unit/configd/test-request.c configd/request.c,,))
$(eval $(call unit_test,configd-sync,tests/unit/configd/test-sync.c configd/sync.c,,lber))
$(eval $(call unit_test,configd-plan,tests/unit/configd/test-plan.c $(configd_test),template journal,,-lm))
$(eval $(call unit_test,configd-generation,tests/unit/configd/test-generation.c $(configd_test),template journal,,-lm))
$(eval $(call unit_test,configd-engine,tests/unit/configd/test-engine.c $(configd_test),template journal,,-lm))
$(eval $(call unit_test,configd-engine-time,tests/unit/configd/test-engine-time.c $(configd_test),template journal,,-lm))
$(eval $(call unit_test,configd-ask,tests/unit/configd/test-ask.c configd/command.c configd/confirm.c,,))

configd_test := $(configd_engine) tests/unit/configd/fixture.c
$(eval $(call unit_test,configd-facts,tests/unit/configd/test-facts.c configd/facts.c configd/derived.c,,gio-2.0,-lm))
$(eval $(call unit_test,configd-request,tests/unit/configd/test-request.c configd/request.c,,))
$(eval $(call unit_test,configd-sync,tests/unit/configd/test-sync.c configd/sync.c,,lber))
$(eval $(call unit_test,configd-plan,tests/unit/configd/test-plan.c $(configd_test),template journal,gio-2.0 gio-unix-2.0,-lm))
$(eval $(call unit_test,configd-generation,tests/unit/configd/test-generation.c $(configd_test),template journal,gio-2.0 gio-unix-2.0,-lm))
$(eval $(call unit_test,configd-engine,tests/unit/configd/test-engine.c $(configd_test),template journal,gio-2.0 gio-unix-2.0,-lm))

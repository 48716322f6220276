$(eval $(call unit_test,intake-lmtp,tests/unit/agents/store/intake/test-lmtp.c agents/store/intake/lmtp.c,,))
$(eval $(call unit_test,intake,tests/unit/agents/store/intake/test-intake.c $(INTAKE_SOURCES),store-wire auth mime journal statpage,))

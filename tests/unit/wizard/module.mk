$(eval $(call unit_test,wizard-answers,tests/unit/wizard/test-answers.c wizard/answers.c wizard/answer-checks.c,localconfig service tls,))
$(eval $(call unit_test,wizard-engine,tests/unit/wizard/test-engine.c wizard/engine.c wizard/state.c,directory localconfig service schema tls,))

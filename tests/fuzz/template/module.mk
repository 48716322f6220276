$(eval $(call fuzzer,template,tests/fuzz/template/fuzz-template.c $(template_sources) -lm))

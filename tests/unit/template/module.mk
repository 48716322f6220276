$(eval $(call unit_test,template,tests/unit/template/test-template.c,template,))

$(eval $(call unit_test,schema,tests/unit/schema/test-schema.c,schema,))

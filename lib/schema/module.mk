$(eval $(call concept,schema,lib/schema/schema.c lib/schema/table.c lib/schema/check.c,,))

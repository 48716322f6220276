$(eval $(call unit_test,directory-names,tests/unit/directory/test-names.c,directory))
$(eval $(call unit_test,directory-entries,tests/unit/directory/test-entries.c,directory))
$(eval $(call unit_test,directory-changes,tests/unit/directory/test-changes.c,directory))

$(eval $(call unit_test,journal,tests/unit/journal/test-journal.c,journal,))

$(eval $(call concept,journal,lib/journal/journal.c,,))

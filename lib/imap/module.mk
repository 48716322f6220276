$(eval $(call concept,imap,$(addprefix lib/imap/,reader.c cursor.c set.c date.c utf7.c quote.c),,))
$(eval $(call unit_test,imap,tests/unit/imap/test-imap.c,imap,))
$(eval $(call fuzzer,imap,tests/fuzz/imap.c $(addprefix lib/imap/,reader.c cursor.c set.c date.c utf7.c quote.c)))

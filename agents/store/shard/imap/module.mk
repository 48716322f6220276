imap_session_sources := $(addprefix agents/store/shard/imap/,server.c session.c commands.c selected.c sync.c cmd-session.c cmd-select.c \
  cmd-folder.c cmd-list.c cmd-status.c cmd-append.c cmd-expunge.c cmd-search.c cmd-fetch.c cmd-store.c cmd-copy.c fetch-plan.c \
  fetch-section.c structure.c search-parse.c search-match.c search-text.c)
$(eval $(call concept,store-imap,$(imap_session_sources),store-session store-wire statpage imap mime journal,))
imap_pure_sources := $(addprefix agents/store/shard/imap/,fetch-plan.c fetch-section.c structure.c search-parse.c search-match.c search-text.c)
$(eval $(call unit_test,store-imap-fetch,tests/unit/agents/store/shard/imap/test-fetch.c,store-imap mime imap,))
$(eval $(call unit_test,store-imap-search,tests/unit/agents/store/shard/imap/test-search.c,store-imap mime imap,))
$(eval $(call fuzzer,imap-arguments,tests/fuzz/imap-arguments.c $(imap_pure_sources) $(addprefix lib/imap/,reader.c cursor.c set.c date.c utf7.c quote.c) $(addprefix lib/mime/,parser.c header.c address.c date.c summary.c codec.c)))

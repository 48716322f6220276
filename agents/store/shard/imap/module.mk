imap_session_sources := $(addprefix agents/store/shard/imap/,server.c session.c commands.c selected.c sync.c cmd-session.c cmd-select.c \
  cmd-folder.c cmd-list.c cmd-status.c cmd-append.c cmd-expunge.c cmd-search.c cmd-fetch.c cmd-store.c cmd-copy.c fetch-plan.c \
  fetch-section.c structure.c search-parse.c search-match.c search-text.c)
$(eval $(call concept,store-imap,$(imap_session_sources),store-session store-wire imap mime journal,))

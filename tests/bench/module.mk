$(eval $(call program,bench/cold-mailboxes,tests/bench/cold-mailboxes.c,,sqlite3,,))
$(eval $(call program,bench/store-hop,tests/bench/store-hop.c,store-wire,,,))

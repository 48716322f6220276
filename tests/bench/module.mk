$(eval $(call program,bench/cold-mailboxes,tests/bench/cold-mailboxes.c,,sqlite3,,))

$(eval $(call concept,maillog,lib/maillog/maillog.c,,sqlite3))

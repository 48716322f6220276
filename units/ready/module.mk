$(eval $(call program,libexec/zmready,units/ready/zmready.c,,,,libexec))

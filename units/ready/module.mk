$(eval $(call program,libexec/zmready,units/ready/zmready.c,,,,libexec))
$(eval $(call install_file,docs/man/zmready.8,/usr/share/man/man8,0644))

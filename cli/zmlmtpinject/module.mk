$(eval $(call program,bin/zmlmtpinject,cli/zmlmtpinject/zmlmtpinject.c,,,,bin))
$(eval $(call install_file,docs/man/zmlmtpinject.8,/usr/share/man/man8,0644))

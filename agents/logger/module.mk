$(eval $(call program,libexec/zmloggerd,$(wildcard agents/logger/*.c),maillog alert daemon journal,,,libexec))
$(eval $(call install_file,docs/man/zmloggerd.8,/usr/share/man/man8,0644))

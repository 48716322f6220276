$(eval $(call program,bin/zmhostname,cli/zmhostname/main.c,localconfig,,,bin))
$(eval $(call install_file,docs/man/zmhostname.8,/usr/share/man/man8,0644))

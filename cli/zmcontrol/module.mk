$(eval $(call program,bin/zmcontrol,cli/zmcontrol/main.c cli/zmcontrol/actions.c cli/zmcontrol/disk.c,localconfig service,,,bin))
$(eval $(call install_file,docs/man/zmcontrol.1,/usr/share/man/man1,0644))

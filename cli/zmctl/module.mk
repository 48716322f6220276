$(eval $(call program,libexec/zmctl,cli/zmctl/zmctl.c,service,,,libexec))
$(eval $(call install_file,docs/man/zmctl.1,/usr/share/man/man1,0644))

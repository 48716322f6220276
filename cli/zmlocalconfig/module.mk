$(eval $(call program,bin/zmlocalconfig,$(addprefix cli/zmlocalconfig/,main.c show.c edit.c),schema localconfig,,,bin))
$(eval $(call install_file,docs/man/zmlocalconfig.8,/usr/share/man/man8,0644))

ZMPROV_SOURCES := $(addprefix cli/zmprov/,account.c arguments.c audit.c commands.c config.c describe.c domain.c list.c object.c print.c \
  proxy.c rights.c search.c session.c shell.c tokens.c)
$(eval $(call program,bin/zmprov,cli/zmprov/main.c $(ZMPROV_SOURCES),directory schema localconfig journal,readline,,bin))
$(eval $(call install_file,docs/man/zmprov.8,/usr/share/man/man8,0644))

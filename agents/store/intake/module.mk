INTAKE_SOURCES := $(addprefix agents/store/intake/,config.c intake.c parsing.c session.c commands.c transaction.c replies.c lmtp.c)
$(eval $(call program,libexec/zmmailboxd-intake,agents/store/intake/main.c $(INTAKE_SOURCES),store-wire auth mime statpage daemon,,,libexec))
$(eval $(call install_file,docs/man/zmmailboxd-intake.8,/usr/share/man/man8,0644))

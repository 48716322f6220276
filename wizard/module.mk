LDAPINIT_SRC := $(addprefix wizard/ldapinit/,zmldapinit.c words.c password.c load.c wait.c) wizard/run.c
$(eval $(call program,libexec/zmldapinit,$(LDAPINIT_SRC),localconfig schema,ldap,,libexec))

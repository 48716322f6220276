LDAPINIT_SRC := $(addprefix wizard/ldapinit/,zmldapinit.c words.c password.c load.c wait.c) wizard/run.c
$(eval $(call program,libexec/zmldapinit,$(LDAPINIT_SRC),localconfig schema,ldap,,libexec))

SETUP_SRC := $(addprefix wizard/,zmsetup.c apply.c interview.c front-plain.c front-newt.c questions.c draft.c engine.c state.c steps.c answers.c answer-checks.c changes.c run.c \
             step-host.c step-console.c step-secrets.c step-certificates.c step-directory.c step-server.c step-accounts.c step-services.c)
$(eval $(call program,libexec/zmsetup,$(SETUP_SRC),directory localconfig schema service tls,libnewt,-lcrypt,libexec))
$(eval $(call install_file,docs/man/zmsetup.8,/usr/share/man/man8,0644))
$(eval $(call install_file,docs/man/zmldapinit.8,/usr/share/man/man8,0644))

# The engine apart from its daemon: what unit tests link.
configd_engine := $(addprefix configd/,layout.c facts.c derived.c plan.c generation.c history.c command.c \
                  validate.c check-postfix.c confirm.c engine.c engine-state.c turn.c apply.c \
                  recover.c rollback.c trial.c health.c engine-view.c)
configd_daemon := $(addprefix configd/,collect.c services.c units.c request.c publish.c sync.c \
                  watch-connect.c watch.c worker.c control.c localwatch.c manager.c offline.c main.c)
$(eval $(call program,libexec/zmconfigd,$(configd_engine) $(configd_daemon),template directory service localconfig schema localsocket daemon,ldap lber,-lpthread -lm,libexec))
$(eval $(call program,bin/zmconfigctl,configd/ctl.c configd/request.c,service localsocket,,,bin))
$(eval $(call install_file,docs/man/zmconfigd.8,/usr/share/man/man8,0644))
$(eval $(call install_file,docs/man/zmconfigctl.8,/usr/share/man/man8,0644))

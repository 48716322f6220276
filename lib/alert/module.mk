alert_sources := $(addprefix lib/alert/,alert.c catalogue.c raise.c wire.c)
$(eval $(call concept,alert,$(alert_sources),,))

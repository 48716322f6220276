cron_sources := $(addprefix lib/cron/,time.c parse.c schedule.c)
$(eval $(call concept,cron,$(cron_sources),,))

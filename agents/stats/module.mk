STATS_SOURCES := $(filter-out agents/stats/main.c,$(wildcard agents/stats/*.c agents/stats/collect/*.c)) agents/stats/queue/queue.c
$(eval $(call program,libexec/zmstatd,agents/stats/main.c $(STATS_SOURCES),statpage series daemon journal,librrd libmicrohttpd,-lm,libexec))
$(eval $(call program,libexec/zmstatqueue,agents/stats/queue/main.c agents/stats/queue/queue.c,daemon journal,,,libexec))
$(foreach m,zmstatd zmstatqueue,$(eval $(call install_file,docs/man/$(m).8,/usr/share/man/man8,0644)))

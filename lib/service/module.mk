$(eval $(call concept,service,lib/service/table.c lib/service/enabled.c lib/service/bus.c lib/service/state.c,,))

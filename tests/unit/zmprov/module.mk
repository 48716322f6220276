$(eval $(call unit_test,zmprov,tests/unit/zmprov/test-zmprov.c $(ZMPROV_SOURCES),directory schema localconfig journal,readline))

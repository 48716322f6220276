$(eval $(call unit_test,zmmilter-config,tests/unit/agents/milter/test-config.c agents/milter/config.c,,))
$(eval $(call unit_test,zmmilter-session,tests/unit/agents/milter/test-session.c agents/milter/session.c agents/milter/asker.c,auth journal,,-lmilter -lpthread))

STORE_FIXTURE := tests/unit/agents/store/shard/fixture.c
$(eval $(call unit_test,store-mailbox,tests/unit/agents/store/shard/test-mailbox.c $(STORE_FIXTURE),store-core,))
$(eval $(call unit_test,store-recovery,tests/unit/agents/store/shard/test-recovery.c $(STORE_FIXTURE),store-core,))

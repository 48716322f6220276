STORE_FIXTURE := tests/unit/agents/store/shard/fixture.c
$(eval $(call unit_test,store-mailbox,tests/unit/agents/store/shard/test-mailbox.c $(STORE_FIXTURE),store-core,))
$(eval $(call unit_test,store-recovery,tests/unit/agents/store/shard/test-recovery.c $(STORE_FIXTURE),store-core,))
$(eval $(call unit_test,store-redo,tests/unit/agents/store/shard/test-redo.c,store-core,))
$(eval $(call unit_test,store-faults,tests/unit/agents/store/shard/test-faults.c $(STORE_FIXTURE),store-core,))
$(eval $(call fuzzer,redo,tests/fuzz/redo.c agents/store/shard/op.c agents/store/shard/redo-format.c agents/store/shard/crc32c.c))

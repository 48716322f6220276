$(eval $(call concept,store-session,agents/store/shard/session/stream.c agents/store/shard/session/work.c,,))
$(eval $(call unit_test,store-session,tests/unit/agents/store/shard/session/test-stream.c,store-session,))

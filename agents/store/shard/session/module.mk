$(eval $(call concept,store-session,agents/store/shard/session/stream.c agents/store/shard/session/work.c,,))

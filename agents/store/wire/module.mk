$(eval $(call concept,store-wire,agents/store/wire/codec.c agents/store/wire/conn.c agents/store/wire/listen.c agents/store/wire/placement.c,localsocket,))
$(eval $(call unit_test,store-wire,tests/unit/agents/store/wire/test-wire.c,store-wire,))
$(eval $(call fuzzer,wire,tests/fuzz/wire.c agents/store/wire/codec.c))

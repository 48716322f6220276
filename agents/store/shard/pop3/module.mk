$(eval $(call concept,store-pop3,$(addprefix agents/store/shard/pop3/,session.c commands.c retrieve.c dots.c),store-session store-wire statpage journal,))
$(eval $(call unit_test,store-pop3-dots,tests/unit/agents/store/shard/pop3/test-dots.c,store-pop3,))

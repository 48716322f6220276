$(eval $(call concept,store-pop3,$(addprefix agents/store/shard/pop3/,session.c commands.c retrieve.c dots.c),store-session store-wire journal,))

login_sources := $(addprefix agents/store/login/,main.c config.c proxy.c listener.c client.c transport.c handoff.c relay.c imap.c pop3.c)
$(eval $(call program,libexec/zmmailboxd-login,$(login_sources),store-wire auth imap journal,openssl,,libexec))
$(eval $(call unit_test,store-login,tests/unit/agents/store/login/test-login.c agents/store/login/proxy.c agents/store/login/config.c,store-wire,))
$(eval $(call fuzzer,proxy,tests/fuzz/proxy.c agents/store/login/proxy.c))

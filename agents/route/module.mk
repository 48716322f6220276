$(eval $(call program,libexec/zmrouted,$(wildcard agents/route/*.c),auth schema journal,libmicrohttpd libmemcached libcrypto,,libexec))

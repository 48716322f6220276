$(eval $(call program,libexec/zmrouted,$(wildcard agents/route/*.c),auth journal,libmicrohttpd libmemcached libcrypto,,libexec))

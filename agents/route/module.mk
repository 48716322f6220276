$(eval $(call program,libexec/zmrouted,$(wildcard agents/route/*.c),auth schema daemon,libmicrohttpd libmemcached libcrypto,,libexec))
$(eval $(call install_file,docs/man/zmrouted.8,/usr/share/man/man8,0644))

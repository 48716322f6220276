$(eval $(call program,libexec/zmauthd,$(wildcard agents/auth/*.c),auth ticket directory localconfig schema statpage localsocket daemon,ldap libcrypto,,libexec))
$(eval $(call install_file,docs/man/zmauthd.8,/usr/share/man/man8,0644))

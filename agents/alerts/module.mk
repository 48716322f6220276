$(eval $(call program,libexec/zmalertd,$(wildcard agents/alerts/*.c),alert service tls localsocket daemon,libcrypto,,libexec))
$(eval $(call install_file,docs/man/zmalertd.8,/usr/share/man/man8,0644))

$(eval $(call program,libexec/zmconsole,$(wildcard agents/console/*.c),service daemon,,,libexec))
$(eval $(call install_file,docs/man/zmconsole.8,/usr/share/man/man8,0644))

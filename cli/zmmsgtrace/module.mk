$(eval $(call program,libexec/zmmsgtrace,$(wildcard cli/zmmsgtrace/*.c),maillog,,,libexec))
$(eval $(call install_file,docs/man/zmmsgtrace.8,/usr/share/man/man8,0644))

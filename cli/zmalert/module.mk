$(eval $(call program,bin/zmalert,$(wildcard cli/zmalert/*.c),alert localsocket,,,bin))
$(eval $(call install_file,docs/man/zmalert.8,/usr/share/man/man8,0644))

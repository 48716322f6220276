$(eval $(call program,libexec/zmdailyreport,$(wildcard cli/zmdailyreport/*.c),maillog,,,libexec))
$(eval $(call install_file,docs/man/zmdailyreport.8,/usr/share/man/man8,0644))

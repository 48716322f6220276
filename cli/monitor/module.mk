$(eval $(call program,libexec/zmstatuslog,cli/monitor/statuslog.c cli/monitor/record.c,service localconfig,,,libexec))
$(eval $(call program,libexec/zmqueuelog,cli/monitor/queuelog.c cli/monitor/queue.c cli/monitor/record.c,,,,libexec))
$(eval $(call install_file,docs/man/zmstatuslog.8,/usr/share/man/man8,0644))
$(eval $(call install_file,docs/man/zmqueuelog.8,/usr/share/man/man8,0644))

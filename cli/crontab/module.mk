$(eval $(call program,bin/crontab,$(wildcard cli/crontab/*.c),cron service,,,bin))
$(eval $(call install_file,docs/man/crontab.1,/usr/share/man/man1,0644))

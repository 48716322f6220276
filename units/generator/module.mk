$(eval $(call program,generator/zimbra-generator,$(wildcard units/generator/*.c),service cron,,,/usr/lib/systemd/system-generators))
$(eval $(call install_file,docs/man/zimbra-generator.8,/usr/share/man/man8,0644))

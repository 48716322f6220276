$(eval $(call program,generator/zimbra-generator,units/generator/zimbra-generator.c,service,,,/usr/lib/systemd/system-generators))

$(eval $(call program,libexec/zmmilter,$(wildcard agents/milter/*.c),auth daemon,,-lmilter -lpthread,libexec))
$(eval $(call install_file,docs/man/zmmilter.8,/usr/share/man/man8,0644))

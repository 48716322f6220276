$(eval $(call install_file,cli/zmcleantmp/zmcleantmp,libexec,0755))
$(eval $(call install_file,docs/man/zmcleantmp.8,/usr/share/man/man8,0644))

$(foreach u,$(wildcard units/*.service units/*.target units/*.socket units/*.slice),$(eval $(call install_file,$(u),/usr/lib/systemd/system,0644)))
$(eval $(call install_file,units/sysusers/mailstead.conf,/usr/lib/sysusers.d,0644))
$(eval $(call install_file,units/tmpfiles/mailstead.conf,/usr/lib/tmpfiles.d,0644))

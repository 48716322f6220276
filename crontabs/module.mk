$(foreach f,$(wildcard crontabs/crontab*),$(eval $(call install_file,$(f),lib/crontabs,0644)))

$(eval $(call program,libexec/zmcheckexpiredcerts,cli/zmcheckexpiredcerts/main.c,alert tls localconfig,,,libexec))
$(eval $(call install_file,docs/man/zmcheckexpiredcerts.8,/usr/share/man/man8,0644))

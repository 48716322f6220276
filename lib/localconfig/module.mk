$(eval $(call concept,localconfig,lib/localconfig/localconfig.c lib/localconfig/file.c lib/localconfig/keys.c,,))

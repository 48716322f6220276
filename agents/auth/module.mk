ifdef concept_directory_objs
$(eval $(call program,libexec/zmauthd,$(wildcard agents/auth/*.c),auth ticket directory localconfig schema journal,ldap libcrypto,,libexec))
endif

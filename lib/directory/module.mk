$(eval $(call concept,directory,$(addprefix lib/directory/,account.c alias.c change.c connection.c container.c domain.c entry.c error.c \
  list.c lookup.c name.c object.c password.c),schema localconfig,ldap lber))

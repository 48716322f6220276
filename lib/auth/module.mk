$(eval $(call concept,auth,lib/auth/client.c lib/auth/wire.c,localsocket,))

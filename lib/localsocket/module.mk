$(eval $(call concept,localsocket,lib/localsocket/localsocket.c,,))

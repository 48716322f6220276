$(eval $(call concept,daemon,lib/daemon/daemon.c,journal,))

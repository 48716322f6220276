$(eval $(call program,faults/blockrec,tests/faults/blockrec.c,,fuse3,,))

$(eval $(call program,faults/blockrec,tests/faults/blockrec.c,,fuse3,,))
$(eval $(call program,faults/storecheck,tests/faults/storecheck.c,store-core store-wire mime journal,,,))

$(eval $(call program,bench/cold-mailboxes,tests/bench/cold-mailboxes.c,,sqlite3,,))
$(eval $(call program,bench/delivery-hop,tests/bench/delivery-hop.c agents/store/shard/delivery/delivery.c,store-core store-wire journal,,,))
$(eval $(call program,bench/statpage,tests/bench/statpage.c,statpage,,,))

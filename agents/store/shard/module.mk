STORE_CORE := $(addprefix agents/store/shard/,append.c blobs.c change.c checkpoint.c content.c content-apply.c crc32c.c \
  disk.c folders.c group-db.c header-db.c jobs.c mailbox.c op.c read.c recovery.c redo-format.c redo-log.c redo-scan.c \
  shard.c sql.c submit.c view.c)
$(eval $(call concept,store-core,$(STORE_CORE),journal store-wire,sqlite3))

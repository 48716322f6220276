STORE_CORE := $(addprefix agents/store/shard/,append.c blobs.c change.c checkpoint.c content.c content-apply.c crc32c.c \
  disk.c folders.c group-db.c header-db.c jobs.c mailbox.c op.c read.c recovery.c redo-format.c redo-log.c redo-scan.c \
  shard.c sql.c submit.c view.c)
$(eval $(call concept,store-core,$(STORE_CORE),alert journal store-wire statpage,sqlite3))

SHARD_DAEMON := $(addprefix agents/store/shard/,main.c listen.c numbers.c services.c sessions.c settings.c delivery/delivery.c)
$(eval $(call program,libexec/zmmailboxd-shard,$(SHARD_DAEMON),store-core store-imap store-pop3 store-session store-wire daemon,,,libexec))
$(eval $(call install_file,docs/man/zmmailboxd-shard.8,/usr/share/man/man8,0644))

$(eval $(call program,libexec/zmredodump,agents/store/shard/redodump.c,store-core journal,,,libexec))
$(eval $(call install_file,docs/man/zmredodump.8,/usr/share/man/man8,0644))

$(eval $(call concept,ticket,lib/ticket/ticket.c,,libcrypto))

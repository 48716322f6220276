$(eval $(call concept,tls,lib/tls/make.c lib/tls/pem.c lib/tls/verify.c,,libcrypto))

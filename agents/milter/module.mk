$(eval $(call program,libexec/zmmilter,$(wildcard agents/milter/*.c),auth journal,,-lmilter -lpthread,libexec))

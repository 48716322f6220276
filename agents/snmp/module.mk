snmp_objects := $(call obj,$(wildcard agents/snmp/*.c))
$(snmp_objects): $(O)/mibs/enterprise.h
$(eval $(call program,libexec/zmsnmpagent,$(wildcard agents/snmp/*.c),alert daemon service tls journal,libcrypto,-lnetsnmpagent -lnetsnmp -lm,libexec))
$(eval $(call install_file,docs/man/zmsnmpagent.8,/usr/share/man/man8,0644))
